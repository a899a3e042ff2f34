#include "scrub/carried_patterns.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qarion::secrets::scrub {
namespace {

using PatternPlaces = std::vector<std::pair<PatternId, std::size_t>>;

// What is found in the text, batch by batch.
PatternPlaces CarriedIn(const LengthClass& carrier, const CarriedPatterns& carried,
                        std::string_view text) {
  PatternPlaces found;
  for (std::size_t begin = 0; begin < text.size(); begin += kBatchBytes) {
    const std::size_t size = text.size() - begin;
    std::vector<std::uint16_t> hits(kBatchBytes + kSpareHits);
    hits.resize(ActiveKernels().probe(text.data() + begin, size, std::min(size, kBatchBytes),
                                      carrier.plan(), hits.data()));
    carried.ForEachAt(text, begin, hits, [&](PatternId id, std::size_t place) {
      // Several hits may lead to one.
      if (found.empty() || found.back() != std::pair(id, place)) found.emplace_back(id, place);
    });
  }
  return found;
}

TEST(CarriedPatterns, AreFoundWhereverTheyStand) {
  LengthClass carrier(kClassShapes.back(), 3000);
  CarriedPatterns carried;
  const std::vector<std::string> patterns = {"k3Zq9x", "P0_wErt"};
  for (PatternId id = 0; id < patterns.size(); ++id) {
    ASSERT_TRUE(carrier.Carry(patterns[id]));
    carried.Add(id, patterns[id]);
  }
  for (PatternId id = 0; id < patterns.size(); ++id) {
    for (const std::size_t before : {std::size_t{0}, kBatchBytes - 10, 2 * kBatchBytes - 10}) {
      for (std::size_t more = 0; more < 20; ++more) {
        for (std::size_t behind = 0; behind < 10; ++behind) {
          const std::string text =
              std::string(before + more, '.') + patterns[id] + std::string(behind, '.');
          EXPECT_EQ(CarriedIn(carrier, carried, text), (PatternPlaces{{id, before + more}}))
              << before + more << " bytes before, " << behind << " behind";
        }
      }
    }
    const std::string cut = patterns[id].substr(0, patterns[id].size() - 1) + ".........";
    EXPECT_TRUE(CarriedIn(carrier, carried, cut).empty());
  }
}

TEST(CarriedPatterns, AreRefusedWhereTheFilterHasNoRoomForThem) {
  LengthClass carrier(kClassShapes.back(), 24);
  EXPECT_FALSE(carrier.Carry("k3Zq9x"));
  EXPECT_EQ(carrier.carried(), 0u);
}

}  // namespace
}  // namespace qarion::secrets::scrub
