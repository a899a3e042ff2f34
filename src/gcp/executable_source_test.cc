// What google-auth 2.62.2 (pluggable.py) accepts and refuses, and where this differs.
#include "gcp/executable_source.h"

#include <sys/wait.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <utility>

#include "gcp/subject_token.h"
#include "tests/support/gcp_source_base.h"

namespace qarion::secrets::gcp {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr char kType[] = R"("token_type":"urn:ietf:params:oauth:token-type:)";
// The clock of these tests stands at 1767225600.
constexpr char kLater[] = R"(, "expiration_time": 1767225601)";
constexpr char kExpiresNow[] = R"(, "expiration_time": 1767225600)";

std::string Success(const std::string& token, const std::string& more = "") {
  return R"({"version":1,"success":true,)" + std::string(kType) + R"(jwt","id_token":")" + token +
         "\"" + more + "}";
}

class ExecutableSourceTest : public test::GcpSourceBase {
 protected:
  ExecutableSourceTest() {
    settings_.allows_executables = true;
    account_.audience = "//iam.googleapis.com/pool";
    account_.subject_token_type = "urn:ietf:params:oauth:token-type:jwt";
  }
  void TearDown() override {
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a zombie stayed behind";
  }

  std::string Get(milliseconds time = std::chrono::minutes(1)) {
    account_.source = source_;
    return Outcome(GetSubjectToken(account_, context_, Soon(time)));
  }
  // A script that notes that it ran.
  std::string Running(const std::string& script) {
    const std::string text = "#!/bin/sh\necho run >>'" + directory_.Path("runs") + "'\n" + script;
    source_.command = directory_.Write("tool", text + "\n", 0700) + " --one 'two words'";
    return Get();
  }
  std::string Printing(const std::string& json) {
    return Running("cat '" + directory_.Write("json", json) + "'");
  }
  bool DidRun() { return std::filesystem::remove(directory_.Path("runs")); }
  // What is in the file, beside a program that gives another token.
  std::string Keeping(const std::string& text) {
    source_.output_file = directory_.Write("kept", text);
    return Printing(Success("fake-new", kLater));
  }

  ExecutableSource source_;
  ExternalAccount account_;
};

TEST_F(ExecutableSourceTest, TakesWhatTheProgramPrints) {
  EXPECT_EQ(Printing(Success("fake-token")), "fake-token");
  EXPECT_EQ(Printing(Success("fake-token", kLater)), "fake-token");
  EXPECT_EQ(Printing(R"({"version":1,"success":true,)" + std::string(kType) +
                     R"(id_token","id_token":"fake-token"})"),
            "fake-token");
  EXPECT_EQ(Printing(R"({"version":1,"success":true,)" + std::string(kType) +
                     R"(saml2","saml_response":"fake-saml"})"),
            "fake-saml");
}

TEST_F(ExecutableSourceTest, IsRefusedUnlessItIsAllowed) {
  settings_.allows_executables = false;
  source_.output_file = directory_.Write("kept", Success("fake-kept", kLater));
  EXPECT_THAT(Printing(Success("fake-token")),
              AllOf(StartsWith("configuration: credential_source.executable.command "),
                    HasSubstr("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1")));
  EXPECT_FALSE(DidRun());
}

TEST_F(ExecutableSourceTest, TellsTheProgramWhatItIsFor) {
  const std::string note = "echo \"$#:$1:$2\" >'" + directory_.Path("seen") +
                           "'; env | grep ^GOOGLE_EXTERNAL_ACCOUNT_ | sort >>'" +
                           directory_.Path("seen") + "'; cat '" +
                           directory_.Write("json", Success("fake-token", kLater)) + "'";
  EXPECT_EQ(Running(note), "fake-token");
  const std::string common =
      "2:--one:two words\n"
      "GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE=//iam.googleapis.com/pool\n";
  EXPECT_EQ(directory_.Read("seen"),
            common +
                "GOOGLE_EXTERNAL_ACCOUNT_ID=\n"
                "GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE=0\n"
                "GOOGLE_EXTERNAL_ACCOUNT_REVOKE=0\n"
                "GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE=urn:ietf:params:oauth:token-type:jwt\n");
  account_.impersonated_email = "sa@p.iam.gserviceaccount.com";
  source_.output_file = directory_.Path("kept");
  EXPECT_EQ(Running(note), "fake-token");
  EXPECT_EQ(directory_.Read("seen"),
            common +
                "GOOGLE_EXTERNAL_ACCOUNT_ID=sa@p.iam.gserviceaccount.com\n"
                "GOOGLE_EXTERNAL_ACCOUNT_IMPERSONATED_EMAIL=sa@p.iam.gserviceaccount.com\n"
                "GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE=0\n"
                "GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE=" +
                directory_.Path("kept") +
                "\n"
                "GOOGLE_EXTERNAL_ACCOUNT_REVOKE=0\n"
                "GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE=urn:ietf:params:oauth:token-type:jwt\n");
}

TEST_F(ExecutableSourceTest, RefusesACommandThatCannotBeRun) {
  source_.command = "tool 'fake-open";
  EXPECT_THAT(Get(), AllOf(StartsWith("configuration: "), HasSubstr("quotation mark")));
  source_.command = " ";
  EXPECT_THAT(Get(), AllOf(StartsWith("configuration: "), HasSubstr("names no program")));
  source_.command = "/no/such/tool --key fake-argument";
  EXPECT_THAT(Get(), AllOf(StartsWith("configuration: "), HasSubstr("'/no/such/tool'")));
}

TEST_F(ExecutableSourceTest, IsBoundInTimeByTheSourceAndByTheCaller) {
  source_.timeout = milliseconds(50);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(Running("exec sleep 1000"),
              AllOf(StartsWith("unavailable: "), HasSubstr("did not end in time")));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
  source_.timeout = std::chrono::seconds(120);
  EXPECT_THAT(Get(milliseconds(50)), HasSubstr("did not end in time"));
}

TEST_F(ExecutableSourceTest, NeverQuotesAProgramThatFails) {
  EXPECT_THAT(Running("echo fake-secret; echo fake-secret >&2; exit 3"),
              AllOf(StartsWith("unavailable: "), HasSubstr("ended with status 3")));
  EXPECT_THAT(Running("exec head -c 65537 /dev/zero"), StartsWith("bad_data: "));
}

TEST_F(ExecutableSourceTest, SaysWhyTheProgramGivesNoToken) {
  EXPECT_EQ(Printing(R"({"version":1,"success":false,"code":"401","message":"not\nlogged in"})"),
            "not_permitted: credential_source.executable.command: what the program prints: the "
            "program gives no token: 401, not logged in");
  EXPECT_THAT(Printing(R"({"version":1,"success":false,"code":401,"message":"no"})"),
              HasSubstr(": 401, no"));
  settings_.aws.secret_access_key = Secret::CopyOf("fake-of-the-environment");
  EXPECT_THAT(Printing(R"({"version":1,"success":false,"code":"fake-token","id_token":"fake-token",
                   "message":"fake-token and fake-of-the-environment"})"),
              testing::EndsWith(": ***, *** and ***"));
}

TEST_F(ExecutableSourceTest, RefusesATokenThatHasExpired) {
  EXPECT_THAT(Printing(Success("fake-token", kExpiresNow)),
              AllOf(StartsWith("unavailable: "), HasSubstr("expired")));
  EXPECT_THAT(Printing(Success("fake-token", R"(, "expiration_time": -9223372036854775808)")),
              HasSubstr("expired"));
  EXPECT_EQ(Printing(Success("fake-token", R"(, "expiration_time": 9223372036854775807)")),
            "fake-token");
}

TEST_F(ExecutableSourceTest, RefusesWhatIsNotTheAgreedForm) {
  const std::string begin = R"({"version":1,"success":true,)" + std::string(kType);
  for (const std::string& json :
       {std::string(),
        std::string("fake-junk"),
        std::string("[]"),
        std::string("{}"),
        std::string(R"({"success":true})"),
        std::string(R"({"version":"1","success":true})"),
        R"({"version":0,)" + Success("fake-token").substr(13),
        std::string(R"({"version":1})"),
        std::string(R"({"version":1,"success":"true"})"),
        std::string(R"({"version":1,"success":true,"id_token":"fake-token"})"),
        std::string(R"({"version":1,"success":false,"message":"no"})"),
        std::string(R"({"version":1,"success":false,"code":"1"})"),
        std::string(R"({"version":2,"success":true,"id_token":"fake-token"})"),
        begin + R"(access_token","id_token":"fake-token"})",
        begin + R"(jwt","saml_response":"fake-token"})",
        begin + R"(saml2","id_token":"fake-token"})",
        begin + R"(jwt","id_token":""})",
        begin + R"(jwt","id_token":7})",
        Success("fake-token", R"(,"expiration_time":"soon")"),
        Success("fake-token", R"(,"expiration_time":null)"),
        Success("fake-token", R"(,"expiration_time":1.5)")}) {
    EXPECT_THAT(Printing(json),
                StartsWith("bad_data: credential_source.executable.command: what the program"))
        << json;
  }
}

TEST_F(ExecutableSourceTest, UsesATokenThatWasKeptWithoutRunningAnything) {
  EXPECT_EQ(Keeping(Success("fake-kept", kLater)), "fake-kept");
  EXPECT_FALSE(DidRun());
}

TEST_F(ExecutableSourceTest, RunsTheProgramWhereNothingThatWasKeptIsGoodStill) {
  for (const std::string& text :
       {Success("fake-kept", kExpiresNow), Success("fake-kept"), std::string(),
        std::string("{half"),
        std::string(R"({"version":1,"success":false,"code":"1","message":"fake-no"})"),
        std::string(R"({"version":2,"success":true})"),
        std::string(R"({"version":1,"success":true,"expiration_time":5})"),
        std::string(R"({"version":1,"success":true,"token_type":"fake-type"})")}) {
    EXPECT_EQ(Keeping(text), "fake-new") << text;
    EXPECT_TRUE(DidRun());
  }
  source_.output_file = directory_.Path("absent");
  EXPECT_EQ(Printing(Success("fake-new", kLater)), "fake-new");
}

TEST_F(ExecutableSourceTest, RefusesWhatWasKeptInAnotherForm) {
  for (const std::string& text :
       {std::string("{}"), std::string("[]"), std::string(R"({"version":1})"),
        std::string(R"({"version":1,"success":false,"code":"1"})"),
        std::string(R"({"version":1,"success":true,"id_token":"fake-kept"})")}) {
    EXPECT_THAT(Keeping(text),
                AllOf(StartsWith("bad_data: credential_source.executable.output_file '/"),
                      HasSubstr(directory_.Path("kept"))))
        << text;
    EXPECT_FALSE(DidRun());
  }
}

// Google's library for Go demands it, the one for Python does not.
TEST_F(ExecutableSourceTest, WantsToKnowHowLongATokenThatIsKeptIsGood) {
  source_.output_file = directory_.Path("kept");
  EXPECT_THAT(Printing(Success("fake-token")),
              AllOf(StartsWith("bad_data: "), HasSubstr("expiration_time is missing")));
}

TEST_F(ExecutableSourceTest, ReadsTheFileWhereTheProgramPrintsNothing) {
  source_.output_file = directory_.Path("kept");
  const std::string json = directory_.Write("json", Success("fake-written", kLater));
  EXPECT_EQ(Running("cp '" + json + "' \"$GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE\""), "fake-written");
  std::filesystem::remove(directory_.Path("kept"));
  EXPECT_THAT(Running(":"),
              AllOf(StartsWith("configuration: credential_source.executable.output_file: "),
                    HasSubstr("cannot read"), Not(HasSubstr("what the program prints"))));
}

}  // namespace
}  // namespace qarion::secrets::gcp
