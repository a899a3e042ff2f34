// Keys of JSON Web Tokens signed with HMAC (RFC 7518, 3.2), and the ring of three that a rotation
// without rejected tokens takes.
#pragma once

#include <string>
#include <string_view>

#include <qarion/secrets/export.h>
#include <qarion/secrets/result.h>
#include <qarion/secrets/secret.h>

namespace qarion::secrets::jwt {

// One for a whole ring; the `alg` of a token never chooses (RFC 8725, 3.1).
enum class Algorithm { kHs256, kHs384, kHs512 };

// As `alg` has it: "HS256".
QARION_SECRETS_EXPORT std::string_view ToString(Algorithm algorithm) noexcept;

// What a key of a ring is there for.
enum class KeyRole {
  kCurrent,   // signs, verifies
  kPrevious,  // verifies what it signed before, until the last such token has expired
  kNext,      // verifies what others sign with it already; is to become the current one
};

// "current", "previous", "next"
QARION_SECRETS_EXPORT std::string_view ToString(KeyRole role) noexcept;

// A ring, by names, so that no order can be wrong. A key is the bytes of its field as they are, as
// PyJWT and others take a string for a key. Empty: there is none.
struct Keys {
  Secret current;
  Secret previous = {};
  Secret next = {};
};

// What names a key, in the header `kid` and in reports: the first 16 hexadecimal digits of the
// HMAC-SHA256 of the key under "qarion-secrets jwt key". Nobody finds a fit key from it.
QARION_SECRETS_EXPORT std::string KeyId(const Secret& key);

// A new key as text: 43, 64 or 86 characters of URL-safe base64 that hold as many random bytes as
// the hash of the algorithm has (32, 48, 64). kInternal: OpenSSL's generator gives nothing.
QARION_SECRETS_EXPORT Result<Secret> GenerateKey(Algorithm algorithm = Algorithm::kHs256);

// Refuses a key that protects nothing. kConfiguration: shorter than the algorithm's hash ("A key of
// the same size as the hash output or larger MUST be used", RFC 7518, 3.2), one byte repeated,
// or known to everybody: a placeholder, what a framework or a standard prints. `name` begins the
// error: the setting or the file.
QARION_SECRETS_EXPORT Status RefuseWeakKey(const Secret& key, Algorithm algorithm,
                                           const std::string& name);

}  // namespace qarion::secrets::jwt
