// Command lines that no shell reads.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qarion::secrets::core {

// The words of a command line, as Python's shlex.split reads it (POSIX rules, no comments). Nothing
// where a quotation or an escape is not closed.
std::optional<std::vector<std::string>> SplitWords(std::string_view text);

}  // namespace qarion::secrets::core
