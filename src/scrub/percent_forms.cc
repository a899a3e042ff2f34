// Percent-encoding (RFC 3986, 2.1). What encoders differ in is what they keep.
#include <array>
#include <string_view>
#include <utility>

#include "scrub/encodings.h"
#include "scrub/numerals.h"

namespace qarion::secrets::scrub {
namespace {

struct PercentScheme {
  constexpr PercentScheme(std::string_view kept, char space_is)
      : changed(~(ByteSet::Range('0', '9') | ByteSet::Range('A', 'Z') | ByteSet::Range('a', 'z') |
                  ByteSet(kept))),
        space(space_is) {}

  ByteSet changed;
  char space;  // '+', or '%' where it is encoded like others
};

constexpr std::array kPercentSchemes = {
    // RFC 3986, 2.3: Python's quote(safe=""), .NET's EscapeDataString, PHP's rawurlencode.
    PercentScheme("-._~", '%'), PercentScheme("-._~/", '%'),  // Python's quote
    PercentScheme("-._~", '+'),       // Python's quote_plus, Go's QueryEscape
    PercentScheme("-._*", '+'),       // forms of browsers (URL standard, 5.2), Java's URLEncoder
    PercentScheme("-._", '+'),        // PHP's urlencode
    PercentScheme("-._!*()", '+'),    // .NET's UrlEncode
    PercentScheme("-._~!*'()", '%'),  // JavaScript's encodeURIComponent
    PercentScheme("-._~!*'();/?:@&=+$,#", '%'),  // JavaScript's encodeURI
    PercentScheme("-._~$&+,;=", '%'),            // Go's url.UserPassword
    PercentScheme("-._~!$%&'()*+,", '%'),        // the password of a JavaScript URL
    // Of a JavaScript URL (URL standard, 1.3) the path and the query.
    PercentScheme("-._~!$%&'()*+,/:;=@[\\]^|", '%'),
    PercentScheme("-._~!$%&()*+,/:;=?@[\\]^`{|}", '%'),
    PercentScheme("-._~$&+:=@", '%'),     // Go's url.PathEscape
    PercentScheme("-._~$&+,/:;=@", '%'),  // Go's url.URL
    PercentScheme("-._*+/@", '%'),        // JavaScript's escape
};

void AppendPercent(std::string_view text, const PercentScheme& scheme, std::string_view digits,
                   SecretBuffer& out) {
  AppendChanged(text, scheme.changed, out, [&](std::string_view rest) -> std::size_t {
    if (rest.front() == ' ' && scheme.space == '+') {
      out.Append('+');
    } else {
      AppendHexPairs(rest.substr(0, 1), "%", digits, out);
    }
    return 1;
  });
}

}  // namespace

void AddPercent(const Plaintext& plain, FormSink& sink) {
  for (const auto& [digits, spelling] : {std::pair(kUpperDigits, Spelling::kPercentUpper),
                                         std::pair(kLowerDigits, Spelling::kPercentLower)}) {
    for (const PercentScheme& scheme : kPercentSchemes) {
      if (!plain.bytes.Intersects(scheme.changed)) continue;
      sink.AddWritten(ScrubForm::kPercent,
                      [&](SecretBuffer& out) { AppendPercent(plain.text, scheme, digits, out); });
    }
    AddSpelled(plain, {.form = ScrubForm::kPercent, .spelling = spelling}, sink);
  }
}

}  // namespace qarion::secrets::scrub
