// The keys of a rotation, and the password of its database, from wherever the command line says.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "qarion/secrets/fernet.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/runtime.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::cli {

struct KeyChoice {
  std::vector<std::string> old_files;
  std::string new_file;
  std::string generate;  // the file a new key is written to
};

// Keys with where each is from: "INSTANCE_ENCRYPTION_KEY", "/run/keys/new".
struct RotationKeys {
  FernetKey new_key;
  std::string new_source;
  std::vector<FernetKey> old_keys;
  std::vector<std::string> old_sources;
};

// The new key: of --new-key-file or --generate, else INSTANCE_ENCRYPTION_KEY. The old ones: of
// --old-key-file; else INSTANCE_ENCRYPTION_KEY_PREVIOUS, and where the new key is not the backend's
// INSTANCE_ENCRYPTION_KEY, that one before it.
// kConfiguration: a key is missing, or cannot be one. A generated key is not written yet.
Result<RotationKeys> ChooseKeys(const KeyChoice& choice, const Runtime& runtime);

// All keys that the command line or the backend has, for looking at what they open; maybe none.
Result<std::vector<FernetKey>> KnownKeys(const KeyChoice& choice, const Runtime& runtime);

// SECRET_KEY and the like, as far as they are set.
std::vector<std::pair<std::string, Secret>> OtherSecrets(const Runtime& runtime);

// The value of a field, or the empty one where it is not set.
Result<Secret> FieldOrEmpty(const Runtime& runtime, std::string_view name);

// The key in a field; nothing where it is not set. kConfiguration: it cannot be one.
Result<std::optional<FernetKey>> KeyOfField(const Runtime& runtime, const std::string& name);

}  // namespace qarion::secrets::cli
