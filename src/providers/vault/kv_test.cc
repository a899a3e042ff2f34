// Bodies are those that OpenBao 2.7.2 sends.
#include "providers/vault/kv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace qarion::secrets::vault {
namespace {

using std::chrono::system_clock;
using testing::HasSubstr;

const KvTarget kTarget{.mount = "secret", .name = "qarion"};
const system_clock::time_point kNow = system_clock::from_time_t(1'795'000'000);  // 2026-11-18

ApiAnswer Answer(int status, const std::string& body) {
  ApiAnswer answer{.status = status, .body = Secret::CopyOf(body), .address = "http://bao"};
  if (auto json = core::JsonDocument::Parse(body, "test")) answer.json = std::move(*json);
  return answer;
}

std::string Secret3(const std::string& data, const std::string& metadata = "") {
  return R"({"request_id":"uuid","lease_id":"","renewable":false,"lease_duration":0,"data":{"data":)" +
         data +
         R"(,"metadata":{"created_time":"2026-11-23T14:57:22.980955719Z","custom_metadata":null,)" +
         (metadata.empty() ? R"("deletion_time":"","destroyed":false)" : metadata) +
         R"(,"version":3}},"wrap_info":null,"warnings":null,"auth":null})";
}

Result<Payload> Read(int status, const std::string& body, std::int64_t version = 0) {
  return PayloadFromRead(Answer(status, body), kTarget, version, "the token X", kNow);
}

struct Refusal {
  int status;
  const char* body;
  ErrorCode code;
  const char* says;
};

class KvRefusals : public testing::TestWithParam<Refusal> {};

TEST_P(KvRefusals, AreToldApart) {
  auto payload = Read(GetParam().status, GetParam().body);
  ASSERT_FALSE(payload);
  EXPECT_EQ(payload.error().code(), GetParam().code) << payload.error().reason();
  EXPECT_THAT(payload.error().reason() + " " + payload.error().cure(), HasSubstr(GetParam().says));
  EXPECT_NE(payload.error().cure(), "");
}

INSTANTIATE_TEST_SUITE_P(
    Recorded, KvRefusals,
    testing::Values(
        Refusal{404, R"({"errors":[]})", ErrorCode::kConfiguration,
                "secret/data/qarion does not exist"},
        Refusal{
            404,
            R"({"errors":["no handler for route \"secret/data/qarion\". route entry not found."]})",
            ErrorCode::kConfiguration, "no handler for route"},
        Refusal{404,
                R"({"data":null,"warnings":["Invalid path for a versioned K/V secrets engine."]})",
                ErrorCode::kConfiguration, "Invalid path for a versioned"},
        Refusal{403, R"({"errors":["1 error occurred:\n\t* permission denied\n\n"]})",
                ErrorCode::kNotPermitted,
                "(403, permission denied) to the token X, which has no right to"},
        Refusal{403, R"({"errors":["permission denied"]})", ErrorCode::kNotPermitted,
                "(403, permission denied) to the token X, which the server does not accept"},
        Refusal{
            403,
            R"({"errors":["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"]})",
            ErrorCode::kNotPermitted, "which the server does not accept"},
        Refusal{503, R"({"errors":["Vault is sealed"]})", ErrorCode::kUnavailable, "unseal"},
        Refusal{500, R"({"errors":["local node not active but active cluster node not found"]})",
                ErrorCode::kUnavailable, "active cluster node"},
        Refusal{429,
                R"({"errors":["request path \"secret/data/app/db\": rate limit quota exceeded"]})",
                ErrorCode::kTryAgain, "rate limit"},
        Refusal{429, R"({"errors":[]})", ErrorCode::kTryAgain, "429"},
        Refusal{
            400,
            R"({"errors":["Waiting for the primary to upgrade from non-versioned to versioned data."]})",
            ErrorCode::kTryAgain, "mounted or upgraded a moment ago"},
        Refusal{
            400,
            R"({"errors":["Upgrading from non-versioned to versioned data. This backend will be unavailable for a brief period and will resume service shortly."]})",
            ErrorCode::kTryAgain, "mounted or upgraded a moment ago"},
        Refusal{400, "Client sent an HTTP request to an HTTPS server.\n", ErrorCode::kConfiguration,
                "https://"},
        Refusal{412, R"({"errors":["missing \"X-Vault-Request\" header"]})",
                ErrorCode::kConfiguration, "412"},
        Refusal{405, R"({"errors":[]})", ErrorCode::kConfiguration, "405"},
        Refusal{200, R"({"data":{"data":{"a":"b"}}})", ErrorCode::kBadData, "version 1"},
        Refusal{200, R"({"data":null,"wrap_info":{"token":"fake"}})", ErrorCode::kBadData,
                "wrapped"},
        Refusal{200, R"({})", ErrorCode::kBadData, "not a secret of a KV engine"}));

TEST(Kv, TellsDeletedAndDestroyedFromMissing) {
  auto deleted =
      Read(404, Secret3("null", R"("deletion_time":"2026-11-23T15:00:00.5Z","destroyed":false)"));
  EXPECT_EQ(deleted.error().reason(),
            "secret/data/qarion version 3 was deleted at 2026-11-23T15:00:00.5Z");
  EXPECT_THAT(deleted.error().cure(),
              HasSubstr("bao kv undelete -mount=secret -versions=3 qarion"));
  auto destroyed =
      Read(404, Secret3("null", R"("deletion_time":"2026-11-23T15:00:00Z","destroyed":true)"));
  EXPECT_EQ(destroyed.error().reason(), "secret/data/qarion version 3 was destroyed");
  EXPECT_THAT(Read(404, R"({"errors":[]})", 9).error().reason(), HasSubstr("has no version 9"));
}

TEST(Kv, ReadsFieldsVersionAndTime) {
  auto payload = Read(200, Secret3(R"({"A":"fake","N":1e3,"Z":null})"));
  ASSERT_TRUE(payload) << payload.error().reason();
  EXPECT_EQ(payload->version, "3");
  // date -u -d '2026-11-23T14:57:22Z' +%s
  EXPECT_EQ(payload->created_at,
            system_clock::from_time_t(1'795'445'842) + std::chrono::nanoseconds(980'955'719));
  EXPECT_FALSE(payload->expires_at);
  ASSERT_EQ(payload->fields.size(), 2u);
  EXPECT_EQ(payload->fields[0].value.Reveal(), "fake");
  EXPECT_EQ(payload->fields[0].origin, "secret/data/qarion version 3");
  EXPECT_EQ(payload->fields[1].value.Reveal(), "1e3");
  ASSERT_EQ(payload->findings.size(), 1u);
  EXPECT_EQ(payload->findings[0].subject, "N");
}

TEST(Kv, IsValidUntilItsDeletion) {
  auto later =
      Read(200, Secret3("{}", R"("deletion_time":"2026-11-23T15:00:00Z","destroyed":false)"));
  ASSERT_TRUE(later);
  EXPECT_EQ(later->expires_at, system_clock::from_time_t(1'795'446'000));
}

TEST(Kv, RefusesWhatIsNoObjectOfFieldsWithoutQuotingIt) {
  for (const std::string data : {"null", "[]", "\"fake-hunter2\"", R"({"a b":"fake-hunter2"})"}) {
    auto payload = Read(200, Secret3(data));
    ASSERT_FALSE(payload) << data;
    EXPECT_EQ(payload.error().code(), ErrorCode::kBadData);
    EXPECT_EQ(payload.error().reason().find("hunter2"), std::string::npos);
  }
}

TEST(KvTarget, IsReadOffAPathWithData) {
  EXPECT_EQ(TargetFromDataPath("secret/data/qarion"), kTarget);
  EXPECT_EQ(TargetFromDataPath("a/b/data/c/d"), (KvTarget{.mount = "a/b", .name = "c/d"}));
  EXPECT_EQ(TargetFromDataPath("secret/qarion"), std::nullopt);
  EXPECT_EQ(TargetFromDataPath("data/qarion"), std::nullopt);
}

TEST(KvTarget, IsWhatTheServerSays) {
  const auto target = [](const std::string& mount, const std::string& path) {
    auto found = TargetFromMount(Answer(200, R"({"data":{"path":")" + mount +
                                                 R"(","type":"kv","options":{"version":"2"}}})"),
                                 path);
    return found && *found ? (**found).mount + " " + (**found).name : "nothing";
  };
  EXPECT_EQ(target("secret/", "secret/qarion"), "secret qarion");
  EXPECT_EQ(target("secret/", "secret/data/qarion"), "secret qarion");
  EXPECT_EQ(target("team/data/kv/", "team/data/kv/app/db"), "team/data/kv app/db");
  EXPECT_EQ(target("other/", "secret/qarion"), "nothing");
  EXPECT_EQ(target("secret/", "secret/data"), "nothing");
  EXPECT_EQ(target("sec", "secret/qarion"), "nothing");
}

TEST(KvTarget, IsLeftOpenWhereTheServerDoesNotTell) {
  for (const int status : {403, 404}) {
    auto found =
        TargetFromMount(Answer(status, R"({"errors":["preflight capability check returned 403"]})"),
                        "secret/qarion");
    ASSERT_TRUE(found);
    EXPECT_FALSE(*found);
  }
  EXPECT_FALSE(TargetFromMount(Answer(503, R"({"errors":["Vault is sealed"]})"), "secret/qarion"));
}

TEST(KvTarget, MustBeOfVersion2) {
  for (const std::string options : {"{}", R"({"version":""})", R"({"version":"1"})", "null"}) {
    auto found = TargetFromMount(
        Answer(200, R"({"data":{"path":"kv1/","type":"kv","options":)" + options + "}}"), "kv1/x");
    ASSERT_FALSE(found) << options;
    EXPECT_THAT(found.error().reason(), HasSubstr("version 1"));
  }
}

}  // namespace
}  // namespace qarion::secrets::vault
