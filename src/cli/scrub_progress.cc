#include "cli/scrub_progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

namespace qarion::secrets::cli {
namespace {

constexpr std::size_t kBarWidth = 30;
constexpr std::chrono::milliseconds kRedrawEvery{100};
constexpr double kGiga = 1e9;

}  // namespace

ScrubProgress::ScrubProgress(std::size_t files, std::uint64_t bytes)
    : is_shown_(bytes != 0 && isatty(STDERR_FILENO) == 1), all_files_(files), all_bytes_(bytes) {}

void ScrubProgress::Show(std::size_t files, std::uint64_t bytes) {
  const auto now = Clock::now();
  if (!is_shown_ || now - drawn_ < kRedrawEvery) return;
  drawn_ = now;
  is_drawn_ = true;
  // Files may have grown since they were counted.
  const double share = std::min(1.0, static_cast<double>(bytes) / static_cast<double>(all_bytes_));
  std::string bar(kBarWidth, '.');
  std::fill_n(bar.begin(), static_cast<std::ptrdiff_t>(share * kBarWidth), '#');
  const double seconds = std::chrono::duration<double>(now - began_).count();
  std::fprintf(stderr, "\r[%s] %zu of %zu files, %.1f of %.1f GB, %.1f GB/s\033[K", bar.c_str(),
               files, all_files_, static_cast<double>(bytes) / kGiga,
               static_cast<double>(all_bytes_) / kGiga,
               static_cast<double>(bytes) / kGiga / seconds);
  std::fflush(stderr);
}

void ScrubProgress::Clear() {
  if (!is_drawn_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  is_drawn_ = false;
}

}  // namespace qarion::secrets::cli
