#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "qarion/secrets/scrubber.h"
#include "tests/support/sanitizers.h"

namespace qarion::secrets {
namespace {

using testing::ElementsAre;

class StreamScrubberTest : public testing::Test {
 protected:
  void Add(std::string_view value) { scrubber_.Add(value); }
  // What leaves during the write.
  std::string Write(std::string_view bytes) {
    seen_.clear();
    stream_.Write(bytes);
    return seen_;
  }
  std::string Finish() {
    seen_.clear();
    stream_.Finish();
    return seen_;
  }

  Scrubber scrubber_{{.forms = {ScrubForm::kRaw}, .min_length = 1}};
  std::string seen_;
  StreamScrubber stream_{scrubber_, [this](std::string_view bytes) { seen_ += bytes; }};
};

TEST_F(StreamScrubberTest, MasksAValueSplitOverWrites) {
  Add("hunter2");
  EXPECT_EQ(Write("pass: hun"), "pass: ");
  EXPECT_EQ(stream_.held(), 3u);
  EXPECT_EQ(Write("ter"), "");
  EXPECT_EQ(Write("2."), "***.");
  EXPECT_EQ(Finish(), "");
}

TEST_F(StreamScrubberTest, PassesOnAtOnceWhatCannotBeginAValue) {
  Add("hunter2");
  EXPECT_EQ(Write("prompt> "), "prompt> ");
  EXPECT_EQ(stream_.held(), 0u);
}

TEST_F(StreamScrubberTest, TellsOfValuesThatRepeatThemselves) {
  std::string repeating;
  while (repeating.size() < 100) repeating += "repeats-itself-";
  scrubber_.Add("hunter2", "SHORT");
  scrubber_.Add(repeating, "LONG");
  std::vector<std::string> names;
  StreamScrubber stream(
      scrubber_, [](std::string_view) {},
      [&](const StreamScrubber::Occurrence& found) { names.emplace_back(found.name); });
  stream.Write("a " + repeating.substr(0, 50));
  stream.Write(repeating.substr(50) + " hunter2.");
  stream.Finish();
  EXPECT_THAT(names, ElementsAre("LONG", "SHORT"));
}

TEST_F(StreamScrubberTest, PassesOnABeginningOnceItProvesToBeNone) {
  Add("hunter2");
  EXPECT_EQ(Write("hunt"), "");
  EXPECT_EQ(Write("s"), "hunts");
}

TEST_F(StreamScrubberTest, HoldsOnlyTheLongestEndThatIsABeginning) {
  Add("abcabd");
  EXPECT_EQ(Write("abcab"), "");
  EXPECT_EQ(Write("ca"), "abc");
  EXPECT_EQ(stream_.held(), 4u);
}

TEST_F(StreamScrubberTest, PassesOnABeginningAtTheEnd) {
  Add("hunter2");
  EXPECT_EQ(Write("hunter"), "");
  EXPECT_EQ(Finish(), "hunter");
  EXPECT_EQ(stream_.held(), 0u);
}

TEST_F(StreamScrubberTest, BeginsANewStreamAfterTheEnd) {
  Add("hunter2");
  Write("hunter");
  Finish();
  EXPECT_EQ(Write("2 hunter2"), "2 ***");
  Finish();
  EXPECT_EQ(Write("hunter2"), "***");
}

TEST_F(StreamScrubberTest, JoinsAdjacentOccurrencesAcrossWrites) {
  Add("hunter2");
  EXPECT_EQ(Write("hunter2"), "***");
  EXPECT_EQ(Write("hunter2"), "");
  EXPECT_EQ(Write(" hunter2"), " ***");
}

TEST_F(StreamScrubberTest, ShowsTheMaskOfAValueThatMayGoOn) {
  Add("hunter2");
  Add("hunter2-prod");
  EXPECT_EQ(Write("hunter2"), "***");
  EXPECT_EQ(stream_.held(), 0u);
  EXPECT_EQ(Write("-pro"), "");
  EXPECT_EQ(stream_.held(), 4u);
  EXPECT_EQ(Write("d!"), "!");
}

TEST_F(StreamScrubberTest, ShowsWhatFollowsAValueThatDidNotGoOn) {
  Add("hunter2");
  Add("hunter2-prod");
  Write("hunter2-pro");
  EXPECT_EQ(Write("be"), "-probe");
}

TEST_F(StreamScrubberTest, AppliesANewValueToBytesThatAreHeld) {
  Add("token-abX");
  EXPECT_EQ(Write("token-ab"), "");
  Add("token-abcdef");
  EXPECT_EQ(Write("cdef\n"), "***\n");
}

TEST_F(StreamScrubberTest, AppliesANewValueInsideBytesThatAreHeld) {
  Add("token-abX");
  EXPECT_EQ(Write("token-ab"), "");
  Add("ken");
  EXPECT_EQ(Finish(), "to***-ab");
}

TEST_F(StreamScrubberTest, MasksOldAndNewValuesInHeldBytesWhenAValueIsAdded) {
  Add("a-bb-c-dd-X");
  Add("bb");
  EXPECT_EQ(Write("a-bb-c-dd-"), "");
  Add("dd");
  EXPECT_EQ(Finish(), "a-***-c-***-");
}

TEST_F(StreamScrubberTest, AppliesANewValueThatBeginsWithOneAlreadyMasked) {
  Add("hunter2");
  Add("hunter2-prod");
  EXPECT_EQ(Write("hunter2-p"), "***");
  Add("hunter2-probe");
  EXPECT_EQ(Write("robe."), ".");
}

TEST_F(StreamScrubberTest, DoesNotLookAgainAtWhatHasBeenPassedOn) {
  EXPECT_EQ(Write("token-ab"), "token-ab");
  Add("token-abcdef");
  EXPECT_EQ(Write("cdef"), "cdef");
}

TEST_F(StreamScrubberTest, AcceptsEmptyWrites) {
  Add("hunter2");
  EXPECT_EQ(Write(""), "");
  Write("hunt");
  EXPECT_EQ(Write({}), "");
  EXPECT_EQ(Write("er2"), "***");
}

// Sanitizers take ten times as long.
constexpr std::size_t Count(std::size_t count) {
  return test::kHasAddressSanitizer || test::kHasThreadSanitizer ? count / 8 : count;
}

TEST_F(StreamScrubberTest, TakesLongNearMissesByteByByte) {
  // Ends within the time limit of a test only if the held bytes are not moved at every write.
  const std::size_t length = Count(2 << 20);
  Add(std::string(length, 'a') + "b");
  std::size_t passed = 0;
  StreamScrubber stream(scrubber_, [&](std::string_view bytes) { passed += bytes.size(); });
  for (std::size_t i = 0; i < 3 * length; ++i) stream.Write("a");
  EXPECT_EQ(stream.held(), length);
  stream.Finish();
  EXPECT_EQ(passed, 3 * length);
}

TEST_F(StreamScrubberTest, TakesManyMasksInHeldBytesByteByByte) {
  std::string value;
  for (int i = 0; i < 20000; ++i) value += "ab";
  Add(value + "!");
  Add("b");
  std::size_t passed = 0;
  StreamScrubber stream(scrubber_, [&](std::string_view bytes) { passed += bytes.size(); });
  const std::size_t count = Count(1 << 18);
  for (std::size_t i = 0; i < count; ++i) {
    stream.Write("a");
    stream.Write("b");
  }
  stream.Finish();
  EXPECT_EQ(passed, count * (1 + kMask.size()));
}

TEST(StreamScrubber, KnowsTheLineThatTheFirstValueCameInto) {
  // Behind 36 bytes, which are 48 characters: the value goes on behind the line break.
  const std::string before = "cXFx";
  std::string text;
  for (int i = 0; i < 12; ++i) text += before;
  text += "Y29ycmVjdC1ob3Jz\nZS1iYXR0ZXJ5LXN0YXBsZS05WHEw\n";  // correct-horse-battery-staple-9Xq0
  Scrubber scrubber;
  std::string seen;
  StreamScrubber stream(scrubber, [&](std::string_view bytes) { seen += bytes; });
  stream.Write(text.substr(0, 30));
  scrubber.Add("correct-horse-battery-staple-9Xq0");
  stream.Write(text.substr(30));
  stream.Finish();
  EXPECT_EQ(seen, text.substr(0, 48) + "***\n");
}

TEST(StreamScrubber, LeavesABlockOfBase64ThatValuesWentAwayIn) {
  Scrubber scrubber;
  const auto name = [](int i) { return "temporary-value-number-" + std::to_string(i); };
  constexpr int kMany = 17;  // so that what they left is cleared out
  for (int i = 0; i < kMany; ++i) scrubber.Add(name(i));
  std::string seen;
  StreamScrubber stream(scrubber, [&](std::string_view bytes) { seen += bytes; });
  std::string text;
  const auto write = [&](const std::string& bytes) {
    text += bytes;
    stream.Write(bytes);
  };
  write(std::string(64, 'Q') + "\n" + std::string(20, 'k'));
  for (int i = 0; i < kMany; ++i) scrubber.Remove(name(i));
  for (int i = 0; i < 20; ++i) write("plain text " + std::to_string(i) + "\n");
  scrubber.Add("correct-horse-battery-staple-9Xq");
  write(std::string(14, 'x') + "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5LX\n");
  write("plain text\n");
  stream.Finish();
  EXPECT_EQ(seen, text);
}

// In base64 the value begins with Z: what ends a line of 64 characters so may go on in the next
// one.
// `printf %s VALUE | base64 -w 64` behind the end of another text that `base64` wrote.
TEST(StreamScrubber, MasksABlockOfBase64ThatBeginsInALineOfAnother) {
  const std::string value =
      "correct-horse-battery-staple-0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZ-the-quick-bro"
      "wn-fox-jumps-over-the-lazy-dog-and-on-to-a-third-line";
  const std::string block =
      "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5LXN0YXBsZS0wMTIzNDU2Nzg5LUFCQ0RFRkdI\n"
      "SUpLTE1OT1BRUlNUVVZXWFlaLXRoZS1xdWljay1icm93bi1mb3gtanVtcHMtb3Zl\n"
      "ci10aGUtbGF6eS1kb2ctYW5kLW9uLXRvLWEtdGhpcmQtbGluZQ==";
  Scrubber scrubber;
  scrubber.Add(value);
  for (const std::string other : {"BBBBBBBBBBB=", "BBBBBBBBBB=="}) {
    const std::string before = std::string(76, 'A') + "\n" + other;
    const std::string text = before + block + ".";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      std::string seen;
      StreamScrubber stream(scrubber, [&](std::string_view bytes) { seen += bytes; });
      stream.Write(text.substr(0, cut));
      stream.Write(text.substr(cut));
      stream.Finish();
      ASSERT_EQ(seen, before + "***.") << cut;
    }
  }
}

TEST(StreamScrubber, HoldsTheEndOfALineOfBase64ForTheNextOneAlone) {
  Scrubber scrubber;
  scrubber.Add("fake-value-of-nobody");
  std::string seen;
  StreamScrubber stream(scrubber, [&](std::string_view bytes) { seen += bytes; });
  const std::string first = "sum " + std::string(63, 'f') + "Z\n";
  stream.Write(first);
  EXPECT_EQ(stream.held(), 2u);
  stream.Write("next one\n");
  EXPECT_EQ(stream.held(), 0u);
  stream.Write("mFrZS12YWx1ZS1vZi1ub2JvZHk=\n");
  EXPECT_EQ(seen, first + "next one\nmFrZS12YWx1ZS1vZi1ub2JvZHk=\n");
  stream.Write(first);
  stream.Write("mFrZS12YWx1ZS1vZi1ub2JvZHk=\n");
  EXPECT_TRUE(seen.ends_with("f***\n")) << seen;
}

TEST(StreamScrubber, PassesACleanWriteOnWhole) {
  Scrubber scrubber;
  scrubber.Add("hunter2");
  std::vector<std::string_view> views;
  StreamScrubber stream(scrubber, [&](std::string_view bytes) { views.push_back(bytes); });
  const std::string text(1 << 20, '.');
  stream.Write(text);
  ASSERT_EQ(views.size(), 1u);
  EXPECT_EQ(views[0].data(), text.data());
  EXPECT_EQ(views[0].size(), text.size());
}

TEST(StreamScrubber, PassesCleanPiecesOnWithoutCutsInThem) {
  Scrubber scrubber;
  scrubber.Add("hunter2");
  std::vector<std::string> pieces;
  StreamScrubber stream(scrubber, [&](std::string_view bytes) { pieces.emplace_back(bytes); });
  stream.Write("one hunter2 two hunter2 three");
  EXPECT_THAT(pieces, ElementsAre("one ", "***", " two ", "***", " three"));
}

// The lines are held as the beginning of another value, so that all of them counts.
TEST(StreamScrubber, MasksAValueAddedWhileLinesOfItsBase64AreHeld) {
  // base64 -w 64, of "the quick brown fox jumps over the lazy" and "hunter2-correct-horse-battery".
  const std::string lines =
      "dGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVyIHRoZSBsYXp5aHVudGVyMi1j\n"
      "b3JyZWN0LWhvcnNlLWJhdHRlcnk=\n";
  for (const std::size_t cut : {std::size_t{0}, std::size_t{20}, lines.size() - 1}) {
    Scrubber scrubber({.forms = {ScrubForm::kRaw, ScrubForm::kBase64}});
    scrubber.Add(lines.substr(cut) + "and so on, at length");
    std::string seen;
    StreamScrubber stream(scrubber, [&](std::string_view bytes) { seen += bytes; });
    stream.Write(lines);
    ASSERT_EQ(stream.held(), lines.size() - cut);
    scrubber.Add("hunter2-correct-horse-battery");
    stream.Write("\n");
    stream.Finish();
    const std::string expected = cut < lines.size() - 1
                                     ? "dGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVyIHRoZSBsYXp5***\n\n"
                                     : lines + "\n";
    EXPECT_EQ(seen, expected) << cut;
  }
}

// What it holds of a block of lines is not longer for a value that would have begun before it.
TEST(StreamScrubber, TakesAValueThatIsAddedWithinABlockOfARepeatingOne) {
  Scrubber scrubber;
  scrubber.Add(std::string(73, 'a') + "b");
  std::string seen;
  StreamScrubber stream(scrubber, [&](std::string_view bytes) { seen += bytes; });
  const std::string begin =
      "XFZiYzJkYWFhYmNkYmJjYWFiYmJkYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh\r\nYWFhYWFhYWFhYWFhYWFhY";
  const std::string end = "WFhYWFhYWFhYWFhYWFhYWF";
  stream.Write(begin);
  scrubber.Add(
      "\x02other\x03"
      "3");
  stream.Write(end);
  stream.Finish();
  EXPECT_EQ(seen, begin + end);
}

TEST(StreamScrubber, DropsWhatItHoldsWhenItGoes) {
  Scrubber scrubber;
  scrubber.Add("hunter2");
  std::string seen;
  {
    StreamScrubber stream(scrubber, [&](std::string_view bytes) { seen += bytes; });
    stream.Write("hunter");
  }
  EXPECT_EQ(seen, "");
}

TEST(StreamScrubber, KeepsItsStateWhenMoved) {
  Scrubber scrubber;
  scrubber.Add("hunter2");
  std::string seen;
  StreamScrubber first(scrubber, [&](std::string_view bytes) { seen += bytes; });
  first.Write("a hunt");
  StreamScrubber second = std::move(first);
  second.Write("er2 b");
  EXPECT_EQ(seen, "a *** b");
}

TEST(StreamScrubber, BeginsANewStreamWhereTheSinkThrew) {
  Scrubber scrubber;
  scrubber.Add("hunter2");
  bool broken = true;
  std::string seen;
  StreamScrubber stream(scrubber, [&](std::string_view bytes) {
    if (broken) throw std::runtime_error("disk full");
    seen += bytes;
  });
  EXPECT_THROW(stream.Write("first hunt"), std::runtime_error);
  broken = false;
  EXPECT_EQ(stream.held(), 0u);
  stream.Write("er2 hunter2 ");
  EXPECT_EQ(seen, "er2 *** ");
}

}  // namespace
}  // namespace qarion::secrets
