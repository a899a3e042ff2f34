#include <algorithm>
#include <array>

#include "core/ascii.h"
#include "qarion/secrets/secret.h"
#include "scrub/byte_set.h"
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

// As written and decoded.
void FindPercentEncoded(std::string_view text, const FoundPart& found) {
  found(text);
  if (!text.contains('%')) return;
  SecretBuffer decoded;
  AppendPercentDecoded(text, decoded);
  found(decoded.Reveal());
}

// A value in a query may also be that of a form, with `+` for a space (URL standard, 5.1).
void FindInQuery(std::string_view text, const FoundPart& found) {
  FindPercentEncoded(text, found);
  if (!text.contains('+')) return;
  SecretBuffer spaced;
  for (const char c : text) spaced.Append(c == '+' ? ' ' : c);
  SecretBuffer decoded;
  AppendPercentDecoded(spaced.Reveal(), decoded);
  found(decoded.Reveal());
}

constexpr std::string_view kAfterAuthority = "/?#";

bool BeginsWithPort(std::string_view text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const bool is_end = digits == text.size() || kAfterAuthority.contains(text[digits]) ||
                      text[digits] == ',';  // of lists of hosts
  return digits > 0 && digits <= 5 && is_end;
}

// user:password@host (RFC 3986, 3.2.1); empty where there is no password.
std::string_view PasswordOfUrl(std::string_view after_scheme) {
  std::string_view authority = after_scheme.substr(0, after_scheme.find_first_of(kAfterAuthority));
  const std::size_t colon = authority.find(':');
  if (colon == authority.npos) return {};
  // libpq and SQLAlchemy take what ends an authority for bytes of the password where `@` comes
  // only later. It may also be in the path after a port.
  const bool has_host = authority.contains('@') || authority.starts_with('[') ||
                        BeginsWithPort(authority.substr(colon + 1));
  if (!has_host) {
    const std::size_t at = std::min(after_scheme.find('@'), after_scheme.size());
    authority = after_scheme.substr(0, after_scheme.find_first_of(kAfterAuthority, at));
  }
  const std::size_t end = authority.rfind('@');
  if (end == authority.npos || colon >= end) return {};
  return authority.substr(colon + 1, end - colon - 1);
}

// Of each URL in the value.
void FindPasswordsInUrls(std::string_view value, const FoundPart& found) {
  constexpr std::string_view kAfterScheme = "://";
  std::size_t next = value.find(kAfterScheme);
  while (next != value.npos) {
    value.remove_prefix(next + kAfterScheme.size());
    next = value.find(kAfterScheme);
    const std::string_view url = value.substr(0, next);
    const std::string_view password = PasswordOfUrl(url.substr(0, url.find_first_of(kWhiteSpace)));
    if (!password.empty()) FindPercentEncoded(password, found);
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

constexpr bool IsBeforeParameter(char c) { return c == '?' || c == '&' || c == '#'; }

// Where that value ends if commas and white space before another setting end it too, and what
// the byte before its name tells: commas, as StackExchange.Redis has them, or a query.
std::size_t ShortestLength(std::string_view text, std::size_t longest, char before_name) {
  constexpr std::string_view kBetween = ", \t";
  const std::string_view ends =
      before_name == ',' ? "," : (IsBeforeParameter(before_name) ? "&#" : "");
  // Not farther than it has to look: settings may follow each other all the way.
  const ByteSet stops = ByteSet(kBetween) | ByteSet(ends);
  const std::string_view value = text.substr(0, longest);
  std::size_t at = stops.LengthWithout(value);
  while (at < value.size() && !ends.contains(value[at])) {
    const std::size_t next = std::min(text.find_first_not_of(kBetween, at), text.size());
    if (BeginsWithSetting(text.substr(next))) return at;
    if (next >= value.size()) return value.size();
    at = next + stops.LengthWithout(value.substr(next));
  }
  return at;
}

// Whether a value says something of a secret rather than being one: save_password=true, and the
// first line of a key, whose others are found as PEM.
bool IsNoSecret(std::string_view text) {
  return text.starts_with("-----BEGIN") || IsPublicWord(text);
}

// name=value, where names are words. With semicolons, these and line breaks are what ends values;
// else also white space and `&`.
void FindSettings(std::string_view value, const FoundPart& found) {
  constexpr auto is_in_name = [](char c) { return IsInWord(c) || c == ' '; };
  const std::string_view ends = value.contains(';') ? ";\r\n" : " \t\r\n&";
  std::size_t longest_end = 0;  // of the last value, read in the longest way
  std::size_t at = 0;
  while (true) {
    const std::size_t equals = value.find('=', at);
    if (equals == value.npos) return;
    std::size_t begin = equals;
    while (begin > at && is_in_name(value[begin - 1])) --begin;
    const char before_name = begin > 0 ? value[begin - 1] : '\0';
    at = equals + 1;
    if (!IsSecretName(value.substr(begin, equals - begin))) continue;
    at = std::min(value.find_first_not_of(" \t", at), value.size());
    const std::string_view rest = value.substr(at);
    if (const std::size_t quoted = FindQuoted(rest, found); quoted > 0) {
      at += quoted;
      continue;
    }
    // Of settings within such a value, not each with all that follows.
    const bool is_within = at < longest_end;
    if (!is_within) longest_end = at + LongestLength(rest, ends);
    const std::size_t longest = longest_end - at;
    const std::size_t shortest = ShortestLength(rest, longest, before_name);
    at += shortest;
    const std::string_view text = core::Trimmed(rest.substr(0, shortest), kWhiteSpace);
    if (IsNoSecret(text)) continue;
    if (IsBeforeParameter(before_name)) {
      FindInQuery(text, found);
    } else {
      found(text);
    }
    const bool has_more = !is_within && shortest > 0 && shortest < longest;
    if (has_more) found(core::Trimmed(rest.substr(0, longest), kWhiteSpace));
  }
}

}  // namespace

void FindConnectionParts(std::string_view value, const FoundPart& found) {
  FindPasswordsInUrls(value, found);
  if (value.contains('=')) FindSettings(value, found);
}

}  // namespace qarion::secrets::scrub
