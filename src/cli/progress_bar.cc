#include "cli/progress_bar.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace qarion::secrets::cli {
namespace {

constexpr std::uint64_t kBarWidth = 30;
constexpr std::chrono::milliseconds kRedrawEvery{100};
// What is done sooner needs no line in a log.
constexpr std::chrono::seconds kSilentFor{2};

// "158,204 rows/s", and how long the rest takes at that rate.
std::string Rate(std::uint64_t done, std::uint64_t total, std::chrono::duration<double> took) {
  if (took.count() < 0.2) return {};
  const double rate = static_cast<double>(done) / took.count();
  std::string text = std::to_string(std::llround(rate)) + " rows/s";
  if (total > done && rate > 0) {
    const auto left = std::llround(static_cast<double>(total - done) / rate);
    text += ", " + std::to_string(left) + " s left";
  }
  return text;
}

}  // namespace

ProgressBar::ProgressBar() : is_terminal_(isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() { Clear(); }

void ProgressBar::Show(const std::string& step, std::uint64_t done, std::uint64_t total) {
  const auto now = Clock::now();
  if (step != step_) {
    step_ = step;
    step_began_ = now;
    drawn_ = {};
    tenth_ = 0;
  }
  total = std::max(total, done);
  if (!is_terminal_) return WriteLine(done, total);
  if (now - drawn_ < kRedrawEvery) return;
  drawn_ = now;
  DrawBar(done, total);
}

void ProgressBar::DrawBar(std::uint64_t done, std::uint64_t total) {
  const std::uint64_t filled = total == 0 ? 0 : kBarWidth * done / total;
  const std::uint64_t percent = total == 0 ? 0 : 100 * done / total;
  const std::string bar = std::string(filled, '#') + std::string(kBarWidth - filled, '.');
  std::fprintf(stderr, "\r%s [%s] %3d%% %s\033[K", step_.c_str(), bar.c_str(),
               static_cast<int>(percent), Rate(done, total, Clock::now() - step_began_).c_str());
  std::fflush(stderr);
  is_drawn_ = true;
}

void ProgressBar::WriteLine(std::uint64_t done, std::uint64_t total) {
  const std::uint64_t tenth = total == 0 ? 0 : 10 * done / total;
  if (tenth <= tenth_ || Clock::now() - step_began_ < kSilentFor) return;
  tenth_ = tenth;
  std::fprintf(stderr, "qsecrets: %s: %d%% (%llu rows) %s\n", step_.c_str(),
               static_cast<int>(tenth * 10), static_cast<unsigned long long>(done),
               Rate(done, total, Clock::now() - step_began_).c_str());
}

void ProgressBar::Clear() {
  if (!is_drawn_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  is_drawn_ = false;
}

}  // namespace qarion::secrets::cli
