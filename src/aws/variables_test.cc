#include "aws/variables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include <map>

#include "tests/support/aws_variables.h"

namespace qarion::secrets::aws {
namespace {

using test::VariablesOf;

TEST(VariablesTest, KeepsWhatIsSetEvenIfEmpty) {
  const Variables variables = VariablesOf({{"AWS_REGION", "eu-west-1"}, {"AWS_PROFILE", ""}});
  EXPECT_EQ(variables.Find("AWS_REGION"), "eu-west-1");
  EXPECT_EQ(variables.Find("AWS_PROFILE"), "");
  EXPECT_EQ(variables.Find("AWS_ROLE_ARN"), std::nullopt);
  EXPECT_EQ(variables.Text("AWS_ROLE_ARN"), "");
}

std::string Expanded(std::string path) {
  return VariablesOf({{"AWS_CONFIG_FILE", std::move(path)},
                      {"HOME", "/home/me/"},
                      {"DIR", "/etc/$HOME"},
                      {"EMPTY", ""}})
      .Text("AWS_CONFIG_FILE");
}

// As os.path.expanduser(os.path.expandvars(path)) of Python 3.11.
TEST(VariablesTest, ExpandsPathsAsPythonDoes) {
  EXPECT_EQ(Expanded("$DIR/config"), "/etc/$HOME/config");
  EXPECT_EQ(Expanded("${DIR}config"), "/etc/$HOMEconfig");
  EXPECT_EQ(Expanded("$EMPTY/x"), "/x");
  EXPECT_EQ(Expanded("$UNKNOWN/${UNKNOWN}/$/${}/${DIR"), "$UNKNOWN/${UNKNOWN}/$/${}/${DIR");
  EXPECT_EQ(Expanded("~/config"), "/home/me/config");
  EXPECT_EQ(Expanded("~"), "/home/me");
  EXPECT_EQ(Expanded("/a/~/b"), "/a/~/b");
  EXPECT_EQ(Expanded("$HOME/config"), "/home/me//config");
  EXPECT_EQ(Expanded("~no-such-user-here/x"), "~no-such-user-here/x");
  EXPECT_EQ(Expanded("~root/x"), std::string(getpwnam("root")->pw_dir) + "/x");
}

TEST(VariablesTest, ExpandsNoVariablesInTheFileOfTheEc2Tools) {
  const Variables variables =
      VariablesOf({{"AWS_CREDENTIAL_FILE", "~/$DIR"}, {"HOME", "/h"}, {"DIR", "d"}});
  EXPECT_EQ(variables.Text("AWS_CREDENTIAL_FILE"), "/h/$DIR");
}

TEST(VariablesTest, KnowsTheHomeOfAUserWhoseEnvironmentDoesNot) {
  EXPECT_EQ(VariablesOf({{"HOME", "/home/me"}}).Home(), "/home/me");
  const passwd* user = getpwuid(getuid());
  if (user == nullptr) GTEST_SKIP() << "this user has no entry";
  EXPECT_EQ(VariablesOf({}).Home(), user->pw_dir);
}

TEST(VariablesTest, NamesWhatTheScrubberHasToHide) {
  const auto credentials = VariablesOf({{"AWS_ACCESS_KEY_ID", "AKIDFAKE"},
                                        {"AWS_SECRET_ACCESS_KEY", "fake-key"},
                                        {"AWS_SECURITY_TOKEN", "fake-old-token"},
                                        {"AWS_SESSION_TOKEN", "fake-token"},
                                        {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "fake-bearer"}})
                               .Credentials();
  std::vector<std::string> texts;
  for (const Secret& credential : credentials) texts.emplace_back(credential.Reveal());
  EXPECT_THAT(texts, testing::UnorderedElementsAre("fake-key", "fake-old-token", "fake-token",
                                                   "fake-bearer"));
}

}  // namespace
}  // namespace qarion::secrets::aws
