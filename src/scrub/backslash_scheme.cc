#include "scrub/backslash_scheme.h"

#include <cstddef>

#include "core/utf8.h"
#include "scrub/numerals.h"

namespace qarion::secrets::scrub {
namespace {

constexpr std::string_view kControls("\a\b\f\n\r\t\v\x1b\0", 9);
constexpr std::string_view kLetters = "abfnrtvE0";

// The letter that stands for a control character, or 0.
char LetterFor(char c, const BackslashScheme& scheme) {
  const std::size_t found = kControls.find(c);
  if (found == kControls.npos || !scheme.letters.contains(kLetters[found])) return '\0';
  return kLetters[found];
}

bool IsLineSeparator(char32_t c) { return c == 0x2028 || c == 0x2029; }

bool IsUnprintable(std::string_view text, char32_t c) {
  return c < 0xa0 || core::WhiteSpaceLength(text, 0) != 0 || c == 0xad || c == 0xfeff ||
         (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
         (c >= 0x2060 && c <= 0x206f) || (c >= 0xe000 && c <= 0xf8ff) ||
         (c >= 0xfff0 && c <= 0xfffb) || c >= 0xe0000;
}

bool IsByNumber(std::string_view text, char32_t c, Beyond beyond) {
  switch (beyond) {
    case Beyond::kNone: return false;
    case Beyond::kLineSeparators: return IsLineSeparator(c);
    case Beyond::kControl: return c < 0xa0 || IsLineSeparator(c);
    case Beyond::kUnprintable: return IsUnprintable(text, c);
    case Beyond::kAll: return true;
  }
  return false;
}

void AppendOctal(std::string_view bytes, SecretBuffer& out) {
  for (const char byte : bytes) {
    out.Append('\\');
    AppendNumber(static_cast<unsigned char>(byte), 8, 3, kLowerDigits, out);
  }
}

void AppendUnicode(char32_t code_point, std::string_view digits, SecretBuffer& out) {
  ForEachUtf16Unit(code_point, [&](char32_t unit) {
    out.Append("\\u");
    AppendNumber(unit, 16, 4, digits, out);
  });
}

void AppendLong(char32_t code_point, SecretBuffer& out) {
  out.Append(code_point < 0x10000 ? "\\u" : "\\U");
  AppendNumber(code_point, 16, code_point < 0x10000 ? 4 : 8, kLowerDigits, out);
}

// Appends the character of `bytes`; `next` is the byte after it.
void AppendByNumber(std::string_view bytes, char32_t c, char next, Numerals numerals,
                    SecretBuffer& out) {
  switch (numerals) {
    case Numerals::kNone: return out.Append(bytes);
    case Numerals::kUnicodeLower: return AppendUnicode(c, kLowerDigits, out);
    case Numerals::kUnicodeUpper: return AppendUnicode(c, kUpperDigits, out);
    case Numerals::kGo:
      if (c >= 0x80) return AppendLong(c, out);
      break;
    case Numerals::kPython:
      if (c >= 0x100) return AppendLong(c, out);
      out.Append("\\x");
      return AppendNumber(c, 16, 2, kLowerDigits, out);
    case Numerals::kBraces:
      out.Append("\\u{");
      AppendNumber(c, 16, 1, kLowerDigits, out);
      return out.Append('}');
    case Numerals::kHex: break;
    case Numerals::kOctal: return AppendOctal(bytes, out);
    case Numerals::kShortOctal:
      if (c >= 0x40 || (next >= '0' && next <= '7')) return AppendOctal(bytes, out);
      out.Append('\\');
      return AppendNumber(c, 8, 1, kLowerDigits, out);
  }
  AppendHexPairs(bytes, "\\x", kLowerDigits, out);
}

// A byte that is not UTF-8.
void AppendStray(std::string_view byte, Numerals numerals, SecretBuffer& out) {
  switch (numerals) {
    case Numerals::kNone:
    case Numerals::kUnicodeLower:
    case Numerals::kUnicodeUpper: return out.Append(byte);
    case Numerals::kOctal:
    case Numerals::kShortOctal: return AppendOctal(byte, out);
    default: AppendHexPairs(byte, "\\x", kLowerDigits, out);
  }
}

char CharacterAt(std::string_view text, std::size_t at) {
  return at < text.size() ? text[at] : '\0';
}

// What stands for the beginning of `text`. Returns how many bytes that is.
std::size_t AppendFirst(std::string_view text, const BackslashScheme& scheme, SecretBuffer& out) {
  const char first = text.front();
  if (static_cast<unsigned char>(first) < 0x80) {
    if (scheme.with_backslash.contains(first)) {
      out.Append('\\');
      out.Append(first);
    } else if (const char letter = LetterFor(first, scheme); letter != '\0') {
      out.Append('\\');
      out.Append(letter);
    } else {
      AppendByNumber(text.substr(0, 1), static_cast<unsigned char>(first), CharacterAt(text, 1),
                     scheme.numerals, out);
    }
    return 1;
  }
  const core::Character character = core::CharacterAt(text, 0);
  const std::string_view bytes = text.substr(0, character.length);
  if (character.length == 1) {
    AppendStray(bytes, scheme.numerals, out);
  } else if (IsByNumber(text, character.code_point, scheme.beyond)) {
    AppendByNumber(bytes, character.code_point, CharacterAt(text, bytes.size()), scheme.numerals,
                   out);
  } else {
    out.Append(bytes);
  }
  return bytes.size();
}

}  // namespace

void AppendBackslashed(std::string_view text, const BackslashScheme& scheme, SecretBuffer& out) {
  AppendChanged(text, scheme.changed, out,
                [&](std::string_view rest) { return AppendFirst(rest, scheme, out); });
}

}  // namespace qarion::secrets::scrub
