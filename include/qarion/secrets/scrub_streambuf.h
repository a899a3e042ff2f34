// Scrubs what a program writes through the streams of the standard library.
#pragma once

#include <mutex>
#include <ostream>
#include <streambuf>
#include <string_view>

#include <qarion/secrets/export.h>
#include <qarion/secrets/scrubber.h>

namespace qarion::secrets {

// Stands before another buffer and passes on to it what may be seen. Flushing flushes the other
// one; what could be the beginning of a value stays held until it is decided or this buffer goes.
//
// Thread-safety: may be written to from several threads, as std::clog may. Lifetime: `target` must
// outlive it.
class QARION_SECRETS_EXPORT ScrubStreambuf : public std::streambuf {
 public:
  ScrubStreambuf(std::streambuf& target, const Scrubber& scrubber);
  ~ScrubStreambuf() override;  // passes on what was held back
  ScrubStreambuf(const ScrubStreambuf&) = delete;
  ScrubStreambuf& operator=(const ScrubStreambuf&) = delete;

 protected:
  int_type overflow(int_type byte) override;
  std::streamsize xsputn(const char* bytes, std::streamsize count) override;
  int sync() override;

 private:
  bool Write(std::string_view bytes);

  std::mutex mutex_;
  std::streambuf& target_;
  bool failed_ = false;
  StreamScrubber stream_;
};

// Scrubs a stream for as long as it lives:
//
//   secrets::ScrubbedStream log(std::clog, runtime->scrubber());
//
// Thread-safety: make and destroy it while nobody else writes to the stream. Lifetime: the stream
// must outlive it.
class QARION_SECRETS_EXPORT ScrubbedStream {
 public:
  ScrubbedStream(std::ostream& stream, const Scrubber& scrubber);
  ~ScrubbedStream();
  ScrubbedStream(const ScrubbedStream&) = delete;
  ScrubbedStream& operator=(const ScrubbedStream&) = delete;

 private:
  std::ostream& stream_;
  std::streambuf* before_;
  ScrubStreambuf buffer_;
};

}  // namespace qarion::secrets
