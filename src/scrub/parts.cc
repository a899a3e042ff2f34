#include "scrub/parts.h"

#include <algorithm>

#include "core/ascii.h"
#include "core/json_reader.h"
#include "qarion/secrets/secret.h"
#include "scrub/lines.h"
#include "scrub/public_names.h"

namespace qarion::secrets::scrub {
namespace {

int HexDigit(char c) {
  if (core::IsDigit(c)) return c - '0';
  const char lower = core::AsciiLower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// RFC 3986, 2.1. A percent sign without digits stays.
void AppendPercentDecoded(std::string_view text, SecretBuffer& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = high >= 0 ? HexDigit(text[i + 2]) : -1;
    if (low < 0) {
      out.Append(text[i]);
    } else {
      out.Append(static_cast<char>(high << 4 | low));
      i += 2;
    }
  }
}

// scheme://user:password@host (RFC 3986, 3.2.1), of each URL in the value.
void FindPasswordsInUrls(std::string_view value, const FoundPart& found) {
  constexpr std::string_view kAfterScheme = "://";
  while (true) {
    const std::size_t colon = value.find(kAfterScheme);
    if (colon == value.npos) return;
    value.remove_prefix(colon + kAfterScheme.size());
    const std::string_view authority = value.substr(0, value.find_first_of("/?# \t\r\n"));
    const std::size_t end = authority.rfind('@');
    const std::size_t begin = authority.find(':');
    if (end == authority.npos || begin >= end) continue;
    const std::string_view password = authority.substr(begin + 1, end - begin - 1);
    found(password);
    if (password.contains('%')) {
      SecretBuffer decoded;
      AppendPercentDecoded(password, decoded);
      found(decoded.Reveal());
    }
  }
}

// Reads what is within quotes at the beginning of `text` into `inside`; a backslash or a second
// quote makes a quote one of the text. Returns the length with both quotes, 0 where they are not
// closed.
std::size_t ReadQuoted(std::string_view text, SecretBuffer& inside) {
  const char quote = text.front();
  inside.Clear();
  for (std::size_t i = 1; i < text.size(); ++i) {
    const std::string_view next = text.substr(i + 1, 1);
    const bool is_doubled = text[i] == quote && next.starts_with(quote);
    if (text[i] == quote && !is_doubled) return i + 1;
    const bool is_escaped = text[i] == '\\' && next.find_first_of("\\'\"") == 0;
    if (is_doubled || is_escaped) ++i;
    inside.Append(text[i]);
  }
  return 0;
}

// name=value, where names are words. With semicolons, these and line breaks are what ends values;
// else also white space and `&`.
void FindSettings(std::string_view value, const FoundPart& found) {
  constexpr auto is_in_name = [](char c) {
    return core::IsLetterOrDigit(c) || c == '_' || c == '-' || c == ' ';
  };
  const std::string_view ends = value.contains(';') ? ";\r\n" : " \t\r\n&";
  while (true) {
    const std::size_t equals = value.find('=');
    if (equals == value.npos) return;
    std::size_t begin = equals;
    while (begin > 0 && is_in_name(value[begin - 1])) --begin;
    const std::string_view name = value.substr(begin, equals - begin);
    value.remove_prefix(equals + 1);
    if (!IsSecretName(name)) continue;
    value.remove_prefix(value.substr(0, value.find_first_not_of(" \t")).size());
    SecretBuffer inside;
    const bool may_be_quoted = value.starts_with('"') || value.starts_with('\'');
    std::size_t length = may_be_quoted ? ReadQuoted(value, inside) : 0;
    if (length > 0) {
      found(inside.Reveal());
    } else {
      length = value.substr(0, value.find_first_of(ends)).size();
      found(core::Trimmed(value.substr(0, length), kWhiteSpace));
    }
    value.remove_prefix(length);
  }
}

void FindPemBodies(std::string_view value, const FoundPart& found) {
  SecretBuffer body;
  bool is_inside = false;
  ForEachLine(value, [&](std::string_view line) {
    if (line.starts_with("-----BEGIN ")) {
      is_inside = true;
      body.Clear();
    } else if (line.starts_with("-----END ")) {
      if (is_inside) found(body.Reveal());
      is_inside = false;
    } else if (is_inside && !IsPemFrame(line)) {
      body.Append(line);
    }
  });
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

}  // namespace

void ForEachPart(std::string_view value, const FoundPart& found) {
  const bool is_json = ForEachJsonSecret(value, [&](const JsonSecret& secret) {
    if (secret.is_string) found(secret.text);
  });
  if (is_json) return;  // the strings may have parts, not what is between them
  FindPasswordsInUrls(value, found);
  if (value.contains('=')) FindSettings(value, found);
  if (value.contains("-----BEGIN ")) FindPemBodies(value, found);
  FindJwtSignature(value, found);
}

}  // namespace qarion::secrets::scrub
