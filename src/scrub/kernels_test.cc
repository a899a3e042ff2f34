// Every instruction set that this machine has, against a plain loop over the text.
#include "scrub/kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scrub/bytes.h"
#include "scrub/kernel_names.h"
#include "scrub/length_class.h"

namespace qarion::secrets::scrub {
#if defined(__x86_64__)
extern const Kernels kEmulatedAvx512Kernels;
#endif
namespace {

class KernelsTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (Kernel() == nullptr) GTEST_SKIP() << "this processor has no " << GetParam();
  }
  static const Kernels* Kernel() {
#if defined(__x86_64__)
    const bool is_emulated = std::string_view(GetParam()) == "emulated avx512";
    if (is_emulated) return KernelsNamed("avx2") != nullptr ? &kEmulatedAvx512Kernels : nullptr;
#endif
    return KernelsNamed(GetParam());
  }

  static std::size_t Between(std::size_t low, std::size_t high) {
    return std::uniform_int_distribution<std::size_t>(low, high)(Generator());
  }
  static std::string Text(std::string_view alphabet, std::size_t size) {
    std::string text(size, ' ');
    for (char& c : text) c = alphabet[Between(0, alphabet.size() - 1)];
    return text;
  }
  // Bytes in percent-encoding or between colons, from any byte of one of them on. Where
  // `may_break`, one byte may be any other.
  static std::string Pairs(std::size_t size, bool may_break) {
    const char sign = Between(0, 1) == 0 ? '%' : ':';
    const std::size_t first = Between(0, 2);
    std::string text = Text("0123456789abcdef", size);
    for (std::size_t i = first; i < size; i += 3) text[i] = sign;
    if (may_break && Between(0, 1) == 0) text[Between(0, size - 1)] = '-';
    return text;
  }
  static std::mt19937& Generator() {
    static std::mt19937 generator(1);
    return generator;
  }
};

// Letters of all kinds, digits, separators, and bytes that vector instructions treat in their own
// way.
constexpr std::array<std::string_view, 5> kAlphabets = {"ab", "aB1", "abcdefgXYZ0129-. ",
                                                        std::string_view("a\0Z\x7F\x80\xFF", 6),
                                                        "\xC3\xA4\xC3\xB6zQ5"};

// Patterns of a class, and what a plain loop finds of their grams.
struct Patterns {
  Patterns(const ClassShape& shape, const std::vector<std::string>& all)
      : table(shape, all.size()) {
    for (std::size_t i = 0; i < all.size(); ++i)
      table.Insert(static_cast<PatternId>(i), all[i], LengthClass::IfCrowded::kEnter);
  }
  bool IsInFilter(std::string_view text, std::size_t place) const {
    const ProbePlan& plan = table.plan();
    const std::uint64_t gram = LoadWord(text.data() + place, plan.gram_size);
    const Place in_filter = PlaceOf(gram, plan.shift);
    return (~plan.words[in_filter.word] & in_filter.bits) == 0;
  }
  std::vector<std::size_t> PlacesOfGrams(std::string_view text, std::size_t count) const {
    const ProbePlan& plan = table.plan();
    std::vector<std::size_t> places;
    for (std::size_t at = 0; at < count && at + plan.gram_size <= text.size(); at += plan.stride) {
      if (IsInFilter(text, at)) places.push_back(at);
    }
    return places;
  }

  LengthClass table;
};

std::vector<std::size_t> Probe(const Kernels& kernels, std::string_view text, std::size_t count,
                               const ProbePlan& plan) {
  std::vector<std::uint16_t> hits(count + kSpareHits);
  const std::size_t found = kernels.probe(text.data(), text.size(), count, plan, hits.data());
  std::vector<std::size_t> places(hits.begin(), hits.begin() + static_cast<std::ptrdiff_t>(found));
  std::ranges::sort(places);
  return places;
}

TEST_P(KernelsTest, FindWhatIsInTheFilterAndNothingElse) {
  for (const ClassShape& shape : kClassShapes) {
    for (std::size_t size = 0; size <= 200; ++size) {
      for (const std::string_view alphabet : kAlphabets) {
        std::vector<std::string> all(Between(1, 6));
        for (std::string& one : all) one = Text(alphabet, shape.window + Between(0, 20));
        const Patterns patterns(shape, all);
        // On the heap at its exact size, so that a sanitizer sees what is read behind it.
        const std::string random = Text(alphabet, size);
        std::vector<char> text(random.begin(), random.end());
        const std::string_view view(text.data(), text.size());
        const std::size_t count = Between(0, size);
        ASSERT_EQ(Probe(*Kernel(), view, count, patterns.table.plan()),
                  patterns.PlacesOfGrams(view, count))
            << "grams of " << shape.gram_size << ", text of " << size << ", " << count
            << " counted";
      }
    }
  }
}

TEST_P(KernelsTest, FindAsMuchInAWholeBatch) {
  for (const ClassShape& shape : kClassShapes) {
    for (const std::string_view alphabet : kAlphabets) {
      const Patterns patterns(shape, {Text(alphabet, 30)});
      const std::string text = Text(alphabet, kBatchBytes + Between(0, 70));
      EXPECT_EQ(Probe(*Kernel(), text, kBatchBytes, patterns.table.plan()),
                patterns.PlacesOfGrams(text, kBatchBytes));
    }
  }
}

TEST_P(KernelsTest, FindEachPatternWhereverItStands) {
  for (const ClassShape& shape : kClassShapes) {
    for (std::size_t round = 0; round < 400; ++round) {
      const std::string_view alphabet = kAlphabets[round % kAlphabets.size()];
      std::vector<std::string> all(Between(1, 8));
      for (std::string& one : all) one = Text(alphabet, shape.window + Between(0, 2));
      const Patterns patterns(shape, all);
      const std::size_t place = Between(0, 150);
      const std::string before = Text(alphabet, place);
      const std::string joined = before + all[0] + Text(alphabet, Between(0, 150));
      const std::vector<char> exact(joined.begin(), joined.end());
      const std::string_view text(exact.data(), exact.size());
      ProbePlan plan = patterns.table.plan();
      const std::optional<FewGrams> few = patterns.table.few();
      if (few) plan.few = &*few;
      bool is_found = false;
      const std::vector<std::size_t> found = Probe(*Kernel(), text, text.size(), plan);
      const std::vector<std::uint16_t> hits(found.begin(), found.end());
      patterns.table.ForEachAt(
          *Kernel(), text, 0, hits, [&](std::size_t window, const LengthClass::Entry& entry) {
            is_found = is_found || (entry.pattern == 0 && window == place + entry.place);
          });
      ASSERT_TRUE(is_found) << "grams of " << shape.gram_size << ", at " << place << " of "
                            << text.size() << (few ? ", few" : "");
    }
  }
}

// Their windows are longer where they have enough signs, and have other grams.
TEST_P(KernelsTest, FindEachPatternOfPairsWhereverItStands) {
  for (std::size_t round = 0; round < 4000; ++round) {
    std::vector<std::string> all(Between(1, 8));
    for (std::string& one : all) one = Pairs(Between(8, 24), true);
    const Patterns patterns(kClassShapes.back(), all);
    const std::size_t place = Between(0, 40);
    const std::string joined = Pairs(place, false) + all[0] + Text("f:0%", Between(0, 20));
    const std::vector<char> exact(joined.begin(), joined.end());
    const std::string_view text(exact.data(), exact.size());
    const std::vector<std::size_t> found =
        Probe(*Kernel(), text, text.size(), patterns.table.plan());
    const std::vector<std::uint16_t> hits(found.begin(), found.end());
    bool is_found = false;
    patterns.table.ForEachAt(
        *Kernel(), text, 0, hits, [&](std::size_t window, const LengthClass::Entry& entry) {
          is_found = is_found || (entry.pattern == 0 && window == place + entry.place);
        });
    ASSERT_TRUE(is_found) << all[0] << " at " << place << " of " << text;
  }
}

TEST_P(KernelsTest, FindTheWindowsThatAreInTheFilterAndNoOthers) {
  constexpr std::size_t kBefore = kWindowGrams - 1;
  for (std::size_t round = 0; round < 400; ++round) {
    const std::string_view alphabet = kAlphabets[round % kAlphabets.size()];
    std::vector<std::string> all(Between(1, 40));
    for (std::string& one : all) one = Text(alphabet, kWindowBytes);
    const Patterns patterns(kClassShapes.back(), all);
    const WindowFilter& filter = patterns.table.windows();
    std::string random = Text(alphabet, Between(kLoadedAtWindow, 300));
    for (std::string& one : all) {
      if (Between(0, 1) == 0) random.replace(Between(0, random.size() - 8), 8, one);
    }
    // On the heap at its exact size, so that a sanitizer sees what is read behind it.
    const std::vector<char> text(random.begin(), random.end());
    std::vector<std::uint16_t> places(Between(0, 40));
    for (std::uint16_t& place : places) {
      place = static_cast<std::uint16_t>(Between(kBefore, text.size() - kLoadedAtWindow + kBefore));
    }
    std::vector<std::pair<unsigned, unsigned>> expected;
    for (const std::uint16_t place : places) {
      unsigned before = 0;
      for (unsigned i = 0; i < kWindowGrams; ++i) {
        const std::uint64_t window = LoadWord(text.data() + place - i);
        const Place in_filter = PlaceOf(FoldedWindow(window), filter.shift);
        const bool is_in = (~filter.words[in_filter.word] & in_filter.bits) == 0;
        before |= unsigned{is_in} << i;
      }
      if (before != 0) expected.emplace_back(place, before);
    }
    std::vector<WindowHit> hits(places.size() + 1);
    hits.resize(
        Kernel()->find_windows(text.data(), places.data(), places.size(), filter, hits.data()));
    std::vector<std::pair<unsigned, unsigned>> found;
    for (const WindowHit& hit : hits) found.emplace_back(hit.place, hit.before);
    ASSERT_EQ(found, expected) << "round " << round;
  }
}

TEST_P(KernelsTest, FindFewGramsByTheirBytes) {
  const ClassShape& shape = kClassShapes[2];
  const Patterns patterns(shape, {"k3y!", "-Zq9_"});
  const std::optional<FewGrams> few = patterns.table.few();
  ASSERT_TRUE(few);
  ProbePlan plan = patterns.table.plan();
  plan.few = &*few;
  const std::string nothing(kBatchBytes, 'k');
  EXPECT_TRUE(Probe(*Kernel(), nothing, kBatchBytes, plan).empty());
  std::vector<std::string> many;
  for (char c = 'A'; c <= 'Z'; ++c) many.push_back({c, '-', c, '+'});
  EXPECT_FALSE(Patterns(shape, many).table.few());
  EXPECT_FALSE(Patterns(kClassShapes.back(), {"k3y!k3y!"}).table.few());
}

TEST_P(KernelsTest, FindFewGramsBeforeAnyPlaceOfAnyTextOnce) {
  for (const ClassShape& shape : kClassShapes) {
    const Patterns patterns(shape, {std::string("k3y!-Zq9").substr(0, shape.window)});
    ProbePlan plan = patterns.table.plan();
    const std::optional<FewGrams> few = patterns.table.few();
    if (!few) continue;
    plan.few = &*few;
    for (int round = 0; round < 500; ++round) {
      const std::string text = Text("k3y!-Zq", Between(0, 200));
      const std::vector<char> exact(text.begin(), text.end());
      const std::size_t count = Between(0, text.size());
      const std::vector<std::size_t> found =
          Probe(*Kernel(), {exact.data(), exact.size()}, count, plan);
      EXPECT_EQ(std::ranges::adjacent_find(found), found.end());
      const std::vector<std::size_t> expected = patterns.PlacesOfGrams(text, count);
      EXPECT_TRUE(std::ranges::includes(found, expected)) << text;
      for (const std::size_t at : found) {
        EXPECT_TRUE(at < count && at % shape.stride == 0 && at + shape.gram_size <= text.size());
      }
    }
  }
}

TEST_P(KernelsTest, FindLinesThatMayEndWithARun) {
  // The least and the greatest byte of one, and those next to them.
  const std::string run = "+,Zaz09/=\x7F";
  const Patterns long_ones(kClassShapes[3], {"k3y!k3y!"});
  const Patterns short_ones(kClassShapes[2], {"k3y!"});
  const std::optional<FewGrams> few = short_ones.table.few();
  ASSERT_TRUE(few);
  std::array<ProbePlan, 3> plans = {long_ones.table.plan(), short_ones.table.plan(),
                                    short_ones.table.plan()};
  plans[2].few = &*few;
  for (std::size_t round = 0; round < 4000; ++round) {
    std::string text = Text(run, Between(0, round % 8 == 0 ? 2 * kBatchBytes : 900));
    for (const char c : {'*', '\x80', '\n', '\n', '\r'}) {
      for (std::size_t i = Between(0, 2 + text.size() / 300); i > 0 && !text.empty(); --i)
        text[Between(0, text.size() - 1)] = c;
    }
    const std::size_t size = text.size();
    const std::size_t from = round % 3 == 0 ? 0 : Between(0, size);
    const std::size_t most = std::min(size, from + kBatchBytes);
    const std::size_t end = round % 2 == 0 ? most : Between(from, most);
    std::vector<std::uint16_t> expected;
    for (std::size_t at = from; at < end; ++at) {
      const std::string_view before = std::string_view(text).substr(0, at);
      const bool is_run =
          at < 64 || before.substr(at - 64, 63).find_first_not_of(run) == before.npos;
      if (text[at] == '\n' && is_run) expected.push_back(static_cast<std::uint16_t>(at - from));
    }
    const auto find_in = [&](const std::vector<char>& exact, RunBits* run_bits) {
      std::vector<std::uint16_t> breaks(kBatchBytes);
      breaks.resize(Kernel()->find_line_ends(exact.data(), from, end, run_bits, breaks.data()));
      return breaks;
    };
    const std::vector<char> up_to_end(text.begin(),
                                      text.begin() + static_cast<std::ptrdiff_t>(end));
    EXPECT_EQ(find_in(up_to_end, nullptr), expected) << text;
    const std::vector<char> whole(text.begin(), text.end());
    for (const std::vector<char>& exact : {up_to_end, whole}) {
      RunBits run_bits;
      std::memset(&run_bits, 0xFF, sizeof(run_bits));
      ProbePlan plan = plans[round % plans.size()];
      plan.run_bits = &run_bits;
      Probe(*Kernel(), std::string_view(exact.data(), exact.size()).substr(from), end - from, plan);
      EXPECT_EQ(find_in(exact, &run_bits), expected) << text;
    }
  }
}

TEST_P(KernelsTest, CountCharactersOfBase64AtTheEnd) {
  const std::string characters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_";
  std::string others;
  for (int c = 0; c < 256; ++c) {
    if (characters.find(static_cast<char>(c)) == characters.npos) others += static_cast<char>(c);
  }
  for (std::size_t size = 0; size <= kMostBase64; ++size) {
    for (std::size_t count = 0; count <= size; ++count) {
      std::string text = Text(characters + others, size - count) + Text(characters, count);
      if (count < size) text[size - count - 1] = Text(others, 1)[0];
      const std::vector<char> exact(text.begin(), text.end());
      ASSERT_EQ(Kernel()->count_base64(exact.data(), size), count) << text;
    }
  }
  for (const char c : characters)
    EXPECT_EQ(Kernel()->count_base64(std::string(64, c).data(), 64), 64u);
  for (const char c : others) EXPECT_EQ(Kernel()->count_base64(std::string(64, c).data(), 64), 0u);
}

TEST_P(KernelsTest, CountBytesThatRepeatWhatIsAPeriodBefore) {
  for (std::size_t round = 0; round < 3000; ++round) {
    const std::size_t period = Between(1, round % 2 == 0 ? 3 : 200);
    std::string text = Text("ab", period);
    for (std::size_t i = Between(0, 400); i > 0; --i) text += text[text.size() - period];
    for (std::size_t i = Between(0, 2); i > 0; --i) text[Between(0, text.size() - 1)] = 'c';
    const std::vector<char> exact(text.begin(), text.end());
    const std::size_t begin = Between(period, text.size());
    std::size_t expected = 0;
    while (begin + expected < text.size() &&
           text[begin + expected] == text[begin + expected - period]) {
      ++expected;
    }
    EXPECT_EQ(Kernel()->count_repeated(exact.data() + begin, text.size() - begin, period), expected)
        << text << ", " << period << " from " << begin;
  }
}

// Where each vector, and each that is looked at at once, has many or none.
TEST_P(KernelsTest, FindGramsInTextsOfAnySizeThatAreFullOfThem) {
  for (const ClassShape& shape : kClassShapes) {
    const Patterns patterns(shape, {std::string(20, 'k')});
    for (std::size_t size = 0; size <= kBatchBytes; size += Between(1, 60)) {
      std::string text(size, 'k');
      for (std::size_t i = Between(0, size / 8); i > 0; --i) text[Between(0, size - 1)] = 'x';
      const std::vector<char> exact(text.begin(), text.end());
      ASSERT_EQ(Probe(*Kernel(), {exact.data(), exact.size()}, size, patterns.table.plan()),
                patterns.PlacesOfGrams(text, size))
          << size;
    }
  }
}

TEST(KernelNames, AreThoseThatCanBeTaken) {
  const std::vector<std::string> names = KernelNames();
  for (const char* const name : {"plain", "sse4.2", "avx2", "avx512"}) {
    EXPECT_EQ(std::ranges::count(names, name), KernelsNamed(name) == nullptr ? 0 : 1) << name;
  }
  EXPECT_EQ(std::ranges::count(names, "plain"), 1);
}

std::string NameOf(const testing::TestParamInfo<const char*>& test) {
  std::string name = test.param;
  std::erase(name, '.');
  std::erase(name, ' ');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Every, KernelsTest,
                         testing::Values("plain", "sse4.2", "avx2", "avx512", "emulated avx512"),
                         NameOf);

}  // namespace
}  // namespace qarion::secrets::scrub
