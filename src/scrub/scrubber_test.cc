#include "qarion/secrets/scrubber.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/raw_scrubber.h"
#include "tests/support/sanitizers.h"

namespace qarion::secrets {
namespace {

using test::ScrubberFor;

TEST(Scrubber, MasksEveryOccurrence) {
  EXPECT_EQ(ScrubberFor({"hunter2"}).Scrub("hunter2 and hunter2!"), "*** and ***!");
}

TEST(Scrubber, CoversOverlappingOccurrencesWithOneMask) {
  EXPECT_EQ(ScrubberFor({"abcd", "cdef"}).Scrub("<abcdef>"), "<***>");
  EXPECT_EQ(ScrubberFor({"abab"}).Scrub("<ababab>"), "<***>");
}

TEST(Scrubber, CoversAdjacentOccurrencesWithOneMask) {
  EXPECT_EQ(ScrubberFor({"hunter2", "tok-1"}).Scrub("hunter2hunter2tok-1 tok-1"), "*** ***");
}

TEST(Scrubber, CoversTheLongerOfTwoValuesThatBeginAlike) {
  EXPECT_EQ(ScrubberFor({"hunter2", "hunter2-prod"}).Scrub("hunter2-prod hunter2-p"), "*** ***-p");
}

TEST(Scrubber, ReturnsCleanTextUnchanged) {
  const std::string text("nothing \0 here \xff\xfe", 17);
  EXPECT_EQ(ScrubberFor({"hunter2"}).Scrub(text), text);
  EXPECT_EQ(Scrubber().Scrub(text), text);
  EXPECT_EQ(ScrubberFor({"hunter2"}).Scrub(""), "");
}

TEST(Scrubber, MasksValuesOfAnyBytes) {
  const std::string value("\0\xff\n\0", 4);
  EXPECT_EQ(ScrubberFor({value}).Scrub("a" + value + "b"), "a***b");
}

TEST(Scrubber, MasksAValueOfOneByte) { EXPECT_EQ(ScrubberFor({"x"}).Scrub("axxbx"), "a***b***"); }

TEST(Scrubber, IgnoresTheEmptyValue) {
  EXPECT_EQ(ScrubberFor({""}).Scrub("text"), "text");
  EXPECT_EQ(ScrubberFor({"", "ex"}).Scrub("text"), "t***t");
}

TEST(Scrubber, DoesNotMatchAcrossAMaskItWrote) {
  EXPECT_EQ(ScrubberFor({"foobar", "ac"}).Scrub("afoobarc"), "a***c");
}

TEST(Scrubber, CountsDistinctValues) { EXPECT_EQ(ScrubberFor({"a", "b", "a", ""}).size(), 2u); }

TEST(Scrubber, CountsNoValuesThatAreLetThrough) {
  Scrubber scrubber(ScrubberOptions{.min_length = 4, .allow = {"postgres"}});
  for (const std::string_view value : {"abc", "postgres", " \n \t "}) {
    scrubber.Add(value);
    EXPECT_EQ(scrubber.size(), 0u);
    scrubber.Remove(value);
  }
  scrubber.Add("abcd");
  EXPECT_EQ(scrubber.size(), 1u);
}

TEST(Scrubber, SharesItsSetWithItsCopies) {
  Scrubber scrubber;
  const Scrubber copy = scrubber;
  scrubber.Add(Secret::CopyOf("hunter2"));
  EXPECT_EQ(copy.Scrub("hunter2"), "***");
}

// The next three end within the time limit of a test only if the time is linear in the text.
TEST(Scrubber, TakesALongRunOfNearMisses) {
  const Scrubber scrubber = ScrubberFor({std::string(1000, 'a') + "b"});
  const std::string text(4 << 20, 'a');
  EXPECT_TRUE(scrubber.Scrub(text) == text);
  EXPECT_EQ(scrubber.Scrub(text + "b").size(), text.size() - 1000 + kMask.size());
}

TEST(Scrubber, TakesValuesThatAreBeginningsOfEachOther) {
  std::vector<NamedSecret> values;
  for (std::size_t length = 1; length <= 2000; ++length) {
    values.push_back({.name = "", .value = Secret::CopyOf(std::string(length, 'a'))});
  }
  Scrubber scrubber = ScrubberFor({});
  scrubber.Add(values);
  EXPECT_EQ(scrubber.Scrub(std::string(4 << 20, 'a')), "***");
}

TEST(Scrubber, TakesTextMadeOfBeginnings) {
  const std::string value = "sk_live_0123456789abcdefghijklmnopqrstuvwxyz";
  const Scrubber scrubber = ScrubberFor({value, value.substr(1) + "!", value.substr(2) + "?"});
  std::string text;
  while (text.size() < (4 << 20)) text += value.substr(0, value.size() - 1);
  EXPECT_TRUE(scrubber.Scrub(text) == text);
}

TEST(Scrubber, MasksWhileOtherThreadsAddValues) {
  Scrubber scrubber = ScrubberFor({"known-value"});
  std::atomic<bool> done = false;
  {
    std::vector<std::jthread> readers;
    for (int i = 0; i < 8; ++i) {
      readers.emplace_back([&, scrubber] {
        StreamScrubber stream(scrubber, [](std::string_view bytes) {
          EXPECT_EQ(bytes.find("known-value"), std::string_view::npos);
        });
        do {
          EXPECT_EQ(scrubber.Scrub("a known-value."), "a ***.");
          stream.Write("some known-");
          stream.Write("value here, known");
          stream.Finish();
        } while (!done);
      });
    }
    for (int i = 0; i < 200; ++i) {
      const std::string value = "added-value-" + std::to_string(i) + ".";
      scrubber.Add(value);
      EXPECT_EQ(scrubber.Scrub(value), "***");
    }
    done = true;
  }
  EXPECT_EQ(scrubber.size(), 201u);
}

TEST(Scrubber, LetsThroughWhatIsRemovedAsOftenAsItWasAdded) {
  Scrubber scrubber;
  scrubber.Add("hunter2-prod");
  scrubber.Add("hunter2-prod");
  scrubber.Add("other-value");
  scrubber.Remove("hunter2-prod");
  EXPECT_EQ(scrubber.Scrub("hunter2-prod other-value"), "*** ***");
  scrubber.Remove("hunter2-prod");
  scrubber.Remove("hunter2-prod");
  EXPECT_EQ(scrubber.Scrub("hunter2-prod other-value"), "hunter2-prod ***");
  EXPECT_EQ(scrubber.size(), 1u);
  scrubber.Add("hunter2-prod");
  EXPECT_EQ(scrubber.Scrub("hunter2-prod"), "***");
}

TEST(Scrubber, MasksWhatIsLeftAfterManyRemovals) {
  Scrubber scrubber;
  for (int i = 0; i < 200; ++i) scrubber.Add("value-number-" + std::to_string(i) + "-end");
  for (int i = 0; i < 199; ++i) scrubber.Remove("value-number-" + std::to_string(i) + "-end");
  EXPECT_EQ(scrubber.Scrub("value-number-7-end value-number-199-end"), "value-number-7-end ***");
}

// Ends the process: with 0 if a batch for which there is no memory leaves everything as it was.
[[noreturn]] void AddMoreThanThereIsMemoryFor() {
  Scrubber scrubber({.forms = {ScrubForm::kRaw}});
  scrubber.Add("known-value");
  std::vector<NamedSecret> batch;
  for (const std::string value : {"known-value", "other-value", "third-value"}) {
    batch.push_back({.name = {}, .value = Secret::CopyOf(value)});
  }
  // More than the heap of another thread, as glibc reserves it, has room for.
  batch.back().name = std::string(std::size_t{80} << 20, 'x');
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  constexpr std::size_t kRoom = std::size_t{4} << 20;
  const rlimit limit{.rlim_cur = pages * static_cast<std::size_t>(getpagesize()) + kRoom,
                     .rlim_max = RLIM_INFINITY};
  setrlimit(RLIMIT_AS, &limit);
  bool has_failed = false;
  try {
    scrubber.Add(batch);
  } catch (const std::bad_alloc&) {
    has_failed = true;
  }
  const bool is_as_before = scrubber.Scrub("known-value other-value") == "*** other-value";
  scrubber.Remove("known-value");
  const bool is_gone = scrubber.Scrub("known-value") == "known-value" && scrubber.size() == 0;
  std::_Exit(has_failed && is_as_before && is_gone ? 0 : 1);
}

TEST(Scrubber, StaysAsItWasWhereThereIsNoMemoryForMore) {
  if (test::kHasAddressSanitizer || test::kHasThreadSanitizer) {
    GTEST_SKIP() << "sanitizers need more memory than a limit can leave";
  }
  EXPECT_EXIT(AddMoreThanThereIsMemoryFor(), testing::ExitedWithCode(0), "");
}

TEST(Scrubber, MasksOnlyWholeWordsOfShortValues) {
  Scrubber scrubber;
  scrubber.Add("ab");
  EXPECT_EQ(scrubber.Scrub("ab cab abc a_ab (ab) ab"), "*** cab abc a_ab (***) ***");
}

TEST(Scrubber, LetsThroughWhatIsAllowed) {
  Scrubber scrubber({.allow = {"postgres"}});
  scrubber.Add("postgres");
  scrubber.Add("first-line\npostgres\nlast-line");
  EXPECT_EQ(scrubber.Scrub("postgres first-line last-line"), "postgres *** ***");
}

TEST(Scrubber, WritesTheMaskItIsGiven) {
  Scrubber scrubber({.mask = "[hidden]"});
  scrubber.Add("hunter2-prod");
  EXPECT_EQ(scrubber.Scrub("a hunter2-prod b"), "a [hidden] b");
}

// Values come and go, in all their forms, while eight threads scrub: what is always there is always
// masked, and the set is enlarged and built anew meanwhile.
TEST(Scrubber, MasksWhileTheSetChangesUnderEightThreads) {
  Scrubber scrubber;
  scrubber.Add("always-there-value");
  std::atomic<bool> done = false;
  {
    std::vector<std::jthread> readers;
    for (int i = 0; i < 8; ++i) {
      readers.emplace_back([&, scrubber] {
        std::string seen;
        StreamScrubber stream(scrubber, [&](std::string_view bytes) { seen += bytes; });
        do {
          EXPECT_EQ(scrubber.Scrub("an always-there-value."), "an ***.");
          seen.clear();
          stream.Write("some always-there");
          stream.Write("-value and YWx3YXlzLXRoZXJlLXZhbHVl.");
          stream.Finish();
          EXPECT_EQ(seen, "some *** and ***.");
        } while (!done);
      });
    }
    for (int i = 0; i < 300; ++i) {
      const std::string value = "comes-and-goes-" + std::to_string(i) + "&\"'";
      scrubber.Add(value);
      EXPECT_EQ(scrubber.Scrub(value + "."), "***.");
      if (i >= 100) scrubber.Remove("comes-and-goes-" + std::to_string(i - 100) + "&\"'");
    }
    done = true;
  }
  EXPECT_EQ(scrubber.size(), 101u);
}

}  // namespace
}  // namespace qarion::secrets
