// Fernet tokens (https://github.com/fernet/spec/blob/master/Spec.md), made and opened with keyed
// contexts of OpenSSL's that are set up once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "qarion/secrets/fernet.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::crypto {

// Why a token is refused. For counts and for the owner of the data, not for whoever sent the token.
enum class FernetFault {
  kNone,
  kBase64,     // not canonical URL-safe base64 (or, read leniently, no base64 at all)
  kLength,     // too short, or its ciphertext is not a multiple of 128 bits
  kVersion,    // does not begin with 0x80
  kSignature,  // signed with none of the keys
  kPadding,    // signed, but its plaintext is not padded: never made by an encryptor
  kExpired,    // older than the TTL
  kFuture,     // dated too far ahead
  kInternal,   // OpenSSL fails
};

// "signed with none of the keys"
std::string_view ToString(FernetFault fault) noexcept;

enum class FernetReading { kStrict, kLenient };

struct OpenedFernet {
  SecretBuffer plaintext;
  std::uint64_t timestamp = 0;  // seconds since 1970
  std::size_t key = 0;
  bool was_lenient = false;
};

// Thread-safety: one thread at a time. Nothing is allocated per token, once buffers have grown.
class FernetRing {
 public:
  // The first key encrypts. kInternal: OpenSSL lacks what is needed.
  static Result<FernetRing> Create(std::span<const FernetKey> keys);
  FernetRing(FernetRing&&) noexcept;
  FernetRing& operator=(FernetRing&&) noexcept;
  ~FernetRing();

  // Tries the keys in order; replaces what `opened` holds. Times are not looked at.
  FernetFault Open(std::string_view token, FernetReading reading, OpenedFernet& opened);

  // Appends a token to `token`. kInternal: no random bytes, or OpenSSL fails.
  Status Seal(std::string_view plaintext, std::uint64_t timestamp, std::string& token);

 private:
  class Impl;
  explicit FernetRing(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace qarion::secrets::crypto
