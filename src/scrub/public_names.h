// Which names of members and settings, and which words, say that a value is secret or is not.
#pragma once

#include <string_view>

namespace qarion::secrets::scrub {

// Whether a name ends as those of secrets do, in any case, with or without `_`, `-` and spaces:
// AccountKey, db_password, sig; `key` by itself too.
bool IsSecretName(std::string_view name);

// Whether the value under a name of a credential file, a key or a database's secret is one that
// others have too, or that names somebody: token_uri, username, kty.
bool IsPublicName(std::string_view name);

// Whether a value is a word that stands in every text: true, false, null, none.
bool IsPublicWord(std::string_view text);

}  // namespace qarion::secrets::scrub
