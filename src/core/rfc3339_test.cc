#include "core/rfc3339.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>

namespace qarion::secrets::core {
namespace {

using std::chrono::system_clock;

// date -u -d TEXT +%s
TEST(Rfc3339, IsReadToTheNanosecond) {
  const auto seconds = [](std::string_view text) -> std::int64_t {
    const auto time = ParseTime(text);
    return time ? system_clock::to_time_t(*time) : -1;
  };
  EXPECT_EQ(seconds("2026-11-23T14:57:22.980955719Z"), 1'795'445'842);
  EXPECT_EQ(seconds("2026-11-23T14:57:22+02:00"), 1'795'438'642);
  EXPECT_EQ(seconds("2026-11-23T14:57:22+0200"), 1'795'438'642);
  EXPECT_EQ(seconds("2026-11-23 14:57:22-02:30"), 1'795'454'842);
  EXPECT_EQ(seconds("2026-11-23t14:57:22z"), 1'795'445'842);
  EXPECT_EQ(seconds("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(ParseTime("1970-01-01T00:00:00.05Z"),
            system_clock::time_point(std::chrono::milliseconds(50)));
  EXPECT_EQ(ParseTime("1970-01-01T00:00:00.000000000999Z"), system_clock::time_point());
  EXPECT_EQ(seconds("2250-12-31T23:59:59Z"), 8'867'491'199);
  EXPECT_EQ(seconds("9999-12-31T23:59:59Z"), 8'867'491'200);
  for (const std::string text :
       {"", "2026", "2026-11-23T14:57:22", "2026-13-23T14:57:22Z", "2026-02-30T14:57:22Z",
        "2026-11-23T24:57:22Z", "2026-11-23T14:57:22.Z", "2026-11-23T14:57:22.5",
        "2026-11-23T14:57:22+02", "2026-11-23T14:57:22Zx", "2026-11-23_14:57:22Z",
        "2026-11-23T14:57:22+02:000", "2026-11-23T14:57:22+", "2026-11-23T14:57:22+02-00",
        "0000-00-00T00:00:00Z", "1970-01-01T00:00:00+02:00", "2026-11-23T14:57:22+24:00",
        "2026-11-23T14:57:22+02:60"}) {
    EXPECT_EQ(seconds(text), -1) << text;
  }
}

// date -u -d @SECONDS +%FT%TZ
TEST(Rfc3339, IsWrittenToTheSecond) {
  const auto text = [](std::int64_t seconds) {
    return FormatTime(std::chrono::sys_seconds(std::chrono::seconds(seconds)));
  };
  EXPECT_EQ(text(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(text(951'782'400), "2000-02-29T00:00:00Z");
  EXPECT_EQ(text(1'795'445'842), "2026-11-23T14:57:22Z");
  EXPECT_EQ(text(-1), "1969-12-31T23:59:59Z");
}

}  // namespace
}  // namespace qarion::secrets::core
