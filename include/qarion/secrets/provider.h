// The interface behind which every backend stands.
//
// Backends that ship apart from the library implement the C interface in provider_abi.h instead.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <qarion/secrets/export.h>
#include <qarion/secrets/field_set.h>
#include <qarion/secrets/finding.h>
#include <qarion/secrets/result.h>
#include <qarion/secrets/secret.h>
#include <qarion/secrets/snapshot.h>

namespace qarion::secrets {

struct FetchRequest {
  // What the caller can use. A provider that reads one remote object may return every key of it;
  // one that would have to search (the process environment) returns these alone.
  const FieldSet& fields;

  // The version the caller holds, or empty. A provider that can tell cheaply that it is still the
  // current one answers with `not_modified`.
  std::string known_version;

  // When the caller gives up (Clock::SteadyNow). A provider must return by then, with kUnavailable.
  std::chrono::steady_clock::time_point deadline;

  // Asks the provider to return early; the result is thrown away.
  std::stop_token stop;
};

struct Payload {
  std::string version;
  std::vector<Field> fields;      // names in canonical spelling, each at most once
  std::vector<Finding> findings;  // what was noticed on the way; no values
  bool not_modified = false;      // `known_version` is still current; fields is empty

  // When the store made this version, where it says so.
  std::optional<std::chrono::system_clock::time_point> created_at;

  // When the values stop being valid by the store's own word; shortens their freshness. With
  // `not_modified`: another end than before, if any.
  std::optional<std::chrono::system_clock::time_point> expires_at;
};

// One backend. Retry, caching and scrubbing are not its business: it fetches once.
//
// Thread-safety: Fetch is called by one thread at a time, not always the same one. Lifetime: what
// Fetch returns does not refer to the provider.
class QARION_SECRETS_EXPORT SecretProvider {
 public:
  virtual ~SecretProvider() = default;

  // Reads the secret. kUnavailable and kTryAgain count as transient and may be covered by an older
  // snapshot for a while; every other error is the store's definite answer. Must not throw.
  virtual Result<Payload> Fetch(const FetchRequest& request) = 0;

  // Where it reads from, for people: ".env, /run/secrets" or "secret/data/qarion at https://...".
  virtual std::string Source() const = 0;

  // What else is worth knowing of its state, as names and texts: who is logged in, until when.
  // No values. May be called at any time, by several threads.
  virtual std::vector<std::pair<std::string, std::string>> Describe() const { return {}; }

  // The settings that it found when it was opened: names, and where each came from. No values.
  virtual std::vector<std::pair<std::string, std::string>> SettingsRead() const { return {}; }

  // The store's own credentials: as its settings hold them, and what it got for them and uses now,
  // such as the token of a login. They are not fields, but must not be seen either. Asked for
  // before the first fetch and after each one, by the thread that fetched: that is early enough,
  // for no error and no log line of a provider has one of them in it.
  virtual std::vector<Secret> Credentials() const { return {}; }

  // Examines step by step whether a fetch can succeed, and says what is in its way and what will
  // be. Without findings a fetch may still fail. Not while a fetch is running.
  virtual std::vector<Finding> Diagnose(const FetchRequest& /*request*/) { return {}; }
};

}  // namespace qarion::secrets
