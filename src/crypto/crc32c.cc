#include "crypto/crc32c.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

#include <array>
#include <cstddef>
#include <cstring>

#include "core/cpu_features.h"

namespace qarion::secrets::crypto {
namespace {

// A register of 32 bits holds a polynomial over GF(2): the highest bit is the coefficient of x^0.
// RFC 3720, 12.1: "0x11EDC6F41", of which x^32 is left out here.
constexpr std::uint32_t kPolynomial = 0x82f63b78;

// Times x, modulo the polynomial: what one bit more, a zero, does to the register.
constexpr std::uint32_t TimesX(std::uint32_t value) {
  return value >> 1 ^ ((value & 1) != 0 ? kPolynomial : 0);
}

// kTables[n][b]: the register after byte b and n bytes of zero.
using Tables = std::array<std::array<std::uint32_t, 256>, 8>;
constexpr Tables kTables = [] {
  Tables tables{};
  for (std::uint32_t b = 0; b < 256; ++b) {
    std::uint32_t value = b;
    for (int bit = 0; bit < 8; ++bit) value = TimesX(value);
    tables[0][b] = value;
  }
  for (std::size_t n = 1; n < tables.size(); ++n) {
    for (std::size_t b = 0; b < 256; ++b) {
      const std::uint32_t before = tables[n - 1][b];
      tables[n][b] = before >> 8 ^ tables[0][before & 0xff];
    }
  }
  return tables;
}();

std::uint32_t UpdatePortable(std::uint32_t value, std::string_view bytes) {
  const auto byte = [&bytes](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    std::uint32_t next = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      const std::uint32_t mixed = i < 4 ? byte(i) ^ (value >> (8 * i) & 0xff) : byte(i);
      next ^= kTables[7 - i][mixed];
    }
    value = next;
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    value = value >> 8 ^ kTables[0][(value ^ byte(i)) & 0xff];
  }
  return value;
}

#if defined(__x86_64__)
// The instruction takes three cycles, and one can be begun in each: so three streams at once.
constexpr std::size_t kStreamBytes = 2048;

constexpr std::uint32_t kPastStream = [] {
  std::uint32_t value = 0x80000000;  // x^0
  for (std::size_t bit = 0; bit < 8 * kStreamBytes; ++bit) value = TimesX(value);
  return value;
}();

// The register after kStreamBytes of zero: times x^(8 * kStreamBytes), modulo the polynomial.
std::uint32_t MovePastStream(std::uint32_t value) {
  std::uint32_t product = 0;
  for (std::uint32_t power = kPastStream; value != 0; value <<= 1, power = TimesX(power)) {
    product ^= (value & 0x80000000) != 0 ? power : 0;
  }
  return product;
}

[[gnu::target("sse4.2")]] std::uint64_t Update8(std::uint64_t value, const char* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return _mm_crc32_u64(value, word);
}

[[gnu::target("sse4.2")]] std::uint32_t UpdateByInstruction(std::uint32_t value,
                                                            std::string_view bytes) {
  for (; bytes.size() >= 3 * kStreamBytes; bytes.remove_prefix(3 * kStreamBytes)) {
    std::uint64_t first = value;
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (const char* at = bytes.data(); at != bytes.data() + kStreamBytes; at += 8) {
      first = Update8(first, at);
      second = Update8(second, at + kStreamBytes);
      third = Update8(third, at + 2 * kStreamBytes);
    }
    value = MovePastStream(static_cast<std::uint32_t>(first)) ^ static_cast<std::uint32_t>(second);
    value = MovePastStream(value) ^ static_cast<std::uint32_t>(third);
  }
  std::uint64_t wide = value;
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) wide = Update8(wide, bytes.data());
  value = static_cast<std::uint32_t>(wide);
  for (const char c : bytes) value = _mm_crc32_u8(value, static_cast<unsigned char>(c));
  return value;
}
#endif

}  // namespace

std::uint32_t Crc32c(std::string_view bytes) noexcept {
#if defined(__x86_64__)
  if (CPU_FEATURE_ACTIVE(SSE4_2)) return ~UpdateByInstruction(~0U, bytes);
#endif
  return Crc32cPortable(bytes);
}

std::uint32_t Crc32cPortable(std::string_view bytes) noexcept {
  return ~UpdatePortable(~0U, bytes);
}

}  // namespace qarion::secrets::crypto
