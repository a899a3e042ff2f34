#include "crypto/sigv4.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "core/ascii.h"
#include "core/percent_encoding.h"
#include "core/secret_memory.h"
#include "crypto/sha256.h"

namespace qarion::secrets::crypto {
namespace {

using std::chrono::sys_seconds;

// "SigV4 – Use AWS4-HMAC-SHA256 to specify the HMAC-SHA256 hash algorithm."
constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kTermination = "aws4_request";
constexpr char kSecurityToken[] = "X-Amz-Security-Token";
constexpr char kPayloadHash[] = "x-amz-content-sha256";
// Amazon S3 API Reference, Authenticating requests: using query parameters: "The maximum value for
// X-Amz-Expires is 604800 seconds (7 days)", the minimum 1.
constexpr std::chrono::seconds kLongestLifetime = std::chrono::days(7);

void AppendDigits(std::string& text, unsigned number, int count) {
  const std::size_t begin = text.size();
  text.resize(begin + static_cast<std::size_t>(count), '0');
  for (std::size_t i = text.size(); i > begin; number /= 10) {
    text[--i] = static_cast<char>('0' + number % 10);
  }
}

// "in ISO 8601 format (for example, 20130524T000000Z)". `time` has a year of four digits.
std::string DateTime(sys_seconds time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::string text;
  AppendDigits(text, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  AppendDigits(text, static_cast<unsigned>(date.month()), 2);
  AppendDigits(text, static_cast<unsigned>(date.day()), 2);
  text += 'T';
  AppendDigits(text, static_cast<unsigned>(clock.hours().count()), 2);
  AppendDigits(text, static_cast<unsigned>(clock.minutes().count()), 2);
  AppendDigits(text, static_cast<unsigned>(clock.seconds().count()), 2);
  text += 'Z';
  return text;
}

std::string_view DateOf(std::string_view date_time) { return date_time.substr(0, 8); }

// "separated by slashes (/)": "YYYYMMDD/region/service/aws4_request".
std::string ScopeText(std::string_view date, const CredentialScope& scope) {
  std::string text(date);
  text.append("/").append(scope.region).append("/").append(scope.service).append("/");
  return text.append(kTermination);
}

bool HasFourDigitYear(sys_seconds time) {
  using std::chrono::January, std::chrono::sys_days, std::chrono::year;
  return time >= sys_days(year(1000) / January / 1) && time < sys_days(year(10000) / January / 1);
}

// "The Region code, service code, and termination string must use lowercase characters."
bool IsLowerCase(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return c != core::AsciiLower(c); });
}

Status CheckIdentity(const SigningCredentials& credentials, const CredentialScope& scope) {
  const auto is_wrong = [](const char* what) {
    return Error(ErrorCode::kConfiguration,
                 std::string(what) + " is empty or has characters that it cannot have");
  };
  if (!IsScopePart(credentials.access_key_id)) return is_wrong("the AWS access key id");
  if (credentials.secret_access_key.empty()) {
    return Error(ErrorCode::kConfiguration, "the AWS secret access key is empty");
  }
  if (!credentials.session_token.empty() && !core::IsVisible(credentials.session_token.Reveal())) {
    return is_wrong("the AWS session token");
  }
  if (!IsScopePart(scope.region) || !IsLowerCase(scope.region)) return is_wrong("the AWS region");
  if (!IsScopePart(scope.service) || !IsLowerCase(scope.service)) {
    return is_wrong("the AWS signing name");
  }
  return {};
}

bool HasHeader(const SigningRequest& request, std::string_view name) {
  return std::ranges::any_of(request.headers, [&](const SigningHeader& header) {
    return core::EqualsIgnoringCase(header.name, name);
  });
}

Error HasAlready(std::string_view header) {
  return Error(ErrorCode::kInternal, "a request to sign has the header " + std::string(header));
}

Status Check(const SigningRequest& request, const SigningCredentials& credentials,
             const CredentialScope& scope, sys_seconds time) {
  if (auto checked = CheckSigningRequest(request); !checked) return checked;
  if (auto checked = CheckIdentity(credentials, scope); !checked) return checked;
  for (const char* name : {"Authorization", "X-Amz-Date", kSecurityToken}) {
    if (HasHeader(request, name)) return HasAlready(name);
  }
  if (!HasFourDigitYear(time)) {
    return Error(ErrorCode::kInternal,
                 "a request cannot be signed with a year that has not four digits");
  }
  return {};
}

// "To create a canonical request, concatenate the following strings, separated by newline
// characters": HTTPMethod, CanonicalUri, CanonicalQueryString, CanonicalHeaders, SignedHeaders,
// HashedPayload. The headers end with a newline of their own.
Secret CanonicalRequest(const SigningRequest& request, std::string_view query,
                        const CanonicalHeaders& headers, PathStyle path_style,
                        std::string_view payload_hash) {
  SecretBuffer text(request.path.size() + query.size() + headers.lines.size() + 512);
  text.Append(request.method);
  text.Append('\n');
  AppendCanonicalPath(request.path, path_style, text);
  text.Append('\n');
  AppendCanonicalQuery(query, text);
  text.Append('\n');
  text.Append(headers.lines.Reveal());
  text.Append('\n');
  text.Append(headers.signed_names);
  text.Append('\n');
  text.Append(payload_hash);
  return std::move(text).Seal();
}

// What both forms begin with.
struct Preparation {
  std::string date_time;
  std::string scope_text;
  std::string payload_hash;
};

Result<Preparation> Prepare(const SigningRequest& request, const SigningCredentials& credentials,
                            const CredentialScope& scope, sys_seconds time) {
  if (auto checked = Check(request, credentials, scope, time); !checked) return checked.error();
  // "Hex(SHA256Hash(payload))". "If there is no payload in the request, you compute a hash of the
  // empty string".
  const auto digest = Sha256(request.payload);
  if (!digest) return digest.error();
  std::string date_time = DateTime(time);
  std::string scope_text = ScopeText(DateOf(date_time), scope);
  return Preparation{.date_time = std::move(date_time),
                     .scope_text = std::move(scope_text),
                     .payload_hash = LowerHex(*digest)};
}

Result<Signature> Sign(Secret canonical_request, const Preparation& preparation,
                       const SigningCredentials& credentials, const CredentialScope& scope,
                       sys_seconds time) {
  const auto hash = Sha256(canonical_request.Reveal());
  if (!hash) return hash.error();
  // "To create a string to sign, concatenate the following strings, separated by newline
  // characters. Do not end this string with a newline character." Algorithm, RequestDateTime,
  // CredentialScope, HashedCanonicalRequest.
  std::string text(kAlgorithm);
  text.append("\n").append(preparation.date_time).append("\n");
  text.append(preparation.scope_text).append("\n").append(LowerHex(*hash));
  const auto key = DeriveSigningKey(credentials.secret_access_key, scope, time);
  if (!key) return key.error();
  // "signature = hash(SigningKey, string-to-sign)". "Convert the signature from binary to
  // hexadecimal representation, in lowercase characters."
  const auto code = HmacSha256(key->Reveal(), text);
  core::WipeTraces();  // of the keys, which went through OpenSSL's stack frames
  if (!code) return code.error();
  return Signature{.canonical_request = std::move(canonical_request),
                   .string_to_sign = std::move(text),
                   .hex = LowerHex(*code)};
}

// "There is no comma between the algorithm and Credential. However, the other elements must be
// separated by commas."
Secret Authorization(const SigningCredentials& credentials, std::string_view scope_text,
                     std::string_view signed_names, std::string_view signature) {
  SecretBuffer value(512);
  for (const std::string_view part :
       {kAlgorithm, std::string_view(" Credential="), std::string_view(credentials.access_key_id),
        std::string_view("/"), scope_text, std::string_view(", SignedHeaders="), signed_names,
        std::string_view(", Signature="), signature}) {
    value.Append(part);
  }
  return std::move(value).Seal();
}

// All but Authorization, which they are part of.
std::vector<AddedHeader> HeadersToSign(const Preparation& preparation, const Secret& session_token,
                                       bool add_payload_hash) {
  std::vector<AddedHeader> headers;
  // "When you use temporary security credentials, you must add X-Amz-Security-Token to the
  // Authorization header or include it in the query string to hold the session token."
  if (!session_token.empty()) headers.push_back({kSecurityToken, session_token.Share()});
  headers.push_back({"X-Amz-Date", Secret::CopyOf(preparation.date_time)});
  if (add_payload_hash) {
    headers.push_back({kPayloadHash, Secret::CopyOf(preparation.payload_hash)});
  }
  return headers;
}

void AppendParameter(std::string_view name, std::string_view value, SecretBuffer& query) {
  if (!query.empty()) query.Append('&');
  query.Append(name);
  query.Append('=');
  core::AppendPercentEncoded(value, query);
}

}  // namespace

bool IsScopePart(std::string_view text) {
  return !text.empty() && core::IsVisible(text) &&
         text.find_first_of("/,") == std::string_view::npos;
}

Result<Secret> DeriveSigningKey(const Secret& secret_access_key, const CredentialScope& scope,
                                sys_seconds time) {
  if (!HasFourDigitYear(time)) {
    return Error(ErrorCode::kInternal, "a signing key belongs to a year of four digits");
  }
  const std::string date_time = DateTime(time);
  // "Concatenate "AWS4" and the secret access key. Call the hash function with the concatenated
  // string as the key and the date string as the data." "The result of each call to the hash
  // function becomes the input for the next call to the hash function."
  SecretBuffer first;
  first.Reserve(4 + secret_access_key.size());
  first.Append("AWS4");
  first.Append(secret_access_key.Reveal());
  Secret key = std::move(first).Seal();
  for (const std::string_view data : {DateOf(date_time), std::string_view(scope.region),
                                      std::string_view(scope.service), kTermination}) {
    auto next = DeriveHmacSha256Key(key.Reveal(), data);
    if (!next) return next;
    key = *std::move(next);
  }
  return key;
}

Result<HeaderSignature> SignWithHeaders(const SigningRequest& request,
                                        const SigningCredentials& credentials,
                                        const CredentialScope& scope, sys_seconds time,
                                        const SigningOptions& options) {
  const auto preparation = Prepare(request, credentials, scope, time);
  if (!preparation) return preparation.error();
  if (options.add_payload_hash && HasHeader(request, kPayloadHash)) return HasAlready(kPayloadHash);
  HeaderSignature made{
      .signature = {},
      .headers = HeadersToSign(*preparation, credentials.session_token, options.add_payload_hash)};
  std::vector<SigningHeader> headers = request.headers;
  for (const AddedHeader& added : made.headers) {
    // "Other services require only that you add X-Amz-Security-Token at the end, after you
    // calculate the signature."
    if (added.name == kSecurityToken && !options.sign_session_token) continue;
    headers.push_back({added.name, added.value.Reveal()});
  }
  const CanonicalHeaders canonical = MakeCanonicalHeaders(headers);
  auto signature = Sign(CanonicalRequest(request, request.query, canonical, options.path_style,
                                         preparation->payload_hash),
                        *preparation, credentials, scope, time);
  if (!signature) return std::move(signature).error();
  made.signature = *std::move(signature);
  made.headers.push_back(
      {"Authorization", Authorization(credentials, preparation->scope_text, canonical.signed_names,
                                      made.signature.hex)});
  return made;
}

Result<QuerySignature> SignWithQuery(const SigningRequest& request,
                                     const SigningCredentials& credentials,
                                     const CredentialScope& scope, sys_seconds time,
                                     std::chrono::seconds lifetime, const SigningOptions& options) {
  const auto preparation = Prepare(request, credentials, scope, time);
  if (!preparation) return preparation.error();
  if (lifetime < std::chrono::seconds(1) || lifetime > kLongestLifetime) {
    return Error(ErrorCode::kInternal,
                 "a presigned request lives for a second to a week, not for " +
                     std::to_string(lifetime.count()) + " s");
  }
  const CanonicalHeaders headers = MakeCanonicalHeaders(request.headers);
  SecretBuffer query;
  query.Append(request.query);
  AppendParameter("X-Amz-Algorithm", kAlgorithm, query);
  AppendParameter("X-Amz-Credential", credentials.access_key_id + "/" + preparation->scope_text,
                  query);
  AppendParameter("X-Amz-Date", preparation->date_time, query);
  AppendParameter("X-Amz-SignedHeaders", headers.signed_names, query);
  AppendParameter("X-Amz-Expires", std::to_string(lifetime.count()), query);
  const std::size_t without_token = query.size();
  const Secret& token = credentials.session_token;
  if (!token.empty()) AppendParameter(kSecurityToken, token.Reveal(), query);
  const std::string_view signed_query =
      query.Reveal().substr(0, options.sign_session_token ? query.size() : without_token);
  auto signature = Sign(CanonicalRequest(request, signed_query, headers, options.path_style,
                                         preparation->payload_hash),
                        *preparation, credentials, scope, time);
  if (!signature) return std::move(signature).error();
  AppendParameter("X-Amz-Signature", signature->hex, query);
  return QuerySignature{.signature = *std::move(signature), .query = std::move(query).Seal()};
}

}  // namespace qarion::secrets::crypto
