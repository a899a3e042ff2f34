#include "cli/ordered_work.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "core/thread.h"

namespace qarion::secrets::cli {
namespace {

constexpr std::chrono::milliseconds kMeanwhileEvery{100};

class Bench {
 public:
  Bench(std::size_t count, const OrderedWork& what) : what_(what), outcomes_(count) {}

  void Work() {
    for (std::size_t number = next_++; number < outcomes_.size(); number = next_++) {
      try {
        Put(number, what_.work(number));
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
    for (std::size_t number = 0; number < outcomes_.size(); ++number) {
      ScrubOutcome outcome = Take(number);
      what_.meanwhile(number + 1);
      if (!what_.take(std::move(outcome))) return;
    }
  }

  void BeginNothingMore() { next_ = outcomes_.size(); }

 private:
  void Put(std::size_t number, ScrubOutcome outcome) {
    const std::lock_guard lock(mutex_);
    outcomes_[number] = std::move(outcome);
    ready_.notify_one();
  }

  ScrubOutcome Take(std::size_t number) {
    std::unique_lock lock(mutex_);
    const auto is_ready = [&] { return outcomes_[number].has_value() || failure_; };
    while (!ready_.wait_for(lock, kMeanwhileEvery, is_ready)) {
      lock.unlock();
      what_.meanwhile(number);
      lock.lock();
    }
    if (failure_) std::rethrow_exception(failure_);
    ScrubOutcome outcome = std::move(*outcomes_[number]);
    outcomes_[number].reset();
    return outcome;
  }

  const OrderedWork& what_;
  std::atomic<std::size_t> next_{0};
  std::mutex mutex_;
  std::condition_variable ready_;
  std::vector<std::optional<ScrubOutcome>> outcomes_;
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
      bench.BeginNothingMore();
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
