#include "aws/client_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/json_document.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/vectors.h"

// Names, order and defaults are those of botocore/configprovider.py;
// tests/aws_endpoints_differential compares generated configurations with boto3.
namespace qarion::secrets::aws {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class ClientSettingsTest : public testing::Test {
 protected:
  void SetConfig(std::string_view text) { directory_.Write("config", text); }
  void Set(const std::string& name, const std::string& value) { variables_[name] = value; }

  Result<ClientSettings> Load() {
    std::map<std::string, std::string> given = {
        {"HOME", directory_.path()},
        {"AWS_CONFIG_FILE", directory_.Path("config")},
        {"AWS_SHARED_CREDENTIALS_FILE", directory_.Path("credentials")}};
    for (const auto& [name, value] : variables_) given[name] = value;
    const Variables variables([&](const std::string& name) -> std::optional<std::string_view> {
      const auto found = given.find(name);
      return found == given.end() ? std::nullopt : std::optional<std::string_view>(found->second);
    });
    auto profiles = Profiles::Load(variables);
    if (!profiles) return std::move(profiles).error();
    return LoadClientSettings(variables, *profiles);
  }

  ClientSettings Loaded() {
    auto settings = Load();
    if (settings) return std::move(*settings);
    ADD_FAILURE() << settings.error().reason();
    return {};
  }

  std::string Refusal() {
    const auto settings = Load();
    if (settings) return "";
    EXPECT_EQ(settings.error().code(), ErrorCode::kConfiguration);
    EXPECT_FALSE(settings.error().cure().empty());
    return settings.error().reason();
  }

  // "NAME in FILE:LINE".
  std::string InConfig(const std::string& name, int line) const {
    return name + " in " + directory_.Path("config") + ":" + std::to_string(line);
  }

  test::TemporaryDirectory directory_;
  std::map<std::string, std::string> variables_;
};

TEST_F(ClientSettingsTest, HaveTheDefaultsOfBoto3) {
  const ClientSettings settings = Loaded();
  EXPECT_EQ(settings.region.text, "");
  EXPECT_FALSE(settings.uses_fips);
  EXPECT_FALSE(settings.uses_dual_stack);
  EXPECT_FALSE(settings.uses_global_sts);
  EXPECT_THAT(settings.endpoints, IsEmpty());
  EXPECT_EQ(settings.ca_bundle.text, "");
  EXPECT_EQ(settings.retry_mode, RetryMode::kStandard);
  EXPECT_EQ(settings.most_attempts, 3);
  EXPECT_FALSE(settings.metadata.is_disabled);
  EXPECT_FALSE(settings.metadata.is_v1_disabled);
  EXPECT_EQ(settings.metadata.endpoint.text, "");
  EXPECT_FALSE(settings.metadata.uses_ipv6);
  EXPECT_EQ(settings.metadata.timeout, seconds(1));
  EXPECT_EQ(settings.metadata.attempts, 1);
  EXPECT_THAT(settings.notices, IsEmpty());
}

TEST_F(ClientSettingsTest, TakeTheRegionFromTwoVariablesBeforeTheProfile) {
  SetConfig("[default]\nregion = eu-north-1\n[profile other]\nregion = sa-east-1\n");
  EXPECT_EQ(Loaded().region.text, "eu-north-1");
  EXPECT_EQ(Loaded().region.setting, InConfig("region", 2));
  Set("AWS_PROFILE", "other");
  EXPECT_EQ(Loaded().region.text, "sa-east-1");
  Set("AWS_DEFAULT_REGION", "eu-west-1");
  EXPECT_EQ(Loaded().region.text, "eu-west-1");
  EXPECT_EQ(Loaded().region.setting, "AWS_DEFAULT_REGION");
  Set("AWS_REGION", "eu-central-1");
  EXPECT_EQ(Loaded().region.text, "eu-central-1");
  EXPECT_EQ(Loaded().region.setting, "AWS_REGION");
  Set("AWS_REGION", "");
  EXPECT_EQ(Loaded().region.setting, "AWS_DEFAULT_REGION");
}

TEST_F(ClientSettingsTest, ReadTheOldNamesOfFipsRegions) {
  for (const char* name : {"fips-us-gov-west-1", "us-gov-west-1-fips"}) {
    Set("AWS_REGION", name);
    const ClientSettings settings = Loaded();
    EXPECT_EQ(settings.region.text, "us-gov-west-1");
    EXPECT_TRUE(settings.uses_fips);
    EXPECT_THAT(settings.notices, ElementsAre(StartsWith("AWS_REGION is read as us-gov-west-1")));
  }
}

TEST_F(ClientSettingsTest, TakeEachFromTheProfileToo) {
  SetConfig(
      "[default]\n"
      "use_fips_endpoint = TRUE\n"
      "use_dualstack_endpoint = true\n"
      "sts_regional_endpoints = legacy\n"
      "retry_mode = legacy\n"
      "max_attempts = 7\n"
      "ca_bundle = /ca.pem\n"
      "metadata_service_timeout = 4\n"
      "metadata_service_num_attempts = 2\n"
      "ec2_metadata_service_endpoint = http://localhost:1338/\n"
      "ec2_metadata_v1_disabled = true\n"
      "imds_use_ipv6 = true\n");
  const ClientSettings settings = Loaded();
  EXPECT_TRUE(settings.uses_fips);
  EXPECT_TRUE(settings.uses_dual_stack);
  EXPECT_TRUE(settings.uses_global_sts);
  EXPECT_EQ(settings.retry_mode, RetryMode::kLegacy);
  EXPECT_EQ(settings.most_attempts, 7);
  EXPECT_EQ(settings.ca_bundle.text, "/ca.pem");
  EXPECT_EQ(settings.ca_bundle.setting, InConfig("ca_bundle", 7));
  EXPECT_EQ(settings.metadata.timeout, seconds(4));
  EXPECT_EQ(settings.metadata.attempts, 2);
  EXPECT_EQ(settings.metadata.endpoint.text, "http://localhost:1338");
  EXPECT_EQ(settings.metadata.endpoint.setting, InConfig("ec2_metadata_service_endpoint", 10));
  EXPECT_TRUE(settings.metadata.is_v1_disabled);
  EXPECT_TRUE(settings.metadata.uses_ipv6);
}

TEST_F(ClientSettingsTest, LetVariablesWinOverTheProfile) {
  SetConfig("[default]\nuse_fips_endpoint = true\nmax_attempts = 7\nca_bundle = /ca.pem\n");
  Set("AWS_USE_FIPS_ENDPOINT", "False");
  Set("AWS_MAX_ATTEMPTS", "1");
  Set("AWS_CA_BUNDLE", "/own.pem");
  const ClientSettings settings = Loaded();
  EXPECT_FALSE(settings.uses_fips);
  EXPECT_EQ(settings.most_attempts, 1);
  EXPECT_EQ(settings.ca_bundle.text, "/own.pem");
}

TEST_F(ClientSettingsTest, TakeTheAuthoritiesOfRequestsLast) {
  Set("REQUESTS_CA_BUNDLE", "/requests.pem");
  EXPECT_EQ(Loaded().ca_bundle.setting, "REQUESTS_CA_BUNDLE");
  Set("AWS_CA_BUNDLE", "/aws.pem");
  EXPECT_EQ(Loaded().ca_bundle.text, "/aws.pem");
}

TEST_F(ClientSettingsTest, KnowTheAttemptsOfEachRetryMode) {
  Set("AWS_RETRY_MODE", "legacy");
  EXPECT_EQ(Loaded().most_attempts, 5);
  Set("AWS_RETRY_MODE", "standard");
  EXPECT_EQ(Loaded().most_attempts, 3);
}

TEST_F(ClientSettingsTest, TakeAdaptiveAsStandardAndSaySo) {
  Set("AWS_RETRY_MODE", "adaptive");
  const ClientSettings settings = Loaded();
  EXPECT_EQ(settings.retry_mode, RetryMode::kStandard);
  EXPECT_THAT(settings.notices, ElementsAre(StartsWith("AWS_RETRY_MODE is adaptive")));
}

TEST_F(ClientSettingsTest, DisableTheMetadataServiceByVariableAlone) {
  SetConfig("[default]\nec2_metadata_disabled = true\n");
  EXPECT_FALSE(Loaded().metadata.is_disabled);
  Set("AWS_EC2_METADATA_DISABLED", "TRUE");
  EXPECT_TRUE(Loaded().metadata.is_disabled);
}

TEST_F(ClientSettingsTest, LetTheEndpointModeWinOverTheOldSetting) {
  Set("AWS_IMDS_USE_IPV6", "true");
  EXPECT_TRUE(Loaded().metadata.uses_ipv6);
  Set("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ipv4");
  EXPECT_FALSE(Loaded().metadata.uses_ipv6);
}

TEST_F(ClientSettingsTest, RefuseWhatTheyDoNotKnow) {
  struct Case {
    const char* name;
    std::vector<const char*> values;
  };
  const std::vector<Case> cases = {
      {"AWS_USE_FIPS_ENDPOINT", {"1", "yes", "true "}},
      {"AWS_USE_DUALSTACK_ENDPOINT", {"on"}},
      {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", {"1"}},
      {"AWS_EC2_METADATA_DISABLED", {"1"}},
      {"AWS_EC2_METADATA_V1_DISABLED", {"0"}},
      {"AWS_IMDS_USE_IPV6", {"1"}},
      {"AWS_STS_REGIONAL_ENDPOINTS", {"global", "LEGACY"}},
      {"AWS_RETRY_MODE", {"Standard", "never"}},
      {"AWS_MAX_ATTEMPTS", {"0", "-1", "3.5", "x", "1001", "99999999999"}},
      {"AWS_METADATA_SERVICE_TIMEOUT", {"0", "1s", "3601"}},
      {"AWS_METADATA_SERVICE_NUM_ATTEMPTS", {"0", "101"}},
      {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", {"IPv5"}},
      {"AWS_EC2_METADATA_SERVICE_ENDPOINT", {"169.254.169.254", "not a uri"}}};
  for (const auto& [name, values] : cases) {
    for (const char* value : values) {
      Set(name, value);
      EXPECT_THAT(Refusal(), StartsWith(std::string(name) + " ")) << value;
    }
    variables_.clear();
  }
}

TEST_F(ClientSettingsTest, NameTheLineOfTheProfileThatTheyRefuse) {
  SetConfig("[profile a]\n# first\nmax_attempts = many\n");
  Set("AWS_PROFILE", "a");
  EXPECT_THAT(Refusal(), StartsWith(InConfig("max_attempts", 3) + " is not a whole number"));
}

// The order in which configured endpoints count, least first.
TEST_F(ClientSettingsTest, TakeEndpointsInTheOrderOfBoto3) {
  SetConfig(
      "[default]\nendpoint_url = https://profile.test\nservices = own\n"
      "[services own]\nsecrets_manager =\n  endpoint_url = https://section.test/base/\n"
      "sso_oidc =\n  endpoint_url = https://oidc.test\n");
  ClientSettings settings = Loaded();
  EXPECT_EQ(settings.endpoints[Service::kSecretsManager].text, "https://section.test/base");
  EXPECT_EQ(settings.endpoints[Service::kSecretsManager].setting,
            InConfig("endpoint_url of secrets_manager", 6));
  EXPECT_EQ(settings.endpoints[Service::kSts].text, "https://profile.test");
  EXPECT_EQ(settings.endpoints[Service::kSts].setting, InConfig("endpoint_url", 2));
  EXPECT_EQ(settings.endpoints[Service::kSsoOidc].text, "https://oidc.test");
  Set("AWS_ENDPOINT_URL", "https://all.test:8443");
  Set("AWS_ENDPOINT_URL_STS", "https://sts.test");
  settings = Loaded();
  EXPECT_EQ(settings.endpoints[Service::kSecretsManager].text, "https://all.test:8443");
  EXPECT_EQ(settings.endpoints[Service::kSecretsManager].setting, "AWS_ENDPOINT_URL");
  EXPECT_EQ(settings.endpoints[Service::kSts].text, "https://sts.test");
  EXPECT_EQ(settings.endpoints[Service::kSso].text, "https://all.test:8443");
}

TEST_F(ClientSettingsTest, IgnoreConfiguredEndpointsWhereAsked) {
  SetConfig("[default]\nendpoint_url = https://profile.test\n");
  Set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
  Set("AWS_ENDPOINT_URL_STS", "https://sts.test");
  EXPECT_THAT(Loaded().endpoints, IsEmpty());
  variables_.clear();
  SetConfig("[default]\nendpoint_url = https://a.test\nignore_configured_endpoint_urls = true\n");
  EXPECT_THAT(Loaded().endpoints, IsEmpty());
  Set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false");
  EXPECT_EQ(Loaded().endpoints.size(), 4U);
}

TEST_F(ClientSettingsTest, RefuseAServicesSectionThatIsNotThere) {
  SetConfig("[default]\nservices = absent\n");
  EXPECT_THAT(Refusal(), StartsWith(InConfig("services", 2)));
  Set("AWS_ENDPOINT_URL", "https://all.test");  // then nobody looks for it
  EXPECT_EQ(Loaded().endpoints.size(), 4U);
}

TEST_F(ClientSettingsTest, RefuseAServiceThatIsNoBlock) {
  SetConfig("[default]\nservices = own\n[services own]\nsts = https://sts.test\n");
  EXPECT_THAT(Refusal(), StartsWith(InConfig("sts", 4) + " is a value"));
}

TEST_F(ClientSettingsTest, RefuseEndpointsThatAreNoUrlsOfAHost) {
  for (const char* url : {"localhost:4566", "//localhost", "ftp://host", "https://",
                          "https://user:fake@host", "https://host/?a=b", "https://host?",
                          "https://host/#part", " https://host", "https://a b"}) {
    Set("AWS_ENDPOINT_URL", url);
    EXPECT_THAT(Refusal(), StartsWith("AWS_ENDPOINT_URL is not an http or https URL")) << url;
    EXPECT_THAT(Refusal(), testing::Not(HasSubstr("fake")));
  }
}

TEST_F(ClientSettingsTest, NoticeEndpointsThatAreNotEncrypted) {
  for (const char* here : {"http://localhost:1", "http://127.0.0.1:4566", "http://[::1]:1"}) {
    Set("AWS_ENDPOINT_URL", here);
    EXPECT_THAT(Loaded().notices, IsEmpty()) << here;
  }
  Set("AWS_ENDPOINT_URL", "http://ministack:4566");
  EXPECT_THAT(Loaded().notices, ElementsAre(StartsWith("AWS_ENDPOINT_URL is http")));
}

TEST_F(ClientSettingsTest, NoticeThatAConfiguredEndpointWinsOverFips) {
  Set("AWS_ENDPOINT_URL_STS", "https://sts.test");
  Set("AWS_USE_FIPS_ENDPOINT", "true");
  EXPECT_THAT(Loaded().notices, ElementsAre(HasSubstr("FIPS")));
}

// Published by smithy-rs; botocore agrees with all of them.
TEST_F(ClientSettingsTest, FindTheMetadataServiceAsPublished) {
  const auto path = test::FindVectors("aws_credentials/imds-endpoint-tests.json");
  if (!path) GTEST_SKIP() << test::kNoVectors;
  const auto document = core::JsonDocument::Parse(test::ReadText(*path), "vectors");
  ASSERT_TRUE(document);
  int count = 0;
  for (const core::JsonValue& one : (*document)["tests"].Elements()) {
    // What a program hands to the client's constructor, which has no counterpart here.
    if (one["endpoint_override"].exists()) continue;
    SCOPED_TRACE(std::string(one["docs"].Text().value_or("")));
    variables_.clear();
    SetConfig(one["fs"]["config"].Text().value_or(""));
    for (const std::string_view name : one["env"].Names()) {
      if (name == "AWS_CONFIG_FILE") continue;
      Set(std::string(name), std::string(*one["env"][name].Text()));
    }
    // Likewise, but a variable says the same, and no case has both.
    if (const auto mode = one["mode_override"].Text()) {
      Set("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", std::string(*mode));
    }
    ++count;
    if (one["result"]["Err"].exists()) {
      EXPECT_NE(Refusal(), "");
      continue;
    }
    const MetadataSettings metadata = Loaded().metadata;
    std::string url = metadata.uses_ipv6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
    if (!metadata.endpoint.text.empty()) url = metadata.endpoint.text;
    EXPECT_EQ(url + "/latest/api/token", one["result"]["Ok"].Text());
  }
  EXPECT_EQ(count, 13);
}

}  // namespace
}  // namespace qarion::secrets::aws
