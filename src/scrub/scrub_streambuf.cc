#include "qarion/secrets/scrub_streambuf.h"

namespace qarion::secrets {

ScrubStreambuf::ScrubStreambuf(std::streambuf& target, const Scrubber& scrubber)
    : target_(target), stream_(scrubber, [this](std::string_view bytes) {
        const auto size = static_cast<std::streamsize>(bytes.size());
        if (!failed_ && target_.sputn(bytes.data(), size) != size) failed_ = true;
      }) {}

ScrubStreambuf::~ScrubStreambuf() {
  try {
    stream_.Finish();
    target_.pubsync();
  } catch (...) {  // the target threw: there is nobody to tell
    failed_ = true;
  }
}

bool ScrubStreambuf::Write(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  failed_ = false;
  stream_.Write(bytes);
  return !failed_;
}

ScrubStreambuf::int_type ScrubStreambuf::overflow(int_type byte) {
  if (traits_type::eq_int_type(byte, traits_type::eof())) return traits_type::not_eof(byte);
  const char one = traits_type::to_char_type(byte);
  return Write({&one, 1}) ? byte : traits_type::eof();
}

std::streamsize ScrubStreambuf::xsputn(const char* bytes, std::streamsize count) {
  return Write({bytes, static_cast<std::size_t>(count)}) ? count : 0;
}

int ScrubStreambuf::sync() {
  const std::lock_guard lock(mutex_);
  return target_.pubsync();
}

ScrubbedStream::ScrubbedStream(std::ostream& stream, const Scrubber& scrubber)
    : stream_(stream), before_(stream.rdbuf()), buffer_(*before_, scrubber) {
  stream_.rdbuf(&buffer_);
}

ScrubbedStream::~ScrubbedStream() { stream_.rdbuf(before_); }

}  // namespace qarion::secrets
