#include "crypto/aes_cbc.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/json_document.h"
#include "tests/support/hex_fields.h"
#include "tests/support/vectors.h"

namespace qarion::secrets::crypto {
namespace {

// NIST SP 800-38A, F.2.1 and F.2.2.
constexpr char kKey[] = "2b7e151628aed2a6abf7158809cf4f3c";
constexpr char kIv[] = "000102030405060708090a0b0c0d0e0f";
constexpr char kPlaintext[] =
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
constexpr char kCiphertext[] =
    "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
    "73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7";

AesCbc Make(AesCbc::Direction direction, const std::string& key) {
  auto made = AesCbc::Create(direction, test::FromHex(key));
  EXPECT_TRUE(made);
  return *std::move(made);
}

AesBlock BlockOf(const std::string& digits) {
  const std::string bytes = test::FromHex(digits);
  AesBlock block{};
  std::ranges::copy(bytes, block.begin());
  return block;
}

std::vector<std::uint8_t> BytesOf(const std::string& digits) {
  const std::string bytes = test::FromHex(digits);
  return {bytes.begin(), bytes.end()};
}

// In pieces of `piece` bytes.
std::string Encrypted(AesCbc& cipher, const std::string& iv, const std::string& plaintext,
                      std::size_t piece) {
  std::vector<std::uint8_t> blocks = BytesOf(plaintext);
  std::string out(blocks.size(), '\0');
  auto* const room = reinterpret_cast<std::uint8_t*>(out.data());
  cipher.Begin(BlockOf(iv));
  for (std::size_t at = 0; at < blocks.size(); at += piece) {
    const std::size_t size = std::min(piece, blocks.size() - at);
    EXPECT_TRUE(cipher.Encrypt(std::span(blocks).subspan(at, size), room + at));
  }
  return test::Hex(out);
}

std::string Decrypted(AesCbc& cipher, const std::string& iv, const std::string& ciphertext,
                      std::size_t piece) {
  const std::vector<std::uint8_t> blocks = BytesOf(ciphertext);
  std::string out(blocks.size(), '\0');
  auto* const room = reinterpret_cast<std::uint8_t*>(out.data());
  cipher.Begin(BlockOf(iv));
  for (std::size_t at = 0; at < blocks.size(); at += piece) {
    const std::size_t size = std::min(piece, blocks.size() - at);
    EXPECT_TRUE(cipher.Decrypt(std::span(blocks).subspan(at, size), room + at));
  }
  return test::Hex(out);
}

TEST(AesCbc, EncryptsAndDecryptsTheExampleOfTheStandardAgainAndAgain) {
  AesCbc encryptor = Make(AesCbc::Direction::kEncrypt, kKey);
  AesCbc decryptor = Make(AesCbc::Direction::kDecrypt, kKey);
  for (const std::size_t piece : {64U, 16U, 32U, 48U, 64U}) {
    EXPECT_EQ(Encrypted(encryptor, kIv, kPlaintext, piece), kCiphertext);
    EXPECT_EQ(Decrypted(decryptor, kIv, kCiphertext, piece), kPlaintext);
  }
}

TEST(AesCbc, IsNotConfusedByAMessageThatWasNotFinished) {
  AesCbc encryptor = Make(AesCbc::Direction::kEncrypt, kKey);
  encryptor.Begin(BlockOf(kKey));
  encryptor.Begin(BlockOf(kIv));
  EXPECT_EQ(Encrypted(encryptor, kIv, kPlaintext, 64), kCiphertext);
}

// PKCS #7 is not this class's; the cases that are valid have it.
TEST(AesCbc, AgreesWithWycheproof) {
  const auto path = test::FindVectors("wycheproof_aes_cbc_pkcs5_test.json");
  if (!path) GTEST_SKIP() << "wycheproof_aes_cbc_pkcs5_test.json " << test::kNoVectors;
  const auto file = core::JsonDocument::Parse(test::ReadText(*path), "wycheproof");
  ASSERT_TRUE(file) << file.error().reason();
  int count = 0;
  for (const core::JsonValue& group : (*file)["testGroups"].Elements()) {
    if (group["keySize"].Integer() != 128) continue;
    for (const core::JsonValue& c : group["tests"].Elements()) {
      if (c["result"].Text() != "valid") continue;
      const std::string key(*c["key"].Text());
      const std::string iv(*c["iv"].Text());
      std::string padded(*c["msg"].Text());
      const std::size_t padding = 16 - padded.size() / 2 % 16;
      padded += test::Hex(std::string(padding, static_cast<char>(padding)));
      AesCbc encryptor = Make(AesCbc::Direction::kEncrypt, key);
      AesCbc decryptor = Make(AesCbc::Direction::kDecrypt, key);
      EXPECT_EQ(Encrypted(encryptor, iv, padded, 64), *c["ct"].Text());
      EXPECT_EQ(Decrypted(decryptor, iv, std::string(*c["ct"].Text()), 64), padded);
      ++count;
    }
  }
  EXPECT_GT(count, 10);
}

TEST(AesCbc, TakesKeysOf128BitsAlone) {
  for (const std::size_t size : {0U, 15U, 17U, 32U}) {
    const auto made = AesCbc::Create(AesCbc::Direction::kEncrypt, std::string(size, 'k'));
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code(), ErrorCode::kInternal);
  }
}

}  // namespace
}  // namespace qarion::secrets::crypto
