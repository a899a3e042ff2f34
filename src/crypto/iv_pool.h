// Initialisation vectors for AES in CBC mode, which must be unpredictable (NIST SP 800-38A, 5.3).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace qarion::secrets::crypto {

inline constexpr std::size_t kIvBytes = 16;

// Has OpenSSL make many of them at once: one alone takes longer than to encrypt a short value. None
// is given out twice, in a forked child neither: what its parent had in store is dropped there.
//
// Thread-safety: one thread at a time. 4 KiB.
class IvPool {
 public:
  IvPool() noexcept;
  IvPool(const IvPool&) = delete;
  IvPool& operator=(const IvPool&) = delete;
  ~IvPool();

  // Writes kIvBytes. False: OpenSSL gives no random bytes.
  bool Take(std::uint8_t* iv) noexcept;

 private:
  std::array<std::uint8_t, 256 * kIvBytes> bytes_;
  std::size_t left_ = 0;
  unsigned process_ = 0;  // whose they are; differs between a process and its children
};

}  // namespace qarion::secrets::crypto
