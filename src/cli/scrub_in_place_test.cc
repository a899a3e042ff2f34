#include "cli/scrub_in_place.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <stop_token>
#include <string>

#include "tests/support/raw_scrubber.h"
#include "tests/support/temporary_directory.h"

namespace qarion::secrets::cli {
namespace {

constexpr std::size_t kSeveralPieces = 1'000'000;
constexpr char kValue[] = "fake-value";

// Counts each byte once, whatever becomes of the file.
class BytesDone : public testing::Test {
 protected:
  std::uint64_t Of(const std::string& name, std::uint64_t size, const std::stop_token& stop = {}) {
    std::atomic<std::uint64_t> bytes_done{0};
    const FileToScrub file{.path = directory_.Path(name), .bytes = size};
    outcome_ = ScrubInPlace(file, test::ScrubberFor({kValue}), stop, bytes_done);
    return bytes_done;
  }

  const std::string filler_ = std::string(kSeveralPieces, '.');
  const test::TemporaryDirectory directory_;
  ScrubOutcome outcome_;
};

TEST_F(BytesDone, OfAFileThatIsRewritten) {
  for (const std::string& text :
       {kValue + filler_, filler_ + kValue, filler_ + kValue + filler_ + kValue + filler_}) {
    directory_.Write("log", text);
    EXPECT_EQ(Of("log", text.size()), text.size());
    EXPECT_TRUE(outcome_.holds_values);
    EXPECT_FALSE(outcome_.error);
  }
}

TEST_F(BytesDone, OfAFileWithoutValues) {
  directory_.Write("log", filler_);
  EXPECT_EQ(Of("log", filler_.size()), filler_.size());
  EXPECT_FALSE(outcome_.holds_values);
}

TEST_F(BytesDone, OfAFileThatIsLeftAsItIs) {
  const std::string path = directory_.Write("log", kValue + filler_);
  ASSERT_EQ(link(path.c_str(), directory_.Path("other").c_str()), 0);
  const std::uint64_t size = sizeof(kValue) - 1 + filler_.size();
  EXPECT_EQ(Of("log", size), size);
  EXPECT_TRUE(outcome_.error);
}

TEST_F(BytesDone, OfAFileThatIsGone) {
  EXPECT_EQ(Of("gone", 1234), 1234U);
  EXPECT_TRUE(outcome_.error);
}

TEST_F(BytesDone, OfAFileThatASignalEnds) {
  directory_.Write("log", filler_);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(Of("log", filler_.size(), stop.get_token()), filler_.size());
  EXPECT_TRUE(outcome_.error);
}

// What was not known of before counts as it is read, and not for that it is done.
TEST_F(BytesDone, OfAFileThatHasGrown) {
  for (const std::string& text : {filler_, kValue + filler_, filler_ + kValue + filler_}) {
    directory_.Write("log", text);
    EXPECT_EQ(Of("log", 0), text.size());
  }
}

}  // namespace
}  // namespace qarion::secrets::cli
