// Secrets as texts that a test can compare.
#pragma once

#include <string>
#include <vector>

#include "qarion/secrets/secret.h"

namespace qarion::secrets::test {

inline std::vector<std::string> Revealed(const std::vector<Secret>& secrets) {
  std::vector<std::string> texts;
  for (const Secret& secret : secrets) texts.emplace_back(secret.Reveal());
  return texts;
}

}  // namespace qarion::secrets::test
