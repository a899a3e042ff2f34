// Escapes that begin with a backslash: what JSON, C and its kin, and shells have in common.
#pragma once

#include <string_view>

#include "scrub/byte_set.h"
#include "scrub/encodings.h"

namespace qarion::secrets::scrub {

// How a character is written by its number.
enum class Numerals {
  kNone,          // no character is
  kUnicodeLower,  // \u00e9, two where UTF-16 needs two; bytes that are not UTF-8 stay
  kUnicodeUpper,  // \u00E9
  kGo,            // \u00e9, \U0001f600; ASCII and bytes that are not UTF-8: \x1b
  kPython,        // \xe9, \u0144, \U0001f600
  kBraces,        // \u{e9}; bytes that are not UTF-8: \xff
  kHex,           // \xc3\xa9, byte by byte
  kOctal,         // \303\251
  kShortOctal,    // with no more digits than are needed before what follows: \0, \33
};

// Which characters beyond ASCII are written by their numbers.
enum class Beyond {
  kNone,
  kLineSeparators,  // U+2028 and U+2029, which are none in JSON, but were in JavaScript
  kControl,         // control characters and line separators: what C's iswprint() is false of
  kUnprintable,     // white space, control, format and private characters; not unassigned ones
  kAll,
};

struct BackslashScheme {
  constexpr explicit BackslashScheme(std::string_view backslash_before,
                                     std::string_view control_letters = {},
                                     Numerals how = Numerals::kNone,
                                     std::string_view ascii_by_number = {},
                                     Beyond beyond_ascii = Beyond::kNone)
      : with_backslash(backslash_before),
        letters(control_letters),
        numerals(how),
        by_number(ascii_by_number),
        beyond(beyond_ascii),
        changed(ByteSet(with_backslash) | ByteSet(by_number)) {
    if (numerals != Numerals::kNone) {
      changed = changed | ByteSet::Range(0, 0x1f) | ByteSet::Range(0x80, 0xff);
    }
  }

  std::string_view with_backslash;  // characters that stand for themselves after a backslash
  std::string_view letters;         // of those control characters that have one, as n has
  Numerals numerals;                // of other control characters, and of:
  std::string_view by_number;       // characters of ASCII,
  Beyond beyond;                    // and those beyond it
  ByteSet changed;                  // bytes that may be
};

void AppendBackslashed(std::string_view text, const BackslashScheme& scheme, SecretBuffer& out);

// Adds it where the scheme changes something.
inline void AddBackslashed(const Plaintext& plain, const BackslashScheme& scheme, ScrubForm form,
                           FormSink& sink) {
  if (!plain.bytes.Intersects(scheme.changed)) return;
  sink.AddWritten(form, [&](SecretBuffer& out) { AppendBackslashed(plain.text, scheme, out); });
}

}  // namespace qarion::secrets::scrub
