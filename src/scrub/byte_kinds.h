// How rare each byte is in the grams of a class of patterns.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace qarion::secrets::scrub {

// A gram of text is looked up only if all its bytes are in windows, and if either one of them is a
// mark, which logs seldom have, or all are in grams of windows that have no mark ("dull" ones) and
// are of the same kinds as the bytes of one of those.
//
// The kinds are bits: what those of a gram are together, its signature, tells whether it may be
// looked up.
enum class ByteKind : std::uint8_t {
  kDullLetter = 1,
  kDullDigit = 2,
  kDullOther = 4,
  kPlain = 8,     // in a window, but only in grams with a mark
  kMark = 16,     // in a window, and rare in logs
  kOutside = 32,  // in no window
};
inline constexpr unsigned kSignatures = 64;
constexpr std::uint8_t Bit(ByteKind kind) { return static_cast<std::uint8_t>(kind); }

// What a byte is in itself: a mark, or of the kind that it has in dull grams. Marks are upper case,
// rare punctuation, and control characters but those of white space.
inline constexpr std::array<ByteKind, 256> kNaturalKinds = [] {
  std::array<ByteKind, 256> kinds{};
  kinds.fill(ByteKind::kDullOther);
  for (unsigned c = 0; c < ' '; ++c) {
    if (c < '\t' || c > '\r') kinds[c] = ByteKind::kMark;
  }
  for (unsigned c = 'A'; c <= 'Z'; ++c) kinds[c] = ByteKind::kMark;
  for (unsigned c = 'a'; c <= 'z'; ++c) kinds[c] = ByteKind::kDullLetter;
  for (unsigned c = '0'; c <= '9'; ++c) kinds[c] = ByteKind::kDullDigit;
  for (const char c : std::string_view("!#$%&*+?@\\^`~")) {
    kinds[static_cast<unsigned char>(c)] = ByteKind::kMark;
  }
  return kinds;
}();
constexpr ByteKind NaturalKind(char c) { return kNaturalKinds[static_cast<unsigned char>(c)]; }
constexpr bool IsMark(char c) { return NaturalKind(c) == ByteKind::kMark; }

// A set of byte values, laid out as vector instructions look it up: bit `c >> 4 & 7` of row
// `c & 15` stands for the byte c, in the first 16 rows where c is below 128 and in the others
// above: a shuffle by the low half of c finds the row.
struct ByteRows {
  std::array<std::uint8_t, 32> rows{};

  constexpr void Set(std::uint8_t c, bool is_in) {
    std::uint8_t& row = rows[static_cast<std::size_t>((c & 15) | (c >> 7) << 4)];
    const auto bit = static_cast<std::uint8_t>(1U << (c >> 4 & 7));
    row = static_cast<std::uint8_t>(is_in ? row | bit : row & ~bit);
  }
};

class ByteKinds {
 public:
  ByteKinds() { kinds_.fill(ByteKind::kOutside); }

  // The bytes of a gram of a window.
  void AddGram(std::string_view gram) {
    unsigned signature = 0;
    for (const char c : gram) signature |= Bit(NaturalKind(c));
    const bool is_dull = (signature & Bit(ByteKind::kMark)) == 0;
    if (is_dull) allowed_ |= std::uint64_t{1} << signature;
    for (const char c : gram) {
      const auto byte = static_cast<std::uint8_t>(c);
      if (is_dull || IsMark(c)) {
        Set(byte, NaturalKind(c));
      } else if (Of(byte) == ByteKind::kOutside) {
        Set(byte, ByteKind::kPlain);
      }
    }
  }

  // How many of the bytes of a gram without a mark would become dull by adding it.
  std::size_t NewDullBytes(std::string_view gram) const {
    std::size_t count = 0;
    for (const char c : gram) {
      if (IsMark(c)) return 0;
      count += std::size_t{Of(static_cast<std::uint8_t>(c)) != NaturalKind(c)};
    }
    return count;
  }

  ByteKind Of(std::uint8_t c) const { return kinds_[c]; }
  const ByteKind* by_byte() const noexcept { return kinds_.data(); }
  // Bit s: whether a gram with signature s may be one that is looked up.
  std::uint64_t allowed() const noexcept { return allowed_; }
  // Two bits of the kind: marks are in both, plain bytes in the first and dull ones in the second.
  const ByteRows& first() const noexcept { return first_; }
  const ByteRows& second() const noexcept { return second_; }
  std::size_t dull_bytes() const noexcept { return dull_bytes_; }
  bool has_high() const noexcept { return has_high_; }  // bytes from 128 on in windows

 private:
  static constexpr std::uint64_t SignaturesWithMark() {
    std::uint64_t signatures = 0;
    for (unsigned s = Bit(ByteKind::kMark); s < Bit(ByteKind::kOutside); ++s) {
      signatures |= std::uint64_t{1} << s;
    }
    return signatures;
  }

  void Set(std::uint8_t c, ByteKind kind) {
    if (Of(c) == kind) return;
    const bool is_dull = kind != ByteKind::kMark && kind != ByteKind::kPlain;
    dull_bytes_ += std::size_t{is_dull};
    kinds_[c] = kind;
    first_.Set(c, !is_dull);
    second_.Set(c, kind != ByteKind::kPlain);
    has_high_ |= c >= 128;
  }

  std::array<ByteKind, 256> kinds_{};
  std::uint64_t allowed_ = SignaturesWithMark();
  ByteRows first_;
  ByteRows second_;
  std::size_t dull_bytes_ = 0;
  bool has_high_ = false;
};

}  // namespace qarion::secrets::scrub
