#include "crypto/token_text.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qarion::secrets::crypto {
namespace {

using Decoder = std::optional<std::size_t> (*)(std::string_view, std::uint8_t*);
using Encoder = void (*)(std::span<const std::uint8_t>, char*);

constexpr Decoder kStrict[] = {
    [](std::string_view text, std::uint8_t* bytes) { return DecodeTokenText(text, bytes); },
    [](std::string_view text, std::uint8_t* bytes) {
      return DecodeTokenTextPortable(text, bytes);
    }};
constexpr Encoder kEncoders[] = {
    [](std::span<const std::uint8_t> bytes, char* text) { EncodeTokenText(bytes, text); },
    [](std::span<const std::uint8_t> bytes, char* text) { EncodeTokenTextPortable(bytes, text); }};
constexpr Decoder kLenient = [](std::string_view text, std::uint8_t* bytes) {
  return DecodeTokenTextLeniently(text, bytes);
};

constexpr char kRefused[] = "refused";

// What is read, or kRefused. Room behind what may be written is looked at.
std::string Decoded(Decoder decode, std::string_view text) {
  const std::size_t room = TokenBytesRoom(text.size());
  std::vector<std::uint8_t> bytes(room + 1, 0xee);
  const auto size = decode(text, bytes.data());
  EXPECT_EQ(bytes[room], 0xee);
  if (!size) return kRefused;
  EXPECT_LE(*size, room);
  return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(*size)};
}

std::string Encoded(Encoder encode, std::string_view bytes) {
  const std::span data(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  std::string text(TokenTextSize(bytes.size()) + 1, '#');
  encode(data, text.data());
  EXPECT_EQ(text.back(), '#');
  text.pop_back();
  return text;
}

// RFC 4648, 10.
const std::vector<std::pair<std::string, std::string>> kPublished = {{"", ""},
                                                                     {"f", "Zg=="},
                                                                     {"fo", "Zm8="},
                                                                     {"foo", "Zm9v"},
                                                                     {"foob", "Zm9vYg=="},
                                                                     {"fooba", "Zm9vYmE="},
                                                                     {"foobar", "Zm9vYmFy"}};

TEST(TokenText, IsThatOfTheStandard) {
  for (const auto& [bytes, text] : kPublished) {
    for (const Encoder encode : kEncoders) EXPECT_EQ(Encoded(encode, bytes), text);
    for (const Decoder decode : kStrict) EXPECT_EQ(Decoded(decode, text), bytes);
    EXPECT_EQ(Decoded(kLenient, text), bytes);
  }
}

// Each value of six bits once, at each place of sixteen, by Python's base64.urlsafe_b64encode.
TEST(TokenText, HasTheAlphabetForUrls) {
  const std::string text = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const auto bits = static_cast<std::uint32_t>(i << 18 | (i + 1) << 12 | (i + 2) << 6 | (i + 3));
    for (const int shift : {16, 8, 0}) bytes += static_cast<char>(bits >> shift & 0xff);
  }
  for (std::size_t turn = 0; turn < text.size(); turn += 4) {
    const auto turned = [](const std::string& s, std::size_t by) {
      return s.substr(by) + s.substr(0, by);
    };
    const std::string turned_text = turned(text, turn);
    const std::string turned_bytes = turned(bytes, turn / 4 * 3);
    for (const Encoder encode : kEncoders) EXPECT_EQ(Encoded(encode, turned_bytes), turned_text);
    for (const Decoder decode : kStrict) EXPECT_EQ(Decoded(decode, turned_text), turned_bytes);
  }
}

TEST(TokenText, IsReadBackAtEveryLength) {
  std::mt19937 random(1);
  for (std::size_t size = 0; size < 300; ++size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(random());
    const std::string text = Encoded(kEncoders[1], bytes);
    EXPECT_EQ(Encoded(kEncoders[0], bytes), text);
    for (const Decoder decode : kStrict) EXPECT_EQ(Decoded(decode, text), bytes);
    EXPECT_EQ(Decoded(kLenient, text), bytes);
  }
}

TEST(TokenText, IsRefusedWithAnyOtherCharacterAnywhere) {
  const std::string text(64, 'A');
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (int c = 0; c < 256; ++c) {
      std::string changed = text;
      changed[at] = static_cast<char>(c);
      if (c == '=' && at == text.size() - 1) continue;  // padding
      const bool is_known = alphabet.find(static_cast<char>(c)) != std::string::npos;
      for (const Decoder decode : kStrict) {
        ASSERT_EQ(Decoded(decode, changed) != kRefused, is_known) << at << " " << c;
      }
    }
  }
}

TEST(TokenText, IsRefusedWhereItIsNotCanonical) {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm8", "Zm8==", "====",
                           "Z===", "Zg==Zg==", "Zg==\n", " Zg==", "Z=g=", "Zm9v="}) {
    for (const Decoder decode : kStrict) EXPECT_EQ(Decoded(decode, text), kRefused) << text;
  }
}

// RFC 4648, 10, without the padding; RFC 7515, 2.
TEST(UnpaddedText, IsThatOfTheStandardWithoutPadding) {
  constexpr Decoder kDecode = [](std::string_view text, std::uint8_t* bytes) {
    return DecodeUnpaddedText(text, bytes);
  };
  for (const auto& [bytes, padded] : kPublished) {
    const std::string text = padded.substr(0, padded.find('='));
    EXPECT_EQ(Decoded(kDecode, text), bytes);
    EXPECT_EQ(UnpaddedTextSize(bytes.size()), text.size());
    EXPECT_EQ(
        Encoded([](std::span<const std::uint8_t> in, char* out) { EncodeUnpaddedText(in, out); },
                bytes)
            .substr(0, text.size()),
        text);
  }
  for (const char* text : {"Z", "Zh", "Zm9", "Zg=", "Zg==", "Zm8=", "Zm9vZg=", "Zm9vZg==", "=",
                           "==", "Zg==Zg", "Zm9v\n", " Zg", "Zm9vZ", "Zm8+", "Zm8/", "Z=", "Zm="}) {
    EXPECT_EQ(Decoded(kDecode, text), kRefused) << text;
  }
}

TEST(UnpaddedText, IsReadBackAtEveryLength) {
  std::mt19937 random(2);
  for (std::size_t size = 0; size < 300; ++size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(random());
    const std::string padded = Encoded(kEncoders[1], bytes);
    const std::string text = padded.substr(0, padded.find('='));
    EXPECT_EQ(
        Decoded([](std::string_view in, std::uint8_t* out) { return DecodeUnpaddedText(in, out); },
                text),
        bytes);
  }
}

// By Python: base64.urlsafe_b64decode of the same text; the last three are refused there for want
// of padding.
TEST(TokenText, IsReadLenientlyAsByPython) {
  const std::vector<std::pair<std::string, std::string>> cases = {{"Zh==", "f"},
                                                                  {"Zm9=", "fo"},
                                                                  {"Zg==Zg==", "f"},
                                                                  {"Zg==\n", "f"},
                                                                  {" Z g\r\n=\t=", "f"},
                                                                  {"Zm9v====", "foo"},
                                                                  {"=Zm9v", "foo"},
                                                                  {"Z=m9v", "foo"},
                                                                  {"Zm=9v", "foo"},
                                                                  {"Zm9v%YmFy", "foobar"},
                                                                  {"-_+/", "\xfb\xff\xbf"},
                                                                  {"Zg", "f"},
                                                                  {"Zm8", "fo"},
                                                                  {"Zg=", "f"}};
  for (const auto& [text, bytes] : cases) EXPECT_EQ(Decoded(kLenient, text), bytes) << text;
  EXPECT_EQ(Decoded(kLenient, "Z"), kRefused);
  EXPECT_EQ(Decoded(kLenient, "Zm9vZ==="), kRefused);
}

}  // namespace
}  // namespace qarion::secrets::crypto
