// The plan that is used where none is given.
#pragma once

#include <string_view>

namespace qarion::secrets::rotate {

// examples/rotation/qarion.toml, as it was when the library was built.
std::string_view DefaultPlan() noexcept;

}  // namespace qarion::secrets::rotate
