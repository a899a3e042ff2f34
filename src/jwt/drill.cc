#include "jwt/drill.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "cache/refresh_schedule.h"
#include "core/random.h"
#include "jwt/key_ring.h"
#include "qarion/secrets/jwt_signer.h"
#include "qarion/secrets/jwt_verifier.h"

namespace qarion::secrets::jwt {
namespace {

using std::chrono::seconds;
using Moment = std::chrono::nanoseconds;  // since the beginning

constexpr Time kBeginning{seconds(1767225600)};  // 2026
constexpr seconds kHastyWait{60};
constexpr seconds kRetryWhenExpired{15};  // 30 at the latest; see RefreshSchedule
constexpr seconds kBetweenFetches{10};    // of a verifier that no key fits
constexpr int kMomentsAtOnce = 16;        // after a change, and over the whole of a step
constexpr std::size_t kSigners = 8;       // at each moment

// Of one replica, which may be a little off.
class DrillClock final : public Clock {
 public:
  SteadyTime SteadyNow() const noexcept override { return SteadyTime(now_); }
  SystemTime SystemNow() const noexcept override {
    return kBeginning + std::chrono::duration_cast<SystemTime::duration>(now_);
  }
  bool WaitUntil(std::unique_lock<std::mutex>&, std::condition_variable&, SteadyTime,
                 const std::function<bool()>& done) override {
    return done();
  }
  void Set(Moment now) { now_ = now; }

 private:
  Moment now_{};
};

// One state of the secret, and how long the operator leaves it.
struct Version {
  const char* name;
  const char* change;
  Keys keys;
  seconds lasts;
  Moment made_at{};
};

struct Token {
  std::string text;
  Moment ends_at;  // on any clock: its `exp`, and the leeway that verifiers add
};

const Version& VersionAt(const std::vector<Version>& versions, Moment time) {
  const auto after = std::ranges::upper_bound(versions, time, {}, &Version::made_at);
  return after == versions.begin() ? versions.front() : *std::prev(after);
}

class Replica {
 public:
  Replica(const RotationTimes& times, Moment clock_error, core::Random& random)
      : times_(times),
        schedule_(std::max(times.cache_ttl, seconds(1)), random),
        due_(schedule_.FirstInterval()),
        clock_error_(clock_error) {}

  Status Load(const Version& version, Moment now);

  // What the cache has done up to now.
  Status Advance(const std::vector<Version>& versions, Moment now);

  // From `made_at` on no fetch succeeds, until what was fetched just before has been given up.
  Status CutOff(const std::vector<Version>& versions, Moment made_at) {
    const Moment before = made_at - Moment(1);
    if (IsCutOff(before)) return {};
    cut_until_ = made_at + times_.cache_ttl + times_.max_stale + kRetryWhenExpired;
    due_ = cut_until_;
    return Load(VersionAt(versions, before), before);
  }

  bool IsCutOff(Moment now) const { return now < cut_until_; }
  bool Serves(Moment now) const {
    if (times_.cache_ttl == seconds(0)) return !IsCutOff(now);
    return now < fetched_at_ + times_.cache_ttl + times_.max_stale;
  }
  // What its clock shows.
  Moment ClockAt(Moment now) const { return now + clock_error_; }
  void SetClock(Moment now) { clock_->Set(ClockAt(now)); }

  Result<std::string> Sign() const { return signer_->Sign(ClaimsBuilder().Subject("drill")); }
  Result<VerifiedToken> Verify(std::string_view token) const { return verifier_->Verify(token); }

  // Whether a token that no key fits is worth a fetch now, which then counts as done.
  bool MayFetchAgain(Moment now) {
    if (fetched_again_at_ && now < *fetched_again_at_ + kBetweenFetches) return false;
    fetched_again_at_ = now;
    return !IsCutOff(now);
  }

 private:
  const RotationTimes& times_;
  cache::RefreshSchedule schedule_;
  Moment due_;
  Moment clock_error_;
  Moment fetched_at_{};
  Moment cut_until_{};
  std::optional<Moment> fetched_again_at_;
  const Version* loaded_ = nullptr;
  std::shared_ptr<DrillClock> clock_ = std::make_shared<DrillClock>();
  std::optional<Signer> signer_;
  std::optional<Verifier> verifier_;
};

Status Replica::Load(const Version& version, Moment now) {
  fetched_at_ = now;
  if (loaded_ == &version) return {};
  loaded_ = &version;
  auto signer = Signer::With(version.keys.current.Share());
  if (!signer) return std::move(signer).error();
  signer_ = std::move(*signer).Lifetime(times_.lifetime).UseClock(clock_);
  verifier_ = Verifier::With(Share(version.keys))
                  .Leeway(times_.leeway)
                  .AcceptLifetimesUpTo(times_.lifetime)
                  .UseClock(clock_);
  return {};
}

Status Replica::Advance(const std::vector<Version>& versions, Moment now) {
  if (times_.cache_ttl == seconds(0)) {  // every read fetches
    return IsCutOff(now) ? Status() : Load(VersionAt(versions, now), now);
  }
  // After so many refreshes nobody can tell when the first one was.
  if (now - due_ > Moment(times_.cache_ttl) * 64) {
    due_ = now - Moment(times_.cache_ttl) * 2 + schedule_.FirstInterval();
  }
  while (due_ <= now) {
    if (Status loaded = Load(VersionAt(versions, due_), due_); !loaded) return loaded;
    due_ += schedule_.NextInterval();
  }
  return {};
}

class Fleet {
 public:
  Fleet(const DrillOptions& options, std::vector<Version> versions, DrillRun& run)
      : options_(options), versions_(std::move(versions)), run_(run), random_(options.seed) {}

  Status Play();

 private:
  Status Begin();
  Status Advance(Moment now);
  Status SignAndShow(Moment now, DrillStep& step);
  void ShowOld(Moment now, DrillStep& step);
  Status ShowForged(Moment now);
  std::set<seconds> MomentsOf(const Version& version) const;
  bool Accepts(Replica& replica, const std::string& token, Moment now);
  std::size_t Below(std::size_t count) {
    return static_cast<std::size_t>(random_.Uniform() * static_cast<double>(count));
  }

  const DrillOptions& options_;
  std::vector<Version> versions_;
  DrillRun& run_;
  core::SystemRandom random_;
  std::vector<Replica> replicas_;
  std::vector<Replica*> serving_;
  std::vector<Token> tokens_;
};

Status Fleet::Begin() {
  Moment made_at{};
  for (Version& version : versions_) {
    version.made_at = made_at;
    made_at += version.lasts;
  }
  // No two clocks are further apart than they may be; the first two are, just.
  const Moment most = ClockDifference(options_.times);
  replicas_.reserve(options_.replicas);
  for (std::size_t i = 0; i < options_.replicas; ++i) {
    const double share = i == 0 ? 1.0 : i == 1 ? 0.0 : random_.Uniform();
    const double error = (share - 0.5) * static_cast<double>(most.count());
    const auto whole = std::chrono::duration_cast<seconds>(Moment(static_cast<Moment::rep>(error)));
    replicas_.emplace_back(options_.times, whole, random_);
    if (Status loaded = replicas_.back().Load(versions_.front(), Moment(0)); !loaded) return loaded;
  }
  return {};
}

Status Fleet::Advance(Moment now) {
  serving_.clear();
  for (Replica& replica : replicas_) {
    if (Status advanced = replica.Advance(versions_, now); !advanced) return advanced;
    replica.SetClock(now);
    if (replica.Serves(now)) serving_.push_back(&replica);
  }
  return {};
}

// When something may go wrong, and in between.
std::set<seconds> Fleet::MomentsOf(const Version& version) const {
  const RotationTimes& times = options_.times;
  const seconds served = times.cache_ttl + times.max_stale;
  const seconds second(1);
  std::set<seconds> moments = {seconds(0),
                               times.cache_ttl - second,
                               served - second,
                               times.lifetime - second,
                               times.cache_ttl + times.lifetime - 2 * second,
                               served + times.lifetime - 2 * second,
                               version.lasts - second};
  for (int i = 1; i < kMomentsAtOnce; ++i) {
    moments.insert(times.cache_ttl * i / kMomentsAtOnce);
    moments.insert(version.lasts * i / kMomentsAtOnce);
  }
  std::erase_if(moments,
                [&](seconds moment) { return moment < seconds(0) || moment >= version.lasts; });
  return moments;
}

bool Fleet::Accepts(Replica& replica, const std::string& token, Moment now) {
  const auto verified = replica.Verify(token);
  if (verified) return true;
  const auto why = RejectionOf(verified.error());
  const bool fits_no_key = why == Rejection::kUnknownKey || why == Rejection::kBadSignature;
  if (!run_.fetches_again || !fits_no_key || !replica.MayFetchAgain(now)) return false;
  return replica.Load(VersionAt(versions_, now), now) && replica.Verify(token);
}

// New tokens of some replicas, to all of them at once.
Status Fleet::SignAndShow(Moment now, DrillStep& step) {
  const std::size_t signers = std::min(serving_.size(), kSigners);
  const std::size_t first = serving_.empty() ? 0 : Below(serving_.size());
  for (std::size_t i = 0; i < signers; ++i) {
    const Replica& signer = *serving_[(first + i) % serving_.size()];
    auto signed_token = signer.Sign();
    if (!signed_token) return std::move(signed_token).error();
    for (Replica* const replica : serving_) {
      ++step.checked;
      step.rejected += Accepts(*replica, *signed_token, now) ? 0 : 1;
    }
    const seconds expires_at =
        std::chrono::floor<seconds>(signer.ClockAt(now)) + options_.times.lifetime;
    tokens_.push_back({*std::move(signed_token), expires_at + options_.times.leeway});
  }
  return {};
}

// Every token to one replica, by whose clock it has not expired.
void Fleet::ShowOld(Moment now, DrillStep& step) {
  const Moment most_behind = now - ClockDifference(options_.times);
  std::erase_if(tokens_, [&](const Token& token) { return token.ends_at <= most_behind; });
  if (serving_.empty()) return;
  for (const Token& token : tokens_) {
    Replica& replica = *serving_[Below(serving_.size())];
    if (token.ends_at <= replica.ClockAt(now)) continue;
    ++step.checked;
    step.rejected += Accepts(replica, token.text, now) ? 0 : 1;
  }
}

Status Fleet::ShowForged(Moment now) {
  const auto clock = std::make_shared<DrillClock>();
  clock->Set(now);
  auto thief = Signer::With(versions_.front().keys.current.Share());
  if (!thief) return std::move(thief).error();
  const Signer forger = std::move(*thief).Lifetime(options_.times.lifetime).UseClock(clock);
  const auto token = forger.Sign(ClaimsBuilder().Subject("drill"));
  if (!token) return token.error();
  for (Replica* const replica : serving_) {
    ++run_.late;
    run_.late_accepted += Accepts(*replica, *token, now) ? 1 : 0;
  }
  return {};
}

Status Fleet::Play() {
  if (Status begun = Begin(); !begun) return begun;
  const Moment end_of_old_key = versions_.back().made_at + LoadedAfter(options_.times);
  for (const Version& version : versions_) {
    DrillStep step{.name = version.name, .change = version.change, .lasts = version.lasts};
    if (&version != &versions_.front()) {
      if (Status advanced = Advance(version.made_at - Moment(1)); !advanced) return advanced;
      for (std::size_t i = 0; i < options_.partitioned; ++i) {
        if (Status cut = replicas_[i].CutOff(versions_, version.made_at); !cut) return cut;
      }
    }
    for (const seconds since : MomentsOf(version)) {
      const Moment now = version.made_at + since;
      if (Status advanced = Advance(now); !advanced) return advanced;
      ShowOld(now, step);
      if (Status shown = SignAndShow(now, step); !shown) return shown;
      if (now < end_of_old_key) continue;
      if (Status shown = ShowForged(now); !shown) return shown;
    }
    run_.steps.push_back(std::move(step));
  }
  return {};
}

struct Order {
  const char* name;
  bool fetches_again;
  bool has_three_steps;
};

constexpr std::array kOrders = {Order{"two keys", false, false}, Order{"two keys", true, false},
                                Order{"three steps", false, true}};

std::vector<Version> VersionsOf(const Order& order, const DrillOptions& options,
                                const Secret& old_key, const Secret& new_key) {
  const RotationTimes& times = options.times;
  const auto wait = [&](seconds time) {
    return options.is_hasty ? std::min(time, kHastyWait) : time;
  };
  const seconds loaded = LoadedAfter(times);
  std::vector<Version> versions;
  versions.push_back({"before", "SECRET_KEY = old", {.current = old_key.Share()}, times.lifetime});
  if (order.has_three_steps) {
    versions.push_back({"announce",
                        "SECRET_KEY_NEXT = new",
                        {.current = old_key.Share(), .next = new_key.Share()},
                        wait(loaded)});
  }
  versions.push_back({order.has_three_steps ? "promote" : "change",
                      order.has_three_steps ? "SECRET_KEY = new, _PREVIOUS = old, no _NEXT"
                                            : "SECRET_KEY = new, _PREVIOUS = old",
                      {.current = new_key.Share(), .previous = old_key.Share()},
                      wait((order.has_three_steps ? loaded : seconds(0)) + ExpiredAfter(times))});
  versions.push_back({"retire",
                      "no SECRET_KEY_PREVIOUS",
                      {.current = new_key.Share()},
                      2 * loaded + times.lifetime});
  return versions;
}

}  // namespace

Result<std::vector<DrillRun>> Drill(const DrillOptions& options) {
  auto old_key = GenerateKey();
  if (!old_key) return std::move(old_key).error();
  auto new_key = GenerateKey();
  if (!new_key) return std::move(new_key).error();
  std::vector<DrillRun> runs;
  for (const Order& order : kOrders) {
    DrillRun run{.order = order.name, .fetches_again = order.fetches_again};
    Fleet fleet(options, VersionsOf(order, options, *old_key, *new_key), run);
    if (Status played = fleet.Play(); !played) return std::move(played).error();
    runs.push_back(std::move(run));
  }
  return runs;
}

}  // namespace qarion::secrets::jwt
