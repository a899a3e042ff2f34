#include <gtest/gtest.h>

#include "cache/snapshot_cache.h"
#include "core/fake_clock.h"
#include "tests/support/allocation_counter.h"

namespace qarion::secrets::cache {
namespace {

Result<Fetched> FetchOneField(const FetchContext&) {
  Snapshot::Contents contents;
  contents.fields.push_back({"KEY", Secret::CopyOf("fake"), "test"});
  return Fetched{.snapshot = std::make_shared<const Snapshot>(std::move(contents))};
}

TEST(CachedRead, TakesNothingFromTheHeap) {
  SnapshotCache cache({}, FetchOneField, std::make_shared<core::FakeClock>(),
                      std::make_unique<core::SystemRandom>());
  ASSERT_TRUE(cache.Start());
  SnapshotCache::Reader reader(cache);
  ASSERT_TRUE(reader.Current());
  ASSERT_TRUE(cache.Find("KEY"));
  const std::size_t before = test::AllocationCount();
  for (int i = 0; i < 1000; ++i) {
    ASSERT_NE((*reader.Current())->Find("KEY"), nullptr);
    ASSERT_TRUE(*cache.Find("KEY"));
  }
  EXPECT_EQ(test::AllocationCount(), before);
}

}  // namespace
}  // namespace qarion::secrets::cache
