#include "qarion/secrets/field_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/field_catalog.h"

namespace qarion::secrets {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(FieldSet, BuiltInHasEveryFieldOfTheCatalogue) {
  const FieldSet fields = FieldSet::BuiltIn();
  EXPECT_EQ(fields.names().size() + fields.families().size(), core::FieldCatalog().size());
  EXPECT_TRUE(fields.Contains("SECRET_KEY"));
  EXPECT_TRUE(fields.Contains("LLM_API_KEY_OPENAI"));
  EXPECT_FALSE(fields.Contains("LLM_API_KEY_"));
  EXPECT_FALSE(fields.Contains("HOME"));
}

TEST(FieldSet, TakesNamesFamiliesAndEverything) {
  FieldSet fields;
  ASSERT_TRUE(fields.Add("ONE"));
  ASSERT_TRUE(fields.Add("MANY_*"));
  EXPECT_TRUE(fields.Contains("ONE"));
  EXPECT_TRUE(fields.Contains("MANY_X"));
  EXPECT_FALSE(fields.Contains("OTHER"));
  ASSERT_TRUE(fields.Add("*"));
  EXPECT_TRUE(fields.Contains("OTHER"));
  EXPECT_FALSE(fields.Contains("not a name"));
}

TEST(FieldSet, EverythingLeavesOutTheSettingsOfTheLibrary) {
  FieldSet fields;
  ASSERT_TRUE(fields.Add("*"));
  for (const char* name : {"SECRETS_BACKEND", "SECRETS_CACHE_TTL", "SECRETS_MAX_STALE",
                           "SECRETS_FIELDS", "SECRETS_ENV_FILE", "SECRETS_DIR"}) {
    EXPECT_FALSE(fields.Contains(name)) << name;
  }
  EXPECT_TRUE(fields.Contains("SECRETS_OF_THE_SERVICE"));
  ASSERT_TRUE(fields.Add("SECRETS_DIR"));  // by its name it is what the operator says
  EXPECT_TRUE(fields.Contains("SECRETS_DIR"));
}

TEST(FieldSet, RefusesImpossibleNames) {
  FieldSet fields;
  for (const std::string name : {"", "1A", "-A", "A B", "A=B", "A*B", "**", "\xc3\xa9"}) {
    const Status added = fields.Add(name);
    ASSERT_FALSE(added) << name;
    EXPECT_EQ(added.error().code(), ErrorCode::kConfiguration);
  }
  EXPECT_FALSE(fields.Add(std::string(129, 'A')));
  EXPECT_TRUE(fields.Add(std::string(128, 'A')));
}

TEST(CanonicalFieldName, TurnsPathsIntoNames) {
  EXPECT_EQ(*CanonicalFieldName("llm_api_key/control_plane"), "LLM_API_KEY_CONTROL_PLANE");
  EXPECT_EQ(*CanonicalFieldName("a/b/c"), "A_B_C");
}

TEST(CanonicalFieldName, LeavesNamesAsTheyAre) {
  EXPECT_EQ(*CanonicalFieldName("SECRET_KEY"), "SECRET_KEY");
  EXPECT_EQ(*CanonicalFieldName("secret_key"), "secret_key");
}

TEST(CanonicalFieldName, RefusesWhatIsNoReference) {
  for (const std::string reference : {"", "/", "/a", "a/", "a//b", "a b", "a\nb", "9/a"}) {
    const auto name = CanonicalFieldName(reference);
    ASSERT_FALSE(name) << reference;
    EXPECT_EQ(name.error().code(), ErrorCode::kUsage);
  }
}

TEST(CanonicalFieldName, DoesNotShowAReferenceThatMayBeAValue) {
  EXPECT_THAT(CanonicalFieldName("fake value!").error().reason(), Not(HasSubstr("fake")));
}

}  // namespace
}  // namespace qarion::secrets
