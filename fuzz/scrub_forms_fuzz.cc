// The forms of any value.
//
// Input: a byte, the shortest length that counts (0 to 15; 0 is the default rule), and the value.
#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "require.h"
#include "scrub/forms.h"
#include "scrub/lines.h"

namespace scrub = qarion::secrets::scrub;

namespace {

constexpr std::size_t kDefaultMinLength = 4;

// The most that encoders write, and what is written of any value as it is.
constexpr std::size_t kMostEncoded = std::size_t{8} << 20;
constexpr std::size_t kMostPerByte = 32;

std::string Hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    hex += kDigits[static_cast<unsigned char>(c) >> 4];
    hex += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return hex;
}

void RequireFitting(const scrub::FormText& form) {
  Require(!form.text.empty());
  if (form.spelling != scrub::Spelling::kAsIs) {
    const scrub::Spelled spelled(form.spelling, form.source);
    Require(spelled.size() == form.text.size() && spelled.StartsWith(form.text));
  }
  if (!form.is_base64) return;
  const scrub::Base64Edges& edges = form.edges;
  Require(form.form == qarion::secrets::ScrubForm::kBase64 && form.text.size() >= 4);
  Require((edges.lead_bits + 6 * form.text.size() + edges.trail_bits) % 8 == 0);
  Require(edges.lead_value < 1 << edges.lead_bits && edges.trail_value < 1 << edges.trail_bits);
}

// One text may be spelled in two ways: base64 of zeros is the same with other bits at its edges.
using Told = std::tuple<std::string, bool, std::array<unsigned, 4>>;

Told ToldOf(const scrub::FormText& form) {
  const scrub::Base64Edges& edges = form.edges;
  return {std::string(form.text),
          form.is_base64,
          {edges.lead_bits, edges.lead_value, edges.trail_bits, edges.trail_value}};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const scrub::FormRules rules{.min_length = data[0] % std::size_t{16}};
  const std::string_view value(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::size_t shortest = rules.min_length == 0 ? kDefaultMinLength : rules.min_length;
  const bool is_word = rules.min_length == 0 && value.size() < shortest;

  std::set<std::string, std::less<>> texts;
  std::set<Told> told;
  std::size_t bytes = 0;
  scrub::ForEachForm(value, rules, [&](const scrub::FormText& form) {
    RequireFitting(form);
    Require(form.only_as_word == is_word);
    // A character of three bytes has two in UTF-16.
    const bool may_be_shorter = form.form == qarion::secrets::ScrubForm::kUtf16;
    Require(is_word || (may_be_shorter ? 3 : 2) * form.text.size() >= 2 * shortest);
    Require(told.insert(ToldOf(form)).second);
    texts.emplace(form.text);
    bytes += form.text.size();
  });

  // White space alone is no secret.
  if (value.size() < std::max<std::size_t>(rules.min_length, 1) || scrub::IsWhiteSpace(value)) {
    Require(texts.empty());
    return 0;
  }
  Require(texts.contains(value));
  Require(bytes <= kMostEncoded + kMostPerByte * value.size());
  if (is_word) return 0;
  // Line breaks at the end are not encoded with it.
  const std::string_view line = value.substr(0, value.find_last_not_of("\r\n") + 1);
  if (line.size() >= shortest) Require(texts.contains(Hex(line)));
  return 0;
}
