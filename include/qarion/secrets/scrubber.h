// Keeps secret values out of text: every occurrence becomes `***`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <qarion/secrets/export.h>
#include <qarion/secrets/scrub_forms.h>
#include <qarion/secrets/secret.h>

namespace qarion::secrets {

namespace internal {
class PatternSet;
class StreamState;
}  // namespace internal

// What stands in a secret's place.
inline constexpr std::string_view kMask = "***";

struct ScrubberOptions {
  // The spellings of each value that are masked beside the value itself.
  ScrubForms forms = ScrubForms::All();
  // Values, and lines and parts of them, of fewer bytes are let through. With 0, values of less
  // than 4 bytes are masked only where they stand as whole words, others everywhere.
  std::size_t min_length = 0;
  std::string mask{kMask};
  // Values that are let through although they are added: "true", "postgres" ...
  std::vector<std::string> allow;
};

struct NamedSecret {
  std::string name;  // what is told of an occurrence instead of the value
  Secret value;
};

// The set of values to be masked.
//
// Guarantee: every occurrence of every form of every value is covered; overlapping and adjacent
// occurrences merge into one mask; every other byte passes unchanged and in order. Text is bytes:
// no encoding is assumed. Time is linear in the text; its factor grows with how many values begin
// alike.
//
// Thread-safety: every member may be called from several threads; changing the set stops nobody who
// scrubs. Copies are handles to one set.
class QARION_SECRETS_EXPORT Scrubber {
 public:
  Scrubber() : Scrubber(ScrubberOptions()) {}  // an empty set of its own
  explicit Scrubber(ScrubberOptions options);

  // Adds values; they count for everything scrubbed afterwards. The empty value is ignored. Sharing
  // a Secret makes no copy. Many at once are faster than one after the other. Where there is no
  // memory for them, or one has 256 MiB or more, std::bad_alloc is thrown, and none is added.
  void Add(const Secret& value, std::string_view name = {});
  void Add(std::string_view value, std::string_view name = {});
  void Add(std::span<const NamedSecret> values);

  // Takes one Add() of the value back: when all are, it is masked no more.
  void Remove(const Secret& value);
  void Remove(std::string_view value);

  // Returns `text` with every value masked.
  std::string Scrub(std::string_view text) const;

  // Number of distinct values that are masked: without those that are let through.
  std::size_t size() const;

 private:
  friend class StreamScrubber;
  std::shared_ptr<internal::PatternSet> patterns_;
};

// Scrubs a stream that arrives in pieces: what comes out does not depend on how it was cut. A byte
// is held back only while it could be the beginning of a value; all others leave during the Write()
// that brought them. A value added to the set meanwhile applies to every byte not yet passed on.
//
// Where the sink throws, what it did not take is lost and the next Write() begins a new stream.
//
// Thread-safety: one thread at a time; several streams may share one set.
// Lifetime: keeps the set alive; `sink` must stay callable until the stream is gone.
class QARION_SECRETS_EXPORT StreamScrubber {
 public:
  // Called with what may be seen, in order, in pieces of any size. The view is valid during the
  // call.
  using Sink = std::function<void(std::string_view)>;

  // What was masked: bytes `begin` to `end` of the stream, and whose value is in them. Overlapping
  // occurrences of one value are one.
  struct Occurrence {
    std::string_view name;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };
  // Called for each, in the order of their beginnings as far as they were passed on together.
  using Listener = std::function<void(const Occurrence&)>;

  StreamScrubber(const Scrubber& scrubber, Sink sink, Listener listener = nullptr);
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
