// How a backend asks for its settings.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace qarion::secrets::core {

// The text of a setting or environment variable; nothing where it is not set. What it returns is
// valid for as long as whoever handed the look-up over says.
using SettingLookup = std::function<std::optional<std::string_view>(const std::string& name)>;

// A value and the setting it is from: "AWS_REGION", "region in /home/me/.aws/config:3". Both empty
// where nothing says.
struct Sourced {
  std::string text;
  std::string setting;
};

}  // namespace qarion::secrets::core
