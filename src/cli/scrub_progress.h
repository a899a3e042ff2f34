// How far `qsecrets scrub` has come with files.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace qarion::secrets::cli {

// How much of one file is done. Each of its bytes counts once, however often it is read.
class FileProgress {
 public:
  // `all_done` counts the bytes of all files.
  FileProgress(std::uint64_t bytes, std::atomic<std::uint64_t>& all_done)
      : bytes_(bytes), all_done_(all_done) {}
  // Whatever became of it, nothing is left to be done.
  ~FileProgress() { Reach(bytes_); }
  FileProgress(const FileProgress&) = delete;
  FileProgress& operator=(const FileProgress&) = delete;

  // What lies before `offset` is done.
  void Reach(std::uint64_t offset) noexcept {
    if (offset <= reached_) return;
    all_done_.fetch_add(offset - reached_, std::memory_order_relaxed);
    reached_ = offset;
  }

 private:
  const std::uint64_t bytes_;
  std::atomic<std::uint64_t>& all_done_;
  std::uint64_t reached_ = 0;
};

// A bar on standard error where that is a terminal and the bytes of the files are known; otherwise
// nothing.
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

  const bool is_shown_;
  const std::size_t all_files_;
  const std::uint64_t all_bytes_;
  const Clock::time_point began_ = Clock::now();
  Clock::time_point drawn_ = began_;
  bool is_drawn_ = false;
};

}  // namespace qarion::secrets::cli
