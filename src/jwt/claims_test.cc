#include "qarion/secrets/jwt_claims.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <string>

namespace qarion::secrets::jwt {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::Optional;

Claims Parsed(const std::string& json) {
  auto claims = Claims::Parse(json);
  EXPECT_TRUE(claims) << json;
  return *std::move(claims);
}

TEST(Claims, AreReadByType) {
  const Claims claims = Parsed(
      R"({"t":"text","i":-3,"d":2.5,"b":false,"s":["x","\u0079"],"m":["x",1],"n":null,"o":{"k":1}})");
  EXPECT_EQ(claims.Text("t"), "text");
  EXPECT_EQ(claims.Integer("i"), -3);
  EXPECT_EQ(claims.Number("d"), 2.5);
  EXPECT_EQ(claims.Number("i"), -3.0);
  EXPECT_EQ(claims.Bool("b"), false);
  EXPECT_THAT(claims.Texts("s"), Optional(ElementsAre("x", "y")));
  EXPECT_EQ(claims.Json("o"), R"({"k":1})");
  EXPECT_EQ(Parsed(std::string(*claims.Json("o"))).Integer("k"), 1);
  EXPECT_THAT(claims.names(), ElementsAre("t", "i", "d", "b", "s", "m", "n", "o"));
  EXPECT_TRUE(claims.Has("n"));
  EXPECT_FALSE(claims.Has("k"));
}

TEST(Claims, OfAnotherTypeAreAbsent) {
  const Claims claims = Parsed(R"({"t":"1","i":1,"f":1.0,"b":true,"m":["x",1],"n":null})");
  EXPECT_EQ(claims.Text("i"), std::nullopt);
  EXPECT_EQ(claims.Integer("t"), std::nullopt);
  EXPECT_EQ(claims.Integer("f"), std::nullopt);
  EXPECT_EQ(claims.Bool("n"), std::nullopt);
  EXPECT_EQ(claims.Bool("i"), std::nullopt);
  EXPECT_EQ(claims.Texts("m"), std::nullopt);
  EXPECT_EQ(claims.Texts("t"), std::nullopt);
  EXPECT_EQ(claims.Text("missing"), std::nullopt);
}

TEST(Claims, HaveIntegersOf64Bits) {
  const Claims claims = Parsed(
      R"({"a":9223372036854775807,"b":-9223372036854775808,"c":9223372036854775808,"d":1e3})");
  EXPECT_EQ(claims.Integer("a"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(claims.Integer("b"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(claims.Integer("c"), std::nullopt);
  EXPECT_EQ(claims.Integer("d"), std::nullopt);
}

TEST(Claims, HaveStandardNames) {
  const Claims claims = Parsed(
      R"({"iss":"i","sub":"s","jti":"j","aud":"a","exp":1300819380.9,"nbf":0,"iat":4.1024448e9})");
  EXPECT_EQ(claims.issuer(), "i");
  EXPECT_EQ(claims.subject(), "s");
  EXPECT_EQ(claims.id(), "j");
  EXPECT_THAT(claims.audience(), Optional(ElementsAre("a")));
  EXPECT_EQ(claims.expires_at(), Time(seconds(1300819380)));
  EXPECT_EQ(claims.not_before(), Time(seconds(0)));
  EXPECT_EQ(claims.issued_at(), Time(seconds(4102444800)));
  EXPECT_THAT(Parsed(R"({"aud":["a","b"]})").audience(), Optional(ElementsAre("a", "b")));
  EXPECT_EQ(Parsed(R"({"aud":1})").audience(), std::nullopt);
}

TEST(Claims, HaveNoTimesThatAreNone) {
  for (const char* time : {"-1", "-0.5", "1e300", "9007199254740994", "9223372036854775808",
                           "\"4102444800\"", "true", "null", "[4102444800]"}) {
    EXPECT_EQ(Parsed(std::string(R"({"exp":)") + time + "}").expires_at(), std::nullopt) << time;
  }
  // Later than the clock can say.
  EXPECT_GT(*Parsed(R"({"exp":9007199254740992})").expires_at(), Time(seconds(9000000000)));
}

TEST(Claims, AreRefusedWithoutContent) {
  const auto claims = Claims::Parse(R"({"fake-content":)");
  ASSERT_FALSE(claims);
  EXPECT_EQ(claims.error().code(), ErrorCode::kBadData);
  EXPECT_THAT(claims.error().reason(), testing::Not(testing::HasSubstr("fake")));
}

}  // namespace
}  // namespace qarion::secrets::jwt
