// Skips text in which no pattern can begin.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/secret_memory.h"

namespace qarion::secrets::scrub {

// A Bloom filter, two bits in one word, of grams: the gram_size-byte pieces of each pattern's first
// `window` bytes. An occurrence that begins in the stride() = window - gram_size + 1 bytes up to a
// position has one of its grams at that position, so a single miss rules out stride() beginnings
// (Wu and Manber's idea).
//
// Thread-safety: immutable.
class GramFilter {
 public:
  explicit GramFilter(std::span<const std::string_view> patterns);

  // Returns the first position at or after `position` where a pattern may begin, so far as whole
  // grams of `text` can tell; text.size() only if nothing is left.
  std::size_t FirstCandidate(std::string_view text, std::size_t position) const noexcept;

  std::size_t stride() const noexcept { return stride_; }
  // So many bytes from a position on tell whether a pattern may begin there.
  std::size_t window() const noexcept { return stride_ + gram_size_ - 1; }
  std::size_t memory_bytes() const noexcept { return words_.capacity() * sizeof(std::uint64_t); }

 private:
  struct Place {
    std::uint64_t word = 0;  // index into words_
    std::uint64_t bits = 0;  // two of that word
  };
  Place PlaceOf(std::uint64_t eight_bytes) const noexcept;
  bool Has(std::uint64_t eight_bytes) const noexcept;

  std::size_t gram_size_ = 1;
  std::size_t stride_ = 1;
  std::uint64_t gram_mask_ = 0;
  unsigned shift_ = 0;  // leaves as many bits of a hash as an index into words_ has
  core::SecretVector<std::uint64_t> words_;
};

}  // namespace qarion::secrets::scrub
