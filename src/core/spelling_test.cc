#include "core/spelling.h"

#include <gtest/gtest.h>

#include <vector>

namespace qarion::secrets::core {
namespace {

const std::vector<std::string> kFields = {"SECRET_KEY", "SECRET_KEY_PREVIOUS", "SMTP_PASSWORD"};

TEST(EditDistance, CountsInsertionsDeletionsReplacementsAndSwaps) {
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
  EXPECT_EQ(EditDistance("SECRET", "SERCET"), 1u);
  EXPECT_EQ(EditDistance("", "abc"), 3u);
  EXPECT_EQ(EditDistance("same", "same"), 0u);
}

TEST(Nearest, FindsAMisspeltName) { EXPECT_EQ(Nearest("SECRT_KEY", kFields), "SECRET_KEY"); }

TEST(Nearest, DoesNotMindTheCase) { EXPECT_EQ(Nearest("smtp_password", kFields), "SMTP_PASSWORD"); }

TEST(Nearest, OffersNothingForAnotherWord) { EXPECT_FALSE(Nearest("HOSTNAME", kFields)); }

}  // namespace
}  // namespace qarion::secrets::core
