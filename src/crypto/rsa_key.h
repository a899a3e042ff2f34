// Private RSA keys, and the signatures that JSON Web Signatures call "RS256" (RFC 7518, 3.3):
// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2), by OpenSSL.
//
// A key is a Secret all its life. OpenSSL has it in memory of its own only while it signs, and
// wipes that afterwards, except on the stack, for which both functions call core::WipeTraces. To
// hand it over anew takes about as long as the signature itself.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::crypto {

// "A key of size 2048 bits or larger MUST be used" (RFC 7518, 3.3).
inline constexpr std::size_t kLeastRsaBits = 2048;
// What OpenSSL works with at most.
inline constexpr std::size_t kMostRsaBits = 16384;
// Several times what the longest key takes, for certificates and remarks around it.
inline constexpr std::size_t kMostPemBytes = std::size_t{64} * 1024;

// Reads the first private key in PEM (RFC 7468): "PRIVATE KEY" (PKCS#8) or "RSA PRIVATE KEY"
// (PKCS#1). What stands before and after it is of no account. Whether its numbers belong together
// shows when it signs. Returns the key as the DER of RFC 8017's RSAPrivateKey. Thread-safe.
//
// `name` says in errors what was read, such as "private_key in /path/key.json"; nothing of the text
// itself is in them. kBadData: no key, or one that cannot be read.
// kConfiguration: a key that will not do: encrypted, of another kind, public, too short, too long.
Result<Secret> ReadRsaPrivateKey(std::string_view pem, const std::string& name);

// Signs `message`, and verifies the signature before anybody sees it: one made with a damaged key
// could tell the key. `key` comes from ReadRsaPrivateKey. The signature has as many bytes as the
// modulus; it is secret, because what it belongs to may be a credential. Thread-safe: one key may
// sign on several threads.
//
// kBadData: the numbers of the key, called `name` as above, do not belong together. kInternal:
// OpenSSL has no RSA or no SHA-256, see Sha256; the key is another.
Result<Secret> SignRs256(const Secret& key, std::string_view message, const std::string& name);

}  // namespace qarion::secrets::crypto
