// What can be told of the text of a Fernet key without any cryptography. Pure functions,
// thread-safe; they take the same care of the key as their caller: no copy is made.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace qarion::secrets::core {

inline constexpr std::size_t kFernetKeyBytes = 32;
inline constexpr std::size_t kFernetKeyCharacters = 44;

// The cure of what FernetKeyProblem finds, and of a key that is not there. What another key
// encrypted is lost without that one.
inline constexpr char kRestoreFernetKey[] =
    "put the right key there, whole, from where it is kept; make a new one (qsecrets fernet "
    "keygen) only if nothing was encrypted yet: it opens nothing that another one encrypted";
// The cure of what UnfitFernetKeyProblem finds.
inline constexpr char kReplaceFernetKey[] =
    "make another one (qsecrets fernet keygen); if this one encrypted anything, keep it as the "
    "previous key until `qsecrets rotate encryption-key` is done";

// What keeps `text` from being a key: 32 bytes in URL-safe base64, padded and in canonical form.
// Follows its name in a sentence: "has 40 characters; ...". Empty where nothing does.
std::string FernetKeyProblem(std::string_view text);

// Why a key in this form protects nothing: all of its bytes are the same, or a standard or a
// tutorial prints it, so that those who look for keys try it first. Empty where neither is so.
std::string UnfitFernetKeyProblem(std::string_view text);

}  // namespace qarion::secrets::core
