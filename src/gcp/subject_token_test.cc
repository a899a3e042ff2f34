// Tokens of files and URLs; what Google's libraries accept and refuse (google-auth 2.62.2).
#include "gcp/subject_token.h"

#include <sys/stat.h>

#include <atomic>
#include <future>
#include <string>
#include <utility>
#include <variant>

#include "tests/fakes/scripted_server.h"
#include "tests/support/gcp_source_base.h"

namespace qarion::secrets::gcp {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class SubjectTokenTest : public test::GcpSourceBase {
 protected:
  std::string Get(FileSource source) { return Get({.source = std::move(source)}, Soon()); }
  std::string Get(UrlSource source) { return Get({.source = std::move(source)}, Soon()); }
  std::string Get(const ExternalAccount& account, const net::Call& call) {
    return Outcome(GetSubjectToken(account, context_, call));
  }
  std::string InFile(const std::string& text, const std::string& field = "") {
    return Get(FileSource{.path = directory_.Write("token", text), .field = field});
  }
  // With a header that nobody may see.
  static UrlSource At(const std::string& url, const std::string& field = "") {
    UrlSource source{.url = url, .field = field};
    source.headers.emplace_back("Authorization", Secret::CopyOf("fake-authorization"));
    return source;
  }
  std::string OutcomeOf(const test::LocalAnswer& answer, const std::string& field = "") {
    const test::ScriptedServer server({answer});
    return Get(At(server.Url(), field));
  }
};

TEST_F(SubjectTokenTest, IsReadFromTheFileAnewEachTime) {
  EXPECT_EQ(InFile("fake-first"), "fake-first");
  EXPECT_EQ(InFile("fake-second"), "fake-second");
}

// Go's library trims it, the others send it; see the header.
TEST_F(SubjectTokenTest, HasNoWhiteSpaceAtItsEnds) {
  EXPECT_EQ(InFile(" fake-token\r\n\n"), "fake-token");
}

TEST_F(SubjectTokenTest, IsAMemberOfTheFilesObject) {
  EXPECT_EQ(InFile(R"({"other":1,"access_token":"fake-token"})", "access_token"), "fake-token");
}

TEST_F(SubjectTokenTest, IsNotInAFileThatIsEmptyOrAbsent) {
  for (const char* const text : {"", "\n", " \t\r\n"}) {
    EXPECT_THAT(InFile(text), AllOf(StartsWith("configuration: credential_source.file: '/"),
                                    HasSubstr(directory_.Path("token") + "' is empty")));
    EXPECT_THAT(InFile(text, "member"), StartsWith("configuration: "));
  }
  EXPECT_THAT(Get(FileSource{.path = directory_.Path("absent"), .field = ""}),
              AllOf(StartsWith("configuration: credential_source.file: cannot read"),
                    HasSubstr(directory_.Path("absent"))));
}

TEST_F(SubjectTokenTest, IsNotInAFileThatHasNotTheForm) {
  EXPECT_THAT(InFile("fake-token", "member"), AllOf(StartsWith("bad_data: "), HasSubstr("line 1")));
  for (const char* const text : {"{}", R"({"member":""})", R"({"member":7})", R"(["fake-token"])",
                                 R"({"member":null,"other":"fake-token"})"}) {
    EXPECT_THAT(InFile(text, "member"), AllOf(StartsWith("bad_data: "), HasSubstr("'member'")))
        << text;
  }
  EXPECT_THAT(InFile("fake-" + std::string(64 * 1024, 'x')),
              AllOf(StartsWith("bad_data: "), HasSubstr("limit of 65536 bytes")));
}

TEST_F(SubjectTokenTest, IsNotWaitedForInAPipe) {
  ASSERT_EQ(mkfifo(directory_.Path("pipe").c_str(), 0600), 0);
  EXPECT_THAT(Get(FileSource{.path = directory_.Path("pipe"), .field = ""}),
              AllOf(StartsWith("configuration: "), HasSubstr("is a pipe")));
}

TEST_F(SubjectTokenTest, IsGivenByAUrl) {
  const test::ScriptedServer server({{200, "fake-token\n"}});
  EXPECT_EQ(Get(At(server.Url("/token?audience=x"))), "fake-token");
  EXPECT_THAT(server.Lines(), ElementsAre("GET /token?audience=x"));
  EXPECT_EQ(server.seen()[0].headers.at("authorization"), "fake-authorization");
  EXPECT_EQ(OutcomeOf({200, R"({"value":"fake-token"})"}, "value"), "fake-token");
}

// Plain http leads to this machine or what stands beside it, where no proxy is; https anywhere.
TEST_F(SubjectTokenTest, IsAskedForThroughAProxyByHttpsAlone) {
  std::string port;
  {
    const test::ScriptedServer server({{200, "fake-token"}});
    Get(At(server.Url()));
    EXPECT_THAT(Clients(), ElementsAre("metadata"));
    port = server.Url().substr(server.Url().rfind(':'));
  }
  EXPECT_THAT(Get(At("https://127.0.0.1" + port)), StartsWith("unavailable: "));
  EXPECT_EQ(Clients().back(), "services");
}

TEST_F(SubjectTokenTest, IsAskedForAgainWhereTheServerFailsForAMoment) {
  const test::ScriptedServer server({{503, ""}, {429, ""}, {200, "fake-token"}});
  EXPECT_EQ(Get(At(server.Url())), "fake-token");
  EXPECT_EQ(clock_.pauses().size(), 2U);
}

TEST_F(SubjectTokenTest, IsAskedForThreeTimesAtMost) {
  for (const int status : {429, 500, 502, 503, 504}) {
    const test::ScriptedServer server({{status, "not now"}});
    EXPECT_EQ(Get(At(server.Url())), "unavailable: credential_source.url: 127.0.0.1 answers " +
                                         std::to_string(status) + ": not now");
    EXPECT_EQ(server.seen().size(), 3U) << status;
  }
}

TEST_F(SubjectTokenTest, IsNotAskedForAgainAfterARefusal) {
  for (const int status : {201, 400, 401, 403, 404}) {
    const test::ScriptedServer server({{status, ""}});
    EXPECT_EQ(Get(At(server.Url())),
              "configuration: credential_source.url: 127.0.0.1 answers " + std::to_string(status));
    EXPECT_EQ(server.seen().size(), 1U) << status;
  }
  EXPECT_THAT(OutcomeOf({302, ""}), AllOf(StartsWith("configuration: "), HasSubstr("redirects")));
}

TEST_F(SubjectTokenTest, IsRefusedWithWhatTheServerSays) {
  EXPECT_THAT(OutcomeOf({400, R"({"error":"invalid_request","error_description":"no such id"})"}),
              HasSubstr("answers 400: no such id"));
  EXPECT_THAT(OutcomeOf({400, R"({"message":"not\nhere"})"}), HasSubstr("answers 400: not here"));
  EXPECT_THAT(OutcomeOf({400, R"({"error":"invalid_request"})"}), HasSubstr(": invalid_request"));
  EXPECT_THAT(OutcomeOf({400, "<html>fake-page</html>"}), testing::EndsWith("answers 400"));
}

TEST_F(SubjectTokenTest, IsRefusedWithoutWhatWasSent) {
  EXPECT_THAT(OutcomeOf({403, "nobody is fake-authorization here"}),
              HasSubstr("answers 403: nobody is *** here"));
  const test::ScriptedServer server({{404, "no /token?key=fake-query"}});
  EXPECT_THAT(Get(At(server.Url("/token?key=fake-query"))), HasSubstr("no /token?***"));
}

TEST_F(SubjectTokenTest, IsNotInAnAnswerThatHasNotTheForm) {
  EXPECT_THAT(OutcomeOf({200, ""}),
              AllOf(StartsWith("bad_data: "), HasSubstr("127.0.0.1 is empty")));
  EXPECT_THAT(OutcomeOf({200, "fake-token"}, "value"), StartsWith("bad_data: "));
  EXPECT_THAT(OutcomeOf({200, R"({"token":"fake-token"})"}, "value"),
              AllOf(StartsWith("bad_data: "), HasSubstr("'value'")));
  EXPECT_THAT(OutcomeOf({200, "fake-" + std::string(64 * 1024, 'x')}),
              AllOf(StartsWith("bad_data: "), HasSubstr("more than 65536 bytes")));
}

TEST_F(SubjectTokenTest, IsUnavailableWhereNobodyAnswers) {
  std::string url;
  {
    url = test::ScriptedServer({}).Url();
  }
  EXPECT_THAT(Get(At(url)),
              AllOf(StartsWith("unavailable: credential_source.url: "), HasSubstr("127.0.0.1")));
  EXPECT_EQ(Clients().size(), 3U);
}

TEST_F(SubjectTokenTest, IsWaitedForNoLongerThanTheCallerWaits) {
  std::promise<void> end;
  const test::LocalServer server([ended = end.get_future().share()](const test::LocalRequest&) {
    ended.wait();
    return test::LocalAnswer{200, "fake-late"};
  });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(Get({.source = At(server.Url())}, Soon(milliseconds(100))),
              StartsWith("unavailable: credential_source.url: "));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
  end.set_value();
}

// An attempt takes no more than its part of the caller's time.
TEST_F(SubjectTokenTest, IsAskedForAgainWhereTheServerHangs) {
  std::promise<void> end;
  std::atomic<int> asked = 0;
  const test::LocalServer server([&, ended = end.get_future().share()](const test::LocalRequest&) {
    if (++asked == 1) ended.wait();
    return test::LocalAnswer{200, "fake-token"};
  });
  EXPECT_EQ(Get({.source = At(server.Url())}, Soon(milliseconds(2900))), "fake-token");
  end.set_value();
}

TEST_F(SubjectTokenTest, IsAskedForAtAUrlAlone) {
  EXPECT_THAT(Get(At("ftp://fake-host")), StartsWith("configuration: credential_source.url is no"));
  EXPECT_THAT(Clients(), IsEmpty());
}

}  // namespace
}  // namespace qarion::secrets::gcp
