// 100,000 processes that start in one second, each with a cache of TTL 300 s: how many requests a
// second their store sees. Runs the product's own schedule: for two hours, and through outages that
// the snapshots in hand do and do not outlast.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <queue>
#include <string>
#include <vector>

#include "cache/refresh_schedule.h"
#include "core/random.h"

namespace {

using qarion::secrets::cache::RefreshSchedule;
using qarion::secrets::core::SystemRandom;

constexpr int kProcesses = 100'000;
constexpr double kTtl = 300;
constexpr double kMaxStale = 3600;

struct Outage {
  double begin = 0;
  double end = 0;
};

struct Event {
  double time;
  int process;
  bool operator>(const Event& other) const { return time > other.time; }
};

double Seconds(RefreshSchedule::Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

RefreshSchedule::Duration FromSeconds(double seconds) {
  return std::chrono::duration_cast<RefreshSchedule::Duration>(
      std::chrono::duration<double>(seconds));
}

// Requests in each second from the start, the first fetches left out.
std::vector<int> Simulate(double end, bool from_equilibrium, Outage outage) {
  SystemRandom random(1);
  RefreshSchedule schedule(std::chrono::seconds(static_cast<int>(kTtl)), random);
  std::vector<int> requests(static_cast<std::size_t>(end) + 1);
  std::vector<int> failures(kProcesses);
  std::vector<double> succeeded_at(kProcesses);
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events;
  for (int process = 0; process < kProcesses; ++process) {
    const double start = random.Uniform();
    succeeded_at[static_cast<std::size_t>(process)] = start;
    const auto interval = from_equilibrium ? schedule.FirstInterval() : schedule.NextInterval();
    events.push({start + Seconds(interval), process});
  }
  while (events.top().time < end) {
    const Event event = events.top();
    events.pop();
    ++requests[static_cast<std::size_t>(event.time)];
    const auto process = static_cast<std::size_t>(event.process);
    const double expires = succeeded_at[process] + kTtl + kMaxStale;
    double interval = 0;
    if (event.time >= outage.begin && event.time < outage.end) {
      interval =
          Seconds(schedule.RetryInterval(++failures[process], FromSeconds(expires - event.time)));
    } else {
      failures[process] = 0;
      succeeded_at[process] = event.time;
      interval = Seconds(event.time < expires ? schedule.NextInterval() : schedule.FirstInterval());
    }
    events.push({event.time + interval, event.process});
  }
  requests.pop_back();
  return requests;
}

void Report(const std::string& what, const std::vector<int>& requests, std::size_t from,
            std::size_t to) {
  const auto begin = requests.begin() + static_cast<std::ptrdiff_t>(from);
  const auto end = requests.begin() + static_cast<std::ptrdiff_t>(to);
  std::int64_t sum = 0;
  for (auto it = begin; it != end; ++it) sum += *it;
  const double mean = static_cast<double>(sum) / static_cast<double>(to - from);
  const int peak = *std::max_element(begin, end);
  std::printf("  %-62s peak %6d/s  mean %5.0f/s  peak/mean %5.2f\n", what.c_str(), peak, mean,
              peak / mean);
}

}  // namespace

int main() {
  std::printf("%d processes started within one second, TTL %.0f s; a flat line would be %.0f/s\n",
              kProcesses, kTtl, kProcesses / (0.75 * kTtl));
  const auto ours = Simulate(7200, true, {});
  const auto naive = Simulate(7200, false, {});
  Report("first 15 minutes, first refresh from the equilibrium", ours, 0, 900);
  Report("first 15 minutes, first refresh uniform in [TTL/2, TTL]", naive, 0, 900);
  Report("two hours, first refresh from the equilibrium", ours, 0, 7200);
  Report("two hours, first refresh uniform in [TTL/2, TTL]", naive, 0, 7200);

  for (const int minutes : {2, 60, 90}) {
    const std::size_t begin = 1800;
    const std::size_t end = begin + static_cast<std::size_t>(minutes) * 60;
    const auto requests = Simulate(static_cast<double>(end + 3600), true,
                                   {static_cast<double>(begin), static_cast<double>(end)});
    std::printf("store down for %d minutes%s\n", minutes,
                minutes * 60 > kTtl + kMaxStale ? ", longer than the snapshots may be served" : "");
    Report("meanwhile", requests, begin, end);
    Report("the minute after it", requests, end, end + 60);
    Report("the rest of the hour after it", requests, end + 60, end + 3600);
  }
}
