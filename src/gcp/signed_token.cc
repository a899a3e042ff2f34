#include "gcp/signed_token.h"

#include <utility>

#include "core/json_writer.h"
#include "crypto/base64.h"
#include "crypto/rsa_key.h"

namespace qarion::secrets::gcp {
namespace {

constexpr char kGrantAudience[] = "https://oauth2.googleapis.com/token";

Secret Header(const ServiceAccount& account) {
  core::JsonWriter json(core::JsonLayout::kCompact);
  json.BeginObject().Key("alg").Text("RS256").Key("typ").Text("JWT");
  if (!account.private_key_id.empty()) json.Key("kid").Text(account.private_key_id);
  json.EndObject();
  return std::move(json).Take();
}

// With the members that all claims to Google have; to be ended by the caller.
core::JsonWriter BeginClaims(const ServiceAccount& account, std::chrono::sys_seconds now) {
  core::JsonWriter json(core::JsonLayout::kCompact);
  json.BeginObject().Key("iss").Text(account.client_email);
  json.Key("iat").Number(now.time_since_epoch().count());
  json.Key("exp").Number((now + kSignedTokenLife).time_since_epoch().count());
  return json;
}

// In the compact form (RFC 7515, 3.1).
Result<Secret> Signed(const ServiceAccount& account, const Secret& key, const Secret& claims) {
  SecretBuffer token;
  token.Append(crypto::EncodeBase64Url(Header(account).Reveal()).Reveal());
  token.Append('.');
  token.Append(crypto::EncodeBase64Url(claims.Reveal()).Reveal());
  const auto signature =
      crypto::SignRs256(key, token.Reveal(), "the key of " + account.client_email);
  if (!signature) return signature.error();
  token.Append('.');
  token.Append(crypto::EncodeBase64Url(signature->Reveal()).Reveal());
  return std::move(token).Seal();
}

Result<Secret> Signed(const ServiceAccount& account, const Secret& key, core::JsonWriter claims) {
  claims.EndObject();
  return Signed(account, key, std::move(claims).Take());
}

}  // namespace

Result<Secret> SelfSignedToken(const ServiceAccount& account, const Secret& key,
                               const TokenUse& use, std::chrono::sys_seconds now) {
  core::JsonWriter claims = BeginClaims(account, now);
  claims.Key("sub").Text(account.client_email);
  if (use.audience.empty()) {
    claims.Key("scope").Text(use.scope);
  } else {
    claims.Key("aud").Text(use.audience);
  }
  return Signed(account, key, std::move(claims));
}

Result<Secret> GrantAssertion(const ServiceAccount& account, const Secret& key,
                              std::string_view scope, std::chrono::sys_seconds now) {
  core::JsonWriter claims = BeginClaims(account, now);
  claims.Key("aud").Text(kGrantAudience).Key("scope").Text(scope);
  return Signed(account, key, std::move(claims));
}

Secret ClaimsText(const IdentityClaims& claims, std::chrono::sys_seconds now) {
  core::JsonWriter json(core::JsonLayout::kCompact);
  json.BeginObject().Key("sub").Text(claims.subject).Key("aud").Text(claims.audience);
  json.Key("iat").Number(now.time_since_epoch().count());
  json.Key("exp").Number((now + claims.life).time_since_epoch().count()).EndObject();
  return std::move(json).Take();
}

Result<Secret> SignedIdentity(const ServiceAccount& account, const Secret& key,
                              const IdentityClaims& claims, std::chrono::sys_seconds now) {
  return Signed(account, key, ClaimsText(claims, now));
}

}  // namespace qarion::secrets::gcp
