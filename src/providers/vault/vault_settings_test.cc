#include "providers/vault/vault_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/support/given_settings.h"

// The rules are those of HashiCorp's api/client.go and OpenBao's api/client.go and api/env.go.
namespace qarion::secrets::vault {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using test::ExpectRefusedUnderBothNames;
using test::Given;
using test::kToken;
using test::Load;
using test::With;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Settings that must be taken.
VaultSettings Loaded(const Given& more) {
  auto settings = Load(With(kToken, more));
  if (!settings) {
    ADD_FAILURE() << settings.error().reason();
    return {};
  }
  return std::move(*settings);
}

std::vector<std::string> UrlsOf(const VaultSettings& settings) {
  std::vector<std::string> urls;
  for (const Address& address : settings.addresses) urls.push_back(address.url);
  return urls;
}

TEST(VaultSettings, HaveTheDefaultsOfTheOfficialClient) {
  const VaultSettings settings = Loaded({});
  EXPECT_THAT(UrlsOf(settings), testing::ElementsAre("https://127.0.0.1:8200"));
  EXPECT_EQ(settings.path, "secret/data/qarion");
  EXPECT_EQ(settings.version, 0);
  EXPECT_EQ(settings.name_space, "");
  EXPECT_EQ(settings.timeout, seconds(60));
  EXPECT_EQ(settings.max_retries, 2);
  EXPECT_FALSE(settings.rate_limit);
  EXPECT_FALSE(settings.looks_up_srv);
  EXPECT_TRUE(settings.follows_redirects);
  EXPECT_TRUE(settings.tls.is_verified);
  EXPECT_TRUE(settings.proxy.url.empty());
  EXPECT_THAT(settings.headers, IsEmpty());
  EXPECT_THAT(settings.ignored, IsEmpty());
}

TEST(VaultSettings, TakeAnEmptyTextForNone) {
  Given given;
  for (const char* const name :
       {"VAULT_ADDR", "VAULT_AGENT_ADDR", "VAULT_SECRET_PATH", "VAULT_CLIENT_TIMEOUT",
        "VAULT_MAX_RETRIES", "VAULT_RATE_LIMIT", "VAULT_SKIP_VERIFY", "VAULT_HEADERS",
        "VAULT_CLIENT_CERT", "VAULT_PROXY_ADDR", "VAULT_ROLE_ID", "VAULT_AUTH_METHOD"}) {
    given[name] = "";
  }
  const VaultSettings settings = Loaded(given);
  EXPECT_THAT(UrlsOf(settings), testing::ElementsAre("https://127.0.0.1:8200"));
  EXPECT_EQ(settings.timeout, seconds(60));
  EXPECT_EQ(settings.max_retries, 2);
  EXPECT_TRUE(settings.tls.is_verified);
}

// VAULT_ADDR, VAULT_AGENT_ADDR.

TEST(VaultSettings, ReplaceTheAddressByTheAgents) {
  const VaultSettings settings = Loaded({{"VAULT_ADDR", "https://vault.example:8200"},
                                         {"VAULT_AGENT_ADDR", "http://127.0.0.1:8100"}});
  EXPECT_THAT(UrlsOf(settings), testing::ElementsAre("http://127.0.0.1:8100"));
  EXPECT_EQ(settings.address_setting, "VAULT_AGENT_ADDR");
}

TEST(VaultSettings, MayNameASocket) {
  const VaultSettings settings = Loaded({{"BAO_AGENT_ADDR", "unix:///run/agent.sock"}});
  ASSERT_EQ(settings.addresses.size(), 1u);
  EXPECT_EQ(settings.addresses[0].unix_socket, "/run/agent.sock");
  EXPECT_EQ(settings.address_setting, "BAO_AGENT_ADDR");
}

TEST(VaultSettings, RefuseWhatIsNoAddressWithoutShowingIt) {
  for (const std::string address :
       {"fake-vault:8200", "https://user:fake-password@vault.example", "ftp://fake.example",
        "https://vault.example?token=fake-token", "unix://fake"}) {
    ExpectRefusedUnderBothNames(With(kToken, {{"VAULT_ADDR", address}}), "VAULT_ADDR");
    ExpectRefusedUnderBothNames(
        With(kToken, {{"VAULT_ADDR", "https://vault.example"}, {"VAULT_AGENT_ADDR", address}}),
        "VAULT_AGENT_ADDR");
  }
}

// VAULT_SECRET_PATH, VAULT_SECRET_VERSION.

TEST(VaultSettings, TakeAPathWithOrWithoutSlashesAround) {
  for (const char* const path :
       {"team/data/app", "/team/data/app", "team/data/app/", "//team//data/app//"}) {
    EXPECT_EQ(Loaded({{"VAULT_SECRET_PATH", path}}).path, "team/data/app") << path;
  }
}

TEST(VaultSettings, RefuseAPathThatLeadsElsewhere) {
  for (const char* const path : {"secret/data/../fake", "./fake/data", "secret/./fake", "fake", "/",
                                 "v1/secret/data/fake"}) {
    ExpectRefusedUnderBothNames(With(kToken, {{"VAULT_SECRET_PATH", path}}), "VAULT_SECRET_PATH");
  }
}

TEST(VaultSettings, CountVersionsInWholeNumbers) {
  EXPECT_EQ(Loaded({{"VAULT_SECRET_VERSION", "7"}}).version, 7);
  EXPECT_EQ(Loaded({{"VAULT_SECRET_VERSION", "0"}}).version, 0);
  for (const char* const version : {"-1", "1.0", "v1", " 1", "latest", "99999999999999999999"}) {
    ExpectRefusedUnderBothNames(With(kToken, {{"VAULT_SECRET_VERSION", version}}),
                                "VAULT_SECRET_VERSION");
  }
}

// VAULT_CLIENT_TIMEOUT: whole seconds, or what Go's time.ParseDuration reads.

struct Timeout {
  const char* text;
  nanoseconds value;
};

TEST(VaultSettings, TakeSecondsAndDurationsForTheTimeout) {
  for (const auto& [text, value] :
       {Timeout{"1", seconds(1)}, Timeout{"90", seconds(90)}, Timeout{"45s", seconds(45)},
        Timeout{"1m30s", seconds(90)}, Timeout{"250ms", milliseconds(250)},
        Timeout{"1.5h", minutes(90)}, Timeout{"2h45m", minutes(165)}}) {
    EXPECT_EQ(Loaded({{"VAULT_CLIENT_TIMEOUT", text}}).timeout, value) << text;
  }
}

TEST(VaultSettings, SetNoLimitWhereTheTimeoutIsZero) {
  for (const char* const text : {"0", "0s", "0ms"}) {
    EXPECT_GE(Loaded({{"VAULT_CLIENT_TIMEOUT", text}}).timeout, hours(24)) << text;
  }
}

TEST(VaultSettings, RefuseATimeoutThatIsNone) {
  for (const char* const text :
       {"soon", "60 s", " 60", "60 ", "1.5", "1m30", "s", "-1", "-5s", "1h-5m", "60s\n", "1e3",
        "0x10", "10000000000000000000", "9999999999h"}) {
    ExpectRefusedUnderBothNames(With(kToken, {{"VAULT_CLIENT_TIMEOUT", text}}),
                                "VAULT_CLIENT_TIMEOUT");
  }
}

// VAULT_MAX_RETRIES.

TEST(VaultSettings, CountRetriesInWholeNumbers) {
  EXPECT_EQ(Loaded({{"VAULT_MAX_RETRIES", "0"}}).max_retries, 0);
  EXPECT_EQ(Loaded({{"VAULT_MAX_RETRIES", "5"}}).max_retries, 5);
  for (const char* const text : {"-1", "2.5", "two", " 2", "2 ", "0x2", "99999999999999999999"}) {
    ExpectRefusedUnderBothNames(With(kToken, {{"VAULT_MAX_RETRIES", text}}), "VAULT_MAX_RETRIES");
  }
}

// VAULT_RATE_LIMIT: rate[:burst].

struct Rate {
  const char* text;
  double per_second;
  int burst;
};

TEST(VaultSettings, LetAsManyComeAtOnceAsInASecondUnlessToldOtherwise) {
  for (const auto& [text, per_second, burst] :
       {Rate{"10", 10, 10}, Rate{"2.5", 2.5, 2}, Rate{"10:20", 10, 20}, Rate{"2.5:1", 2.5, 1},
        Rate{"500:7", 500, 7}}) {
    const auto limit = Loaded({{"VAULT_RATE_LIMIT", text}}).rate_limit;
    ASSERT_TRUE(limit) << text;
    EXPECT_EQ(limit->per_second, per_second) << text;
    EXPECT_EQ(limit->burst, burst) << text;
  }
}

TEST(VaultSettings, LetOneRequestComeEvenAtLessThanOneASecond) {
  const auto limit = Loaded({{"VAULT_RATE_LIMIT", "0.25"}}).rate_limit;
  ASSERT_TRUE(limit);
  EXPECT_EQ(limit->burst, 1);
}

TEST(VaultSettings, RefuseARateThatIsNone) {
  for (const char* const text : {"fast", "10:", ":20", "10:many", "10 ", "10;20", "0", "-1", "nan",
                                 "inf", "10:0", "10:-1", "1e300"}) {
    ExpectRefusedUnderBothNames(With(kToken, {{"VAULT_RATE_LIMIT", text}}), "VAULT_RATE_LIMIT");
  }
}

// Go's strconv.ParseBool takes twelve texts; for the official client any other is an error.

class BooleanSetting : public testing::TestWithParam<const char*> {
 protected:
  // Whether what the setting is about was changed from its default.
  static bool IsOn(const std::string& text) {
    const VaultSettings settings = Loaded({{GetParam(), text}});
    return !settings.tls.is_verified || settings.looks_up_srv || !settings.follows_redirects;
  }
};

TEST_P(BooleanSetting, TakesWhatGoTakes) {
  for (const char* const text : {"1", "t", "T", "TRUE", "true", "True"}) {
    EXPECT_TRUE(IsOn(text)) << text;
  }
  for (const char* const text : {"0", "f", "F", "FALSE", "false", "False", ""}) {
    EXPECT_FALSE(IsOn(text)) << text;
  }
}

TEST_P(BooleanSetting, TakesNothingElse) {
  for (const char* const text : {"yes", "no", "on", "off", "y", "n", "tRUE", "tr", "fALSE", " true",
                                 "true ", "2", "-1", "00", "enabled", "\"true\""}) {
    ExpectRefusedUnderBothNames(With(kToken, {{GetParam(), text}}), GetParam());
  }
}

INSTANTIATE_TEST_SUITE_P(All, BooleanSetting,
                         testing::Values("VAULT_SKIP_VERIFY", "VAULT_SRV_LOOKUP",
                                         "VAULT_DISABLE_REDIRECTS"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST(VaultSettings, TurnOnWhatTheBooleanSays) {
  EXPECT_FALSE(Loaded({{"VAULT_SKIP_VERIFY", "true"}}).tls.is_verified);
  EXPECT_TRUE(Loaded({{"VAULT_SRV_LOOKUP", "true"}}).looks_up_srv);
  EXPECT_FALSE(Loaded({{"VAULT_DISABLE_REDIRECTS", "true"}}).follows_redirects);
}

// VAULT_PROXY_ADDR, VAULT_HTTP_PROXY.

TEST(VaultSettings, PreferTheProxyOfTheirOwn) {
  const Given http = {{"VAULT_HTTP_PROXY", "http://http.example:3128"}};
  EXPECT_EQ(Loaded(http).proxy.url.Reveal(), "http://http.example:3128");
  for (const char* const name : {"VAULT_PROXY_ADDR", "BAO_PROXY_ADDR"}) {
    EXPECT_EQ(Loaded(With(http, {{name, "socks5://own.example:1080"}})).proxy.url.Reveal(),
              "socks5://own.example:1080");
  }
}

TEST(VaultSettings, RefuseWhatIsNoProxyWithoutShowingIt) {
  for (const char* const name : {"VAULT_PROXY_ADDR", "VAULT_HTTP_PROXY"}) {
    for (const char* const url : {"fake-proxy:3128", "ftp://user:fake-password@proxy.example",
                                  "http://user:fake password@proxy.example"}) {
      ExpectRefusedUnderBothNames(With(kToken, {{name, url}}), name);
    }
  }
}

// VAULT_HEADERS, VAULT_MFA, VAULT_WRAP_TTL.

// "name: value" of each.
std::vector<std::string> HeadersOf(const VaultSettings& settings) {
  std::vector<std::string> lines;
  for (const net::HttpHeader& header : settings.headers) {
    lines.push_back(header.name + ": " + std::string(header.value.Reveal()));
  }
  return lines;
}

TEST(VaultSettings, ReadFurtherHeadersFromAnObjectOfTexts) {
  EXPECT_THAT(HeadersOf(Loaded({{"VAULT_HEADERS", R"({"X-Gateway-Key": "fake-key", "x_2": ""})"}})),
              testing::UnorderedElementsAre("X-Gateway-Key: fake-key", "x_2: "));
  EXPECT_THAT(HeadersOf(Loaded({{"VAULT_HEADERS", "{}"}})), IsEmpty());
}

TEST(VaultSettings, RefuseHeadersThatAreNone) {
  for (const char* const text :
       {"X-Gateway: fake-key", R"("fake-key")", R"(["fake-key"])", R"({"X-Gateway": "fake-key")",
        R"({"X-Gateway": ["fake-key"]})", R"({"X-Gateway": 1, "X": "fake"})",
        R"({"X-Gateway": null, "X": "fake"})", R"({"": "fake-key"})",
        R"({"X Gateway": "fake-key"})", R"({"X:Gateway": "fake-key"})",
        R"({"X-Gateway\r\nX": "fake-key"})", R"({"X-Gateway": "fake\r\nX-Other: key"})",
        R"({"X-Gateway": "fake\u0000key"})"}) {
    ExpectRefusedUnderBothNames(With(kToken, {{"VAULT_HEADERS", text}}), "VAULT_HEADERS");
  }
}

TEST(VaultSettings, ShowNoValueOfAHeaderThatIsRefused) {
  for (const char* const text :
       {R"({"X-Gateway": "fake\r\nkey"})", R"({"X-Gateway": "fake-key", "X-Vault-Token": "a"})",
        R"({"X-Gateway": "fake-key")"}) {
    const auto settings = Load(With(kToken, {{"VAULT_HEADERS", text}}));
    ASSERT_FALSE(settings);
    EXPECT_THAT(test::TextOf(settings.error()), Not(HasSubstr("fake"))) << text;
  }
}

TEST(VaultSettings, RefuseHeadersOfTheApi) {
  for (const char* const name : {"X-Vault-Token", "x-vault-namespace", "X-VAULT-REQUEST"}) {
    const std::string text = R"({")" + std::string(name) + R"(": "fake"})";
    ExpectRefusedUnderBothNames(With(kToken, {{"VAULT_HEADERS", text}}), "VAULT_HEADERS");
  }
}

TEST(VaultSettings, SendTheSecondFactorAsAHeader) {
  EXPECT_THAT(HeadersOf(Loaded({{"VAULT_MFA", "fake-method:123456"}})),
              testing::ElementsAre("X-Vault-MFA: fake-method:123456"));
}

TEST(VaultSettings, SayWhatHasNoEffect) {
  EXPECT_THAT(Loaded({{"VAULT_WRAP_TTL", "60s"}}).ignored, testing::ElementsAre("VAULT_WRAP_TTL"));
  EXPECT_THAT(Loaded({{"BAO_WRAP_TTL", "60s"}}).ignored, testing::ElementsAre("BAO_WRAP_TTL"));
  EXPECT_THAT(Loaded({{"VAULT_WRAP_TTL", "60s"}, {"BAO_WRAP_TTL", ""}}).ignored, IsEmpty());
}

}  // namespace
}  // namespace qarion::secrets::vault
