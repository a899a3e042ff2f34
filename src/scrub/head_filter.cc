#include "scrub/head_filter.h"

#include <algorithm>
#include <array>
#include <bit>

#include "scrub/shared_bits.h"

namespace qarion::secrets::scrub {

std::size_t HeadFilter::BitOf(std::string_view head) noexcept {
  const std::size_t size = std::min(head.size(), kLongest);
  const std::uint64_t bytes = LoadWord(head.data(), size);
  if (size == 1) return bytes;
  if (size == 2) return kExactBits / 2 + bytes;
  const std::uint64_t mixed = (bytes + size) * 0xD6E8FEB86659FD93;
  return kExactBits + ((mixed ^ mixed >> 32) * 0xD6E8FEB86659FD93 >> (64 - kHashBits));
}

void HeadFilter::Add(std::string_view head) noexcept {
  if (head.size() == kFour) {
    const Place place = PlaceOfFour(head, PlanOf(nullptr).shift);
    SetBits(of_four_[place.word], place.bits);
  } else {
    SetBit(bits_, BitOf(head));
  }
}

bool HeadFilter::MayHave(std::string_view head) const noexcept {
  if (head.size() == kFour) {
    const Place place = PlaceOfFour(head, PlanOf(nullptr).shift);
    return HasBits(of_four_[place.word], place.bits);
  }
  return HasBit(bits_, BitOf(head));
}

std::uint64_t HeadFilter::EndsOf(std::string_view text, const Kernels& kernels,
                                 std::uint64_t asked) const noexcept {
  constexpr int kFew = 8;
  constexpr std::uint64_t kShort = (std::uint64_t{1} << (kFour - 1)) - 1;
  if (text.size() < 64) asked &= (std::uint64_t{1} << text.size()) - 1;
  std::uint64_t ends = 0;
  const auto ask = [&](std::uint64_t lengths, int most) {
    for (; lengths != 0 && most > 0; lengths &= lengths - 1, --most) {
      const auto length = static_cast<std::size_t>(std::countr_zero(lengths)) + 1;
      const std::string_view end = text.substr(text.size() - length);
      const bool may_have = (length <= kFour || MayHave(end.substr(0, kFour))) && MayHave(end);
      ends |= std::uint64_t{may_have} << (length - 1);
    }
    return lengths;
  };
  const std::uint64_t rest = ask(asked, kFew) & ~kShort;
  if (rest == 0) return ends;
  std::array<std::uint16_t, 64 + kSpareHits> places;
  const std::size_t found =
      kernels.probe(text.data(), text.size(), text.size(), PlanOf(of_four_.data()), places.data());
  std::uint64_t likely = 0;
  for (std::size_t i = 0; i < found; ++i) {
    likely |= std::uint64_t{1} << (text.size() - places[i] - 1);
  }
  ask(rest & likely, 64);
  return ends;
}

}  // namespace qarion::secrets::scrub
