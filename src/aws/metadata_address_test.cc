#include "aws/metadata_address.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/json_document.h"
#include "tests/support/vectors.h"

namespace qarion::secrets::aws {
namespace {

using Given = std::map<std::string, std::string>;

Variables With(const Given& given) {
  return Variables([&given](const std::string& name) -> std::optional<std::string_view> {
    const auto found = given.find(name);
    if (found == given.end()) return std::nullopt;
    return found->second;
  });
}

// The URL, "nothing", or the error.
std::string Found(const Given& given) {
  auto found = FindContainerAddress(With(given));
  if (!found) return "error: " + found.error().reason();
  return *found ? (*found)->url : "nothing";
}

std::string FullUri(const std::string& uri) {
  return Found({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", uri}});
}

TEST(ContainerAddress, IsThatOfThePublishedCases) {
  const auto path = test::FindVectors("aws_credentials/ecs-tests.json");
  if (!path) GTEST_SKIP() << test::kNoVectors;
  const auto cases = core::JsonDocument::Parse(test::ReadText(*path), *path);
  ASSERT_TRUE(cases);
  int count = 0;
  for (const core::JsonValue& one : (*cases)["tests"].Elements()) {
    Given given;
    for (const std::string_view name : one["env"].Names()) {
      given[std::string(name)] = *one["env"][name].Text();
    }
    const std::string found = Found(given);
    if (const auto url = one["result"]["Ok"].Text()) {
      EXPECT_EQ(found, *url) << *one["docs"].Text();
    } else if (given.empty()) {
      EXPECT_EQ(found, "nothing");  // another source may apply, for boto3 as for the Rust SDK
    } else {
      EXPECT_TRUE(found.starts_with("error: ")) << *one["docs"].Text() << ": " << found;
    }
    ++count;
  }
  EXPECT_EQ(count, 11);
}

// As botocore's ContainerMetadataFetcher._validate_allowed_url has it.
TEST(ContainerAddress, MayBePlainHttpOnThisMachineOnly) {
  for (const char* const uri :
       {"http://127.0.0.1/x", "http://127.1.2.3:80/x", "http://[::1]:51679/x", "http://localhost/x",
        "http://LOCALHOST/x", "https://example.com/x"}) {
    EXPECT_EQ(FullUri(uri), uri);
  }
  for (const char* const uri :
       {"http://example.com/x", "http://169.254.170.3/x", "http://169.254.169.254/x",
        "http://localhost.example.com/x", "http://127.0.0.1.example.com/x", "http://10.0.0.1/x",
        "http://[fd00:ec2::24]/x"}) {
    const std::string found = FullUri(uri);
    EXPECT_TRUE(found.starts_with("error: AWS_CONTAINER_CREDENTIALS_FULL_URI names the foreign "))
        << found;
    EXPECT_NE(found.find("nothing was sent there"), std::string::npos) << found;
  }
}

// The Rust SDK and the CRT resolve names, and take those that lead to this machine alone; boto3
// does not, and it wins.
TEST(ContainerAddress, DoesNotResolveNames) {
  EXPECT_TRUE(FullUri("http://ip6-localhost/x").starts_with("error: "));
}

TEST(ContainerAddress, IsAUrlWithoutUserAndPassword) {
  for (const char* const uri : {"", "/x", "localhost:80/x", "ftp://localhost/x",
                                "http://u:p@localhost/x", "http://localhost/x y"}) {
    EXPECT_EQ(FullUri(uri), "error: AWS_CONTAINER_CREDENTIALS_FULL_URI is no http or https URL")
        << uri;
  }
}

TEST(ContainerAddress, HasARelativePathThatBeginsWithASlash) {
  for (const char* const path : {"", "x", "@example.com/x", ".example.com/x", ":80@example.com/"}) {
    EXPECT_EQ(Found({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", path},
                     {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost/x"}}),
              "error: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with a slash");
  }
}

TEST(ContainerAddress, IsShownWithoutThePathThatIsAsGoodAsAPassword) {
  const Given given = {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/fake-id"}};
  const auto ecs = FindContainerAddress(With(given));
  ASSERT_TRUE(ecs && *ecs);
  EXPECT_EQ((*ecs)->shown, "http://169.254.170.2");
  const Given full = {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost:51679/fake-id"}};
  const auto local = FindContainerAddress(With(full));
  ASSERT_TRUE(local && *local);
  EXPECT_EQ((*local)->shown, "http://localhost:51679");
}

std::string Instance(const MetadataSettings& settings) {
  auto url = InstanceMetadataUrl(settings);
  return url ? *url : "error: " + url.error().reason();
}

TEST(InstanceMetadata, IsWhereTheSettingsSay) {
  EXPECT_EQ(Instance({}), "http://169.254.169.254");
  EXPECT_EQ(Instance({.uses_ipv6 = true}), "http://[fd00:ec2::254]");
  const Sourced endpoint = {"http://override:456", "AWS_EC2_METADATA_SERVICE_ENDPOINT"};
  EXPECT_EQ(Instance({.endpoint = endpoint, .uses_ipv6 = true}), "http://override:456");
  EXPECT_EQ(Instance({.endpoint = {"not a uri", "AWS_EC2_METADATA_SERVICE_ENDPOINT"}}),
            "error: AWS_EC2_METADATA_SERVICE_ENDPOINT is no http or https URL");
}

}  // namespace
}  // namespace qarion::secrets::aws
