// String literals of JSON, and of C and its kin.
#include <array>

#include "scrub/backslash_scheme.h"

namespace qarion::secrets::scrub {
namespace {

using enum Numerals;

// RFC 8259, 7: all but `"`, `\` and control characters "may be escaped".
constexpr std::array kJsonSchemes = {
    BackslashScheme("\"\\", "bfnrt", kUnicodeLower),  // JavaScript, C++ libraries, jq
    BackslashScheme("\"\\", "bfnrt", kUnicodeLower, "\x7f", Beyond::kAll),  // Python
    BackslashScheme("\"\\", "bfnrt", kUnicodeUpper, "\x7f", Beyond::kAll),  // Java
    BackslashScheme("\"\\/", "bfnrt", kUnicodeLower, "", Beyond::kAll),     // PHP
    BackslashScheme("\"\\/", "bfnrt", kUnicodeLower, "", Beyond::kLineSeparators),
    BackslashScheme("\"\\", "bfnrt", kUnicodeLower, "<>&", Beyond::kLineSeparators),    // Go, Rails
    BackslashScheme("\"\\", "bfnrt", kUnicodeLower, "<>&='", Beyond::kLineSeparators),  // Gson
    BackslashScheme("\"\\", "bfnrt", kUnicodeLower, "<>&'\x7f", Beyond::kAll),          // Flask
    BackslashScheme("\"\\", "bfnrt", kUnicodeUpper, "<>&\x7f", Beyond::kAll),           // Django
    BackslashScheme("\\", "bfnrt", kUnicodeUpper, "\"&'<>+`\x7f", Beyond::kAll),        // .NET
};

constexpr std::array kCSchemes = {
    BackslashScheme("\"\\", "abfnrtv", kGo, "\x7f", Beyond::kUnprintable),  // Go's %q
    BackslashScheme("\"\\", "abfnrtv", kGo, "\x7f", Beyond::kAll),          // Go's %+q
    BackslashScheme("\"\\", "abfnrtv", kHex, "\x7f", Beyond::kAll),         // C
    BackslashScheme("\"\\", "abfnrtv", kOctal, "\x7f", Beyond::kAll),       // gdb, git
    BackslashScheme("\"\\", "fnrtv", kShortOctal, "\x7f", Beyond::kAll),    // strace
    // Python's repr, ascii and repr of bytes, within either kind of quotes.
    BackslashScheme("\\", "nrt", kPython, "\x7f", Beyond::kUnprintable),
    BackslashScheme("'\\", "nrt", kPython, "\x7f", Beyond::kUnprintable),
    BackslashScheme("\\", "nrt", kPython, "\x7f", Beyond::kAll),
    BackslashScheme("'\\", "nrt", kPython, "\x7f", Beyond::kAll),
    BackslashScheme("\\", "nrt", kHex, "\x7f", Beyond::kAll),
    BackslashScheme("'\\", "nrt", kHex, "\x7f", Beyond::kAll),
    BackslashScheme("\"\\", "nrt0", kBraces, "\x7f", Beyond::kUnprintable),  // Rust's {:?}
    BackslashScheme("\"'\\", "nrt", kBraces, "\x7f", Beyond::kAll),  // Rust's escape_default
};

}  // namespace

void AddJson(const Plaintext& plain, FormSink& sink) {
  const BackslashScheme& least = kJsonSchemes.front();
  SecretBuffer once;
  for (const BackslashScheme& scheme : kJsonSchemes) {
    if (!plain.bytes.Intersects(scheme.changed)) continue;
    AddBackslashed(plain, scheme, ScrubForm::kJson, sink);
    // JSON within a string of JSON, of the same program or of one that escapes no more than it
    // must.
    once.Clear();
    AppendBackslashed(plain.text, scheme, once);
    const auto add_again = [&](const BackslashScheme& outer) {
      sink.AddWritten(ScrubForm::kJson,
                      [&](SecretBuffer& out) { AppendBackslashed(once.Reveal(), outer, out); });
    };
    add_again(scheme);
    if (&scheme != &least) add_again(least);
  }
}

void AddC(const Plaintext& plain, FormSink& sink) {
  for (const BackslashScheme& scheme : kCSchemes) {
    AddBackslashed(plain, scheme, ScrubForm::kC, sink);
  }
}

}  // namespace qarion::secrets::scrub
