// The scrubber against the oracle: any values, any text, any cuts.
//
// Input: a byte that says how the text is cut, then values, each a length byte and so many bytes,
// up to a length of 0; the rest is the text.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "qarion/secrets/scrubber.h"
#include "scrub/forms.h"
#include "scrub/scrub_oracle.h"

namespace qarion::secrets {
namespace {

constexpr std::size_t kLongestText = 4096;  // the oracle is slow
constexpr std::size_t kMostValues = 32;

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "scrub_fuzz: %s\n", what);
  std::abort();
}

std::vector<std::string> TakeValues(std::string_view& input) {
  std::vector<std::string> values;
  while (!input.empty() && values.size() < kMostValues) {
    const std::size_t length = static_cast<unsigned char>(input.front()) % 64;
    input.remove_prefix(1);
    if (length == 0) break;
    values.emplace_back(input.substr(0, length));
    input.remove_prefix(std::min(length, input.size()));
  }
  return values;
}

// What is looked for: the raw form of a value is also what is left without white space and quotes
// around it, or without backslashes.
constexpr ScrubForm kForm = ScrubForm::kRaw;
std::vector<std::string> SpellingsOf(const std::vector<std::string>& values) {
  std::vector<std::string> spellings;
  for (const std::string& value : values) {
    scrub::ForEachForm(value, {.forms = {kForm}, .min_length = 1},
                       [&](const scrub::FormText& form) { spellings.emplace_back(form.text); });
  }
  return spellings;
}

// Pieces of 0 to 15 bytes or, half of the time, 0 to 127, from a generator seeded by the input.
std::string Streamed(const Scrubber& scrubber, const std::vector<std::string>& spellings,
                     std::string_view text, std::uint32_t random) {
  std::string seen;
  StreamScrubber stream(scrubber, [&](std::string_view bytes) { seen += bytes; });
  const std::uint32_t longest = random % 2 == 0 ? 15 : 127;
  for (std::size_t begin = 0; begin < text.size();) {
    random = random * 1664525 + 1013904223;
    const std::size_t length = (random >> 16) & longest;
    stream.Write(text.substr(begin, length));
    begin = std::min(text.size(), begin + length);
    Require(stream.held() <= scrub::OraclePending(spellings, text.substr(0, begin)),
            "bytes are held that cannot begin a value");
  }
  stream.Finish();
  return seen;
}

// Adds half of the values in the middle of the text. Where all that was written is still held, they
// count as if they had been there from the start.
void CheckAddingMeanwhile(const std::vector<std::string>& values, std::string_view text) {
  Scrubber scrubber({.forms = {kForm}, .min_length = 1});
  const std::size_t known = values.size() / 2;
  for (std::size_t i = 0; i < known; ++i) scrubber.Add(values[i]);
  std::string seen;
  StreamScrubber stream(scrubber, [&](std::string_view bytes) { seen += bytes; });
  const std::size_t half = text.size() / 2;
  stream.Write(text.substr(0, half));
  const std::size_t held = stream.held();
  for (std::size_t i = known; i < values.size(); ++i) scrubber.Add(values[i]);
  stream.Write(text.substr(half));
  stream.Finish();
  if (held == half) {
    Require(seen == scrub::OracleScrub(SpellingsOf(values), text),
            "added values do not apply to held bytes");
  }
}

}  // namespace
}  // namespace qarion::secrets

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qarion::secrets;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.empty()) return 0;
  const auto cut = static_cast<unsigned char>(input.front());
  input.remove_prefix(1);
  const std::vector<std::string> values = TakeValues(input);
  const std::string_view text = input.substr(0, kLongestText);

  Scrubber scrubber({.forms = {kForm}, .min_length = 1});
  for (const std::string& value : values) scrubber.Add(value);
  const std::string expected = scrub::OracleScrub(SpellingsOf(values), text);
  Require(scrubber.Scrub(text) == expected, "Scrub() differs from the oracle");
  Require(Streamed(scrubber, SpellingsOf(values), text, cut) == expected,
          "the stream differs from the oracle");
  CheckAddingMeanwhile(values, text);
  return 0;
}
