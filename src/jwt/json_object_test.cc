#include "jwt/json_object.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace qarion::secrets::jwt {
namespace {

using testing::HasSubstr;

std::string Problem(const std::string& text) {
  JsonObject object;
  const auto read = object.Read(text);
  return read ? "" : read.error().reason();
}

TEST(JsonObject, GivesMembersInTheirOrder) {
  const std::string text = R"( {"a":"x", "b" : -1.5e3,"c":[1,{"d":2}],"e":{"f":null},"g":true} )";
  JsonObject object;
  ASSERT_TRUE(object.Read(text));
  std::string seen;
  for (const JsonMember& member : object.members()) {
    seen += std::string(member.name) + "=" + std::string(member.json) + ";";
  }
  EXPECT_EQ(seen, R"(a="x";b=-1.5e3;c=[1,{"d":2}];e={"f":null};g=true;)");
  EXPECT_EQ(object.Find("a")->text, "x");
  EXPECT_EQ(object.Find("d"), nullptr);
}

TEST(JsonObject, ReadsEscapes) {
  const std::string text = R"({"\u0061lg":"\u0048S256\ud83d\ude00\n"})";
  JsonObject object;
  ASSERT_TRUE(object.Read(text));
  ASSERT_NE(object.Find("alg"), nullptr);
  EXPECT_EQ(object.Find("alg")->text, "HS256\xf0\x9f\x98\x80\n");
}

TEST(JsonObject, RefusesANameTwice) {
  for (const char* text :
       {R"({"exp":1,"exp":2})", R"({"exp":1,"\u0065xp":2})", R"({"a":{"b":1,"b":1}})",
        R"({"a":[[{"b":1,"c":{"d":1,"\u0064":2}}]]})", R"({"":1,"":1})"}) {
    EXPECT_THAT(Problem(text), HasSubstr("twice")) << text;
  }
  // In different objects they are different members.
  EXPECT_EQ(Problem(R"({"a":{"b":1},"b":{"b":{"b":1}},"c":[{"b":1},{"b":1}]})"), "");
}

TEST(JsonObject, FindsANameTwiceAmongMany) {
  std::string text = "{";
  for (int i = 0; i < 500; ++i) text += "\"n" + std::to_string(i) + "\":0,";
  EXPECT_EQ(Problem(text + "\"n500\":0}"), "");
  EXPECT_THAT(Problem(text + "\"n77\":0}"), HasSubstr("twice"));
}

TEST(JsonObject, RefusesWhatIsNotOneObject) {
  for (const char* text : {"",
                           " ",
                           "[]",
                           "\"x\"",
                           "1",
                           "null",
                           "{",
                           "{}x",
                           "{} {}",
                           "{\"a\":1,}",
                           "{\"a\"}",
                           "{a:1}",
                           "{'a':1}",
                           "{\"a\":01}",
                           "{\"a\":+1}",
                           "{\"a\":1.}",
                           "{\"a\":Infinity}",
                           "{\"a\":NaN}",
                           "{\"a\":tru}",
                           "{/**/}",
                           "\xef\xbb\xbf{}",
                           "{\"a\":\"\t\"}"}) {
    EXPECT_NE(Problem(text), "") << text;
  }
  EXPECT_NE(Problem(std::string("{}\0", 3)), "");
  EXPECT_NE(Problem(std::string("{\"a\":\"\0\"}", 9)), "");
}

TEST(JsonObject, RefusesWhatIsNotUnicode) {
  for (const char* text :
       {"{\"a\":\"\xff\"}", "{\"a\":\"\xc0\xaf\"}", "{\"\xed\xa0\x80\":1}", R"({"a":"\ud800"})",
        R"({"a":["\udc00"]})", R"({"\ud800\u0061":1})", R"({"a":{"\udfff":1}})"}) {
    EXPECT_NE(Problem(text), "") << text;
  }
}

TEST(JsonObject, IsNotNestedDeeperThanAllowed) {
  const auto nested = [](std::size_t depth) {
    return R"({"a":)" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
  };
  EXPECT_EQ(Problem(nested(kDeepestJson)), "");
  EXPECT_THAT(Problem(nested(kDeepestJson + 1)), HasSubstr("deeper than 16"));
  EXPECT_THAT(Problem(nested(100'000)), HasSubstr("deeper than 16"));
}

TEST(JsonObject, CanBeReadIntoAgain) {
  JsonObject object;
  EXPECT_TRUE(object.Read(R"({"a":"\u0041","b":2})"));
  EXPECT_FALSE(object.Read("{"));
  EXPECT_TRUE(object.Read(R"({"c":3})"));
  EXPECT_EQ(object.Find("a"), nullptr);
  EXPECT_NE(object.Find("c"), nullptr);
}

}  // namespace
}  // namespace qarion::secrets::jwt
