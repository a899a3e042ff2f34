// What is secret inside a value that has structure.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace qarion::secrets::scrub {

using FoundPart = std::function<void(std::string_view part)>;

// Calls `found` with each part of `value` that is secret on its own; a part is valid during the
// call, and may be shorter than it is worth to mask. Those are:
// - strings in JSON, but public ones, see IsPublicMember();
// - the password of a URL, as written and decoded, also with `/`, `?` or `#` in it;
// - values under names that IsSecretName() knows: `AccountKey=...;`, `password='...'`,
//   `,password=...,` and `PWD={...}`, in connection strings, query strings and files of settings;
//   where they can be read in several ways, in each, and those of a query also decoded; but no
//   words such as `true`;
// - what is between the BEGIN and END lines of PEM, without line breaks; and its lines where spaces
//   stand for breaks;
// - what follows `Bearer` or `Basic`, as in a header; of the latter also what it decodes to, and
//   the password in that;
// - the signature of a JSON Web Token: who has the rest cannot use it.
// Parts of parts are left to the caller.
void ForEachPart(std::string_view value, const FoundPart& found);

// Those of URLs and settings.
void FindConnectionParts(std::string_view value, const FoundPart& found);

// A value in a JSON text that may be secret.
struct JsonSecret {
  std::size_t begin = 0;   // where it stands
  bool is_string = false;  // otherwise a number
  std::string_view text;   // what the string says
};

// Calls `found` with each string and number of an object or array that is not public. Returns false
// where the text is not a JSON object or array, or is nested deeper than JsonReader reads; some
// calls may have been made then.
bool ForEachJsonSecret(std::string_view json, const std::function<void(const JsonSecret&)>& found);

// Whether a string in JSON is no secret: masking https://oauth2.googleapis.com/token wherever it
// stands would hide much and protect nothing. That is so under a name that IsPublicName() knows,
// unless it looks like a URL with a password.
// Under one that neither it nor IsSecretName() knows, it is so of words such as "true", of e-mail
// addresses, and of URLs that have no place for a secret: without user-info, query and fragment,
// and with a path of words and versions alone, `/oauth2/v1/certs`. Webhooks have more.
bool IsPublicMember(std::string_view name, std::string_view text);

}  // namespace qarion::secrets::scrub
