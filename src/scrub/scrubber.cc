#include "qarion/secrets/scrubber.h"

#include <utility>

#include "scrub/pattern_set.h"
#include "scrub/stream_state.h"

namespace qarion::secrets {

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
  std::string scrubbed;
  scrubbed.reserve(text.size());
  internal::StreamState stream(
      patterns_, [&](std::string_view bytes) { scrubbed.append(bytes); }, nullptr);
  stream.Write(text);
  stream.Finish();
  return scrubbed;
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
