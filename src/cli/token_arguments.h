// What the commands that read tokens have in common.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "qarion/secrets/result.h"

namespace qarion::secrets::cli {

// Adds the argument TOKEN, which may be absent or "-": then the token is on standard input.
void AddTokenArgument(CLI::App& app, std::optional<std::string>& token);

// The token, or what standard input has of it, `limit` bytes at most: one line break at its end
// does not belong to it. kUsage: an empty argument. kIo, kBadData: see ReadStandardInput.
Result<std::string> ReadToken(const std::optional<std::string>& argument, std::size_t limit);

// Says in one line, without a cure, that the token is not valid; returns the exit status, 65.
int ReportBadToken(std::string reason);

// A value of `--now` or `--ttl`: seconds, not negative, until the year 2262.
CLI::Option* AddSecondsOption(CLI::App& app, const std::string& name,
                              std::optional<std::int64_t>& seconds, const std::string& description);

// Text of one or more bytes.
CLI::Option* AddTextOption(CLI::App& app, const std::string& name, std::string& text,
                           const std::string& description);

}  // namespace qarion::secrets::cli
