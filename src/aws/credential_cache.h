// Keeps credentials for as long as they are good, and gets new ones in time.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string_view>

#include "aws/credentials.h"
#include "net/call.h"
#include "qarion/secrets/clock.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::aws {

// The windows are botocore's: with less than 15 minutes left one caller gets new ones while others
// go on with the old, and a failure within half of the caller's time is only noted; with less than
// 10 everybody waits, and a failure is an error.
//
// Thread-safety: every member from several threads; one of them fetches, the others wait for it.
class CredentialCache {
 public:
  using Fetch = std::function<Result<Credentials>(const net::Call&)>;

  // `clock` is the one that expiry is held against, and outlives it. `log` receives failures that
  // are covered by credentials that still live.
  CredentialCache(Fetch fetch, Clock& clock, std::function<void(std::string_view)> log);

  // A key, secret and token that belong together. Where `fetch` brings what has ended already, that
  // is given all the same, and fetched anew at each call: the clock may be wrong, and whom they are
  // shown to knows. Errors: those of `fetch`.
  Result<Credentials> Get(const net::Call& call);

  // A service refused `refused`: fetches once more, unless somebody else did since. Nothing where
  // the same key came back.
  Result<std::optional<Credentials>> Replace(const Credentials& refused, const net::Call& call);

 private:
  using Lock = std::unique_lock<std::mutex>;

  void Wake();
  bool HasLess(std::chrono::minutes left) const;  // with mutex_ held
  Result<Credentials> FetchAlone(Lock& lock, const net::Call& call);
  Result<Credentials> FetchNew(Lock& lock, const net::Call& call,
                               const Credentials* refused = nullptr);

  const Fetch fetch_;
  Clock& clock_;
  const std::function<void(std::string_view)> log_;

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable fetched_;
  std::optional<Credentials> held_;
  bool is_fetching_ = false;
};

}  // namespace qarion::secrets::aws
