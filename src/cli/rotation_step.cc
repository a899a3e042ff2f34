#include "cli/rotation_step.h"

#include <utility>

#include "cli/rotation_keys.h"
#include "fernet/key_fields.h"

namespace qarion::secrets::cli {
namespace {

Result<std::string> FingerprintOf(const Runtime& runtime, const char* field) {
  auto value = FieldOrEmpty(runtime, field);
  if (!value) return std::move(value).error();
  if (value->empty()) return std::string();
  return FernetKey::Parse(value->Reveal(), field).transform([](const FernetKey& key) {
    return key.fingerprint();
  });
}

}  // namespace

BackendKeys ReadBackendKeys(const Runtime& runtime) {
  BackendKeys keys;
  for (const auto& [field, fingerprint] : {std::pair{fernet::kCurrentKeyField, &keys.current},
                                           std::pair{fernet::kPreviousKeyField, &keys.previous}}) {
    auto found = FingerprintOf(runtime, field);
    if (found) {
      *fingerprint = *std::move(found);
    } else {
      keys.problem = found.error().reason();
    }
  }
  return keys;
}

RotationStep FindStep(const RotationStatus& status, const BackendKeys& keys) {
  if (!keys.problem.empty()) return {std::nullopt, "mend the key: " + keys.problem};
  if (keys.current.empty()) return {std::nullopt, "set INSTANCE_ENCRYPTION_KEY"};
  const std::string latest = status.latest ? status.latest->new_key : std::string();
  if (keys.previous.empty()) {
    if (latest.empty() || latest == keys.current) {
      return {0, "nothing; to begin, set INSTANCE_ENCRYPTION_KEY_PREVIOUS to the new key"};
    }
    return {std::nullopt, "run verify: the latest rotation was to another key"};
  }
  if (latest == keys.current) {
    if (status.latest->old_keys.find(keys.previous) != std::string::npos) {
      return {4, "remove INSTANCE_ENCRYPTION_KEY_PREVIOUS when verify exits with 0"};
    }
    return {1, "roll both keys out everywhere, then exchange them"};
  }
  if (latest == keys.previous) return {3, "roll both keys out everywhere, then rotate"};
  return {std::nullopt, "run verify: no rotation to one of the two keys is on record"};
}

}  // namespace qarion::secrets::cli
