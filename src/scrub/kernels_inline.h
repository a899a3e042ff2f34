// The part of the kernels that is the same in C++ for all instruction sets. Included by one file
// for each, which is compiled for it: so everything here is local to that file, and nothing of the
// standard library is called that the linker could take from it for others.
#pragma once

#include <cstddef>
#include <cstdint>

#include "scrub/kernels.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define QARION_SECRETS_THREAD_SANITIZER 1
#endif
#endif
#ifndef QARION_SECRETS_THREAD_SANITIZER
#define QARION_SECRETS_THREAD_SANITIZER 0
#endif

namespace qarion::secrets::scrub {
namespace {  // NOLINT(cert-dcl59-cpp,google-build-namespaces,misc-*): see above

constexpr std::size_t kLaneBytes = 4;  // of a gram those that one load takes

[[gnu::always_inline]] inline std::uint32_t LoadFour(const char* bytes) {
  std::uint32_t word = 0;
  __builtin_memcpy(&word, bytes, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap32(word);
#endif
  return word;
}

[[gnu::always_inline]] inline std::uint32_t LoadFewer(const char* bytes, std::size_t count) {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < count; ++i) {
    word |= std::uint32_t{static_cast<unsigned char>(bytes[i])} << 8 * i;
  }
  return word;
}

// A word of a filter, to which others may add bits meanwhile. Not with an atomic load, which
// compilers do not fold into the instruction that takes the word: it takes twice the time. An
// aligned word is loaded whole all the same, and the compiler has no second use of it.
[[gnu::always_inline]] inline std::uint32_t FilterWord(const std::uint32_t* word) {
#if QARION_SECRETS_THREAD_SANITIZER
  return __atomic_load_n(word, __ATOMIC_RELAXED);
#else
  return *word;
#endif
}

template <typename Filter>
[[gnu::always_inline]] inline bool IsInFilter(const Filter& filter, std::uint64_t gram) {
  const Place place = PlaceOf(gram, filter.shift);
  return (~FilterWord(filter.words + place.word) & place.bits) == 0;
}

// One gram after the other: those from `place` on at each `step`-th.
[[gnu::always_inline]] inline std::size_t ProbeSingly(const char* text, std::size_t size,
                                                      std::size_t count, const ProbePlan& plan,
                                                      std::size_t place, std::size_t step,
                                                      std::uint16_t* hits) {
  std::size_t found = 0;
  for (; place < count && place + plan.gram_size <= size; place += step) {
    const std::size_t left = size - place;
    std::uint64_t bytes =
        left >= kLaneBytes ? LoadFour(text + place) : LoadFewer(text + place, left);
    if (plan.gram_size == kMostGramBytes) {
      bytes |= std::uint64_t{static_cast<unsigned char>(text[place + kLaneBytes])} << 32;
    }
    if (__builtin_expect(IsInFilter(plan, GramOf(bytes, plan.gram_size)), 0)) {
      hits[found++] = static_cast<std::uint16_t>(place);
    }
  }
  return found;
}

// Writes the distances from `from` of the line breaks from `begin` on.
[[gnu::always_inline]] inline std::size_t FindBreaksSingly(const char* text, std::size_t begin,
                                                           std::size_t end, std::size_t from,
                                                           std::uint16_t* breaks) {
  std::size_t count = 0;
  for (std::size_t at = begin; at < end; ++at) {
    if (text[at] == '\n') breaks[count++] = static_cast<std::uint16_t>(at - from);
  }
  return count;
}

// Of either alphabet (RFC 4648, 4 and 5).
constexpr bool IsBase64Character(unsigned char c) {
  const unsigned letter = (c | 0x20U) - 'a';
  const unsigned digit_or_slash = c - unsigned{'/'};
  return letter < 26 || digit_or_slash < 11 || c == '+' || c == '-' || c == '_';
}

[[gnu::always_inline]] inline std::size_t CountBase64Singly(const char* text, std::size_t size) {
  std::size_t count = 0;
  while (count < size && IsBase64Character(static_cast<unsigned char>(text[size - 1 - count])))
    ++count;
  return count;
}

[[gnu::always_inline]] inline std::size_t CountRepeatedSingly(const char* text, std::size_t size,
                                                              std::size_t period,
                                                              std::size_t known) {
  const char* const before = text - period;
  while (known < size && text[known] == before[known]) ++known;
  return known;
}

}  // namespace
}  // namespace qarion::secrets::scrub
