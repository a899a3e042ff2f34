#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/secret_memory.h"
#include "crypto/fernet_ring.h"
#include "tests/support/allocation_counter.h"

namespace qarion::secrets::crypto {
namespace {

FernetRing Ring(const std::vector<const FernetKey*>& keys) {
  std::vector<FernetKey> shared;
  for (const FernetKey* key : keys) shared.push_back(key->Share());
  return *FernetRing::Create(shared);
}

TEST(FernetRing, TakesNothingFromTheHeapPerToken) {
  const auto current = FernetKey::Generate();
  const auto previous = FernetKey::Generate();
  ASSERT_TRUE(current && previous);
  FernetRing both = Ring({&*current, &*previous});
  FernetRing old = Ring({&*previous});
  std::string token;
  ASSERT_TRUE(old.Seal(std::string(80, 'x'), 1'700'000'000, token));
  OpenedFernet opened;
  std::string sealed;
  const auto rotate = [&] {
    sealed.clear();
    return both.Open(token, FernetReading::kStrict, opened) == FernetFault::kNone &&
           both.Seal(opened.plaintext.Reveal(), opened.timestamp, sealed).has_value();
  };
  ASSERT_TRUE(rotate());
  const std::size_t before = test::AllocationCount();
  const std::size_t secret_before = core::GetSecretMemoryStatus().in_use_bytes;
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(rotate());
  EXPECT_EQ(test::AllocationCount(), before);
  EXPECT_EQ(core::GetSecretMemoryStatus().in_use_bytes, secret_before);
}

}  // namespace
}  // namespace qarion::secrets::crypto
