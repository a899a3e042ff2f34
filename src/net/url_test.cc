#include "net/url.h"

#include <gtest/gtest.h>

namespace qarion::secrets::net {
namespace {

TEST(Url, HasItsParts) {
  const auto url = ParseUrl("https://Vault-1.example:8200/v1/secret?version=3");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->scheme, "https");
  EXPECT_EQ(url->host, "vault-1.example");
  EXPECT_EQ(url->port, "8200");
  EXPECT_EQ(url->path, "/v1/secret");
  EXPECT_EQ(url->query, "version=3");
  EXPECT_TRUE(url->names_port);
  EXPECT_EQ(url->Origin(), "https://vault-1.example:8200");
}

TEST(Url, HasThePortOfItsScheme) {
  EXPECT_EQ(ParseUrl("https://a")->Origin(), "https://a:443");
  EXPECT_EQ(ParseUrl("http://[::1]")->Origin(), "http://[::1]:80");
  EXPECT_FALSE(ParseUrl("https://a")->names_port);
}

TEST(Url, IsNothingElse) {
  for (const std::string text : {"", "vault", "vault:8200", "ftp://a", "file:///etc/passwd",
                                 "https://", "https://u:p@a", "https://u@a", "https://a/#f",
                                 "https://a b", "https://a\r\nX: y", "https://a:99999", "//a/b"}) {
    EXPECT_FALSE(ParseUrl(text)) << text;
  }
  EXPECT_FALSE(ParseUrl("https://a/" + std::string(9000, 'x')));
}

// The examples of RFC 3986, 5.4.1 that a redirect could hold.
TEST(Url, IsResolvedAgainstItsBase) {
  const auto resolved = [](std::string_view reference) {
    const auto url = ResolveUrl("http://a/b/c/d?q", reference);
    return url ? url->scheme + "://" + url->host + url->path : "nothing";
  };
  EXPECT_EQ(resolved("g"), "http://a/b/c/g");
  EXPECT_EQ(resolved("/g"), "http://a/g");
  EXPECT_EQ(resolved("//g"), "http://g/");
  EXPECT_EQ(resolved("https://evil.example/v1"), "https://evil.example/v1");
  EXPECT_EQ(resolved("http://u@g"), "nothing");
}

TEST(Url, KnowsThisMachine) {
  for (const auto* const text :
       {"http://localhost", "http://127.0.0.1:1", "http://127.9.9.9", "http://[::1]:1"}) {
    EXPECT_TRUE(IsLoopback(*ParseUrl(text))) << text;
  }
  for (const auto* const text : {"http://localhost.example", "http://10.0.0.1",
                                 "http://127.0.0.1.example", "http://128.0.0.1"}) {
    EXPECT_FALSE(IsLoopback(*ParseUrl(text))) << text;
  }
}

TEST(Url, NamesAProxy) {
  for (const std::string text :
       {"http://proxy:3128", "https://u:p@proxy", "socks5h://[::1]:1080"}) {
    EXPECT_TRUE(IsProxyUrl(text)) << text;
  }
  for (const std::string text : {"", "proxy:3128", "not a url", "ftp://proxy", "http://"}) {
    EXPECT_FALSE(IsProxyUrl(text)) << text;
  }
}

TEST(Url, NamesAHost) {
  for (const std::string text : {"vault.example", "127.0.0.1", "[::1]"}) {
    EXPECT_TRUE(IsHostName(text)) << text;
  }
  for (const std::string text :
       {"", "a b", "a/b", "u@a", "a?b", "a#b", "https://a", "a:8200", "[::1]:8200"}) {
    EXPECT_FALSE(IsHostName(text)) << text;
  }
}

TEST(Url, EncodesPaths) {
  EXPECT_EQ(EncodePath("secret/data/caf\xc3\xa9 +%?#.x"), "secret/data/caf%C3%A9%20%2B%25%3F%23.x");
}

}  // namespace
}  // namespace qarion::secrets::net
