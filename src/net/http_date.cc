#include "net/http_date.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <string>

#include "core/ascii.h"

namespace qarion::secrets::net {
namespace {

constexpr std::size_t kLongestDate = 40;

}  // namespace

std::optional<std::chrono::sys_seconds> ParseHttpDate(std::string_view text) {
  // curl_getdate reads more than HTTP's dates; all of these begin with the name of a day.
  if (text.empty() || text.size() > kLongestDate || core::IsDigit(text.front()))
    return std::nullopt;
  const std::string terminated(text);
  const std::time_t parsed = curl_getdate(terminated.c_str(), nullptr);
  if (parsed == -1) return std::nullopt;
  return std::chrono::sys_seconds(std::chrono::seconds(parsed));
}

std::optional<std::chrono::seconds> ParseRetryAfter(std::string_view text,
                                                    std::chrono::system_clock::time_point now,
                                                    std::chrono::seconds longest) {
  using std::chrono::seconds;
  if (!text.empty() && std::all_of(text.begin(), text.end(), core::IsDigit)) {
    seconds::rep count = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), count);
    return parsed.ec == std::errc() ? std::min(seconds(count), longest) : longest;
  }
  const auto date = ParseHttpDate(text);
  if (!date) return std::nullopt;
  // In whole seconds: in the clock's units a date far away would not fit.
  return std::clamp(*date - std::chrono::floor<seconds>(now), seconds(0), longest);
}

}  // namespace qarion::secrets::net
