#include "crypto/base64.h"

#include <gtest/gtest.h>

#include <string>

namespace qarion::secrets::crypto {
namespace {

// RFC 4648, 10.
constexpr std::pair<std::string_view, std::string_view> kVectors[] = {{"", ""},
                                                                      {"f", "Zg=="},
                                                                      {"fo", "Zm8="},
                                                                      {"foo", "Zm9v"},
                                                                      {"foob", "Zm9vYg=="},
                                                                      {"fooba", "Zm9vYmE="},
                                                                      {"foobar", "Zm9vYmFy"}};

std::string AllBytes() {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  return all;
}

std::string_view Unpadded(std::string_view text) { return text.substr(0, text.find('=')); }

TEST(Base64, HasThePublishedVectors) {
  for (const auto& [bytes, text] : kVectors) {
    EXPECT_EQ(EncodeBase64(bytes).Reveal(), text);
    const auto decoded = DecodeBase64(text);
    ASSERT_TRUE(decoded) << text;
    EXPECT_EQ(decoded->Reveal(), bytes);
  }
}

TEST(Base64, KeepsEveryByte) {
  const std::string all = AllBytes();
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

TEST(Base64Url, HasThePublishedVectorsWithoutPadding) {
  for (const auto& [bytes, text] : kVectors) {
    EXPECT_EQ(EncodeBase64Url(bytes).Reveal(), Unpadded(text));
    const auto decoded = DecodeBase64Url(Unpadded(text));
    ASSERT_TRUE(decoded) << text;
    EXPECT_EQ(decoded->Reveal(), bytes);
  }
}

// RFC 7515, appendix C.
TEST(Base64Url, HasTheExampleOfJws) {
  constexpr std::string_view kBytes = "\x03\xec\xff\xe0\xc1";
  EXPECT_EQ(EncodeBase64Url(kBytes).Reveal(), "A-z_4ME");
  const auto decoded = DecodeBase64Url("A-z_4ME");
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->Reveal(), kBytes);
}

TEST(Base64Url, KeepsEveryByte) {
  const auto decoded = DecodeBase64Url(EncodeBase64Url(AllBytes()).Reveal());
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->Reveal(), AllBytes());
}

TEST(Base64Url, RefusesWhatIsNotCanonical) {
  for (const std::string_view text :
       {"Zg==", "Zm8=", "Z", "A", "Zm9vA", "Zh", "Zm9", "+/+/", "Zm9v\n", "Zm 9", "=", "Zm.9"}) {
    EXPECT_FALSE(DecodeBase64Url(text)) << text;
  }
}

// RFC 7515, appendix C, and the vectors, in the forms that Protocol Buffers' JSON may have.
TEST(ProtobufBase64, TakesEitherAlphabetWithPaddingAndWithout) {
  constexpr std::string_view kBytes = "\x03\xec\xff\xe0\xc1";
  for (const std::string_view text : {"A-z_4ME", "A-z_4ME=", "A+z/4ME", "A+z/4ME=", "A+z_4ME"}) {
    const auto decoded = DecodeProtobufBase64(text);
    ASSERT_TRUE(decoded) << text;
    EXPECT_EQ(decoded->Reveal(), kBytes);
  }
  for (const auto& [bytes, text] : kVectors) {
    for (const std::string_view form : {text, Unpadded(text)}) {
      const auto decoded = DecodeProtobufBase64(form);
      ASSERT_TRUE(decoded) << form;
      EXPECT_EQ(decoded->Reveal(), bytes);
    }
  }
}

TEST(ProtobufBase64, RefusesEverythingElse) {
  for (const std::string_view text : {"Zg=", "Zh", "Zh==", "A", "Zm9vA", "Z===", "====", "Zg==Zg==",
                                      "Zm9v\n", "Zm 9", "!!!", "Zm9v=", "=Zm9", "Zm9v===="}) {
    EXPECT_FALSE(DecodeProtobufBase64(text)) << text;
  }
}

}  // namespace
}  // namespace qarion::secrets::crypto
