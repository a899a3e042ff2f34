#include "jwt/compact.h"

#include <cstdint>
#include <span>

#include "crypto/token_text.h"

namespace qarion::secrets::jwt {

std::optional<CompactParts> SplitCompact(std::string_view token) noexcept {
  const std::size_t first = token.find('.');
  if (first == token.npos) return std::nullopt;
  const std::size_t second = token.find('.', first + 1);
  if (second == token.npos) return std::nullopt;
  const CompactParts parts{.header = token.substr(0, first),
                           .payload = token.substr(first + 1, second - first - 1),
                           .signature = token.substr(second + 1),
                           .signed_text = token.substr(0, second)};
  if (parts.header.empty() || parts.payload.empty() || parts.signature.empty() ||
      parts.signature.find('.') != token.npos) {
    return std::nullopt;
  }
  return parts;
}

bool DecodePart(std::string_view text, std::string& bytes) {
  bytes.resize(crypto::TokenBytesRoom(text.size()));
  const auto size = crypto::DecodeUnpaddedText(text, reinterpret_cast<std::uint8_t*>(bytes.data()));
  bytes.resize(size.value_or(0));
  return size.has_value();
}

void AppendEncoded(std::string_view bytes, std::string& text) {
  const std::size_t begin = text.size();
  text.resize(begin + crypto::TokenTextSize(bytes.size()));
  crypto::EncodeUnpaddedText({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()},
                             text.data() + begin);
  text.resize(begin + crypto::UnpaddedTextSize(bytes.size()));
}

}  // namespace qarion::secrets::jwt
