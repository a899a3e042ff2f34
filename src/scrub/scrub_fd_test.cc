#include "qarion/secrets/scrub_fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>
#include <utility>

#include "tests/support/temporary_directory.h"

namespace qarion::secrets {
namespace {

// A descriptor that leads to a file, and what is in the file.
class ScrubFdTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = directory_.Path("log");
    descriptor_ = open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND, 0600);
    ASSERT_GE(descriptor_, 0);
    scrubber_.Add("hunter2-prod");
  }
  void TearDown() override { close(descriptor_); }

  void Write(const std::string& text) const {
    ASSERT_EQ(write(descriptor_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  std::string Log() const {
    std::string text(1 << 20, '\0');
    const ssize_t size = pread(descriptor_, text.data(), text.size(), 0);
    text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return text;
  }

  test::TemporaryDirectory directory_;
  std::string path_;
  int descriptor_ = -1;
  Scrubber scrubber_;
};

TEST_F(ScrubFdTest, ScrubsWhatIsWrittenToTheDescriptor) {
  auto scrubbed = ScrubFd(descriptor_, scrubber_);
  ASSERT_TRUE(scrubbed);
  Write("pw=hunter2");
  Write("-prod\n");
  ASSERT_TRUE(scrubbed->Close());
  EXPECT_EQ(Log(), "pw=***\n");
}

TEST_F(ScrubFdTest, LeadsToTheSamePlaceAfterClose) {
  {
    auto scrubbed = ScrubFd(descriptor_, scrubber_);
  }
  Write("hunter2-prod");
  EXPECT_EQ(Log(), "hunter2-prod");
}

TEST_F(ScrubFdTest, PassesOnWhatWasHeldWhenItCloses) {
  auto scrubbed = ScrubFd(descriptor_, scrubber_);
  ASSERT_TRUE(scrubbed);
  Write("Password: hunter2-pro");
  ASSERT_TRUE(scrubbed->Close());
  EXPECT_EQ(Log(), "Password: hunter2-pro");
}

TEST_F(ScrubFdTest, ScrubsWhatChildrenWrite) {
  auto scrubbed = ScrubFd(descriptor_, scrubber_);
  ASSERT_TRUE(scrubbed);
  const pid_t child = fork();
  if (child == 0) {
    static_cast<void>(!write(descriptor_, "child hunter2-prod\n", 19));
    _exit(0);
  }
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  ASSERT_TRUE(scrubbed->Close());
  EXPECT_EQ(Log(), "child ***\n");
}

TEST_F(ScrubFdTest, DoesNotWaitForChildrenThatLiveOn) {
  auto scrubbed = ScrubFd(descriptor_, scrubber_);
  ASSERT_TRUE(scrubbed);
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  Write("hunter2-prod.");
  EXPECT_TRUE(scrubbed->Close());
  EXPECT_EQ(Log(), "***.");
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

TEST_F(ScrubFdTest, ScrubsWhatIsStillInBuffersWhenItCloses) {
  std::FILE* const file = fdopen(dup(descriptor_), "w");
  ASSERT_NE(file, nullptr);
  {
    auto scrubbed = ScrubFd(fileno(file), scrubber_);
    ASSERT_TRUE(scrubbed);
    std::fputs("pw=hunter2-prod\n", file);
  }
  std::fclose(file);
  EXPECT_EQ(Log(), "pw=***\n");
}

TEST_F(ScrubFdTest, IsLeftAloneByAForkedChildThatDestroysItsCopy) {
  auto scrubbed = ScrubFd(descriptor_, scrubber_);
  ASSERT_TRUE(scrubbed);
  const pid_t child = fork();
  if (child == 0) {
    {
      const ScrubbedFd gone = std::move(*scrubbed);
    }
    _exit(0);
  }
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  Write("hunter2-prod.");
  ASSERT_TRUE(scrubbed->Close());
  EXPECT_EQ(Log(), "***.");
}

TEST_F(ScrubFdTest, TakesMoreThanAPipeHolds) {
  auto scrubbed = ScrubFd(descriptor_, scrubber_);
  ASSERT_TRUE(scrubbed);
  std::string expected;
  for (int i = 0; i < 20000; ++i) {
    Write("line hunter2-prod\n");
    expected += "line ***\n";
  }
  ASSERT_TRUE(scrubbed->Close());
  EXPECT_TRUE(Log() == expected);
}

TEST_F(ScrubFdTest, TellsOfATargetThatTakesNothing) {
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  auto scrubbed = ScrubFd(full, scrubber_);
  ASSERT_TRUE(scrubbed);
  ASSERT_EQ(write(full, "lost", 4), 4);
  const Status closed = scrubbed->Close();
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error().code(), ErrorCode::kIo);
  close(full);
}

TEST_F(ScrubFdTest, RefusesWhatIsNotOpenForWriting) {
  EXPECT_EQ(ScrubFd(999, scrubber_).error().code(), ErrorCode::kUsage);
  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(ScrubFd(null, scrubber_).error().code(), ErrorCode::kUsage);
  close(null);
}

}  // namespace
}  // namespace qarion::secrets
