#include "cli/rotation_step.h"

#include <utility>

#include "cli/rotation_keys.h"
#include "fernet/key_fields.h"

namespace qarion::secrets::cli {
BackendKeys ReadBackendKeys(const Runtime& runtime) {
  BackendKeys keys;
  for (const auto& [field, fingerprint] : {std::pair{fernet::kCurrentKeyField, &keys.current},
                                           std::pair{fernet::kPreviousKeyField, &keys.previous}}) {
    const auto key = KeyOfField(runtime, field);
    if (!key) {
      if (keys.problem.empty()) keys.problem = key.error().reason();
    } else if (*key) {
      *fingerprint = (*key)->fingerprint();
    }
  }
  return keys;
}

RotationStep FindStep(const RotationStatus& status, const BackendKeys& keys) {
  if (status.is_running) return {std::nullopt, "wait for the rotation that is at work"};
  if (!keys.problem.empty()) return {std::nullopt, "mend the key: " + keys.problem};
  if (keys.current.empty()) return {std::nullopt, "set INSTANCE_ENCRYPTION_KEY"};
  const std::string latest = status.latest ? status.latest->new_key : std::string();
  const auto was_rotated_from = [&](const std::string& key) {
    return status.latest && status.latest->old_keys.find(key) != std::string::npos;
  };
  if (keys.previous.empty()) {
    if (latest.empty() || latest == keys.current) {
      return {0, "nothing; to begin, set INSTANCE_ENCRYPTION_KEY_PREVIOUS to the new key"};
    }
    return {std::nullopt, "run verify: the latest rotation was to another key"};
  }
  if (latest == keys.current) {
    if (was_rotated_from(keys.previous)) {
      return {4,
              "remove INSTANCE_ENCRYPTION_KEY_PREVIOUS when verify exits with 0 and no service "
              "needs it"};
    }
    return {1,
            "if INSTANCE_ENCRYPTION_KEY_PREVIOUS is the new key, roll both out everywhere, then "
            "exchange them; else remove it"};
  }
  if (latest == keys.previous) {
    if (was_rotated_from(keys.current)) {
      return {std::nullopt,
              "exchange the two keys: the values are under INSTANCE_ENCRYPTION_KEY_PREVIOUS "
              "already"};
    }
    return {2, "roll both keys out everywhere, then rotate (step 3)"};
  }
  return {std::nullopt,
          "see the guide: no rotation to one of the two keys is on record, and verify tells which "
          "of them opens the values"};
}

}  // namespace qarion::secrets::cli
