#include "core/percent_encoding.h"

#include "core/ascii.h"

namespace qarion::secrets::core {
namespace {

bool IsUnreserved(char c) noexcept {
  return IsLetterOrDigit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

}  // namespace

void AppendPercentEncoded(std::string_view bytes, SecretBuffer& out, std::string_view kept) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : bytes) {
    if (IsUnreserved(c) || kept.find(c) != std::string_view::npos) {
      out.Append(c);
      continue;
    }
    const auto value = static_cast<unsigned char>(c);
    const char encoded[] = {'%', kDigits[value >> 4], kDigits[value & 0xf]};
    out.Append({encoded, sizeof encoded});
  }
}

std::string PercentEncoded(std::string_view bytes, std::string_view kept) {
  SecretBuffer encoded;
  AppendPercentEncoded(bytes, encoded, kept);
  return std::string(encoded.Reveal());
}

}  // namespace qarion::secrets::core
