#include "rotate/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "rotate/default_plan.h"

namespace qarion::secrets::rotate {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

Plan Parsed(std::string_view text) {
  auto plan = ParsePlan(text, "plan.toml");
  EXPECT_TRUE(plan) << (plan ? "" : plan.error().reason());
  return plan ? std::move(*plan) : Plan{};
}

// Reason and cure of the error.
std::string Refused(std::string_view text) {
  const auto plan = ParsePlan(text, "plan.toml");
  if (plan) return "not refused";
  EXPECT_EQ(plan.error().code(), ErrorCode::kConfiguration);
  EXPECT_FALSE(plan.error().cure().empty());
  return plan.error().reason() + "; " + plan.error().cure();
}

// A plan of one table with one column, to which `members` belong.
std::string WithColumn(const std::string& members) {
  return "[[table]]\nname = \"t\"\n[[table.column]]\nname = \"c\"\n" + members;
}

std::string WithTable(const std::string& members) {
  return "[[table]]\n" + members + "\n[[table.column]]\nname = \"c\"\n";
}

TEST(PlanTest, OfOneColumnNeedsTwoNames) {
  const Plan plan = Parsed(WithColumn(""));
  ASSERT_EQ(plan.tables.size(), 1u);
  EXPECT_EQ(plan.tables[0].Title(), "t");
  EXPECT_EQ(plan.tables[0].schema, "");
  EXPECT_TRUE(plan.tables[0].key.empty());
  EXPECT_EQ(plan.tables[0].where, "");
  ASSERT_EQ(plan.tables[0].columns.size(), 1u);
  const ColumnPlan& column = plan.tables[0].columns[0];
  EXPECT_EQ(column.name, "c");
  EXPECT_EQ(column.shape, Shape::kText);
  EXPECT_EQ(column.prefix, "");
  EXPECT_EQ(column.plaintext, PlaintextPolicy::kError);
  EXPECT_EQ(plan.audit_table, "qarion_secrets_rotations");
  EXPECT_EQ(plan.audit_schema, "");
}

TEST(PlanTest, ReadsEveryMember) {
  const Plan plan = Parsed(R"(
audit_table = "ops.rotations"
[[table]]
name = "app.instances"
key = ["tenant", "n"]
where = "deleted_at IS NULL"
  [[table.column]]
  name = "database_url"
  shape = "bytea"
  prefix = "enc:"
  plaintext = "skip"
  [[table.column]]
  name = "credentials"
  shape = "json"
  paths = ["$.a", "$.b[0]"]
  plaintext = "encrypt"
[[table]]
name = "other"
  [[table.column]]
  name = "c"
  shape = "json"
  path = "$.*"
)");
  EXPECT_EQ(plan.audit_schema, "ops");
  EXPECT_EQ(plan.audit_table, "rotations");
  ASSERT_EQ(plan.tables.size(), 2u);
  EXPECT_EQ(plan.tables[0].schema, "app");
  EXPECT_EQ(plan.tables[0].name, "instances");
  EXPECT_EQ(plan.tables[0].Title(), "app.instances");
  EXPECT_THAT(plan.tables[0].key, ElementsAre("tenant", "n"));
  EXPECT_EQ(plan.tables[0].where, "deleted_at IS NULL");
  ASSERT_EQ(plan.tables[0].columns.size(), 2u);
  const ColumnPlan& first = plan.tables[0].columns[0];
  EXPECT_EQ(first.shape, Shape::kBytes);
  EXPECT_EQ(first.prefix, "enc:");
  EXPECT_EQ(first.plaintext, PlaintextPolicy::kSkip);
  const ColumnPlan& second = plan.tables[0].columns[1];
  EXPECT_EQ(second.shape, Shape::kJson);
  EXPECT_EQ(second.plaintext, PlaintextPolicy::kEncrypt);
  ASSERT_EQ(second.paths.size(), 2u);
  EXPECT_EQ(second.paths[1].text, "$.b[0]");
  ASSERT_EQ(second.paths[1].steps.size(), 2u);
  EXPECT_EQ(second.paths[1].steps[1].kind, PathStep::Kind::kElement);
  ASSERT_EQ(plan.tables[1].columns[0].paths.size(), 1u);
  EXPECT_EQ(plan.tables[1].columns[0].paths[0].text, "$.*");
}

TEST(PlanTest, ReadsTablesWrittenInOneLine) {
  const Plan plan = Parsed(R"(table = [{name = "t", column = [{name = "c"}, {name = "d"}]}])");
  ASSERT_EQ(plan.tables.size(), 1u);
  EXPECT_EQ(plan.tables[0].columns.size(), 2u);
}

TEST(PlanTest, SplitsANameAtItsDotAndReadsQuotesAsSqlDoes) {
  const auto named = [](const std::string& name) {
    const Plan plan = Parsed(WithTable("name = '" + name + "'"));
    return plan.tables.empty() ? std::pair<std::string, std::string>()
                               : std::pair(plan.tables[0].schema, plan.tables[0].name);
  };
  EXPECT_EQ(named("T"), std::pair(std::string(), std::string("T")));
  EXPECT_EQ(named("App.Träger 1"), std::pair(std::string("App"), std::string("Träger 1")));
  EXPECT_EQ(named(R"("a.b")"), std::pair(std::string(), std::string("a.b")));
  EXPECT_EQ(named(R"("a.b"."c""d")"), std::pair(std::string("a.b"), std::string("c\"d")));
  EXPECT_EQ(named(R"(a."b.c")"), std::pair(std::string("a"), std::string("b.c")));
}

TEST(PlanTest, TakesANameBesideASchemaAsItStands) {
  const Plan plan = Parsed(WithTable("schema = 'a.b'\nname = 'c.\"d'"));
  EXPECT_EQ(plan.tables.at(0).schema, "a.b");
  EXPECT_EQ(plan.tables.at(0).name, "c.\"d");
}

TEST(PlanTest, RefusesNamesThatAreNotOneOrTwo) {
  for (const char* name :
       {"a.b.c", ".", ".a", "a.", "a..b", "\"\"", "\"a", "a\"b", "\"a\"b", "\"a\".", "a.\"b\"c"}) {
    EXPECT_THAT(Refused(WithTable("name = '" + std::string(name) + "'")),
                AllOf(HasSubstr("plan.toml, line 2, column "), HasSubstr("`name` of [[table]] is"),
                      HasSubstr("schema.table")))
        << name;
  }
  EXPECT_THAT(Refused("audit_table = 'a.b.c'\n" + WithColumn("")),
              HasSubstr("`audit_table` of the plan is"));
}

TEST(PlanTest, SaysWhereItIsNotToml) {
  EXPECT_THAT(Refused("[[table]]\nname = \n"), StartsWith("plan.toml, line 2, column "));
  EXPECT_THAT(Refused("[[table]]\nname = 'a'\nname = 'b'\n"),
              AllOf(StartsWith("plan.toml, line 3, "), HasSubstr("redefine")));
  EXPECT_THAT(Refused("a = '\xff'"), StartsWith("plan.toml, line 1, "));
}

TEST(PlanTest, ReadsCharactersBeyondAsciiWhereWhiteSpaceMayStand) {
  EXPECT_EQ(Parsed(WithTable("name = \"\"\"\\\nж\"\"\"")).tables.at(0).name, "ж");
  EXPECT_THAT(Refused("[[table]]\nname = 't'ж"), StartsWith("plan.toml, line 2, column 11: "));
  EXPECT_THAT(Refused("[[=]]"), StartsWith("plan.toml, line 1, column 3: "));
}

TEST(PlanTest, NamesUnknownMembersAndWhatMayBeMeant) {
  EXPECT_THAT(Refused("tabel = 1\n"),
              AllOf(StartsWith("plan.toml, line 1, column 1: the plan has an unknown member "
                               "\"tabel\""),
                    HasSubstr("did you mean table?")));
  EXPECT_THAT(Refused(WithTable("name = 't'\ncolums = 1")),
              AllOf(StartsWith("plan.toml, line 3, column 1: [[table]] has an unknown member"),
                    HasSubstr("did you mean column?")));
  EXPECT_THAT(Refused(WithColumn("plain_text = 'skip'")),
              AllOf(StartsWith("plan.toml, line 5, column 1: [[table.column]] has an unknown"),
                    HasSubstr("did you mean plaintext?"),
                    HasSubstr("name, path, paths, plaintext, prefix or shape")));
}

TEST(PlanTest, TellsWhereTheAuditTableBelongs) {
  EXPECT_THAT(Refused(WithColumn("audit_table = 'a'")),
              HasSubstr("put audit_table above the first [[table]]"));
}

TEST(PlanTest, NamesWordsThatMayBeMeant) {
  EXPECT_THAT(Refused(WithColumn("shape = 'jsn'")),
              AllOf(StartsWith("plan.toml, line 5, column 9: `shape` of [[table.column]] is "
                               "\"jsn\""),
                    HasSubstr("use text, bytea or json; did you mean json?")));
  EXPECT_THAT(Refused(WithColumn("plaintext = 'ignore'")), HasSubstr("error, skip or encrypt"));
  EXPECT_THAT(Refused(WithColumn("shape = 'JSON'")), HasSubstr("did you mean json?"));
}

TEST(PlanTest, RefusesMembersOfAnotherType) {
  EXPECT_THAT(Refused(WithColumn("shape = 1")),
              HasSubstr("line 5, column 9: `shape` of [[table.column]] is an integer, not a "
                        "string"));
  EXPECT_THAT(Refused(WithTable("name = ['t']")), HasSubstr("is a list, not a string"));
  EXPECT_THAT(Refused(WithTable("name = 't'\nkey = 'id'")),
              AllOf(HasSubstr("`key` of [[table]] is a string, not a list of strings"),
                    HasSubstr("write key = [\"...\"]")));
  EXPECT_THAT(Refused(WithTable("name = 't'\nkey = ['id', 2]")),
              HasSubstr("an element of `key` of [[table]] is an integer"));
  EXPECT_THAT(Refused("table = 1"), HasSubstr("is an integer, not a list of tables"));
  EXPECT_THAT(Refused("[table]\nname = 't'"),
              AllOf(HasSubstr("is a table, not a list of tables"), HasSubstr("[[table]]")));
  EXPECT_THAT(Refused("[[table]]\nname = 't'\n[table.column]\nname = 'c'"),
              HasSubstr("[[table.column]]"));
  EXPECT_THAT(Refused("table = [1]"), HasSubstr("is a list, not a list of tables"));
  EXPECT_THAT(Refused(WithTable("name = 2026-11-23")), HasSubstr("is a date or time"));
  EXPECT_THAT(Refused(WithTable("name = true")), HasSubstr("is a boolean"));
  EXPECT_THAT(Refused(WithTable("name = 1.5")), HasSubstr("is a number"));
}

TEST(PlanTest, RefusesWhatIsMissing) {
  EXPECT_THAT(Refused(""), HasSubstr("the plan has no [[table]]"));
  EXPECT_THAT(Refused("table = []"), HasSubstr("not a list of tables"));
  EXPECT_THAT(Refused("[[table]]\nname = 't'"), HasSubstr("[[table]] has no [[table.column]]"));
  EXPECT_THAT(Refused(WithTable("")), HasSubstr("line 1, column 1: [[table]] has no name"));
  EXPECT_THAT(Refused("[[table]]\nname = 't'\n[[table.column]]\nshape = 'text'"),
              HasSubstr("line 3, column 1: [[table.column]] has no name"));
}

TEST(PlanTest, RefusesWhatIsEmpty) {
  EXPECT_THAT(Refused(WithTable("name = ''")), HasSubstr("`name` of [[table]] is empty"));
  EXPECT_THAT(Refused(WithTable("name = 't'\nschema = ''")), HasSubstr("is empty"));
  EXPECT_THAT(Refused(WithTable("name = 't'\nwhere = ''")), HasSubstr("is empty"));
  EXPECT_THAT(Refused(WithTable("name = 't'\nkey = []")), HasSubstr("`key` of [[table]] is empty"));
  EXPECT_THAT(Refused(WithTable("name = 't'\nkey = ['']")), HasSubstr("is empty"));
  EXPECT_THAT(Refused(WithColumn("prefix = ''")), HasSubstr("is empty"));
  EXPECT_THAT(Refused(WithColumn("shape = 'json'\npaths = []")), HasSubstr("is empty"));
}

TEST(PlanTest, RefusesWhatStandsThereTwice) {
  EXPECT_THAT(Refused(WithColumn("") + WithColumn("")),
              AllOf(HasSubstr("line 5, column 1: "), HasSubstr("the name \"t\"")));
  EXPECT_THAT(Refused(WithColumn("[[table.column]]\nname = 'c'\n")),
              AllOf(HasSubstr("line 6, column 8: "), HasSubstr("is \"c\", which this table has")));
  EXPECT_THAT(Refused(WithTable("name = 't'\nkey = ['a', 'a']")), HasSubstr("has \"a\" twice"));
  EXPECT_THAT(Refused(WithColumn("shape = 'json'\npaths = ['$.a', '$.a']")), HasSubstr("twice"));
  EXPECT_THAT(Refused(WithColumn("shape = 'json'\npaths = ['$.a', \"$['a']\"]")),
              HasSubstr("which are the same"));
}

TEST(PlanTest, WantsPathsWithJsonAndWithNothingElse) {
  EXPECT_THAT(Refused(WithColumn("shape = 'json'")), HasSubstr("has shape \"json\" and no path"));
  EXPECT_THAT(Refused(WithColumn("paths = ['$.a']")), HasSubstr("`paths` of [[table.column]] is "
                                                                "for JSON alone"));
  EXPECT_THAT(Refused(WithColumn("shape = 'text'\npath = '$'")), HasSubstr("`path` of"));
  EXPECT_THAT(Refused(WithColumn("shape = 'json'\npath = '$'\npaths = ['$.a']")),
              HasSubstr("stands beside `paths`"));
  EXPECT_THAT(Refused(WithColumn("shape = 'json'\npaths = ['$.a', '$..b']")),
              AllOf(HasSubstr("line 6, column "), HasSubstr("has \"$..b\": the path has ..")));
}

TEST(PlanTest, RefusesControlCharactersWhereTheyCanOnlyBeMistakes) {
  EXPECT_THAT(Refused(WithColumn(R"(prefix = "enc:\n")")), HasSubstr("has a control character"));
  EXPECT_THAT(Refused(WithColumn(R"(prefix = "\u007f")")), HasSubstr("has a control character"));
  EXPECT_THAT(Refused(WithTable(R"(name = "a\u0000b")")), HasSubstr("U+0000"));
}

TEST(PlanTest, ShowsNoControlCharactersInErrors) {
  const std::string refused = Refused(WithColumn(R"(shape = "a\u001b[31m\n")"));
  EXPECT_THAT(refused, HasSubstr("is \"a?[31m?\""));
}

TEST(PlanTest, HasLimits) {
  const auto text = [](std::size_t size) { return "'" + std::string(size, 'x') + "'"; };
  EXPECT_THAT(Refused(std::string(kMostPlanBytes + 1, '\n')), HasSubstr("longer than 1 MiB"));
  EXPECT_EQ(Parsed(WithColumn("prefix = " + text(256))).tables.size(), 1u);
  EXPECT_THAT(Refused(WithColumn("prefix = " + text(257))), HasSubstr("longer than 256 bytes"));
  EXPECT_THAT(Refused(WithTable("name = 't'\nkey = [" + text(1025) + "]")),
              HasSubstr("longer than 1024 bytes"));
  EXPECT_THAT(Refused("a = " + std::string(100'000, '[')), StartsWith("plan.toml, line 1"));
}

TEST(PlanTest, IsReadAsItWasWritten) {
  Plan plan = Parsed(R"(
audit_table = '"a.b"."c"'
[[table]]
name = '"x.y"."q""uote"'
key = ["i d", "\u0001"]
where = "a = 'b' -- \"c\" \\\n AND d"
  [[table.column]]
  name = 'dot.ted "c"'
  shape = "bytea"
  plaintext = "encrypt"
  [[table.column]]
  name = "ünï\tcode"
  shape = "json"
  paths = ["$['a\"b']", "$.*.c[0]"]
  prefix = "v1:\\"
  plaintext = "skip"
[[table]]
name = "plain"
  [[table.column]]
  name = "c"
)");
  ASSERT_EQ(plan.tables.size(), 2u);
  EXPECT_EQ(Parsed(WritePlan(plan)), plan);
  EXPECT_EQ(Parsed(WritePlan(plan, {"two\nlines\x1b", ""})), plan);
  EXPECT_THAT(WritePlan(plan, {"two\nlines", ""}), HasSubstr("\n# two\n# lines\n[[table]]\n"));
}

TEST(PlanTest, IsWrittenWithoutControlCharacters) {
  Plan plan = Parsed(WithColumn(""));
  plan.tables.at(0).name = "a\x1b\xc2\x9b\x7f\xc3\xa9";
  const std::string text = WritePlan(plan, {"b\xc2\x9b"});
  EXPECT_THAT(text, HasSubstr("# b \n[[table]]\nname = \"a\\u001B\\u009B\\u007F\xc3\xa9\"\n"));
  EXPECT_EQ(Parsed(text), plan);
}

TEST(PlanTest, WithTheLongestNamesIsReadAsItWasWritten) {
  const std::string longest(kMostNameBytes, '"');
  const Plan plan = Parsed(WithTable("schema = '" + longest + "'\nname = '" + longest + "'"));
  EXPECT_EQ(plan.tables.at(0).name, longest);
  EXPECT_EQ(Parsed(WritePlan(plan)), plan);
  EXPECT_THAT(Refused(WithTable("schema = 's'\nname = 'a" + longest + "'")),
              HasSubstr("longer than 1024 bytes"));
  EXPECT_THAT(Refused(WithTable("name = 'a" + std::string(kMostNameBytes, 'a') + "'")),
              HasSubstr("`name` of [[table]] is"));
}

TEST(PlanTest, IsWrittenWithoutWhatIsUsual) {
  EXPECT_EQ(WritePlan(Parsed(WithColumn("shape = 'text'\nplaintext = 'error'"))),
            "[[table]]\nname = \"t\"\n\n  [[table.column]]\n  name = \"c\"\n");
}

TEST(PlanTest, OfQarionIsTheDefault) {
  std::ifstream file(QARION_SOURCE_DIR "/examples/rotation/qarion.toml", std::ios::binary);
  EXPECT_EQ(DefaultPlan(), std::string(std::istreambuf_iterator<char>(file), {}));
  const auto plan = ParsePlan(DefaultPlan(), "the plan");
  ASSERT_TRUE(plan) << plan.error().reason();
  ASSERT_EQ(plan->tables.size(), 2u);
  EXPECT_EQ(plan->tables[0].Title(), "instances");
  EXPECT_EQ(plan->tables[0].columns.at(0).name, "database_url");
  EXPECT_EQ(plan->tables[1].Title(), "export_configs");
  EXPECT_EQ(plan->tables[1].columns.at(0).shape, Shape::kJson);
}

}  // namespace
}  // namespace qarion::secrets::rotate
