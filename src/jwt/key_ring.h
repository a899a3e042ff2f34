// The keys of a ring with all that is calculated from them once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "crypto/keyed_hmac.h"
#include "qarion/secrets/jwt_keys.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/runtime.h"

namespace qarion::secrets::jwt {

inline constexpr std::size_t kMostHashBytes = 64;

// Bytes of the hash, and the fewest of a key.
std::size_t HashBytes(Algorithm algorithm) noexcept;

// The managed field of a key.
const char* FieldOf(KeyRole role) noexcept;

// HMAC with the hash of an algorithm.
//
// Thread-safety: one thread at a time.
class Mac {
 public:
  // As good as the key for one message: wiped where it goes.
  struct Code {
    std::array<std::uint8_t, kMostHashBytes> bytes;
    std::size_t size;

    ~Code();
    std::string_view text() const noexcept {
      return {reinterpret_cast<const char*>(bytes.data()), size};
    }
    // Takes the same time wherever they differ.
    bool Is(std::string_view other) const noexcept;
  };

  Mac(Algorithm algorithm, std::string_view key) : hmac_(Make(algorithm, key)) {}

  // Allocates nothing.
  Code Of(std::string_view message) noexcept;

 private:
  using Hmac =
      std::variant<crypto::KeyedHmacOf<crypto::Sha2::k256>, crypto::KeyedHmacOf<crypto::Sha2::k384>,
                   crypto::KeyedHmacOf<crypto::Sha2::k512>>;
  static Hmac Make(Algorithm algorithm, std::string_view key);

  Hmac hmac_;
};

struct RingKey {
  KeyRole role;
  std::string id;
  Mac mac;
};

// What a snapshot has of them.
Keys KeysOf(const Snapshot& snapshot);

// Further handles to the same keys.
Keys Share(const Keys& keys);

// Where keys come from: a runtime, or the caller.
struct KeySource {
  const Runtime* runtime = nullptr;
  Keys given = {};

  // As they are now. The error of the runtime where it gives no snapshot.
  Result<Keys> Take() const;
};

// What is wrong with a ring as a whole; see Verifier::Check.
Status CheckKeys(const Keys& keys, Algorithm algorithm, bool accepts_weak);

// The ring of one thread, which follows its source.
//
// Thread-safety: one thread at a time. Lifetime: as the source, which must stay where it is.
class KeyRing {
 public:
  KeyRing(const KeySource& source, Algorithm algorithm);

  // Takes the keys that there are now. The source's error; where no key can be used, why.
  Status Update(bool accepts_weak);

  // Those that may be used, the current one first; at least one after Update() succeeded.
  std::span<RingKey> keys() noexcept { return keys_; }
  // Why the current one is not among them; null where it is.
  const Error* current_problem() const noexcept;
  Algorithm algorithm() const noexcept { return algorithm_; }
  // That the keys are from; null where they are given. For comparing alone.
  const void* snapshot() const noexcept { return seen_; }
  // Another number after each change.
  std::uint64_t generation() const noexcept { return generation_; }

 private:
  void Take(Keys keys, bool accepts_weak);

  const KeySource& source_;
  const Algorithm algorithm_;
  std::optional<Reader> reader_;
  const Snapshot* seen_ = nullptr;
  Keys held_;
  std::vector<RingKey> keys_;
  std::optional<Error> problem_;  // the first, that with the current key before others
  std::uint64_t generation_ = 0;
};

}  // namespace qarion::secrets::jwt
