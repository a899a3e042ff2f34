#include "core/json_document.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace qarion::secrets::core {
namespace {

JsonDocument Parsed(std::string_view text) {
  auto parsed = JsonDocument::Parse(text, "test");
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().reason());
  return std::move(*parsed);
}

TEST(JsonDocument, GivesWhatAPathLeadsTo) {
  const auto document = Parsed(
      R"({"auth": {"client_token": "fake", "renewable": true, "lease_duration": 3600,
                   "policies": ["default", "app"], "metadata": null}})");
  const JsonValue auth = document["auth"];
  EXPECT_EQ(auth["client_token"].Text(), "fake");
  EXPECT_EQ(auth["renewable"].Bool(), true);
  EXPECT_EQ(auth["lease_duration"].Integer(), 3600);
  EXPECT_TRUE(auth["lease_duration"].IsNumber());
  ASSERT_EQ(auth["policies"].Elements().size(), 2u);
  EXPECT_EQ(auth["policies"].Elements()[1].Text(), "app");
  EXPECT_TRUE(auth["metadata"].IsNull());
  EXPECT_EQ(auth.Names().size(), 5u);
}

TEST(JsonDocument, HasNothingWhereThePathEnds) {
  const auto document = Parsed(R"({"auth": null, "data": "text"})");
  EXPECT_FALSE(document["auth"]["client_token"].exists());
  EXPECT_FALSE(document["data"]["data"]["x"].exists());
  EXPECT_EQ(document["data"].Integer(), std::nullopt);
  EXPECT_EQ(document["nothing"].Text(), std::nullopt);
  EXPECT_FALSE(document["nothing"].IsNull());
  EXPECT_TRUE(document["data"].Elements().empty());
}

TEST(JsonDocument, RefusesWhatIsNotJsonWithoutQuotingIt) {
  for (const std::string text : {"{\"a\": \"fake-hunter2", "{\"a\": fake-hunter2}", "",
                                 "{} fake-hunter2", "\"\xff fake-hunter2\""}) {
    auto parsed = JsonDocument::Parse(text, "the answer");
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code(), ErrorCode::kBadData);
    EXPECT_TRUE(parsed.error().reason().starts_with("the answer, line 1, column "));
    EXPECT_EQ(parsed.error().reason().find("hunter2"), std::string::npos);
  }
  EXPECT_FALSE(JsonDocument::Parse(std::string(40, '[') + std::string(40, ']'), "deep"));
}

TEST(JsonMemberText, IsTheMemberAsItWasWritten) {
  const std::string_view text =
      R"( { "a" : 1.50 , "data":{"data":"not this one","n":1e3,"s":"}\"]"},"x":[1, {"data":2}], "e":"" })";
  EXPECT_EQ(JsonMemberText(text, "a"), "1.50");
  EXPECT_EQ(JsonMemberText(text, "data"), R"({"data":"not this one","n":1e3,"s":"}\"]"})");
  EXPECT_EQ(JsonMemberText(text, "x"), R"([1, {"data":2}])");
  EXPECT_EQ(JsonMemberText(text, "e"), "\"\"");
  EXPECT_EQ(JsonMemberText(text, "nothing"), "");
  EXPECT_EQ(JsonMemberText(JsonMemberText(text, "data"), "n"), "1e3");
}

TEST(JsonMemberText, IsTheLastOfSeveral) {
  EXPECT_EQ(JsonMemberText(R"({"a":1,"a":[2]})", "a"), "[2]");
}

TEST(JsonMemberText, EndsWithTheTextWhateverItIs) {
  for (const std::string_view text :
       {"", "{", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":\"", "[1]", "{\"a\":{\"b", "{\"a\":\"\\"}) {
    static_cast<void>(JsonMemberText(text, "a"));
  }
}

}  // namespace
}  // namespace qarion::secrets::core
