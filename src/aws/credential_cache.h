// Keeps credentials for as long as they are good, and gets new ones in time.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "aws/credentials.h"
#include "net/call.h"
#include "qarion/secrets/clock.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::aws {

// The windows are botocore's: with less than 15 minutes left one caller gets new ones while others
// go on with the old, and a failure is only noted; with less than 10 everybody waits, and a failure
// is an error.
//
// Thread-safety: every member from several threads; one of them fetches, the others wait for it.
class CredentialCache {
 public:
  using Fetch = std::function<Result<Credentials>(const net::Call&)>;

  // `clock` outlives it. `log` receives failures that are covered by credentials that still live.
  CredentialCache(Fetch fetch, Clock& clock, std::function<void(std::string_view)> log);

  // A frozen triple of key, secret and token, good at this moment.
  Result<Credentials> Get(const net::Call& call);

  // The service refused `refused`: fetches once more, unless somebody else did since. Nothing where
  // the same came back.
  Result<std::optional<Credentials>> Replace(const Credentials& refused, const net::Call& call);

  std::optional<std::chrono::system_clock::time_point> expires_at() const;
};

}  // namespace qarion::secrets::aws
