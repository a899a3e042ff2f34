// How far long work has come, on standard error.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace qarion::secrets::cli {

// A bar that is drawn anew on a terminal; elsewhere a line at each tenth.
class ProgressBar {
 public:
  ProgressBar();
  ~ProgressBar();  // takes the bar away
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // `total` may be an estimate, or 0 where nobody knows.
  void Show(const std::string& step, std::uint64_t done, std::uint64_t total);
  // Takes the bar away, so that a line can be written.
  void Clear();

 private:
  using Clock = std::chrono::steady_clock;

  void DrawBar(std::uint64_t done, std::uint64_t total);
  void WriteLine(std::uint64_t done, std::uint64_t total);

  const bool is_terminal_;
  std::string step_;
  Clock::time_point step_began_;
  Clock::time_point drawn_;
  std::uint64_t tenth_ = 0;
  bool is_drawn_ = false;
};

}  // namespace qarion::secrets::cli
