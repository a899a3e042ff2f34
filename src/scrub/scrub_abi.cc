#include "qarion/secrets/scrub_abi.h"

#include <array>
#include <cstddef>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "qarion/secrets/scrubber.h"

using qarion::secrets::ScrubberOptions;
using qarion::secrets::ScrubForm;
using qarion::secrets::ScrubForms;

struct qarion_secrets_scrubber {
  qarion::secrets::Scrubber scrubber;
};

struct qarion_secrets_scrub_stream {
  qarion::secrets::StreamScrubber stream;
};

namespace {

// Whether the caller knows of the member.
template <typename Member>
bool Has(const qarion_secrets_scrub_options& options,
         Member qarion_secrets_scrub_options::* member) {
  const auto* const begin = reinterpret_cast<const char*>(&options);
  const auto* const end = reinterpret_cast<const char*>(&(options.*member)) + sizeof(Member);
  return static_cast<std::size_t>(end - begin) <= options.size;
}

bool ReadOptions(const qarion_secrets_scrub_options& given, ScrubberOptions& options) {
  if (Has(given, &qarion_secrets_scrub_options::forms) && given.forms != 0) {
    if (given.forms >> qarion::secrets::kScrubFormCount != 0) return false;
    options.forms = ScrubForms();
    for (int form = 0; form < qarion::secrets::kScrubFormCount; ++form) {
      if ((given.forms >> form & 1) != 0) options.forms.Add(static_cast<ScrubForm>(form));
    }
  }
  if (Has(given, &qarion_secrets_scrub_options::min_length)) options.min_length = given.min_length;
  if (Has(given, &qarion_secrets_scrub_options::mask) && given.mask != nullptr) {
    options.mask = given.mask;
  }
  return true;
}

template <typename Action>
int Guarded(bool arguments_are_there, Action action) noexcept {
  if (!arguments_are_there) return QARION_SECRETS_SCRUB_BAD_ARGUMENT;
  try {
    action();
    return QARION_SECRETS_SCRUB_OK;
  } catch (...) {  // memory alone can fail
    return QARION_SECRETS_SCRUB_NO_MEMORY;
  }
}

std::string_view View(const char* bytes, std::size_t size) {
  return size == 0 ? std::string_view() : std::string_view(bytes, size);
}

bool IsThere(const char* bytes, std::size_t size) { return bytes != nullptr || size == 0; }

}  // namespace

qarion_secrets_scrubber* qarion_secrets_scrubber_new(const qarion_secrets_scrub_options* options) {
  qarion_secrets_scrubber* made = nullptr;
  static_cast<void>(Guarded(true, [&] {
    ScrubberOptions read;
    if (options != nullptr && !ReadOptions(*options, read)) return;
    made = new qarion_secrets_scrubber{qarion::secrets::Scrubber(std::move(read))};
  }));
  return made;
}

void qarion_secrets_scrubber_free(qarion_secrets_scrubber* scrubber) { delete scrubber; }

int qarion_secrets_scrubber_add(qarion_secrets_scrubber* scrubber, const char* value, size_t size) {
  return Guarded(scrubber != nullptr && IsThere(value, size),
                 [&] { scrubber->scrubber.Add(View(value, size)); });
}

int qarion_secrets_scrubber_remove(qarion_secrets_scrubber* scrubber, const char* value,
                                   size_t size) {
  return Guarded(scrubber != nullptr && IsThere(value, size),
                 [&] { scrubber->scrubber.Remove(View(value, size)); });
}

int qarion_secrets_scrub(const qarion_secrets_scrubber* scrubber, const char* text, size_t size,
                         qarion_secrets_scrub_write write, void* context) {
  return Guarded(scrubber != nullptr && write != nullptr && IsThere(text, size), [&] {
    const std::string scrubbed = scrubber->scrubber.Scrub(View(text, size));
    write(context, scrubbed.data(), scrubbed.size());
  });
}

qarion_secrets_scrub_stream* qarion_secrets_scrub_stream_new(
    const qarion_secrets_scrubber* scrubber, qarion_secrets_scrub_write write, void* context) {
  qarion_secrets_scrub_stream* made = nullptr;
  static_cast<void>(Guarded(scrubber != nullptr && write != nullptr, [&] {
    made = new qarion_secrets_scrub_stream{qarion::secrets::StreamScrubber(
        scrubber->scrubber,
        [write, context](std::string_view bytes) { write(context, bytes.data(), bytes.size()); })};
  }));
  return made;
}

void qarion_secrets_scrub_stream_free(qarion_secrets_scrub_stream* stream) { delete stream; }

int qarion_secrets_scrub_stream_write(qarion_secrets_scrub_stream* stream, const char* bytes,
                                      size_t size) {
  return Guarded(stream != nullptr && IsThere(bytes, size),
                 [&] { stream->stream.Write(View(bytes, size)); });
}

int qarion_secrets_scrub_stream_finish(qarion_secrets_scrub_stream* stream) {
  return Guarded(stream != nullptr, [&] { stream->stream.Finish(); });
}
