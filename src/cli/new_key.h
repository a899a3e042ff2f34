// What the commands that make keys have in common.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::cli {

// What `--help` and messages call the file of a new key.
inline constexpr char kOutOption[] = "--out";
void AddOutOption(CLI::App& app, std::string& path);

// Prints the key; where a path is given, lets `write` put it there, and shows the fingerprint.
// Returns the exit status.
int HandOverKey(const Secret& key, const std::string& fingerprint, const std::string& path,
                const std::function<Status()>& write);

}  // namespace qarion::secrets::cli
