#include "scrub/forms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "scrub/numerals.h"
#include "scrub/scrub_cases.h"
#include "scrub/scrub_oracle.h"
#include "tests/support/vectors.h"

namespace qarion::secrets::scrub {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::StartsWith;
using testing::UnorderedElementsAre;

struct Form {
  std::string text;
  FormText about;  // its view is not valid any more
};

std::vector<Form> FormsOf(std::string_view value, const FormRules& rules = {}) {
  std::vector<Form> forms;
  ForEachForm(value, rules,
              [&](const FormText& form) { forms.push_back({std::string(form.text), form}); });
  return forms;
}

std::vector<std::string> TextsOf(std::string_view value, const FormRules& rules = {}) {
  std::vector<std::string> texts;
  for (const Form& form : FormsOf(value, rules)) texts.push_back(form.text);
  return texts;
}

std::vector<std::string> TextsOf(std::string_view value, ScrubForm form) {
  return TextsOf(value, FormRules{.forms = {form}});
}

TEST(FormsTest, HaveTheValueFirst) {
  EXPECT_EQ(TextsOf("s3cr3t-value").front(), "s3cr3t-value");
  EXPECT_EQ(FormsOf("s3cr3t-value").front().about.form, ScrubForm::kRaw);
}

TEST(FormsTest, AreNoneOfTheEmptyValue) { EXPECT_THAT(TextsOf(""), IsEmpty()); }

TEST(FormsTest, AreEachThereOnce) {
  for (const std::string_view value : {"abcd", "p&ss \"w'rd\"\n\\x", "{\"a\":\"b\\u00e4cd\"}"}) {
    const std::vector<std::string> texts = TextsOf(value);
    EXPECT_EQ(std::set(texts.begin(), texts.end()).size(), texts.size()) << value;
  }
}

TEST(FormsTest, OfLessThanFourBytesAreWholeWordsOnly) {
  const std::vector<Form> forms = FormsOf("a&b");
  ASSERT_EQ(forms.size(), 1U);
  EXPECT_EQ(forms[0].text, "a&b");
  EXPECT_TRUE(forms[0].about.only_as_word);
}

TEST(FormsTest, OfAShortFileAreTheWordWithoutItsLineBreakToo) {
  EXPECT_THAT(TextsOf("42\n"), ElementsAre("42\n", "42"));
}

TEST(FormsTest, OfFourBytesStandAnywhere) {
  for (const Form& form : FormsOf("abcd")) EXPECT_FALSE(form.about.only_as_word) << form.text;
}

TEST(FormsTest, FollowTheGivenMinimum) {
  EXPECT_THAT(TextsOf("abcde", FormRules{.min_length = 6}), IsEmpty());
  const std::vector<Form> forms = FormsOf("a\"b", FormRules{.min_length = 3});
  EXPECT_EQ(forms.front().text, "a\"b");
  for (const Form& form : forms) EXPECT_FALSE(form.about.only_as_word) << form.text;
  EXPECT_THAT(TextsOf("a\"b", FormRules{.min_length = 3}), Contains("a\\\"b"));
  EXPECT_THAT(TextsOf("12\n3456", FormRules{.forms = {ScrubForm::kLines}, .min_length = 2}),
              IsSupersetOf({"12", "3456"}));
}

TEST(FormsTest, AreOfTheWantedFamiliesOnly) {
  for (const Form& form :
       FormsOf("p&ss \"w'rd\"\nline two", FormRules{.forms = {ScrubForm::kJson}})) {
    EXPECT_EQ(form.about.form, ScrubForm::kJson) << form.text;
  }
  EXPECT_THAT(TextsOf("s3cr3t", FormRules{.forms = ScrubForms()}), IsEmpty());
  EXPECT_THAT(TextsOf("s3cr3t", ScrubForm::kRaw), ElementsAre("s3cr3t"));
}

TEST(FormsTest, OfPlainLettersAreFew) {
  // Raw; Base64 at three phases; hexadecimal, with colons, and with percent signs, in two cases;
  // UTF-16 in two byte orders; with a backslash before each character.
  EXPECT_EQ(FormsOf("abcdEFGH0123456789jkl").size(), 13U);
}

TEST(FormsTest, OfAHugeValueAreBounded) {
  std::string value;
  for (int i = 0; value.size() < (1U << 20); ++i)
    value += "\"\x01\xc3\xa4" + std::to_string(i) + "\n";
  std::size_t room = 0;
  ForEachForm(value, {}, [&](const FormText& form) { room += 64 + form.text.size(); });
  EXPECT_LE(room, 120U << 20);
}

TEST(FormsTest, OfManyShortLinesAreBounded) {
  std::string value;
  for (int i = 10000; value.size() < (1U << 20); ++i) value += std::to_string(i) + "\n";
  std::size_t count = 0;
  ForEachForm(value, {}, [&](const FormText&) { ++count; });
  EXPECT_LE(count, 120U << 20 >> 6);
}

// As long as AWS and Google store them.
TEST(FormsTest, OfALongValueAreAllThere) {
  std::string value;
  std::string in_go;
  std::string in_xml;
  std::string in_hex;
  std::mt19937 random(11);
  while (value.size() < (64U << 10)) {
    const char c = static_cast<char>(' ' + random() % 95);
    value += c;
    in_go += (c == '"' || c == '\\' ? "\\" : "") + std::string(1, c);
    in_xml += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
    in_hex += {kLowerDigits[static_cast<unsigned char>(c) >> 4], kLowerDigits[c & 15]};
  }
  EXPECT_THAT(TextsOf(value), IsSupersetOf({in_go, in_xml, in_hex}));
}

TEST(RawForms, LeaveOutWhiteSpaceAndQuotes) {
  EXPECT_THAT(TextsOf(" \"s3cr3t\"\n", ScrubForm::kRaw),
              ElementsAre(" \"s3cr3t\"\n", "\"s3cr3t\"", "s3cr3t"));
  EXPECT_THAT(TextsOf("'abc'", ScrubForm::kRaw), ElementsAre("'abc'"));
}

TEST(RawForms, OfAKeyOnOneLineAreItsLinesToo) {
  const auto texts = TextsOf(R"("-----BEGIN X-----\nMIIabc+d\nMIIdef\n-----END X-----\n")");
  EXPECT_THAT(texts,
              IsSupersetOf({"MIIabc+d", "MIIdef", "MIIabc+dMIIdef",
                            "-----BEGIN X-----\nMIIabc+d\nMIIdef\n-----END X-----",
                            "-----BEGIN%20X-----%0AMIIabc%2Bd%0AMIIdef%0A-----END%20X-----"}));
  // Or each line of a log would wait for the next one.
  EXPECT_THAT(texts, Each(Not(StartsWith("\n"))));
}

TEST(RawForms, OfEscapedJsonAreItsPartsToo) {
  EXPECT_THAT(TextsOf(R"({\"password\":\"s3cr3t\"})"), Contains("s3cr3t"));
}

TEST(LineForms, AreTheLinesAndOtherBreaks) {
  EXPECT_THAT(TextsOf("  line one\r\nab\nline two\n", ScrubForm::kLines),
              UnorderedElementsAre(
                  "line one", "line two", "line one\nab\nline two", "line one\r\nab\r\nline two",
                  "line one\\nab\\nline two", "line one\\r\\nab\\r\\nline two",
                  "line one ab line two", "line one\r ab line two", "  line one\nab\nline two\n",
                  "  line one\r\nab\r\nline two\r\n", "  line one\\nab\\nline two\\n",
                  "  line one\\r\\nab\\r\\nline two\\r\\n", "  line one ab line two "));
}

TEST(LineForms, LeaveOutWhatEveryPemFileHas) {
  const auto texts = TextsOf(
      "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nMIIEowIBAAKC\n"
      "-----END RSA PRIVATE KEY-----\n",
      ScrubForm::kLines);
  EXPECT_THAT(texts, Contains("MIIEowIBAAKC"));
  EXPECT_THAT(texts, Not(Contains("-----BEGIN RSA PRIVATE KEY-----")));
  EXPECT_THAT(texts, Not(Contains("-----END RSA PRIVATE KEY-----")));
  EXPECT_THAT(texts, Not(Contains("Proc-Type: 4,ENCRYPTED")));
}

TEST(LineForms, OfJsonAreThoseWithSecretsOnly) {
  const auto texts = TextsOf(
      "{\n  \"type\": \"service_account\",\n  \"private_key_id\": \"0a1b2c\",\n  \"pin\": "
      "123456\n}\n",
      ScrubForm::kLines);
  EXPECT_THAT(texts, IsSupersetOf({"\"private_key_id\": \"0a1b2c\",", "\"pin\": 123456"}));
  EXPECT_THAT(texts, Not(Contains("\"type\": \"service_account\",")));
}

TEST(LineForms, OfAGoogleCredentialFileAreThoseOfTheKey) {
  const auto texts = TextsOf(
      "{\n  \"type\": \"service_account\",\n  \"private_key\": \"-----BEGIN "
      "X-----\\nMIIabc\\n\"\n}\n");
  EXPECT_THAT(texts, Contains("MIIabc"));
  EXPECT_THAT(texts, Not(Contains("\"type\": \"service_account\",")));
}

TEST(LineForms, AreNoShorterThanTheMinimum) {
  EXPECT_THAT(TextsOf("a\n\nb", ScrubForm::kLines), Not(Contains("a b")));
}

// `printf foobar | base64` is Zm9vYmFy (RFC 4648, 10); of xfoobar it is eGZvb2Jhcg==, of xyfoobar
// eHlmb29iYXI=.
TEST(Base64Forms, AreWhatTheValueDeterminesWholly) {
  EXPECT_THAT(TextsOf("foobar", ScrubForm::kBase64), ElementsAre("Zm9vYmFy", "Zvb2Jhc", "mb29iYX"));
}

TEST(Base64Forms, SayWhatIsInTheCharactersAround) {
  const std::vector<Form> forms = FormsOf("foobar", FormRules{.forms = {ScrubForm::kBase64}});
  ASSERT_EQ(forms.size(), 3U);
  for (const Form& form : forms) EXPECT_TRUE(form.about.is_base64);
  const auto edges = [&](std::size_t i) {
    const Base64Edges& e = forms[i].about.edges;
    return std::array<int, 4>{e.lead_bits, e.lead_value, e.trail_bits, e.trail_value};
  };
  EXPECT_EQ(edges(0), (std::array<int, 4>{0, 0, 0, 0}));
  // G is 6, 000110; g is 32, 100000.
  EXPECT_EQ(edges(1), (std::array<int, 4>{4, 0b0110, 2, 0b10}));
  // l is 37, 100101; I is 8, 001000.
  EXPECT_EQ(edges(2), (std::array<int, 4>{2, 0b01, 4, 0b0010}));
}

TEST(Base64Forms, AreNoneWhereTheyWouldBeFoundEverywhere) {
  EXPECT_THAT(TextsOf("bcd", FormRules{.forms = {ScrubForm::kBase64}, .min_length = 1}), IsEmpty());
}

TEST(Base64Forms, AreInTheUrlAlphabetWhereItDiffers) {
  EXPECT_THAT(TextsOf("\xfb\xff\xfe\xfb", ScrubForm::kBase64), IsSupersetOf({"+//++", "-__--"}));
}

TEST(HexForms, AreInBothCasesAndWithColons) {
  EXPECT_THAT(TextsOf("j\xfb\x01\x80", ScrubForm::kHex),
              UnorderedElementsAre("6afb0180", "6AFB0180", "6a:fb:01:80", "6A:FB:01:80"));
}

// RFC 2781, 4.4: U+12345 "=Ra".
TEST(Utf16Forms, AreInBothByteOrders) {
  using namespace std::string_literals;
  EXPECT_THAT(TextsOf("\xf0\x92\x8d\x85=Ra", ScrubForm::kUtf16),
              UnorderedElementsAre("\x08\xd8\x45\xdf=\0R\0a\0"s, "\xd8\x08\xdf\x45\0=\0R\0a"s));
  EXPECT_THAT(TextsOf("ab\xff\xff", ScrubForm::kUtf16), IsEmpty());
}

// U+C793 twice (RFC 3629, 3): six bytes, as many as the limit asks for.
TEST(Utf16Forms, MayBeShorterThanTheLimitForValues) {
  const FormRules rules{.forms = {ScrubForm::kUtf16}, .min_length = 6};
  EXPECT_THAT(TextsOf("\xec\x9e\x93\xec\x9e\x93", rules),
              UnorderedElementsAre("\x93\xc7\x93\xc7", "\xc7\x93\xc7\x93"));
}

// Of a character beyond ASCII and beyond 16 bits (RFC 8259, 7: "\uD834\uDD1E").
TEST(JsonForms, WriteSurrogatePairs) {
  EXPECT_THAT(TextsOf("g\xf0\x9d\x84\x9e", ScrubForm::kJson),
              IsSupersetOf({"g\\ud834\\udd1e", "g\\uD834\\uDD1E", "g\\\\ud834\\\\udd1e"}));
}

// RFC 3986, 2.5: "the character KATAKANA LETTER A would be represented as "%E3%82%A2"".
TEST(PercentForms, AreInBothCases) {
  EXPECT_THAT(TextsOf("a \xe3\x82\xa2", ScrubForm::kPercent),
              UnorderedElementsAre("a%20%E3%82%A2", "a+%E3%82%A2", "%61%20%E3%82%A2",
                                   "a%20%e3%82%a2", "a+%e3%82%a2", "%61%20%e3%82%a2"));
}

// json_encode of PHP in a string that JSON.stringify of JavaScript prints.
TEST(JsonForms, StandInAStringOfAnotherProgram) {
  EXPECT_THAT(TextsOf("ab/cd+ef", ScrubForm::kJson), IsSupersetOf({R"(ab\/cd+ef)"}));
}

TEST(LineForms, AreEncodedTooIfTheyAreLong) {
  const std::string line(70, 'q');
  std::string in_hex;
  for (int i = 0; i < 70; ++i) in_hex += "71";
  EXPECT_THAT(TextsOf("first\n" + line), Contains(in_hex));
}

TEST(LineForms, AreEncodedToo) {
  EXPECT_THAT(TextsOf("user \"bob\"\npass \"s3cr3t&99\""),
              IsSupersetOf(
                  {R"(pass \"s3cr3t&99\")", "pass \"s3cr3t&amp;99\"", "pass%20%22s3cr3t%2699%22"}));
}

// What bash 5.2 prints of `[[ x == "$v" ]]` and `[[ x =~ "$v" ]]` after `set -x`, and of `printf
// %q`.
TEST(ShellForms, AreThoseOfBash) {
  EXPECT_THAT(TextsOf("p\xc3\xa4 $.x\ny", ScrubForm::kShell),
              IsSupersetOf({"\\p\\\xc3\xa4\\ \\$\\.\\x\\\n\\y", "p\xc3\xa4 \\$\\.x\ny"}));
  EXPECT_THAT(TextsOf("hunter2", ScrubForm::kShell), ElementsAre(R"(\h\u\n\t\e\r\2)"));
  EXPECT_THAT(TextsOf("a\x7f\x01z", ScrubForm::kShell), Contains("\\a\x7f\x01\\z"));
  EXPECT_THAT(TextsOf("#a~b:~c#", ScrubForm::kShell), Contains(R"(\#a~b:\~c#)"));
}

// What XMLStreamWriter of Java 17 prints in US-ASCII.
TEST(XmlForms, AreThoseOfJava) {
  EXPECT_THAT(TextsOf("p\xc3\xa4ssw\xc3\xb6rt", ScrubForm::kXml), Contains("p&#xe4;ssw&#xf6;rt"));
}

// The example of html.EscapeString in Go's documentation.
TEST(XmlForms, AreThoseOfGo) {
  EXPECT_THAT(TextsOf("\"Fran & Freddie's Diner\" <tasty@example.com>", ScrubForm::kXml),
              Contains("&#34;Fran &amp; Freddie&#39;s Diner&#34; &lt;tasty@example.com&gt;"));
}

// Examples of Quote and QuoteToASCII in Go's documentation, escape_default in Rust's.
TEST(CForms, AreThoseOfGoAndRust) {
  EXPECT_THAT(TextsOf("Fran & \"Freddie\"\t\xe2\x98\xba", ScrubForm::kC),
              IsSupersetOf({R"(Fran & \"Freddie\"\t)"
                            "\xe2\x98\xba",
                            R"(Fran & \"Freddie\"\t\u263a)"}));
  EXPECT_THAT(TextsOf("\xe2\x9d\xa4\n!", ScrubForm::kC), Contains(R"(\u{2764}\n!)"));
}

TEST(PartForms, AreEncodedToo) {
  const auto texts = TextsOf("{\"password\":\"p&ss \\\"word\"}");
  EXPECT_THAT(texts, IsSupersetOf({"p&ss \"word", "p%26ss%20%22word", "p&amp;ss \"word"}));
}

TEST(PartForms, MayHavePartsAndLines) {
  const auto texts = TextsOf(
      R"({"url":"postgres://app:p%40ssword@db/x","key":"-----BEGIN X-----\nMIIabc\nMIIdef\n"})");
  EXPECT_THAT(texts, IsSupersetOf({"p%40ssword", "p@ssword", "MIIabc", "MIIdef"}));
}

TEST(PartForms, OfABearerTokenAreItsSignatureToo) {
  EXPECT_THAT(TextsOf("Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl"),
              IsSupersetOf({"eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl", "c2lnbmF0dXJl"}));
}

TEST(PartForms, OfOneLineAreEncodedToo) {
  EXPECT_THAT(TextsOf("-----BEGIN X-----\nMIIa+c/d\n-----END X-----\n"),
              IsSupersetOf({"MIIa+c/d", "MIIa%2Bc%2Fd"}));
}

std::string Joined(const std::vector<std::string>& chunks) {
  return std::accumulate(chunks.begin(), chunks.end(), std::string());
}

// What is left where all forms are masked.
std::string Scrubbed(const ScrubCase& c, const FormRules& rules) {
  std::vector<std::string> texts;
  for (const std::string& secret : c.secrets) {
    for (std::string& text : TextsOf(secret, rules)) texts.push_back(std::move(text));
  }
  return OracleScrub(texts, Joined(c.chunks));
}

// Those with encoders that substrings decide, as the peer masks them. Not among them are those that
// need wider matches than literal ones (31, 88, 89, 91, 135, 141, 142, 169, 172), shorter secrets
// in Base64 (143 to 145), a mask for each line (107, 109, 112, 120), or the line break after the
// value (28).
TEST(FormCases, AreMasked) {
  const auto path = test::FindVectors("scrub_cases.json");
  if (!path) GTEST_SKIP() << "scrub_cases.json " << test::kNoVectors;
  const std::set<int> substrings = {34,  73,  74,  75,  83,  84,  86,  94,  96,
                                    99,  100, 101, 108, 132, 146, 148, 149, 150,
                                    151, 176, 177, 178, 179, 180, 193, 194, 196};
  const std::set<int> with_short_lines = {115, 116};
  int count = 0;
  for (const ScrubCase& c : ReadScrubCases(test::ReadText(*path))) {
    const bool has_short_lines = with_short_lines.contains(c.id);
    if (!substrings.contains(c.id) && !has_short_lines) continue;
    const FormRules rules{.min_length = has_short_lines ? 3U : 0U};
    EXPECT_EQ(Scrubbed(c, rules), c.expected) << "case " << c.id << ": " << c.source;
    ++count;
  }
  EXPECT_EQ(count, 29);
}

// What url.PathEscape and url.URL of Go, new URL() and escape() of JavaScript print.
TEST(FormsTest, AreThoseOfUrlsInGoAndJavaScript) {
  EXPECT_THAT(TextsOf("a:b@c/d e"), Contains("a:b@c%2Fd%20e"));
  EXPECT_THAT(TextsOf("p@ss(word"), Contains("p@ss%28word"));
  EXPECT_THAT(TextsOf("p[a]ss|^wd\""), Contains("p[a]ss|^wd%22"));
  EXPECT_THAT(TextsOf("p^ss w"), Contains("p^ss%20w"));
}

TEST(FormsTest, HaveALineBreakAtTheBeginningInOtherWays) {
  EXPECT_THAT(TextsOf(" \rs3cr3t-value"), IsSupersetOf({" \ns3cr3t-value", " \\ns3cr3t-value"}));
}

TEST(FormsTest, AreThoseOfElementTree) {
  EXPECT_THAT(TextsOf("zyxw\tvuts1"), Contains("zyxw&#09;vuts1"));
}

}  // namespace
}  // namespace qarion::secrets::scrub
