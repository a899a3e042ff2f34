#include "runtime/module_probe.h"

#include <dirent.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace qarion::secrets::runtime {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(ModuleProbe, SaysNothingOfATrialThatComesBack) {
  EXPECT_EQ(TryInChild([] {}, seconds(5)), std::nullopt);
}

TEST(ModuleProbe, LeavesThisProcessAsItWas) {
  int touched = 0;
  EXPECT_EQ(TryInChild([&] { touched = 1; }, seconds(5)), std::nullopt);
  EXPECT_EQ(touched, 0);
}

TEST(ModuleProbe, NamesTheSignalThatEndedTheChild) {
  EXPECT_EQ(TryInChild([] { raise(SIGSEGV); }, seconds(5)),
            "was ended by signal 11 (Segmentation fault)");
}

TEST(ModuleProbe, NamesTheSignalThoughThisProcessHandlesIt) {
  struct sigaction handler{};
  handler.sa_handler = [](int) { _exit(0); };
  struct sigaction before{};
  sigaction(SIGTERM, &handler, &before);
  EXPECT_EQ(TryInChild([] { raise(SIGTERM); }, seconds(5)), "was ended by signal 15 (Terminated)");
  sigaction(SIGTERM, &before, nullptr);
}

TEST(ModuleProbe, NamesTheStatusOfAChildThatExits) {
  EXPECT_EQ(TryInChild([] { _exit(3); }, seconds(5)), "ended the process with status 3");
}

TEST(ModuleProbe, TakesAnExceptionForAnEnd) {
  EXPECT_NE(TryInChild([] { throw std::runtime_error("fake"); }, seconds(5)), std::nullopt);
}

TEST(ModuleProbe, EndsAChildThatDoesNotComeBack) {
  EXPECT_EQ(TryInChild(
                [] {
                  for (;;) pause();
                },
                milliseconds(50)),
            "did not come back within 50 ms");
}

TEST(ModuleProbe, LeavesNoZombie) {
  static_cast<void>(TryInChild([] { raise(SIGKILL); }, seconds(5)));
  static_cast<void>(TryInChild(
      [] {
        for (;;) pause();
      },
      milliseconds(10)));
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(ModuleProbe, WorksWhereChildrenAreReapedByTheKernel) {
  const auto before = std::signal(SIGCHLD, SIG_IGN);
  EXPECT_EQ(TryInChild([] {}, seconds(5)), std::nullopt);
  EXPECT_EQ(TryInChild([] { raise(SIGKILL); }, seconds(5)), "ended the process");
  std::signal(SIGCHLD, before);
}

TEST(ModuleProbe, PrintsNothing) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  static_cast<void>(TryInChild(
      [] {
        std::fputs("fake", stdout);
        std::fputs("fake", stderr);
        std::fflush(nullptr);
      },
      seconds(5)));
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

int OpenDescriptors() {
  int count = 0;
  DIR* const directory = opendir("/proc/self/fd");
  while (readdir(directory) != nullptr) ++count;
  closedir(directory);
  return count;
}

TEST(ModuleProbe, LeavesNoDescriptorOpen) {
  const int before = OpenDescriptors();
  static_cast<void>(TryInChild([] {}, seconds(5)));
  static_cast<void>(TryInChild([] { _exit(3); }, seconds(5)));
  EXPECT_EQ(OpenDescriptors(), before);
}

}  // namespace
}  // namespace qarion::secrets::runtime
