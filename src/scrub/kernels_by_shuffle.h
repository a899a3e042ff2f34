// The kernel of the instruction sets that look bytes up by shuffling: in C++ for any of their
// vectors. Included as kernels_inline.h is.
#pragma once

#include "scrub/kernels_inline.h"

namespace qarion::secrets::scrub {
namespace {  // NOLINT(cert-dcl59-cpp,google-build-namespaces,misc-*): see kernels_inline.h

// `Vector` names the instructions, as static functions: Load, Rows (16 bytes, as often as they
// fit), Repeat (a byte), Shuffle (0 where the top bit of an index is set), Or, Xor, LowOfHighHalf
// (the three bits above the lowest four of each byte), and WhereIn (a bit for each byte all of
// whose bits in the second vector are in the first).
template <typename Vector, bool kHasHigh>
std::size_t ProbeByShuffle(const char* text, std::size_t size, std::size_t count,
                           const ProbePlan& plan, std::uint16_t* hits) {
  using Bytes = typename Vector::Bytes;
  constexpr std::size_t kRows = 16;
  const std::uint8_t* const first_rows = plan.kinds->first().rows.data();
  const std::uint8_t* const second_rows = plan.kinds->second().rows.data();
  const Bytes first = Vector::Rows(first_rows);
  const Bytes second = Vector::Rows(second_rows);
  const Bytes first_high = Vector::Rows(first_rows + kRows);
  const Bytes second_high = Vector::Rows(second_rows + kRows);
  constexpr std::uint8_t kBits[kRows] = {1, 2, 4, 8, 16, 32, 64, 128,  // NOLINT(*-avoid-c-arrays)
                                         1, 2, 4, 8, 16, 32, 64, 128};
  const Bytes bit_of = Vector::Rows(kBits);
  const Bytes top = Vector::Repeat(static_cast<char>(0x80));
  return ProbeAny(text, size, count, plan, hits, [&](const char* piece) {
    KindMasks masks = {};
    for (std::size_t i = 0; i < kMaskBytes; i += sizeof(Bytes)) {
      const Bytes bytes = Vector::Load(piece + i);
      // NOLINTBEGIN(misc-const-correctness): not where kHasHigh
      Bytes first_row = Vector::Shuffle(first, bytes);
      Bytes second_row = Vector::Shuffle(second, bytes);
      // NOLINTEND(misc-const-correctness)
      if constexpr (kHasHigh) {
        const Bytes high = Vector::Xor(bytes, top);
        first_row = Vector::Or(first_row, Vector::Shuffle(first_high, high));
        second_row = Vector::Or(second_row, Vector::Shuffle(second_high, high));
      }
      const Bytes bit = Vector::Shuffle(bit_of, Vector::LowOfHighHalf(bytes));
      masks.first |= std::uint64_t{Vector::WhereIn(first_row, bit)} << i;
      masks.second |= std::uint64_t{Vector::WhereIn(second_row, bit)} << i;
    }
    return masks;
  });
}

template <typename Vector>
std::size_t Probe(const char* text, std::size_t size, std::size_t count, const ProbePlan& plan,
                  std::uint16_t* hits) {
  const auto probe =
      plan.kinds->has_high() ? ProbeByShuffle<Vector, true> : ProbeByShuffle<Vector, false>;
  return probe(text, size, count, plan, hits);
}

}  // namespace
}  // namespace qarion::secrets::scrub
