// Entities of XML (1.0, 2.4 and 4.6) and HTML.
#include <array>

#include "core/utf8.h"
#include "scrub/encodings.h"
#include "scrub/numerals.h"

namespace qarion::secrets::scrub {
namespace {

struct XmlScheme {
  constexpr XmlScheme(std::string_view quote_is, std::string_view apostrophe_is,
                      unsigned base_of_breaks = 0, bool all_beyond_ascii = false,
                      unsigned least_digits = 1)
      : quote(quote_is),
        apostrophe(apostrophe_is),
        breaks(base_of_breaks),
        beyond_ascii(all_beyond_ascii),
        digits(least_digits),
        changed("&<>") {
    if (quote.size() > 1) changed.Add('"');
    if (apostrophe.size() > 1) changed.Add('\'');
    if (breaks != 0) changed = changed | ByteSet("\t\n\r");
    if (beyond_ascii) changed = changed | ByteSet::Range(0x80, 0xff);
  }

  std::string_view quote;
  std::string_view apostrophe;
  unsigned breaks;    // in attributes tabs and line breaks are numbers to this base, 10 or 16
  bool beyond_ascii;  // is decimal numbers
  unsigned digits;    // of a number, at least
  ByteSet changed;
};

constexpr std::array kXmlSchemes = {
    XmlScheme("\"", "'"),                    // text
    XmlScheme("&quot;", "'"),                // attributes
    XmlScheme("&quot;", "&apos;"),           // .NET's SecurityElement
    XmlScheme("&quot;", "&#39;"),            // Django, Jinja, Ruby
    XmlScheme("&quot;", "&#x27;"),           // Python's html.escape
    XmlScheme("&quot;", "&#039;"),           // PHP's htmlspecialchars
    XmlScheme("&#34;", "&#39;"),             // Go's html
    XmlScheme("\"", "'", 10),                // Python's quoteattr, libxml2
    XmlScheme("&quot;", "'", 10),            //
    XmlScheme("&quot;", "'", 10, false, 2),  // Python's ElementTree
    XmlScheme("&quot;", "'", 16),            // .NET's XmlWriter
    XmlScheme("&#34;", "&#39;", 16),         // Go's encoding/xml
    XmlScheme("\"", "'", 0, true),           // Python's xmlcharrefreplace
    XmlScheme("&quot;", "'", 10, true),
};

void AppendReference(char32_t code_point, unsigned base, unsigned digits, SecretBuffer& out) {
  out.Append(base == 16 ? "&#x" : "&#");
  AppendNumber(code_point, base, digits, kUpperDigits, out);
  out.Append(';');
}

// What stands for the beginning of `text`. Returns how many bytes that is.
std::size_t AppendFirst(std::string_view text, const XmlScheme& scheme, SecretBuffer& out) {
  const char first = text.front();
  switch (first) {
    case '&': out.Append("&amp;"); return 1;
    case '<': out.Append("&lt;"); return 1;
    case '>': out.Append("&gt;"); return 1;
    case '"': out.Append(scheme.quote); return 1;
    case '\'': out.Append(scheme.apostrophe); return 1;
    default: break;
  }
  if (static_cast<unsigned char>(first) < 0x80) {
    AppendReference(static_cast<unsigned char>(first), scheme.breaks, scheme.digits, out);
    return 1;
  }
  const core::Character character = core::CharacterAt(text, 0);
  if (character.length == 1) {
    out.Append(first);
  } else {
    AppendReference(character.code_point, 10, scheme.digits, out);
  }
  return character.length;
}

}  // namespace

void AddXml(const Plaintext& plain, FormSink& sink) {
  for (const XmlScheme& scheme : kXmlSchemes) {
    if (!plain.bytes.Intersects(scheme.changed)) continue;
    sink.AddWritten(ScrubForm::kXml, [&](SecretBuffer& out) {
      AppendChanged(plain.text, scheme.changed, out,
                    [&](std::string_view rest) { return AppendFirst(rest, scheme, out); });
    });
  }
}

}  // namespace qarion::secrets::scrub
