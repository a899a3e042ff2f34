// A service as far as its secrets go: reads SECRET_KEY all the time and prints a JSON line when the
// value or the outcome changes, and `ended` when no read fails any more: how many did since the
// last success, and when the first and the last of them ended, in seconds of CLOCK_MONOTONIC.
//   secrets_reader INTERVAL_MS
// Lines of standard input: `status`, `refresh`; their end ends it.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>

#include <qarion/secrets/runtime.h>

namespace secrets = qarion::secrets;
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

const steady_clock::time_point begin = steady_clock::now();
std::mutex output;

long long Elapsed() { return duration_cast<milliseconds>(steady_clock::now() - begin).count(); }

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return quoted + "\"";
}

void Print(const std::string& event, const std::string& members) {
  const std::lock_guard lock(output);
  std::printf("{\"event\":\"%s\",\"ms\":%lld%s}\n", event.c_str(), Elapsed(), members.c_str());
  std::fflush(stdout);
}

constexpr milliseconds kSlow{200};

struct Counts {
  long long reads = 0;
  long long failures = 0;
  double slowest_ms = 0;
};

// Reads that failed one after the other.
struct Streak {
  long long failures = 0;
  steady_clock::time_point first;
  steady_clock::time_point last;

  void Add(steady_clock::time_point at) {
    if (failures++ == 0) first = at;
    last = at;
  }
  void End() {
    if (failures == 0) return;
    const auto seconds = [](steady_clock::time_point at) {
      return std::to_string(std::chrono::duration<double>(at.time_since_epoch()).count());
    };
    Print("ended", ",\"failures\":" + std::to_string(failures) + ",\"first_at\":" + seconds(first) +
                       ",\"last_at\":" + seconds(last));
    failures = 0;
  }
};

void ReadAllTheTime(secrets::Runtime& runtime, milliseconds interval, const std::atomic<bool>& ends,
                    Counts& counts) {
  std::string last;
  Streak streak;
  for (auto next = steady_clock::now(); !ends; next += interval) {
    std::this_thread::sleep_until(next);
    const auto before = steady_clock::now();
    auto value = runtime.Get("SECRET_KEY");
    const auto after = steady_clock::now();
    const std::chrono::duration<double, std::milli> took = after - before;
    ++counts.reads;
    counts.slowest_ms = std::max(counts.slowest_ms, took.count());
    if (value) {
      streak.End();
    } else {
      ++counts.failures;
      streak.Add(after);
    }
    if (took > kSlow) Print("slow", ",\"took_ms\":" + std::to_string(took.count()));
    const std::string outcome = value ? std::string(value->Reveal()) : value.error().reason();
    if (outcome == last) continue;
    last = outcome;
    Print(value ? "value" : "failure", (value ? ",\"value\":" : ",\"error\":") + Quoted(outcome));
  }
  streak.End();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  secrets::RuntimeOptions options;
  options.log = [](std::string_view line) {
    std::fprintf(stderr, "%lld %.*s\n", Elapsed(), static_cast<int>(line.size()), line.data());
  };
  auto runtime = secrets::Runtime::Create(std::move(options));
  if (!runtime) return secrets::Report(runtime.error());
  std::atomic<bool> ends = false;
  Counts counts;
  std::jthread reading(
      [&] { ReadAllTheTime(*runtime, milliseconds(std::atoi(argv[1])), ends, counts); });
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "status") {
      std::string details;
      const auto status = runtime->status();
      for (const auto& [name, text] : status.details) {
        details += (details.empty() ? "" : ",") + Quoted(name) + ":" + Quoted(text);
      }
      Print("status", ",\"details\":{" + details + "},\"version\":" + Quoted(status.version));
    } else if (line == "refresh") {
      const auto refreshed = runtime->Refresh();
      Print("refresh", ",\"error\":" + Quoted(refreshed ? "" : refreshed.error().reason()));
    }
  }
  ends = true;
  reading.join();
  Print("end", ",\"reads\":" + std::to_string(counts.reads) +
                   ",\"failures\":" + std::to_string(counts.failures) +
                   ",\"slowest_ms\":" + std::to_string(counts.slowest_ms));
  return 0;
}
