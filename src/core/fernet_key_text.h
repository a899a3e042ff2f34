// What can be told of the text of a Fernet key without any cryptography. Pure functions,
// thread-safe; they take the same care of the key as their caller: no copy is made.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace qarion::secrets::core {

inline constexpr std::size_t kFernetKeyBytes = 32;
inline constexpr std::size_t kFernetKeyCharacters = 44;

// The cure of what the functions below find.
inline constexpr char kGenerateFernetKey[] =
    "generate one: qsecrets fernet keygen (it encrypts existing data only after a rotation)";

// What keeps `text` from being a key: 32 bytes in URL-safe base64, padded and in canonical form.
// Follows its name in a sentence: "has 40 characters; ...". Empty where nothing does.
std::string FernetKeyProblem(std::string_view text);

// Why a key in this form protects nothing: all of its bytes are the same, or a standard or a
// tutorial prints it, so that those who look for keys try it first. Empty where neither is so.
std::string UnfitFernetKeyProblem(std::string_view text);

}  // namespace qarion::secrets::core
