#include "rotate/json_slots.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <initializer_list>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "core/json_document.h"

namespace qarion::secrets::rotate {
namespace {

using core::JsonDocument;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<JsonPath> Paths(std::initializer_list<std::string_view> texts) {
  std::vector<JsonPath> paths;
  for (const std::string_view text : texts) {
    auto path = JsonPath::Parse(text);
    EXPECT_TRUE(path) << text;
    if (path) paths.push_back(std::move(*path));
  }
  return paths;
}

// "path number:literal" of each slot.
std::vector<std::string> Literals(std::string_view json,
                                  std::initializer_list<std::string_view> texts) {
  const std::vector<JsonPath> paths = Paths(texts);
  JsonSlotFinder finder(paths);
  const Status found = finder.Find(json);
  EXPECT_TRUE(found) << json;
  std::vector<std::string> literals;
  for (const JsonSlot& slot : finder.slots()) {
    literals.push_back(std::to_string(slot.path) + ":" +
                       std::string(json.substr(slot.begin, slot.end - slot.begin)));
  }
  return literals;
}

std::vector<std::string> Texts(std::string_view json, std::string_view path) {
  const std::vector<JsonPath> paths = Paths({path});
  JsonSlotFinder finder(paths);
  EXPECT_TRUE(finder.Find(json)) << json;
  std::vector<std::string> texts;
  for (const JsonSlot& slot : finder.slots()) texts.emplace_back(slot.text);
  return texts;
}

// What is wrong with the text; "" for nothing.
std::string SlotsProblem(std::string_view json, std::string_view path = "$.*") {
  const std::vector<JsonPath> paths = Paths({path});
  JsonSlotFinder finder(paths);
  const Status found = finder.Find(json);
  if (found) return "";
  EXPECT_EQ(found.error().code(), ErrorCode::kBadData);
  return found.error().reason();
}

// The text with all strings at the paths replaced.
std::string Replaced(std::string_view json, const std::vector<JsonPath>& paths,
                     std::string_view text) {
  JsonSlotFinder finder(paths);
  EXPECT_TRUE(finder.Find(json)) << json;
  const std::vector<std::string_view> texts(finder.slots().size(), text);
  std::vector<char> out;
  SpliceJson(json, finder.slots(), texts, out);
  return {out.begin(), out.end()};
}

std::string SplicedWithItself(std::string_view json, const std::vector<JsonPath>& paths) {
  JsonSlotFinder finder(paths);
  EXPECT_TRUE(finder.Find(json)) << json;
  std::vector<std::string_view> texts;
  for (const JsonSlot& slot : finder.slots()) texts.push_back(slot.text);
  std::vector<char> out;
  SpliceJson(json, finder.slots(), texts, out);
  return {out.begin(), out.end()};
}

TEST(JsonSlotsTest, AreFoundWhereTheyStand) {
  EXPECT_THAT(Literals(R"({ "a" : "1", "b":{"c": ["2","3"]} })", {"$.b.c[1]", "$.a"}),
              ElementsAre("1:\"1\"", "0:\"3\""));
  EXPECT_THAT(Literals(R"( "whole" )", {"$"}), ElementsAre("0:\"whole\""));
  EXPECT_THAT(Literals(R"(["x",["y"]])", {"$[1][0]"}), ElementsAre("0:\"y\""));
}

// RFC 9535, 2.3.2: "a wildcard selector selects the nodes of all children of an object or array".
TEST(JsonSlotsTest, OfAWildcardAreAllChildren) {
  EXPECT_THAT(Literals(R"({"a":"1","b":"2"})", {"$.*"}), ElementsAre("0:\"1\"", "0:\"2\""));
  EXPECT_THAT(Literals(R"(["1","2"])", {"$.*"}), ElementsAre("0:\"1\"", "0:\"2\""));
  EXPECT_THAT(Literals(R"({"a":"1"})", {"$[*]"}), ElementsAre("0:\"1\""));
  EXPECT_THAT(Literals(R"([{"p":"1","q":"2"},{"p":"3"}])", {"$[*].p"}),
              ElementsAre("0:\"1\"", "0:\"3\""));
}

TEST(JsonSlotsTest, OfAMemberThatOccursTwiceAreBoth) {
  EXPECT_THAT(Literals(R"({"a":"1","a":"2"})", {"$.a"}), ElementsAre("0:\"1\"", "0:\"2\""));
  EXPECT_THAT(Literals(R"({"a":{"b":"1"},"a":{"b":"2"}})", {"$.a.b"}),
              ElementsAre("0:\"1\"", "0:\"2\""));
}

TEST(JsonSlotsTest, AreFoundOnceWhereSeveralPathsLead) {
  EXPECT_THAT(Literals(R"({"a":"1","b":"2"})", {"$.b", "$.*"}), ElementsAre("1:\"1\"", "0:\"2\""));
  const std::vector<JsonPath> paths = Paths({"$.b", "$.*"});
  JsonSlotFinder finder(paths);
  ASSERT_TRUE(finder.Find(R"({"a":"1","b":"2"})"));
  EXPECT_EQ(finder.counts()[0].strings, 1u);
  EXPECT_EQ(finder.counts()[1].strings, 2u);
}

TEST(JsonSlotsTest, CountWhatElseIsAtAPath) {
  const std::vector<JsonPath> paths = Paths({"$.a", "$.n", "$.o", "$.none", "$.s.x", "$.s"});
  JsonSlotFinder finder(paths);
  ASSERT_TRUE(finder.Find(R"({"a":"1","n":null,"o":{},"s":[],"o":1,"o":true,"o":[null]})"));
  EXPECT_EQ(finder.counts()[0].strings, 1u);
  EXPECT_EQ(finder.counts()[1].nulls, 1u);
  EXPECT_EQ(finder.counts()[2].others, 4u);
  EXPECT_TRUE(finder.counts()[3].IsAbsent());
  EXPECT_TRUE(finder.counts()[4].IsAbsent());
  EXPECT_FALSE(finder.counts()[5].IsAbsent());
  ASSERT_TRUE(finder.Find("{}"));
  EXPECT_TRUE(finder.counts()[0].IsAbsent());
  EXPECT_THAT(finder.slots(), IsEmpty());
}

TEST(JsonSlotsTest, HaveTheirTextWithoutEscapes) {
  EXPECT_THAT(Texts(R"({"a":"\u0067AAA\/-_\"\\\b\f\n\r\t\u00fc\ud834\udd1e"})", "$.a"),
              ElementsAre("gAAA/-_\"\\\b\f\n\r\tü𝄞"));
  EXPECT_THAT(Texts(R"(["\u0041","b","\u0043"])", "$[*]"), ElementsAre("A", "b", "C"));
  EXPECT_THAT(Texts(R"({"a":"x\u0000y"})", "$.a"), ElementsAre(std::string("x\0y", 3)));
}

TEST(JsonSlotsTest, AreFoundByNamesThatAreWrittenWithEscapes) {
  EXPECT_THAT(Texts(R"({"\u0061b":"1","a\/c":"2"})", "$.ab"), ElementsAre("1"));
  EXPECT_THAT(Texts(R"({"\u0061b":"1","a\/c":"2"})", "$['a/c']"), ElementsAre("2"));
  EXPECT_THAT(Texts(R"({"":"1"})", "$['']"), ElementsAre("1"));
  EXPECT_THAT(Texts(R"({"0":"1"})", "$['0']"), ElementsAre("1"));
}

TEST(JsonSlotsTest, TellIndexesFromNames) {
  EXPECT_THAT(Texts(R"({"0":"1"})", "$[0]"), IsEmpty());
  EXPECT_THAT(Texts(R"(["1"])", "$['0']"), IsEmpty());
}

TEST(JsonSlotsTest, AreNotFoundBelowAString) {
  EXPECT_THAT(Texts(R"({"a":"1"})", "$.a.b"), IsEmpty());
}

TEST(JsonSlotsTest, LeaveEveryOtherByteAsItWas) {
  const std::string json =
      "\t{ \"k\" :1.50e+01 ,\"t\":\"old\",\"t\" : \"\\u006fld\" ,\n\"x\":[ ]}\r\n";
  EXPECT_EQ(Replaced(json, Paths({"$.t"}), "new"),
            "\t{ \"k\" :1.50e+01 ,\"t\":\"new\",\"t\" : \"new\" ,\n\"x\":[ ]}\r\n");
}

// RFC 8259, 7: what must be escaped.
TEST(JsonSlotsTest, AreReplacedByStringsOfJson) {
  const std::string text("a\"b\\c\x01\nü\0", 10);
  const std::string replaced = Replaced(R"({"t":"old"})", Paths({"$.t"}), text);
  EXPECT_EQ(replaced, R"({"t":"a\"b\\c\u0001\u000aü\u0000"})");
  const auto document = JsonDocument::Parse(replaced, "text");
  ASSERT_TRUE(document);
  EXPECT_EQ((*document)["t"].Text(), text);
}

TEST(JsonSlotsTest, KeepTheirEscapesWhereTheyStayTheSame) {
  const std::string json = R"({"t":"\u0067\/", "u":"\u0041"})";
  EXPECT_EQ(SplicedWithItself(json, Paths({"$.*"})), json);
  EXPECT_EQ(Replaced(json, Paths({"$.*"}), "A"), R"({"t":"A", "u":"\u0041"})");
}

TEST(JsonSlotsTest, AreNotLookedForInWhatIsNotJson) {
  for (const char* json : {"",
                           " ",
                           "{",
                           "[",
                           "\"",
                           "{\"a\"",
                           "{\"a\":",
                           "{\"a\":1,}",
                           "[1,]",
                           "[1 2]",
                           "{'a':1}",
                           "{a:1}",
                           "01",
                           "1.",
                           ".5",
                           "+1",
                           "-",
                           "1e",
                           "1e+",
                           "tru",
                           "True",
                           "nul",
                           "NaN",
                           "Infinity",
                           "\"\t\"",
                           "\"\\x\"",
                           "\"\\u12g4\"",
                           "\"\\u12\"",
                           "\"\\",
                           "[}",
                           "{]",
                           "{\"a\":1]",
                           "[1}",
                           "]",
                           "}",
                           ",",
                           "{,}",
                           "[,]",
                           "{\"a\" 1}",
                           "{\"a\":1 \"b\":2}",
                           "{1:2}",
                           "// x\n1",
                           "1 // x",
                           "\xef\xbb\xbf{}",
                           "\"\xff\"",
                           "\"\xc0\xaf\"",
                           "\"\xed\xa0\x80\"",
                           "\"\xc3\"",
                           "{\"\xff\":1}",
                           "{:1}",
                           "\x0c{}",
                           "{\"a\":1}}",
                           "1 2",
                           "\"a\" \"b\"",
                           "{} x",
                           "\xc2\xa0{}"}) {
    EXPECT_NE(SlotsProblem(json), "") << json;
    EXPECT_FALSE(JsonDocument::Parse(json, "text")) << json;  // another implementation
  }
  EXPECT_THAT(SlotsProblem(std::string("{}\0", 3)), HasSubstr("more text after its JSON value"));
  EXPECT_THAT(SlotsProblem(std::string("\"a\0\"", 4)), HasSubstr("is not JSON, at byte 3"));
}

TEST(JsonSlotsTest, AreLookedForInAnyJson) {
  for (const char* json :
       {"null", "true", "false", "0", "-0", "-0.5E-3", "1e400", "12345678901234567890123", "[]",
        "{}", " [ ] ", "\t\r\n{ \"a\" : [ 1 , 2 ] }\n", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
        "\"\x7f\"", "\"\xf4\x8f\xbf\xbf\"", "{\"a\":1,\"a\":2}"}) {
    EXPECT_EQ(SlotsProblem(json), "") << json;
  }
}

TEST(JsonSlotsTest, SayNothingOfTheContentInErrors) {
  EXPECT_EQ(SlotsProblem(R"({"password":"hunter2" x})"), "is not JSON, at byte 23");
}

// The type json of PostgreSQL keeps such text.
TEST(JsonSlotsTest, StandBesideHalvesOfSurrogatePairs) {
  EXPECT_THAT(Texts(R"({"a":"\ud800","\udc00":"x","b":"1"})", "$.b"), ElementsAre("1"));
  EXPECT_THAT(SlotsProblem(R"({"a":"\ud800"})", "$.a"),
              HasSubstr("half of a surrogate pair in the string at byte 6"));
  EXPECT_THAT(SlotsProblem(R"({"a":"\udc00\ud800"})", "$.a"),
              HasSubstr("half of a surrogate pair"));
  EXPECT_THAT(SlotsProblem(R"({"a":"\ud800\u0041"})", "$.a"),
              HasSubstr("half of a surrogate pair"));
}

TEST(JsonSlotsTest, HaveALimitOfDepth) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + "\"x\"" + std::string(depth, ']');
  };
  std::string path = "$";
  for (int i = 0; i < 100; ++i) path += "[0]";
  EXPECT_THAT(Texts(nested(100), path), ElementsAre("x"));
  EXPECT_THAT(SlotsProblem(nested(101)), HasSubstr("nested deeper than 100, at byte 101"));
  EXPECT_THAT(SlotsProblem(std::string(1'000'000, '[')), HasSubstr("nested deeper than 100"));
}

TEST(JsonSlotsTest, AreFoundInLinearTime) {
  std::string wide = "{";
  for (int i = 0; i < 300'000; ++i) wide += "\"k\\u0061\":\"\\u0061b\",";
  wide += "\"k\":[";
  for (int i = 0; i < 300'000; ++i) wide += "{},";
  wide += "1]}";
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(Texts(wide, "$.ka").size(), 300'000u);
  EXPECT_EQ(SlotsProblem(wide, "$.*[*].x"), "");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

// A document of random shape, as text with random white space.
class RandomJson {
 public:
  explicit RandomJson(unsigned seed) : random_(seed) {}
  std::string Value(int depth) {
    switch (Pick(depth > 0 ? 8 : 5)) {
      case 0: return White() + "null" + White();
      case 1: return White() + "-1.5e3" + White();
      case 2: return White() + "true" + White();
      case 3:
      case 4: return White() + String() + White();
      case 5:
      case 6: return White() + "{" + Items(depth, true) + "}" + White();
      default: return White() + "[" + Items(depth, false) + "]" + White();
    }
  }

 private:
  std::size_t Pick(std::size_t count) { return random_() % count; }
  std::string White() { return std::string(Pick(3), " \t\n\r"[Pick(4)]); }
  std::string String() {
    constexpr const char* kPieces[] = {"a", "b", "ü", "\\u0061", "\\\"", "\\/", "\\ud834\\udd1e",
                                       "]"};
    std::string text = "\"";
    for (std::size_t i = Pick(4); i > 0; --i) text += kPieces[Pick(8)];
    return text + "\"";
  }
  std::string Items(int depth, bool named) {
    std::string items;
    const std::size_t count = Pick(4);
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) items += ",";
      if (named) items += White() + (Pick(2) == 0 ? "\"a\"" : String()) + White() + ":";
      items += Value(depth - 1);
    }
    return items.empty() ? White() : items;
  }
  std::mt19937 random_;
};

TEST(JsonSlotsTest, SplicedWithWhatTheyHadAreTheSameBytes) {
  const std::vector<JsonPath> paths = Paths({"$", "$.*", "$.a.*", "$[0].a", "$.*.*[1]"});
  for (unsigned seed = 0; seed < 500; ++seed) {
    const std::string json = RandomJson(seed).Value(4);
    ASSERT_EQ(SplicedWithItself(json, paths), json);
    // What differs after a replacement is in the slots alone.
    const std::string replaced = Replaced(json, paths, "new");
    ASSERT_EQ(Replaced(replaced, paths, "new"), replaced);
    ASSERT_TRUE(JsonDocument::Parse(replaced, "text")) << replaced;
  }
}

}  // namespace
}  // namespace qarion::secrets::rotate
