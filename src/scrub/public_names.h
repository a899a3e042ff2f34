// Which names of members and settings say that a value is secret, or that it is not.
#pragma once

#include <string_view>

namespace qarion::secrets::scrub {

// Whether a name ends as those of secrets do, in any case, with or without `_`, `-` and spaces:
// AccountKey, db_password, sig; `key` by itself too.
bool IsSecretName(std::string_view name);

// Whether the value under a name of a credential file, a key or a database's secret is one that
// others have too, or that names somebody: token_uri, username, kty.
bool IsPublicName(std::string_view name);

}  // namespace qarion::secrets::scrub
