#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "rotate/plan.h"

namespace qarion::secrets::rotate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

PathStep Member(std::string name) { return {PathStep::Kind::kMember, std::move(name), 0}; }
PathStep Element(std::size_t index) { return {PathStep::Kind::kElement, "", index}; }
PathStep EveryChild() { return {PathStep::Kind::kEveryChild, "", 0}; }

std::vector<PathStep> Steps(std::string_view text) {
  const auto path = JsonPath::Parse(text);
  EXPECT_TRUE(path) << text << ": " << (path ? "" : path.error().reason());
  if (!path) return {Member("could not be read")};
  EXPECT_EQ(path->text, text);
  return path->steps;
}

std::string PathProblem(std::string_view text) {
  const auto path = JsonPath::Parse(text);
  if (path) return "none";
  EXPECT_EQ(path.error().code(), ErrorCode::kBadData);
  EXPECT_FALSE(path.error().cure().empty());
  return path.error().reason();
}

TEST(JsonPathTest, OfTheDocumentHasNoSteps) { EXPECT_TRUE(Steps("$").empty()); }

TEST(JsonPathTest, ReadsEachKindOfStep) {
  EXPECT_THAT(Steps("$.a.b_1"), ElementsAre(Member("a"), Member("b_1")));
  EXPECT_THAT(Steps("$['a'][\"b c\"]"), ElementsAre(Member("a"), Member("b c")));
  EXPECT_THAT(Steps("$[0][12]"), ElementsAre(Element(0), Element(12)));
  EXPECT_THAT(Steps("$.*[*]"), ElementsAre(EveryChild(), EveryChild()));
  EXPECT_THAT(Steps("$[9007199254740991]"), ElementsAre(Element(9007199254740991)));
}

// RFC 9535, 2.3.1.3 and 2.5.1.3, its tables of examples.
TEST(JsonPathTest, ReadsTheExamplesOfTheStandard) {
  EXPECT_THAT(Steps("$.o['j j']"), ElementsAre(Member("o"), Member("j j")));
  EXPECT_THAT(Steps("$.o['j j']['k.k']"), ElementsAre(Member("o"), Member("j j"), Member("k.k")));
  EXPECT_THAT(Steps(R"($.o["j j"]["k.k"])"),
              ElementsAre(Member("o"), Member("j j"), Member("k.k")));
  EXPECT_THAT(Steps(R"($["'"]["@"])"), ElementsAre(Member("'"), Member("@")));
  EXPECT_THAT(Steps("$.j['k']"), ElementsAre(Member("j"), Member("k")));
}

TEST(JsonPathTest, ReadsNamesBeyondAscii) {
  EXPECT_THAT(Steps("$.schlüssel['☃']"), ElementsAre(Member("schlüssel"), Member("☃")));
}

// RFC 9535, 2.3.1.1: what the escapes stand for.
TEST(JsonPathTest, UnescapesQuotedNames) {
  EXPECT_THAT(Steps(R"($['\u0061\'\\\/\b\f\n\r\t"'])"), ElementsAre(Member("a'\\/\b\f\n\r\t\"")));
  EXPECT_THAT(Steps(R"($["\"'\uD834\udd1e\u263a"])"), ElementsAre(Member("\"'𝄞☺")));
}

TEST(JsonPathTest, AllowsBlanksBetweenStepsAndInBrackets) {
  EXPECT_THAT(Steps("$ .a [ 'b' ]\t[ 0 ]"), ElementsAre(Member("a"), Member("b"), Element(0)));
}

TEST(JsonPathTest, AllowsAnEmptyNameInQuotes) {
  EXPECT_THAT(Steps("$['']"), ElementsAre(Member("")));
}

TEST(JsonPathTest, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(PathProblem("a.b"), HasSubstr("does not begin with $, at character 1"));
  EXPECT_THAT(PathProblem(""), HasSubstr("does not begin with $"));
  EXPECT_THAT(PathProblem("$a"), HasSubstr("neither . nor ["));
  EXPECT_THAT(PathProblem("$.ä.b c"),
              HasSubstr("neither . nor [ where a step begins, at character 7"));
  EXPECT_THAT(PathProblem("$..a"), HasSubstr(".. in it, which is not supported"));
  EXPECT_THAT(PathProblem("$.api-key"), HasSubstr("write it in ['...']"));
  EXPECT_THAT(PathProblem("$.1"), HasSubstr("does not begin with a letter"));
  EXPECT_THAT(PathProblem("$."), HasSubstr("does not begin with a letter"));
  EXPECT_THAT(PathProblem("$[-1]"), HasSubstr("from the end of a list"));
  EXPECT_THAT(PathProblem("$[1:2]"), HasSubstr("a range"));
  EXPECT_THAT(PathProblem("$['a','b']"), HasSubstr("write several paths"));
  EXPECT_THAT(PathProblem("$[?@.a]"), HasSubstr("no *, no number and no name"));
  EXPECT_THAT(PathProblem("$[01]"), HasSubstr("begins with 0"));
  EXPECT_THAT(PathProblem("$[9007199254740992]"), HasSubstr("too large"));
  EXPECT_THAT(PathProblem("$[99999999999999999999999]"), HasSubstr("too large"));
  EXPECT_THAT(PathProblem("$['a"), HasSubstr("no end of a quoted name"));
  EXPECT_THAT(PathProblem("$['a'"), HasSubstr("no ]"));
  EXPECT_THAT(PathProblem("$["), HasSubstr("after ["));
  EXPECT_THAT(PathProblem(R"($['\"'])"), HasSubstr("unknown escape"));
  EXPECT_THAT(PathProblem(R"($["\'"])"), HasSubstr("unknown escape"));
  EXPECT_THAT(PathProblem(R"($['\u12'])"), HasSubstr("unknown escape"));
  EXPECT_THAT(PathProblem(R"($['\ud800'])"), HasSubstr("half of a surrogate pair"));
  EXPECT_THAT(PathProblem(R"($['\udc00\ud800'])"), HasSubstr("half of a surrogate pair"));
  EXPECT_THAT(PathProblem("$['\n']"), HasSubstr("control character"));
  EXPECT_THAT(PathProblem("$.a "), HasSubstr("ends with white space"));
  EXPECT_THAT(PathProblem("$['\xff']"), HasSubstr("not UTF-8"));
}

TEST(JsonPathTest, HasALimitOfBytesAndOfSteps) {
  std::string most = "$";
  for (std::size_t i = 0; i < kMostPathSteps; ++i) most += ".a";
  EXPECT_EQ(Steps(most).size(), kMostPathSteps);
  EXPECT_THAT(PathProblem(most + ".a"), HasSubstr("more than 100 steps"));
  EXPECT_THAT(PathProblem("$['" + std::string(kMostPathBytes, 'a') + "']"),
              HasSubstr("longer than"));
}

}  // namespace
}  // namespace qarion::secrets::rotate
