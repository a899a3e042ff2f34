#include "crypto/keyed_hmac.h"

#include <gtest/gtest.h>

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
