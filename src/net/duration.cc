#include "net/duration.h"

#include <array>
#include <cstdint>
#include <limits>

#include "core/ascii.h"

namespace qarion::secrets::net {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
// Of the sum, and of each step on the way to it.
constexpr std::uint64_t kLongest = std::numeric_limits<std::int64_t>::max();

struct Unit {
  std::string_view name;
  std::uint64_t nanoseconds;
};
// A name that begins with another one comes first.
constexpr std::array kUnits = {
    Unit{"ns", 1},         Unit{"us", 1'000},  Unit{"\u00b5s", 1'000},  Unit{"\u03bcs", 1'000},
    Unit{"ms", 1'000'000}, Unit{"s", kSecond}, Unit{"m", 60 * kSecond}, Unit{"h", 3600 * kSecond}};

using core::IsDigit;

// Takes the digits that `text` begins with.
std::string_view TakeDigits(std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && IsDigit(text[count])) ++count;
  const std::string_view digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

std::optional<std::uint64_t> Whole(std::string_view digits, std::uint64_t unit) {
  std::uint64_t value = 0;
  for (const char digit : digits) {
    if (value > kLongest / 10) return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  if (value > kLongest / unit) return std::nullopt;
  return value * unit;
}

// `digits` behind the decimal point, in nanoseconds; in floating point, as Go does it.
std::uint64_t Fraction(std::string_view digits, std::uint64_t unit) {
  std::uint64_t numerator = 0;
  double denominator = 1;
  for (const char digit : digits) {
    if (numerator > (kLongest - 9) / 10) break;  // the digits left change nothing
    numerator = numerator * 10 + static_cast<std::uint64_t>(digit - '0');
    denominator *= 10;
  }
  return static_cast<std::uint64_t>(static_cast<double>(numerator) *
                                    (static_cast<double>(unit) / denominator));
}

// Takes one number with its unit.
std::optional<std::uint64_t> TakePart(std::string_view& text) {
  const std::string_view whole = TakeDigits(text);
  std::string_view fraction;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = TakeDigits(text);
  }
  if (whole.empty() && fraction.empty()) return std::nullopt;
  for (const Unit& unit : kUnits) {
    if (!text.starts_with(unit.name)) continue;
    text.remove_prefix(unit.name.size());
    const auto value = Whole(whole, unit.nanoseconds);
    if (!value) return std::nullopt;
    return *value + Fraction(fraction, unit.nanoseconds);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::chrono::nanoseconds> ParseDuration(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  std::uint64_t sum = 0;
  if (std::string_view rest = text; !TakeDigits(rest).empty() && rest.empty()) {
    const auto seconds = Whole(text, kSecond);
    if (!seconds) return std::nullopt;
    sum = *seconds;
    text = rest;
  }
  while (!text.empty()) {
    const auto part = TakePart(text);
    if (!part || *part > kLongest - sum) return std::nullopt;
    sum += *part;
  }
  const auto count = static_cast<std::int64_t>(sum);
  return std::chrono::nanoseconds(is_negative ? -count : count);
}

}  // namespace qarion::secrets::net
