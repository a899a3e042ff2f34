#include "scrub/public_names.h"

#include <algorithm>
#include <array>

#include "core/ascii.h"

namespace qarion::secrets::scrub {
namespace {

// Without `_`, `-` and spaces, in lower case.
constexpr std::array<std::string_view, 18> kSecretEndings = {
    "password",  "passwd",     "passphrase",  "pass",      "pwd",
    "secret",    "token",      "accountkey",  "accesskey", "apikey",
    "sig",       "privatekey", "secretkey",   "sharedkey", "sharedaccesssignature",
    "signature", "credential", "credentials",
};
constexpr std::array<std::string_view, 43> kPublicNames = {
    // Credential files of Google.
    "type", "projectid", "quotaprojectid", "clientemail", "clientid", "authuri", "tokenuri",
    "authproviderx509certurl", "clientx509certurl", "universedomain", "redirecturis", "audience",
    "subjecttokentype", "tokenurl", "tokeninfourl", "serviceaccountimpersonationurl",
    // Secrets of databases, as AWS keeps them, and Vault's.
    "engine", "host", "hostname", "server", "port", "dbname", "database", "dbinstanceidentifier",
    "dbclusteridentifier", "username", "user", "userid", "login", "email", "region", "leaseid",
    "tokentype",
    // Answers and keys (RFC 7517, 4).
    "expiration", "expires", "lastupdated", "kty", "alg", "use", "keyops", "crv", "e", "scope"};

constexpr bool IsIgnored(char c) { return c == '_' || c == '-' || c == ' '; }

// Whether `name` ends with `ending`; how much of it is before is put into `rest`.
bool EndsWith(std::string_view name, std::string_view ending, std::string_view& rest) {
  while (!ending.empty()) {
    while (!name.empty() && IsIgnored(name.back())) name.remove_suffix(1);
    if (name.empty() || core::AsciiLower(name.back()) != ending.back()) return false;
    name.remove_suffix(1);
    ending.remove_suffix(1);
  }
  rest = name;
  return true;
}

bool IsOnly(std::string_view name, std::string_view known) {
  std::string_view rest;
  return EndsWith(name, known, rest) && std::ranges::all_of(rest, IsIgnored);
}

}  // namespace

bool IsSecretName(std::string_view name) {
  // Others that end so say where something is: primary_key, Partition Key.
  if (IsOnly(name, "key")) return true;
  return std::ranges::any_of(kSecretEndings, [&](std::string_view ending) {
    std::string_view rest;
    if (!EndsWith(name, ending, rest)) return false;
    // `db_pass` and `dbPass`, but not `bypass`.
    const bool is_short = ending.size() <= 4;
    const bool is_word = rest.empty() || IsIgnored(rest.back()) || core::IsDigit(rest.back()) ||
                         name[rest.size()] != core::AsciiLower(name[rest.size()]) ||
                         rest.back() != core::AsciiLower(rest.back());
    return !is_short || is_word;
  });
}

bool IsPublicName(std::string_view name) {
  return std::ranges::any_of(kPublicNames,
                             [&](std::string_view known) { return IsOnly(name, known); });
}

bool IsPublicWord(std::string_view text) {
  constexpr std::array<std::string_view, 4> kWords = {"true", "false", "null", "none"};
  return std::ranges::any_of(
      kWords, [&](std::string_view word) { return core::EqualsIgnoringCase(text, word); });
}

}  // namespace qarion::secrets::scrub
