#include "crypto/token_text.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "crypto/token_text_ssse3.h"

namespace qarion::secrets::crypto {
namespace {

constexpr std::string_view kTokenAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint32_t kNoToken = 0x80000000;

// Two characters for each twelve bits.
struct Pair {
  char first;
  char second;
};
constexpr std::array<Pair, 4096> kPairs = [] {
  std::array<Pair, 4096> pairs{};
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    pairs[i] = Pair{kTokenAlphabet[i >> 6], kTokenAlphabet[i & 63]};
  }
  return pairs;
}();

// kTokenValues[n][c]: the bits of character c, standing where the nth of four has them; or
// kNoToken.
using TokenValues = std::array<std::array<std::uint32_t, 256>, 4>;
constexpr TokenValues kTokenValues = [] {
  TokenValues values{};
  for (std::size_t n = 0; n < values.size(); ++n) {
    values[n].fill(kNoToken);
    for (std::uint32_t i = 0; i < kTokenAlphabet.size(); ++i) {
      values[n][static_cast<unsigned char>(kTokenAlphabet[i])] = i << (18 - 6 * n);
    }
  }
  return values;
}();

std::uint32_t ValueOf(std::string_view four, std::size_t n) noexcept {
  return kTokenValues[n][static_cast<unsigned char>(four[n])];
}

void Store(std::uint32_t bits, std::uint8_t* bytes) noexcept {
  bytes[0] = static_cast<std::uint8_t>(bits >> 16);
  bytes[1] = static_cast<std::uint8_t>(bits >> 8);
  bytes[2] = static_cast<std::uint8_t>(bits);
}

// Of one character in either alphabet, or kNoToken.
std::uint32_t LenientValue(char c) noexcept {
  if (c == '+') c = '-';
  if (c == '/') c = '_';
  return kTokenValues[3][static_cast<unsigned char>(c)];
}

}  // namespace

void EncodeTokenText(std::span<const std::uint8_t> bytes, char* text) noexcept {
  const std::size_t done = EncodeTokenTextSsse3(bytes, text);
  EncodeTokenTextPortable(bytes.subspan(done), text + TokenTextSize(done));
}

void EncodeTokenTextPortable(std::span<const std::uint8_t> bytes, char* text) noexcept {
  const auto put = [&text](std::uint32_t twelve_bits) {
    std::memcpy(text, &kPairs[twelve_bits], sizeof(Pair));
    text += sizeof(Pair);
  };
  for (; bytes.size() >= 3; bytes = bytes.subspan(3)) {
    const std::uint32_t bits =
        std::uint32_t{bytes[0]} << 16 | std::uint32_t{bytes[1]} << 8 | bytes[2];
    put(bits >> 12);
    put(bits & 0xfff);
  }
  if (bytes.empty()) return;
  const std::uint32_t second = bytes.size() == 2 ? bytes[1] : 0;
  const std::uint32_t bits = std::uint32_t{bytes[0]} << 16 | second << 8;
  put(bits >> 12);
  put(bits & 0xfff);
  text[-1] = '=';
  if (bytes.size() == 1) text[-2] = '=';
}

std::optional<std::size_t> DecodeTokenText(std::string_view text, std::uint8_t* bytes) noexcept {
  const std::size_t done = DecodeTokenTextSsse3(text, bytes);
  const std::size_t written = done / 4 * 3;
  const auto rest = DecodeTokenTextPortable(text.substr(done), bytes + written);
  if (!rest) return std::nullopt;
  return written + *rest;
}

std::optional<std::size_t> DecodeTokenTextPortable(std::string_view text,
                                                   std::uint8_t* bytes) noexcept {
  if (text.empty()) return 0;
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t size = 0;
  std::uint32_t all = 0;
  for (; text.size() > 4; text.remove_prefix(4)) {
    const std::uint32_t bits =
        ValueOf(text, 0) | ValueOf(text, 1) | ValueOf(text, 2) | ValueOf(text, 3);
    all |= bits;
    Store(bits, bytes + size);
    size += 3;
  }
  const std::size_t padding = text[3] != '=' ? 0 : text[2] != '=' ? 1 : 2;
  const std::uint32_t bits = ValueOf(text, 0) | ValueOf(text, 1) |
                             (padding < 2 ? ValueOf(text, 2) : 0) |
                             (padding < 1 ? ValueOf(text, 3) : 0);
  all |= bits;
  const std::uint32_t unused = padding == 2 ? 0xffff : padding == 1 ? 0xff : 0;
  if ((all & kNoToken) != 0 || (bits & unused) != 0) return std::nullopt;
  Store(bits, bytes + size);
  return size + 3 - padding;
}

void EncodeUnpaddedText(std::span<const std::uint8_t> bytes, char* text) noexcept {
  EncodeTokenText(bytes, text);  // the padding is beyond what is asked for
}

std::optional<std::size_t> DecodeUnpaddedText(std::string_view text, std::uint8_t* bytes) noexcept {
  const std::size_t rest = text.size() % 4;
  const std::string_view whole = text.substr(0, text.size() - rest);
  if (rest == 1 || whole.ends_with('=')) return std::nullopt;
  const auto size = DecodeTokenText(whole, bytes);
  if (!size || rest == 0) return size;
  std::array<char, 4> last = {'=', '=', '=', '='};
  text.copy(last.data(), rest, whole.size());
  if (last[rest - 1] == '=') return std::nullopt;
  const auto more = DecodeTokenTextPortable({last.data(), last.size()}, bytes + *size);
  if (!more) return std::nullopt;
  return *size + *more;
}

// As CPython's binascii.a2b_base64 without strict_mode.
std::optional<std::size_t> DecodeTokenTextLeniently(std::string_view text,
                                                    std::uint8_t* bytes) noexcept {
  std::size_t size = 0;
  std::uint32_t bits = 0;
  std::size_t held = 0;  // characters of a group of four
  std::size_t padding = 0;
  for (const char c : text) {
    if (c == '=') {
      // "A pad sequence means we should not parse more input."
      if (held >= 2 && held + ++padding >= 4) break;
      continue;
    }
    const std::uint32_t value = LenientValue(c);
    if (value == kNoToken) continue;
    padding = 0;
    bits = bits << 6 | value;
    if (++held < 4) continue;
    Store(bits, bytes + size);
    size += 3;
    bits = 0;
    held = 0;
  }
  if (held == 0) return size;
  if (held == 1) return std::nullopt;
  Store(bits << (6 * (4 - held)), bytes + size);
  return size + held - 1;
}

}  // namespace qarion::secrets::crypto
