#include "gcp/client_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "tests/support/temporary_directory.h"

namespace qarion::secrets::gcp {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using Given = std::map<std::string, std::string>;

Result<ClientSettings> Load(const Given& given) {
  return LoadClientSettings([&given](const std::string& name) -> std::optional<std::string_view> {
    const auto found = given.find(name);
    if (found == given.end()) return std::nullopt;
    return found->second;
  });
}

ClientSettings Loaded(const Given& given) {
  auto settings = Load(given);
  EXPECT_TRUE(settings) << settings.error().reason();
  return settings ? std::move(*settings) : ClientSettings();
}

void ExpectRefused(const std::string& setting, const std::string& value) {
  const auto settings = Load({{setting, value}});
  ASSERT_FALSE(settings) << setting << "=" << value;
  EXPECT_EQ(settings.error().code(), ErrorCode::kConfiguration);
  EXPECT_THAT(settings.error().reason(), testing::StartsWith(setting + " "));
  EXPECT_NE(settings.error().cure(), "");
}

TEST(GcpClientSettingsTest, HaveDefaults) {
  const ClientSettings settings = Loaded({{"HOME", "/nonexistent"}});
  EXPECT_EQ(settings.credential_file.text, "");
  EXPECT_EQ(settings.well_known_file.text,
            "/nonexistent/.config/gcloud/application_default_credentials.json");
  EXPECT_EQ(settings.project.text, "");
  EXPECT_FALSE(settings.allows_executables);
  EXPECT_FALSE(settings.metadata.is_disabled);
  EXPECT_EQ(settings.metadata.host.text, "");
  EXPECT_EQ(settings.metadata.timeout, milliseconds(3000));
  EXPECT_EQ(settings.metadata.attempts, 0);
  EXPECT_TRUE(settings.Credentials().empty());
}

// The order of google-auth's environment variables.
TEST(GcpClientSettingsTest, TakeTheFirstThatSaysSomething) {
  const Given all = {
      {"GOOGLE_CLOUD_PROJECT", "a"},     {"GCLOUD_PROJECT", "b"},
      {"GCE_METADATA_HOST", "host"},     {"GCE_METADATA_ROOT", "root"},
      {"GCE_METADATA_IP", "10.0.0.1"},   {"CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", "/ca"},
      {"REQUESTS_CA_BUNDLE", "/bundle"}, {"AWS_REGION", "r"},
      {"AWS_DEFAULT_REGION", "d"}};
  const ClientSettings first = Loaded(all);
  EXPECT_EQ(first.project.text, "a");
  EXPECT_EQ(first.project.setting, "GOOGLE_CLOUD_PROJECT");
  EXPECT_EQ(first.metadata.host.text, "http://host");
  EXPECT_EQ(first.ca_file.text, "/ca");
  EXPECT_EQ(first.aws.region, "r");
  Given later = all;
  for (const char* const name : {"GOOGLE_CLOUD_PROJECT", "GCE_METADATA_HOST",
                                 "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", "AWS_REGION"}) {
    later[name] = "";  // as good as not set
  }
  const ClientSettings second = Loaded(later);
  EXPECT_EQ(second.project.text, "b");
  EXPECT_EQ(second.metadata.host.text, "http://root");
  EXPECT_EQ(second.metadata.host.setting, "GCE_METADATA_ROOT");
  EXPECT_EQ(second.ca_file.setting, "REQUESTS_CA_BUNDLE");
  EXPECT_EQ(second.aws.region, "d");
}

TEST(GcpClientSettingsTest, FindTheFileOfGcloud) {
  const test::TemporaryDirectory directory;
  const Given by_variable = {{"CLOUDSDK_CONFIG", directory.path()}, {"HOME", "/nonexistent"}};
  EXPECT_EQ(Loaded(by_variable).credential_file.text, "");
  const std::string file = directory.Write("application_default_credentials.json", "{}");
  EXPECT_EQ(Loaded(by_variable).credential_file.text, file);
  EXPECT_EQ(Loaded(by_variable).credential_file.setting, "CLOUDSDK_CONFIG");
  Given named = by_variable;
  named["GOOGLE_APPLICATION_CREDENTIALS"] = "/named.json";
  EXPECT_EQ(Loaded(named).credential_file.text, "/named.json");
  named["GOOGLE_APPLICATION_CREDENTIALS"] = "";
  EXPECT_EQ(Loaded(named).credential_file.text, file);
}

TEST(GcpClientSettingsTest, SwitchExecutablesOnByOneValueAlone) {
  EXPECT_TRUE(Loaded({{"GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1"}}).allows_executables);
  for (const char* const value : {"", "0", "true", "yes", "1 ", "2"}) {
    EXPECT_FALSE(Loaded({{"GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", value}}).allows_executables)
        << value;
  }
}

TEST(GcpClientSettingsTest, SayHowTheMetadataServerIsAsked) {
  for (const char* const on : {"true", "TRUE", "1"}) {
    EXPECT_TRUE(Loaded({{"NO_GCE_CHECK", on}}).metadata.is_disabled);
  }
  for (const char* const off : {"", "false", "0"}) {
    EXPECT_FALSE(Loaded({{"NO_GCE_CHECK", off}}).metadata.is_disabled);
  }
  ExpectRefused("NO_GCE_CHECK", "maybe");
  for (const char* const host :
       {"metadata:8080", "http://metadata:8080", "http://metadata:8080/"}) {
    EXPECT_EQ(Loaded({{"GCE_METADATA_HOST", host}}).metadata.host.text, "http://metadata:8080");
  }
  for (const char* const host : {"a b", "a/b", "a?b", "https://a", "a:x", "user@a"}) {
    ExpectRefused("GCE_METADATA_HOST", host);
  }
  EXPECT_EQ(Loaded({{"GCE_METADATA_TIMEOUT", "1"}}).metadata.timeout, milliseconds(1000));
  EXPECT_EQ(Loaded({{"GCE_METADATA_TIMEOUT", "0.5"}}).metadata.timeout, milliseconds(500));
  EXPECT_EQ(Loaded({{"GCE_METADATA_TIMEOUT", "500ms"}}).metadata.timeout, milliseconds(500));
  for (const char* const timeout : {"0", "61", "-1", "x"}) {
    ExpectRefused("GCE_METADATA_TIMEOUT", timeout);
  }
  EXPECT_EQ(Loaded({{"GCE_METADATA_DETECT_RETRIES", "7"}}).metadata.attempts, 7);
  for (const char* const count : {"0", "101", "1.5", "x", "-1"}) {
    ExpectRefused("GCE_METADATA_DETECT_RETRIES", count);
  }
  EXPECT_EQ(Loaded({{"GCE_METADATA_MTLS_MODE", "none"}}).metadata.host.text, "");
  ExpectRefused("GCE_METADATA_MTLS_MODE", "strict");
}

TEST(GcpClientSettingsTest, NameAUniverse) {
  EXPECT_EQ(Loaded({{"GOOGLE_CLOUD_UNIVERSE_DOMAIN", "example.goog"}}).universe.text,
            "example.goog");
  ExpectRefused("GOOGLE_CLOUD_UNIVERSE_DOMAIN", "a/b");
}

TEST(GcpClientSettingsTest, NameAProjectToCharge) {
  EXPECT_EQ(Loaded({{"GOOGLE_CLOUD_QUOTA_PROJECT", "example.com:p-1"}}).quota_project.text,
            "example.com:p-1");
  for (const char* const project : {"a\nb", "\xc3\xbc", "a b", "{}"}) {
    ExpectRefused("GOOGLE_CLOUD_QUOTA_PROJECT", project);
  }
}

TEST(GcpClientSettingsTest, KeepKeysOfAwsAsCredentials) {
  const ClientSettings settings = Loaded({{"AWS_ACCESS_KEY_ID", "AKIAFAKE"},
                                          {"AWS_SECRET_ACCESS_KEY", "fake-secret"},
                                          {"AWS_SESSION_TOKEN", "fake-token"}});
  EXPECT_EQ(settings.aws.access_key_id, "AKIAFAKE");
  const auto credentials = settings.Credentials();
  ASSERT_EQ(credentials.size(), 2U);
  EXPECT_EQ(credentials[0].Reveal(), "fake-secret");
  EXPECT_EQ(credentials[1].Reveal(), "fake-token");
}

}  // namespace
}  // namespace qarion::secrets::gcp
