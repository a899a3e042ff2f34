// Every instruction set that this machine has, against a plain loop over the text.
#include "scrub/kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "scrub/length_class.h"

namespace qarion::secrets::scrub {
namespace {

class KernelsTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (Kernel() == nullptr) GTEST_SKIP() << "this processor has no " << GetParam();
  }
  static const Kernels* Kernel() { return KernelsNamed(GetParam()); }

  static std::size_t Between(std::size_t low, std::size_t high) {
    return std::uniform_int_distribution<std::size_t>(low, high)(Generator());
  }
  static std::string Text(std::string_view alphabet, std::size_t size) {
    std::string text(size, ' ');
    for (char& c : text) c = alphabet[Between(0, alphabet.size() - 1)];
    return text;
  }
  static std::mt19937& Generator() {
    static std::mt19937 generator(1);
    return generator;
  }
};

std::uint64_t GramAt(std::string_view text, std::size_t place, unsigned gram_size) {
  std::uint64_t gram = 0;
  for (unsigned i = 0; i < gram_size; ++i) {
    gram |= std::uint64_t{static_cast<unsigned char>(text[place + i])} << 8 * i;
  }
  return gram;
}

bool IsInFilter(const ProbePlan& plan, std::uint64_t gram) {
  const Place place = PlaceOf(HashOf(BytesOf(gram, plan.gram_size)), plan.shift);
  return (~plan.words[place.word] & place.bits) == 0;
}

// A class of windows, and which of their grams a text has at the ends of strides.
struct Windows {
  Windows(const ClassShape& shape, const std::vector<std::string>& all) : patterns(shape, 64) {
    for (const std::string& window : all) {
      patterns.AddKinds(window.data());
      patterns.Insert(0, window.data());
      for (unsigned i = 0; i < shape.stride; ++i)
        grams.push_back(window.substr(i, shape.gram_size));
    }
    plan = patterns.plan();
    plan.kinds = &patterns.kinds();
  }
  std::vector<std::size_t> PlacesOfGrams(std::string_view text, std::size_t count) const {
    std::vector<std::size_t> places;
    for (std::size_t at = plan.stride - 1; at < count && at + plan.gram_size <= text.size();
         at += plan.stride) {
      const std::string_view gram = text.substr(at, plan.gram_size);
      if (std::ranges::find(grams, gram) != grams.end()) places.push_back(at);
    }
    return places;
  }

  LengthClass patterns;
  std::vector<std::string> grams;
  ProbePlan plan;
};

// Letters with marks and without, digits, separators, and bytes that vector instructions treat in
// their own way.
constexpr std::array<std::string_view, 5> kAlphabets = {"ab", "aB1", "abcdefgXYZ0129-. ",
                                                        std::string_view("a\0Z\x7F\x80\xFF", 6),
                                                        "\xC3\xA4\xC3\xB6zQ5"};

TEST_P(KernelsTest, FindEveryGramOfAWindowAndNothingThatIsNotInTheFilter) {
  for (const ClassShape& shape : kClassShapes) {
    for (std::size_t size = 0; size <= 200; ++size) {
      for (const std::string_view alphabet : kAlphabets) {
        std::vector<std::string> windows(Between(1, 6));
        for (std::string& window : windows) window = Text(alphabet, shape.window);
        const Windows expected(shape, windows);
        // On the heap at its exact size, so that a sanitizer sees what is read behind it.
        std::vector<char> text(size);
        const std::string random = Text(alphabet, size);
        std::ranges::copy(random, text.begin());
        if (size >= shape.window) {
          std::ranges::copy(windows[0], text.begin() + static_cast<std::ptrdiff_t>(
                                                           Between(0, size - shape.window)));
        }
        const std::string_view view(text.data(), text.size());
        const std::size_t count = Between(0, size);
        std::array<std::uint16_t, kBatchBytes> hits;
        const std::size_t found =
            Kernel()->probe(text.data(), size, count, expected.plan, hits.data());
        const std::vector<std::size_t> places(hits.begin(),
                                              hits.begin() + static_cast<std::ptrdiff_t>(found));
        ASSERT_TRUE(std::ranges::is_sorted(places));
        ASSERT_TRUE(std::ranges::includes(places, expected.PlacesOfGrams(view, count)))
            << "gram of " << shape.gram_size << ", text of " << size << ", " << count << " counted";
        for (const std::size_t place : places) {
          ASSERT_LT(place, count);
          ASSERT_EQ(place % shape.stride, shape.stride - 1);
          ASSERT_LE(place + shape.gram_size, size);
          ASSERT_TRUE(IsInFilter(expected.plan, GramAt(view, place, shape.gram_size)));
        }
      }
    }
  }
}

TEST_P(KernelsTest, FindAsMuchInAWholeBatch) {
  for (const ClassShape& shape : kClassShapes) {
    for (const std::string_view alphabet : kAlphabets) {
      const std::string window = Text(alphabet, shape.window);
      const Windows expected(shape, {window});
      const std::string text = Text(alphabet, kBatchBytes + Between(0, 70));
      std::array<std::uint16_t, kBatchBytes> hits;
      const std::size_t found =
          Kernel()->probe(text.data(), text.size(), kBatchBytes, expected.plan, hits.data());
      const std::vector<std::size_t> places(hits.begin(),
                                            hits.begin() + static_cast<std::ptrdiff_t>(found));
      EXPECT_TRUE(std::ranges::includes(places, expected.PlacesOfGrams(text, kBatchBytes)));
    }
  }
}

TEST_P(KernelsTest, PassOverGramsWithoutMarksWhereWindowsHaveThemEverywhere) {
  const ClassShape& shape = kClassShapes.back();
  const Windows windows(shape, {"abcdEfghijkLmno"});
  // The filter alone would not tell: here everything is in it.
  const std::vector<std::uint32_t> full(std::size_t{1} << (32 - windows.plan.shift), ~0U);
  ProbePlan plan = windows.plan;
  plan.words = full.data();
  std::array<std::uint16_t, kBatchBytes> hits;
  const std::string dull(kBatchBytes, 'a');
  EXPECT_EQ(Kernel()->probe(dull.data(), dull.size(), dull.size(), plan, hits.data()), 0u);
  const std::string outside(kBatchBytes, 'Z');
  EXPECT_EQ(Kernel()->probe(outside.data(), outside.size(), outside.size(), plan, hits.data()), 0u);
  const std::string marked(kBatchBytes, 'L');
  EXPECT_EQ(Kernel()->probe(marked.data(), marked.size(), marked.size(), plan, hits.data()),
            kBatchBytes / shape.stride - 1);  // the last one is cut
}

std::string NameOf(const testing::TestParamInfo<const char*>& test) {
  std::string name = test.param;
  std::erase(name, '.');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Every, KernelsTest, testing::Values("plain", "sse4.2", "avx2", "avx512"),
                         NameOf);

}  // namespace
}  // namespace qarion::secrets::scrub
