// The door: a service builds one Runtime in main and reads its secrets from it.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qarion/secrets/clock.h>
#include <qarion/secrets/export.h>
#include <qarion/secrets/provider.h>
#include <qarion/secrets/result.h>
#include <qarion/secrets/scrubber.h>
#include <qarion/secrets/secret.h>
#include <qarion/secrets/snapshot.h>

namespace qarion::secrets {

struct RuntimeOptions {
  // Settings by name ("SECRETS_BACKEND", "SECRETS_CACHE_TTL", ...). They win over the process
  // environment, which wins over the `.env` file.
  std::map<std::string, std::string> settings = {};

  // Fields managed beside the built-in ones: "PAYMENT_API_KEY", "PARTNER_TOKEN_*".
  std::vector<std::string> fields = {};

  // How long the first fetch may be retried before the start fails.
  std::chrono::milliseconds start_timeout = std::chrono::seconds(30);

  // Receives what is worth a log line (names, never values), one line without a newline; called
  // from any thread. Nothing is printed where it is not set.
  std::function<void(std::string_view line)> log = {};

  // A backend of the caller's own, used instead of the one SECRETS_BACKEND names.
  std::unique_ptr<SecretProvider> provider = {};

  // Time; the machine's where not set.
  std::shared_ptr<Clock> clock = {};

  // How Runtime::scrubber() masks. A `min_length` wins over SECRETS_SCRUB_MIN_LENGTH, and `allow`
  // adds to SECRETS_SCRUB_ALLOW.
  ScrubberOptions scrubbing = {};
};

// Which fields a refresh changed, appeared or vanished. Names only.
class QARION_SECRETS_EXPORT Change {
 public:
  explicit Change(std::vector<std::string> fields) : fields_(std::move(fields)) {}
  bool Has(std::string_view name) const noexcept;
  std::span<const std::string> fields() const noexcept { return fields_; }

 private:
  std::vector<std::string> fields_;
};

// Keeps a subscription alive. When it is gone the callback is not running and will not run again
// (unless it is dropped by the callback itself, which then finishes).
class [[nodiscard]] QARION_SECRETS_EXPORT Subscription {
 public:
  Subscription() noexcept = default;
  explicit Subscription(std::shared_ptr<void> registration) noexcept
      : registration_(std::move(registration)) {}

 private:
  std::shared_ptr<void> registration_;
};

enum class Freshness {
  kFresh,    // younger than SECRETS_CACHE_TTL; where that is 0, what the latest read fetched
  kStale,    // older, and served while a refresh is due or fails for transient reasons
  kExpired,  // not served any more
};

QARION_SECRETS_EXPORT std::string_view ToString(Freshness freshness) noexcept;

// One setting as it was found. Those of the backend show no value: they may be credentials.
struct SettingInUse {
  std::string name;
  std::string value;
  std::string source;  // "option", "process environment", ".env:3", "default"
};

struct RuntimeStatus {
  std::string backend;
  std::string source;
  std::string version;
  std::size_t fields_set = 0;
  std::optional<std::chrono::system_clock::time_point> created_at;  // of that version
  std::chrono::system_clock::time_point fetched_at;
  std::chrono::milliseconds age{};
  Freshness freshness = Freshness::kFresh;
  std::optional<std::chrono::milliseconds> next_refresh_in;  // none where every read fetches
  std::optional<Error> last_error;                           // of the latest fetch, where it failed
  // What the backend tells of itself, as names and texts: "login", "token expires", ...
  std::vector<std::pair<std::string, std::string>> details;
  std::vector<SettingInUse> settings;
};

// What Runtime::Examine found.
struct Examination {
  std::string backend;
  std::size_t fields_set = 0;
  // As RuntimeStatus::details, after the backend examined itself.
  std::vector<std::pair<std::string, std::string>> details;
  std::vector<Finding> findings;  // errors first
  std::optional<Error> failure;   // why there is no snapshot, where there is none
};

// Reads of one thread, as cheap as a hash look-up: no lock, no allocation, no shared counter.
//
// Thread-safety: one thread at a time; make one per thread. Lifetime: must not outlive the Runtime.
class QARION_SECRETS_EXPORT Reader {
 public:
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;
  ~Reader();

  // As Runtime::Get, without a handle of its own: the reference is valid until the next call of
  // this Reader, or its end. `name` in canonical spelling.
  Result<const Secret*> Find(std::string_view name);

  // As Runtime::TakeSnapshot, without a handle of its own: valid as long. Another snapshot than at
  // the last call of this Reader is another pointer.
  Result<const Snapshot*> Latest();

 private:
  friend class Runtime;
  class Impl;
  explicit Reader(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

// The secrets of one service: chosen backend, snapshot cache and scrubber behind one object.
//
// Every value is registered with the scrubber before it can be read here. Reads use the snapshot in
// memory; one refresh at a time goes on in the background, and readers keep the old snapshot until
// it is done. Only where there is no snapshot that may be served (SECRETS_CACHE_TTL=0, or
// a process that read nothing for longer than TTL and SECRETS_MAX_STALE together) does a read wait
// for the backend.
//
// Thread-safety: every member may be called from several threads. Lifetime: the destructor ends the
// background thread; Readers and Subscriptions must be gone before.
class QARION_SECRETS_EXPORT Runtime {
 public:
  // Reads settings from the process environment and the `.env` file, opens the backend and fetches.
  // kConfiguration: a setting is malformed, unknown or contradictory; else the backend's error.
  static Result<Runtime> FromEnvironment();
  static Result<Runtime> Create(RuntimeOptions options);

  Runtime(Runtime&&) noexcept;
  Runtime& operator=(Runtime&&) noexcept;
  ~Runtime();

  // The value of a managed field, by name or slash reference (`llm_api_key/control_plane`).
  // kUsage: not a managed field (the cure names the nearest). kNotSet: the backend lacks it. Else
  // the backend's error where no snapshot may be served.
  Result<Secret> Get(std::string_view name) const;

  // All fields of one version, for reading several consistently.
  Result<std::shared_ptr<const Snapshot>> TakeSnapshot() const;

  // For hot paths.
  Reader NewReader() const;

  // Fetches now, whatever the age of the snapshot, and waits for it.
  Status Refresh();

  // For callers that anybody can make ask, such as whoever sends a token that no key fits: fetches
  // in the background (in a forked child, in the caller), waits for it no longer than `patience`,
  // and not again for `pause`, nor before a retry is due where the store fails. One fetch serves
  // all who ask meanwhile, and they all together wait no longer than the first. A callback of
  // OnChange that is running delays it. kTryAgain: not now, or it takes longer and goes on.
  // kUsage: with SECRETS_CACHE_TTL=0 every read fetches anyway. Else the backend's error.
  Status RefreshSparingly(std::chrono::milliseconds patience, std::chrono::milliseconds pause);

  // Calls `callback` after each refresh that changed something, one call at a time, from the
  // background thread. Keep what is returned.
  Subscription OnChange(std::function<void(const Change&)> callback);

  // The set of values that must not be seen; Add() to it what the service learns elsewhere.
  Scrubber& scrubber() const noexcept;

  // Looks for whatever keeps a service with these options from its secrets: settings, the way to
  // the store as the backend examines it, one fetch, and then every field as Check() does.
  static Examination Examine(RuntimeOptions options);

  // Holds every field that is set against what is known of it (too short, a placeholder, a stray
  // newline, ...) and adds what the provider noticed. Errors first.
  Result<std::vector<Finding>> Check() const;

  const FieldSet& fields() const noexcept;
  RuntimeStatus status() const;

 private:
  friend class Reader;
  class Impl;
  explicit Runtime(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace qarion::secrets
