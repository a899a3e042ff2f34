// Scrubs what is logged with spdlog. Needs spdlog itself, which the library does not: include this
// header only where spdlog's are found.
#pragma once

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qarion/secrets/runtime.h>
#include <qarion/secrets/scrubber.h>

namespace qarion::secrets {

// Stands before another sink: scrubs message and logger name before that sink formats them, so that
// its pattern, colours and time stamps stay as they are. Each message is scrubbed by itself.
//
// Thread-safety: that of the other sink.
class ScrubSink final : public spdlog::sinks::sink {
 public:
  ScrubSink(std::shared_ptr<spdlog::sinks::sink> target, Scrubber scrubber)
      : target_(std::move(target)), scrubber_(std::move(scrubber)) {
    set_level(target_->level());
  }

  void log(const spdlog::details::log_msg& message) override {
    const std::string text = scrubber_.Scrub(View(message.payload));
    const std::string name = scrubber_.Scrub(View(message.logger_name));
    spdlog::details::log_msg scrubbed = message;
    scrubbed.payload = text;
    scrubbed.logger_name = name;
    target_->log(scrubbed);
  }
  void flush() override { target_->flush(); }
  void set_pattern(const std::string& pattern) override { target_->set_pattern(pattern); }
  void set_formatter(std::unique_ptr<spdlog::formatter> formatter) override {
    target_->set_formatter(std::move(formatter));
  }

 private:
  static std::string_view View(spdlog::string_view_t text) { return {text.data(), text.size()}; }

  std::shared_ptr<spdlog::sinks::sink> target_;
  Scrubber scrubber_;
};

// A logger like `logger`, under the same name, whose sinks write nothing that `scrubber` masks:
//
//   spdlog::set_default_logger(secrets::Scrubbed(spdlog::default_logger(), *runtime));
//
// Its backtrace, if enabled, holds messages as they were logged; they are scrubbed when dumped.
inline std::shared_ptr<spdlog::logger> Scrubbed(const std::shared_ptr<spdlog::logger>& logger,
                                                const Scrubber& scrubber) {
  std::shared_ptr<spdlog::logger> scrubbed = logger->clone(logger->name());
  for (spdlog::sink_ptr& sink : scrubbed->sinks()) {
    sink = std::make_shared<ScrubSink>(std::move(sink), scrubber);
  }
  return scrubbed;
}
inline std::shared_ptr<spdlog::logger> Scrubbed(const std::shared_ptr<spdlog::logger>& logger,
                                                const Runtime& runtime) {
  return Scrubbed(logger, runtime.scrubber());
}

// A flag for patterns of one's own, in the place of %v:
//
//   auto formatter = std::make_unique<spdlog::pattern_formatter>();
//   formatter->add_flag<secrets::ScrubbedMessageFlag>('*', scrubber).set_pattern("[%H:%M:%S] %*");
class ScrubbedMessageFlag final : public spdlog::custom_flag_formatter {
 public:
  explicit ScrubbedMessageFlag(Scrubber scrubber) : scrubber_(std::move(scrubber)) {}

  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    const std::string text = scrubber_.Scrub({message.payload.data(), message.payload.size()});
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<spdlog::custom_flag_formatter> clone() const override {
    return std::make_unique<ScrubbedMessageFlag>(scrubber_);
  }

 private:
  Scrubber scrubber_;
};

}  // namespace qarion::secrets
