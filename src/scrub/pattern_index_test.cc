#include "scrub/pattern_index.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "scrub/finder.h"
#include "tests/support/sanitizers.h"

namespace qarion::secrets::scrub {
namespace {

// Windows that are where many others are make looking for all of them slower.
TEST(PatternIndex, KeepsFewWindowsFarAwayHoweverValuesWithOneBeginningArrive) {
  PatternIndex index;
  const OwnerId owner = index.NewOwner("value");
  const auto add = [&](const std::string& text) { index.Insert({.text = text}, owner); };
  for (std::size_t i = 1; i <= 3000; ++i) add(std::to_string(i * 2654435761U) + "-base");
  index.View();
  add("one more, for which there is a larger table");
  index.View();
  std::string common;
  for (char c = '!'; c < 'q'; ++c) common += c;
  for (std::size_t i = 0; i < 500; ++i) add(common + std::to_string(i));
  index.View();  // as a batch
  for (std::size_t i = 500; i < 700; ++i) {
    add(common + std::to_string(i));
    const std::shared_ptr<const IndexView> view = index.View();
    const LengthClass& table = *view->classes.back();
    ASSERT_EQ(table.size(), 3001 + i + 1);
    ASSERT_LE(table.crowded(), 2 * (64 + table.size() / 64)) << i;
    ASSERT_NE(table.crowd(), nullptr);
  }
}

// To make a table anew takes long where there are many: a value that is added is not to wait for
// it.
TEST(PatternIndex, FindsWhatIsAddedBeforeItMakesATableAnew) {
  PatternIndex index;
  const OwnerId owner = index.NewOwner("value");
  const auto add = [&](std::size_t i) {
    index.Insert({.text = std::to_string((i + 1) * 2654435761U) + "-base"}, owner);
  };
  std::size_t count = 0;
  while (count < 1000) add(count++);
  std::shared_ptr<const LengthClass> table = index.View()->classes.back();
  index.Settle();
  std::size_t renewals = 0;
  while (count < 3000) {
    add(count++);
    const std::shared_ptr<const LengthClass> same = index.View()->classes.back();
    ASSERT_EQ(same, table) << count;
    ASSERT_EQ(same->size(), count);
    index.Settle();
    table = index.View()->classes.back();
    renewals += table != same ? 1 : 0;
  }
  EXPECT_GT(renewals, 0u);
  EXPECT_LT(renewals, 8u);
}

// Keeps where patterns begin.
class Beginnings final : public Findings {
 public:
  void OnOccurrence(const Pattern& /*pattern*/, std::size_t begin, std::size_t /*end*/) override {
    begins.insert(begin);
  }
  void OnUnfinished(const Pattern& /*pattern*/, std::size_t /*begin*/) override {}

  std::set<std::size_t> begins;
};

// A window of pairs begins before its grams, and may have the bucket and the tag of one at the end
// of a crowd's first bytes: then it leads farther back than any pattern reaches.
TEST(PatternIndex, LeadsFarBeforeABatchWhereOtherWindowsAreTakenForThoseOfACrowd) {
  const std::string pairs = ":f7:db:48:73:1c:";  // by trying
  const std::string common = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyzBADCFEHGJILK";
  PatternIndex index;
  const OwnerId owner = index.NewOwner("value");
  index.Insert({.text = pairs}, owner);
  for (int i = 100; i < 300; ++i) index.Insert({.text = common + std::to_string(i)}, owner);
  const std::shared_ptr<const IndexView> view = index.View();
  // The last gram of the window is the first one of a batch.
  const std::size_t place = kBatchBytes - 9;
  const std::string text = std::string(place, '.') + pairs + " and more";
  std::size_t farthest = 0;
  const std::uint16_t gram = 0;
  view->classes.back()->ForEachAt(ActiveKernels(), text, kBatchBytes, {&gram, 1},
                                  [&](std::size_t window, const LengthClass::Entry& entry) {
                                    if (!entry.is_of_crowd) return;
                                    farthest =
                                        std::max(farthest, kBatchBytes - window + entry.place);
                                  });
  ASSERT_GT(farthest, kShortLength) << "other pairs have to be tried";
  EXPECT_LE(farthest, LengthClass::kMostBefore);
  Beginnings found;
  FindIn(*view, ActiveKernels(), {.text = text}, found);
  EXPECT_EQ(found.begins, std::set<std::size_t>{place});
}

// Of four windows with one bucket and one tag the last joins another, which is not the same.
TEST(PatternIndex, FindsWhatJoinsACrowdForAWindowThatIsTakenForItsOwn) {
  // By trying.
  const std::vector<std::string> values = {"pin-0000", "pin-AM4t", "pin-ANjG", "pin-ASIa"};
  PatternIndex index;
  const OwnerId owner = index.NewOwner("value");
  for (const std::string& value : values) index.Insert({.text = value}, owner);
  const std::shared_ptr<const IndexView> view = index.View();
  ASSERT_NE(view->classes.back()->crowd(), nullptr) << "other values have to be tried";
  for (const std::string& value : values) {
    const std::string text = "before " + value + " and behind it";
    Beginnings found;
    FindIn(*view, ActiveKernels(), {.text = text}, found);
    EXPECT_EQ(found.begins, std::set<std::size_t>{7}) << value;
  }
}

// What is spelled from a plaintext is spelled from that of its own value, whatever the number.
TEST(PatternStore, KeepsEachPlaintextOfAnOwnerOnce) {
  PatternStore store;
  std::vector<PatternId> ids;
  std::vector<std::string> expected;
  for (const std::string name : {"first", "other"}) {
    const OwnerId owner = store.NewOwner(name);
    for (const Spelling spelling : {Spelling::kHexLower, Spelling::kUtf16Big}) {
      for (std::uint32_t number = 0; number < 3; ++number) {
        const std::string source = name + std::to_string(number);
        const Spelled spelled(spelling, source);
        std::string& text = expected.emplace_back(spelled.size(), '?');
        spelled.CopyTo(text.data());
        ids.push_back(store.Add(
            {.text = text, .spelling = spelling, .plaintext = number, .source = source}, owner));
      }
    }
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Pattern& pattern = store[ids[i]];
    EXPECT_TRUE(pattern.length == expected[i].size() && pattern.text().StartsWith(expected[i]));
    const std::size_t of_same_source = i % 6 < 3 ? i + 3 : i - 3;
    EXPECT_EQ(pattern.source(), store[ids[of_same_source]].source());
  }
}

TEST(PatternStore, KeepsTheTextOfWhatTheAutomatonFinds) {
  PatternStore store;
  const OwnerId owner = store.NewOwner("value");
  const std::string source(40, 'a');
  std::string text;
  for (std::size_t i = 0; i < source.size(); ++i) text += "61";
  const FormText form{.text = text, .spelling = Spelling::kHexLower, .source = source};
  const PatternId id = store.Add(form, owner, true);
  EXPECT_EQ(std::string_view(store[id].source(), store[id].length), text);
}

// Ends the process: with 0 if there is no pattern for whose source there is no memory. One that is
// half there would be taken for one of a class.
[[noreturn]] void AddOneForWhichThereIsNoMemory() {
  PatternStore store;
  const OwnerId owner = store.NewOwner("value");
  constexpr rlimit kLimit{.rlim_cur = rlim_t{1} << 30, .rlim_max = RLIM_INFINITY};
  setrlimit(RLIMIT_AS, &kLimit);
  constexpr std::uint32_t kTooMany = std::uint32_t{1} << 30;
  bool has_failed = false;
  try {
    store.Add(
        {.text = "6161", .spelling = Spelling::kHexLower, .plaintext = kTooMany, .source = "aa"},
        owner);
  } catch (const std::bad_alloc&) {
    has_failed = true;
  }
  std::_Exit(has_failed && store.size() == 0 ? 0 : 1);
}

TEST(PatternStore, HasNoPatternThatIsHalfThere) {
  if (test::kHasAddressSanitizer || test::kHasThreadSanitizer) {
    GTEST_SKIP() << "sanitizers need more memory than a limit can leave";
  }
  EXPECT_EXIT(AddOneForWhichThereIsNoMemory(), testing::ExitedWithCode(0), "");
}

// Many have their first bytes in common with others, and some have few.
TEST(SortedIds, LeadToTheFirstThatIsNotBefore) {
  std::mt19937 random(20261127);
  const std::string bytes("\0ab\xFF", 4);
  std::set<std::string> texts;
  while (texts.size() < 300) {
    std::string text;
    for (std::size_t left = 1 + random() % 9; left > 0; --left) text += bytes[random() % 4];
    texts.insert(text);
  }
  PatternStore store;
  const OwnerId owner = store.NewOwner("value");
  SortedIds sorted;
  std::vector<std::string> added;
  for (const std::string& text : texts) {
    for (const std::string& sought : texts) {
      const auto first = std::ranges::lower_bound(added, sought);
      ASSERT_EQ(sorted.From(sought, store).size(), static_cast<std::size_t>(added.end() - first))
          << added.size();
    }
    const PatternId id = store.Add({.text = text}, owner);
    sorted.Add(id, store[id].text().WordAt(0));
    added.push_back(text);
    ASSERT_EQ(sorted.From(text, store).front(), id);
  }
}

}  // namespace
}  // namespace qarion::secrets::scrub
