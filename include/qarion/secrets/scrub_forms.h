// The ways in which a secret value may turn up in text.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace qarion::secrets {

// A family of spellings of one value.
enum class ScrubForm : std::uint8_t {
  kRaw,      // the bytes; without white space and quotes around them; without backslash escapes
  kLines,    // each line of a value of several, and its line breaks written in other ways
  kParts,    // what is secret inside a structured value: strings in JSON, the password of a URL ...
  kBase64,   // RFC 4648, 4 and 5, at all three phases, in one line or in lines of 64 or 76
  kHex,      // RFC 4648, 8, in both cases
  kPercent,  // RFC 3986, 2.1, as different encoders do it; '+' for a space
  kJson,     // RFC 8259, 7: the escapes of different encoders, once and twice
  kShell,    // quoted for a shell, SQL, YAML or CSV, and as `set -x` prints it
  kXml,      // entities of XML and HTML
  kC,        // string literals of C, Go, Python and Rust
  kUtf16,    // of a value that is UTF-8, in both byte orders
};
inline constexpr int kScrubFormCount = 11;

// A set of forms.
class ScrubForms {
 public:
  constexpr ScrubForms() = default;  // the empty set
  constexpr ScrubForms(std::initializer_list<ScrubForm> forms) {
    for (const ScrubForm form : forms) Add(form);
  }
  static constexpr ScrubForms All() {
    ScrubForms all;
    all.bits_ = (1U << kScrubFormCount) - 1;
    return all;
  }

  constexpr void Add(ScrubForm form) { bits_ |= Bit(form); }
  constexpr bool Has(ScrubForm form) const { return (bits_ & Bit(form)) != 0; }
  constexpr bool operator==(const ScrubForms&) const = default;

 private:
  static constexpr std::uint32_t Bit(ScrubForm form) { return 1U << static_cast<unsigned>(form); }

  std::uint32_t bits_ = 0;
};

}  // namespace qarion::secrets
