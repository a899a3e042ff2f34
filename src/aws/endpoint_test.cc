#include "aws/endpoint.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

// Every region of the published list is compared with boto3 by tests/aws_endpoints_differential;
// the cases here are the branches of its rule sets.
namespace qarion::secrets::aws {
namespace {

struct Case {
  Service service;
  std::string region;
  bool uses_fips;
  bool uses_dual_stack;
  std::string url;
};

void ExpectAll(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    const ClientSettings settings{.uses_fips = one.uses_fips,
                                  .uses_dual_stack = one.uses_dual_stack};
    const auto endpoint = ResolveEndpoint(one.service, one.region, settings);
    ASSERT_TRUE(endpoint) << one.url;
    EXPECT_EQ(endpoint->url, one.url);
    EXPECT_EQ(endpoint->signing_region, one.region);
    EXPECT_EQ(endpoint->setting, "");
  }
}

TEST(EndpointTest, OfSecretsManager) {
  constexpr Service kService = Service::kSecretsManager;
  ExpectAll({
      {kService, "eu-central-1", false, false, "https://secretsmanager.eu-central-1.amazonaws.com"},
      {kService, "us-east-1", true, false, "https://secretsmanager-fips.us-east-1.amazonaws.com"},
      {kService, "us-east-1", false, true, "https://secretsmanager.us-east-1.amazonaws.com"},
      {kService, "us-east-1", true, true, "https://secretsmanager-fips.us-east-1.amazonaws.com"},
      {kService, "us-gov-west-1", true, true,
       "https://secretsmanager-fips.us-gov-west-1.amazonaws.com"},
      {kService, "cn-north-1", false, false, "https://secretsmanager.cn-north-1.amazonaws.com.cn"},
      {kService, "cn-north-1", false, true, "https://secretsmanager.cn-north-1.amazonaws.com.cn"},
      {kService, "cn-north-1", true, true,
       "https://secretsmanager-fips.cn-north-1.api.amazonwebservices.com.cn"},
      {kService, "us-iso-east-1", false, true,
       "https://secretsmanager.us-iso-east-1.api.aws.ic.gov"},
      {kService, "us-isob-east-1", false, false,
       "https://secretsmanager.us-isob-east-1.sc2s.sgov.gov"},
      {kService, "eusc-de-east-1", false, false,
       "https://secretsmanager.eusc-de-east-1.amazonaws.eu"},
  });
}

TEST(EndpointTest, OfTheOtherServices) {
  ExpectAll({
      {Service::kSts, "eu-west-1", false, false, "https://sts.eu-west-1.amazonaws.com"},
      {Service::kSts, "eu-west-1", true, false, "https://sts-fips.eu-west-1.amazonaws.com"},
      {Service::kSts, "eu-west-1", false, true, "https://sts.eu-west-1.api.aws"},
      {Service::kSts, "us-gov-west-1", true, false, "https://sts.us-gov-west-1.amazonaws.com"},
      {Service::kSts, "us-gov-west-1", true, true, "https://sts-fips.us-gov-west-1.api.aws"},
      {Service::kSso, "eu-west-1", false, false, "https://portal.sso.eu-west-1.amazonaws.com"},
      {Service::kSso, "eu-west-1", true, true, "https://portal.sso-fips.eu-west-1.api.aws"},
      {Service::kSso, "us-gov-east-1", true, false,
       "https://portal.sso.us-gov-east-1.amazonaws.com"},
      {Service::kSsoOidc, "eu-west-1", false, false, "https://oidc.eu-west-1.amazonaws.com"},
      {Service::kSsoOidc, "cn-north-1", true, false,
       "https://oidc-fips.cn-north-1.amazonaws.com.cn"},
  });
}

TEST(EndpointTest, OfAnUnknownRegionIsInTheCommonPartition) {
  ExpectAll({{Service::kSts, "xx-moon-1", false, false, "https://sts.xx-moon-1.amazonaws.com"}});
  EXPECT_EQ(PartitionOf("xx-moon-1"), "aws");
}

TEST(EndpointTest, OfANewRegionIsThatOfItsPartition) {
  EXPECT_EQ(PartitionOf("eu-north-99"), "aws");
  EXPECT_EQ(PartitionOf("cn-south-1"), "aws-cn");
  EXPECT_EQ(PartitionOf("us-gov-north-7"), "aws-us-gov");
  EXPECT_EQ(PartitionOf("us-isof-moon-1"), "aws-iso-f");
  EXPECT_EQ(PartitionOf("eusc-de-west-1"), "aws-eusc");
  EXPECT_EQ(PartitionOf("aws-cn-global"), "aws-cn");
  for (const char* none : {"", "-", "--", "cn", "cn-1", "cn--1", "cn-north-", "cn-north-1x"}) {
    EXPECT_EQ(PartitionOf(none), "aws") << none;
  }
}

TEST(EndpointTest, WithDualStackIsRefusedWhereAPartitionHasNone) {
  const ClientSettings settings{.uses_dual_stack = true};
  const auto endpoint = ResolveEndpoint(Service::kSts, "eu-isoe-west-1", settings);
  ASSERT_FALSE(endpoint);
  EXPECT_EQ(endpoint.error().code(), ErrorCode::kConfiguration);
  EXPECT_NE(endpoint.error().reason().find("AWS_USE_DUALSTACK_ENDPOINT"), std::string::npos);
}

TEST(EndpointTest, OfStsOnceWasOneForTheOlderRegions) {
  ClientSettings settings{.uses_global_sts = true};
  const auto old = ResolveEndpoint(Service::kSts, "eu-central-1", settings);
  ASSERT_TRUE(old);
  EXPECT_EQ(old->url, "https://sts.amazonaws.com");
  EXPECT_EQ(old->signing_region, "us-east-1");
  const auto young = ResolveEndpoint(Service::kSts, "eu-central-2", settings);
  ASSERT_TRUE(young);
  EXPECT_EQ(young->url, "https://sts.eu-central-2.amazonaws.com");
  EXPECT_EQ(young->signing_region, "eu-central-2");
  settings.uses_fips = true;
  const auto fips = ResolveEndpoint(Service::kSts, "eu-central-1", settings);
  ASSERT_TRUE(fips);
  EXPECT_EQ(fips->url, "https://sts-fips.eu-central-1.amazonaws.com");
}

TEST(EndpointTest, OfStsNeedsNoRegion) {
  const auto sts = ResolveEndpoint(Service::kSts, "", {});
  ASSERT_TRUE(sts);
  EXPECT_EQ(sts->url, "https://sts.amazonaws.com");
  EXPECT_EQ(sts->signing_region, "us-east-1");
  const auto configured = ResolveEndpoint(
      Service::kSts, "", {.endpoints = {{Service::kSts, {.text = "http://localhost:4566"}}}});
  ASSERT_TRUE(configured);
  EXPECT_EQ(configured->signing_region, "us-east-1");
  const auto other = ResolveEndpoint(Service::kSecretsManager, "", {});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().reason(), "AWS_REGION is not set");
}

TEST(EndpointTest, ThatIsConfiguredWins) {
  ClientSettings settings{.uses_fips = true, .uses_dual_stack = true, .uses_global_sts = true};
  settings.endpoints[Service::kSts] = {.text = "http://127.0.0.1:4566/aws",
                                       .setting = "AWS_ENDPOINT_URL_STS"};
  const auto endpoint = ResolveEndpoint(Service::kSts, "eu-central-1", settings);
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(endpoint->url, "http://127.0.0.1:4566/aws");
  EXPECT_EQ(endpoint->signing_region, "eu-central-1");
  EXPECT_EQ(endpoint->setting, "AWS_ENDPOINT_URL_STS");
  const auto other = ResolveEndpoint(Service::kSso, "eu-central-1", settings);
  ASSERT_TRUE(other);
  EXPECT_EQ(other->url, "https://portal.sso-fips.eu-central-1.api.aws");
}

TEST(EndpointTest, NamesTheSettingOfARegionThatIsNone) {
  const ClientSettings settings{
      .region = {.text = "evil.test/", .setting = "region in /home/me/.aws/config:3"}};
  for (const Service service : {Service::kSecretsManager, Service::kSts, Service::kSso}) {
    const auto endpoint = ResolveEndpoint(service, "evil.test/", settings);
    ASSERT_FALSE(endpoint);
    EXPECT_TRUE(endpoint.error().reason().starts_with("region in /home/me/.aws/config:3 "));
    const auto other = ResolveEndpoint(service, "a@b", settings);
    ASSERT_FALSE(other);
    EXPECT_TRUE(other.error().reason().starts_with("a region in use "));
  }
}

TEST(EndpointTest, IsSignedForUnderTheServicesName) {
  // `signingName` in botocore/data/*/*/service-2.json.
  EXPECT_EQ(SigningName(Service::kSecretsManager), "secretsmanager");
  EXPECT_EQ(SigningName(Service::kSts), "sts");
  EXPECT_EQ(SigningName(Service::kSso), "awsssoportal");
  EXPECT_EQ(SigningName(Service::kSsoOidc), "sso-oauth");
}

}  // namespace
}  // namespace qarion::secrets::aws
