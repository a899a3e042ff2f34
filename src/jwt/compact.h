// The compact serialization of JSON Web Signatures (RFC 7515, 7.1): three parts of base64url with a
// dot between each two. Pure functions, thread-safe.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace qarion::secrets::jwt {

struct CompactParts {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view signed_text;  // header, dot, payload
};

// Nothing where it is not three parts, none of them empty.
std::optional<CompactParts> SplitCompact(std::string_view token) noexcept;

// Replaces what `bytes` holds. False where `text` is not canonical base64url without padding.
bool DecodePart(std::string_view text, std::string& bytes);

void AppendEncoded(std::string_view bytes, std::string& text);

}  // namespace qarion::secrets::jwt
