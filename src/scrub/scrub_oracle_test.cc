// Random values, texts, cuts and moments of adding, against the oracle.
#include "scrub/scrub_oracle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scrub/kernels.h"
#include "tests/support/raw_scrubber.h"
#include "tests/support/sanitizers.h"

namespace qarion::secrets::scrub {
namespace {

using test::ScrubberFor;

// Sanitizers take ten times as long; the fuzz targets go on where this ends.
constexpr int Rounds(int count) {
  return test::kHasAddressSanitizer || test::kHasThreadSanitizer ? count / 10 : count;
}

class Dice {
 public:
  explicit Dice(unsigned seed) : generator_(seed) {}
  std::size_t Between(std::size_t low, std::size_t high) {
    return std::uniform_int_distribution<std::size_t>(low, high)(generator_);
  }
  // Few letters, so that overlaps and shared beginnings are the rule; values of two or three of
  // them go through the automaton.
  std::string Text(std::size_t letters, std::size_t shortest, std::size_t longest) {
    std::string text(Between(shortest, longest), 'a');
    for (char& c : text) c = static_cast<char>('a' + Between(0, letters - 1));
    return text;
  }
  std::vector<std::string> Values(std::size_t letters) {
    const std::size_t shortest = Between(1, 9);
    const std::size_t longest = shortest + Between(0, 12);
    std::vector<std::string> values(Between(1, 8));
    for (std::string& value : values) value = Text(letters, shortest, longest);
    return values;
  }
  std::string Printable(std::size_t shortest, std::size_t longest) {
    std::string text(Between(shortest, longest), ' ');
    for (char& c : text)
      c = static_cast<char>(Between(0, 3) == 0 ? Between(32, 126) : Between('a', 'd'));
    return text;
  }
  std::string LongValue(std::size_t letters, const std::vector<std::string>& others) {
    std::string value;
    const std::size_t length = Between(0, 1) == 0 ? Between(50, 80) : Between(1, 300);
    if (Between(0, 3) == 0) {
      const std::string unit = Text(letters, 1, 9);
      while (value.size() < length) value += unit;
      value.resize(length);
      if (Between(0, 1) == 0) value[Between(0, length - 1)] = 'z';
    } else {
      value = Text(letters, length, length);
    }
    if (!others.empty() && Between(0, 3) == 0) {
      const std::string& other = others[Between(0, others.size() - 1)];
      value = other.substr(Between(0, other.size() - 1)) + Text(letters, 0, 30);
      if (Between(0, 1) == 0) value = Text(letters, 0, 70) + value;
    }
    return value;
  }
  // Letters with values and pieces of values strewn in.
  std::string TextAbout(const std::vector<std::string>& values, std::size_t letters) {
    std::string text;
    for (std::size_t i = Between(0, 12); i > 0; --i) {
      const std::string& value = values[Between(0, values.size() - 1)];
      text += Between(0, 1) == 0 ? value : value.substr(0, Between(0, value.size()));
      text += Text(letters, 0, Between(0, 3) == 0 ? 60 : 4);
    }
    return text;
  }

 private:
  std::mt19937 generator_;
};

// In pieces of up to `longest_piece` bytes; `look` is called behind each with what was written.
std::string Streamed(
    const Scrubber& scrubber, std::string_view text, Dice& dice, std::size_t longest_piece,
    const std::function<void(const StreamScrubber&, std::string_view)>& look = nullptr) {
  std::string seen;
  StreamScrubber stream(scrubber, [&](std::string_view bytes) { seen += bytes; });
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.size(), begin + dice.Between(0, longest_piece));
    stream.Write(text.substr(begin, end - begin));
    begin = end;
    if (look) look(stream, text.substr(0, begin));
  }
  stream.Finish();
  return seen;
}

// In lines, some of them in two pieces.
std::string StreamedByLines(const Scrubber& scrubber, std::string_view text, Dice& dice) {
  std::string seen;
  StreamScrubber stream(scrubber, [&](std::string_view bytes) { seen += bytes; });
  while (!text.empty()) {
    const std::size_t line = std::min(text.find('\n'), text.size() - 1) + 1;
    const std::size_t piece = dice.Between(0, 3) == 0 ? dice.Between(1, line) : line;
    stream.Write(text.substr(0, piece));
    text.remove_prefix(piece);
  }
  stream.Finish();
  return seen;
}

std::string Described(const std::vector<std::string>& values, const std::string& text) {
  std::string description = "values:";
  for (const std::string& value : values) description += " " + value;
  return description + "\ntext: " + text;
}

TEST(ScrubOracle, AgreesOnWholeTexts) {
  Dice dice(1);
  for (int round = 0; round < Rounds(20000); ++round) {
    const std::size_t letters = dice.Between(1, 6);
    const std::vector<std::string> values = dice.Values(letters);
    const std::string text = dice.TextAbout(values, letters);
    ASSERT_EQ(ScrubberFor(values).Scrub(text), OracleScrub(values, text))
        << Described(values, text);
  }
}

// Many values that have most of their bytes in common, as numbered ones do, and keys with a header:
// more than there is room for where their grams lead.
std::vector<std::string> Crowd(Dice& dice, std::size_t count) {
  const std::string common = dice.Text(26, 0, 80);
  const std::string end = dice.Text(26, 0, 20);
  std::vector<std::string> values(count);
  for (std::string& value : values) {
    value = common + dice.Text(2, 1, 10) + (dice.Between(0, 1) == 0 ? end : "");
    if (dice.Between(0, 9) == 0) value.resize(dice.Between(1, value.size()));
  }
  return values;
}

std::vector<NamedSecret> Named(std::span<const std::string> values) {
  std::vector<NamedSecret> named;
  for (const std::string& value : values) {
    named.push_back({.name = {}, .value = Secret::CopyOf(value)});
  }
  return named;
}

TEST(ScrubOracle, AgreesWhereManyValuesHaveMostOfTheirBytesInCommon) {
  Dice dice(7);
  for (int round = 0; round < Rounds(1000); ++round) {
    const bool is_large = round % 20 == 0;  // a crowd that makes the table be built anew
    const std::vector<std::string> values =
        Crowd(dice, is_large ? dice.Between(400, 800) : dice.Between(50, 200));
    Scrubber scrubber({.forms = {ScrubForm::kRaw}, .min_length = 1});
    const std::size_t at_once = dice.Between(0, values.size());
    scrubber.Add(Named(std::span(values).first(at_once)));
    for (std::size_t i = at_once; i < values.size(); ++i) scrubber.Add(values[i]);
    const std::string text = dice.TextAbout(values, 2) + dice.Text(26, 0, 10);
    const std::string expected = OracleScrub(values, text);
    ASSERT_EQ(scrubber.Scrub(text), expected) << Described(values, text);
    ASSERT_EQ(Streamed(scrubber, text, dice, dice.Between(1, 100)), expected)
        << Described(values, text);
  }
}

TEST(ScrubOracle, AgreesWhereverTheStreamIsCutAndHoldsNothingMore) {
  Dice dice(2);
  for (int round = 0; round < Rounds(20000); ++round) {
    const std::size_t letters = dice.Between(1, 6);
    const std::vector<std::string> values = dice.Values(letters);
    const std::string text = dice.TextAbout(values, letters);
    const std::size_t longest_piece = dice.Between(1, 30);
    std::string seen;
    StreamScrubber stream(ScrubberFor(values), [&](std::string_view bytes) { seen += bytes; });
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.size(), begin + dice.Between(0, longest_piece));
      stream.Write(std::string_view(text).substr(begin, end - begin));
      begin = end;
      const std::string_view written = std::string_view(text).substr(0, begin);
      ASSERT_LE(stream.held(), OraclePending(values, written)) << Described(values, text);
    }
    stream.Finish();
    ASSERT_EQ(stream.held(), 0u);
    ASSERT_EQ(seen, OracleScrub(values, text)) << Described(values, text);
  }
}

TEST(ScrubOracle, AgreesOnValuesOfSeveralLinesThatAreWrittenLineByLine) {
  Dice dice(13);
  for (int round = 0; round < Rounds(5000); ++round) {
    std::vector<std::string> values = dice.Values(4);
    for (std::size_t at = 0, count = values.size(); at < count; ++at) {
      std::string value = values[at];
      for (std::size_t i = dice.Between(0, 2); i > 0; --i) {
        value.insert(dice.Between(0, value.size()), "\n");
      }
      // Without those at its ends it is to be masked too.
      const std::size_t first = value.find_first_not_of('\n');
      values.push_back(value.substr(first, value.find_last_not_of('\n') + 1 - first));
      values[at] = std::move(value);
    }
    const std::string text = dice.TextAbout(values, 4);
    std::string seen;
    StreamScrubber stream(ScrubberFor(values), [&](std::string_view bytes) { seen += bytes; });
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size() - 1) + 1;
      stream.Write(std::string_view(text).substr(begin, end - begin));
      begin = end;
      const std::string_view written = std::string_view(text).substr(0, begin);
      ASSERT_LE(stream.held(), OraclePending(values, written)) << Described(values, text);
    }
    stream.Finish();
    ASSERT_EQ(seen, OracleScrub(values, text)) << Described(values, text);
  }
}

// A value added before any byte of its occurrences was passed on is masked as if it had always been
// there. Here everything is still held, because the first value begins with the whole first piece.
TEST(ScrubOracle, AgreesWithValuesAddedWhileBytesAreHeld) {
  Dice dice(3);
  for (int round = 0; round < Rounds(10000); ++round) {
    std::vector<std::string> values = dice.Values(2);
    const std::string first = dice.Text(2, 1, 20);
    values.insert(values.begin(), first + "-end");
    const std::string rest = dice.TextAbout(values, 2);
    Scrubber scrubber({.forms = {ScrubForm::kRaw}, .min_length = 1});
    scrubber.Add(values.front());
    std::string seen;
    StreamScrubber stream(scrubber, [&](std::string_view bytes) { seen += bytes; });
    stream.Write(first);
    ASSERT_EQ(seen, "");
    for (const std::string& value : values) scrubber.Add(value);
    const std::size_t cut = dice.Between(0, rest.size());
    stream.Write(std::string_view(rest).substr(0, cut));
    stream.Write(std::string_view(rest).substr(cut));
    stream.Finish();
    ASSERT_EQ(seen, OracleScrub(values, first + rest)) << Described(values, first + "|" + rest);
  }
}

// Values about as long as what is looked for again after a cut, and much longer ones, that repeat
// themselves or contain each other.
TEST(ScrubOracle, AgreesOnLongValuesWhereverTheStreamIsCut) {
  Dice dice(5);
  for (int round = 0; round < Rounds(2000); ++round) {
    const std::size_t letters = dice.Between(0, 2) == 0 ? dice.Between(1, 2) : dice.Between(3, 26);
    std::vector<std::string> values;
    for (std::size_t i = dice.Between(1, 5); i > 0; --i)
      values.push_back(dice.LongValue(letters, values));
    std::string text = dice.TextAbout(values, letters);
    if (dice.Between(0, 9) == 0) text += std::string(dice.Between(1, 200), 'a');
    const Scrubber scrubber = ScrubberFor(values);
    const std::string expected = OracleScrub(values, text);
    ASSERT_EQ(scrubber.Scrub(text), expected) << Described(values, text);
    for (const std::size_t longest_piece : {2U, 40U, 300U}) {
      const auto holds_no_more = [&](const StreamScrubber& stream, std::string_view written) {
        ASSERT_LE(stream.held(), OraclePending(values, written)) << Described(values, text);
      };
      ASSERT_EQ(Streamed(scrubber, text, dice, longest_piece, holds_no_more), expected)
          << Described(values, text);
    }
  }
}

TEST(ScrubOracle, AgreesOnThousandsOfValuesInALog) {
  Dice dice(4);
  std::vector<std::string> values(2000);
  for (std::string& value : values) value = dice.Text(26, 8, 40);
  std::string text;
  for (int line = 0; line < 300; ++line) {
    text += "level=info " + dice.Text(26, 5, 60) + "=";
    const std::string& value = values[dice.Between(0, values.size() - 1)];
    text += line % 3 == 0 ? value : value.substr(0, value.size() - 1);
    text += '\n';
  }
  EXPECT_EQ(ScrubberFor(values).Scrub(text), OracleScrub(values, text));
}

// A few values of six and seven bytes among many longer ones, and sometimes one that is shorter
// still, at both ends of texts of all sizes about that of a batch.
TEST(ScrubOracle, AgreesOnAFewShortValuesBesideManyOthers) {
  Dice dice(12);
  for (int round = 0; round < Rounds(200); ++round) {
    std::vector<std::string> values(3000);
    for (std::string& value : values) value = dice.Text(26, 12, 40);
    std::vector<std::string> few(dice.Between(1, 4));
    for (std::string& value : few) value = dice.Text(5, 6, 7);
    if (dice.Between(0, 4) == 0) few.push_back(dice.Text(5, 4, 5));
    values.insert(values.end(), few.begin(), few.end());
    Scrubber scrubber({.forms = {ScrubForm::kRaw}, .min_length = 1});
    const std::size_t at_once = values.size() - dice.Between(0, 10);
    scrubber.Add(Named(std::span(values).first(at_once)));
    for (std::size_t i = at_once; i < values.size(); ++i) scrubber.Add(values[i]);
    for (int i = 0; i < 20; ++i) {
      const std::size_t size =
          i < 10 ? dice.Between(0, 40) : dice.Between(kBatchBytes - 40, kBatchBytes + 60);
      std::string text = dice.Text(26, size, size);
      for (const std::size_t at : {dice.Between(0, size), size - dice.Between(0, size) % 60}) {
        const std::string& value = few[dice.Between(0, few.size() - 1)];
        text.replace(at, value.size(), value);
        text.resize(size);
      }
      // The others are too long to be in it by chance.
      const std::string expected = OracleScrub(few, text);
      ASSERT_EQ(scrubber.Scrub(text), expected) << Described(few, text);
      ASSERT_EQ(Streamed(scrubber, text, dice, dice.Between(1, 2 * kBatchBytes)), expected)
          << Described(few, text);
    }
  }
}

std::string Base64(std::string_view bytes) {
  static constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = i; j < i + 3; ++j) {
      group = group << 8 | (j < bytes.size() ? static_cast<unsigned char>(bytes[j]) : 0U);
    }
    for (int shift = 18; shift >= 0; shift -= 6) text += kAlphabet[group >> shift & 63];
  }
  for (std::size_t i = bytes.size(); i % 3 != 0; ++i) text[text.size() - (3 - i % 3)] = '=';
  return text;
}

// Values of all lengths in all their forms, whole and cut off, with anything beside them.
TEST(ScrubOracle, AgreesOnAllFormsWhereverTheStreamIsCut) {
  Dice dice(6);
  for (int round = 0; round < Rounds(1500); ++round) {
    std::vector<std::string> values(dice.Between(1, 4));
    for (std::string& value : values) value = dice.Printable(1, dice.Between(0, 3) == 0 ? 90 : 14);
    const std::vector<OracleForm> forms = OracleFormsOf(values);
    std::string text;
    for (std::size_t i = dice.Between(1, 12); i > 0; --i) {
      const std::string& form = forms[dice.Between(0, forms.size() - 1)].text;
      const std::string& value = values[dice.Between(0, values.size() - 1)];
      switch (dice.Between(0, 3)) {
        case 0: text += form.substr(0, dice.Between(0, form.size())); break;
        case 1: text += Base64(dice.Printable(0, 5) + value + dice.Printable(0, 5)); break;
        default: text += form;
      }
      if (dice.Between(0, 2) != 0) text += dice.Printable(1, 5);
    }
    Scrubber scrubber;
    for (const std::string& value : values) scrubber.Add(value);
    const std::string expected = OracleScrubForms(forms, text);
    ASSERT_EQ(scrubber.Scrub(text), expected) << Described(values, text);
    for (const std::size_t longest_piece : {1U, 30U, 200U}) {
      ASSERT_EQ(Streamed(scrubber, text, dice, longest_piece), expected) << Described(values, text);
    }
  }
}

TEST(ScrubOracle, AgreesOnAllFormsOfManyValuesWithMostOfTheirBytesInCommon) {
  Dice dice(11);
  for (int round = 0; round < Rounds(100); ++round) {
    std::vector<std::string> values = Crowd(dice, dice.Between(30, 150));
    for (std::string& value : values) {
      if (dice.Between(0, 4) != 0) continue;
      using namespace std::string_view_literals;
      constexpr std::array kOthers = {"\n"sv, " "sv, "\""sv, "&"sv, "\xc3\xa4"sv, "\xff"sv, "\0"sv};
      value.insert(dice.Between(0, value.size()), kOthers[dice.Between(0, kOthers.size() - 1)]);
    }
    const std::vector<OracleForm> forms = OracleFormsOf(values);
    std::string text;
    for (std::size_t i = dice.Between(5, 20); i > 0; --i) {
      const std::string& form = forms[dice.Between(0, forms.size() - 1)].text;
      text += form.substr(0, dice.Between(0, 2) == 0 ? dice.Between(0, form.size()) : form.size());
      if (dice.Between(0, 2) != 0) text += dice.Printable(1, 5);
    }
    Scrubber scrubber;
    const std::size_t at_once = dice.Between(0, values.size());
    scrubber.Add(Named(std::span(values).first(at_once)));
    for (std::size_t i = at_once; i < values.size(); ++i) scrubber.Add(values[i]);
    const std::string expected = OracleScrubForms(forms, text);
    ASSERT_EQ(scrubber.Scrub(text), expected) << Described(values, text);
    for (const std::size_t longest_piece : {1U, 20U, 150U}) {
      ASSERT_EQ(Streamed(scrubber, text, dice, longest_piece), expected) << Described(values, text);
    }
  }
}

// Values come and go in the middle of a block, which changes nothing for those that stay.
TEST(ScrubOracle, AgreesOnBase64InLinesWhileTheSetChanges) {
  Dice dice(9);
  for (int round = 0; round < Rounds(500); ++round) {
    const bool repeats_itself = dice.Between(0, 3) == 0;
    const std::vector<std::string> values = {
        repeats_itself ? std::string(dice.Between(60, 90), 'a') + "b" : dice.Printable(8, 100)};
    const std::string characters =
        Base64(dice.Printable(0, 150) + values[0] + dice.Printable(0, 90));
    std::string text = "sum " + std::string(64, 'f') + "\n";
    const std::size_t width = dice.Between(0, 1) == 0 ? 64 : 76;
    for (std::size_t i = 0; i < characters.size(); ++i) {
      if (i != 0 && i % width == 0) text += '\n';
      text += characters[i];
    }
    text += "\n";
    Scrubber scrubber;
    scrubber.Add(values[0]);
    std::string seen;
    StreamScrubber stream(scrubber, [&](std::string_view bytes) { seen += bytes; });
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.size(), begin + dice.Between(1, 90));
      stream.Write(std::string_view(text).substr(begin, end - begin));
      begin = end;
      const std::string other = "another-value-" + std::to_string(begin) + "\x01";
      if (dice.Between(0, 1) == 0) {
        scrubber.Add(other);
      } else {
        scrubber.Remove(other);
      }
    }
    stream.Finish();
    ASSERT_EQ(seen, OracleScrubForms(OracleFormsOf(values), text)) << Described(values, text);
  }
}

// What is scrubbed holds no form of a value, and scrubbing it again changes nothing. Not so of
// words, which a mask beside them makes whole, and of values with asterisks.
TEST(ScrubOracle, FindsNothingInWhatIsScrubbed) {
  Dice dice(8);
  for (int round = 0; round < Rounds(1000); ++round) {
    std::vector<std::string> values(dice.Between(1, 4));
    for (std::string& value : values) {
      value = dice.Printable(4, 40);
      std::ranges::replace(value, '*', '+');
    }
    const std::vector<OracleForm> forms = OracleFormsOf(values);
    Scrubber scrubber;
    for (const std::string& value : values) scrubber.Add(value);
    std::string text;
    for (int i = 0; i < 20; ++i) {
      text += forms[dice.Between(0, forms.size() - 1)].text + dice.Printable(0, 5);
    }
    const std::string scrubbed = scrubber.Scrub(text);
    for (const OracleForm& form : forms) {
      if (form.only_as_word || form.text.find('*') != std::string::npos) continue;
      ASSERT_EQ(scrubbed.find(form.text), std::string::npos) << Described(values, text);
    }
    ASSERT_EQ(scrubber.Scrub(scrubbed), scrubbed) << Described(values, text);
  }
}

// Blocks of base64 between other lines.
TEST(ScrubOracle, AgreesOnBase64InLinesWhereverTheStreamIsCut) {
  Dice dice(7);
  for (int round = 0; round < Rounds(1000); ++round) {
    std::vector<std::string> values(dice.Between(1, 3));
    for (std::string& value : values) value = dice.Printable(4, dice.Between(0, 2) == 0 ? 200 : 20);
    // Its base64 goes through the automaton.
    if (dice.Between(0, 4) == 0) values[0] = std::string(dice.Between(60, 90), 'a') + "b";
    std::string text;
    for (std::size_t blocks = dice.Between(1, 3); blocks > 0; --blocks) {
      if (dice.Between(0, 3) != 0) text += dice.Printable(0, 90) + "\nblock: ";
      std::string bytes;
      for (std::size_t i = dice.Between(1, 5); i > 0; --i) {
        bytes += dice.Printable(0, 60);
        const std::string& value = values[dice.Between(0, values.size() - 1)];
        bytes += dice.Between(0, 3) != 0 ? value : value.substr(0, dice.Between(1, value.size()));
      }
      const std::size_t width = dice.Between(0, 1) == 0 ? 64 : 76;
      const std::string line_break = (dice.Between(0, 1) == 0 ? "\n" : "\r\n") +
                                     std::string(dice.Between(0, 2) == 0 ? 4 : 0, ' ');
      std::string characters = Base64(bytes);
      for (std::size_t end = width; end < characters.size(); end += width + line_break.size()) {
        characters.insert(end, line_break);
      }
      // Behind another block of such lines, in the last one of them.
      const bool is_behind_other = width == 64 && dice.Between(0, 2) == 0;
      if (is_behind_other) text += "\n" + std::string(76, 'A') + line_break + "BBBBBBBBBBB=";
      text += characters + "\n";
    }
    const std::string expected = OracleScrubForms(OracleFormsOf(values), text);
    Scrubber scrubber;
    for (const std::string& value : values) scrubber.Add(value);
    ASSERT_EQ(scrubber.Scrub(text), expected) << Described(values, text);
    for (const std::size_t longest_piece : {1U, 30U, 200U}) {
      ASSERT_EQ(Streamed(scrubber, text, dice, longest_piece), expected) << Described(values, text);
    }
    for (int i = 0; i < 3; ++i) {
      ASSERT_EQ(StreamedByLines(scrubber, text, dice), expected) << Described(values, text);
    }
  }
}

}  // namespace
}  // namespace qarion::secrets::scrub
