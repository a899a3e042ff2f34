#include "crypto/canonical_request.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <tuple>
#include <utility>

#include "core/ascii.h"
#include "core/percent_encoding.h"

namespace qarion::secrets::crypto {
namespace {

constexpr std::string_view kWhiteSpace = " \t\r\n\v\f";

using core::IsLetterOrDigit;

int HexValue(char c) noexcept {
  if (core::IsDigit(c)) return c - '0';
  const char lower = core::AsciiLower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Encodes once what may be encoded, in part or badly: `%7e` becomes `~` and `%2b` becomes `%2B`,
// while a percent sign that begins no encoded byte becomes `%25`. An encoded slash does not become
// one that separates segments.
void AppendEncodedOnce(std::string_view text, std::string_view kept, SecretBuffer& out) {
  while (!text.empty()) {
    const std::size_t percent = std::min(text.find('%'), text.size());
    core::AppendPercentEncoded(text.substr(0, percent), out, kept);
    text.remove_prefix(percent);
    if (text.empty()) return;
    const int high = text.size() > 2 ? HexValue(text[1]) : -1;
    const int low = text.size() > 2 ? HexValue(text[2]) : -1;
    const bool is_encoded = high >= 0 && low >= 0;
    const char byte = is_encoded ? static_cast<char>(high << 4 | low) : '%';
    core::AppendPercentEncoded({&byte, 1}, out);
    text.remove_prefix(is_encoded ? 3 : 1);
  }
}

// "Normalize URI paths according to RFC 3986. Remove redundant and relative path components." (AWS
// General Reference, Create a canonical request.) A slash at the end stays; `/a/..` at the end
// leaves none behind, as in botocore, where RFC 3986 would leave one.
std::vector<std::string_view> NormalizedSegments(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    const std::size_t length = std::min(path.find('/'), path.size());
    const std::string_view segment = path.substr(0, length);
    path.remove_prefix(std::min(length + 1, path.size()));
    if (segment == "..") {
      if (!segments.empty()) segments.pop_back();
    } else if (!segment.empty() && segment != ".") {
      segments.push_back(segment);
    }
  }
  return segments;
}

// A parameter inside the buffer that holds all of them, encoded.
struct Parameter {
  std::string_view name;
  std::string_view value;
};

// Hop-by-hop and changed on the way: "Do not include hop-by-hop headers that are frequently altered
// during transit across a complex system." These are the ones that botocore 1.44 leaves out.
bool IsLeftOut(std::string_view lower_case_name) {
  constexpr std::string_view kLeftOut[] = {
      "baggage",    "connection",         "expect",
      "keep-alive", "proxy-authenticate", "proxy-authorization",
      "te",         "traceparent",        "tracestate",
      "trailer",    "transfer-encoding",  "upgrade",
      "user-agent", "x-amzn-trace-id"};
  return std::ranges::find(kLeftOut, lower_case_name) != std::end(kLeftOut);
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), core::AsciiLower);
  return lower;
}

// RFC 9110, 5.6.2.
bool IsToken(std::string_view text) noexcept {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return IsLetterOrDigit(c) || kMarks.find(c) != std::string_view::npos;
  });
}

}  // namespace

void AppendCanonicalPath(std::string_view path, PathStyle style, SecretBuffer& out) {
  // "You do not normalize URI paths for requests to Amazon S3." (Amazon S3 API Reference.)
  if (style == PathStyle::kObjectKey) {
    if (!path.starts_with('/')) out.Append('/');
    return AppendEncodedOnce(path, "/", out);
  }
  // "If the absolute path is empty, use a forward slash character (/)."
  const std::vector<std::string_view> segments = NormalizedSegments(path);
  if (segments.empty()) return out.Append('/');
  // "Each path segment must be URI-encoded twice (except for Amazon S3 which only gets URI-encoded
  // once)." (AWS General Reference.) The path as sent has been encoded the first time.
  for (const std::string_view segment : segments) {
    out.Append('/');
    core::AppendPercentEncoded(segment, out);
  }
  if (path.ends_with('/')) out.Append('/');
}

void AppendCanonicalQuery(std::string_view query, SecretBuffer& out) {
  SecretBuffer encoded(3 * query.size());  // at most, so that views into it stay valid
  std::vector<Parameter> parameters;
  while (!query.empty()) {
    const std::size_t length = std::min(query.find('&'), query.size());
    const std::string_view parameter = query.substr(0, length);
    query.remove_prefix(std::min(length + 1, query.size()));
    if (parameter.empty()) continue;
    // "You URI-encode each name and value individually."
    const std::size_t equals = std::min(parameter.find('='), parameter.size());
    const std::size_t begin = encoded.size();
    AppendEncodedOnce(parameter.substr(0, equals), {}, encoded);
    const std::size_t middle = encoded.size();
    if (equals < parameter.size()) AppendEncodedOnce(parameter.substr(equals + 1), {}, encoded);
    parameters.push_back({.name = encoded.Reveal().substr(begin, middle - begin),
                          .value = encoded.Reveal().substr(middle)});
  }
  // "You must also sort the parameters in the canonical query string alphabetically by key name.
  // The sorting occurs after encoding." Those of one name are sorted by their values.
  std::ranges::sort(parameters, {}, [](const Parameter& p) { return std::tuple(p.name, p.value); });
  bool is_first = true;
  for (const Parameter& parameter : parameters) {
    if (!std::exchange(is_first, false)) out.Append('&');
    out.Append(parameter.name);
    // "When a request targets a subresource, the corresponding query parameter value will be an
    // empty string": there is an equals sign nevertheless.
    out.Append('=');
    out.Append(parameter.value);
  }
}

void AppendCanonicalHeaderValue(std::string_view value, SecretBuffer& out) {
  // "For values, you must: trim any leading or trailing spaces; convert sequential spaces to a
  // single space". Inside quotation marks too, and ends of folded lines count as spaces.
  value = core::Trimmed(value, kWhiteSpace);
  while (!value.empty()) {
    const std::size_t end = std::min(value.find_first_of(kWhiteSpace), value.size());
    out.Append(value.substr(0, end));
    value = core::Trimmed(value.substr(end), kWhiteSpace);
    if (!value.empty()) out.Append(' ');
  }
}

CanonicalHeaders MakeCanonicalHeaders(std::span<const SigningHeader> headers) {
  // "Each header name must: use lowercase characters; appear in alphabetical order; be followed by
  // a colon (:)". Sorted by names alone, not by lines: the colon must not take part. Those of one
  // name stay in their order.
  std::multimap<std::string, std::string_view> sorted;
  for (const SigningHeader& header : headers) {
    std::string name = Lower(header.name);
    if (!IsLeftOut(name)) sorted.emplace(std::move(name), header.value);
  }
  CanonicalHeaders canonical;
  const std::string* previous = nullptr;
  for (const auto& [name, value] : sorted) {
    // "separate the values for a multi-value header using commas"
    if (previous != nullptr && name == *previous) {
      canonical.lines.Truncate(canonical.lines.size() - 1);
      canonical.lines.Append(',');
    } else {
      canonical.lines.Append(name);
      canonical.lines.Append(':');
      // "An alphabetically sorted, semicolon-separated list of lowercase request header names."
      if (!canonical.signed_names.empty()) canonical.signed_names += ';';
      canonical.signed_names += name;
    }
    AppendCanonicalHeaderValue(value, canonical.lines);
    canonical.lines.Append('\n');
    previous = &name;
  }
  return canonical;
}

Status CheckSigningRequest(const SigningRequest& request) {
  if (!IsToken(request.method)) {
    return Error(ErrorCode::kInternal, "a request to sign has a method that is none");
  }
  const bool are_names = std::ranges::all_of(
      request.headers, [](const SigningHeader& header) { return IsToken(header.name); });
  if (!are_names) {
    return Error(ErrorCode::kInternal, "a request to sign has a header whose name is none");
  }
  // "You must include the host header (HTTP/1.1) or the :authority header (HTTP/2)".
  const auto hosts = std::ranges::count_if(request.headers, [](const SigningHeader& header) {
    return core::EqualsIgnoringCase(header.name, "host");
  });
  if (hosts != 1) {
    return Error(ErrorCode::kInternal,
                 "a request to sign names " + std::to_string(hosts) + " hosts, which must be one");
  }
  return {};
}

}  // namespace qarion::secrets::crypto
