#include "crypto/base64.h"

#include <gtest/gtest.h>

#include <string>

namespace qarion::secrets::crypto {
namespace {

// RFC 4648, 10.
TEST(Base64, HasThePublishedVectors) {
  constexpr std::pair<std::string_view, std::string_view> kVectors[] = {{"", ""},
                                                                        {"f", "Zg=="},
                                                                        {"fo", "Zm8="},
                                                                        {"foo", "Zm9v"},
                                                                        {"foob", "Zm9vYg=="},
                                                                        {"fooba", "Zm9vYmE="},
                                                                        {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : kVectors) {
    EXPECT_EQ(EncodeBase64(bytes).Reveal(), text);
    const auto decoded = DecodeBase64(text);
    ASSERT_TRUE(decoded) << text;
    EXPECT_EQ(decoded->Reveal(), bytes);
  }
}

TEST(Base64, KeepsEveryByte) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  const auto decoded = DecodeBase64(EncodeBase64(all).Reveal());
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->Reveal(), all);
}

TEST(Base64, RefusesWhatIsNotCanonical) {
  for (const std::string_view text : {"Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==",
                                      "Zm9v\n", "Zm 9", "-_-_", "Zm9v=", "=Zm9"}) {
    EXPECT_FALSE(DecodeBase64(text)) << text;
  }
}

}  // namespace
}  // namespace qarion::secrets::crypto
