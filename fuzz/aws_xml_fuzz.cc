// Any bytes as an answer in XML: a line with a path, then the document.
#include <cstdint>
#include <string_view>

#include "aws/xml_document.h"
#include "require.h"

using qarion::secrets::Secret;
using qarion::secrets::SecretBuffer;
namespace aws = qarion::secrets::aws;

namespace {

Secret Document(std::string_view text) {
  SecretBuffer xml;
  xml.Append("<n:a b='c'><b>");
  for (const char c : text) {
    if (c == '<') {
      xml.Append("&lt;");
    } else if (c == '&') {
      xml.Append("&#x26;");
    } else if (c == '>') {
      xml.Append("&#62;");
    } else {
      xml.Append(c);
    }
  }
  xml.Append("</b></n:a>");
  return std::move(xml).Seal();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = input.find('\n');
  if (end == std::string_view::npos) return 0;
  const auto text = aws::XmlText(input.substr(end + 1), input.substr(0, end));
  if (!text) return 0;
  // What was read is read again where it is written another way.
  const auto again = aws::XmlText(Document(text->Reveal()).Reveal(), "a/b");
  Require(again && again->Reveal() == text->Reveal());
  return 0;
}
