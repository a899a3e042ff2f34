#include "crypto/sha1.h"

#include <gtest/gtest.h>

#include <string>

namespace qarion::secrets::crypto {
namespace {

std::string HexOf(std::string_view bytes) {
  auto digest = Sha1Hex(bytes);
  return digest ? *digest : digest.error().reason();
}

// RFC 3174, 7.3, TEST1 to TEST4.
TEST(Sha1, HashesTheMessagesOfTheStandard) {
  EXPECT_EQ(HexOf("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(HexOf("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  EXPECT_EQ(HexOf(std::string(1'000'000, 'a')), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
  std::string octal;
  for (int i = 0; i < 20; ++i) octal += "01234567012345670123456701234567";
  EXPECT_EQ(HexOf(octal), "dea356a2cddd90c7a7ecedc5ebb563934f460452");
}

// As the AWS CLI names the file of https://d-abc123.awsapps.com/start, session `dev`
// (aws_credentials/profile-provider/sso_credentials).
TEST(Sha1, NamesTheFilesOfSsoSessions) {
  EXPECT_EQ(HexOf("dev"), "34c6fceca75e456f25e7e99531e2425c6c1de443");
}

}  // namespace
}  // namespace qarion::secrets::crypto
