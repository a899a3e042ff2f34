// Encodings of bytes, whatever they mean: Base64, hexadecimal; and UTF-16.
#include <algorithm>
#include <array>
#include <cstdint>

#include "core/utf8.h"
#include "scrub/encodings.h"
#include "scrub/numerals.h"

namespace qarion::secrets::scrub {
namespace {

// In bytes. Of fewer not even four characters are theirs, which would be found everywhere.
constexpr std::size_t kShortestInBase64 = 4;

void AddBase64Behind(std::size_t bytes_before, const Plaintext& plain, FormSink& sink) {
  const std::string_view text = plain.text;
  const std::uint8_t lead = LeadBits(bytes_before);
  const auto trail = static_cast<std::uint8_t>((8 * text.size() - lead) % 6);
  FormText form{.form = ScrubForm::kBase64,
                .is_base64 = true,
                .edges = {.lead_bits = lead,
                          .lead_value = static_cast<std::uint8_t>(BitsAt(text.data(), 0, lead)),
                          .trail_bits = trail,
                          .trail_value = static_cast<std::uint8_t>(
                              BitsAt(text.data(), 8 * text.size() - trail, trail))}};
  for (const Spelling first : {Spelling::kBase64Behind0, Spelling::kBase64UrlBehind0}) {
    form.spelling = static_cast<Spelling>(static_cast<std::size_t>(first) + bytes_before);
    AddSpelled(plain, form, sink);
  }
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
    AddBase64Behind(bytes_before, plain, sink);
  }
}

void AddHex(const Plaintext& plain, FormSink& sink) {
  for (const Spelling spelling : {Spelling::kHexLower, Spelling::kColonHexLower,
                                  Spelling::kHexUpper, Spelling::kColonHexUpper}) {
    AddSpelled(plain, {.form = ScrubForm::kHex, .spelling = spelling}, sink);
  }
}

void AddUtf16(const Plaintext& plain, FormSink& sink) {
  if (core::FindInvalidUtf8(plain.text)) return;
  if (core::IsAscii(plain.text)) {
    for (const Spelling spelling : {Spelling::kUtf16Little, Spelling::kUtf16Big}) {
      AddSpelled(plain, {.form = ScrubForm::kUtf16, .spelling = spelling}, sink);
    }
    return;
  }
  for (const bool big_endian : {false, true}) {
    sink.AddWritten(ScrubForm::kUtf16,
                    [&](SecretBuffer& out) { AppendUtf16(plain.text, big_endian, out); });
  }
}

}  // namespace qarion::secrets::scrub
