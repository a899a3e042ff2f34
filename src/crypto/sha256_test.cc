#include "crypto/sha256.h"

#include <gtest/gtest.h>

#include <string>

#include "core/json_document.h"
#include "tests/support/hex_fields.h"
#include "tests/support/vectors.h"

namespace qarion::secrets::crypto {
namespace {

std::string HexOf(const Result<Sha256Digest>& digest) {
  return digest ? LowerHex(*digest) : digest.error().reason();
}

std::string_view BytesOf(const Sha256Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// The examples of FIPS 180-4 (which NIST keeps on a page of its own; printed in FIPS 180-2, B.1 to
// B.3), and the empty message of NIST's CAVP vectors.
TEST(Sha256, HashesTheMessagesOfTheStandard) {
  EXPECT_EQ(HexOf(Sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(HexOf(Sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(HexOf(Sha256(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_EQ(HexOf(Sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

struct HmacCase {
  std::string key;
  std::string message;
  std::string code;
};

// RFC 4231, 4.2 to 4.8, without the truncated one.
std::vector<HmacCase> Rfc4231() {
  std::string counting;
  for (char c = 1; c <= 25; ++c) counting += c;
  return {
      {std::string(20, '\x0b'), "Hi There",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {std::string(20, '\xaa'), std::string(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {counting, std::string(50, '\xcd'),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {std::string(131, '\xaa'),
       "This is a test using a larger than block-size key and a larger than block-size data. The "
       "key needs to be hashed before being used by the HMAC algorithm.",
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
  };
}

TEST(HmacSha256, AuthenticatesTheMessagesOfRfc4231) {
  for (const HmacCase& c : Rfc4231()) EXPECT_EQ(HexOf(HmacSha256(c.key, c.message)), c.code);
}

TEST(HmacSha256, TakesEmptyKeysAndMessages) {
  // `openssl dgst -sha256 -mac HMAC -macopt hexkey:` and Python's hmac agree on it.
  EXPECT_EQ(HexOf(HmacSha256({}, {})),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(HmacSha256, DerivesKeysThatAreTheSameBytes) {
  for (const HmacCase& c : Rfc4231()) {
    const auto key = DeriveHmacSha256Key(c.key, c.message);
    ASSERT_TRUE(key);
    EXPECT_TRUE(key->ConstantTimeEquals(test::FromHex(c.code)));
  }
}

TEST(HmacSha256, AgreesWithWycheproof) {
  const auto path = test::FindVectors("wycheproof_hmac_sha256_test.json");
  if (!path) GTEST_SKIP() << "wycheproof_hmac_sha256_test.json " << test::kNoVectors;
  const auto file = core::JsonDocument::Parse(test::ReadText(*path), "wycheproof");
  ASSERT_TRUE(file) << file.error().reason();
  int count = 0;
  for (const core::JsonValue& group : (*file)["testGroups"].Elements()) {
    const auto tag_size = static_cast<std::size_t>(*group["tagSize"].Integer()) / 8;
    for (const core::JsonValue& c : group["tests"].Elements()) {
      const auto code =
          HmacSha256(test::FromHex(*c["key"].Text()), test::FromHex(*c["msg"].Text()));
      ASSERT_TRUE(code);
      const bool matches = BytesOf(*code).substr(0, tag_size) == test::FromHex(*c["tag"].Text());
      EXPECT_EQ(matches, c["result"].Text() == "valid") << *c["tcId"].Integer();
      ++count;
    }
  }
  EXPECT_EQ(count, *(*file)["numberOfTests"].Integer());
}

}  // namespace
}  // namespace qarion::secrets::crypto
