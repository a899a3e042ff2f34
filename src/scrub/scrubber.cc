#include "qarion/secrets/scrubber.h"

#include <array>
#include <utility>

#include "scrub/pattern_set.h"
#include "scrub/stream_state.h"

namespace qarion::secrets {

Scrubber::Scrubber() : patterns_(std::make_shared<internal::PatternSet>()) {}

void Scrubber::Add(const Secret& value) { patterns_->Add(value); }

void Scrubber::Add(std::string_view value) { patterns_->Add(value); }

std::size_t Scrubber::size() const { return patterns_->size(); }

std::string Scrubber::Scrub(std::string_view text) const {
  // Most text is clean: nothing is set up before the first match.
  std::array<scrub::Match, 1> first;
  scrub::MatchState fresh;
  if (patterns_->Compiled().matcher->Scan(text, fresh, first).matches == 0) {
    return std::string(text);
  }
  std::string scrubbed;
  scrubbed.reserve(text.size());
  internal::StreamState stream(patterns_, [&](std::string_view bytes) { scrubbed.append(bytes); });
  stream.Write(text);
  stream.Finish();
  return scrubbed;
}

StreamScrubber::StreamScrubber(const Scrubber& scrubber, Sink sink)
    : state_(std::make_unique<internal::StreamState>(scrubber.patterns_, std::move(sink))) {}

StreamScrubber::~StreamScrubber() = default;
StreamScrubber::StreamScrubber(StreamScrubber&&) noexcept = default;
StreamScrubber& StreamScrubber::operator=(StreamScrubber&&) noexcept = default;

void StreamScrubber::Write(std::string_view bytes) { state_->Write(bytes); }

void StreamScrubber::Finish() { state_->Finish(); }

std::size_t StreamScrubber::held() const noexcept { return state_->held(); }

}  // namespace qarion::secrets
