#include "rotate/pipe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>
#include <vector>

namespace qarion::secrets::rotate {
namespace {

// Makes 0, 1, 2, ... and then nothing.
std::function<Result<std::optional<int>>()> CountTo(int end) {
  return [end, next = 0]() mutable -> Result<std::optional<int>> {
    return next < end ? std::optional<int>(next++) : std::optional<int>();
  };
}

Error Fault(const char* reason) { return {ErrorCode::kIo, reason}; }

TEST(Pipe, HandsEveryPieceOverInOrder) {
  std::vector<int> taken;
  const Status done = Pipe<int>(CountTo(1000), [&](int piece) -> Status {
    taken.push_back(piece);
    return {};
  });
  ASSERT_TRUE(done);
  ASSERT_EQ(taken.size(), 1000U);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(taken[static_cast<std::size_t>(i)], i);
}

TEST(Pipe, ProducesOnAThreadOfItsOwnAndConsumesOnTheCallers) {
  std::optional<std::thread::id> producer;
  std::thread::id consumer;
  // What the producer set before it handed its piece over, once: the consumer runs beside its next
  // call.
  const Status done = Pipe<int>(
      [&]() -> Result<std::optional<int>> {
        if (producer) return std::optional<int>();
        producer = std::this_thread::get_id();
        return std::optional<int>(1);
      },
      [&](int) -> Status {
        consumer = std::this_thread::get_id();
        return {};
      });
  EXPECT_TRUE(done);
  EXPECT_EQ(consumer, std::this_thread::get_id());
  EXPECT_TRUE(producer && *producer != consumer);
}

TEST(Pipe, PiecesBeforeAProducersErrorAreConsumed) {
  int taken = 0;
  const Status done = Pipe<int>(
      [next = 0]() mutable -> Result<std::optional<int>> {
        if (next == 3) return Fault("produced");
        return std::optional<int>(next++);
      },
      [&](int) -> Status {
        ++taken;
        return {};
      });
  EXPECT_EQ(done.error().reason(), "produced");
  EXPECT_EQ(taken, 3);
}

TEST(Pipe, AConsumersErrorEndsAProducerThatNeverWould) {
  const Status done =
      Pipe<int>([]() -> Result<std::optional<int>> { return std::optional<int>(1); },
                [](int) -> Status { return Fault("consumed"); });
  EXPECT_EQ(done.error().reason(), "consumed");
}

struct Large {
  std::size_t ByteCount() const { return std::size_t{1} << 30U; }
};

TEST(Pipe, MakesOneLargePieceAheadAndNoMore) {
  std::atomic<int> made = 0;
  int taken = 0;
  int most_ahead = 0;
  const Status done = Pipe<Large>(
      [&]() -> Result<std::optional<Large>> {
        if (made == 100) return std::optional<Large>();
        ++made;
        return std::optional<Large>(Large());
      },
      [&](Large) -> Status {
        ++taken;
        std::this_thread::yield();
        most_ahead = std::max(most_ahead, made - taken);
        return {};
      });
  EXPECT_TRUE(done);
  EXPECT_EQ(taken, 100);
  // One that waits, and one for which there is no room yet.
  EXPECT_LE(most_ahead, 2);
}

}  // namespace
}  // namespace qarion::secrets::rotate
