#include "crypto/base64.h"

#include <array>
#include <cstdint>
#include <utility>

namespace qarion::secrets::crypto {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNone = 0xff;

constexpr std::array<std::uint8_t, 256> kValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNone);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}();

}  // namespace

std::optional<Secret> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  SecretBuffer bytes(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const std::uint8_t value = kValues[static_cast<unsigned char>(c)];
    if (value == kNone) return std::nullopt;
    bits = bits << 6 | value;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes.Append(static_cast<char>(bits >> held & 0xff));
  }
  const bool has_rest = (bits & ((1U << held) - 1)) != 0;
  if (held >= 6 || has_rest) return std::nullopt;
  return std::move(bytes).Seal();
}

Secret EncodeBase64(std::string_view bytes) {
  SecretBuffer text((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t at) -> std::uint32_t {
      return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0;
    };
    const std::uint32_t bits = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    text.Append(kAlphabet[bits >> 18]);
    text.Append(kAlphabet[bits >> 12 & 63]);
    text.Append(i + 1 < bytes.size() ? kAlphabet[bits >> 6 & 63] : '=');
    text.Append(i + 2 < bytes.size() ? kAlphabet[bits & 63] : '=');
  }
  return std::move(text).Seal();
}

}  // namespace qarion::secrets::crypto
