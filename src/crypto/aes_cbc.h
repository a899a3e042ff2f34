// AES-128 in CBC mode (NIST SP 800-38A, 6.2), by OpenSSL.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "qarion/secrets/result.h"

namespace qarion::secrets::crypto {

inline constexpr std::size_t kAes128KeyBytes = 16;
inline constexpr std::size_t kAesBlockBytes = 16;
using AesBlock = std::array<std::uint8_t, kAesBlockBytes>;

// One direction under one key, for many messages. The key is expanded once: what it becomes, which
// is as good as the key, OpenSSL keeps in its own memory and wipes when this goes.
//
// Thread-safety: one thread at a time. Nothing is allocated per message.
class AesCbc {
 public:
  enum class Direction { kEncrypt, kDecrypt };

  // `key` has kAes128KeyBytes. kInternal: OpenSSL has no AES-128-CBC.
  static Result<AesCbc> Create(Direction direction, std::string_view key);
  AesCbc(AesCbc&&) noexcept;
  AesCbc& operator=(AesCbc&&) noexcept;
  ~AesCbc();

  // Begins a message, whatever became of the one before.
  void Begin(const AesBlock& iv) noexcept;

  // The next blocks of the message: whole ones, at least one, at most 1 GiB; `out` has as much
  // room and is elsewhere. Encrypt() may change `blocks`. False: OpenSSL fails.
  bool Encrypt(std::span<std::uint8_t> blocks, std::uint8_t* out) noexcept;
  bool Decrypt(std::span<const std::uint8_t> blocks, std::uint8_t* out) noexcept;

 private:
  struct State;
  explicit AesCbc(std::unique_ptr<State> state) noexcept;
  bool Update(std::span<const std::uint8_t> blocks, std::uint8_t* out) noexcept;

  std::unique_ptr<State> state_;
};

}  // namespace qarion::secrets::crypto
