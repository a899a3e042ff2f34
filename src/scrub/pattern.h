// What is looked for: one spelling of one value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "scrub/spelling.h"

namespace qarion::secrets::scrub {

enum class PatternKind : std::uint8_t {
  kLiteral,
  kBase64,  // what is around it may belong to it
  kWord,    // counts only where what is around it does not continue a word
};

// The bits of a value in a character of base64 beside the ones it determines wholly.
struct EdgeBits {
  std::uint8_t count : 4 = 0;  // 0, 2 or 4
  std::uint8_t value : 4 = 0;
};

// Patterns are found by what is in their first bytes, so many at most. Longer patterns are followed
// from write to write; shorter ones are looked for again.
inline constexpr std::size_t kShortLength = 64;

// A value has nearly twenty, and all have to be near: so they are small.
struct Pattern {
  // The memory of processes has no larger addresses, unless they ask for it.
  std::uint64_t source_address : 48 = 0;
  EdgeBits lead;                    // in the lowest bits of the character before
  EdgeBits trail;                   // in the highest bits of the character after
  std::uint32_t length : 28 = 0;    // of its text
  std::uint32_t period : 4 = 0;     // byte i is byte i + period throughout, if not 0; 8 at most
  std::uint32_t owner : 25 = 0;     // the value it spells
  bool repeats_itself : 1 = false;  // the automaton finds it
  Spelling spelling : 4 = Spelling::kAsIs;
  PatternKind kind : 2 = PatternKind::kLiteral;

  static constexpr std::uint64_t kMostAddress = (std::uint64_t{1} << 48) - 1;
  static constexpr std::uint32_t kMostLength = (std::uint32_t{1} << 28) - 1;
  static constexpr std::uint32_t kMostOwner = (std::uint32_t{1} << 25) - 1;

  // What its text is spelled from.
  const char* source() const noexcept {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the price of its size.
    return reinterpret_cast<const char*>(static_cast<std::uintptr_t>(source_address));
  }
  Spelled text() const noexcept { return {spelling, source(), length}; }
  // The bytes that patterns are found by. They may be put into `room`.
  using HeadRoom = std::array<char, kShortLength>;
  std::string_view Head(HeadRoom& room) const noexcept {
    const Spelled head = text().Beginning(kShortLength);
    if (spelling == Spelling::kAsIs) return {source(), head.size()};
    head.CopyTo(room.data());
    return {room.data(), head.size()};
  }
  bool is_long() const noexcept { return length > kShortLength; }
};
static_assert(sizeof(Pattern) == 16);
static_assert(static_cast<unsigned>(Spelling::kBase64UrlBehind2) < 16, "the last one has room");

using PatternId = std::uint32_t;

// Whether a pattern, of which the last `seen` bytes of a text are the beginning, goes on.
constexpr bool Waits(const Pattern& pattern, std::size_t seen) noexcept {
  return seen < pattern.length || pattern.kind == PatternKind::kWord;
}

// The value of a character of either alphabet of base64 (RFC 4648, 4 and 5), or -1.
constexpr int Base64Value(unsigned char c) noexcept {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

constexpr bool ContinuesWord(unsigned char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
         c >= 0x80;
}

// Whether `c` before the pattern carries its first bits.
constexpr bool IsLead(const Pattern& pattern, unsigned char c) noexcept {
  const int value = Base64Value(c);
  const int mask = (1 << pattern.lead.count) - 1;
  return pattern.lead.count != 0 && value >= 0 && (value & mask) == pattern.lead.value;
}

// What belongs to a pattern behind it: a character that carries its last bits, and padding.
struct Trail {
  std::size_t bytes = 0;
  bool more = false;  // whether it could be more if the text went on
};

// How many bytes of `after`, which stands `seen` bytes of the trail behind the pattern.
constexpr Trail TrailAfter(const Pattern& pattern, std::size_t seen,
                           std::string_view after) noexcept {
  const unsigned own = pattern.trail.count;
  if (own == 0) return {};
  Trail trail{.bytes = 0, .more = true};
  if (seen == 0) {
    if (after.empty()) return trail;
    const int value = Base64Value(static_cast<unsigned char>(after[0]));
    const unsigned foreign = 6 - own;
    if (value < 0 || value >> foreign != pattern.trail.value) return {};
    // Padding can follow only where nothing else does.
    if ((value & ((1 << foreign) - 1)) != 0) return {.bytes = 1};
    trail.bytes = 1;
  }
  const std::size_t most = own == 2 ? 3 : 2;
  while (seen + trail.bytes < most && trail.bytes < after.size() && after[trail.bytes] == '=') {
    ++trail.bytes;
  }
  trail.more = seen + trail.bytes < most && trail.bytes == after.size();
  return trail;
}

}  // namespace qarion::secrets::scrub
