#include "scrub/parts.h"

#include <algorithm>

#include "core/ascii.h"
#include "core/json_reader.h"
#include "qarion/secrets/secret.h"
#include "scrub/lines.h"
#include "scrub/pattern.h"

namespace qarion::secrets::scrub {
namespace {

template <typename Found>
void ForEachWord(std::string_view text, Found each) {
  while (true) {
    const std::size_t begin = text.find_first_not_of(kWhiteSpace);
    if (begin == text.npos) return;
    text.remove_prefix(begin);
    const std::size_t length = std::min(text.find_first_of(kWhiteSpace), text.size());
    each(text.substr(0, length));
    text.remove_prefix(length);
  }
}

// What is between the BEGIN and END lines of PEM, without the headers that those of encrypted keys
// have. Where all of it is on one line, with spaces for breaks, its words are what lines were.
void FindPemBody(std::string_view text, const FoundPart& found) {
  const bool is_one_line = text.find_first_of(kLineBreaks) == text.npos;
  SecretBuffer body;
  std::size_t words = 0;
  ForEachWord(text, [&](std::string_view word) {
    const auto is_of_body = [](char c) {
      return Base64Value(static_cast<unsigned char>(c)) >= 0 || c == '=';
    };
    if (!std::ranges::all_of(word, is_of_body)) return;
    if (is_one_line) found(word);
    body.Append(word);
    ++words;
  });
  if (words > 1 || !is_one_line) found(body.Reveal());
}

void FindPemBodies(std::string_view value, const FoundPart& found) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  constexpr std::string_view kEnd = "-----END ";
  constexpr std::string_view kAfterLabel = "-----";
  while (true) {
    const std::size_t end = value.find(kEnd);
    if (end == value.npos) return;
    std::string_view text = value.substr(0, end);
    value.remove_prefix(end + kEnd.size());
    const std::size_t begin = text.rfind(kBegin);
    if (begin == text.npos) continue;
    text.remove_prefix(begin + kBegin.size());
    const std::size_t label = text.find(kAfterLabel);
    if (label == text.npos) continue;
    FindPemBody(text.substr(label + kAfterLabel.size()), found);
  }
}

bool IsBase64Url(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return core::IsLetterOrDigit(c) || c == '-' || c == '_';
  });
}

// Compact serialisation (RFC 7515, 7.1): header.payload.signature.
void FindJwtSignature(std::string_view value, const FoundPart& found) {
  const std::size_t first = value.find('.');
  const std::size_t second = value.rfind('.');
  if (first == value.npos || first == second) return;
  const std::string_view signature = value.substr(second + 1);
  // Of a JSON object in Base64: `{` and a quote or a space, or `{` and a line break or a tab.
  const bool is_object = value.starts_with("ey") || value.starts_with("ew");
  if (is_object && IsBase64Url(value.substr(0, first)) &&
      IsBase64Url(value.substr(first + 1, second - first - 1)) && IsBase64Url(signature)) {
    found(signature);
  }
}

// RFC 4648, 4 and 5. Returns whether the text is Base64, with or without padding.
bool AppendBase64Decoded(std::string_view text, SecretBuffer& out) {
  text = text.substr(0, text.find_last_not_of('=') + 1);
  unsigned bits = 0;
  int count = 0;  // of bits that are not in a byte yet
  for (const char c : text) {
    const int digit = Base64Value(static_cast<unsigned char>(c));
    if (digit < 0) return false;
    bits = (bits << 6 | static_cast<unsigned>(digit)) & 0xfff;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.Append(static_cast<char>(bits >> count & 0xff));
    }
  }
  return true;
}

// RFC 7617, 2: Base64 of user:password.
void FindBasicCredentials(std::string_view text, const FoundPart& found) {
  SecretBuffer decoded;
  if (!AppendBase64Decoded(text, decoded)) return;
  const std::string_view pair = decoded.Reveal();
  const std::size_t colon = pair.find(':');
  if (colon == pair.npos) return;
  found(text);
  found(pair);
  found(pair.substr(colon + 1));
}

// Whether it is a scheme of HTTP's authorization, or ends with one: `Authorization:Bearer`.
bool EndsWithScheme(std::string_view word, std::string_view scheme) {
  if (word.size() < scheme.size()) return false;
  const std::string_view rest = word.substr(0, word.size() - scheme.size());
  return core::EqualsIgnoringCase(word.substr(rest.size()), scheme) &&
         (rest.empty() || !core::IsLetterOrDigit(rest.back()));
}

// What follows `Bearer` (RFC 6750, 2.1) and `Basic`, as headers and commands have it.
void FindCredentials(std::string_view value, const FoundPart& found) {
  constexpr auto is_of_token = [](char c) {
    return core::IsLetterOrDigit(c) || std::string_view("-._~+/=").contains(c);
  };
  std::string_view before;
  ForEachWord(value, [&](std::string_view word) {
    const std::string_view text = core::Trimmed(word, "\"',;");
    if (EndsWithScheme(before, "basic")) FindBasicCredentials(text, found);
    // "Bearer token" is a description, and `Bearer realm="x"` a challenge.
    const bool is_token =
        std::ranges::all_of(text, is_of_token) && std::ranges::any_of(text, core::IsDigit);
    if (is_token && EndsWithScheme(before, "bearer")) found(text);
    before = word;
  });
}

}  // namespace

void ForEachPart(std::string_view value, const FoundPart& found) {
  const bool is_json = ForEachJsonSecret(value, [&](const JsonSecret& secret) {
    if (secret.is_string) found(secret.text);
  });
  if (is_json) return;  // the strings may have parts, not what is between them
  FindConnectionParts(value, found);
  FindPemBodies(value, found);
  FindCredentials(value, found);
  FindJwtSignature(value, found);
}

}  // namespace qarion::secrets::scrub
