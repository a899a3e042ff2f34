#include "cli/jwt_keys.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/rotation_keys.h"
#include "core/files.h"
#include "core/new_file.h"
#include "core/printable.h"
#include "jwt/key_ring.h"

namespace qarion::secrets::cli {
namespace {

constexpr char kKeyFile[] = "--key-file";
constexpr char kPreviousKeyFile[] = "--previous-key-file";
constexpr char kNextKeyFile[] = "--next-key-file";
constexpr char kAllowWeakKey[] = "--allow-weak-key";

std::optional<jwt::Algorithm> AlgorithmOf(std::string_view name) {
  for (const auto algorithm :
       {jwt::Algorithm::kHs256, jwt::Algorithm::kHs384, jwt::Algorithm::kHs512}) {
    if (ToString(algorithm) == name) return algorithm;
  }
  return std::nullopt;
}

// A key with where it is from: "SECRET_KEY", "--key-file 'old.key'".
struct NamedSecret {
  std::string name;
  Secret key;  // empty: there is none
};

// A key may be any text, so a long one that is no path to anything is not shown.
bool MayBeKey(const std::string& path) {
  constexpr std::size_t kFewestBytes = 32;
  return LooksLikeKey(path) || (path.size() >= kFewestBytes && !path.starts_with('/') &&
                                !path.starts_with('.') && access(path.c_str(), F_OK) != 0);
}

bool IsWhiteSpace(char c) { return std::string_view(" \t\n\v\f\r").find(c) != std::string::npos; }

Error NoKey(const std::string& name, const std::string& problem) {
  return Error(ErrorCode::kConfiguration, name + " " + problem)
      .Cure("write the key into it, and at most one line break behind it");
}

Result<NamedSecret> ReadFileKey(const std::string& path, const std::string& option) {
  constexpr std::size_t kMostKeyBytes = std::size_t{64} * 1024;
  if (MayBeKey(path)) return core::IsAKey(option);
  auto file = core::ReadFile(path, option, core::PipesAllowed::kYes, kMostKeyBytes,
                             ErrorCode::kConfiguration);
  if (!file) return std::move(file).error();
  const std::string name = option + " '" + path + "'";
  std::string_view key = file->bytes.Reveal();
  if (key.ends_with('\n')) key.remove_suffix(key.ends_with("\r\n") ? 2 : 1);
  if (key.empty()) return NoKey(name, "is empty");
  // Another program would take it for a part of the key.
  if (IsWhiteSpace(key.front()) || IsWhiteSpace(key.back())) {
    return NoKey(name, "has white space around the key");
  }
  return NamedSecret{name, Secret::CopyOf(key)};
}

Result<NamedSecret> CurrentOfBackend(const Runtime& runtime) {
  const std::string name = jwt::FieldOf(jwt::KeyRole::kCurrent);
  auto key = runtime.Get(name);
  if (!key) return std::move(key).error();
  if (key->empty()) {
    return Error(ErrorCode::kNotSet, name + " is empty in the active backend")
        .Cure("set it to a key: qsecrets jwt keygen makes one");
  }
  return NamedSecret{name, *std::move(key)};
}

// In the order of KeyRole.
using NamedRing = std::array<NamedSecret, 3>;

Result<NamedRing> RingOfBackend() {
  const auto runtime = OpenRuntime();
  if (!runtime) return runtime.error();
  auto current = CurrentOfBackend(*runtime);
  if (!current) return std::move(current).error();
  NamedRing ring{*std::move(current),
                 {jwt::FieldOf(jwt::KeyRole::kPrevious), {}},
                 {jwt::FieldOf(jwt::KeyRole::kNext), {}}};
  for (NamedSecret* const other : {&ring[1], &ring[2]}) {
    auto key = FieldOrEmpty(*runtime, other->name);
    if (!key) return std::move(key).error();
    other->key = *std::move(key);
  }
  return ring;
}

Result<NamedRing> RingOfFiles(const RingOptions& options) {
  NamedRing ring;
  const std::array files = {std::pair{&options.current_file, kKeyFile},
                            std::pair{&options.previous_file, kPreviousKeyFile},
                            std::pair{&options.next_file, kNextKeyFile}};
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto& [path, option] = files[i];
    if (path->empty()) continue;
    auto key = ReadFileKey(*path, option);
    if (!key) return std::move(key).error();
    ring[i] = *std::move(key);
  }
  return ring;
}

Status CheckStrength(const NamedSecret& key, const RingOptions& options) {
  const Status fit = jwt::RefuseWeakKey(key.key, options.algorithm, key.name);
  if (fit) return {};
  const Error& error = fit.error();
  if (!options.allows_weak_keys) {
    return Error(error.code(), error.reason())
        .Cure(error.cure() + "; until then " + kAllowWeakKey + " trusts it all the same");
  }
  std::fprintf(stderr, "qsecrets: WARNING: %s; it is trusted because of %s\n",
               core::Printable(error.reason()).c_str(), kAllowWeakKey);
  return {};
}

Status RefuseSameKeys(const NamedRing& ring) {
  for (std::size_t i = 0; i < ring.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (ring[i].key.empty() || !ring[i].key.ConstantTimeEquals(ring[k].key)) continue;
      return Error(ErrorCode::kConfiguration, ring[i].name + " is the same key as " + ring[k].name)
          .Cure("leave one of the two out");
    }
  }
  return {};
}

void AddFileOption(CLI::App& app, const char* name, std::string& file, const char* description,
                   CLI::Option* needed) {
  app.add_option(name, file, description)->check(RefuseNoName)->needs(needed)->type_name("FILE");
}

}  // namespace

void AddAlgorithmOption(CLI::App& app, jwt::Algorithm& algorithm) {
  app.add_option_function<std::string>(
         "--algorithm", [&algorithm](const std::string& given) { algorithm = *AlgorithmOf(given); },
         "HS256 where not given, HS384 or HS512")
      ->check([](const std::string& given) {
        return AlgorithmOf(given) ? std::string() : "is one of HS256, HS384, HS512";
      })
      ->type_name("NAME");
}

CLI::Option* AddJwtKeyFileOption(CLI::App& app, std::string& file) {
  return app
      .add_option(kKeyFile, file,
                  "Take the key from this file in place of the backend's; one line break at its "
                  "end does not belong to it")
      ->check(RefuseNoName)
      ->type_name("FILE");
}

void AddRingOptions(CLI::App& app, RingOptions& options) {
  CLI::Option* const current = AddJwtKeyFileOption(app, options.current_file);
  AddFileOption(app, kPreviousKeyFile, options.previous_file,
                "With --key-file: the key that signed before", current);
  AddFileOption(app, kNextKeyFile, options.next_file,
                "With --key-file: the key that is to sign next", current);
  AddAlgorithmOption(app, options.algorithm);
  app.add_flag(kAllowWeakKey, options.allows_weak_keys,
               "Trust keys that are short or known: whoever guesses one makes valid tokens");
}

Result<Secret> ReadSigningKey(const std::string& file, jwt::Algorithm algorithm) {
  auto key = file.empty() ? OpenRuntime().and_then(CurrentOfBackend) : ReadFileKey(file, kKeyFile);
  if (!key) return std::move(key).error();
  if (Status fit = jwt::RefuseWeakKey(key->key, algorithm, key->name); !fit) return fit.error();
  return std::move(key->key);
}

Result<jwt::Keys> ReadRing(const RingOptions& options) {
  auto ring = options.current_file.empty() ? RingOfBackend() : RingOfFiles(options);
  if (!ring) return std::move(ring).error();
  for (const NamedSecret& key : *ring) {
    if (key.key.empty()) continue;
    if (Status fit = CheckStrength(key, options); !fit) return fit.error();
  }
  if (Status differ = RefuseSameKeys(*ring); !differ) return differ.error();
  return jwt::Keys{.current = std::move((*ring)[0].key),
                   .previous = std::move((*ring)[1].key),
                   .next = std::move((*ring)[2].key)};
}

KeyIds::KeyIds(const jwt::Keys& keys) {
  for (std::size_t i = 0; const Secret* const key : {&keys.current, &keys.previous, &keys.next}) {
    if (!key->empty()) ids_[i] = jwt::KeyId(*key);
    ++i;
  }
}

std::optional<jwt::KeyRole> KeyIds::Find(std::string_view kid) const {
  for (const jwt::KeyRole role : kRoles) {
    if (!kid.empty() && Of(role) == kid) return role;
  }
  return std::nullopt;
}

void SayVerified(jwt::KeyRole role, const KeyIds& ids) {
  std::fprintf(stderr, "qsecrets: verified with the %s key %s\n",
               std::string(ToString(role)).c_str(), ids.Of(role).c_str());
}

bool LooksLikeKey(const std::string& path) {
  constexpr std::string_view kBase64Url =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  constexpr std::array kLengths = {43, 64, 86};
  return std::ranges::find(kLengths, std::ssize(path)) != kLengths.end() &&
         path.find_first_not_of(kBase64Url) == std::string::npos;
}

}  // namespace qarion::secrets::cli
