// The inner loop of the scrubber, once for each instruction set.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace qarion::secrets::scrub {

// A text is looked at in batches of so many bytes at most.
inline constexpr std::size_t kBatchBytes = 112 * 64;

// Grams of which there are few, apart from each other by their first bytes: a bit for each of eight
// groups of grams, in the rows of the low and of the high half of each byte that one of them has.
// What has a bit in all rows may be one of that group (Hyperscan's Teddy).
struct FewGrams {
  static constexpr std::size_t kBytes = 3;  // of a gram
  std::array<std::array<std::uint8_t, 16>, kBytes> low{};
  std::array<std::array<std::uint8_t, 16>, kBytes> high{};
};

inline constexpr std::size_t kRunBytes = 64;
inline constexpr signed char kBelowRun = '*';

// What probe() tells find_line_ends() of the same kernels about a batch. Of each whole block of it,
// from index 1 on, a bit for each byte: whether it may be of a run, and whether a line break
// follows it. The rest is room for find_line_ends(): for the block before the batch, and for what
// it loads behind the last one. Those without vectors leave all of it alone.
struct RunBits {
  static constexpr std::size_t kLongestLoad = 64 + 8;  // of a vector that begins at any byte
  static constexpr std::size_t kWords =
      1 + kBatchBytes / kRunBytes + kLongestLoad / sizeof(std::uint64_t);
  std::uint64_t in_run[kWords];        // NOLINT(*-avoid-c-arrays): not set before
  std::uint64_t before_break[kWords];  // NOLINT(*-avoid-c-arrays)
};

// Where to look for grams, and in what filter.
struct ProbePlan {
  const std::uint32_t* words = nullptr;  // a Bloom filter, a bit in each byte of one word
  const FewGrams* few = nullptr;         // all that are in the filter, if of use; stride 1 or 2
  unsigned shift = 0;      // leaves as many bits of a hash as an index into words has, 31 at most
  unsigned gram_size = 0;  // kMostGramBytes where the stride is 4, else 1 to 4
  unsigned stride = 0;     // 1, 2 or 4: each stride-th place is looked at, from the first one on
  RunBits* run_bits = nullptr;  // if not null, gets those of the first `count` bytes
};
inline constexpr unsigned kMostGramBytes = 5;
inline constexpr std::size_t kSpareHits = 2;

// `bytes`: a gram and what follows, the first byte lowest. What follows is zeros in the result.
constexpr std::uint64_t GramOf(std::uint64_t bytes, unsigned gram_size) noexcept {
  return bytes & ((std::uint64_t{1} << 8 * gram_size) - 1);
}
inline constexpr std::uint32_t kGramFactor = 0x9E3779B1;

// Of a gram's first four bytes: the word depends on the high bits of their product, and the bit in
// each of its bytes on the low ones of that byte of a sum, their signed halves, each times its
// factor. A fifth byte is added to the eight highest bits of the product: grams that differ in it
// alone have the same bits, of other words.
inline constexpr std::int16_t kLowFactor = 0x3B1D;
inline constexpr std::int16_t kHighFactor = 0x5A4D;
inline constexpr std::array<std::uint8_t, 16> kBitOfByte = {1, 2, 4, 8, 16, 32, 64, 128,
                                                            1, 2, 4, 8, 16, 32, 64, 128};
struct Place {
  std::uint32_t word = 0;  // index into words
  std::uint32_t bits = 0;  // four of that word
};
constexpr Place PlaceOf(std::uint64_t gram, unsigned shift) noexcept {
  const auto four = static_cast<std::uint32_t>(gram);
  const auto fifth = static_cast<std::uint32_t>(gram >> 32);
  const std::int32_t low = static_cast<std::int16_t>(four & 0xFFFF);
  const std::int32_t high = static_cast<std::int16_t>(four >> 16);
  const std::uint32_t sum =
      static_cast<std::uint32_t>(low * kLowFactor) + static_cast<std::uint32_t>(high * kHighFactor);
  Place place{.word = (four * kGramFactor + (fifth << 24)) >> shift};
  for (unsigned at = 0; at < 32; at += 8) {
    place.bits |= std::uint32_t{kBitOfByte[sum >> at & 15]} << at;
  }
  return place;
}

// The windows of patterns (LengthClass) whose grams have kMostGramBytes.
inline constexpr unsigned kWindowBytes = 8;
inline constexpr unsigned kWindowGrams = 4;  // each begins a byte further on
struct WindowFilter {
  const std::uint32_t* words = nullptr;  // a Bloom filter as that of grams
  unsigned shift = 0;                    // as there
};
// What of a window goes into the filter as the first four bytes of a gram do. `bytes`: all of it,
// the first one lowest.
inline constexpr std::uint32_t kFoldFactor = 0x85EBCA6B;
constexpr std::uint32_t FoldedWindow(std::uint64_t bytes) noexcept {
  return static_cast<std::uint32_t>(bytes) + static_cast<std::uint32_t>(bytes >> 32) * kFoldFactor;
}
struct WindowHit {
  std::uint16_t place;   // of a gram
  std::uint16_t before;  // bit i: the window i bytes before it may be in the filter
};
inline constexpr std::size_t kLoadedAtWindow = 16;  // bytes, from the first window of a gram on

inline constexpr std::size_t kMostBase64 = 128;

struct Kernels {
  const char* name;
  // Looks at the grams that lie in the text of `size` bytes, at each stride-th place before
  // `count`, kBatchBytes at most. Writes the places of those that may be in the filter to `hits`,
  // room for `count` and kSpareHits more, in any order; returns how many.
  std::size_t (*probe)(const char* text, std::size_t size, std::size_t count, const ProbePlan& plan,
                       std::uint16_t* hits);
  // Looks at the windows that have a gram at one of `count` places. The first of them begins
  // kWindowGrams - 1 bytes before the place, and the text has kLoadedAtWindow bytes from there on.
  // Writes the places where one may be in the filter to `hits`, room for `count` and one more, in
  // order; returns how many.
  std::size_t (*find_windows)(const char* text, const std::uint16_t* places, std::size_t count,
                              const WindowFilter& filter, WindowHit* hits);
  // Finds the line breaks among the bytes of the text from `from` to `end`, kBatchBytes at most,
  // that have a run of kRunBytes bytes before them, or so few bytes that it cannot be told. The
  // last byte of a run may be any (a carriage return), the others are of ASCII and greater than
  // kBelowRun, as those of base64 are. `run_bits`: what probe() of the same kernels told of
  // just these bytes, or null; it gets overwritten. Writes their distances from `from` to `breaks`,
  // room for all of these bytes, in order; returns how many.
  std::size_t (*find_line_ends)(const char* text, std::size_t from, std::size_t end,
                                RunBits* run_bits, std::uint16_t* breaks);
  // How many bytes at the end of the text are characters of base64 (RFC 4648, 4 and 5). `size`: of
  // the text, kMostBase64 at most.
  std::size_t (*count_base64)(const char* text, std::size_t size);
  // How many of the `size` bytes at `text`, from the first one on, are the same as those `period`
  // bytes before them.
  std::size_t (*count_repeated)(const char* text, std::size_t size, std::size_t period);
};

extern const Kernels kPlainKernels;
#if defined(__x86_64__)
extern const Kernels kSse42Kernels;
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
#endif

// The fastest this processor has, or what QARION_SECRETS_ISA names when the process starts: plain,
// sse4.2, avx2 or avx512. What it lacks is not taken.
const Kernels& ActiveKernels() noexcept;

// One of them by its name; null where it is unknown or the processor lacks it.
const Kernels* KernelsNamed(std::string_view name) noexcept;

}  // namespace qarion::secrets::scrub
