// Encrypted fields of a service's database, under the key that its backend holds now.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <qarion/secrets/export.h>
#include <qarion/secrets/fernet.h>
#include <qarion/secrets/result.h>
#include <qarion/secrets/runtime.h>

namespace qarion::secrets {

// How often each key was needed. When `previous` no longer grows, INSTANCE_ENCRYPTION_KEY_PREVIOUS
// may go.
struct FieldCipherStatistics {
  std::uint64_t encrypted = 0;
  std::uint64_t opened_by_current = 0;
  std::uint64_t opened_by_previous = 0;
  std::uint64_t lenient = 0;  // among those opened
  std::uint64_t refused = 0;
};

// Fernet under INSTANCE_ENCRYPTION_KEY, which encrypts, and INSTANCE_ENCRYPTION_KEY_PREVIOUS, which
// only decrypts and may be absent. Keys are taken from the runtime's snapshot at each call: a
// rotated key counts from the refresh that brought it.
//
// Thread-safety: all members from several threads. Lifetime: must not outlive the Runtime, which
// must stay where it is.
class QARION_SECRETS_EXPORT FieldCipher {
 public:
  // kNotSet: no INSTANCE_ENCRYPTION_KEY. kConfiguration: a key that cannot be one; a current one
  // that RefuseUnfitKey refuses; both are the same. Else the backend's error.
  static Result<FieldCipher> For(const Runtime& runtime);

  FieldCipher(FieldCipher&&) noexcept;
  FieldCipher& operator=(FieldCipher&&) noexcept;
  ~FieldCipher();

  // As Fernet's; and the errors of For(), where the keys have become unusable since.
  Result<std::string> Encrypt(std::string_view plaintext) const;
  Result<FernetMessage> Decrypt(std::string_view token,
                                const FernetDecryptOptions& options = {}) const;

  FieldCipherStatistics statistics() const noexcept;

 private:
  class Impl;
  explicit FieldCipher(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace qarion::secrets
