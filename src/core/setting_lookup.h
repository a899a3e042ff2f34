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

}  // namespace qarion::secrets::core
