// How errors about settings are worded.
#pragma once

#include <string>
#include <utility>

#include "qarion/secrets/error.h"

namespace qarion::secrets::core {

// kConfiguration: "`setting` `problem`". The texts have nothing of the setting's value in them that
// may be secret.
inline Error Wrong(const std::string& setting, const std::string& problem, std::string cure) {
  return Error(ErrorCode::kConfiguration, setting + " " + problem)
      .With("setting", setting)
      .Cure(std::move(cure));
}

}  // namespace qarion::secrets::core
