// All fields of one version of one secret.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <qarion/secrets/export.h>
#include <qarion/secrets/finding.h>
#include <qarion/secrets/secret.h>

namespace qarion::secrets {

// One field of a snapshot and where its value came from.
struct Field {
  std::string name;
  Secret value;
  std::string origin;  // "process environment", ".env:12", "/run/secrets/SECRET_KEY", ...
};

// Everything one fetch brought: immutable, consistent, of one version.
//
// Thread-safety: all members from several threads. Lifetime: what Find() and fields() return lives
// as long as the snapshot.
class QARION_SECRETS_EXPORT Snapshot {
 public:
  struct Contents {
    std::string backend;  // "env", "vault", ...
    std::string version;  // the store's own name for it; `env`: when its files last changed
    std::chrono::steady_clock::time_point fetched_at;
    std::chrono::system_clock::time_point fetched_at_system;
    std::optional<std::chrono::system_clock::time_point> created_at;
    std::vector<Field> fields;  // names are unique
    std::vector<Finding> findings;
  };

  explicit Snapshot(Contents contents);

  // The value of a field, or nullptr where it is not set. `name` is the canonical spelling.
  const Secret* Find(std::string_view name) const noexcept;

  const std::string& backend() const noexcept { return contents_.backend; }
  const std::string& version() const noexcept { return contents_.version; }
  std::chrono::steady_clock::time_point fetched_at() const noexcept { return contents_.fetched_at; }
  std::chrono::system_clock::time_point fetched_at_system() const noexcept {
    return contents_.fetched_at_system;
  }
  // When the store made this version, where it says so.
  std::optional<std::chrono::system_clock::time_point> created_at() const noexcept {
    return contents_.created_at;
  }
  std::span<const Field> fields() const noexcept { return contents_.fields; }
  // What the provider noticed while it read, such as a file that everybody can read.
  std::span<const Finding> findings() const noexcept { return contents_.findings; }

 private:
  Contents contents_;
  std::vector<const Field*> table_;  // open addressing; null: free
};

}  // namespace qarion::secrets
