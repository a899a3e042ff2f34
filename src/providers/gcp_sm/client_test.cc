#include "providers/gcp_sm/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/system_clock.h"
#include "providers/client_provider.h"
#include "tests/fakes/local_server.h"
#include "tests/support/scrubbed.h"
#include "tests/support/temporary_directory.h"

namespace qarion::secrets::gcp_sm {
namespace {

// {"SECRET_KEY":"other"} in base64
constexpr char kVersion[] = R"({"name":"projects/1234/secrets/qarion-secrets/versions/1",)"
                            R"("payload":{"data":"eyJTRUNSRVRfS0VZIjoib3RoZXIifQ=="}})";
constexpr char kTokens[] =
    R"({"access_token":"fake-access-token","expires_in":3600,"refresh_token":"fake-refresh-next"})";

// A workforce user's login, whose token endpoint can be any.
TEST(GcpSmClientTest, GivesTheTokensOfALoginToTheScrubber) {
  const test::LocalServer server([](const test::LocalRequest& request) -> test::LocalAnswer {
    return {200, request.path == "/token" ? kTokens : kVersion};
  });
  const test::TemporaryDirectory directory;
  const std::map<std::string, std::string> given = {
      {"HOME", "/nonexistent"},
      {"GCP_SECRET_PROJECT", "my-project"},
      {"GCP_SECRET_ENDPOINT", server.Url()},
      {"GOOGLE_APPLICATION_CREDENTIALS",
       directory.Write("user.json", R"({"type":"external_account_authorized_user",)"
                                    R"("client_id":"id","client_secret":"fake-client-secret",)"
                                    R"("refresh_token":"fake-refresh-first","token_url":")" +
                                        server.Url() + R"(/token"})")}};
  auto settings = LoadGcpSmSettings([&](const std::string& name) {
    const auto found = given.find(name);
    return found == given.end() ? std::nullopt : std::optional<std::string_view>(found->second);
  });
  ASSERT_TRUE(settings) << settings.error().reason();
  core::SystemClock clock;
  EXPECT_EQ(test::ScrubbedAfterFetch(
                std::make_unique<ClientProvider<GcpSmSettings, Client>>(std::move(*settings), clock,
                                                                        [](std::string_view) {}),
                "fake-access-token fake-refresh-first fake-refresh-next fake-client-secret no"),
            "*** *** *** *** no");
}

}  // namespace
}  // namespace qarion::secrets::gcp_sm
