#include "jwt/key_ring.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <utility>

#include "core/secret_memory.h"

namespace qarion::secrets::jwt {
namespace {

Secret Shared(const Snapshot& snapshot, KeyRole role) {
  const Secret* const found = snapshot.Find(FieldOf(role));
  return found != nullptr ? found->Share() : Secret();
}

bool AreSame(const Keys& a, const Keys& b) {
  return a.current.ConstantTimeEquals(b.current) && a.previous.ConstantTimeEquals(b.previous) &&
         a.next.ConstantTimeEquals(b.next);
}

Error NotSet() {
  return Error(ErrorCode::kNotSet, std::string(FieldOf(KeyRole::kCurrent)) + " is not set")
      .With("field", FieldOf(KeyRole::kCurrent))
      .Cure("generate a key (qsecrets jwt keygen) and add it to the secret of the backend");
}

Status Refuse(const Secret& key, KeyRole role, Algorithm algorithm, bool accepts_weak) {
  if (accepts_weak) return {};
  return RefuseWeakKey(key, algorithm, FieldOf(role));
}

}  // namespace

Keys KeysOf(const Snapshot& snapshot) {
  return {.current = Shared(snapshot, KeyRole::kCurrent),
          .previous = Shared(snapshot, KeyRole::kPrevious),
          .next = Shared(snapshot, KeyRole::kNext)};
}

Keys Share(const Keys& keys) {
  return {.current = keys.current.Share(),
          .previous = keys.previous.Share(),
          .next = keys.next.Share()};
}

std::size_t HashBytes(Algorithm algorithm) noexcept {
  switch (algorithm) {
    case Algorithm::kHs256: return static_cast<std::size_t>(crypto::Sha2::k256);
    case Algorithm::kHs384: return static_cast<std::size_t>(crypto::Sha2::k384);
    case Algorithm::kHs512: break;
  }
  return static_cast<std::size_t>(crypto::Sha2::k512);
}

const char* FieldOf(KeyRole role) noexcept {
  switch (role) {
    case KeyRole::kCurrent: return "SECRET_KEY";
    case KeyRole::kPrevious: return "SECRET_KEY_PREVIOUS";
    case KeyRole::kNext: break;
  }
  return "SECRET_KEY_NEXT";
}

Mac::Hmac Mac::Make(Algorithm algorithm, std::string_view key) {
  switch (algorithm) {
    case Algorithm::kHs256: return crypto::KeyedHmacOf<crypto::Sha2::k256>(key);
    case Algorithm::kHs384: return crypto::KeyedHmacOf<crypto::Sha2::k384>(key);
    case Algorithm::kHs512: break;
  }
  return crypto::KeyedHmacOf<crypto::Sha2::k512>(key);
}

Mac::Code::~Code() { core::Wipe(bytes.data(), bytes.size()); }

bool Mac::Code::Is(std::string_view other) const noexcept {
  return other.size() == size && CRYPTO_memcmp(bytes.data(), other.data(), size) == 0;
}

Mac::Code Mac::Of(std::string_view message) noexcept {
  return std::visit(
      [&](auto& hmac) {
        const auto digest = hmac.Of(message);
        Code code;
        std::ranges::copy(digest, code.bytes.begin());
        code.size = digest.size();
        return code;
      },
      hmac_);
}

Result<Keys> KeySource::Take() const {
  if (runtime == nullptr) return Share(given);
  auto snapshot = runtime->TakeSnapshot();
  if (!snapshot) return std::move(snapshot).error();
  return KeysOf(**snapshot);
}

Status CheckKeys(const Keys& keys, Algorithm algorithm, bool accepts_weak) {
  if (keys.current.empty()) return NotSet();
  const std::array<std::pair<KeyRole, const Secret*>, 3> all = {
      {{KeyRole::kCurrent, &keys.current},
       {KeyRole::kPrevious, &keys.previous},
       {KeyRole::kNext, &keys.next}}};
  for (auto key = all.begin(); key != all.end(); ++key) {
    if (key->second->empty()) continue;
    if (auto fit = Refuse(*key->second, key->first, algorithm, accepts_weak); !fit) return fit;
    for (auto earlier = all.begin(); earlier != key; ++earlier) {
      if (!earlier->second->ConstantTimeEquals(*key->second)) continue;
      return Error(ErrorCode::kConfiguration,
                   std::string(FieldOf(key->first)) + " is the same as " + FieldOf(earlier->first))
          .With("field", FieldOf(key->first))
          .Cure("see `qsecrets jwt rotation` for what belongs there now");
    }
  }
  return {};
}

KeyRing::KeyRing(const KeySource& source, Algorithm algorithm)
    : source_(source), algorithm_(algorithm) {
  if (source.runtime != nullptr) reader_ = source.runtime->NewReader();
}

Status KeyRing::Update(bool accepts_weak) {
  if (!reader_) {
    if (generation_ == 0) Take(Share(source_.given), accepts_weak);
  } else {
    auto latest = reader_->Latest();
    if (!latest) return std::move(latest).error();
    if (*latest != seen_) {
      // Most refreshes bring the same keys again.
      if (Keys keys = KeysOf(**latest); generation_ == 0 || !AreSame(keys, held_)) {
        Take(std::move(keys), accepts_weak);
      }
      seen_ = *latest;
    }
  }
  if (keys_.empty()) return *problem_;
  return {};
}

// A key that will not do is left out: the others go on serving.
void KeyRing::Take(Keys keys, bool accepts_weak) {
  std::vector<RingKey> fit_keys;
  std::optional<Error> problem;
  if (keys.current.empty()) problem = NotSet();
  const auto add = [&](KeyRole role, const Secret& key) {
    if (key.empty()) return;
    if (auto fit = Refuse(key, role, algorithm_, accepts_weak); !fit) {
      if (!problem) problem = std::move(fit).error();
      return;
    }
    std::string id = KeyId(key);
    const bool is_there = std::ranges::find(fit_keys, id, &RingKey::id) != fit_keys.end();
    if (!is_there) fit_keys.push_back({role, std::move(id), Mac(algorithm_, key.Reveal())});
  };
  add(KeyRole::kCurrent, keys.current);
  add(KeyRole::kPrevious, keys.previous);
  add(KeyRole::kNext, keys.next);
  // Nothing was changed so far, where memory ran out.
  held_ = std::move(keys);
  keys_ = std::move(fit_keys);
  problem_ = std::move(problem);
  ++generation_;
}

const Error* KeyRing::current_problem() const noexcept {
  const bool has_current = !keys_.empty() && keys_.front().role == KeyRole::kCurrent;
  return has_current ? nullptr : &*problem_;
}

}  // namespace qarion::secrets::jwt
