// Keeps secret values out of text: every occurrence becomes `***`.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <qarion/secrets/export.h>
#include <qarion/secrets/secret.h>

namespace qarion::secrets {

namespace internal {
class PatternSet;
class StreamState;
}  // namespace internal

// What stands in a secret's place.
inline constexpr std::string_view kMask = "***";

// The set of values to be masked.
//
// Guarantee: every occurrence of every value is covered; overlapping and adjacent occurrences merge
// into one mask; every other byte passes unchanged and in order. Text is bytes: no encoding is
// assumed. Time is linear in the text whatever text and values are.
//
// Thread-safety: every member may be called from several threads. Copies are handles to one set.
class QARION_SECRETS_EXPORT Scrubber {
 public:
  Scrubber();  // an empty set of its own

  // Adds a value; it counts for everything scrubbed afterwards. The empty value is ignored.
  // Sharing a Secret makes no copy.
  void Add(const Secret& value);
  void Add(std::string_view value);

  // Returns `text` with every value masked.
  std::string Scrub(std::string_view text) const;

  // Number of distinct values.
  std::size_t size() const;

 private:
  friend class StreamScrubber;
  std::shared_ptr<internal::PatternSet> patterns_;
};

// Scrubs a stream that arrives in pieces: what comes out does not depend on how it was cut. A byte
// is held back only while it could be the beginning of a value; all others leave during the Write()
// that brought them. A value added to the set meanwhile applies to every byte not yet passed on.
//
// Thread-safety: one thread at a time; several streams may share one set.
// Lifetime: keeps the set alive; `sink` must stay callable until the stream is gone.
class QARION_SECRETS_EXPORT StreamScrubber {
 public:
  // Called with what may be seen, in order, in pieces of any size. The view is valid during the
  // call.
  using Sink = std::function<void(std::string_view)>;

  StreamScrubber(const Scrubber& scrubber, Sink sink);
  ~StreamScrubber();  // wipes what is held; does not pass it on
  StreamScrubber(StreamScrubber&&) noexcept;
  StreamScrubber& operator=(StreamScrubber&&) noexcept;

  void Write(std::string_view bytes);

  // The stream ends: passes on what was held back. The next Write() begins a new stream.
  void Finish();

  // Number of bytes held back now.
  std::size_t held() const noexcept;

 private:
  std::unique_ptr<internal::StreamState> state_;
};

}  // namespace qarion::secrets
