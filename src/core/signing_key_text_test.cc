#include "core/signing_key_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace qarion::secrets::core {
namespace {

using testing::HasSubstr;

TEST(SigningKeyText, IsRefusedWhereAnybodyHasIt) {
  for (const char* key :
       {"a-string-secret-at-least-256-bits-long",
        "super-secret-jwt-token-with-at-least-32-characters-long",
        "SecretKey012345678901234567890123456789012345678901234567890123456789"}) {
    EXPECT_THAT(SigningKeyProblem(key), HasSubstr("anybody has it")) << key;
  }
  for (const char* key : {"changeme", "your-256-bit-secret-your-256-bit-secret", "<put it here>",
                          "django-insecure-x9$fake-x9$fake-x9$fake-x9$fake"}) {
    EXPECT_THAT(SigningKeyProblem(key), HasSubstr("placeholder")) << key;
  }
}

TEST(SigningKeyText, IsRefusedWhereItIsShort) {
  EXPECT_EQ(SigningKeyProblem("b"), "is a placeholder, not a key");
  EXPECT_EQ(SigningKeyProblem("0123456789012345678901234567890"),
            "has 31 bytes; a signing key needs at least 32");
  EXPECT_EQ(SigningKeyProblem("fake-key-of-thirty-two-bytes-123"), "");
  EXPECT_EQ(SigningKeyProblem("fake-key-of-thirty-two-bytes-123", 48),
            "has 32 bytes; a signing key needs at least 48");
}

TEST(SigningKeyText, IsRefusedWhereItRepeatsItself) {
  std::string key;
  while (key.size() < 64) key += "12345678";
  EXPECT_THAT(SigningKeyProblem(key), HasSubstr("repeats"));
  EXPECT_THAT(SigningKeyProblem(key.substr(3, 45)), HasSubstr("repeats"));
  key[40] = 'x';
  EXPECT_EQ(SigningKeyProblem(key), "");
}

}  // namespace
}  // namespace qarion::secrets::core
