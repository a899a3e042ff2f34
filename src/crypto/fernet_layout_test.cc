#include "crypto/fernet_layout.h"

#include <gtest/gtest.h>

#include <string>

namespace qarion::secrets::crypto {
namespace {

// The specification's, of "hello".
constexpr char kToken[] =
    "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4I"
    "wqDA==";

TEST(FernetLayout, TellsTimeAndLengthWithoutAKey) {
  FernetLayout layout;
  ASSERT_EQ(ReadFernetLayout(kToken, layout), FernetFault::kNone);
  EXPECT_EQ(layout.timestamp, 499162800U);
  EXPECT_EQ(layout.ciphertext_bytes, 16U);
  EXPECT_TRUE(layout.is_canonical);
}

TEST(FernetLayout, IsReadLeniently) {
  FernetLayout layout;
  ASSERT_EQ(ReadFernetLayout(std::string(kToken) + "\n", layout), FernetFault::kNone);
  EXPECT_FALSE(layout.is_canonical);
}

TEST(FernetLayout, IsThatOfATokenAlone) {
  FernetLayout layout{.timestamp = 1};
  EXPECT_EQ(ReadFernetLayout("", layout), FernetFault::kLength);
  EXPECT_EQ(ReadFernetLayout("A", layout), FernetFault::kBase64);
  EXPECT_EQ(ReadFernetLayout("fake-token", layout), FernetFault::kVersion);
  EXPECT_EQ(ReadFernetLayout("gAAA", layout), FernetFault::kLength);
  EXPECT_EQ(layout.timestamp, 1U);
}

}  // namespace
}  // namespace qarion::secrets::crypto
