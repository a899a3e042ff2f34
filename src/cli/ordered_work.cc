#include "cli/ordered_work.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/thread.h"

namespace qarion::secrets::cli {
namespace {

constexpr std::chrono::milliseconds kMeanwhileEvery{100};

class Bench {
 public:
  Bench(std::size_t count, const OrderedWork& what) : what_(what), pieces_(count) {}

  void Work() {
    for (std::size_t number = next_++; number < pieces_.size(); number = next_++) {
      try {
        Put(number,
            what_.work(number, [&](std::string_view output) { return Pass(number, output); }));
      } catch (...) {
        const std::lock_guard lock(mutex_);
        failure_ = std::current_exception();
        ready_.notify_one();
        return;
      }
    }
  }

  // Throws what a piece of work has thrown.
  void TakeAll() {
    for (std::size_t number = 0; number < pieces_.size(); ++number) {
      const std::optional<ScrubOutcome> outcome = Take(number);
      if (!outcome) return;
      what_.meanwhile(number + 1);
      if (!what_.take(*outcome)) return;
    }
  }

  void End() {
    const std::lock_guard lock(mutex_);
    next_ = pieces_.size();
    has_ended_ = true;
    room_.notify_all();
  }

 private:
  struct Piece {
    std::string output;  // that is not written yet
    std::optional<ScrubOutcome> outcome;
  };

  void Put(std::size_t number, ScrubOutcome outcome) {
    const std::lock_guard lock(mutex_);
    pieces_[number].outcome = std::move(outcome);
    ready_.notify_one();
  }

  // The piece whose turn it is never waits for others, so there is always one that goes on.
  bool Pass(std::size_t number, std::string_view output) {
    std::unique_lock lock(mutex_);
    std::string& kept = pieces_[number].output;
    room_.wait(lock, [&] {
      return has_ended_ || output.empty() ||
             (number == turn_ ? kept.size() : kept_bytes_) < kMostKeptOutput;
    });
    if (has_ended_) return false;
    kept += output;
    kept_bytes_ += output.size();
    if (number == turn_) ready_.notify_one();
    return true;
  }

  // Writes what the piece passes on until it is done; nothing where that is not wanted any more.
  std::optional<ScrubOutcome> Take(std::size_t number) {
    Piece& piece = pieces_[number];
    const auto is_ready = [&] { return piece.outcome || !piece.output.empty() || failure_; };
    std::unique_lock lock(mutex_);
    turn_ = number;
    for (;;) {
      room_.notify_all();
      ready_.wait_for(lock, kMeanwhileEvery, is_ready);
      if (failure_) std::rethrow_exception(failure_);
      const std::string output = std::exchange(piece.output, {});
      kept_bytes_ -= output.size();
      std::optional<ScrubOutcome> outcome = std::exchange(piece.outcome, {});
      lock.unlock();
      if (!output.empty() && !what_.write(output)) return {};
      if (outcome) return outcome;
      what_.meanwhile(number);
      lock.lock();
    }
  }

  const OrderedWork& what_;
  std::atomic<std::size_t> next_{0};
  std::mutex mutex_;
  std::condition_variable ready_;  // for the one that takes
  std::condition_variable room_;   // for those that pass on
  std::vector<Piece> pieces_;
  std::size_t turn_ = 0;
  std::size_t kept_bytes_ = 0;
  bool has_ended_ = false;
  std::exception_ptr failure_;
};

}  // namespace

void WorkInOrder(std::size_t count, std::size_t threads, const OrderedWork& what) {
  Bench bench(count, what);
  std::vector<std::jthread> workers;
  struct Ending {
    Bench& bench;
    std::vector<std::jthread>& workers;
    ~Ending() {
      bench.End();
      workers.clear();  // joins
    }
  };
  const Ending ending{bench, workers};
  for (std::size_t i = 0; i < std::min(threads, count); ++i) {
    workers.push_back(core::StartThread([&bench] { bench.Work(); }));
  }
  bench.TakeAll();
}

}  // namespace qarion::secrets::cli
