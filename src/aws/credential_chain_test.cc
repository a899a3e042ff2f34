// The order is boto3's; see tests/integration/aws/boto3_test.py for both beside each other.
#include "aws/credential_chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/role_test_base.h"

namespace qarion::secrets::aws {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class CredentialChainTest : public RoleTestBase {
 protected:
  void SetUp() override { settings_.metadata.is_disabled = true; }

  static std::string KeyOf(Result<Credentials> credentials) {
    return credentials ? credentials->keys.access_key_id : TextOf(credentials.error());
  }
};

TEST_F(CredentialChainTest, SaysWhichSourceItIsAndWhyNotThoseBefore) {
  Begin("", "[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = fake-secret\n");
  CredentialChain chain(Context());
  EXPECT_EQ(KeyOf(chain.credentials().Get(Soon())), "AKIDFILE");
  const auto tried = chain.tried();
  ASSERT_EQ(tried.size(), 5U);
  EXPECT_EQ(tried.front().source, "environment");
  EXPECT_EQ(tried.front().why_not, "AWS_ACCESS_KEY_ID is not set");
  EXPECT_EQ(tried[1].source, "role to assume");
  EXPECT_EQ(tried[2].source, "web identity");
  EXPECT_EQ(tried[3].source, "SSO");
  EXPECT_EQ(tried.back().source, "shared credentials file");
  EXPECT_EQ(tried.back().why_not, "");
}

TEST_F(CredentialChainTest, SaysThatThereAreNone) {
  Begin("");
  CredentialChain chain(Context());
  EXPECT_THAT(KeyOf(chain.credentials().Get(Soon())),
              StartsWith("configuration: there are no AWS credentials: environment: "
                         "AWS_ACCESS_KEY_ID is not set; instance metadata: "
                         "AWS_EC2_METADATA_DISABLED is true; nor any from role to assume, web "
                         "identity, SSO, shared credentials file, aws login, process, config file, "
                         "EC2 credentials file, Boto 2 config file, container"));
  EXPECT_EQ(chain.tried().size(), 12U);
}

// Whoever had credentials before will have some again: that is no reason to drop what was read.
TEST_F(CredentialChainTest, TakesTheLossOfThemForAFailureThatPasses) {
  Begin("", "[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = fake-secret\n");
  CredentialChain chain(Context());
  auto first = chain.credentials().Get(Soon());
  ASSERT_TRUE(first);
  directory_.Write("credentials", "");
  auto others = chain.credentials().Replace(*first, Soon());
  ASSERT_FALSE(others);
  EXPECT_EQ(others.error().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(chain.tried().back().why_not, "applies, and fails");
  directory_.Write("credentials",
                   "[default]\naws_access_key_id = AKIDNEW\naws_secret_access_key = fake-secret\n");
  others = chain.credentials().Replace(*first, Soon());
  ASSERT_TRUE(others && *others);
  EXPECT_EQ(chain.tried().back().why_not, "");
  EXPECT_EQ((*others)->keys.access_key_id, "AKIDNEW");
}

// Another identity is never used instead of one that is there and does not work.
TEST_F(CredentialChainTest, EndsWhereASourceFails) {
  Begin("", "[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = fake-secret\n",
        {{"AWS_ACCESS_KEY_ID", "AKIDENV"}});
  CredentialChain chain(Context());
  EXPECT_THAT(KeyOf(chain.credentials().Get(Soon())), HasSubstr("AWS_SECRET_ACCESS_KEY"));
  ASSERT_EQ(chain.tried().size(), 1U);
  EXPECT_EQ(chain.tried()[0].why_not, "applies, and fails");
}

TEST_F(CredentialChainTest, KeepsToTheSourceThatItFound) {
  Begin("[default]\nrole_arn = " + Role("app") + "\nsource_profile = keys\n",
        "[keys]\naws_access_key_id = AKIDFILE\naws_secret_access_key = fake-secret\n");
  CredentialChain chain(Context());
  auto first = chain.credentials().Get(Soon());
  EXPECT_EQ(KeyOf(chain.credentials().Get(Soon())), "ASIAapp");
  ASSERT_TRUE(first);
  auto others = chain.credentials().Replace(*first, Soon());
  ASSERT_TRUE(others);
  EXPECT_FALSE(*others);  // STS gave the same once more
  EXPECT_THAT(Held(), testing::IsSupersetOf({"fake-secret-of-app", "fake-token-of-app"}));
  EXPECT_EQ(chain.tried().size(), 2U);
  EXPECT_EQ(Calls().size(), 2U);
}

}  // namespace
}  // namespace qarion::secrets::aws
