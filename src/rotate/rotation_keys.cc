#include "rotate/rotation_keys.h"

#include <string>

namespace qarion::secrets::rotate {
namespace {

constexpr char kMakeAnother[] = "make another one: qsecrets fernet keygen";

Error Refused(std::string reason, std::string cure) {
  return Error(ErrorCode::kConfiguration, std::move(reason)).Cure(std::move(cure));
}

}  // namespace

Status CheckKeys(const RotationOptions& options) {
  const FernetKey& key = options.new_key;
  const std::string name = "the new key " + key.fingerprint();
  if (Status fit = RefuseUnfitKey(key, name); !fit) return fit;
  for (const FernetKey& old_key : options.old_keys) {
    if (old_key.ConstantTimeEquals(key)) {
      return Refused(name + " is one of the old keys too: nothing would change", kMakeAnother);
    }
    if (old_key.SharesHalfWith(key)) {
      return Refused(name + " has one half in common with the old key " + old_key.fingerprint(),
                     kMakeAnother);
    }
  }
  const Secret text = key.Encode();
  for (const auto& [other, value] : options.other_secrets) {
    if (value.ConstantTimeEquals(text) || value.ConstantTimeEquals(key.Reveal())) {
      return Refused(name + " is " + other + " too: whoever changes one would lose the other",
                     kMakeAnother);
    }
  }
  return {};
}

Status CheckThereIsAnOldKey(const RotationOptions& options) {
  if (!options.old_keys.empty()) return {};
  return Refused("there is no old key: nothing could be opened",
                 "set INSTANCE_ENCRYPTION_KEY_PREVIOUS to it, or give --old-key-file");
}

}  // namespace qarion::secrets::rotate
