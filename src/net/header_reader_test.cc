#include "net/header_reader.h"

#include <gtest/gtest.h>

#include <string>

namespace qarion::secrets::net {
namespace {

// "name=value;" of each.
std::string Read(std::initializer_list<std::string_view> lines) {
  HeaderReader reader(1000);
  for (const std::string_view line : lines) EXPECT_TRUE(reader.Take(line));
  EXPECT_TRUE(reader.is_complete());
  std::string text;
  for (const HttpHeader& header : std::move(reader).Release()) {
    text += header.name + "=" + std::string(header.value.Reveal()) + ";";
  }
  return text;
}

TEST(HeaderReader, ReadsNamesInLowerCaseAndValuesWithoutBlanks) {
  EXPECT_EQ(Read({"HTTP/1.1 200 OK\r\n", "Content-Type: application/json\r\n", "X-Empty:\r\n",
                  "X-Blank: \t a:b \r\n", "X-Blank: twice\n", "\r\n"}),
            "content-type=application/json;x-empty=;x-blank=a:b;x-blank=twice;");
}

TEST(HeaderReader, PassesOverWhatIsNoHeader) {
  EXPECT_EQ(Read({"HTTP/1.1 200 OK\r\n", "no colon\r\n", "A: b\r\n", "\r\n"}), "a=b;");
}

TEST(HeaderReader, ForgetsAnAnswerThatOnlySaysToGoOn) {
  EXPECT_EQ(Read({"HTTP/1.1 100 Continue\r\n", "A: first\r\n", "\r\n", "HTTP/1.1 200 OK\r\n",
                  "B: second\r\n", "\r\n"}),
            "b=second;");
  HeaderReader reader(1000);
  reader.Take("HTTP/1.1 100 Continue\r\n");
  reader.Take("\r\n");
  reader.Take("HTTP/1.1 200 OK\r\n");
  EXPECT_FALSE(reader.is_complete());
}

TEST(HeaderReader, TakesNoMoreThanItsLimit) {
  HeaderReader reader(10);
  EXPECT_TRUE(reader.Take("A: 345\r\n"));
  EXPECT_TRUE(reader.Take("\r\n"));
  EXPECT_FALSE(reader.Take("x"));
}

}  // namespace
}  // namespace qarion::secrets::net
