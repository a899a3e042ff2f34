#include "crypto/keyed_hmac.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstdint>
#include <string>

#include "core/json_document.h"
#include "crypto/sha256.h"
#include "tests/support/hex_fields.h"
#include "tests/support/vectors.h"

namespace qarion::secrets::crypto {
namespace {

// RFC 4231, 4.3 and 4.7; sha256_test.cc has all of them.
TEST(KeyedHmac, AuthenticatesMessagesOfRfc4231OneAfterTheOther) {
  KeyedHmac jefe("Jefe");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(LowerHex(jefe.Of("what do ya want for nothing?")),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  }
  KeyedHmac long_key(std::string(131, '\xaa'));
  EXPECT_EQ(LowerHex(long_key.Of("Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

template <std::size_t kSize>
std::string Hex(const std::array<std::uint8_t, kSize>& code) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const std::uint8_t byte : code) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 0xf];
  }
  return hex;
}

// RFC 4231, 4.3 and 4.7.
TEST(KeyedHmac, AuthenticatesWithTheLongerHashes) {
  const std::string long_key(131, '\xaa');
  constexpr char kLong[] = "Test Using Larger Than Block-Size Key - Hash Key First";
  KeyedHmacOf<Sha2::k384> jefe_384("Jefe");
  EXPECT_EQ(Hex(jefe_384.Of("what do ya want for nothing?")),
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
            "8e2240ca5e69e2c78b3239ecfab21649");
  EXPECT_EQ(Hex(KeyedHmacOf<Sha2::k384>(long_key).Of(kLong)),
            "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
            "0c2ef6ab4030fe8296248df163f44952");
  KeyedHmacOf<Sha2::k512> jefe_512("Jefe");
  EXPECT_EQ(Hex(jefe_512.Of("what do ya want for nothing?")),
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
            "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
  EXPECT_EQ(Hex(KeyedHmacOf<Sha2::k512>(long_key).Of(kLong)),
            "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
            "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598");
}

// Around the ends of blocks the padding takes another form.
template <typename Hmac>
void AgreesWithOpenSsl(const EVP_MD* hash) {
  for (const std::size_t key_size : {0U, 48U, 127U, 128U, 129U, 300U}) {
    const std::string key(key_size, 'k');
    Hmac hmac(key);
    for (std::size_t size = 0; size < 400; ++size) {
      const std::string message(size, 'm');
      typename Hmac::Digest expected{};
      unsigned int written = 0;
      ASSERT_NE(HMAC(hash, key.data(), static_cast<int>(key.size()),
                     reinterpret_cast<const unsigned char*>(message.data()), message.size(),
                     expected.data(), &written),
                nullptr);
      ASSERT_EQ(hmac.Of(message), expected) << key_size << " " << size;
    }
  }
}

TEST(KeyedHmac, AgreesWithOpenSslInTheLongerHashes) {
  AgreesWithOpenSsl<KeyedHmacOf<Sha2::k384>>(EVP_sha384());
  AgreesWithOpenSsl<KeyedHmacOf<Sha2::k512>>(EVP_sha512());
}

// Around the ends of blocks the padding takes another form.
TEST(KeyedHmac, AgreesWithOpenSslAtEveryLength) {
  for (const std::size_t key_size : {0U, 16U, 63U, 64U, 65U, 200U}) {
    const std::string key(key_size, 'k');
    KeyedHmac hmac(key);
    for (std::size_t size = 0; size < 400; ++size) {
      const std::string message(size, 'm');
      const auto expected = HmacSha256(key, message);
      ASSERT_TRUE(expected);
      ASSERT_EQ(hmac.Of(message), *expected) << key_size << " " << size;
    }
  }
}

TEST(KeyedHmac, AgreesWithWycheproof) {
  const auto path = test::FindVectors("wycheproof_hmac_sha256_test.json");
  if (!path) GTEST_SKIP() << "wycheproof_hmac_sha256_test.json " << test::kNoVectors;
  const auto file = core::JsonDocument::Parse(test::ReadText(*path), "wycheproof");
  ASSERT_TRUE(file) << file.error().reason();
  for (const core::JsonValue& group : (*file)["testGroups"].Elements()) {
    const auto digits = static_cast<std::size_t>(*group["tagSize"].Integer()) / 4;
    for (const core::JsonValue& c : group["tests"].Elements()) {
      KeyedHmac hmac(test::FromHex(*c["key"].Text()));
      const std::string code = LowerHex(hmac.Of(test::FromHex(*c["msg"].Text())));
      EXPECT_EQ(code.substr(0, digits) == *c["tag"].Text(), c["result"].Text() == "valid")
          << *c["tcId"].Integer();
    }
  }
}

}  // namespace
}  // namespace qarion::secrets::crypto
