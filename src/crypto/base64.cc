#include "crypto/base64.h"

#include <array>
#include <cstdint>
#include <utility>

namespace qarion::secrets::crypto {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t kNone = 0xff;

using Values = std::array<std::uint8_t, 256>;

constexpr Values AddValues(std::string_view alphabet, Values values) {
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}

constexpr Values kNoValues = [] {
  Values values{};
  values.fill(kNone);
  return values;
}();
constexpr Values kValues = AddValues(kAlphabet, kNoValues);
constexpr Values kUrlValues = AddValues(kUrlAlphabet, kNoValues);
constexpr Values kValuesOfBoth = AddValues(kUrlAlphabet, kValues);

// Text of full length without its padding; what is not padding is left for DecodeDigits to refuse.
std::string_view WithoutPadding(std::string_view text) {
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  return text;
}

std::optional<Secret> DecodeDigits(std::string_view digits, const Values& values) {
  SecretBuffer bytes(digits.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : digits) {
    const std::uint8_t value = values[static_cast<unsigned char>(c)];
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

SecretBuffer EncodePadded(std::string_view bytes, std::string_view alphabet) {
  SecretBuffer text((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t at) -> std::uint32_t {
      return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0;
    };
    const std::uint32_t bits = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    text.Append(alphabet[bits >> 18]);
    text.Append(alphabet[bits >> 12 & 63]);
    text.Append(i + 1 < bytes.size() ? alphabet[bits >> 6 & 63] : '=');
    text.Append(i + 2 < bytes.size() ? alphabet[bits & 63] : '=');
  }
  return text;
}

}  // namespace

std::optional<Secret> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  return DecodeDigits(WithoutPadding(text), kValues);
}

Secret EncodeBase64(std::string_view bytes) { return EncodePadded(bytes, kAlphabet).Seal(); }

std::optional<Secret> DecodeBase64Url(std::string_view text) {
  return DecodeDigits(text, kUrlValues);
}

Secret EncodeBase64Url(std::string_view bytes) {
  SecretBuffer text = EncodePadded(bytes, kUrlAlphabet);
  text.Truncate(WithoutPadding(text.Reveal()).size());
  return std::move(text).Seal();
}

std::optional<Secret> DecodeProtobufBase64(std::string_view text) {
  return DecodeDigits(text.size() % 4 == 0 ? WithoutPadding(text) : text, kValuesOfBoth);
}

}  // namespace qarion::secrets::crypto
