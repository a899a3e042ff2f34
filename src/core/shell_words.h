// Words of command lines.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qarion::secrets::core {

// The words of a command line, as Python's shlex.split reads it (POSIX rules, no comments). Nothing
// where a quotation or an escape is not closed.
std::optional<std::vector<std::string>> SplitWords(std::string_view text);

// The text in single quotes, which keep everything but themselves (POSIX.1-2017, Shell, 2.2.2), for
// commands that people copy. Not for secrets: the result is in ordinary memory.
std::string ShellQuoted(std::string_view text);

}  // namespace qarion::secrets::core
