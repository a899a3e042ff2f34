// What a runtime has its scrubber mask: the values, or the backend's credentials, of the present
// fetch, and for a while those of earlier ones, which logs and open connections may still have.
#pragma once

#include <algorithm>
#include <chrono>
#include <deque>
#include <span>
#include <utility>
#include <vector>

#include "qarion/secrets/clock.h"
#include "qarion/secrets/scrubber.h"

namespace qarion::secrets::runtime {

// Thread-safety: one thread at a time.
class MaskedValues {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  MaskedValues(const Scrubber& scrubber, std::chrono::seconds grace)
      : scrubber_(scrubber), grace_(grace) {}

  // `values` are masked from now on; those they replace until the time of grace is over and values
  // are taken again.
  void Take(std::vector<NamedSecret> values, TimePoint now) {
    while (!replaced_.empty() && now - replaced_.front().at >= grace_) {
      for (const NamedSecret& old : replaced_.front().values) scrubber_.Remove(old.value);
      replaced_.pop_front();
    }
    if (AreSame(values, present_)) return;
    scrubber_.Add(values);
    if (!present_.empty()) replaced_.push_back({.at = now, .values = std::move(present_)});
    present_ = std::move(values);
  }

 private:
  struct Replaced {
    TimePoint at;
    std::vector<NamedSecret> values;
  };

  static bool AreSame(std::span<const NamedSecret> a, std::span<const NamedSecret> b) {
    return std::ranges::equal(a, b, [](const NamedSecret& one, const NamedSecret& other) {
      return one.name == other.name && one.value.ConstantTimeEquals(other.value);
    });
  }

  Scrubber scrubber_;
  const std::chrono::seconds grace_;
  std::vector<NamedSecret> present_;
  std::deque<Replaced> replaced_;
};

}  // namespace qarion::secrets::runtime
