#include "core/json_fields.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

namespace qarion::secrets::core {
namespace {

using namespace std::string_literals;

std::map<std::string, std::string> ReadFields(const std::string& json) {
  auto fields = FieldsFromJson(json, "test");
  EXPECT_TRUE(fields) << (fields ? "" : fields.error().reason());
  std::map<std::string, std::string> values;
  if (!fields) return values;
  for (const Field& field : *fields) values[field.name] = std::string(field.value.Reveal());
  return values;
}

std::string ReasonOf(const std::string& json) {
  auto fields = FieldsFromJson(json, "secret/app");
  EXPECT_FALSE(fields);
  if (fields) return "";
  EXPECT_EQ(fields.error().code(), ErrorCode::kBadData);
  EXPECT_FALSE(fields.error().cure().empty());
  return fields.error().reason();
}

using FieldValues = std::map<std::string, std::string>;

TEST(JsonFields, TakesStringsAsTheyAre) {
  EXPECT_EQ(ReadFields(R"({"A": "fake value", "B": ""})"),
            (FieldValues{{"A", "fake value"}, {"B", ""}}));
}

TEST(JsonFields, DecodesEveryEscapeOfTheStandard) {
  EXPECT_EQ(ReadFields(R"({"A": "\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00"})"),
            (FieldValues{{"A", "\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"}}));
}

TEST(JsonFields, KeepsAZeroByte) {
  EXPECT_EQ(ReadFields(R"({"A": "a\u0000b"})"), (FieldValues{{"A", "a\0b"s}}));
}

TEST(JsonFields, KeepsNumbersAsTheyAreWritten) {
  EXPECT_EQ(ReadFields(R"({"A": 1.50, "B": -0, "C": 123456789012345678901234567890, "D": 1E+3,
                     "E": 0.1e-2, "F": 18446744073709551615, "G": 1e400})"),
            (FieldValues{{"A", "1.50"},
                         {"B", "-0"},
                         {"C", "123456789012345678901234567890"},
                         {"D", "1E+3"},
                         {"E", "0.1e-2"},
                         {"F", "18446744073709551615"},
                         {"G", "1e400"}}));
}

TEST(JsonFields, TakesBooleansAsTheirText) {
  EXPECT_EQ(ReadFields(R"({"A": true, "B": false})"), (FieldValues{{"A", "true"}, {"B", "false"}}));
}

TEST(JsonFields, LeavesOutNull) {
  EXPECT_EQ(ReadFields(R"({"A": null, "B": "fake"})"), (FieldValues{{"B", "fake"}}));
}

TEST(JsonFields, ReadsTheEmptyObject) { EXPECT_EQ(ReadFields(" {\n} "), FieldValues{}); }

// As Python's json.dumps(value, separators=(",", ":"), ensure_ascii=False) writes it.
TEST(JsonFields, WritesNestedValuesAsCompactJson) {
  EXPECT_EQ(
      ReadFields(R"({"A": { "type" : "service_account", "n" : [ 1, 2.50, null, true, { } , [ ] ],
                            "private_key" : "-----BEGIN\nfake\u20ac\"\\\u0001\u007f" },
                     "B": [ "x", ["y"], [[ ]] ]})"),
      (FieldValues{{"A",
                    "{\"type\":\"service_account\",\"n\":[1,2.50,null,true,{},[]],"
                    "\"private_key\":\"-----BEGIN\\nfake\xe2\x82\xac\\\"\\\\\\u0001\x7f\"}"},
                   {"B", R"(["x",["y"],[[]]])"}}));
}

TEST(JsonFields, EscapesNestedNames) {
  EXPECT_EQ(ReadFields(R"({"A": {"a\"b\n": 1, "": 2}})"),
            (FieldValues{{"A", R"({"a\"b\n":1,"":2})"}}));
}

TEST(JsonFields, KeepsTheOrderOfTheObject) {
  auto fields = FieldsFromJson(R"({"Z": "1", "A": "2", "M": "3"})", "test");
  ASSERT_TRUE(fields);
  ASSERT_EQ(fields->size(), 3u);
  EXPECT_EQ((*fields)[0].name, "Z");
  EXPECT_EQ((*fields)[1].name, "A");
  EXPECT_EQ((*fields)[2].name, "M");
}

TEST(JsonFields, PutsTheOriginIntoEveryField) {
  auto fields = FieldsFromJson(R"({"A": "1", "B": "2"})", "secret/app");
  ASSERT_TRUE(fields);
  for (const Field& field : *fields) EXPECT_EQ(field.origin, "secret/app");
}

TEST(JsonFields, ReadsStringsLongerThanTheParsersBuffer) {
  std::string json = "{\"A\": \"";
  std::string expected;
  for (int i = 0; i < 20'000; ++i) {
    json += "a\\n\\u20ac";
    expected += "a\n\xe2\x82\xac";
  }
  EXPECT_EQ(ReadFields(json + "\"}"), (FieldValues{{"A", expected}}));
}

TEST(JsonFields, RefusesAMemberThatOccursTwice) {
  EXPECT_EQ(ReasonOf(R"({"A": "fake-one", "A": "fake-two"})"),
            "secret/app, line 1, column 21: the member A occurs twice");
}

TEST(JsonFields, RefusesAMemberThatOccursTwiceInDifferentSpellings) {
  EXPECT_NE(ReasonOf(R"({"A": 1, "\u0041": 2})").find("the member A occurs twice"),
            std::string::npos);
}

TEST(JsonFields, RefusesANullMemberThatOccursTwice) {
  EXPECT_NE(ReasonOf(R"({"A": null, "A": "fake"})").find("occurs twice"), std::string::npos);
}

TEST(JsonFields, RefusesANestedMemberThatOccursTwiceWithoutNamingIt) {
  const std::string reason = ReasonOf(R"({"A": [{"fake-name": 1, "fake-name": 2}]})");
  EXPECT_NE(reason.find("a member of a nested object occurs twice"), std::string::npos);
  EXPECT_EQ(reason.find("fake-name"), std::string::npos);
}

TEST(JsonFields, AllowsTheSameMemberInDifferentObjects) {
  EXPECT_EQ(ReadFields(R"({"A": {"A": 1, "b": {"A": 2}}, "B": {"A": 3}})"),
            (FieldValues{{"A", R"({"A":1,"b":{"A":2}})"}, {"B", R"({"A":3})"}}));
}

TEST(JsonFields, RefusesEveryOtherOutermostValue) {
  for (const char* json : {"[]", "\"fake\"", "1", "-1.5", "true", "null", "[{\"A\": 1}]"}) {
    EXPECT_NE(ReasonOf(json).find("the outermost value is not an object"), std::string::npos)
        << json;
  }
}

TEST(JsonFields, RefusesTextThatIsNotJson) {
  for (const char* json : {"",
                           " ",
                           "{",
                           "{\"A\"",
                           "{\"A\":",
                           "{\"A\": \"x",
                           "{\"A\": \"x\"",
                           "{\"A\": 1,}",
                           "{\"A\": 01}",
                           "{\"A\": .5}",
                           "{\"A\": +1}",
                           "{\"A\": 1.}",
                           "{\"A\": NaN}",
                           "{\"A\": tru}",
                           "{'A': 1}",
                           "{A: 1}",
                           "{\"A\": 1 \"B\": 2}",
                           "{\"A\": \"\\x41\"}",
                           "{\"A\": \"a\nb\"}",
                           "{\"A\": 1} {}",
                           "{\"A\": 1}x",
                           "{\"A\": 1 // c\n}",
                           "\xef\xbb\xbf{}"}) {
    EXPECT_FALSE(ReasonOf(json).empty()) << json;
  }
}

TEST(JsonFields, SaysWhereTheErrorIsInLinesAndCharacters) {
  EXPECT_EQ(ReasonOf("{\"A\": \"1\",\n \"B\": \"\xc3\xa9\", x}"),
            "secret/app, line 2, column 12: not valid JSON");
}

TEST(JsonFields, SaysThatTheTextEndsTooEarly) {
  EXPECT_EQ(ReasonOf("{\"A\": \"fake"),
            "secret/app, line 1, column 12: the JSON text ends too early");
}

TEST(JsonFields, RefusesInvalidUtf8) {
  for (const char* bytes : {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    EXPECT_NE(ReasonOf("{\"A\": \"" + std::string(bytes) + "\"}").find("not UTF-8"),
              std::string::npos);
  }
}

TEST(JsonFields, RefusesHalfASurrogatePair) {
  for (const char* escape : {R"(\ud83d)", R"(\ude00)", R"(\ud83dx)", R"(\ud83d\u0041)"}) {
    EXPECT_FALSE(ReasonOf("{\"A\": \"" + std::string(escape) + " and more text\"}").empty());
  }
}

TEST(JsonFields, RefusesANameThatNoFieldHasWithoutQuotingIt) {
  for (const char* name : {"", "1fake", "fake name", "fake/name", "-fake", "fak\\u00e9"}) {
    const std::string reason = ReasonOf("{\"" + std::string(name) + "\": 1}");
    EXPECT_NE(reason.find("not a possible field name"), std::string::npos) << name;
    EXPECT_EQ(reason.find("fak\xc3\xa9"), std::string::npos);
    EXPECT_EQ(reason.find("fake"), std::string::npos);
  }
}

// The object itself is the first level.
std::string Nested(std::size_t levels) {
  return "{\"A\": " + std::string(levels - 1, '[') + std::string(levels - 1, ']') + "}";
}

TEST(JsonFields, ReadsThirtyTwoLevels) {
  EXPECT_EQ(ReadFields(Nested(32)),
            (FieldValues{{"A", std::string(31, '[') + std::string(31, ']')}}));
}

TEST(JsonFields, RefusesThirtyThreeLevels) {
  EXPECT_NE(ReasonOf(Nested(33)).find("nested deeper than 32"), std::string::npos);
}

std::string WithMembers(int count) {
  std::string json = "{";
  for (int i = 0; i < count; ++i) {
    json += (i == 0 ? "\"A" : ",\"A") + std::to_string(i) + "\":0";
  }
  return json + "}";
}

TEST(JsonFields, ReadsTenThousandMembers) {
  EXPECT_EQ(ReadFields(WithMembers(10'000)).size(), 10'000u);
}

TEST(JsonFields, RefusesMoreMembersThanTenThousand) {
  EXPECT_NE(ReasonOf(WithMembers(10'001)).find("more than 10000 members"), std::string::npos);
}

TEST(JsonFields, ReadsOneMebibyteAndNoMore) {
  const std::string begin = "{\"A\":\"";
  const std::string value(1024 * 1024 - begin.size() - 2, 'x');
  EXPECT_EQ(ReadFields(begin + value + "\"}"), (FieldValues{{"A", value}}));
  EXPECT_NE(ReasonOf(begin + value + "x\"}").find("at most 1048576"), std::string::npos);
}

TEST(JsonFields, NeverQuotesAValueInAnError) {
  const std::string value = "fake-hunter2";
  for (const std::string& json :
       {"{\"A\": \"" + value, "{\"A\": \"" + value + "\" x", "{\"A\": " + value + "}",
        "{\"A\": \"" + value + "\", \"A\": 1}", "{\"A\": {\"" + value + "\": 1 2}}",
        "[\"" + value + "\"]", "{\"A\": \"" + value + "\\q\"}", "\"" + value + "\""}) {
    EXPECT_EQ(ReasonOf(json).find("hunter2"), std::string::npos);
  }
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define QARION_STACK_IS_ELSEWHERE  // locals may be on a heap of the sanitizer's
#endif
#endif

// Looks for `needle` (with every byte one less, so that it is not found in itself) where the
// frames of the last call were.
[[gnu::noinline]] bool StackBelowHolds(std::string_view needle_minus_one) {
  char frames[512 * 1024];
  const volatile char* bytes = frames;
  for (std::size_t i = 0; i + needle_minus_one.size() <= sizeof frames; ++i) {
    std::size_t same = 0;
    while (same < needle_minus_one.size() &&
           static_cast<char>(bytes[i + same] - 1) == needle_minus_one[same]) {
      ++same;
    }
    if (same == needle_minus_one.size()) return true;
  }
  return false;
}

TEST(JsonFields, LeavesNoDecodedStringOnTheStack) {
#ifdef QARION_STACK_IS_ELSEWHERE
  GTEST_SKIP() << "the sanitizer moves the stack";
#endif
  // "-needle-Zq7" in escapes, at every depth: decoded in the parser's frames.
  const std::string escaped = "fake\\u002dneedle\\u002dZq7";
  const std::string minus_one = ",mddckd,Yp6";
  std::string json = "{\"A\": ";
  for (int i = 0; i < 31; ++i) json += "[\"" + escaped + "\",";
  json += "0" + std::string(31, ']') + ", \"B\": \"" + escaped + "\"}";
  {
    const auto fields = FieldsFromJson(json, "test");
    ASSERT_TRUE(fields);
  }
  EXPECT_FALSE(StackBelowHolds(minus_one));
}

TEST(JsonStrings, ReadsAnArrayOfStrings) {
  auto strings = StringsFromJson(R"( ["fake-one", "", "a\nb"] )", "list");
  ASSERT_TRUE(strings);
  ASSERT_EQ(strings->size(), 3u);
  EXPECT_EQ((*strings)[0].Reveal(), "fake-one");
  EXPECT_EQ((*strings)[1].Reveal(), "");
  EXPECT_EQ((*strings)[2].Reveal(), "a\nb");
}

TEST(JsonStrings, RefusesElementsThatAreNotStrings) {
  for (const char* json : {"[1]", "[null]", "[true]", "[[\"fake\"]]", "[{}]", "[\"x\", 1]"}) {
    auto strings = StringsFromJson(json, "list");
    ASSERT_FALSE(strings) << json;
    EXPECT_EQ(strings.error().code(), ErrorCode::kBadData);
    EXPECT_NE(strings.error().reason().find("an element is not a string"), std::string::npos);
  }
}

TEST(JsonStrings, RefusesEveryOtherOutermostValue) {
  for (const char* json : {"{}", "\"fake\"", "1", "null"}) {
    auto strings = StringsFromJson(json, "list");
    ASSERT_FALSE(strings) << json;
    EXPECT_NE(strings.error().reason().find("not an array"), std::string::npos);
  }
}

}  // namespace
}  // namespace qarion::secrets::core
