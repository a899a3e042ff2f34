// How long values are kept, as operators set it.
#pragma once

#include <chrono>
#include <utility>

#include "core/environment.h"
#include "core/secret_memory.h"
#include "core/settings.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::runtime {

struct CacheSettings {
  std::chrono::seconds ttl;        // SECRETS_CACHE_TTL
  std::chrono::seconds max_stale;  // SECRETS_MAX_STALE
};

inline constexpr std::chrono::seconds kDefaultTtl{300};
inline constexpr std::chrono::seconds kMaxTtl{86'400};
inline constexpr std::chrono::seconds kDefaultMaxStale{3600};
inline constexpr std::chrono::seconds kMaxMaxStale{7 * 86'400};

// kConfiguration: one of them is not a whole number of seconds, or too large.
inline Result<CacheSettings> ReadCacheSettings(const core::Settings& settings) {
  auto ttl = settings.Seconds("SECRETS_CACHE_TTL", kDefaultTtl, kMaxTtl);
  if (!ttl) return std::move(ttl).error();
  auto max_stale = settings.Seconds("SECRETS_MAX_STALE", kDefaultMaxStale, kMaxMaxStale);
  if (!max_stale) return std::move(max_stale).error();
  return CacheSettings{.ttl = *ttl, .max_stale = *max_stale};
}

// The same of this process and its `.env` file.
inline Result<CacheSettings> ReadCacheSettings() {
  const core::ProcessEnvironment environment;
  const auto settings = core::Settings::Load(environment, {});
  core::WipeTraces();  // of the `.env` file
  if (!settings) return settings.error();
  return ReadCacheSettings(*settings);
}

}  // namespace qarion::secrets::runtime
