// What botocore's ProcessProvider (1.44.5) accepts and refuses, and programs that do not end well.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "tests/support/role_test_base.h"

namespace qarion::secrets::aws {
namespace {

using std::chrono::steady_clock;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kKeys =
    R"("Version": 1, "AccessKeyId": "AKIDFAKE", "SecretAccessKey": "fake-key")";

class ProcessSourceTest : public RoleTestBase {
 protected:
  // Also where the tests are run at a terminal; for programs of somebody there see
  // terminal_test.py.
  static void SetUpTestSuite() {
    const int terminal = open("/dev/tty", O_RDONLY | O_CLOEXEC);
    if (terminal < 0) return;
    ioctl(terminal, TIOCNOTTY);
    close(terminal);
  }

  void TearDown() override {
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a zombie stayed behind";
  }

  SourcePtr SourceOf(const std::string& command, const std::string& more = "") {
    Begin("[profile dev]\ncredential_process = " + command + "\n" + more);
    return MakeProcessSource(Context(), "dev");
  }
  // A script, which gets two arguments.
  SourcePtr Running(const std::string& script) {
    const std::string path = directory_.Write("tool", "#!/bin/sh\n" + script + "\n", 0700);
    return SourceOf(path + " one 'two words'");
  }
  SourcePtr Printing(const std::string& json) {
    return Running("cat '" + directory_.Write("json", json) + "'");
  }

  // Until the script has got so far.
  void AwaitFile(const std::string& name) {
    while (!std::filesystem::exists(directory_.Path(name))) std::this_thread::yield();
  }
};

TEST_F(ProcessSourceTest, TakesWhatTheProgramPrints) {
  const SourcePtr source = Printing("{" + std::string(kKeys) + R"(, "SessionToken": "fake-token",
      "Expiration": "2026-01-01T01:00:00Z", "AccountId": "123456789012"})");
  const auto offer = source->Get(Soon());
  ASSERT_TRUE(offer) << offer.error().reason();
  ASSERT_TRUE(offer->credentials);
  EXPECT_EQ(offer->credentials->keys.access_key_id, "AKIDFAKE");
  EXPECT_EQ(offer->credentials->keys.secret_access_key.Reveal(), "fake-key");
  EXPECT_EQ(offer->credentials->keys.session_token.Reveal(), "fake-token");
  EXPECT_EQ(offer->credentials->account_id, "123456789012");
  EXPECT_TRUE(offer->credentials->expires_at);
  EXPECT_THAT(offer->credentials->origin, StartsWith("credential_process in "));
}

// It may ask somebody, or count wrong passwords.
TEST_F(ProcessSourceTest, RunsAProgramThatFailedNoSoonerThanTenSecondsLater) {
  const SourcePtr source = Running("echo run >>'" + directory_.Path("runs") + "'; exit 1");
  const auto runs = [&] { return std::filesystem::file_size(directory_.Path("runs")) / 4; };
  const std::string first = Outcome(source);
  EXPECT_EQ(Outcome(source), first);
  EXPECT_EQ(runs(), 1U);
  clock_.fake().Advance(std::chrono::seconds(10));
  EXPECT_EQ(Outcome(source), first);
  EXPECT_EQ(runs(), 2U);
}

TEST_F(ProcessSourceTest, TakesTheAccountFromTheProfileWhereTheProgramNamesNone) {
  const std::string json = directory_.Write("json", "{" + std::string(kKeys) + "}");
  const auto offer = SourceOf("cat " + json, "aws_account_id = 12\n")->Get(Soon());
  ASSERT_TRUE(offer) << offer.error().reason();
  EXPECT_EQ(offer->credentials->account_id, "12");
}

TEST_F(ProcessSourceTest, DoesNotApplyWithoutACommand) {
  Begin("[profile dev]\n");
  EXPECT_EQ(Outcome(MakeProcessSource(Context(), "dev")),
            "not: the profile 'dev' has no credential_process");
}

TEST_F(ProcessSourceTest, RefusesWhatIsNotTheAgreedForm) {
  const std::string keys(kKeys);
  EXPECT_THAT(Outcome(Printing("")), HasSubstr("credential_process in"));
  EXPECT_THAT(Outcome(Printing("fake-junk")), StartsWith("bad_data"));
  EXPECT_THAT(Outcome(Printing("[1]")), HasSubstr("Version"));
  EXPECT_THAT(Outcome(Printing(R"({"AccessKeyId": "A", "SecretAccessKey": "fake-key"})")),
              HasSubstr("Version"));
  EXPECT_THAT(Outcome(Printing(R"({"Version": 2, "AccessKeyId": "A"})")), HasSubstr("Version"));
  EXPECT_THAT(Outcome(Printing(R"({"Version": "1", "AccessKeyId": "A"})")), HasSubstr("Version"));
  EXPECT_THAT(Outcome(Printing(R"({"Version": 1, "AccessKeyId": "A"})")),
              HasSubstr("SecretAccessKey is missing"));
  EXPECT_THAT(Outcome(Printing("{" + keys + R"(, "Expiration": "later"})")),
              HasSubstr("Expiration is not a time"));
  EXPECT_THAT(Outcome(Printing("{" + keys + R"(, "Expiration": ""})")),
              HasSubstr("Expiration is not a time"));
}

TEST_F(ProcessSourceTest, RunsTheProgramWithoutAShellAndWithCleanDescriptorsAndSignals) {
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &one, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  const int inherited = fcntl(STDOUT_FILENO, F_DUPFD, 77);  // without FD_CLOEXEC
  // The shell reads its state by itself: to start a program it blocks signals for a moment.
  Outcome(
      Running("cd '" + directory_.path() +
              "'; echo \"$#:$1:$2\" > arguments; cat > input; env > variables; "
              "ls /proc/$$/fd > descriptors; while read name value; do echo \"$name$value\"; done "
              "< /proc/$$/status > signals"));
  close(inherited);
  std::signal(SIGPIPE, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
  EXPECT_EQ(directory_.Read("arguments"), "2:one:two words\n");
  EXPECT_EQ(directory_.Read("input"), "");
  EXPECT_THAT(directory_.Read("variables"), HasSubstr("PATH="));
  EXPECT_EQ(directory_.Read("descriptors").find("77\n"), std::string::npos);
  const std::string signals = directory_.Read("signals");
  EXPECT_THAT(signals, HasSubstr("SigBlk:0000000000000000"));
  const auto ignored = std::stoull(signals.substr(signals.find("SigIgn:") + 7), nullptr, 16);
  EXPECT_EQ(ignored & (1ull << (SIGPIPE - 1)), 0u);
}

TEST_F(ProcessSourceTest, NeverQuotesWhatAFailingProgramSays) {
  EXPECT_THAT(Outcome(Running("echo fake-secret >&2; echo fake-secret; exit 3")),
              AllOf(StartsWith("unavailable"), HasSubstr("/tool' ended with status 3"),
                    HasSubstr("by hand")));
  EXPECT_THAT(Outcome(Running("kill -KILL $$")), HasSubstr("was ended by signal 9"));
}

TEST_F(ProcessSourceTest, RefusesACommandThatCannotBeRun) {
  EXPECT_THAT(Outcome(SourceOf("/no/such/tool --key fake-argument")),
              AllOf(StartsWith("configuration"), HasSubstr("'/no/such/tool' cannot be started")));
  EXPECT_THAT(Outcome(SourceOf(directory_.Write("plain", "", 0600))), HasSubstr("Permission"));
  EXPECT_THAT(Outcome(SourceOf("tool 'fake-open")), HasSubstr("quotation mark"));
  EXPECT_THAT(Outcome(SourceOf("")), HasSubstr("names no program"));
  EXPECT_THAT(Outcome(SourceOf("\n  tool = fake-nested")), HasSubstr("below its name"));
}

TEST_F(ProcessSourceTest, LimitsWhatAProgramPrints) {
  EXPECT_THAT(Outcome(SourceOf("yes fake-flood")), HasSubstr("more than the limit"));
}

TEST_F(ProcessSourceTest, EndsAProgramAndItsChildrenAtTheDeadline) {
  const SourcePtr source =
      Running("sleep 1000 & echo $! > '" + directory_.Path("half") + "'; mv '" +
              directory_.Path("half") + "' '" + directory_.Path("pid") + "'; exec sleep 1000");
  const std::jthread turner([this] {
    AwaitFile("pid");
    clock_.fake().Advance(std::chrono::minutes(2));
  });
  EXPECT_THAT(Outcome(source), AllOf(StartsWith("unavailable"), HasSubstr("did not end in time")));
  const std::string status = "/proc/" + std::to_string(std::stoi(directory_.Read("pid"))) + "/stat";
  // It may take the kernel, or whoever inherits it, a moment.
  const auto end = steady_clock::now() + std::chrono::seconds(10);
  const auto is_alive = [&] {
    std::ifstream file(status);
    std::string text((std::istreambuf_iterator<char>(file)), {});
    return !text.empty() && text.find(") Z ") == std::string::npos;
  };
  while (is_alive() && steady_clock::now() < end) std::this_thread::yield();
  EXPECT_FALSE(is_alive());
}

TEST_F(ProcessSourceTest, EndsAProgramThatWentToAnotherGroup) {
  const SourcePtr source = Running(
      "exec python3 -c 'import os, time\n"
      "os.setpgid(0, os.getpgid(os.getppid()))\nopen(\"" +
      directory_.Path("started") + "\", \"w\")\ntime.sleep(1000)'");
  const std::jthread turner([this] {
    AwaitFile("started");
    clock_.fake().Advance(std::chrono::minutes(2));
  });
  EXPECT_THAT(Outcome(source), AllOf(StartsWith("unavailable"), HasSubstr("did not end in time")));
}

TEST_F(ProcessSourceTest, PrintsNowhereElseWhereDescriptorsRunOut) {
  const SourcePtr source = Printing("{" + std::string(kKeys) + "}");
  struct rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const struct rlimit few{.rlim_cur = 64, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  std::vector<int> taken;
  for (int fd = dup(STDIN_FILENO); fd >= 0; fd = dup(STDIN_FILENO)) taken.push_back(fd);
  ASSERT_GE(taken.size(), 2u);
  for (int pipe_end = 0; pipe_end < 2; ++pipe_end) {
    close(taken.back());
    taken.pop_back();
  }
  EXPECT_THAT(Outcome(source), AllOf(StartsWith("unavailable"), HasSubstr("cannot be started")));
  for (const int fd : taken) close(fd);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST_F(ProcessSourceTest, EndsAProgramThatNobodyWaitsForAnyMore) {
  const SourcePtr source =
      Running("exec 1>&-; : > '" + directory_.Path("started") + "'; exec sleep 1000");
  std::stop_source stop;
  const std::jthread stopper([&] {
    AwaitFile("started");
    stop.request_stop();
  });
  net::Call call = Soon();
  call.stop = stop.get_token();
  const auto offer = source->Get(call);
  ASSERT_FALSE(offer);
  EXPECT_THAT(offer.error().reason(), HasSubstr("nobody waits"));
}

TEST_F(ProcessSourceTest, DoesNotWaitForWhatAProgramLeavesRunning) {
  const std::string json = directory_.Write("json", "{" + std::string(kKeys) + "}");
  const SourcePtr source =
      Running("cat '" + json + "'; sleep 1000 & echo $! > '" + directory_.Path("pid") + "'");
  EXPECT_EQ(Outcome(source), "AKIDFAKE");
  EXPECT_EQ(kill(std::stoi(directory_.Read("pid")), SIGKILL), 0) << "it may go on";
}

TEST_F(ProcessSourceTest, WorksWhereTheHostIgnoresItsChildren) {
  std::signal(SIGCHLD, SIG_IGN);
  EXPECT_EQ(Outcome(Printing("{" + std::string(kKeys) + "}")), "AKIDFAKE");
  std::signal(SIGCHLD, SIG_DFL);
}

}  // namespace
}  // namespace qarion::secrets::aws
