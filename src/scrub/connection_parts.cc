#include <algorithm>
#include <array>

#include "core/ascii.h"
#include "qarion/secrets/secret.h"
#include "scrub/lines.h"
#include "scrub/parts.h"
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

struct Quotes {
  char first;
  char last;
  char escape;  // makes the byte after it one of the text
};
constexpr std::array kQuotes = {
    Quotes{'"', '"', '"'},  Quotes{'\'', '\'', '\''},  // ADO.NET
    Quotes{'{', '}', '}'},                             // ODBC
    Quotes{'"', '"', '\\'}, Quotes{'\'', '\'', '\\'},  // libpq, files of settings
};

// Many braces that are never closed must not cost the square of their number.
constexpr std::size_t kLongestInBraces = 1024;

// Reads what is within quotes at the beginning of `text` into `inside`. Returns the length with
// both quotes; 0 where there are none, or where a word goes on after them, so that they must be
// read in another way.
std::size_t ReadQuoted(std::string_view text, const Quotes& quotes, SecretBuffer& inside) {
  inside.Clear();
  if (!text.starts_with(quotes.first)) return 0;
  if (quotes.first != quotes.last) text = text.substr(0, kLongestInBraces);
  const bool is_doubled = quotes.escape == quotes.last;
  bool has_escapes = false;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    const bool is_escape = text[i] == quotes.escape && (!is_doubled || next == quotes.last);
    if (text[i] == quotes.last && !is_escape) {
      const bool goes_on = core::IsLetterOrDigit(next) || next == quotes.last || next == '\\';
      // Without backslashes both ways are the same.
      return goes_on || (!is_doubled && !has_escapes) ? 0 : i + 1;
    }
    has_escapes = has_escapes || is_escape;
    if (is_escape && ++i == text.size()) return 0;
    inside.Append(text[i]);
  }
  return 0;
}

// Calls `found` with what is within quotes at the beginning of `text`, in each way in which it can
// be read. Returns the least length with both quotes, 0 where there are none.
std::size_t FindQuoted(std::string_view text, const FoundPart& found) {
  std::size_t least = 0;
  SecretBuffer inside;
  for (const Quotes& quotes : kQuotes) {
    const std::size_t length = ReadQuoted(text, quotes, inside);
    if (length == 0) continue;
    found(inside.Reveal());
    least = least == 0 ? length : std::min(least, length);
  }
  return least;
}

constexpr bool IsInWord(char c) { return core::IsLetterOrDigit(c) || c == '_' || c == '-'; }

bool BeginsWithSetting(std::string_view text) {
  const auto word = std::ranges::find_if_not(text, IsInWord);
  const auto after = std::find_if_not(word, text.end(), [](char c) { return c == ' '; });
  return word != text.begin() && after != text.end() && *after == '=';
}

// Where a value without quotes ends at the latest. A space after a backslash is one of the value,
// as libpq and shells read it.
std::size_t LongestLength(std::string_view text, std::string_view ends) {
  std::size_t end = text.find_first_of(ends);
  while (end != text.npos && end > 0 && text[end] == ' ' && text[end - 1] == '\\') {
    end = text.find_first_of(ends, end + 1);
  }
  return std::min(end, text.size());
}

// Where that value ends if commas and white space end it too: before the next setting, or at any
// comma where one is before the name, as StackExchange.Redis has it.
std::size_t ShortestLength(std::string_view text, std::size_t longest, bool is_after_comma) {
  constexpr std::string_view kBetween = ", \t";
  std::size_t at = 0;
  while (true) {
    at = std::min(text.substr(0, longest).find_first_of(kBetween, at), longest);
    if (at == longest || (is_after_comma && text[at] == ',')) return at;
    const std::size_t next = std::min(text.find_first_not_of(kBetween, at), text.size());
    if (BeginsWithSetting(text.substr(next))) return at;
    at = next;
  }
}

void FindUnquoted(std::string_view text, const FoundPart& found) {
  found(core::Trimmed(text, kWhiteSpace));
}

// name=value, where names are words. With semicolons, these and line breaks are what ends values;
// else also white space and `&`.
void FindSettings(std::string_view value, const FoundPart& found) {
  constexpr auto is_in_name = [](char c) { return IsInWord(c) || c == ' '; };
  const std::string_view ends = value.contains(';') ? ";\r\n" : " \t\r\n&";
  std::size_t longest_end = 0;  // of the last value that was found in full
  std::size_t at = 0;
  while (true) {
    const std::size_t equals = value.find('=', at);
    if (equals == value.npos) return;
    std::size_t begin = equals;
    while (begin > at && is_in_name(value[begin - 1])) --begin;
    const bool is_after_comma = begin > 0 && value[begin - 1] == ',';
    at = equals + 1;
    if (!IsSecretName(value.substr(begin, equals - begin))) continue;
    at = std::min(value.find_first_not_of(" \t", at), value.size());
    const std::string_view rest = value.substr(at);
    if (const std::size_t quoted = FindQuoted(rest, found); quoted > 0) {
      at += quoted;
      continue;
    }
    const bool is_within = at < longest_end;
    if (!is_within) longest_end = at + LongestLength(rest, ends);
    const std::size_t longest = longest_end - at;
    const std::size_t shortest = ShortestLength(rest, longest, is_after_comma);
    // A value within another that is found in full may have the same end.
    if (!is_within && shortest > 0) FindUnquoted(rest.substr(0, longest), found);
    if (is_within || shortest < longest) FindUnquoted(rest.substr(0, shortest), found);
    at += shortest;
  }
}

}  // namespace

void FindConnectionParts(std::string_view value, const FoundPart& found) {
  FindPasswordsInUrls(value, found);
  if (value.contains('=')) FindSettings(value, found);
}

}  // namespace qarion::secrets::scrub
