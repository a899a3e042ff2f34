#include "providers/vault/doctor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "core/random.h"
#include "core/system_clock.h"
#include "tests/fakes/fault_server.h"
#include "tests/support/given_settings.h"

namespace qarion::secrets::vault {
namespace {

using std::chrono::seconds;
using test::FaultServer;
using testing::Contains;
using testing::HasSubstr;
using testing::Pair;

// What a healthy server answers, but for what `more` says.
std::string Routes(const std::map<std::string, std::string>& more) {
  std::map<std::string, std::string> routes = {
      {"/v1/sys/health", R"([200, {"initialized": true, "standby": false}])"},
      {"/v1/auth/token/lookup-self",
       R"([200, {"data": {"accessor": "fake", "policies": ["app-read"], "ttl": 86400}}])"},
      {"/v1/sys/internal/ui/mounts/secret/data/qarion",
       R"([200, {"data": {"path": "secret/", "type": "kv", "options": {"version": "2"}}}])"},
      {"/v1/sys/capabilities-self", R"([200, {"data": {"secret/data/qarion": ["read"]}}])"}};
  for (const auto& [path, answer] : more) routes[path] = answer;
  std::string text = "route:{";
  for (const auto& [path, answer] : routes) {
    text += (text.ends_with('{') ? "\"" : ", \"") + path + "\": " + answer;
  }
  return text + "}";
}

Diagnosis ExamineAt(const std::string& addresses) {
  const std::map<std::string, std::string> given = {
      {"VAULT_ADDR", addresses}, {"VAULT_TOKEN", "fake-token"}, {"VAULT_MAX_RETRIES", "0"}};
  auto settings = test::Load(given);
  core::SystemClock clock;
  Api api(*settings, clock, nullptr);
  Session session(*settings, api, clock, std::make_unique<core::SystemRandom>(), nullptr);
  return Examine(*settings, api, session, clock, {.deadline = clock.SteadyNow() + seconds(20)});
}

TEST(Doctor, FindsNothingWrongWithAHealthyServer) {
  FaultServer server({Routes({})});
  const Diagnosis diagnosis = ExamineAt(server.Url(""));
  EXPECT_TRUE(diagnosis.findings.empty());
  EXPECT_THAT(diagnosis.details, Contains(Pair("server " + server.Url(""), "active")));
}

// The codes of the server's health (API documentation, /sys/health).
TEST(Doctor, TellsTheStateOfAServerByItsCode) {
  const struct {
    const char* answer;
    const char* problem;  // none: it serves
    const char* state;
  } cases[] = {
      {R"([429, {"initialized": true, "standby": true}])", nullptr, "standby"},
      {R"([473, {"initialized": true, "standby": true}])", nullptr, "performance standby"},
      {R"([472, {"initialized": true}])", "disaster recovery", "disaster recovery secondary"},
      {R"([474, {"initialized": true}])", "lost its leader", "standby without its leader"},
      {R"([501, {"initialized": false}])", "not initialised", "not initialised"},
      {R"([503, {"initialized": true, "sealed": true}])", "is sealed", "sealed"},
      {R"([530, {"initialized": true}])", "was removed", "removed from its cluster"},
      // A rate limit and not a standby.
      {R"([429, {"errors": ["rate limit quota exceeded"]}])", nullptr,
       "not told, because of a rate limit"},
  };
  for (const auto& tried : cases) {
    FaultServer server({Routes({{"/v1/sys/health", tried.answer}})});
    const Diagnosis diagnosis = ExamineAt(server.Url(""));
    EXPECT_THAT(diagnosis.details, Contains(Pair("server " + server.Url(""), tried.state)));
    ASSERT_EQ(diagnosis.findings.size(), tried.problem == nullptr ? 0u : 1u) << tried.answer;
    if (tried.problem == nullptr) continue;
    EXPECT_EQ(diagnosis.findings[0].severity, Severity::kError);
    EXPECT_THAT(diagnosis.findings[0].problem, HasSubstr(tried.problem));
    EXPECT_NE(diagnosis.findings[0].cure, "");
  }
}

// Tokens that carry times are refused then.
TEST(Doctor, ComparesTheClocks) {
  for (const auto& [date, says] : {std::pair("Sun, 06 Nov 1994 08:49:37 GMT", "s behind"),
                                   std::pair("Fri, 01 Jan 2100 00:00:00 GMT", "s ahead of")}) {
    FaultServer server({Routes({{"/v1/sys/health", R"([200, {"initialized": true}, "Date: )" +
                                                       std::string(date) + "\"]"}})});
    const Diagnosis diagnosis = ExamineAt(server.Url(""));
    ASSERT_EQ(diagnosis.findings.size(), 1u) << date;
    EXPECT_EQ(diagnosis.findings[0].severity, Severity::kWarning);
    EXPECT_THAT(diagnosis.findings[0].problem, HasSubstr(says));
  }
}

// They hang side by side, and no question is put to them afterwards.
TEST(Doctor, IsNotKeptLongByServersThatHang) {
  FaultServer first({"hang"});
  FaultServer second({"hang"});
  FaultServer third({Routes({})});
  const auto begin = std::chrono::steady_clock::now();
  const Diagnosis diagnosis = ExamineAt(first.Url("") + "," + second.Url("") + "," + third.Url(""));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(15));
  EXPECT_THAT(diagnosis.details, Contains(Pair("server " + third.Url(""), "active")));
  ASSERT_EQ(diagnosis.findings.size(), 2u);
  for (const Finding& finding : diagnosis.findings) {
    EXPECT_EQ(finding.severity, Severity::kWarning);
    EXPECT_THAT(finding.problem, HasSubstr("127.0.0.1"));
  }
}

// Each question costs one use.
TEST(Doctor, AsksLittleForATokenWithFewUses) {
  FaultServer server({Routes(
      {{"/v1/auth/token/lookup-self",
        R"([200, {"data": {"accessor": "fake", "policies": ["app-read"], "num_uses": 2}}])"}})});
  EXPECT_TRUE(ExamineAt(server.Url("")).findings.empty());
  EXPECT_EQ(server.CountRequests(), 2);  // its health, and the token
}

TEST(Doctor, NamesTheCapabilityThatIsMissing) {
  FaultServer server({Routes(
      {{"/v1/sys/capabilities-self", R"([200, {"data": {"secret/data/qarion": ["deny"]}}])"}})});
  const Diagnosis diagnosis = ExamineAt(server.Url(""));
  ASSERT_EQ(diagnosis.findings.size(), 1u);
  EXPECT_THAT(diagnosis.findings[0].problem, HasSubstr("read on secret/data/qarion"));
}

}  // namespace
}  // namespace qarion::secrets::vault
