#include "providers/vault/vault_provider.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/system_clock.h"
#include "tests/support/certificate.h"
#include "tests/support/given_settings.h"
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
