// What the readers of JSON share.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/boost_json.h"

namespace qarion::secrets::core {

inline constexpr std::size_t kMaxJsonDepth = 32;

// Why the parser stopped at `consumed`, without content: "not valid JSON".
std::string ExplainJsonError(const json::error_code& error, std::string_view text,
                             std::size_t consumed);

// ", line 3, column 14": lines and characters before `offset`, from 1.
std::string JsonPosition(std::string_view text, std::size_t offset);

// The parser decodes strings with escapes in arrays on the stack, one in each frame of its
// recursion. They are dead but not wiped when it returns: so this overwrites as much of the stack
// as it can have used. Must be called from the function that called the one that parsed, or it
// would begin at another depth.
void WipeJsonStack();

}  // namespace qarion::secrets::core
