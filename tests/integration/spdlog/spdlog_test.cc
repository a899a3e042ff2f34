// The scrubber behind real spdlog loggers.
#include "qarion/secrets/spdlog.h"

#include <gtest/gtest.h>
#include <spdlog/async.h>
#include <spdlog/sinks/ostream_sink.h>

#include <memory>
#include <sstream>
#include <string>

namespace qarion::secrets {
namespace {

class SpdlogTest : public testing::Test {
 protected:
  void SetUp() override {
    scrubber_.Add("hunter2-prod");
    sink_ = std::make_shared<spdlog::sinks::ostream_sink_mt>(out_);
    sink_->set_pattern("%n %l %v");
  }

  std::ostringstream out_;
  std::shared_ptr<spdlog::sinks::sink> sink_;
  Scrubber scrubber_;
};

TEST_F(SpdlogTest, ScrubsMessagesInThePatternOfTheSink) {
  const auto logger = Scrubbed(std::make_shared<spdlog::logger>("db", sink_), scrubber_);
  logger->warn("password {} refused", "hunter2-prod");
  logger->info(R"({{"password":"{}"}})", "hunter2-prod");
  EXPECT_EQ(out_.str(), "db warning password *** refused\ndb info {\"password\":\"***\"}\n");
}

TEST_F(SpdlogTest, ScrubsTheNameOfTheLogger) {
  Scrubbed(std::make_shared<spdlog::logger>("hunter2-prod", sink_), scrubber_)->info("text");
  EXPECT_EQ(out_.str(), "*** info text\n");
}

TEST_F(SpdlogTest, KeepsLevelsAndTheOldLogger) {
  const auto plain = std::make_shared<spdlog::logger>("db", sink_);
  plain->set_level(spdlog::level::err);
  const auto logger = Scrubbed(plain, scrubber_);
  logger->warn("not logged");
  plain->error("hunter2-prod");
  EXPECT_EQ(out_.str(), "db error hunter2-prod\n");
}

TEST_F(SpdlogTest, PassesPatternsOn) {
  const auto logger = Scrubbed(std::make_shared<spdlog::logger>("db", sink_), scrubber_);
  logger->set_pattern("<%v>");
  logger->info("hunter2-prod");
  EXPECT_EQ(out_.str(), "<***>\n");
}

TEST_F(SpdlogTest, ScrubsTheBacktrace) {
  const auto logger = Scrubbed(std::make_shared<spdlog::logger>("db", sink_), scrubber_);
  logger->enable_backtrace(4);
  logger->debug("held hunter2-prod");
  logger->dump_backtrace();
  EXPECT_NE(out_.str().find("held ***"), std::string::npos);
  EXPECT_EQ(out_.str().find("hunter2"), std::string::npos);
}

TEST_F(SpdlogTest, ScrubsAsynchronousLoggers) {
  auto pool = std::make_shared<spdlog::details::thread_pool>(64, 1);
  const auto logger =
      Scrubbed(std::make_shared<spdlog::async_logger>("db", sink_, pool), scrubber_);
  logger->info("hunter2-prod");
  logger->flush();
  pool.reset();  // waits for the thread
  EXPECT_EQ(out_.str(), "db info ***\n");
}

TEST_F(SpdlogTest, ScrubsInThePlaceOfAFlag) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<ScrubbedMessageFlag>('*', scrubber_).set_pattern("[%n] %*");
  sink_->set_formatter(std::move(formatter));
  spdlog::logger("db", sink_).info("pw hunter2-prod");
  EXPECT_EQ(out_.str(), "[db] pw ***\n");
}

}  // namespace
}  // namespace qarion::secrets
