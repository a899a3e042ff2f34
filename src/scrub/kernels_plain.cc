#include "scrub/kernels_inline.h"

namespace qarion::secrets::scrub {
namespace {

template <unsigned kGramSize, unsigned kStride>
std::size_t ProbeGrams(const char* text, std::size_t size, std::size_t count, const ProbePlan& plan,
                       std::uint16_t* hits) {
  std::uint16_t places[kBatchBytes];  // NOLINT(*-avoid-c-arrays): not initialised
  std::uint16_t* end = places;
  const ByteKind* const kinds = plan.kinds->by_byte();
  const std::uint64_t allowed = plan.kinds->allowed();
  for (std::size_t place = kStride - 1; place < count && place + kGramSize <= size;
       place += kStride) {
    unsigned signature = 0;
    for (unsigned i = 0; i < kGramSize; ++i) {
      signature |= Bit(kinds[static_cast<unsigned char>(text[place + i])]);
    }
    *end = static_cast<std::uint16_t>(place);
    end += allowed >> signature & 1;
  }
  return LookUpPlaces<kGramSize>(text, size, places, end, plan, hits);
}

std::size_t Probe(const char* text, std::size_t size, std::size_t count, const ProbePlan& plan,
                  std::uint16_t* hits) {
  switch (plan.gram_size) {
    case 8: return ProbeGrams<8, 8>(text, size, count, plan, hits);
    case 5: return ProbeGrams<5, 4>(text, size, count, plan, hits);
    case 3: return ProbeGrams<3, 2>(text, size, count, plan, hits);
    case 2: return ProbeGrams<2, 1>(text, size, count, plan, hits);
    default: return ProbeGrams<1, 1>(text, size, count, plan, hits);
  }
}

}  // namespace

const Kernels kPlainKernels = {.name = "plain", .probe = &Probe};

}  // namespace qarion::secrets::scrub
