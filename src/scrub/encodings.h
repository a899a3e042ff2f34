// The families of encoders. Each adds what its encoders make of a value.
#pragma once

#include <cstdint>
#include <string_view>

#include "scrub/byte_set.h"
#include "scrub/form_sink.h"
#include "scrub/spelling.h"

namespace qarion::secrets::scrub {

struct Plaintext {
  Plaintext(std::uint32_t its_number, std::string_view of)
      : number(its_number), text(of), bytes(of) {}

  std::uint32_t number;  // among those of a value
  std::string_view text;
  ByteSet bytes;  // those in the text: most texts have none that an encoder would change
};

void AddBase64(const Plaintext& plain, FormSink& sink);
void AddHex(const Plaintext& plain, FormSink& sink);
void AddPercent(const Plaintext& plain, FormSink& sink);
void AddJson(const Plaintext& plain, FormSink& sink);
void AddShell(const Plaintext& plain, FormSink& sink);
void AddXml(const Plaintext& plain, FormSink& sink);
void AddC(const Plaintext& plain, FormSink& sink);
void AddUtf16(const Plaintext& plain, FormSink& sink);

// `about`: all but its text and what that is spelled from.
inline void AddSpelled(const Plaintext& plain, FormText about, FormSink& sink) {
  about.plaintext = plain.number;
  about.source = plain.text;
  sink.AddWritten(about, [&](SecretBuffer& out) {
    const Spelled text(about.spelling, plain.text);
    text.CopyTo(out.Spare(text.size()));
    out.Grow(text.size());
  });
}

// Appends `text`. Of each byte in `changed`, and of what follows it as far as that belongs to it,
// `replace` appends what stands for it instead and returns how many bytes that was. It is given
// the text from there on.
template <typename Replace>
void AppendChanged(std::string_view text, const ByteSet& changed, SecretBuffer& out,
                   Replace replace) {
  while (true) {
    const std::size_t same = changed.LengthWithout(text);
    out.Append(text.substr(0, same));
    text.remove_prefix(same);
    if (text.empty()) return;
    text.remove_prefix(replace(text));
  }
}

}  // namespace qarion::secrets::scrub
