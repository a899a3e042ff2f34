// Verifies JSON Web Tokens (RFC 7515, compact serialization) as strictly as RFC 8725 asks.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <qarion/secrets/clock.h>
#include <qarion/secrets/export.h>
#include <qarion/secrets/jwt_claims.h>
#include <qarion/secrets/jwt_keys.h>
#include <qarion/secrets/jwt_signer.h>
#include <qarion/secrets/result.h>
#include <qarion/secrets/runtime.h>

namespace qarion::secrets::jwt {

// Why a token is refused. Stable: the values of ToString() may be counted, logged and alerted on.
enum class Rejection {
  // Before the signature is looked at: what no signer of ours writes.
  kTooLarge,           // "too_large"
  kNotCompact,         // "not_compact": not three parts with a dot between each two
  kBadBase64,          // "bad_base64": not canonical base64url without padding
  kBadHeader,          // "bad_header": no strict JSON object, or a member of a wrong type
  kWrongAlgorithm,     // "wrong_algorithm": `alg` is not the verifier's, to the letter
  kUnsupportedHeader,  // "unsupported_header": `crit`, `b64`, `zip` or `cty`
  // The signature.
  kUnknownKey,    // "unknown_key": the right signature of no key, and its `kid` names none
  kBadSignature,  // "bad_signature"
  // After it, so that all of these were said by a holder of a key.
  kWrongType,       // "wrong_type": `typ`
  kBadPayload,      // "bad_payload": no strict JSON object
  kBadClaim,        // "bad_claim": a standard claim of a wrong type, a time out of range
  kMissingExpiry,   // "missing_expiry"
  kExpired,         // "expired"
  kNotYetValid,     // "not_yet_valid": `nbf`
  kIssuedInFuture,  // "issued_in_future": `iat`, by more than clocks may differ
  kLivesTooLong,    // "lives_too_long"
  kWrongIssuer,     // "wrong_issuer", or none
  kWrongAudience,   // "wrong_audience", none, or one where none is expected
  kWrongSubject,    // "wrong_subject", or none
};
inline constexpr std::size_t kRejections = static_cast<std::size_t>(Rejection::kWrongSubject) + 1;

QARION_SECRETS_EXPORT std::string_view ToString(Rejection rejection) noexcept;

// Why Verifier::Verify refused a token; nothing where the error is about keys or the backend.
QARION_SECRETS_EXPORT std::optional<Rejection> RejectionOf(const Error& error) noexcept;

// A token whose signature and claims were found to be in order. It comes out of a Verifier and from
// nowhere else.
//
// Thread-safety: const members from several threads. Lifetime: owns its text.
class QARION_SECRETS_EXPORT VerifiedToken {
 public:
  const Claims& claims() const noexcept { return claims_; }
  // Which key had signed it.
  KeyRole key() const noexcept { return key_; }

 private:
  friend class Verifier;
  VerifiedToken(Claims claims, KeyRole key) noexcept : claims_(std::move(claims)), key_(key) {}
  Claims claims_;
  KeyRole key_;
};

// What a token says of itself, which anybody may have written. For looking at, and for choosing
// whom to ask.
//
// Thread-safety, lifetime: as VerifiedToken.
class QARION_SECRETS_EXPORT UnverifiedToken {
 public:
  // kBadData: not a compact token of three parts with a header and a payload of strict JSON;
  // RejectionOf() tells which. Of any size: limit what comes from outside.
  static Result<UnverifiedToken> Read(std::string_view token);

  const Claims& unverified_header() const noexcept { return header_; }
  const Claims& unverified_claims() const noexcept { return claims_; }

 private:
  UnverifiedToken(Claims header, Claims claims) noexcept
      : header_(std::move(header)), claims_(std::move(claims)) {}
  Claims header_;
  Claims claims_;
};

struct QARION_SECRETS_EXPORT VerifierStatistics {
  // By KeyRole. When `previous` has not grown on any replica for the life of a token, nobody needs
  // SECRET_KEY_PREVIOUS any more; `qsecrets jwt rotation` calculates when that must be so.
  std::array<std::uint64_t, 3> accepted{};
  // By Rejection and by the KeyRole of the key that signed the token.
  std::array<std::array<std::uint64_t, 3>, kRejections> rejected{};
  // By Rejection, where no key is known to have signed it.
  std::array<std::uint64_t, kRejections> rejected_unsigned{};
  // Tokens that no key fitted and that had the snapshot fetched, one alone or several together.
  std::uint64_t refreshes = 0;

  std::uint64_t Accepted(KeyRole key) const noexcept {
    return accepted[static_cast<std::size_t>(key)];
  }
  std::uint64_t Rejected(Rejection reason) const noexcept;  // whatever the key
};

// Verifies with SECRET_KEY, SECRET_KEY_PREVIOUS and SECRET_KEY_NEXT as they are at that moment. The
// order of work: shape, header, signature, and only then what the token says. `kid` is an index and
// no more: where it names one of the keys, that one alone is tried, else all in this order; and a
// key is passed over only where the signature is not its. Make one for a kind of tokens and keep
// it: keys are prepared once for each thread.
//
// A token that no key fits, and whose `kid` names none of them, makes a Verifier For() a Runtime
// fetch once and look again: a key that was promoted elsewhere a second ago is known here at once.
// One fetch serves all such tokens of the moment, none waits longer than a second for it, and for
// ten seconds there is no other for the whole Runtime (Runtime::RefreshSparingly). Apart from that
// a call waits for the backend only where the Runtime has no snapshot to serve; with
// SECRETS_CACHE_TTL=0 it has none, and each token of the right shape is a fetch: not for a service
// that takes tokens from outside.
//
// What is demanded where nothing else is said: `exp`, no later than 30 minutes after `iat` (or
// now, without it); `typ` absent or "JWT"; no `aud`; `nbf` and `iat` not in the future, the latter
// by more than a minute. A weak key is not used, and Check() says so.
//
// Thread-safety: Verify, Check and statistics from several threads. Lifetime: must not outlive the
// Runtime, which must stay where it is.
class QARION_SECRETS_EXPORT Verifier {
 public:
  static Verifier For(Runtime& runtime, Algorithm algorithm = Algorithm::kHs256);
  // With keys of the caller's own.
  static Verifier With(Keys keys, Algorithm algorithm = Algorithm::kHs256);

  Verifier(Verifier&&) noexcept;
  Verifier& operator=(Verifier&&) noexcept;
  ~Verifier();

  // All of these before the first use.
  //
  // What is demanded of each token.
  Verifier RequireIssuer(std::string issuer) &&;
  Verifier RequireAudience(std::string audience) &&;  // to be among those of the token
  Verifier RequireSubject(std::string subject) &&;
  // `typ`, without regard to case and to "application/" before it (RFC 7515, 4.1.9).
  Verifier RequireType(std::string type) &&;

  // How far clocks may differ: added to the end and taken from the beginning of each life.
  Verifier Leeway(std::chrono::seconds leeway) &&;
  Verifier AcceptLifetimesUpTo(std::chrono::seconds longest) &&;
  Verifier AcceptTokensUpTo(std::size_t bytes) &&;  // 8 KiB where not set
  Verifier UseClock(std::shared_ptr<Clock> clock) &&;

  // What is given up. A stolen token then serves its thief for ever:
  Verifier AcceptMissingExpiry() &&;
  // one that was issued for another service is taken for one of this:
  Verifier AcceptAnyAudience() &&;
  // one of another kind, such as a refresh token, is taken for one of this:
  Verifier AcceptAnyType() &&;
  // and keys that can be guessed are trusted, for a service that cannot change its own yet.
  Verifier AcceptWeakKeys() &&;

  // Whether every key there is will do. kNotSet: no SECRET_KEY. kConfiguration: one that
  // RefuseWeakKey refuses, or two that are the same. Else the backend's error.
  Status Check() const;

  // kBadData: refused; RejectionOf() tells why. kNotSet, kConfiguration: there is no key that could
  // be used. Else the backend's error. No error has a part of the token.
  Result<VerifiedToken> Verify(std::string_view token) const;

  VerifierStatistics statistics() const noexcept;

 private:
  class Impl;
  explicit Verifier(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace qarion::secrets::jwt
