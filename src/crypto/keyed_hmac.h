// HMAC (RFC 2104) with the hashes of SHA-2, of many messages under one key.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace qarion::secrets::crypto {

enum class Sha2 : std::size_t { k256 = 32, k384 = 48, k512 = 64 };  // bytes of the hash

// The key is hashed once, not with each message: for a short one that is half of the work. What
// became of it, which is as good as the key, lies in secret memory alone, where OpenSSL's own
// contexts of this kind would lie in the heap.
//
// Thread-safety: one thread at a time.
template <Sha2 kHash>
class KeyedHmacOf {
 public:
  using Digest = std::array<std::uint8_t, static_cast<std::size_t>(kHash)>;

  explicit KeyedHmacOf(std::string_view key);
  KeyedHmacOf(KeyedHmacOf&&) noexcept;
  KeyedHmacOf& operator=(KeyedHmacOf&&) noexcept;
  ~KeyedHmacOf();

  // Allocates nothing.
  Digest Of(std::string_view message) noexcept;

 private:
  struct States;
  struct Release {
    void operator()(States* states) const noexcept;
  };
  std::unique_ptr<States, Release> states_;
};

extern template class KeyedHmacOf<Sha2::k256>;
extern template class KeyedHmacOf<Sha2::k384>;
extern template class KeyedHmacOf<Sha2::k512>;

using KeyedHmac = KeyedHmacOf<Sha2::k256>;

}  // namespace qarion::secrets::crypto
