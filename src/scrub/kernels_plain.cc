#include "scrub/kernels_inline.h"

namespace qarion::secrets::scrub {
namespace {

void Members(const char* text, std::size_t size, std::size_t steps, const MemberSet& set,
             std::uint64_t* masks) {
  bool has[256];  // NOLINT(*-avoid-c-arrays)
  for (unsigned c = 0; c < 256; ++c) has[c] = set.Has(static_cast<std::uint8_t>(c));
  SetMasks(text, size, steps, masks, [&](const char* piece) {
    std::uint64_t mask = 0;
    for (std::size_t i = 0; i < kMaskBytes; ++i) {
      mask |= std::uint64_t{has[static_cast<unsigned char>(piece[i])]} << i;
    }
    return mask;
  });
}

std::size_t Probe(const char* text, std::size_t size, std::size_t steps, const std::uint64_t* masks,
                  const ProbePlan& plan, std::uint16_t* hits) {
  return (steps <= kFewSteps ? ProbeFew : ProbeMany)(text, size, steps, masks, plan, hits);
}

}  // namespace

const Kernels kPlainKernels = {.name = "plain", .members = &Members, .probe = &Probe};

}  // namespace qarion::secrets::scrub
