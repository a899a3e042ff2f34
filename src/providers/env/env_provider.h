// The `env` backend: process environment, files it names, `.env`, and a directory of files.
#pragma once

#include <memory>
#include <string>

#include "core/provider_factory.h"

namespace qarion::secrets::env {

// For each field the first of these that has it:
//   1. the variable of that name in the process environment;
//   2. the file that `NAME_FILE` in the process environment names (the container convention);
//   3. the `.env` file;
//   4. the file of that name in SECRETS_DIR (Kubernetes Secret volume, /run/secrets).
//
// Files are read anew at each fetch. One newline at the end of a file of kind 2 and 4 is not part
// of the value.
Result<std::unique_ptr<SecretProvider>> CreateEnvProvider(const core::ProviderContext& context);

}  // namespace qarion::secrets::env
