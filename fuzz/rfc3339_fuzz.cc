// Any bytes as a time. Those in the plainest form are held against what the C library makes of
// them.
#include <chrono>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

#include "core/rfc3339.h"
#include "require.h"

namespace core = qarion::secrets::core;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto time = core::ParseTime(text);
  constexpr std::string_view kPlain = "2026-01-02T03:04:05Z";
  if (time) {
    Require(text.size() >= kPlain.size());
    const auto day = std::chrono::floor<std::chrono::days>(*time);
    const std::chrono::year_month_day date(day);
    Require(date.year() >= std::chrono::year(1970) && date.year() <= std::chrono::year(2262));
  }
  if (time && text.size() == kPlain.size() && text < "2250") {
    std::string plain = text;  // with the one spelling that strptime reads
    plain[kPlain.find('T')] = 'T';
    plain.back() = 'Z';
    std::tm parts{};
    Require(strptime(plain.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts) != nullptr);
    Require(std::chrono::system_clock::to_time_t(*time) == timegm(&parts));
  }
  return 0;
}
