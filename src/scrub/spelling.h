// Texts that follow from others byte by byte, so that only those have to be kept.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "scrub/bytes.h"
#include "scrub/numerals.h"

namespace qarion::secrets::scrub {

// How a text, its source, is written: byte by byte, or six bits at a time.
enum class Spelling : std::uint8_t {
  kAsIs,
  kHexLower,
  kHexUpper,
  kColonHexLower,  // 6a:6b, as openssl prints bytes
  kColonHexUpper,
  kPercentLower,  // %6a%6b
  kPercentUpper,
  kUtf16Little,  // of ASCII
  kUtf16Big,
  kBackslashes,  // \j\k
  // Base64 (RFC 4648, 4 and 5), as far as the source determines it wholly, behind a number of other
  // bytes of which this is the remainder when it is divided by three.
  kBase64Behind0,
  kBase64Behind1,
  kBase64Behind2,
  kBase64UrlBehind0,
  kBase64UrlBehind1,
  kBase64UrlBehind2,
};

// What each byte is written as.
struct SpellingUnits {
  // Of `parts`, `b` is the byte, `h` and `l` are the digits of its higher and lower half, and `0`
  // is a zero byte; others stand for themselves.
  constexpr SpellingUnits(std::string_view parts, std::string_view digits) : size(parts.size()) {
    for (unsigned byte = 0; byte < of.size(); ++byte) {
      for (std::size_t i = 0; i < size; ++i) {
        char& written = of[byte][i];
        switch (parts[i]) {
          case 'b': written = static_cast<char>(byte); break;
          case 'h': written = digits[byte >> 4]; break;
          case 'l': written = digits[byte & 15]; break;
          case '0': written = '\0'; break;
          default: written = parts[i];
        }
      }
    }
  }

  using Unit = std::array<char, 4>;

  std::size_t size;  // of the units
  std::array<Unit, 256> of{};
};
inline constexpr std::array<SpellingUnits, 10> kSpellings = {{
    {"b", {}},
    {"hl", kLowerDigits},
    {"hl", kUpperDigits},
    {"hl:", kLowerDigits},  // there is none behind the last byte
    {"hl:", kUpperDigits},
    {"%hl", kLowerDigits},
    {"%hl", kUpperDigits},
    {"b0", {}},
    {"0b", {}},
    {"\\b", {}},
}};

inline constexpr std::string_view kBase64Alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
inline constexpr std::string_view kBase64UrlAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// Of Base64 behind so many bytes, the number of bits of a text that belong to the character before
// those it determines: 24 bits are "treated as 4 concatenated 6-bit groups" (RFC 4648, 4).
constexpr std::uint8_t LeadBits(std::size_t bytes_before) noexcept {
  constexpr std::array<std::uint8_t, 3> kLeadBits = {0, 4, 2};
  return kLeadBits[bytes_before % 3];
}

// `count` bits of the text from `first_bit` on, 6 at most, all there.
inline unsigned BitsAt(const char* text, std::size_t first_bit, unsigned count) noexcept {
  if (count == 0) return 0;
  const char* const at = text + first_bit / 8;
  const auto skipped = static_cast<unsigned>(first_bit % 8);
  unsigned bits = static_cast<unsigned>(static_cast<unsigned char>(at[0])) << 8;
  if (skipped + count > 8) bits |= static_cast<unsigned char>(at[1]);
  return bits >> (16 - skipped - count) & ((1U << count) - 1);
}

// A view of a text that is spelled while it is read. No byte of it is written down.
class Spelled {
 public:
  explicit Spelled(std::string_view as_is) noexcept : source_(as_is.data()), size_(as_is.size()) {}
  // The first `size` bytes of it.
  Spelled(Spelling spelling, const char* source, std::size_t size) noexcept
      : source_(source), size_(size), spelling_(spelling) {}
  // All of it.
  Spelled(Spelling spelling, std::string_view source) noexcept
      : Spelled(spelling, source.data(), SizeOf(spelling, source.size())) {}

  std::size_t size() const noexcept { return size_; }
  Spelled Beginning(std::size_t size) const noexcept {
    return {spelling_, source_, std::min(size, size_)};
  }

  // Calls `take` with the bytes from `at` on until it returns false, or all are taken; returns
  // whether they are.
  template <typename Take>
  bool ForEachFrom(std::size_t at, Take take) const noexcept {
    if (IsBase64()) {
      for (; at < size_; ++at) {
        if (!take(Base64At(at))) return false;
      }
      return true;
    }
    const SpellingUnits& units = Units();
    std::size_t part = at % units.size;
    const char* byte = source_ + at / units.size;
    for (; at < size_; ++at) {
      if (!take(units.of[static_cast<std::uint8_t>(*byte)][part])) return false;
      if (++part != units.size) continue;
      part = 0;
      ++byte;
    }
    return true;
  }
  void CopyTo(char* to) const noexcept {
    if (IsBase64()) {
      for (std::size_t at = 0; at < size_; ++at) to[at] = Base64At(at);
      return;
    }
    const SpellingUnits& units = Units();
    const char* byte = source_;
    std::size_t left = size_;
    using Unit = SpellingUnits::Unit;
    const auto unit = [&] { return units.of[static_cast<std::uint8_t>(*byte++)]; };
    // Each overwrites what is too much of the one before.
    for (; left >= sizeof(Unit); left -= units.size, to += units.size) {
      std::memcpy(to, unit().data(), sizeof(Unit));
    }
    for (; left != 0; left -= std::min(units.size, left)) {
      to = std::copy_n(unit().data(), std::min(units.size, left), to);
    }
  }

  // Whether `size` bytes from `at` on, which it has, are these.
  bool Has(std::size_t at, const char* bytes, std::size_t size) const noexcept {
    return spelling_ == Spelling::kAsIs ? Equal(source_ + at, bytes, size)
                                        : HasSpelled(at, bytes, size);
  }
  bool StartsWith(std::string_view text) const noexcept {
    return size_ >= text.size() && Has(0, text.data(), text.size());
  }
  bool StartsWith(const Spelled& other) const noexcept {
    return size_ >= other.size_ && Compare(Beginning(other.size_), other) == 0;
  }

  // Up to eight bytes from `at` on as a number, the first one highest; zeros behind the end.
  std::uint64_t WordAt(std::size_t at) const noexcept {
    if (spelling_ == Spelling::kAsIs && size_ - at >= kEight) {
      return std::byteswap(LoadWord(source_ + at));
    }
    std::uint64_t word = 0;
    std::size_t left = kEight;
    Beginning(at + kEight).ForEachFrom(at, [&](char c) {
      word |= std::uint64_t{static_cast<std::uint8_t>(c)} << (8 * --left);
      return true;
    });
    return word;
  }

  // Less than 0 if `a` is before `b` in the order of their bytes, more if it is behind.
  friend int Compare(const Spelled& a, const Spelled& b) noexcept {
    const std::size_t common = std::min(a.size_, b.size_);
    for (std::size_t at = a.SameAs(b, common); at < common; at += kEight) {
      const std::uint64_t left = a.WordAt(at);
      const std::uint64_t right = b.WordAt(at);
      if (left != right) return left < right ? -1 : 1;
    }
    return static_cast<int>(a.size_ > b.size_) - static_cast<int>(a.size_ < b.size_);
  }

 private:
  static constexpr std::size_t kEight = sizeof(std::uint64_t);

  // Apart from what is inlined where patterns are compared.
  [[gnu::noinline]] bool HasSpelled(std::size_t at, const char* bytes,
                                    std::size_t size) const noexcept {
    const Spelled whole = Beginning(at + size);
    // As Equal() does it: what has a gram in common differs at the end rather than at the
    // beginning.
    if (size >= kEight &&
        whole.WordAt(at + size - kEight) != std::byteswap(LoadWord(bytes + size - kEight)))
      return false;
    return whole.ForEachFrom(at, [&](char c) { return c == *bytes++; });
  }

  // Of the first `size` bytes, which both have, a number that are the same: what is the same in the
  // sources is spelled the same.
  std::size_t SameAs(const Spelled& other, std::size_t size) const noexcept {
    if (spelling_ != other.spelling_) return 0;
    if (IsBase64()) {
      const std::size_t bytes =
          CountSame(source_, other.source_, (LeadOf(spelling_) + 6 * size) / 8);
      return (8 * bytes - std::min<std::size_t>(8 * bytes, LeadOf(spelling_))) / 6;
    }
    return CountSame(source_, other.source_, size / Units().size) * Units().size;
  }

  static bool IsBase64(Spelling spelling) noexcept { return spelling >= Spelling::kBase64Behind0; }
  bool IsBase64() const noexcept { return IsBase64(spelling_); }
  static std::size_t LeadOf(Spelling spelling) noexcept {
    return LeadBits(static_cast<std::size_t>(spelling) -
                    static_cast<std::size_t>(Spelling::kBase64Behind0));
  }
  char Base64At(std::size_t at) const noexcept {
    const bool is_url = spelling_ >= Spelling::kBase64UrlBehind0;
    return (is_url ? kBase64UrlAlphabet : kBase64Alphabet)
        .data()[BitsAt(source_, LeadOf(spelling_) + 6 * at, 6)];
  }

  static std::size_t SizeOf(Spelling spelling, std::size_t source) noexcept {
    if (IsBase64(spelling)) return (8 * source - LeadOf(spelling)) / 6;
    const bool has_colons =
        spelling == Spelling::kColonHexLower || spelling == Spelling::kColonHexUpper;
    return source * UnitsOf(spelling).size - (has_colons ? 1 : 0);
  }
  static const SpellingUnits& UnitsOf(Spelling spelling) noexcept {
    return kSpellings[static_cast<std::size_t>(spelling)];
  }
  const SpellingUnits& Units() const noexcept { return UnitsOf(spelling_); }

  const char* source_;
  std::size_t size_;
  Spelling spelling_ = Spelling::kAsIs;
};

}  // namespace qarion::secrets::scrub
