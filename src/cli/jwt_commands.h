// Commands that make the next step of a rotation of the JWT key, in the tools of each store.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jwt/rotation_advice.h"
#include "qarion/secrets/jwt_keys.h"

namespace qarion::secrets::cli {

// The origins of the keys that are set, as Field::origin has them.
using KeyPlaces = std::vector<std::string>;

// Whether one of them is a variable of the process.
bool IsInEnvironment(const KeyPlaces& places);

struct KeyStore {
  std::string_view backend;
  std::string_view source;  // as RuntimeStatus::source has it
  const KeyPlaces& places;
  jwt::Algorithm algorithm;
};

// Lines for bash that make one new version and put no value into an argument, a file or a variable
// that other programs see; where that is not to be had, words behind `#`.
std::vector<std::string> CommandsFor(const KeyStore& store,
                                     const std::vector<jwt::FieldChange>& changes);

}  // namespace qarion::secrets::cli
