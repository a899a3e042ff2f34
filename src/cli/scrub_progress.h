// How far `qsecrets scrub` has come with files.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace qarion::secrets::cli {

// A bar on standard error where that is a terminal; otherwise nothing.
class ScrubProgress {
 public:
  ScrubProgress(std::size_t files, std::uint64_t bytes);
  ~ScrubProgress() { Clear(); }
  ScrubProgress(const ScrubProgress&) = delete;
  ScrubProgress& operator=(const ScrubProgress&) = delete;

  void Show(std::size_t files, std::uint64_t bytes);
  // Takes the bar away, so that a line can be written.
  void Clear();

 private:
  using Clock = std::chrono::steady_clock;

  const bool is_terminal_;
  const std::size_t all_files_;
  const std::uint64_t all_bytes_;
  const Clock::time_point began_ = Clock::now();
  Clock::time_point drawn_ = began_;
  bool is_drawn_ = false;
};

}  // namespace qarion::secrets::cli
