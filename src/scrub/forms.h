// Writes a value in every way in which it may turn up in text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "qarion/secrets/scrub_forms.h"
#include "scrub/spelling.h"

namespace qarion::secrets::scrub {

// Base64 of a value that stands at any place in longer data: only the characters that the value
// determines wholly are literal. The one before and the one after them may carry some of its bits.
struct Base64Edges {
  // The lowest `lead_bits` (0, 2 or 4) of the 6 bits of the character before are the value's first
  // bits, `lead_value`; the highest `trail_bits` of the character after are its last ones.
  std::uint8_t lead_bits = 0;
  std::uint8_t lead_value = 0;
  std::uint8_t trail_bits = 0;
  std::uint8_t trail_value = 0;
};

// One spelling. The view is valid during the call.
struct FormText {
  std::string_view text;
  ScrubForm form = ScrubForm::kRaw;
  bool is_base64 = false;  // then `edges` count, and a line break may stand in it
  bool only_as_word = false;
  Base64Edges edges;
  // Where the text is that spelling of a plaintext: which one, of those of the value, and its
  // bytes.
  Spelling spelling = Spelling::kAsIs;
  std::uint32_t plaintext = 0;
  std::string_view source;
};

// Which values and forms count.
struct FormRules {
  ScrubForms forms = ScrubForms::All();
  // Shorter values, lines and parts are left out. 0 is the default rule: values of less than 4
  // bytes only as whole words and in no form but the raw one, lines and parts from 4 bytes on.
  std::size_t min_length = 0;
};

// Calls `emit` with each distinct spelling of `value`, none empty; first with the value itself,
// then in the order of how much they matter: a value of more than 64 KiB is not written in all
// families where that would be more than some 110 MiB. What is secret inside the value is what
// parts.h says.
//
// What it works with is in secret memory and wiped, but for traces in registers and on the stack,
// which core::WipeTraces() removes: once, after many values.
void ForEachForm(std::string_view value, const FormRules& rules,
                 const std::function<void(const FormText&)>& emit);

}  // namespace qarion::secrets::scrub
