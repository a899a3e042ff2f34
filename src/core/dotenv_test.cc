// Expected values are what python-dotenv 1.2.4 gives (DotEnv(override=False).dict()); the
// differential test in tests/dotenv_differential compares many more files with the package itself.
#include "core/dotenv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

namespace qarion::secrets::core {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using DotenvValues = std::map<std::string, std::optional<std::string>>;
using std::string_view_literals::operator""sv;

std::optional<std::string_view> Ambient(std::string_view name) {
  if (name == "AMB") return "env";
  return std::nullopt;
}

Result<ResolvedDotenv> Read(std::string_view text) {
  auto parsed = ParseDotenv(text, ".env");
  if (!parsed) return std::move(parsed).error();
  return ResolveDotenv(*parsed, Ambient, ".env");
}

DotenvValues ValuesOf(std::string_view text) {
  auto resolved = Read(text);
  EXPECT_TRUE(resolved) << text << ": " << resolved.error().reason();
  DotenvValues values;
  if (!resolved) return values;
  for (const DotenvVariable& variable : resolved->variables) {
    values[variable.key] =
        variable.value ? std::optional(std::string(variable.value->Reveal())) : std::nullopt;
  }
  return values;
}

struct Case {
  const char* text;
  const char* value;  // of A
};

void PrintTo(const Case& tested, std::ostream* out) { *out << testing::PrintToString(tested.text); }

class DotenvValue : public testing::TestWithParam<Case> {};

TEST_P(DotenvValue, IsWhatPythonDotenvReads) {
  EXPECT_EQ(ValuesOf(GetParam().text)["A"], GetParam().value);
}

INSTANTIATE_TEST_SUITE_P(
    Plain, DotenvValue,
    testing::Values(Case{"A=plain", "plain"}, Case{"A = spaced  ", "spaced"},
                    Case{"export A=exp", "exp"}, Case{"A=val # comment", "val"},
                    Case{"A=val#tail", "val#tail"}, Case{"A=#lead", "#lead"}, Case{"A= #c", ""},
                    Case{"A=", ""}, Case{"A=a b c", "a b c"}, Case{"\tA=tab", "tab"},
                    Case{"A=pa$word", "pa$word"}, Case{"A=pa$$word", "pa$$word"},
                    Case{"A=l1\\nl2", "l1\\nl2"}, Case{"A=C:\\dir\\new", "C:\\dir\\new"},
                    Case{"A=a=b\"c\"d", "a=b\"c\"d"}, Case{"A=`bt`", "`bt`"},
                    Case{"A=$(echo hi)", "$(echo hi)"}, Case{"A=1\nA=2", "2"},
                    Case{"A=h\u00e9llo\u2713 w", "h\u00e9llo\u2713 w"},
                    Case{"A=nbsp\u00a0", "nbsp"}, Case{"'A'=quoted key", "quoted key"}));

INSTANTIATE_TEST_SUITE_P(
    Quoted, DotenvValue,
    testing::Values(Case{"A=\"dq # not comment\"", "dq # not comment"},
                    Case{"A='sq # not comment'", "sq # not comment"},
                    Case{"A=\"l1\\nl2\\tx\"", "l1\nl2\tx"}, Case{"A='l1\\nl2'", "l1\\nl2"},
                    Case{"A=\"l1\nl2\"", "l1\nl2"}, Case{"A='l1\nl2'", "l1\nl2"},
                    Case{"A=\"l1\r\nl2\"", "l1\nl2"}, Case{"A=\"\"", ""},
                    Case{"A=\"h\\u00e9\"", "h\\u00e9"}, Case{"A=\"C:\\dir\\new\"", "C:\\dir\new"},
                    Case{"A=\"a \\\"q\\\" b\"", "a \"q\" b"}, Case{"A='it\\'s'", "it's"},
                    Case{"A=\"val\"#c", "val"}, Case{"A=\"back\\\\\"", "back\\"},
                    Case{"A='back\\\\'", "back\\"}));

INSTANTIATE_TEST_SUITE_P(
    Expanded, DotenvValue,
    testing::Values(Case{"B=base\nA=${B}/x", "base/x"}, Case{"B=base\nA=$B/x", "$B/x"},
                    Case{"B=base\nA='${B}/x'", "base/x"}, Case{"A=${UNDEF:-dflt}", "dflt"},
                    Case{"A=x${UNDEF}y", "xy"}, Case{"B=base\nA=${B", "${B"},
                    Case{"A=1\nA=${A}2", "12"}, Case{"A=${C}\nC=2", ""}, Case{"A=${AMB}", "env"},
                    Case{"AMB=file\nA=${AMB}", "env"}, Case{"A=\\${AMB}", "\\env"},
                    Case{"A=${AMB:+x}", "${AMB:+x}"}, Case{"A=${AMB-x}", ""},
                    Case{"A=${:-$}{AMB}", "${AMB}"}, Case{"A=${UNDEF:-${AMB}}", "${AMB}"},
                    Case{"A=${A}", ""}));

TEST(Dotenv, LeavesAKeyWithoutEqualSignUnset) {
  EXPECT_THAT(ValuesOf("A"), ElementsAre(std::pair("A", std::nullopt)));
  EXPECT_THAT(ValuesOf("A=1\nA"), ElementsAre(std::pair("A", std::nullopt)));
}

TEST(Dotenv, AcceptsOddKeysEveryLineEndAndAByteOrderMark) {
  EXPECT_THAT(ValuesOf("\ufeffMY-KEY=1\r\nMY.KEY=2\r1A=3\n# comment\n\nA[0]=4"),
              ElementsAre(std::pair("1A", "3"), std::pair("A[0]", "4"), std::pair("MY-KEY", "1"),
                          std::pair("MY.KEY", "2")));
}

TEST(Dotenv, KnowsTheLineOfEachKey) {
  auto resolved = Read("\n# c\nA='x\ny'\nB=2\n");
  ASSERT_TRUE(resolved);
  EXPECT_EQ(resolved->Find("A")->line, 3u);
  EXPECT_EQ(resolved->Find("B")->line, 5u);
}

struct Bad {
  std::string_view text;
  const char* place;
  const char* problem;
};

void PrintTo(const Bad& bad, std::ostream* out) { *out << testing::PrintToString(bad.text); }

class BadDotenv : public testing::TestWithParam<Bad> {};

TEST_P(BadDotenv, IsAnErrorWithLineAndColumnAndWithoutContent) {
  const auto resolved = Read(GetParam().text);
  ASSERT_FALSE(resolved);
  EXPECT_EQ(resolved.error().code(), ErrorCode::kBadData);
  EXPECT_THAT(resolved.error().reason(),
              AllOf(HasSubstr(GetParam().place), HasSubstr(GetParam().problem)));
  EXPECT_THAT(resolved.error().reason() + resolved.error().cure(), Not(HasSubstr("fake")));
}

INSTANTIATE_TEST_SUITE_P(All, BadDotenv,
                         testing::Values(Bad{"A=1\nB=\"fake\n", ".env:2:3:", "never closed"},
                                         Bad{"A='fake", ".env:1:3:", "never closed"},
                                         Bad{"A=\"fake\\\"", ".env:1:3:", "never closed"},
                                         Bad{"A=1\n  B=\"fake\" fake",
                                             ".env:2:12:", "text follows"},
                                         Bad{"A=\"fake\"'fake'", ".env:1:9:", "text follows"},
                                         Bad{"A: fake", ".env:1:4:", "text follows"},
                                         Bad{"A fake=1", ".env:1:3:", "text follows"},
                                         Bad{"=fake", ".env:1:1:", "name is missing"},
                                         Bad{"export =fake", ".env:1:8:", "name is missing"},
                                         Bad{"'fake=1", ".env:1:1:", "never ends"},
                                         Bad{"A=1\nB=fake\xff", ".env:2:7:", "not UTF-8"},
                                         Bad{"A=\u00e9\xed\xa0\x80", ".env:1:4:", "not UTF-8"},
                                         Bad{"A=fake\0"sv, ".env:1:7:", "zero byte"},
                                         Bad{"A=1\rB=2\r\nC=\0"sv, ".env:3:3:", "zero byte"},
                                         Bad{"\ufeffA=\xff", ".env:1:3:", "not UTF-8"},
                                         Bad{"A=1\r\rB=\"fake", ".env:3:3:", "never closed"},
                                         Bad{"\u00c9\u00c9=\"fake", ".env:1:4:", "never closed"}));

TEST(Dotenv, RefusesMoreAssignmentsThanTheLimit) {
  std::string text;
  for (int i = 0; i <= 10'000; ++i) text += "K" + std::to_string(i) + "=1\n";
  EXPECT_EQ(Read(text).error().code(), ErrorCode::kBadData);
}

TEST(Dotenv, LimitsWhatExpansionCanGrowTo) {
  std::string text = "A0=" + std::string(1000, 'x') + "\n";
  for (int i = 1; i < 20; ++i) {
    const std::string before = "${A" + std::to_string(i - 1) + "}";
    text += "A" + std::to_string(i) + "=" + before + before + before + "\n";
  }
  const auto resolved = Read(text);
  ASSERT_FALSE(resolved);
  EXPECT_THAT(resolved.error().reason(), HasSubstr("larger than"));
}

// Each would take hours if looking for the end of a reference began anew at each `${`.
TEST(Dotenv, StaysLinearOnOpenReferences) {
  std::string text = "A=";
  while (text.size() < 1'000'000) text += "${";
  EXPECT_TRUE(Read(text));
  EXPECT_TRUE(Read(text + ":x"));
  EXPECT_TRUE(Read(text + ":-x"));
}

TEST(DotenvFindings, NameBothLinesOfADoubleAssignment) {
  auto resolved = Read("A=1\nB=2\nA=3\n");
  ASSERT_TRUE(resolved);
  EXPECT_THAT(resolved->findings,
              ElementsAre(AllOf(testing::Field(&Finding::subject, ".env:3"),
                                testing::Field(&Finding::problem, HasSubstr("line 1")))));
}

TEST(DotenvFindings, TellMissingLaterAndCircularReferencesApart) {
  auto resolved = Read("A=${NOWHERE}\nB=${C}\nC=${B}\nD=${D}\nE=${F:-x}\n");
  ASSERT_TRUE(resolved);
  ASSERT_EQ(resolved->findings.size(), 3u);
  EXPECT_THAT(resolved->findings[0].problem, HasSubstr("${NOWHERE}, which is not set;"));
  EXPECT_THAT(resolved->findings[1].problem, HasSubstr("assigned later"));
  EXPECT_THAT(resolved->findings[2].problem, HasSubstr("itself"));
}

// python-dotenv: None for A, '' for B although there is a default.
TEST(DotenvFindings, TellThatAReferenceMeetsAKeyWithoutValue) {
  auto resolved = Read("A\nB=${A:-fake}\n");
  ASSERT_TRUE(resolved);
  EXPECT_EQ(resolved->Find("B")->value->Reveal(), "");
  EXPECT_THAT(resolved->findings,
              ElementsAre(AllOf(testing::Field(&Finding::subject, ".env:2"),
                                testing::Field(&Finding::problem, HasSubstr("line 1")),
                                testing::Field(&Finding::problem, Not(HasSubstr("fake"))))));
}

TEST(DotenvFindings, SayOnceALineWhatIsMissing) {
  auto resolved = Read("A=${X}${Y}${X}\nB=${X}\n");
  ASSERT_TRUE(resolved);
  EXPECT_THAT(resolved->findings,
              ElementsAre(testing::Field(&Finding::problem, HasSubstr("A refers to ${X}")),
                          testing::Field(&Finding::problem, HasSubstr("A refers to ${Y}")),
                          testing::Field(&Finding::problem, HasSubstr("B refers to ${X}"))));
}

TEST(DotenvFindings, AreLimitedInNumber) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "A=${X}\n";
  auto resolved = Read(text);
  ASSERT_TRUE(resolved);
  EXPECT_EQ(resolved->findings.size(), 1000u);
}

TEST(DotenvFindings, ShowNothingOfAValueThatIsSpreadOverLines) {
  // What a private key looks like that was pasted without quotes.
  auto resolved = Read("KEY=fakefakefake\nfakebase64line==\nfakebase64line==\n");
  ASSERT_TRUE(resolved);
  ASSERT_THAT(resolved->findings, Not(IsEmpty()));
  EXPECT_THAT(resolved->findings[0].problem, Not(HasSubstr("fake")));
}

}  // namespace
}  // namespace qarion::secrets::core
