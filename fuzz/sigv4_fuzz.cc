// Any bytes as a request to sign. Its lines: path, query, name of a header, its value, session
// token; the rest is the payload.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/sigv4.h"
#include "require.h"

namespace crypto = qarion::secrets::crypto;
using qarion::secrets::Secret;
using qarion::secrets::SecretBuffer;

namespace {

template <typename Append>
std::string Made(Append append) {
  SecretBuffer out;
  append(out);
  return std::string(out.Reveal());
}

std::string Path(std::string_view path, crypto::PathStyle style) {
  return Made([&](SecretBuffer& out) { crypto::AppendCanonicalPath(path, style, out); });
}

std::string Query(std::string_view query) {
  return Made([&](SecretBuffer& out) { crypto::AppendCanonicalQuery(query, out); });
}

std::string HeaderValue(std::string_view value) {
  return Made([&](SecretBuffer& out) { crypto::AppendCanonicalHeaderValue(value, out); });
}

// Unreserved characters, bytes encoded in upper case, and `others`.
bool IsEncoded(std::string_view text, std::string_view others) {
  constexpr std::string_view kHexDigits = "0123456789ABCDEF";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3 || kHexDigits.find(text[i + 1]) == std::string_view::npos ||
          kHexDigits.find(text[i + 2]) == std::string_view::npos) {
        return false;
      }
      i += 2;
      continue;
    }
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') ||
                          std::string_view("-._~").find(c) != std::string_view::npos;
    if (!is_plain && others.find(c) == std::string_view::npos) return false;
  }
  return true;
}

void RequireSoundPath(std::string_view path) {
  const std::string object = Path(path, crypto::PathStyle::kObjectKey);
  Require(object.starts_with('/') && IsEncoded(object, "/"));
  Require(Path(object, crypto::PathStyle::kObjectKey) == object);

  const std::string normalized = Path(path, crypto::PathStyle::kNormalized);
  Require(normalized.starts_with('/') && IsEncoded(normalized, "/"));
  Require(normalized.find("//") == std::string::npos);
  for (const char* segment : {"/./", "/../"}) {
    Require((normalized + "/").find(segment) == std::string::npos);
  }
  // It encodes once more each time, so only what needs no encoding stays as it is.
  if (normalized.find('%') == std::string::npos) {
    Require(Path(normalized, crypto::PathStyle::kNormalized) == normalized);
  }
}

// As many lines as the headers make them, whatever is in the values.
void RequireSoundForm(const crypto::Signature& signature, std::ptrdiff_t header_count) {
  Require(std::ranges::count(signature.canonical_request.Reveal(), '\n') == 5 + header_count);
  Require(std::ranges::count(signature.string_to_sign, '\n') == 3);
  Require(signature.hex.size() == 64);
}

std::string_view TakeLine(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  crypto::SigningRequest request{.method = "POST",
                                 .path = TakeLine(rest),
                                 .query = TakeLine(rest),
                                 .headers = {{"Host", "fuzz.example"}},
                                 .payload = {}};
  request.headers.push_back({TakeLine(rest), TakeLine(rest)});
  const crypto::SigningCredentials credentials{.access_key_id = "AKIDEXAMPLE",
                                               .secret_access_key = Secret::CopyOf("fake"),
                                               .session_token = Secret::CopyOf(TakeLine(rest))};
  request.payload = rest;

  RequireSoundPath(request.path);
  const std::string query = Query(request.query);
  Require(IsEncoded(query, "=&") && Query(query) == query);
  const std::string value = HeaderValue(request.headers.back().value);
  Require(value.find_first_of("\r\n") == std::string::npos && HeaderValue(value) == value);

  const crypto::CredentialScope scope{.region = "us-east-1", .service = "fuzz"};
  const std::chrono::sys_seconds time{std::chrono::seconds(1'767'225'600)};
  const auto in_headers = crypto::SignWithHeaders(request, credentials, scope, time);
  const auto in_query =
      crypto::SignWithQuery(request, credentials, scope, time, std::chrono::seconds(60));
  Require(in_headers.has_value() == in_query.has_value());
  if (!in_headers) return 0;
  const std::string_view canonical = in_query->signature.canonical_request.Reveal();
  const std::ptrdiff_t own = std::ranges::count(canonical, '\n') - 5;
  Require(own == 1 || own == 2);  // the second one may be left out
  RequireSoundForm(in_query->signature, own);
  RequireSoundForm(in_headers->signature, own + (credentials.session_token.empty() ? 1 : 2));
  return 0;
}
