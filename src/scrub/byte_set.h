// A set of bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace qarion::secrets::scrub {

class ByteSet {
 public:
  constexpr ByteSet() = default;
  constexpr explicit ByteSet(std::string_view bytes) {
    for (const char byte : bytes) Add(byte);
  }
  static constexpr ByteSet Range(unsigned first, unsigned last) {
    ByteSet range;
    for (unsigned byte = first; byte <= last; ++byte) range.Add(static_cast<char>(byte));
    return range;
  }

  constexpr void Add(char byte) { words_[WordOf(byte)] |= BitOf(byte); }
  constexpr bool Has(char byte) const { return (words_[WordOf(byte)] & BitOf(byte)) != 0; }

  constexpr bool Intersects(const ByteSet& other) const {
    std::uint64_t common = 0;
    for (std::size_t i = 0; i < words_.size(); ++i) common |= words_[i] & other.words_[i];
    return common != 0;
  }
  // Length of the beginning of `text` that has none of these bytes.
  constexpr std::size_t LengthWithout(std::string_view text) const {
    std::size_t length = 0;
    while (length < text.size() && !Has(text[length])) ++length;
    return length;
  }

  constexpr ByteSet operator|(const ByteSet& other) const {
    ByteSet both = *this;
    for (std::size_t i = 0; i < words_.size(); ++i) both.words_[i] |= other.words_[i];
    return both;
  }
  constexpr ByteSet operator~() const {
    ByteSet others;
    for (std::size_t i = 0; i < words_.size(); ++i) others.words_[i] = ~words_[i];
    return others;
  }

 private:
  static constexpr std::size_t WordOf(char byte) { return static_cast<unsigned char>(byte) / 64; }
  static constexpr std::uint64_t BitOf(char byte) {
    return std::uint64_t{1} << (static_cast<unsigned char>(byte) % 64);
  }

  std::array<std::uint64_t, 4> words_{};
};

}  // namespace qarion::secrets::scrub
