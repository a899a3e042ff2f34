// Where users have their files.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace qarion::secrets::core {

// `path` with a ~ or ~user at its beginning replaced, as Python's os.path.expanduser does it: where
// the home directory is not known, the path stays. `home_variable`: HOME, where it is set.
std::string ExpandHome(std::string path, std::optional<std::string_view> home_variable);

// HOME, else what the system knows of this user; empty where it knows nothing.
std::string HomeDirectory(std::optional<std::string_view> home_variable);

}  // namespace qarion::secrets::core
