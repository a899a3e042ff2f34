#include "rotate/json_strings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "rotate/json_slots.h"

namespace qarion::secrets::rotate {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// "path=text" of each string.
std::vector<std::string> Visited(std::string_view json) {
  std::vector<std::string> visited;
  const Status status = VisitJsonStrings(json, [&](const JsonString& string) {
    visited.push_back(std::string(string.path) + "=" + std::string(string.text));
  });
  EXPECT_TRUE(status) << json;
  return visited;
}

TEST(JsonStringsTest, AreVisitedWithTheirPaths) {
  EXPECT_THAT(Visited(R"("x")"), ElementsAre("$=x"));
  EXPECT_THAT(Visited(R"({"a":"1","b":{"c":["2",3,["4"],{"d":"5"}]},"e":"6"})"),
              ElementsAre("$.a=1", "$.b.c[0]=2", "$.b.c[2][0]=4", "$.b.c[3].d=5", "$.e=6"));
  EXPECT_THAT(Visited(R"([[],{},null,true,1])"), IsEmpty());
}

TEST(JsonStringsTest, HaveNamesInQuotesWhereTheyNeedThem) {
  EXPECT_THAT(Visited(R"({"a b":"1","":"2","0":"3","api-key":"4","\u0061":"5","ü":"6"})"),
              ElementsAre(R"($["a b"]=1)", R"($[""]=2)", R"($["0"]=3)", R"($["api-key"]=4)",
                          "$.a=5", "$.ü=6"));
  EXPECT_THAT(Visited(R"({"a\"\\\n'":"1"})"), ElementsAre(R"($["a\"\\\u000a'"]=1)"));
}

TEST(JsonStringsTest, HaveAWildcardForNamesThatNoPathCanHave) {
  EXPECT_THAT(Visited(R"({"\ud800":{"a":"1"}})"), ElementsAre("$.*.a=1"));
  EXPECT_THAT(Visited("{\"" + std::string(5000, 'n') + "\":[{\"a\":\"1\"}]}"),
              ElementsAre("$.*[0].a=1"));
}

TEST(JsonStringsTest, AreFoundAgainByTheirPaths) {
  std::string deep = R"({"a b":["x",{"\u00fc\"":"y"}],"\ud800":{"":"z"}})";
  for (int i = 0; i < 80; ++i) deep = "{\"" + std::string(60, 'n') + "\":" + deep + "}";
  std::size_t visited = 0;
  const Status status = VisitJsonStrings(deep, [&](const JsonString& string) {
    ++visited;
    auto path = JsonPath::Parse(string.path);
    ASSERT_TRUE(path) << path.error().reason();
    const std::vector<JsonPath> paths = {std::move(*path)};
    JsonSlotFinder finder(paths);
    ASSERT_TRUE(finder.Find(deep));
    bool is_found = false;
    for (const JsonSlot& slot : finder.slots()) {
      is_found = is_found ||
                 (slot.begin == string.begin && slot.end == string.end && slot.text == string.text);
    }
    EXPECT_TRUE(is_found) << string.path;
  });
  ASSERT_TRUE(status);
  EXPECT_EQ(visited, 3u);
}

TEST(JsonStringsTest, OfWhatIsNotJsonAreAnError) {
  const auto ignore = [](const JsonString&) {};
  const Status status = VisitJsonStrings(R"({"a":"1",})", ignore);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::kBadData);
  EXPECT_EQ(status.error().reason(), "is not JSON, at byte 10");
  EXPECT_FALSE(VisitJsonStrings(std::string(101, '[') + std::string(101, ']'), ignore));
}

}  // namespace
}  // namespace qarion::secrets::rotate
