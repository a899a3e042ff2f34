#include "cli/child_environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace qarion::secrets::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Snapshot MakeSnapshot(std::vector<std::pair<std::string, std::string>> values) {
  Snapshot::Contents contents;
  contents.backend = "env";
  for (const auto& [name, value] : values) {
    contents.fields.push_back({name, Secret::CopyOf(value), "test"});
  }
  return Snapshot(std::move(contents));
}

std::vector<std::string> Entries(const ChildEnvironment& environment) {
  std::vector<std::string> entries;
  for (char* const* entry = environment.entries(); *entry != nullptr; ++entry) {
    entries.emplace_back(*entry);
  }
  return entries;
}

// An inherited environment that can be written to, as the process's own can.
class Inherited {
 public:
  explicit Inherited(std::vector<std::string> entries) : entries_(std::move(entries)) {
    for (std::string& entry : entries_) pointers_.push_back(entry.data());
    pointers_.push_back(nullptr);
  }
  char* const* get() const { return pointers_.data(); }
  const std::string& operator[](std::size_t index) const { return entries_[index]; }

 private:
  std::vector<std::string> entries_;
  std::vector<char*> pointers_;
};

class ChildEnvironmentTest : public testing::Test {
 protected:
  Result<ChildEnvironment> Build(const ChildEnvironmentOptions& options) const {
    return ChildEnvironment::Build(snapshot_, FieldSet::BuiltIn(), inherited_.get(), options);
  }

  const Snapshot snapshot_ =
      MakeSnapshot({{"SECRET_KEY", "fake-key"}, {"SMTP_PASSWORD", "fake=1"}});
  const Inherited inherited_{{"PATH=/bin", "SECRET_KEY=fake-old", "SECRET_KEY_FILE=/file",
                              "SECRET_KEY_PREVIOUS=fake-unset", "no-equals-sign"}};
};

TEST_F(ChildEnvironmentTest, ReplacesWhatStandsForAFieldAndKeepsTheRest) {
  const auto environment = Build({});
  ASSERT_TRUE(environment);
  EXPECT_THAT(Entries(*environment),
              ElementsAre("PATH=/bin", "SECRET_KEY_PREVIOUS=fake-unset", "no-equals-sign",
                          "SECRET_KEY=fake-key", "SMTP_PASSWORD=fake=1"));
}

TEST_F(ChildEnvironmentTest, FieldTakesThePlaceOfAnInheritedVariableWithItsNewName) {
  const auto environment = Build({.only = {"SECRET_KEY"}, .renames = {{"SECRET_KEY", "PATH"}}});
  ASSERT_TRUE(environment);
  EXPECT_THAT(Entries(*environment),
              ElementsAre("SECRET_KEY_PREVIOUS=fake-unset", "no-equals-sign", "PATH=fake-key"));
}

TEST_F(ChildEnvironmentTest, PristineHoldsNothingInherited) {
  const auto environment = Build({.prefix = "APP_", .pristine = true});
  ASSERT_TRUE(environment);
  EXPECT_THAT(Entries(*environment),
              ElementsAre("APP_SECRET_KEY=fake-key", "APP_SMTP_PASSWORD=fake=1"));
}

TEST_F(ChildEnvironmentTest, StaysValidWhenMoved) {
  auto environment = Build({.pristine = true});
  ASSERT_TRUE(environment);
  const ChildEnvironment moved = std::move(*environment);
  EXPECT_THAT(Entries(moved), ElementsAre("SECRET_KEY=fake-key", "SMTP_PASSWORD=fake=1"));
}

TEST_F(ChildEnvironmentTest, NamesTheLargestField) {
  const auto environment = Build({});
  ASSERT_TRUE(environment);
  EXPECT_EQ(environment->largest_field(), "SMTP_PASSWORD");
  EXPECT_EQ(environment->largest_bytes(), sizeof("SMTP_PASSWORD=fake=1"));
}

TEST_F(ChildEnvironmentTest, RefusesARenameThatClashesWithAnotherField) {
  const auto environment = Build({.renames = {{"SECRET_KEY", "SMTP_PASSWORD"}}});
  ASSERT_FALSE(environment);
  EXPECT_EQ(environment.error().code(), ErrorCode::kUsage);
  EXPECT_THAT(environment.error().reason(), HasSubstr("both be passed as SMTP_PASSWORD"));
}

TEST_F(ChildEnvironmentTest, RefusesToRenameAFieldTwice) {
  EXPECT_FALSE(Build({.renames = {{"SECRET_KEY", "A"}, {"SECRET_KEY", "B"}}}));
}

TEST_F(ChildEnvironmentTest, RefusesNamesThatNoVariableHas) {
  for (const std::string name : {"", "1A", "A-B", "A=B", "\xC3\xA9"}) {
    EXPECT_FALSE(Build({.renames = {{"SECRET_KEY", name}}})) << name;
  }
  EXPECT_FALSE(Build({.prefix = "1"}));
  EXPECT_FALSE(Build({.prefix = "A-"}));
}

TEST_F(ChildEnvironmentTest, RefusesFieldsThatAreNotSet) {
  const auto environment = Build({.only = {"POSTGRES_PASSWORD"}});
  ASSERT_FALSE(environment);
  EXPECT_THAT(environment.error().reason(), HasSubstr("POSTGRES_PASSWORD is not set"));
}

TEST(ChildEnvironment, RefusesAValueWithAZeroByteAndNamesTheFieldOnly) {
  const Snapshot snapshot = MakeSnapshot({{"SECRET_KEY", std::string("fake\0value", 10)}});
  const Inherited inherited({});
  const auto environment =
      ChildEnvironment::Build(snapshot, FieldSet::BuiltIn(), inherited.get(), {});
  ASSERT_FALSE(environment);
  EXPECT_EQ(environment.error().code(), ErrorCode::kBadData);
  EXPECT_THAT(environment.error().reason(), HasSubstr("SECRET_KEY has a zero byte"));
  EXPECT_THAT(environment.error().reason(), Not(HasSubstr("fake")));
}

TEST(WipeInheritedValues, OverwritesFieldsAlone) {
  const Snapshot snapshot = MakeSnapshot({{"SECRET_KEY", "fake-key"}});
  const Inherited inherited(
      {"PATH=/bin", "SECRET_KEY=fake-key", "SECRET_KEY_NEXT=1", "SECRET_KEY"});
  WipeInheritedValues(snapshot, inherited.get());
  EXPECT_EQ(inherited[0], "PATH=/bin");
  EXPECT_EQ(inherited[1], std::string("SECRET_KEY=") + std::string(8, '\0'));
  EXPECT_EQ(inherited[2], "SECRET_KEY_NEXT=1");
  EXPECT_EQ(inherited[3], "SECRET_KEY");
}

}  // namespace
}  // namespace qarion::secrets::cli
