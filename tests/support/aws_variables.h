// Variables that a test gives a client of AWS.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "aws/variables.h"

namespace qarion::secrets::test {

using Given = std::map<std::string, std::string>;

inline aws::Variables VariablesOf(const Given& given) {
  return aws::Variables([&given](const std::string& name) -> std::optional<std::string_view> {
    const auto found = given.find(name);
    if (found == given.end()) return std::nullopt;
    return found->second;
  });
}

}  // namespace qarion::secrets::test
