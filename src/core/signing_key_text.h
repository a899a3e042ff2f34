// What can be told of a key that signs, by looking at it. Pure functions, thread-safe; no copy of
// the key is made.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace qarion::secrets::core {

// RFC 7518, 3.2: as long as the output of SHA-256.
inline constexpr std::size_t kShortestSigningKey = 32;

// The cure of what SigningKeyProblem finds.
inline constexpr char kReplaceSigningKey[] = "generate one: qsecrets jwt keygen";

// What stands in templates and tutorials where a secret belongs.
bool IsPlaceholder(std::string_view value);

// Why nobody should sign with `key`: it is a placeholder, printed in a standard or shipped by a
// framework, repeats a few bytes, or is shorter than `shortest` bytes. Follows its name in a
// sentence: "has 12 bytes; ...". Empty where nothing is wrong.
std::string SigningKeyProblem(std::string_view key, std::size_t shortest = kShortestSigningKey);

}  // namespace qarion::secrets::core
