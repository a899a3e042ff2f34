#include "aws/retry_policy.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <vector>

#include "aws/service_answer.h"

namespace qarion::secrets::aws {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr int kThrottlingCost = 5;
constexpr int kTransientCost = 14;
constexpr seconds kThrottlingBase{1};
constexpr milliseconds kTransientBase{50};
constexpr seconds kLongestPause{20};
constexpr seconds kMostAsked{5};  // of x-amz-retry-after beyond the pause by chance

bool IsThrottled(const net::Attempt& made) {
  return made.result && IsThrottling(made.result->status, ErrorCodeOf(*made.result));
}

nanoseconds ByChance(nanoseconds most, core::Random& random) {
  return nanoseconds(
      static_cast<std::int64_t>(static_cast<double>(most.count()) * random.Uniform()));
}

nanoseconds Doubled(nanoseconds base, int attempt) {
  constexpr int kMostDoublings = 16;
  return base * (std::int64_t{1} << std::clamp(attempt - 1, 0, kMostDoublings));
}

nanoseconds StandardPause(const net::Attempt& made, int attempt, core::Random& random) {
  const nanoseconds base = IsThrottled(made) ? nanoseconds(kThrottlingBase) : kTransientBase;
  const nanoseconds pause =
      ByChance(std::min<nanoseconds>(Doubled(base, attempt), kLongestPause), random);
  const auto asked = made.result ? made.result->Find("x-amz-retry-after") : std::nullopt;
  if (!asked) return pause;
  std::int64_t count = 0;
  const auto parsed = std::from_chars(asked->data(), asked->data() + asked->size(), count);
  const bool is_number = parsed.ec == std::errc() && parsed.ptr == asked->data() + asked->size();
  if (!is_number || count < 0) return pause;
  const milliseconds most = std::chrono::duration_cast<milliseconds>(pause + kMostAsked);
  return std::max<nanoseconds>(pause, std::min(milliseconds(count), most));
}

}  // namespace

net::RetryPolicy MakeRetryPolicy(RetryMode mode, int most_attempts,
                                 std::span<const std::string_view> more_codes) {
  net::RetryPolicy policy{.most_attempts = most_attempts};
  policy.is_worth_another_try = [mode, more = std::vector(more_codes.begin(), more_codes.end())](
                                    const net::HttpResponse& response) {
    const std::string code = ErrorCodeOf(response);
    constexpr int kBandwidthExceeded = 509;  // which the older mode alone tries again
    return IsThrottling(response.status, code) || IsTransient(response.status, code) ||
           (mode == RetryMode::kLegacy && response.status == kBandwidthExceeded) ||
           std::ranges::find(more, code) != more.end();
  };
  if (mode == RetryMode::kLegacy) {
    policy.pause = [](const net::Attempt&, int attempt, core::Random& random) {
      return ByChance(std::min<nanoseconds>(Doubled(seconds(1), attempt), seconds(60)), random);
    };
    policy.cost = [](const net::Attempt&) { return 0; };
  } else {
    policy.pause = StandardPause;
    policy.cost = [](const net::Attempt& made) {
      return IsThrottled(made) ? kThrottlingCost : kTransientCost;
    };
  }
  return policy;
}

}  // namespace qarion::secrets::aws
