#include "qarion/secrets/scrub_streambuf.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string_view>
#include <thread>
#include <vector>

namespace qarion::secrets {
namespace {

class ScrubStreambufTest : public testing::Test {
 protected:
  void SetUp() override { scrubber_.Add("hunter2-prod"); }

  Scrubber scrubber_;
  std::ostringstream out_;
};

TEST_F(ScrubStreambufTest, ScrubsAStreamForAsLongAsItLives) {
  {
    const ScrubbedStream scrubbed(out_, scrubber_);
    out_ << "pw=hunter2" << '-' << "prod" << std::endl << 42 << ".";
    EXPECT_EQ(out_.str(), "pw=***\n42.");
  }
  out_ << " hunter2-prod";
  EXPECT_EQ(out_.str(), "pw=***\n42. hunter2-prod");
}

TEST_F(ScrubStreambufTest, PassesOnWhatWasHeldAtTheEnd) {
  {
    const ScrubbedStream scrubbed(out_, scrubber_);
    out_ << "hunter2" << std::flush;
    EXPECT_EQ(out_.str(), "");
  }
  EXPECT_EQ(out_.str(), "hunter2");
}

TEST_F(ScrubStreambufTest, MayBeWrittenToByThreads) {
  ScrubStreambuf buffer(*out_.rdbuf(), scrubber_);
  {
    std::vector<std::jthread> writers;
    for (int i = 0; i < 4; ++i) {
      writers.emplace_back([&] {
        for (int j = 0; j < 1000; ++j) buffer.sputn("hunter2-prod.", 13);
      });
    }
  }
  EXPECT_EQ(out_.str().size(), 4000 * std::string_view("***.").size());
}

TEST_F(ScrubStreambufTest, TellsTheStreamOfATargetThatTakesNothing) {
  std::stringbuf read_only("", std::ios::in);
  ScrubStreambuf buffer(read_only, scrubber_);
  std::ostream stream(&buffer);
  stream << "text";
  EXPECT_TRUE(stream.bad());
}

}  // namespace
}  // namespace qarion::secrets
