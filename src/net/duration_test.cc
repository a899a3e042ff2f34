#include "net/duration.h"

#include <gtest/gtest.h>

#include <limits>

namespace qarion::secrets::net {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

struct Case {
  const char* text;
  nanoseconds value;
};

// From the table of TestParseDuration in Go's time package.
TEST(Duration, IsWhatGoReads) {
  for (const auto& [text, value] : {
           Case{"0s", {}},
           Case{"5s", seconds(5)},
           Case{"30s", seconds(30)},
           Case{"1478s", seconds(1478)},
           Case{"-5s", seconds(-5)},
           Case{"+5s", seconds(5)},
           Case{"5.0s", seconds(5)},
           Case{"5.6s", milliseconds(5600)},
           Case{"5.s", seconds(5)},
           Case{".5s", milliseconds(500)},
           Case{"1.004s", milliseconds(1004)},
           Case{"1.0040s", milliseconds(1004)},
           Case{"100.00100s", milliseconds(100'001)},
           Case{"10ns", nanoseconds(10)},
           Case{"11us", microseconds(11)},
           Case{"12\u00b5s", microseconds(12)},
           Case{"12\u03bcs", microseconds(12)},
           Case{"13ms", milliseconds(13)},
           Case{"15m", minutes(15)},
           Case{"16h", hours(16)},
           Case{"3h30m", minutes(210)},
           Case{"10.5s4m", milliseconds(250'500)},
           Case{"-2m3.4s", milliseconds(-123'400)},
           Case{"1h2m3s4ms5us6ns", hours(1) + minutes(2) + seconds(3) + milliseconds(4) +
                                       microseconds(5) + nanoseconds(6)},
           Case{"39h9m14.425s", hours(39) + minutes(9) + milliseconds(14'425)},
           Case{"52763797000ns", nanoseconds(52'763'797'000)},
           Case{"0.3333333333333333333h", minutes(20)},
           Case{"9223372036854775807ns", nanoseconds(std::numeric_limits<std::int64_t>::max())},
           Case{"0.100000000000000000000h", minutes(6)},
           Case{"0.830103483285477580700h", minutes(49) + seconds(48) + nanoseconds(372'539'827)},
       }) {
    EXPECT_EQ(ParseDuration(text), value) << text;
  }
}

TEST(Duration, CountsDigitsAloneAsSeconds) {
  EXPECT_EQ(ParseDuration("90"), seconds(90));
  EXPECT_EQ(ParseDuration("0"), seconds(0));
  EXPECT_EQ(ParseDuration("-3"), seconds(-3));
}

// The same table, and TestParseDurationErrors.
TEST(Duration, IsNothingElse) {
  for (const char* text : {"",
                           "-",
                           "s",
                           ".",
                           "-.",
                           ".s",
                           "+.s",
                           "1d",
                           "\x85\x85",
                           "\xff"
                           "ff",
                           "hello \xff world",
                           "3000000h",
                           "9223372036854775808ns",
                           "9223372036854775.808us",
                           "9223372036854ms775us808ns",
                           "1.5",
                           "5 s",
                           " 5s",
                           "5s ",
                           "1h-5m",
                           "0x10s",
                           "1e3s",
                           "--5s",
                           "99999999999999999999",
                           "9223372037"}) {
    EXPECT_EQ(ParseDuration(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace qarion::secrets::net
