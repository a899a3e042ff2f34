// Entities of XML (1.0, 2.4 and 4.6) and HTML.
#include <array>

#include "core/utf8.h"
#include "scrub/encodings.h"
#include "scrub/numerals.h"

namespace qarion::secrets::scrub {
namespace {

// What stands for the characters that mean something, and for others.
struct XmlScheme {
  std::string_view less = "&lt;";
  std::string_view greater = "&gt;";
  std::string_view quote = "\"";
  std::string_view apostrophe = "'";
  // Tabs and line breaks, in attributes, and what is beyond ASCII are references by number: to this
  // base, 10 or 16, if not 0.
  unsigned breaks = 0;
  unsigned beyond_ascii = 0;
  std::string_view digits = kUpperDigits;
  unsigned least_digits = 1;
  ByteSet changed = Changed();

 private:
  constexpr ByteSet Changed() const {
    ByteSet bytes("&");
    if (less.size() > 1) bytes.Add('<');
    if (greater.size() > 1) bytes.Add('>');
    if (quote.size() > 1) bytes.Add('"');
    if (apostrophe.size() > 1) bytes.Add('\'');
    if (breaks != 0) bytes = bytes | ByteSet("\t\n\r");
    if (beyond_ascii != 0) bytes = bytes | ByteSet::Range(0x80, 0xff);
    return bytes;
  }
};

constexpr std::array kXmlSchemes = {
    XmlScheme{},                                                // text
    XmlScheme{.quote = "&quot;"},                               // attributes
    XmlScheme{.less = "<", .greater = ">", .quote = "&quot;"},  // those of HTML, as browsers do it
    XmlScheme{.apostrophe = "&apos;"},                          // within apostrophes
    XmlScheme{.quote = "&quot;", .apostrophe = "&apos;"},       // .NET's SecurityElement
    XmlScheme{.quote = "&quot;", .apostrophe = "&#39;"},        // Django, Jinja, Ruby
    XmlScheme{.quote = "&quot;", .apostrophe = "&#x27;"},       // Python's html.escape
    XmlScheme{.quote = "&quot;", .apostrophe = "&#039;"},       // PHP's htmlspecialchars
    XmlScheme{.quote = "&#34;", .apostrophe = "&#39;"},         // Go's html
    XmlScheme{.breaks = 10},                                    // Python's quoteattr, libxml2
    XmlScheme{.quote = "&quot;", .breaks = 10},                 //
    XmlScheme{.quote = "&quot;", .breaks = 10, .least_digits = 2},  // Python's ElementTree
    XmlScheme{.quote = "&quot;", .breaks = 16},                     // .NET's XmlWriter
    // Canonical XML (1.1, 2.3).
    XmlScheme{.greater = ">", .quote = "&quot;", .breaks = 16},
    XmlScheme{.quote = "&#34;", .apostrophe = "&#39;", .breaks = 16},  // Go's encoding/xml
    XmlScheme{.beyond_ascii = 10},                                     // Python's xmlcharrefreplace
    XmlScheme{.quote = "&quot;", .breaks = 10, .beyond_ascii = 10},
    XmlScheme{.beyond_ascii = 16, .digits = kLowerDigits},  // Java's XMLStreamWriter
    XmlScheme{.quote = "&quot;", .beyond_ascii = 16, .digits = kLowerDigits},
    XmlScheme{.beyond_ascii = 16},  // .NET's XmlWriter
    XmlScheme{.quote = "&quot;", .breaks = 16, .beyond_ascii = 16},
};

void AppendReference(char32_t code_point, unsigned base, const XmlScheme& scheme,
                     SecretBuffer& out) {
  out.Append(base == 16 ? "&#x" : "&#");
  AppendNumber(code_point, base, scheme.least_digits, scheme.digits, out);
  out.Append(';');
}

// What stands for the beginning of `text`. Returns how many bytes that is.
std::size_t AppendFirst(std::string_view text, const XmlScheme& scheme, SecretBuffer& out) {
  const char first = text.front();
  switch (first) {
    case '&': out.Append("&amp;"); return 1;
    case '<': out.Append(scheme.less); return 1;
    case '>': out.Append(scheme.greater); return 1;
    case '"': out.Append(scheme.quote); return 1;
    case '\'': out.Append(scheme.apostrophe); return 1;
    default: break;
  }
  if (static_cast<unsigned char>(first) < 0x80) {
    AppendReference(static_cast<unsigned char>(first), scheme.breaks, scheme, out);
    return 1;
  }
  const core::Character character = core::CharacterAt(text, 0);
  if (character.length == 1) {
    out.Append(first);
  } else {
    AppendReference(character.code_point, scheme.beyond_ascii, scheme, out);
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
