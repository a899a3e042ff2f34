// What is masked in output, as operators set it.
#pragma once

#include <iterator>
#include <utility>

#include "core/environment.h"
#include "core/secret_memory.h"
#include "core/settings.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/scrubber.h"

namespace qarion::secrets::runtime {

// The longest SECRETS_SCRUB_MIN_LENGTH: longer values are never let through for their length.
inline constexpr std::size_t kMaxMinLength = 1024;

// Completes `given`: its `min_length` wins over SECRETS_SCRUB_MIN_LENGTH, the values of
// SECRETS_SCRUB_ALLOW are let through beside its own. kConfiguration: one of them is malformed.
inline Result<ScrubberOptions> ReadScrubSettings(const core::Settings& settings,
                                                 ScrubberOptions given) {
  const auto min_length = settings.Bytes("SECRETS_SCRUB_MIN_LENGTH", 0, kMaxMinLength);
  if (!min_length) return min_length.error();
  auto allowed = settings.List("SECRETS_SCRUB_ALLOW");
  if (!allowed) return std::move(allowed).error();
  if (given.min_length == 0) given.min_length = *min_length;
  std::ranges::move(*allowed, std::back_inserter(given.allow));
  return given;
}

// The same with the settings of this process and its `.env` file.
inline Result<ScrubberOptions> ReadScrubSettings(ScrubberOptions given) {
  const core::ProcessEnvironment environment;
  const auto settings = core::Settings::Load(environment, {});
  core::WipeTraces();  // of the `.env` file
  if (!settings) return settings.error();
  return ReadScrubSettings(*settings, std::move(given));
}

}  // namespace qarion::secrets::runtime
