#include "providers/vault/vault_provider.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/system_clock.h"
#include "tests/fakes/local_server.h"
#include "tests/support/certificate.h"
#include "tests/support/given_settings.h"
#include "tests/support/scrubbed.h"
#include "tests/support/temporary_directory.h"

namespace qarion::secrets::vault {
namespace {

using test::Given;
using test::LookUpIn;
using testing::Contains;
using testing::Not;

std::vector<std::string> CredentialsWith(const Given& given) {
  core::SystemClock clock;
  auto provider = CreateVaultProvider(LookUpIn(given), clock, [](std::string_view) {});
  EXPECT_TRUE(provider) << provider.error().reason();
  std::vector<std::string> texts;
  if (!provider) return texts;
  for (const Secret& credential : (*provider)->Credentials()) {
    texts.emplace_back(credential.Reveal());
  }
  return texts;
}

// What the provider names is masked in the output of commands and in logs.
TEST(VaultProvider, NamesEveryCredentialOfItsSettings) {
  const auto with_token = CredentialsWith(
      {{"VAULT_TOKEN", "fake-token"},
       {"VAULT_HEADERS", R"({"X-Gateway-Key":"fake-gateway-key","X-Flag":"on"})"},
       {"VAULT_MFA", "fake-method:123456"},
       {"VAULT_PROXY_ADDR", "http://fake-user:fake%2Dpassword@proxy.example:3128"}});
  EXPECT_THAT(with_token, Contains("fake-token"));
  EXPECT_THAT(with_token, Contains("fake-gateway-key"));
  EXPECT_THAT(with_token, Contains("fake-method:123456"));
  EXPECT_THAT(with_token, Contains("fake-password"));
  EXPECT_THAT(with_token, Contains("fake%2Dpassword"));
  EXPECT_THAT(with_token, Not(Contains("on")));  // would mask half of a log

  const auto with_approle =
      CredentialsWith({{"VAULT_ROLE_ID", "fake-role-id"}, {"BAO_SECRET_ID", "fake-secret-id"}});
  EXPECT_THAT(with_approle, Contains("fake-role-id"));
  EXPECT_THAT(with_approle, Contains("fake-secret-id"));

  const test::TemporaryDirectory directory;
  test::MakeCertificate(directory, "client");
  const std::string key = directory.Read("client.key");
  EXPECT_THAT(CredentialsWith({{"VAULT_TOKEN", "fake-token"},
                               {"VAULT_CLIENT_CERT_BYTES", directory.Read("client.pem")},
                               {"VAULT_CLIENT_KEY_BYTES", key}}),
              Contains(key));
}

// A wrapped secret id in a file is a secret, and so is all that comes of it.
TEST(VaultProvider, GivesTheTokensOfALoginToTheScrubber) {
  const std::map<std::string, std::string> answers = {
      {"sys/wrapping/lookup", R"({"data":{"creation_path":"auth/approle/role/app/secret-id"}})"},
      {"sys/wrapping/unwrap", R"({"data":{"secret_id":"fake-secret-id"}})"},
      {"auth/approle/login", R"({"auth":{"client_token":"fake-token","lease_duration":3600}})"},
      {"secret/data/qarion", R"({"data":{"data":{"SECRET_KEY":"other"},)"
                             R"("metadata":{"version":1}}})"}};
  const test::LocalServer server([&](const test::LocalRequest& request) -> test::LocalAnswer {
    const auto found = answers.find(request.path.substr(sizeof "/v1/" - 1));
    if (found == answers.end()) return {404, "{}"};
    return {200, found->second};
  });
  const test::TemporaryDirectory directory;
  const Given given = {{"VAULT_ADDR", server.Url()},
                       {"VAULT_ROLE_ID", "fake-role-id"},
                       {"VAULT_SECRET_ID_FILE", directory.Write("id", "fake-wrapping-token")},
                       {"VAULT_SECRET_ID_WRAPPING_PATH", "auth/approle/role/app/secret-id"}};
  core::SystemClock clock;
  auto provider = CreateVaultProvider(LookUpIn(given), clock, [](std::string_view) {});
  ASSERT_TRUE(provider) << provider.error().reason();
  EXPECT_EQ(test::ScrubbedAfterFetch(
                std::move(*provider),
                "fake-role-id fake-wrapping-token fake-secret-id fake-token fake-other"),
            "*** *** *** *** fake-***");
}

TEST(VaultProvider, SaysWhereItReads) {
  core::SystemClock clock;
  const Given given = {{"VAULT_TOKEN", "fake-token"},
                       {"VAULT_ADDR", "https://a.example:8200,https://b.example"}};
  auto provider = CreateVaultProvider(LookUpIn(given), clock, [](std::string_view) {});
  ASSERT_TRUE(provider);
  EXPECT_EQ((*provider)->Source(), "secret/data/qarion at https://a.example:8200 and 1 more");
}

}  // namespace
}  // namespace qarion::secrets::vault
