// The scrubber with all forms against the oracle: any values, any text, any cuts.
//
// Input: a byte that says how the text is cut, then up to four values, each a length byte and so
// many bytes, up to a length of 0; the rest says how the text is made, see MakeText().
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "qarion/secrets/scrubber.h"
#include "require.h"
#include "scrub/scrub_oracle.h"

namespace qarion::secrets {
namespace {

constexpr std::size_t kLongestText = 2048;  // the oracle is slow
constexpr std::size_t kMostValues = 4;
constexpr std::size_t kLongestValue = 96;

std::size_t TakeByte(std::string_view& input) {
  if (input.empty()) return 0;
  const auto byte = static_cast<unsigned char>(input.front());
  input.remove_prefix(1);
  return byte;
}

std::string_view Take(std::string_view& input, std::size_t length) {
  const std::string_view taken = input.substr(0, length);
  input.remove_prefix(taken.size());
  return taken;
}

std::vector<std::string> TakeValues(std::string_view& input) {
  std::vector<std::string> values;
  while (!input.empty() && values.size() < kMostValues) {
    const std::size_t length = TakeByte(input) % kLongestValue;
    if (length == 0) break;
    values.emplace_back(Take(input, length));
  }
  return values;
}

std::string Base64(std::string_view bytes, std::size_t width) {
  static constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  std::size_t column = 0;
  const auto put = [&](char c) {
    if (width != 0 && column == width) {
      text += '\n';
      column = 0;
    }
    text += c;
    ++column;
  };
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = i; j < i + 3; ++j) {
      group = group << 8 | (j < bytes.size() ? static_cast<unsigned char>(bytes[j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      put(i + j > bytes.size() ? '=' : kAlphabet[group >> (18 - 6 * j) & 63]);
    }
  }
  return text;
}

// Bytes as they are up to 0xEF; from there on what is put in instead: a form, its beginning or end,
// or base64 of what follows with a value in it, in one line or in several.
std::string MakeText(std::string_view input, const std::vector<std::string>& values,
                     const std::vector<scrub::OracleForm>& forms) {
  std::string text;
  while (!input.empty() && text.size() < kLongestText) {
    const std::size_t order = TakeByte(input);
    if (order < 0xF0 || forms.empty()) {
      text += static_cast<char>(order);
      continue;
    }
    const std::string& form = forms[TakeByte(input) % forms.size()].text;
    const std::string& value = values[order % values.size()];
    switch (order & 3) {
      case 0: text += form; break;
      case 1: text += form.substr(0, TakeByte(input) % (form.size() + 1)); break;
      case 2: text += form.substr(TakeByte(input) % form.size()); break;
      default: {
        const std::string_view before = Take(input, TakeByte(input) % 100);
        const std::string_view after = Take(input, TakeByte(input) % 100);
        const std::size_t width = (order & 8) == 0 ? 0 : (order & 4) == 0 ? 64 : 76;
        text += Base64(std::string(before) + value + std::string(after), width);
      }
    }
  }
  text.resize(std::min(text.size(), kLongestText));
  return text;
}

// Pieces of 0 to 7 bytes or, half of the time, 0 to 127, from a generator seeded by the input.
std::string Streamed(const Scrubber& scrubber, std::string_view text, std::uint32_t random) {
  std::string seen;
  StreamScrubber stream(scrubber, [&](std::string_view bytes) { seen += bytes; });
  const std::uint32_t longest = random % 2 == 0 ? 7 : 127;
  while (!text.empty()) {
    random = random * 1664525 + 1013904223;
    stream.Write(Take(text, (random >> 16) & longest));
  }
  stream.Finish();
  return seen;
}

}  // namespace
}  // namespace qarion::secrets

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qarion::secrets;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.empty()) return 0;
  const auto cut = static_cast<std::uint32_t>(TakeByte(input));
  const std::vector<std::string> values = TakeValues(input);
  const std::vector<scrub::OracleForm> forms = scrub::OracleFormsOf(values);
  const std::string text = MakeText(input, values, forms);

  Scrubber scrubber;
  for (const std::string& value : values) scrubber.Add(value);
  const std::string expected = scrub::OracleScrubForms(forms, text);
  Require(scrubber.Scrub(text) == expected);
  Require(Streamed(scrubber, text, cut) == expected);
  return 0;
}
