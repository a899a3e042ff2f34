#include "qarion/secrets/jwt_verifier.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "core/loan_pool.h"
#include "crypto/token_text.h"
#include "jwt/claims_json.h"
#include "jwt/compact.h"
#include "jwt/key_ring.h"
#include "jwt/policy.h"

namespace qarion::secrets::jwt {
namespace {

using core::JsonEvent;

constexpr std::size_t kRoles = 3;
constexpr std::size_t kDefaultMostBytes = 8 * 1024;
// What a token that no key fits may cost its request,
constexpr std::chrono::milliseconds kPatience{1000};
// and all such tokens together the backend.
constexpr std::chrono::seconds kPause{10};

// What is read of a header. Views into its text.
struct Header {
  std::optional<std::string_view> type;
  std::optional<std::string_view> key_id;
};

std::optional<Rejection> CheckHeader(const JsonObject& object, Algorithm algorithm,
                                     Header& header) {
  header = {};
  const JsonMember* named_algorithm = nullptr;
  for (const JsonMember& member : object.members()) {
    const std::string_view name = member.name;
    if (name == "alg" || name == "typ" || name == "kid") {
      if (member.kind != JsonEvent::kString) {
        return name == "alg" ? Rejection::kWrongAlgorithm : Rejection::kBadHeader;
      }
      if (name == "alg") named_algorithm = &member;
      if (name == "typ") header.type = member.text;
      if (name == "kid") header.key_id = member.text;
    } else if (name == "crit" || name == "b64" || name == "zip" || name == "cty") {
      return Rejection::kUnsupportedHeader;
    }
  }
  if (named_algorithm == nullptr || named_algorithm->text != ToString(algorithm)) {
    return Rejection::kWrongAlgorithm;
  }
  return std::nullopt;
}

const char* CureOf(Rejection reason) {
  switch (reason) {
    case Rejection::kTooLarge: return "see what it carries, or accept larger ones";
    case Rejection::kNotCompact:
    case Rejection::kBadBase64:
    case Rejection::kBadHeader: return "see that it is whole, and a signed token (JWS, compact)";
    case Rejection::kWrongAlgorithm: return "sign it with the algorithm that is verified";
    case Rejection::kUnsupportedHeader: return "sign it without `crit`, `b64`, `zip` and `cty`";
    case Rejection::kUnknownKey:
    case Rejection::kBadSignature:
      return "see that signer and verifier have the same keys: `qsecrets jwt rotation`";
    case Rejection::kWrongType: return "ask for a token of the kind that is expected here";
    case Rejection::kBadPayload:
    case Rejection::kBadClaim: return "correct what signs it";
    case Rejection::kMissingExpiry: return "sign it with `exp`";
    case Rejection::kExpired: return "get a new one";
    case Rejection::kNotYetValid:
    case Rejection::kIssuedInFuture: return "compare the clocks of signer and verifier";
    case Rejection::kLivesTooLong: return "sign it for a shorter time, or accept longer lives";
    case Rejection::kWrongIssuer: return "use a token of the issuer that is expected here";
    case Rejection::kWrongAudience: return "use a token that was issued for this service";
    case Rejection::kWrongSubject: return "use a token of the subject that is expected here";
  }
  return "";
}

constexpr char kRejectionKey[] = "rejection";

Error Refused(Rejection reason) {
  const std::string code(ToString(reason));
  return Error(ErrorCode::kBadData, "the token is refused: " + code)
      .With(kRejectionKey, code)
      .Cure(CureOf(reason));
}

// One for some threads each, so that they do not meet at one counter.
struct alignas(64) Counters {
  using Counter = std::atomic<std::uint64_t>;
  std::array<Counter, kRoles> accepted{};
  std::array<std::array<Counter, kRoles>, kRejections> rejected{};
  std::array<Counter, kRejections> rejected_unsigned{};
};

void Count(std::atomic<std::uint64_t>& counter) noexcept {
  counter.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

std::string_view ToString(Rejection rejection) noexcept {
  switch (rejection) {
    case Rejection::kTooLarge: return "too_large";
    case Rejection::kNotCompact: return "not_compact";
    case Rejection::kBadBase64: return "bad_base64";
    case Rejection::kBadHeader: return "bad_header";
    case Rejection::kWrongAlgorithm: return "wrong_algorithm";
    case Rejection::kUnsupportedHeader: return "unsupported_header";
    case Rejection::kUnknownKey: return "unknown_key";
    case Rejection::kBadSignature: return "bad_signature";
    case Rejection::kWrongType: return "wrong_type";
    case Rejection::kBadPayload: return "bad_payload";
    case Rejection::kBadClaim: return "bad_claim";
    case Rejection::kMissingExpiry: return "missing_expiry";
    case Rejection::kExpired: return "expired";
    case Rejection::kNotYetValid: return "not_yet_valid";
    case Rejection::kIssuedInFuture: return "issued_in_future";
    case Rejection::kLivesTooLong: return "lives_too_long";
    case Rejection::kWrongIssuer: return "wrong_issuer";
    case Rejection::kWrongAudience: return "wrong_audience";
    case Rejection::kWrongSubject: break;
  }
  return "wrong_subject";
}

std::optional<Rejection> RejectionOf(const Error& error) noexcept {
  for (const auto& [key, value] : error.context()) {
    if (key != kRejectionKey) continue;
    for (std::size_t i = 0; i < kRejections; ++i) {
      if (ToString(static_cast<Rejection>(i)) == value) return static_cast<Rejection>(i);
    }
  }
  return std::nullopt;
}

std::uint64_t VerifierStatistics::Rejected(Rejection reason) const noexcept {
  const auto i = static_cast<std::size_t>(reason);
  std::uint64_t sum = rejected_unsigned[i];
  for (const std::uint64_t count : rejected[i]) sum += count;
  return sum;
}

Result<UnverifiedToken> UnverifiedToken::Read(std::string_view token) {
  const auto parts = SplitCompact(token);
  if (!parts) return Refused(Rejection::kNotCompact);
  std::string header;
  std::string payload;
  std::string signature;
  if (!DecodePart(parts->header, header) || !DecodePart(parts->payload, payload) ||
      !DecodePart(parts->signature, signature)) {
    return Refused(Rejection::kBadBase64);
  }
  auto header_claims = Claims::Parse(header);
  if (!header_claims) return Refused(Rejection::kBadHeader);
  auto claims = Claims::Parse(payload);
  if (!claims) return Refused(Rejection::kBadPayload);
  return UnverifiedToken(*std::move(header_claims), *std::move(claims));
}

class Verifier::Impl {
 public:
  Impl(KeySource source, Runtime* runtime, Algorithm algorithm)
      : source_(std::move(source)), runtime_(runtime), algorithm_(algorithm) {}

  Policy policy;
  std::size_t most_bytes = kDefaultMostBytes;
  bool accepts_weak_keys = false;
  std::shared_ptr<Clock> clock = Clock::System();

  Status Check() const {
    auto keys = source_.Take();
    if (!keys) return std::move(keys).error();
    return CheckKeys(*keys, algorithm_, accepts_weak_keys);
  }

  Result<VerifiedToken> Verify(std::string_view token) const {
    auto tried = Try(token);
    if (!tried) return std::move(tried).error();
    if (tried->may_have_newer_key && GetNewerKeys(tried->snapshot)) {
      tried = Try(token);
      if (!tried) return std::move(tried).error();
    }
    Counters& counters = counters_[core::PoolPlaceOfThisThread() % counters_.size()];
    const auto role = static_cast<std::size_t>(tried->role.value_or(KeyRole::kCurrent));
    if (!tried->rejection) {
      Count(counters.accepted[role]);
      return VerifiedToken(Claims(std::move(tried->claims)), *tried->role);
    }
    const auto reason = static_cast<std::size_t>(*tried->rejection);
    Count(tried->role ? counters.rejected[reason][role] : counters.rejected_unsigned[reason]);
    return Refused(*tried->rejection);
  }

  VerifierStatistics statistics() const noexcept {
    VerifierStatistics sum;
    for (const Counters& counters : counters_) {
      for (std::size_t role = 0; role < kRoles; ++role) {
        sum.accepted[role] += counters.accepted[role];
      }
      for (std::size_t reason = 0; reason < kRejections; ++reason) {
        sum.rejected_unsigned[reason] += counters.rejected_unsigned[reason];
        for (std::size_t role = 0; role < kRoles; ++role) {
          sum.rejected[reason][role] += counters.rejected[reason][role];
        }
      }
    }
    sum.refreshes = refreshes_;
    return sum;
  }

 private:
  // What one thread verifies with.
  struct Desk {
    KeyRing ring;
    std::string header_part = {};  // of the latest token whose header was in order
    std::string header_json = {};
    JsonObject header_object = {};
    Header header = {};
    std::string payload = {};
    std::string signature = {};
  };

  struct Tried {
    std::optional<Rejection> rejection = {};
    std::optional<KeyRole> role = {};           // of the key that signed it
    std::unique_ptr<Claims::Impl> claims = {};  // where it is not rejected
    const void* snapshot = nullptr;             // that the keys were from
    bool may_have_newer_key = false;            // one that is not known here may have signed it
  };

  static Tried Reject(Rejection reason) { return {.rejection = reason}; }

  Result<Tried> Try(std::string_view token) const {
    if (token.size() > most_bytes) return Reject(Rejection::kTooLarge);
    const auto parts = SplitCompact(token);
    if (!parts) return Reject(Rejection::kNotCompact);
    auto loan = desks_.Borrow();
    if (!loan) return std::move(loan).error();
    Desk& desk = **loan;
    if (const auto reason = ReadHeader(desk, parts->header)) return Reject(*reason);
    if (!DecodePart(parts->payload, desk.payload) ||
        !DecodePart(parts->signature, desk.signature)) {
      return Reject(Rejection::kBadBase64);
    }
    // Only now, as that may wait for the backend.
    if (auto updated = desk.ring.Update(accepts_weak_keys); !updated) {
      return std::move(updated).error();
    }
    Tried tried = FindSigner(desk, parts->signed_text);
    if (tried.rejection) return tried;
    tried.rejection = ReadClaims(desk.payload, desk.header, tried.claims);
    return tried;
  }

  // Whether there may be other keys than those of `snapshot`.
  bool GetNewerKeys(const void* snapshot) const {
    if (runtime_ == nullptr) return false;
    const Status refreshed = runtime_->RefreshSparingly(kPatience, kPause);
    if (refreshed) {
      Count(refreshes_);
      return true;
    }
    if (refreshed.error().code() == ErrorCode::kUsage) return false;  // every read fetches
    // Somebody else's may have brought some meanwhile.
    auto loan = desks_.Borrow();
    return loan && (*loan)->ring.Update(accepts_weak_keys) && (*loan)->ring.snapshot() != snapshot;
  }

  // Most tokens of a service have one and the same header.
  std::optional<Rejection> ReadHeader(Desk& desk, std::string_view part) const {
    if (part == desk.header_part) return std::nullopt;
    desk.header_part.clear();
    if (!DecodePart(part, desk.header_json)) return Rejection::kBadBase64;
    if (!desk.header_object.Read(desk.header_json)) return Rejection::kBadHeader;
    if (const auto reason = CheckHeader(desk.header_object, algorithm_, desk.header)) return reason;
    desk.header_part = part;
    return std::nullopt;
  }

  static Tried FindSigner(Desk& desk, std::string_view signed_text) {
    const std::optional<std::string_view> key_id = desk.header.key_id;
    if (desk.signature.size() != HashBytes(desk.ring.algorithm())) {
      return Reject(Rejection::kBadSignature);
    }
    std::span<RingKey> keys = desk.ring.keys();
    const auto named = key_id ? std::ranges::find(keys, *key_id, &RingKey::id) : keys.end();
    const bool is_named = named != keys.end();
    if (is_named) keys = {named, 1};
    for (RingKey& key : keys) {
      if (key.mac.Of(signed_text).Is(desk.signature)) return {.role = key.role};
    }
    return {.rejection = key_id && !is_named ? Rejection::kUnknownKey : Rejection::kBadSignature,
            .snapshot = desk.ring.snapshot(),
            .may_have_newer_key = !is_named};
  }

  std::optional<Rejection> ReadClaims(std::string_view payload, const Header& header,
                                      std::unique_ptr<Claims::Impl>& claims) const {
    if (!policy.AcceptsType(header.type)) return Rejection::kWrongType;
    claims = std::make_unique<Claims::Impl>();
    claims->json = payload;
    if (!claims->object.Read(claims->json)) return Rejection::kBadPayload;
    const auto now = std::chrono::floor<std::chrono::seconds>(clock->SystemNow());
    return policy.Judge(claims->object, now.time_since_epoch().count());
  }

  const KeySource source_;
  Runtime* const runtime_;  // null where the keys are given
  const Algorithm algorithm_;
  core::LoanPool<Desk> desks_{[this]() -> Result<std::unique_ptr<Desk>> {
    return std::make_unique<Desk>(Desk{.ring = KeyRing(source_, algorithm_)});
  }};
  mutable std::array<Counters, 16> counters_;
  mutable std::atomic<std::uint64_t> refreshes_ = 0;
};

Verifier::Verifier(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Verifier::Verifier(Verifier&&) noexcept = default;
Verifier& Verifier::operator=(Verifier&&) noexcept = default;
Verifier::~Verifier() = default;

Verifier Verifier::For(Runtime& runtime, Algorithm algorithm) {
  return Verifier(std::make_unique<Impl>(KeySource{.runtime = &runtime}, &runtime, algorithm));
}

Verifier Verifier::With(Keys keys, Algorithm algorithm) {
  return Verifier(std::make_unique<Impl>(KeySource{.given = std::move(keys)}, nullptr, algorithm));
}

Verifier Verifier::RequireIssuer(std::string issuer) && {
  impl_->policy.issuer = std::move(issuer);
  return std::move(*this);
}

Verifier Verifier::RequireAudience(std::string audience) && {
  impl_->policy.audience = std::move(audience);
  return std::move(*this);
}

Verifier Verifier::RequireSubject(std::string subject) && {
  impl_->policy.subject = std::move(subject);
  return std::move(*this);
}

Verifier Verifier::RequireType(std::string type) && {
  impl_->policy.type = std::move(type);
  return std::move(*this);
}

Verifier Verifier::Leeway(std::chrono::seconds leeway) && {
  impl_->policy.leeway = std::clamp(leeway, std::chrono::seconds(0), kLastDate);
  return std::move(*this);
}

Verifier Verifier::AcceptLifetimesUpTo(std::chrono::seconds longest) && {
  impl_->policy.longest_life = std::clamp(longest, std::chrono::seconds(0), kLastDate);
  return std::move(*this);
}

Verifier Verifier::AcceptTokensUpTo(std::size_t bytes) && {
  impl_->most_bytes = bytes;
  return std::move(*this);
}

Verifier Verifier::UseClock(std::shared_ptr<Clock> clock) && {
  impl_->clock = clock ? std::move(clock) : Clock::System();
  return std::move(*this);
}

Verifier Verifier::AcceptMissingExpiry() && {
  impl_->policy.accepts_missing_expiry = true;
  return std::move(*this);
}

Verifier Verifier::AcceptAnyAudience() && {
  impl_->policy.accepts_any_audience = true;
  return std::move(*this);
}

Verifier Verifier::AcceptAnyType() && {
  impl_->policy.accepts_any_type = true;
  return std::move(*this);
}

Verifier Verifier::AcceptWeakKeys() && {
  impl_->accepts_weak_keys = true;
  return std::move(*this);
}

Status Verifier::Check() const { return impl_->Check(); }

Result<VerifiedToken> Verifier::Verify(std::string_view token) const {
  return impl_->Verify(token);
}

VerifierStatistics Verifier::statistics() const noexcept { return impl_->statistics(); }

}  // namespace qarion::secrets::jwt
