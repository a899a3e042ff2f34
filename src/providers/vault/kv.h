// The secret as the KV engine has it: where it is, and what its answers mean.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "providers/vault/answer.h"
#include "qarion/secrets/provider.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::vault {

// A secret of a KV engine, version 2.
struct KvTarget {
  std::string mount;  // "secret", "team/kv"
  std::string name;   // below it, without data/

  std::string DataPath() const { return mount + "/data/" + name; }
  bool operator==(const KvTarget&) const = default;
};

// Takes a path with `data/` in it apart; nothing where there is none.
std::optional<KvTarget> TargetFromDataPath(std::string_view path);

// Where the mount ends as the server has it: reads the answer to
// `GET sys/internal/ui/mounts/<path>`. Nothing where the server does not tell (403, or too old).
// kConfiguration: the path is on a KV engine of version 1, or on another kind of engine.
Result<std::optional<KvTarget>> TargetFromMount(const ApiAnswer& answer, std::string_view path);

// Whether an answer to a read may mean that the mount is not where it was thought to be.
bool MayBeOnAnotherMount(const ApiAnswer& answer);

// What an answer to `GET <mount>/data/<name>` holds: fields, version, times; numbers, which the
// engine rounds, become findings. `version`: the one asked for, 0 the latest.
// kConfiguration: nothing is there, or it was deleted or destroyed. kNotPermitted: 403, for which
// `identity` is named. kBadData: not a JSON object of fields. kTryAgain and kUnavailable: the
// server cannot answer now.
Result<Payload> PayloadFromRead(const ApiAnswer& answer, const KvTarget& target,
                                std::int64_t version, const std::string& identity,
                                std::chrono::system_clock::time_point now);

}  // namespace qarion::secrets::vault
