#include "net/http_date.h"

#include <gtest/gtest.h>

#include <string>

namespace qarion::secrets::net {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Its three forms of one moment are the example of RFC 9110, 5.6.7: `date -u -d @784111777`.
constexpr std::chrono::sys_seconds kExample{seconds(784'111'777)};

TEST(HttpDate, HasThreeForms) {
  EXPECT_EQ(ParseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT"), kExample);
  EXPECT_EQ(ParseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT"), kExample);
  EXPECT_EQ(ParseHttpDate("Sun Nov  6 08:49:37 1994"), kExample);
}

TEST(HttpDate, IsNothingElse) {
  const std::string long_text(10'000, 'S');
  for (const std::string& text :
       {std::string(), std::string("soon"), std::string("784111777"), std::string("19941106"),
        std::string("Sun, 06 Nov 1994 28:49:37 GMT"), long_text}) {
    EXPECT_EQ(ParseHttpDate(text), std::nullopt) << text;
  }
}

TEST(RetryAfter, IsSecondsOrADate) {
  EXPECT_EQ(ParseRetryAfter("120", kExample, hours(1)), seconds(120));
  EXPECT_EQ(ParseRetryAfter("0", kExample, hours(1)), seconds(0));
  EXPECT_EQ(ParseRetryAfter("Sun, 06 Nov 1994 08:50:37 GMT", kExample, hours(1)), seconds(60));
  EXPECT_EQ(ParseRetryAfter("Sun, 06 Nov 1994 08:50:37 GMT", kExample + milliseconds(1), hours(1)),
            seconds(60));
}

TEST(RetryAfter, IsNeitherNegativeNorLongerThanWeWouldWait) {
  EXPECT_EQ(ParseRetryAfter("Sun, 06 Nov 1994 08:49:36 GMT", kExample, hours(1)), seconds(0));
  EXPECT_EQ(ParseRetryAfter("7200", kExample, hours(1)), hours(1));
  EXPECT_EQ(ParseRetryAfter("99999999999999999999999", kExample, hours(1)), hours(1));
  EXPECT_EQ(ParseRetryAfter("Fri, 06 Nov 2043 08:49:37 GMT", kExample, hours(1)), hours(1));
  EXPECT_EQ(ParseRetryAfter("Sun, 06 Nov 9994 08:49:37 GMT", kExample, hours(1)), hours(1));
}

TEST(RetryAfter, IsNothingElse) {
  for (const char* text : {"", "-1", "1.5", " 5", "5 ", "soon", "+5"}) {
    EXPECT_EQ(ParseRetryAfter(text, kExample, hours(1)), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace qarion::secrets::net
