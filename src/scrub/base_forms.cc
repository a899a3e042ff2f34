// Encodings of bytes, whatever they mean: Base64, hexadecimal; and UTF-16.
#include <algorithm>
#include <array>
#include <cstdint>

#include "core/utf8.h"
#include "scrub/encodings.h"
#include "scrub/numerals.h"

namespace qarion::secrets::scrub {
namespace {

constexpr std::string_view kStandardAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// In bytes. Of fewer not even four characters are theirs, which would be found everywhere.
constexpr std::size_t kShortestInBase64 = 4;

// `count` bits from `first_bit` on, 6 at most. Bits after the end are 0.
unsigned BitsAt(std::string_view bytes, std::size_t first_bit, unsigned count) {
  const std::size_t at = first_bit / 8;
  const auto byte = [&](std::size_t i) {
    return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u;
  };
  const unsigned both = byte(at) << 8 | byte(at + 1);
  return both >> (16 - first_bit % 8 - count) & ((1u << count) - 1);
}

void AppendBase64(std::string_view bytes, std::size_t first_bit, std::size_t count,
                  std::string_view alphabet, SecretBuffer& out) {
  char* const to = out.Spare(count);
  for (std::size_t i = 0; i < count; ++i) to[i] = alphabet[BitsAt(bytes, first_bit + 6 * i, 6)];
  out.Grow(count);
}

void AddBase64After(std::size_t bytes_before, std::string_view text, FormSink& sink) {
  // RFC 4648, 4: 24 bits are "treated as 4 concatenated 6-bit groups". The bits before leave so
  // many of their last group to the value.
  constexpr std::array<std::uint8_t, 3> kLeadBits = {0, 4, 2};
  const std::uint8_t lead = kLeadBits[bytes_before % 3];
  const std::size_t count = (8 * text.size() - lead) / 6;
  const auto trail = static_cast<std::uint8_t>((8 * text.size() - lead) % 6);
  const FormText form{.form = ScrubForm::kBase64,
                      .is_base64 = true,
                      .edges = {.lead_bits = lead,
                                .lead_value = static_cast<std::uint8_t>(BitsAt(text, 0, lead)),
                                .trail_bits = trail,
                                .trail_value = static_cast<std::uint8_t>(
                                    BitsAt(text, 8 * text.size() - trail, trail))}};
  bool is_same_in_both = false;
  sink.AddWritten(form, [&](SecretBuffer& out) {
    AppendBase64(text, lead, count, kStandardAlphabet, out);
    is_same_in_both = out.Reveal().find_first_of("+/") == std::string_view::npos;
  });
  if (is_same_in_both) return;
  sink.AddWritten(form,
                  [&](SecretBuffer& out) { AppendBase64(text, lead, count, kUrlAlphabet, out); });
}

void AppendUtf16(std::string_view text, bool big_endian, SecretBuffer& out) {
  // Two bytes for each of one in UTF-8 are the most it can be.
  char* const begin = out.Spare(2 * text.size());
  char* to = begin;
  for (std::size_t at = 0; at < text.size();) {
    const core::Character character = core::CharacterAt(text, at);
    ForEachUtf16Unit(character.code_point, [&](char32_t unit) {
      const char high = static_cast<char>(unit >> 8 & 0xff);
      const char low = static_cast<char>(unit & 0xff);
      *to++ = big_endian ? high : low;
      *to++ = big_endian ? low : high;
    });
    at += character.length;
  }
  out.Grow(static_cast<std::size_t>(to - begin));
}

}  // namespace

void AddBase64(const Plaintext& plain, FormSink& sink) {
  if (plain.text.size() < kShortestInBase64) return;
  for (std::size_t bytes_before = 0; bytes_before < 3; ++bytes_before) {
    AddBase64After(bytes_before, plain.text, sink);
  }
}

void AddHex(const Plaintext& plain, FormSink& sink) {
  for (const Spelling spelling : {Spelling::kHexLower, Spelling::kColonHexLower,
                                  Spelling::kHexUpper, Spelling::kColonHexUpper}) {
    AddSpelled(plain, ScrubForm::kHex, spelling, sink);
  }
}

void AddUtf16(const Plaintext& plain, FormSink& sink) {
  if (core::FindInvalidUtf8(plain.text)) return;
  if (core::IsAscii(plain.text)) {
    AddSpelled(plain, ScrubForm::kUtf16, Spelling::kUtf16Little, sink);
    AddSpelled(plain, ScrubForm::kUtf16, Spelling::kUtf16Big, sink);
    return;
  }
  for (const bool big_endian : {false, true}) {
    sink.AddWritten(ScrubForm::kUtf16,
                    [&](SecretBuffer& out) { AppendUtf16(plain.text, big_endian, out); });
  }
}

}  // namespace qarion::secrets::scrub
