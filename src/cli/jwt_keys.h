// The keys that `qsecrets jwt` works with.
#pragma once

#include <CLI/CLI.hpp>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "qarion/secrets/jwt_keys.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::cli {

// Adds `--algorithm HS256|HS384|HS512`.
void AddAlgorithmOption(CLI::App& app, jwt::Algorithm& algorithm);

// Adds `--key-file FILE`.
CLI::Option* AddJwtKeyFileOption(CLI::App& app, std::string& file);

// Which keys verify.
struct RingOptions {
  // Empty: the backend's keys, all three.
  std::string current_file;
  std::string previous_file;
  std::string next_file;
  jwt::Algorithm algorithm = jwt::Algorithm::kHs256;
  bool allows_weak_keys = false;
};

// Adds `--key-file`, `--previous-key-file`, `--next-key-file`, `--algorithm` and
// `--allow-weak-key`.
void AddRingOptions(CLI::App& app, RingOptions& options);

// The key of the file, else the backend's SECRET_KEY.
// kNotSet: the backend has none. kConfiguration: jwt::RefuseWeakKey refuses it, or the file has no
// key. Else the errors of reading files, or of the backend.
Result<Secret> ReadSigningKey(const std::string& file, jwt::Algorithm algorithm);

// As ReadSigningKey, of each key there is; also kConfiguration: two are the same. Weak keys that
// are allowed are warned of on standard error.
Result<jwt::Keys> ReadRing(const RingOptions& options);

inline constexpr std::array kRoles = {jwt::KeyRole::kCurrent, jwt::KeyRole::kPrevious,
                                      jwt::KeyRole::kNext};

// What names the keys of a ring; empty: there is none.
class KeyIds {
 public:
  explicit KeyIds(const jwt::Keys& keys);

  const std::string& Of(jwt::KeyRole role) const { return ids_[static_cast<std::size_t>(role)]; }
  // Whose `kid` it is.
  std::optional<jwt::KeyRole> Find(std::string_view kid) const;

 private:
  std::array<std::string, kRoles.size()> ids_;
};

// Says on standard error which key had signed a token that is valid.
void SayVerified(jwt::KeyRole role, const KeyIds& ids);

// Whether the name of a file has the shape of a key that jwt::GenerateKey makes.
bool LooksLikeKey(const std::string& path);

// What is read of standard input for a token, many times of what a verifier accepts.
inline constexpr std::size_t kMostJwtBytes = std::size_t{1} << 20;

}  // namespace qarion::secrets::cli
