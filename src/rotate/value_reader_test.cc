#include "rotate/value_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace qarion::secrets::rotate {
namespace {

using crypto::FernetReading;

// fernet_generate.json of the specification: its key, and its token for "hello".
constexpr char kKey[] = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
constexpr char kToken[] =
    "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4"
    "IwqDA==";

ValueReader Reader(FernetReading reading = FernetReading::kStrict) {
  std::vector<FernetKey> keys;
  keys.push_back(*FernetKey::Parse(kKey, "the key"));
  return *ValueReader::Create(keys, reading);
}

std::string Sealed(std::string_view plaintext) {
  std::vector<FernetKey> keys;
  keys.push_back(*FernetKey::Parse(kKey, "the key"));
  auto ring = crypto::FernetRing::Create(keys);
  std::string token;
  EXPECT_TRUE(ring->Seal(plaintext, 1'700'000'000, token));
  return token;
}

TEST(ValueReader, OpensTheTokenOfTheSpecification) {
  ValueReader reader = Reader();
  ASSERT_EQ(reader.Read(kToken, ""), ValueKind::kToken);
  EXPECT_EQ(reader.opened().plaintext.Reveal(), "hello");
  EXPECT_EQ(reader.opened().timestamp, 499162800U);
}

TEST(ValueReader, APrefixStandsBeforeEachTokenOfItsColumn) {
  ValueReader reader = Reader();
  EXPECT_EQ(reader.Read("enc:" + std::string(kToken), "enc:"), ValueKind::kToken);
  EXPECT_EQ(reader.Read("enc:other", "enc:"), ValueKind::kBroken);
  EXPECT_EQ(reader.Read("other", "enc:"), ValueKind::kPlaintext);
  EXPECT_EQ(reader.Read(kToken, "enc:"), ValueKind::kBroken);
}

TEST(ValueReader, WhatLooksLikeATokenIsNeverTakenForPlaintext) {
  ValueReader reader = Reader();
  EXPECT_EQ(reader.Read("gAAAAA", ""), ValueKind::kBroken);
  EXPECT_EQ(reader.Read("\n gAAAAABlong", ""), ValueKind::kBroken);
  EXPECT_EQ(reader.Read("postgresql://db", ""), ValueKind::kPlaintext);
  EXPECT_EQ(reader.Read("", ""), ValueKind::kEmpty);
}

TEST(ValueReader, ATokenInsideOfATokenIsReported) {
  ValueReader reader = Reader();
  EXPECT_EQ(reader.Read(Sealed(kToken), ""), ValueKind::kBroken);
  EXPECT_NE(reader.problem().find("encrypted twice"), std::string::npos);
  EXPECT_EQ(reader.Read(Sealed("gAAAAA is how tokens begin"), ""), ValueKind::kToken);
}

TEST(ValueReader, WithoutKeysNothingOpens) {
  auto reader = ValueReader::Create({}, FernetReading::kStrict);
  ASSERT_TRUE(reader);
  EXPECT_EQ(reader->CountTokens(kToken), 0U);
}

TEST(ValueReader, CountsTokensInTextOfEitherAlphabet) {
  ValueReader reader = Reader();
  std::string standard(kToken);
  std::ranges::replace(standard, '-', '+');
  std::ranges::replace(standard, '_', '/');
  const std::string text = "a=" + standard + "; " + kToken + "/path gAAAAA" + std::string(100, 'x');
  EXPECT_EQ(reader.CountTokens(text), 2U);
}

TEST(ValueReader, CountsTokensWithoutPaddingAndWithEscapesInItsPlace) {
  ValueReader reader = Reader();
  for (const std::string& token : {std::string(kToken), Sealed("a second block of text")}) {
    const std::string body = token.substr(0, token.find('='));
    EXPECT_EQ(reader.CountTokens(body), 1U);
    EXPECT_EQ(reader.CountTokens(R"({"a": ")" + body + R"(\u003d\u003d"})"), 1U);
    EXPECT_EQ(reader.CountTokens(R"({"a": "first\n)" + body + R"(=\u003d"})"), 1U);
    EXPECT_EQ(reader.CountTokens(R"("{\"a\": \")" + body + R"(\\u003D=\"}")"), 1U);
  }
}

TEST(ValueReader, CountsTokensWithEscapesInThem) {
  ValueReader reader = Reader();
  const std::string token(kToken);
  const std::string first = R"(\u0067)" + token.substr(1);
  std::string all;
  for (const char c : token) {
    all += R"(\u00)";
    all += "0123456789ABCDEF"[c / 16];
    all += "0123456789ABCDEF"[c % 16];
  }
  for (const std::string& text : {first, R"(g\u0041)" + token.substr(2), all}) {
    EXPECT_EQ(reader.CountTokens(R"({"a": ")" + text + R"("})"), 1U) << text;
    EXPECT_EQ(reader.CountTokens(R"({"b": "\u00e9\n", "a": "x\ty)" + text + R"(\n", )"), 1U)
        << text;
  }
  EXPECT_EQ(reader.CountTokens(R"("{\"a\": \"\)" + first + R"(\"}")"), 1U);
  EXPECT_EQ(reader.CountTokens(R"([")" + token + R"(","\u0061",")" + first + R"("])"), 2U);
  EXPECT_EQ(reader.CountTokens(R"([")" + token + R"(\u0061"])"), 1U);
  std::string standard(kToken);
  std::ranges::replace(standard, '-', '+');
  EXPECT_EQ(reader.CountTokens(standard.replace(standard.find('_'), 1, R"(\/)")), 1U);
}

TEST(WithoutEscapes, ReplacesThoseOfCharactersOfTokensAlone) {
  EXPECT_EQ(WithoutEscapes(R"(a\u0067\\u003D\/b\u00e9\u000a\n\u00)"), R"(ag=/b\u00e9\u000a\n\u00)");
  for (const char* text : {"", "abc", R"(\)", R"(\n\")", R"(\u00g1)", R"(\u006)", R"(\u0022)"}) {
    EXPECT_EQ(WithoutEscapes(text), std::nullopt) << text;
  }
}

TEST(TokensIn, FindsTokensWhereverTheyStand) {
  const std::string text = "a=" + std::string(kToken) + ";b=\"" + kToken + "\", gAAAAAshort";
  EXPECT_EQ(TokensIn(text), (std::vector<std::string_view>{kToken, kToken}));
  EXPECT_TRUE(TokensIn("").empty());
  EXPECT_TRUE(TokensIn("gAAAA gAAAAA").empty());
}

}  // namespace
}  // namespace qarion::secrets::rotate
