#include "jwt/policy.h"

#include <algorithm>

#include "core/ascii.h"
#include "core/json_reader.h"
#include "jwt/claims_json.h"

namespace qarion::secrets::jwt {
namespace {

using core::JsonEvent;

// RFC 7515, 4.1.9: "A recipient using the media type value MUST treat it as if "application/" were
// prepended to any "typ" value not containing a '/'".
std::string_view WithoutApplication(std::string_view type) {
  constexpr std::string_view kApplication = "application/";
  const std::string_view beginning = type.substr(0, kApplication.size());
  const bool has_other_slash =
      type.find('/', std::min(kApplication.size(), type.size())) != type.npos;
  if (!has_other_slash && core::EqualsIgnoringCase(beginning, kApplication)) {
    type.remove_prefix(kApplication.size());
  }
  return type;
}

// The standard claims, where they are there.
struct StandardClaims {
  const JsonMember* issuer = nullptr;
  const JsonMember* subject = nullptr;
  const JsonMember* audience = nullptr;
  std::optional<NumericDate> expires_at;
  std::optional<NumericDate> not_before;
  std::optional<NumericDate> issued_at;
};

bool ReadDate(const JsonMember& member, std::optional<NumericDate>& date) {
  date = NumericDateOf(member);
  return date.has_value();
}

bool ReadText(const JsonMember& member, const JsonMember*& text) {
  text = &member;
  return member.kind == JsonEvent::kString;
}

bool ReadAudience(const JsonMember& member, const JsonMember*& audience) {
  audience = &member;
  return member.kind == JsonEvent::kString || IsArrayOfTexts(member.json);
}

// Nothing where one is not what a standard claim has to be.
std::optional<StandardClaims> Read(const JsonObject& object) {
  StandardClaims claims;
  const JsonMember* id = nullptr;
  for (const JsonMember& member : object.members()) {
    if (member.name.size() != 3) continue;
    bool is_right = true;
    switch (member.name.front()) {
      case 'e':
        if (member.name == "exp") is_right = ReadDate(member, claims.expires_at);
        break;
      case 'n':
        if (member.name == "nbf") is_right = ReadDate(member, claims.not_before);
        break;
      case 'i':
        if (member.name == "iat") is_right = ReadDate(member, claims.issued_at);
        if (member.name == "iss") is_right = ReadText(member, claims.issuer);
        break;
      case 's':
        if (member.name == "sub") is_right = ReadText(member, claims.subject);
        break;
      case 'j':
        if (member.name == "jti") is_right = ReadText(member, id);
        break;
      case 'a':
        if (member.name == "aud") is_right = ReadAudience(member, claims.audience);
        break;
      default: break;
    }
    if (!is_right) return std::nullopt;
  }
  return claims;
}

bool Is(const JsonMember* claim, const std::string& wanted) {
  return claim != nullptr && claim->text == wanted;
}

bool IsAmong(const JsonMember* audience, const std::string& wanted) {
  if (audience == nullptr) return false;
  if (audience->kind == JsonEvent::kString) return audience->text == wanted;
  return HasText(audience->json, wanted);
}

}  // namespace

bool Policy::AcceptsType(std::optional<std::string_view> given) const {
  if (accepts_any_type) return true;
  if (!given) return !type;
  return core::EqualsIgnoringCase(WithoutApplication(*given),
                                  WithoutApplication(type ? *type : "JWT"));
}

std::optional<Rejection> Policy::Judge(const JsonObject& object, std::int64_t now) const {
  const auto claims = Read(object);
  if (!claims) return Rejection::kBadClaim;
  // All of these are at most 2^53 and `now` is what a clock says, so sums do not overflow: the
  // leeway and the longest life are held to that too.
  const std::int64_t skew = leeway.count();
  if (!claims->expires_at) {
    if (!accepts_missing_expiry) return Rejection::kMissingExpiry;
  } else if (now >= claims->expires_at->seconds + skew) {
    // RFC 7519, 4.1.4: "on or after which the JWT MUST NOT be accepted".
    return Rejection::kExpired;
  }
  if (claims->not_before && claims->not_before->RoundedUp() > now + skew) {
    return Rejection::kNotYetValid;
  }
  const std::int64_t ahead = std::max(skew, std::int64_t{kClockSkew.count()});
  if (claims->issued_at && claims->issued_at->seconds > now + ahead) {
    return Rejection::kIssuedInFuture;
  }
  if (claims->expires_at) {
    const std::int64_t begin = claims->issued_at ? claims->issued_at->seconds : now + skew;
    if (claims->expires_at->seconds - begin > longest_life.count()) return Rejection::kLivesTooLong;
  }
  if (issuer && !Is(claims->issuer, *issuer)) return Rejection::kWrongIssuer;
  if (audience ? !IsAmong(claims->audience, *audience)
               : claims->audience != nullptr && !accepts_any_audience) {
    return Rejection::kWrongAudience;
  }
  if (subject && !Is(claims->subject, *subject)) return Rejection::kWrongSubject;
  return std::nullopt;
}

}  // namespace qarion::secrets::jwt
