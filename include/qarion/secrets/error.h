// What went wrong, said so that a program can branch on it and a person can mend it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qarion/secrets/export.h>

namespace qarion::secrets {

// Coarse and stable: programs branch on these, so a value never changes its meaning. The finer
// reason is in the text, which is for people and may change.
enum class ErrorCode {
  kUsage,          // the caller asked for something that does not exist, such as an unknown field
  kBadData,        // the store or a file holds something that cannot be read as it should be
  kNotSet,         // a managed field has no value in the active backend
  kUnavailable,    // the backend cannot be reached or fails; transient
  kTryAgain,       // the backend asks for patience (throttling, leader election); transient
  kNotPermitted,   // the backend refuses this identity
  kConfiguration,  // a setting is missing, malformed or contradicts another one
  kIo,             // a local file or stream cannot be read or written
  kInternal,       // a defect of this library
};

// An expected failure. Names, paths and numbers only: no function of this library ever puts a
// secret value into an Error, and providers must not either.
//
// Thread-safety: as a std::string. Lifetime: owns its text.
class [[nodiscard]] QARION_SECRETS_EXPORT Error {
 public:
  // `reason`: one sentence without a full stop that names the setting, field or file at fault.
  Error(ErrorCode code, std::string reason) : code_(code), reason_(std::move(reason)) {}

  // Adds a machine-readable detail, such as ("file", "/etc/app/.env").
  Error&& With(std::string key, std::string value) && {
    context_.emplace_back(std::move(key), std::move(value));
    return std::move(*this);
  }

  // Says how to mend it, as an instruction: "set VAULT_ADDR to the server's URL".
  Error&& Cure(std::string cure) && {
    cure_ = std::move(cure);
    return std::move(*this);
  }

  // Says of a transient error that the store does not want the same asked again at once: a first
  // fetch ends with it, later ones are tried as after any other.
  Error&& NotToBeRepeated() && {
    is_repeatable_ = false;
    return std::move(*this);
  }

  ErrorCode code() const noexcept { return code_; }
  const std::string& reason() const noexcept { return reason_; }
  const std::string& cure() const noexcept { return cure_; }
  const std::vector<std::pair<std::string, std::string>>& context() const noexcept {
    return context_;
  }

  // True where the same call may succeed later with nothing changed by the operator.
  bool IsTransient() const noexcept {
    return code_ == ErrorCode::kUnavailable || code_ == ErrorCode::kTryAgain;
  }

  // The same where it is worth asking again within seconds.
  bool IsWorthRepeating() const noexcept { return IsTransient() && is_repeatable_; }

 private:
  ErrorCode code_;
  bool is_repeatable_ = true;
  std::string reason_;
  std::string cure_;
  std::vector<std::pair<std::string, std::string>> context_;
};

// The code's stable spelling in JSON and logs: "not_set", "unavailable", ...
QARION_SECRETS_EXPORT std::string_view ToString(ErrorCode code) noexcept;

// The exit status of a program that ends because of this error (sysexits.h): 64 usage, 65 bad data,
// 69 unavailable, 70 internal, 74 I/O, 75 try again, 77 not permitted, 78 configuration or not set.
QARION_SECRETS_EXPORT int ExitStatus(ErrorCode code) noexcept;

// Writes reason and cure to standard error, without control characters and prefixed with the
// program's name, and returns ExitStatus(error.code()). Meant as `return Report(result.error());`
// in main.
QARION_SECRETS_EXPORT int Report(const Error& error);

}  // namespace qarion::secrets
