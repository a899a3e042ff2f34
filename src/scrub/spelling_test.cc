#include "scrub/spelling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace qarion::secrets::scrub {
namespace {

using namespace std::string_view_literals;

std::string TextOf(const Spelled& spelled) {
  std::string text(spelled.size(), '?');
  spelled.CopyTo(text.data());
  return text;
}

struct Case {
  Spelling spelling;
  std::string_view source;
  std::string_view text;
};

// The first ones are RFC 4648, 10; and what `xxd -p`, `openssl asn1parse`, Python's
// `"".join(f"%{b:02x}" ...)` and iconv make of the same.
const std::vector<Case> kCases = {
    {Spelling::kAsIs, "foob", "foob"},
    {Spelling::kHexUpper, "foobar", "666F6F626172"},
    {Spelling::kHexLower, "foobar", "666f6f626172"},
    {Spelling::kHexLower, "\x00\x9a\xff"sv, "009aff"},
    {Spelling::kColonHexUpper, "foob", "66:6F:6F:62"},
    {Spelling::kColonHexLower, "foob", "66:6f:6f:62"},
    {Spelling::kColonHexLower, "f", "66"},
    {Spelling::kPercentUpper, "foo/", "%66%6F%6F%2F"},
    {Spelling::kPercentLower, "foo/", "%66%6f%6f%2f"},
    {Spelling::kUtf16Little, "foo", "f\0o\0o\0"sv},
    {Spelling::kUtf16Big, "foo", "\0f\0o\0o"sv},
    {Spelling::kBackslashes, "foo", R"(\f\o\o)"},
    // What Python's b64encode and urlsafe_b64encode make of it behind no, one and two bytes,
    // without the characters that those around determine, too.
    {Spelling::kBase64Behind0, "foobar", "Zm9vYmFy"},
    {Spelling::kBase64Behind1, "foobar", "Zvb2Jhc"},
    {Spelling::kBase64Behind2, "foobar", "mb29iYX"},
    {Spelling::kBase64Behind0, "\xfb\xff\xfe\xfb", "+//++"},
    {Spelling::kBase64UrlBehind0, "\xfb\xff\xfe\xfb", "-__--"},
    {Spelling::kBase64UrlBehind1, "\xfb\xff\xfe\xfb", "v__v"},
    {Spelling::kBase64UrlBehind2, "\xfb\xff\xfe\xfb", "7__77"},
};

TEST(Spelling, WritesWhatEncodersDo) {
  for (const auto& [spelling, source, text] : kCases) {
    EXPECT_EQ(TextOf({spelling, source}), text);
    for (std::size_t size = 0; size <= text.size(); ++size) {
      EXPECT_EQ(TextOf(Spelled(spelling, source).Beginning(size)), text.substr(0, size));
    }
  }
}

TEST(Spelling, HasTheBytesOfItsText) {
  for (const auto& [spelling, source, text] : kCases) {
    const Spelled spelled(spelling, source);
    for (std::size_t begin = 0; begin <= text.size(); ++begin) {
      for (std::size_t end = begin; end <= text.size(); ++end) {
        std::string part(text.substr(begin, end - begin));
        EXPECT_TRUE(spelled.Has(begin, part.data(), part.size())) << text << begin << " " << end;
        for (char& c : part) {
          c ^= 1;
          EXPECT_FALSE(spelled.Has(begin, part.data(), part.size())) << text << begin << " " << end;
          c ^= 1;
        }
      }
    }
  }
}

TEST(Spelling, IsOrderedAsItsTextIs) {
  std::vector<Spelled> all;
  for (const Case& one : kCases) {
    const Spelled whole(one.spelling, one.source);
    for (std::size_t size = 0; size <= whole.size(); ++size) all.push_back(whole.Beginning(size));
  }
  for (const std::string_view text : {"66:6f:6f:62"sv, "f\0o\0o"sv, "666f\x80"sv, "fooba"sv}) {
    all.emplace_back(text);
  }
  for (const Spelled& a : all) {
    for (const Spelled& b : all) {
      const std::string a_text = TextOf(a);
      const std::string b_text = TextOf(b);
      EXPECT_EQ(Compare(a, b) < 0, a_text < b_text) << a_text << " " << b_text;
      EXPECT_EQ(Compare(a, b) > 0, a_text > b_text) << a_text << " " << b_text;
      EXPECT_EQ(a.StartsWith(b), a_text.starts_with(b_text)) << a_text << " " << b_text;
    }
  }
}

}  // namespace
}  // namespace qarion::secrets::scrub
