// A host decides where a credential goes, so it must be the same however often it is read.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "net/srv.h"
#include "net/url.h"

namespace qarion::secrets::net {
namespace {

TEST(Host, IsReadToTheSameAgain) {
  for (const std::string text :
       {"http://%37/", "https://a%2561/", "http://a%ffb/", "http://0x7f.1/", "http://[::1]:80"}) {
    const auto url = ParseUrl(text);
    if (!url) continue;
    const auto again = ParseUrl(url->Origin());
    ASSERT_TRUE(again) << text;
    EXPECT_EQ(again->host, url->host) << text;
  }
}

TEST(Host, IsShownInPrintableAscii) {
  for (const std::string text : {"http://a%ffb/", "http://a%07b/", "http://a%c3%a9/"}) {
    const auto url = ParseUrl(text);
    if (!url) continue;
    for (const char c : url->host) EXPECT_TRUE(c > 0x20 && c < 0x7f) << text;
  }
}

// As src/net/url.h has it.
TEST(Host, HasANameWithoutPercentEncoding) {
  for (const std::string text : {"a%2eb", "%37", "a%", "a%xb"}) {
    EXPECT_FALSE(IsHostName(text)) << text;
  }
}

TEST(Host, HasANameWithoutItsPort) {
  for (const std::string text : {"vault:8200", "vault:", "[::1]:8200"}) {
    EXPECT_FALSE(IsHostName(text)) << text;
  }
}

// 127.0.0.0/8 holds addresses; names that begin with them are anybody's.
TEST(Host, IsNotThisMachineForABeginningOfItsName) {
  for (const std::string text :
       {"http://127.example", "http://127.0.0.1.example:8200", "http://127.0.0.one"}) {
    const auto url = ParseUrl(text);
    ASSERT_TRUE(url) << text;
    EXPECT_FALSE(IsLoopback(*url)) << text;
  }
}

// A DNS answer (RFC 1035, 4; RFC 2782) with one record, 1 1 8200, whose target is this one label.
std::vector<unsigned char> AnswerNaming(const std::string& label) {
  std::vector<unsigned char> answer = {0x12, 0x34, 0x81, 0x80, 0, 1, 0,  1, 0, 0,
                                       0,    0,    1,    'a',  0, 0, 33, 0, 1};
  const auto size = static_cast<unsigned char>(label.size());
  const auto length = static_cast<unsigned char>(8 + label.size());
  const std::vector<unsigned char> record = {0xc0, 0x0c,   0, 33, 0, 1, 0,    0,    0,   60,
                                             0,    length, 0, 1,  0, 1, 0x20, 0x08, size};
  answer.insert(answer.end(), record.begin(), record.end());
  answer.insert(answer.end(), label.begin(), label.end());
  answer.push_back(0);
  return answer;
}

// It would change where the path begins, or be a user.
TEST(Host, OfAServiceIsAHostsName) {
  EXPECT_EQ(BestSrvTarget(AnswerNaming("vault-1")), (SrvTarget{"vault-1", 8200}));
  for (const std::string label : {"a/b", "a?b", "a#b", "a@b", "a b", "a:1", "\x1b[2J", "a\\b"}) {
    const auto target = BestSrvTarget(AnswerNaming(label));
    EXPECT_FALSE(target) << "a target " << target->host;
  }
}

}  // namespace
}  // namespace qarion::secrets::net
