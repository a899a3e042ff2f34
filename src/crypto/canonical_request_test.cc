// Expected values: botocore 1.44.5 (auth.py), unless another source is named.
#include "crypto/canonical_request.h"

#include <gtest/gtest.h>

#include <string>

namespace qarion::secrets::crypto {
namespace {

std::string Path(std::string_view path, PathStyle style = PathStyle::kNormalized) {
  SecretBuffer out;
  AppendCanonicalPath(path, style, out);
  return std::string(out.Reveal());
}

std::string Query(std::string_view query) {
  SecretBuffer out;
  AppendCanonicalQuery(query, out);
  return std::string(out.Reveal());
}

std::string HeaderValue(std::string_view value) {
  SecretBuffer out;
  AppendCanonicalHeaderValue(value, out);
  return std::string(out.Reveal());
}

TEST(CanonicalPath, OfAnEmptyPathIsASlash) {
  EXPECT_EQ(Path(""), "/");
  EXPECT_EQ(Path("", PathStyle::kObjectKey), "/");
}

TEST(CanonicalPath, HasNoDotSegmentsAndNoEmptyOnes) {
  EXPECT_EQ(Path("/a/.."), "/");
  EXPECT_EQ(Path("/a/b/.."), "/a");
  EXPECT_EQ(Path("/a/./b/../c/"), "/a/c/");
  EXPECT_EQ(Path("/../.."), "/");
  EXPECT_EQ(Path("//a//b"), "/a/b");
  EXPECT_EQ(Path("/a/b/."), "/a/b");
}

TEST(CanonicalPath, KeepsSegmentsThatOnlyLookLikeDots) {
  EXPECT_EQ(Path("/..."), "/...");
  EXPECT_EQ(Path("/a/..b"), "/a/..b");
  EXPECT_EQ(Path("/..a/b"), "/..a/b");
}

TEST(CanonicalPath, EncodesWhatIsSentOnceMore) {
  EXPECT_EQ(Path("/a%20b"), "/a%2520b");
  EXPECT_EQ(Path("/a%2Fb"), "/a%252Fb");
  EXPECT_EQ(Path("/%2e%2e/b"), "/%252e%252e/b");
  EXPECT_EQ(Path("/a+b"), "/a%2Bb");
  EXPECT_EQ(Path("/k\xc3\xa4se"), "/k%C3%A4se");
  EXPECT_EQ(Path("/a=b&c@d:e;f,g!$'()*"), "/a%3Db%26c%40d%3Ae%3Bf%2Cg%21%24%27%28%29%2A");
}

TEST(CanonicalPath, OfAnObjectKeyIsWhatIsSent) {
  const PathStyle style = PathStyle::kObjectKey;
  EXPECT_EQ(Path("/a/./b/../c/", style), "/a/./b/../c/");
  EXPECT_EQ(Path("//a//b", style), "//a//b");
  EXPECT_EQ(Path("/a%20b", style), "/a%20b");
  EXPECT_EQ(Path("/a%2Fb", style), "/a%2Fb");
}

// botocore never sends these. "Letters in the hexadecimal value must be uppercase."
TEST(CanonicalPath, OfAnObjectKeyIsEncodedOnceHoweverItIsSent) {
  const PathStyle style = PathStyle::kObjectKey;
  EXPECT_EQ(Path("/k\xc3\xa4se%2f%7e", style), "/k%C3%A4se%2F~");
  EXPECT_EQ(Path("/100%", style), "/100%25");
  EXPECT_EQ(Path("/%4", style), "/%254");
  EXPECT_EQ(Path("/%zz", style), "/%25zz");
}

TEST(CanonicalQuery, IsSortedByNamesAndThenByValues) {
  EXPECT_EQ(Query(""), "");
  EXPECT_EQ(Query("b=2&a=1"), "a=1&b=2");
  EXPECT_EQ(Query("a=2&a=1"), "a=1&a=2");
  EXPECT_EQ(Query("a=1&A=1"), "A=1&a=1");
  EXPECT_EQ(Query("a1=&a-=1&a=1"), "a=1&a-=1&a1=");
}

TEST(CanonicalQuery, GivesAParameterWithoutValueAnEqualsSign) { EXPECT_EQ(Query("acl"), "acl="); }

TEST(CanonicalQuery, EncodesNamesAndValuesOnce) {
  EXPECT_EQ(Query("a=b c"), "a=b%20c");
  EXPECT_EQ(Query("a=b%20c"), "a=b%20c");
  EXPECT_EQ(Query("a=b/c"), "a=b%2Fc");
  EXPECT_EQ(Query("a=b%2Fc"), "a=b%2Fc");
  EXPECT_EQ(Query("a=b=c"), "a=b%3Dc");
  EXPECT_EQ(Query("\xc3\xa4=\xc3\xb6"), "%C3%A4=%C3%B6");
  EXPECT_EQ(Query("~=*"), "~=%2A");
}

TEST(CanonicalQuery, TakesAPlusSignForItself) {
  EXPECT_EQ(Query("a=b+c"), "a=b%2Bc");
  EXPECT_EQ(Query("a=b%2bc"), "a=b%2Bc");
}

// aws-c-auth leaves them out; botocore would sign "&" as an empty name and an empty value.
TEST(CanonicalQuery, LeavesEmptyParametersOut) { EXPECT_EQ(Query("&a=1&&b=2&"), "a=1&b=2"); }

TEST(CanonicalHeaderValue, HasOneSpaceForEachRunOfWhiteSpace) {
  EXPECT_EQ(HeaderValue("  a   b  "), "a b");
  EXPECT_EQ(HeaderValue("\"a   b\""), "\"a b\"");
  EXPECT_EQ(HeaderValue("a\tb"), "a b");
  EXPECT_EQ(HeaderValue("a\r\n  b"), "a b");
  EXPECT_EQ(HeaderValue("  "), "");
}

TEST(CanonicalHeaders, AreSortedByNamesWhateverFollowsThem) {
  // '-' sorts before ':', so that sorting whole lines would turn them round.
  const SigningHeader headers[] = {{"X-Amz-Grant-Read-Acp", "2"}, {"x-amz-grant-read", "1"}};
  const CanonicalHeaders canonical = MakeCanonicalHeaders(headers);
  EXPECT_EQ(canonical.lines.Reveal(), "x-amz-grant-read:1\nx-amz-grant-read-acp:2\n");
  EXPECT_EQ(canonical.signed_names, "x-amz-grant-read;x-amz-grant-read-acp");
}

TEST(CanonicalHeaders, JoinRepeatedOnesInTheOrderTheyCame) {
  const SigningHeader headers[] = {{"B", "2"}, {"a", ""}, {"b", " 1 "}, {"A", "3"}};
  EXPECT_EQ(MakeCanonicalHeaders(headers).lines.Reveal(), "a:,3\nb:2,1\n");
}

TEST(CanonicalHeaders, LeaveOutWhatProxiesChange) {
  const SigningHeader headers[] = {
      {"Host", "h"}, {"User-Agent", "qsecrets"}, {"Expect", "x"}, {"TE", "x"}, {"Range", "x"}};
  EXPECT_EQ(MakeCanonicalHeaders(headers).signed_names, "host;range");
}

TEST(SigningRequest, IsRefusedWhereAnotherOneCouldHaveTheSameCanonicalForm) {
  const auto is_sound = [](std::string_view method, std::vector<SigningHeader> headers) {
    return CheckSigningRequest(
               {.method = method, .path = "/", .query = {}, .headers = headers, .payload = {}})
        .has_value();
  };
  EXPECT_TRUE(is_sound("GET", {{"host", "h"}}));
  EXPECT_FALSE(is_sound("GET\n/", {{"host", "h"}}));
  EXPECT_FALSE(is_sound("", {{"host", "h"}}));
  EXPECT_FALSE(is_sound("GET", {{"host", "h"}, {"a:b\nc", "d"}}));
  EXPECT_FALSE(is_sound("GET", {{"host", "h"}, {"", "d"}}));
  EXPECT_FALSE(is_sound("GET", {{"a", "b"}}));
  EXPECT_FALSE(is_sound("GET", {{"host", "h"}, {"Host", "i"}}));
}

}  // namespace
}  // namespace qarion::secrets::crypto
