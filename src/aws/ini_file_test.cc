// Expected values are what botocore 1.44.5 reads (botocore.configloader.raw_config_parse);
// tests/aws_files_differential compares many more files with it.
#include "aws/ini_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace qarion::secrets::aws {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string Value(const IniFile& file, std::string_view section, std::string_view name) {
  const IniSection* found = file.Find(section);
  if (found == nullptr) return "(no section)";
  const IniEntry* entry = found->Find(name);
  return entry == nullptr ? "(no value)" : std::string(entry->value.Reveal());
}

std::string ReadOne(std::string_view text) {
  const auto file = ParseIni(text, "config");
  return file ? Value(*file, "a", "k") : file.error().reason();
}

TEST(IniFileTest, ReadsNamesAndValuesWithEitherDelimiter) {
  EXPECT_EQ(ReadOne("[a]\nk=v"), "v");
  EXPECT_EQ(ReadOne("[a]\r\nk : v \r\n"), "v");
  EXPECT_EQ(ReadOne("[a]\rK\t=\tv=w:x"), "v=w:x");
  EXPECT_EQ(ReadOne("[a] and more\nk ="), "");
}

TEST(IniFileTest, TakesLinesThatBeginWithASignForComments) {
  EXPECT_EQ(ReadOne("# c\n ; c\n[a]\nk = v # not one\n"), "v # not one");
}

TEST(IniFileTest, GoesOnWithIndentedLinesAndKeepsEmptyOnesBetween) {
  EXPECT_EQ(ReadOne("[a]\nk = v\n  w\n\n# c\n  x\n\n"), "v\nw\n\nx");
  EXPECT_EQ(ReadOne("[a]\n  k = v\n  l = w"), "v");
}

TEST(IniFileTest, ReadsNestedPairs) {
  const auto file = ParseIni("[a]\nk =\n  One = 1\n\n  two=a=b\n  One = 3\n", "config");
  ASSERT_TRUE(file);
  const IniEntry* entry = file->Find("a")->Find("k");
  ASSERT_TRUE(entry->has_nested);
  ASSERT_EQ(entry->nested.size(), 2u);
  EXPECT_EQ(entry->nested[0].name, "One");
  EXPECT_EQ(entry->nested[0].value.Reveal(), "3");
  EXPECT_EQ(entry->nested[0].line, 6);
  EXPECT_EQ(entry->nested[1].name, "two");
  EXPECT_EQ(entry->nested[1].value.Reveal(), "a=b");
}

TEST(IniFileTest, GivesEachSectionTheDefaults) {
  const auto file = ParseIni("[a]\nk=own\n[b]\n[DEFAULT]\nk=shared\n", "config");
  ASSERT_TRUE(file);
  EXPECT_EQ(Value(*file, "a", "k"), "own");
  EXPECT_EQ(Value(*file, "b", "k"), "shared");
  EXPECT_EQ(file->Find("DEFAULT"), nullptr);
  EXPECT_EQ(file->sections.size(), 2u);
}

TEST(IniFileTest, KnowsWhereAValueStands) {
  const auto file = ParseIni("\n[a]\n\nk = v\n", "config");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->Find("a")->line, 2);
  EXPECT_EQ(file->Find("a")->Find("k")->line, 4);
}

struct IniRefusal {
  std::string_view text;
  std::string_view begin;
};

TEST(IniFileTest, NamesTheLineItRefusesAndShowsNothingOfIt) {
  for (const auto& [text, begin] : {
           IniRefusal{"fake = fake", "config:1: the line stands before the first section"},
           IniRefusal{"[a]\nfake", "config:2: the line has neither = nor :"},
           IniRefusal{"[a]\n= fake", "config:2: the line has no name"},
           IniRefusal{"[a]\nfake=1\n\nFAKE=2", "config:4: the line has the same name as line 2"},
           IniRefusal{"[fake]\n[b]\n[fake]",
                      "config:3: the line begins the section of line 1 again"},
           IniRefusal{"[a]\nk=\n  x=1\n  fake", "config:4: the line is nested"},
           IniRefusal{"[DEFAULT]\nk=\n  fake\n[a]\n", "config:3: the line is nested"},
           IniRefusal{"[a]\nk=fake\xff", "config:2: the line is not UTF-8"},
           IniRefusal{"\ufeff[fake]\n", "config:1: the line begins with a byte order mark"},
       }) {
    const auto file = ParseIni(text, "config");
    ASSERT_FALSE(file) << text;
    EXPECT_EQ(file.error().code(), ErrorCode::kBadData);
    EXPECT_THAT(file.error().reason(), AllOf(StartsWith(begin), Not(HasSubstr("fake"))));
    EXPECT_NE(file.error().cure(), "");
  }
}

TEST(IniFileTest, LimitsTheLines) {
  EXPECT_TRUE(ParseIni(std::string(10'000, '\n'), "config"));
  const auto file = ParseIni(std::string(10'001, '\n'), "config");
  ASSERT_FALSE(file);
  EXPECT_THAT(file.error().reason(), StartsWith("config:10001: "));
}

// What takes Python's expressions, or a careless reader, minutes.
TEST(IniFileTest, ReadsHostileTextInNoTime) {
  constexpr std::size_t kSize = 1'000'000;
  std::string sections = "[DEFAULT]\n";
  for (int i = 0; i < 4900; ++i) sections += "k" + std::to_string(i) + " = v\n";
  for (int i = 0; i < 4900; ++i) sections += "[s" + std::to_string(i) + "]\n";
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(ParseIni("[a]\nk" + std::string(kSize, ' ') + "v", "config"));
  EXPECT_TRUE(ParseIni("[a]\nk=" + std::string(kSize, ' ') + "v", "config"));
  EXPECT_FALSE(ParseIni("[a]\n" + std::string(kSize, '['), "config"));
  std::string indented = "[a]\nk=\n";
  for (int i = 0; i < 9000; ++i) indented += "  k = v\n";
  EXPECT_TRUE(ParseIni(indented, "config"));
  EXPECT_TRUE(ParseIni(sections, "config"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

}  // namespace
}  // namespace qarion::secrets::aws
