#include "scrub/kernels_inline.h"

namespace qarion::secrets::scrub {
namespace {

std::size_t Probe(const char* text, std::size_t size, std::size_t count, const ProbePlan& plan,
                  std::uint16_t* hits) {
  return ProbeSingly(text, size, count, plan, 0, plan.stride, hits);
}

std::size_t FindRun(const char* text, std::size_t size, const ByteRows& set) {
  const auto is_in = [&](std::size_t at) {
    const auto c = static_cast<unsigned char>(text[at]);
    return (set.data()[c & 15] & kBitOfHighHalf[c >> 4]) != 0;
  };
  for (std::size_t begin = 0; begin + kRunBytes <= size; begin += kRunBytes) {
    std::size_t count = 0;
    while (count < kRunBytes && is_in(begin + count)) ++count;
    if (count == kRunBytes) return begin;
  }
  return size;
}

}  // namespace

const Kernels kPlainKernels = {.name = "plain", .probe = &Probe, .find_run = &FindRun};

}  // namespace qarion::secrets::scrub
