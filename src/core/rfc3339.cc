#include "core/rfc3339.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "core/ascii.h"

namespace qarion::secrets::core {

std::optional<std::chrono::system_clock::time_point> ParseTime(std::string_view text) {
  namespace chrono = std::chrono;
  constexpr int kLatest = 2250;
  int parts[6] = {};
  constexpr std::size_t kAt[] = {0, 5, 8, 11, 14, 17};
  constexpr std::size_t kDigits[] = {4, 2, 2, 2, 2, 2};
  constexpr std::string_view kShape = "0000-00-00T00:00:00";
  if (text.size() <= kShape.size() || text.size() > 64) return std::nullopt;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    const bool is_digit = IsDigit(text[i]);
    const bool is_mark =
        text[i] == kShape[i] || (kShape[i] == 'T' && (text[i] == 't' || text[i] == ' '));
    if (kShape[i] == '0' ? !is_digit : !is_mark) return std::nullopt;
  }
  for (std::size_t i = 0; i < 6; ++i) {
    std::from_chars(text.data() + kAt[i], text.data() + kAt[i] + kDigits[i], parts[i]);
  }
  text.remove_prefix(kShape.size());
  chrono::nanoseconds fraction{};
  if (text.front() == '.') {
    const std::size_t end = text.find_first_not_of("0123456789", 1);
    if (end == std::string_view::npos || end == 1) return std::nullopt;
    chrono::nanoseconds unit = chrono::seconds(1);
    for (const char digit : text.substr(1, end - 1)) {
      unit /= 10;  // in the end nothing
      fraction += unit * (digit - '0');
    }
    text.remove_prefix(end);
  }
  const chrono::year_month_day day{chrono::year(parts[0]),
                                   chrono::month(static_cast<unsigned>(parts[1])),
                                   chrono::day(static_cast<unsigned>(parts[2]))};
  if (!day.ok() || parts[0] < 1970 || parts[3] > 23 || parts[4] > 59 || parts[5] > 60) {
    return std::nullopt;
  }
  chrono::minutes offset{};
  if (text != "Z" && text != "z") {
    // +02:00, or +0200 as strftime's %z writes it.
    if (text.empty()) return std::nullopt;
    const bool has_colon = text.size() == 6 && text[3] == ':';
    std::string digits(text.substr(1));
    if (has_colon) digits.erase(2, 1);
    if ((text.front() != '+' && text.front() != '-') || digits.size() != 4 ||
        !std::ranges::all_of(digits, IsDigit)) {
      return std::nullopt;
    }
    const auto number = [&](std::size_t i) { return (digits[i] - '0') * 10 + digits[i + 1] - '0'; };
    if (number(0) > 23 || number(2) > 59) return std::nullopt;
    offset = chrono::hours(number(0)) + chrono::minutes(number(2));
    if (text.front() == '-') offset = -offset;
  }
  if (parts[0] > kLatest) return chrono::sys_days(chrono::year(kLatest + 1) / 1 / 1);
  const chrono::system_clock::time_point time = chrono::sys_days(day) + chrono::hours(parts[3]) +
                                                chrono::minutes(parts[4]) +
                                                chrono::seconds(parts[5]) + fraction - offset;
  if (time < chrono::system_clock::time_point()) return std::nullopt;
  return time;
}

std::string FormatTime(std::chrono::sys_seconds time) {
  // By <chrono>: gmtime_r and strftime would read the time zone's file at each start.
  namespace chrono = std::chrono;
  const auto day = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss clock(time - day);
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02ld:%02ld:%02ldZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(),
                clock.seconds().count());
  return text.data();
}

}  // namespace qarion::secrets::core
