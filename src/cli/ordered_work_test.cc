#include "cli/ordered_work.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace qarion::secrets::cli {
namespace {

constexpr std::chrono::seconds kLong{10};
constexpr std::chrono::milliseconds kShort{50};
const std::string kBlock(std::size_t{64} * 1024, 'x');

class OrderedWorkTest : public testing::Test {
 protected:
  OrderedWork Doing(std::function<ScrubOutcome(std::size_t, const PassOutput&)> work) {
    return {.work = std::move(work),
            .write =
                [this](std::string_view output) {
                  written_ += output;
                  return true;
                },
            .take = [](const ScrubOutcome&) { return true; },
            .meanwhile = [](std::size_t) {}};
  }

  std::string written_;
};

TEST_F(OrderedWorkTest, WritesInOrder) {
  constexpr std::size_t kCount = 500;
  WorkInOrder(kCount, 8, Doing([](std::size_t number, const PassOutput& pass) {
                pass(std::to_string(number) + ":");
                if (number % 7 == 0) std::this_thread::yield();
                pass(std::to_string(number) + "\n");
                return ScrubOutcome();
              }));
  std::string expected;
  for (std::size_t number = 0; number < kCount; ++number) {
    expected += std::to_string(number) + ":" + std::to_string(number) + "\n";
  }
  EXPECT_EQ(written_, expected);
}

TEST_F(OrderedWorkTest, WritesWhatAPieceHasWhileItGoesOn) {
  std::promise<void> came;
  std::future<void> comes = came.get_future();
  OrderedWork what = Doing([&](std::size_t, const PassOutput& pass) {
    pass("first");
    EXPECT_EQ(comes.wait_for(kLong), std::future_status::ready);
    pass(", second");
    return ScrubOutcome();
  });
  what.write = [&](std::string_view output) {
    if (written_.empty()) came.set_value();
    written_ += output;
    return true;
  };
  WorkInOrder(1, 1, what);
  EXPECT_EQ(written_, "first, second");
}

TEST_F(OrderedWorkTest, KeepsNoMoreThanTheLimitOfThoseWhoseTurnHasNotCome) {
  constexpr std::size_t kPieces = 4;
  std::atomic<std::size_t> passed{0};
  std::size_t kept = 0;
  OrderedWork what = Doing([&](std::size_t number, const PassOutput& pass) {
    if (number == 0) {
      const auto deadline = std::chrono::steady_clock::now() + kLong;
      while (passed < kMostKeptOutput && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(kShort);
      }
      std::this_thread::sleep_for(kShort);  // somebody would go on
      kept = passed;
      pass("first");  // does not wait for room
      return ScrubOutcome();
    }
    for (std::size_t bytes = 0; bytes < 2 * kMostKeptOutput; bytes += kBlock.size()) {
      pass(kBlock);
      passed += kBlock.size();
    }
    return ScrubOutcome();
  });
  WorkInOrder(kPieces, kPieces, what);
  EXPECT_GE(kept, kMostKeptOutput);
  EXPECT_LT(kept, kMostKeptOutput + kPieces * kBlock.size());
  EXPECT_EQ(written_, "first" + std::string((kPieces - 1) * 2 * kMostKeptOutput, 'x'));
}

TEST_F(OrderedWorkTest, ThoseWithoutOutputDoNotWait) {
  std::promise<void> ended;
  std::future<void> ends = ended.get_future();
  OrderedWork what = Doing([&](std::size_t number, const PassOutput& pass) {
    if (number == 0) {
      EXPECT_EQ(ends.wait_for(kLong), std::future_status::ready);
    } else if (number == 1) {
      pass(std::string(kMostKeptOutput, 'x'));
    } else {
      EXPECT_TRUE(pass(""));
      ended.set_value();
    }
    return ScrubOutcome();
  });
  WorkInOrder(3, 2, what);
}

TEST_F(OrderedWorkTest, WhereWritingFailsAllEnd) {
  std::atomic<std::size_t> begun{0};
  OrderedWork what = Doing([&](std::size_t, const PassOutput& pass) {
    ++begun;
    while (pass(kBlock)) {
    }
    return ScrubOutcome();
  });
  what.write = [](std::string_view) { return false; };
  WorkInOrder(1000, 3, what);
  EXPECT_LT(begun, 1000U);
}

TEST_F(OrderedWorkTest, WhatIsThrownEndsThoseThatWait) {
  const OrderedWork what = Doing([](std::size_t number, const PassOutput& pass) -> ScrubOutcome {
    if (number == 0) {
      std::this_thread::sleep_for(kShort);
      throw std::runtime_error("fake");
    }
    while (pass(kBlock)) {
    }
    return {};
  });
  EXPECT_THROW(WorkInOrder(3, 3, what), std::runtime_error);
}

}  // namespace
}  // namespace qarion::secrets::cli
