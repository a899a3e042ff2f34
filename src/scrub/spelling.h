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

// How each byte of a text, its source, is written.
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
    if (spelling_ == Spelling::kAsIs) return Equal(source_ + at, bytes, size);
    const Spelled whole = Beginning(at + size);
    // As Equal() does it: what has a gram in common differs at the end rather than at the
    // beginning.
    if (size >= kEight &&
        whole.WordAt(at + size - kEight) != std::byteswap(LoadWord(bytes + size - kEight)))
      return false;
    return whole.ForEachFrom(at, [&](char c) { return c == *bytes++; });
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

  // Of the first `size` bytes, which both have, a number that are the same: what is the same in the
  // sources is spelled the same.
  std::size_t SameAs(const Spelled& other, std::size_t size) const noexcept {
    if (spelling_ != other.spelling_) return 0;
    return CountSame(source_, other.source_, size / Units().size) * Units().size;
  }

  static std::size_t SizeOf(Spelling spelling, std::size_t source) noexcept {
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
