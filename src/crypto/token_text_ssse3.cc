#include "crypto/token_text_ssse3.h"

#if defined(__x86_64__)
#include <tmmintrin.h>
#endif

#include <array>

#include "core/cpu_features.h"

namespace qarion::secrets::crypto {

#if defined(__x86_64__)

// Wojciech Muła and Daniel Lemire, "Faster Base64 Encoding and Decoding Using AVX2 Instructions",
// 2018: the steps are theirs, the tables are made for the URL-safe alphabet.
namespace {

using Bytes16 = std::array<std::int8_t, 16>;

constexpr std::size_t kGroupBytes = 12;
constexpr std::size_t kGroupCharacters = 16;

[[gnu::target("ssse3")]] __m128i Load(const void* memory) noexcept {
  return _mm_loadu_si128(static_cast<const __m128i*>(memory));
}

[[gnu::target("ssse3")]] void Store(void* memory, __m128i value) noexcept {
  _mm_storeu_si128(static_cast<__m128i*>(memory), value);
}

// What makes the character of a value of six bits, by its kind: 0 for lower case, 1 to 10 for the
// digits, 11 and 12 for the last two, 13 for upper case.
constexpr Bytes16 kToCharacter = [] {
  Bytes16 table{};
  table[0] = 'a' - 26;
  for (std::size_t digit = 1; digit <= 10; ++digit) table[digit] = '0' - 52;
  table[11] = '-' - 62;
  table[12] = '_' - 63;
  table[13] = 'A';
  return table;
}();

[[gnu::target("ssse3")]] __m128i CharactersOf(__m128i bytes) noexcept {
  // Each three bytes aabbbbcc to four values of six bits, one a byte.
  const __m128i spread =
      _mm_shuffle_epi8(bytes, _mm_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10));
  const __m128i first_and_third = _mm_mulhi_epu16(_mm_and_si128(spread, _mm_set1_epi32(0x0fc0fc00)),
                                                  _mm_set1_epi32(0x04000040));
  const __m128i second_and_fourth = _mm_mullo_epi16(
      _mm_and_si128(spread, _mm_set1_epi32(0x003f03f0)), _mm_set1_epi32(0x01000010));
  const __m128i values = _mm_or_si128(first_and_third, second_and_fourth);

  const __m128i upper = _mm_cmpgt_epi8(_mm_set1_epi8(26), values);
  const __m128i kind = _mm_or_si128(_mm_subs_epu8(values, _mm_set1_epi8(51)),
                                    _mm_and_si128(upper, _mm_set1_epi8(13)));
  return _mm_add_epi8(values, _mm_shuffle_epi8(Load(kToCharacter.data()), kind));
}

constexpr bool IsInAlphabet(int c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

// A bit for each upper half of a character that occurs: 2 to 7.
constexpr Bytes16 kBitOfUpperHalf = [] {
  Bytes16 table{};
  for (std::size_t half = 2; half < 8; ++half) {
    table[half] = static_cast<std::int8_t>(1 << (half - 2));
  }
  return table;
}();

// By the lower half of a character, the bits of the upper halves that it occurs with.
constexpr Bytes16 kUpperHalvesOfLower = [] {
  Bytes16 table{};
  for (int c = 0; c < 128; ++c) {
    if (!IsInAlphabet(c)) continue;
    const auto half = static_cast<std::size_t>(c & 15);
    const auto upper = static_cast<std::size_t>(c >> 4);
    table[half] = static_cast<std::int8_t>(table[half] | kBitOfUpperHalf[upper]);
  }
  return table;
}();

// What makes the value of a character, by its upper half; '_' is the exception.
constexpr Bytes16 kToValue = [] {
  Bytes16 table{};
  table[2] = 62 - '-';
  table[3] = 52 - '0';
  table[4] = table[5] = -'A';
  table[6] = table[7] = 26 - 'a';
  return table;
}();
constexpr std::int8_t kExceptionOfUnderline = (63 - '_') - kToValue['_' >> 4];

// False where a character is not of the alphabet.
[[gnu::target("ssse3")]] bool ValuesOf(__m128i characters, __m128i& values) noexcept {
  const __m128i half = _mm_set1_epi8(15);
  const __m128i upper = _mm_and_si128(_mm_srli_epi32(characters, 4), half);
  const __m128i lower = _mm_and_si128(characters, half);
  const __m128i is_known = _mm_and_si128(_mm_shuffle_epi8(Load(kBitOfUpperHalf.data()), upper),
                                         _mm_shuffle_epi8(Load(kUpperHalvesOfLower.data()), lower));
  if (_mm_movemask_epi8(_mm_cmpeq_epi8(is_known, _mm_setzero_si128())) != 0) return false;
  const __m128i underline = _mm_cmpeq_epi8(characters, _mm_set1_epi8('_'));
  const __m128i shift =
      _mm_add_epi8(_mm_shuffle_epi8(Load(kToValue.data()), upper),
                   _mm_and_si128(underline, _mm_set1_epi8(kExceptionOfUnderline)));
  values = _mm_add_epi8(characters, shift);
  return true;
}

// Twelve bytes, and four of zero, of sixteen values of six bits.
[[gnu::target("ssse3")]] __m128i BytesOf(__m128i values) noexcept {
  const __m128i pairs = _mm_maddubs_epi16(values, _mm_set1_epi32(0x01400140));
  const __m128i fours = _mm_madd_epi16(pairs, _mm_set1_epi32(0x00011000));
  return _mm_shuffle_epi8(fours,
                          _mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1));
}

[[gnu::target("ssse3")]] std::size_t Encode(std::span<const std::uint8_t> bytes,
                                            char* text) noexcept {
  std::size_t done = 0;
  // Sixteen bytes are read, though twelve are used.
  for (; bytes.size() - done >= 16; done += kGroupBytes, text += kGroupCharacters) {
    Store(text, CharactersOf(Load(bytes.data() + done)));
  }
  return done;
}

[[gnu::target("ssse3")]] std::size_t Decode(std::string_view text, std::uint8_t* bytes) noexcept {
  std::size_t done = 0;
  for (; text.size() - done >= 2 * kGroupCharacters; done += kGroupCharacters) {
    __m128i values;
    if (!ValuesOf(Load(text.data() + done), values)) break;
    Store(bytes, BytesOf(values));
    bytes += kGroupBytes;
  }
  return done;
}

}  // namespace

std::size_t EncodeTokenTextSsse3(std::span<const std::uint8_t> bytes, char* text) noexcept {
  return CPU_FEATURE_ACTIVE(SSSE3) ? Encode(bytes, text) : 0;
}

std::size_t DecodeTokenTextSsse3(std::string_view text, std::uint8_t* bytes) noexcept {
  return CPU_FEATURE_ACTIVE(SSSE3) ? Decode(text, bytes) : 0;
}

#else

std::size_t EncodeTokenTextSsse3(std::span<const std::uint8_t> /*bytes*/, char* /*text*/) noexcept {
  return 0;
}

std::size_t DecodeTokenTextSsse3(std::string_view /*text*/, std::uint8_t* /*bytes*/) noexcept {
  return 0;
}

#endif

}  // namespace qarion::secrets::crypto
