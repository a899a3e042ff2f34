// Fernet: values encrypted and authenticated under a key of 256 bits
// (https://github.com/fernet/spec/blob/master/Spec.md), with several keys during a rotation.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qarion/secrets/export.h>
#include <qarion/secrets/result.h>
#include <qarion/secrets/secret.h>

namespace qarion::secrets {

// A key: 128 bits that sign and 128 bits that encrypt. Held in the memory that a Secret has.
//
// Thread-safety: const members from several threads.
class QARION_SECRETS_EXPORT FernetKey {
 public:
  // From OpenSSL's generator for private keys. kInternal: it gives nothing.
  static Result<FernetKey> Generate();

  // Reads 44 characters of URL-safe base64 in canonical form ("key = base64url(Signing-key ||
  // Encryption-key)"), with nothing around them. `name` begins the errors: the setting or the file.
  // kConfiguration: another length or alphabet, bits that belong to no byte, white space. Whether
  // anybody should encrypt with it is RefuseUnfitKey's matter.
  static Result<FernetKey> Parse(std::string_view text, const std::string& name);

  // The same 44 characters.
  Secret Encode() const;

  // What names the key in reports: the first 16 hexadecimal digits of SHA-256 over
  // "qarion-secrets fernet key" and the 32 bytes. Nobody finds the key from it.
  const std::string& fingerprint() const noexcept { return fingerprint_; }

  // Whether both halves, or one of them, are the same. Takes the same time wherever they differ.
  bool ConstantTimeEquals(const FernetKey& other) const noexcept;
  bool SharesHalfWith(const FernetKey& other) const noexcept;

  FernetKey Share() const;

  // The 32 bytes: the signing half, then the encrypting one.
  std::string_view Reveal() const noexcept { return bytes_.Reveal(); }

 private:
  static Result<FernetKey> FromBytes(Secret bytes);
  FernetKey(Secret bytes, std::string fingerprint) noexcept
      : bytes_(std::move(bytes)), fingerprint_(std::move(fingerprint)) {}

  Secret bytes_;
  std::string fingerprint_;
};

// Refuses a key that protects nothing, which everything that encrypts should ask first.
// kConfiguration: all of its bytes are the same, or a standard or a tutorial prints it. `name`
// begins the error, as with FernetKey::Parse.
QARION_SECRETS_EXPORT Status RefuseUnfitKey(const FernetKey& key, const std::string& name);

struct FernetDecryptOptions {
  // Longest age accepted. With it, a token that is dated more than 60 s ahead is refused too.
  std::optional<std::chrono::seconds> ttl = {};
  // The machine's clock where not set.
  std::optional<std::chrono::system_clock::time_point> now = {};
  // Also reads base64 as older libraries wrote or altered it: the standard alphabet, white space
  // and line breaks, padding that is missing or too long, unused bits that are set.
  // For values that are there already; each is counted where the caller counts.
  bool is_lenient = false;
};

// What a token held.
struct FernetMessage {
  Secret plaintext;
  // As the token says, in whole seconds; the last of the clock where it says a later one.
  std::chrono::system_clock::time_point encrypted_at;
  std::size_t key = 0;       // which of the keys opened it
  bool was_lenient = false;  // it opened only because is_lenient was set
};

// Encrypts with the first of its keys, decrypts with any of them.
//
// Thread-safety: const members from several threads. Lifetime: owns handles to its keys.
class QARION_SECRETS_EXPORT Fernet {
 public:
  // kUsage: no key, or one that is there twice. kInternal: OpenSSL has no AES-128-CBC or no
  // SHA-256.
  static Result<Fernet> Create(std::vector<FernetKey> keys);
  static Result<Fernet> Create(FernetKey key);

  Fernet(Fernet&&) noexcept;
  Fernet& operator=(Fernet&&) noexcept;
  ~Fernet();

  // kInternal: OpenSSL gives no random bytes. kUsage: a time before 1970; more than 1 GiB.
  Result<std::string> Encrypt(std::string_view plaintext) const;
  Result<std::string> EncryptAt(std::string_view plaintext,
                                std::chrono::system_clock::time_point time) const;

  // kBadData, with one and the same reason whatever is wrong: a token that tells why it is refused
  // helps those who forge them.
  Result<FernetMessage> Decrypt(std::string_view token,
                                const FernetDecryptOptions& options = {}) const;

  // When it was encrypted; the signature is verified. kBadData: as Decrypt.
  Result<std::chrono::system_clock::time_point> ExtractTimestamp(std::string_view token) const;

  // The same plaintext and time under the first key, with another IV; as MultiFernet.rotate of
  // Python's `cryptography`. kBadData: as Decrypt.
  Result<std::string> Rotate(std::string_view token) const;

 private:
  class Impl;
  explicit Fernet(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace qarion::secrets
