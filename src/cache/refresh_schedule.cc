#include "cache/refresh_schedule.h"

#include <algorithm>
#include <cmath>

namespace qarion::secrets::cache {
namespace {

constexpr std::chrono::seconds kFirstRetry{1};
constexpr std::chrono::seconds kLongestRetryWhenExpired{30};
constexpr int kFirstRetryShareOfTtl = 20;
constexpr int kMostDoublings = 20;

}  // namespace

RefreshSchedule::Duration RefreshSchedule::UniformBetween(Duration low, Duration high) {
  const double span = static_cast<double>((high - low).count());
  return low + Duration(static_cast<Duration::rep>(random_.Uniform() * span));
}

RefreshSchedule::Duration RefreshSchedule::FirstInterval() {
  // Of an interval X uniform in [T/2, T], seen from a random moment: the one that is met has the
  // density x f(x) / E[X], whose distribution function (x^2 - T^2/4) / (3 T^2/4) is inverted here;
  // the moment is uniform in it.
  const double met = std::sqrt(0.25 + 0.75 * random_.Uniform());
  const double ttl = static_cast<double>(Duration(ttl_).count());
  return Duration(static_cast<Duration::rep>(ttl * met * random_.Uniform()));
}

RefreshSchedule::Duration RefreshSchedule::NextInterval() {
  return UniformBetween(Duration(ttl_) / 2, ttl_);
}

RefreshSchedule::Duration RefreshSchedule::RetryInterval(int failures, Duration servable) {
  const auto backoff = [&](Duration first, Duration limit) {
    const int doublings = std::clamp(failures - 1, 0, kMostDoublings);
    const Duration longest = std::min(first * (std::int64_t{1} << doublings), limit);
    return UniformBetween(longest / 2, longest);
  };
  const auto with_nothing_to_serve = [&] {
    return backoff(kFirstRetry, std::min<Duration>(ttl_, kLongestRetryWhenExpired));
  };
  if (servable <= Duration::zero()) return with_nothing_to_serve();
  const Duration retry =
      backoff(std::max<Duration>(kFirstRetry, Duration(ttl_) / kFirstRetryShareOfTtl), ttl_);
  return retry <= servable ? retry : std::min(retry, servable + with_nothing_to_serve());
}

}  // namespace qarion::secrets::cache
