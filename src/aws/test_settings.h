// Variables and files that a test gives a client of AWS.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "aws/variables.h"
#include "qarion/secrets/error.h"

namespace qarion::secrets::aws::test {

using Given = std::map<std::string, std::string>;

inline Variables VariablesOf(const Given& given) {
  return Variables([&given](const std::string& name) -> std::optional<std::string_view> {
    const auto found = given.find(name);
    if (found == given.end()) return std::nullopt;
    return found->second;
  });
}

inline std::string TextOf(const Error& error) {
  std::string text = error.reason() + "\n" + error.cure();
  for (const auto& [key, value] : error.context()) text += "\n" + key + "=" + value;
  return text;
}

}  // namespace qarion::secrets::aws::test
