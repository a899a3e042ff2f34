#include "qarion/secrets/scrubber.h"

#include <utility>

#include "scrub/covered_ranges.h"
#include "scrub/pattern_set.h"
#include "scrub/scanner.h"
#include "scrub/stream_state.h"
#include "scrub/wrapped_base64.h"

namespace qarion::secrets {
namespace {

// What is found in a text that is all there. Most texts are clean: nothing is allocated for them.
class MaskedText final : public scrub::OccurrenceSink {
 public:
  void OnOccurrence(const scrub::Pattern&, scrub::Offset begin, scrub::Offset end) override {
    covered_.Add({.begin = begin, .end = end});
  }

  std::string Of(std::string_view text, std::string_view mask) {
    if (covered_.empty()) return std::string(text);
    std::string masked;
    masked.reserve(text.size());
    std::size_t passed = 0;
    for (covered_.Settle(); !covered_.empty(); covered_.RemoveFront()) {
      const auto [begin, end] = covered_.front();
      masked.append(text, passed, begin - passed).append(mask);
      passed = end;
    }
    return masked.append(text, passed);
  }

 private:
  scrub::CoveredRanges covered_;
};

}  // namespace

Scrubber::Scrubber(ScrubberOptions options)
    : patterns_(std::make_shared<internal::PatternSet>(std::move(options))) {}

void Scrubber::Add(const Secret& value, std::string_view name) { patterns_->Add(value, name); }

void Scrubber::Add(std::string_view value, std::string_view name) {
  patterns_->Add(Secret::CopyOf(value), name);
}

void Scrubber::Add(std::span<const NamedSecret> values) { patterns_->Add(values); }

void Scrubber::Remove(const Secret& value) { patterns_->Remove(value.Reveal()); }

void Scrubber::Remove(std::string_view value) { patterns_->Remove(value); }

std::size_t Scrubber::size() const { return patterns_->size(); }

std::string Scrubber::Scrub(std::string_view text) const {
  const internal::CurrentView view = patterns_->Current();
  MaskedText masked;
  scrub::Scanner scanner;
  scanner.LookAtWhole(*view.index, text, masked);
  if (view.index->has_base64) {
    scrub::WrappedBase64().Look(*view.index, {}, text, scanner.line_ends(), 0, masked);
  }
  return masked.Of(text, patterns_->options().mask);
}

StreamScrubber::StreamScrubber(const Scrubber& scrubber, Sink sink, Listener listener)
    : state_(std::make_unique<internal::StreamState>(scrubber.patterns_, std::move(sink),
                                                     std::move(listener))) {}

StreamScrubber::~StreamScrubber() = default;
StreamScrubber::StreamScrubber(StreamScrubber&&) noexcept = default;
StreamScrubber& StreamScrubber::operator=(StreamScrubber&&) noexcept = default;

void StreamScrubber::Write(std::string_view bytes) { state_->Write(bytes); }

void StreamScrubber::Finish() { state_->Finish(); }

std::size_t StreamScrubber::held() const noexcept { return state_->held(); }

}  // namespace qarion::secrets
