#include "providers/vault/race.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/secret_memory.h"
#include "core/thread.h"

namespace qarion::secrets::vault {

Race::~Race() {
  for (Runner& runner : runners_) runner.thread.request_stop();
}

void Race::Start(std::size_t node, std::function<Outcome(const std::stop_token&)> send) {
  const auto is_of_node = [&](const Runner& runner) { return runner.node == node; };
  const auto oldest = std::ranges::find_if(runners_, is_of_node);
  if (oldest != runners_.end()) {
    const auto other = std::find_if(std::next(oldest), runners_.end(), is_of_node);
    if (other != runners_.end()) runners_.erase(other);  // stops it
  }
  Runner& runner = runners_.emplace_back(Runner{.node = node});
  runner.thread =
      core::StartThread([this, &runner, run = std::move(send)](const std::stop_token& stop) {
        Outcome outcome = run(stop);
        core::WipeTraces();
        const std::lock_guard lock(mutex_);
        runner.outcome = std::move(outcome);
        ended_.notify_all();
      });
}

std::optional<Outcome> Race::Next(Clock::SteadyTime until, const std::stop_token& stop) {
  if (runners_.empty()) return std::nullopt;
  const std::stop_callback wake(stop, [this] {
    const std::lock_guard lock(mutex_);
    ended_.notify_all();
  });
  const auto find_ended = [this] {
    return std::ranges::find_if(runners_, [](const Runner& r) { return r.outcome.has_value(); });
  };
  std::optional<Outcome> outcome;
  std::list<Runner> over;  // joined without the lock
  {
    std::unique_lock lock(mutex_);
    clock_.WaitUntil(lock, ended_, until,
                     [&] { return stop.stop_requested() || find_ended() != runners_.end(); });
    const auto ended = find_ended();
    if (ended == runners_.end()) return std::nullopt;
    outcome = std::move(ended->outcome);
    over.splice(over.begin(), runners_, ended);
  }
  return outcome;
}

}  // namespace qarion::secrets::vault
