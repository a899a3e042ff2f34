#include "aws/xml_document.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

namespace qarion::secrets::aws {
namespace {

std::optional<std::string> TextOf(std::string_view xml, std::string_view path) {
  const auto text = XmlText(xml, path);
  if (!text) return std::nullopt;
  return std::string(text->Reveal());
}

// The answers below are what moto 5.2.5 and MiniStack 1.5.33 sent on 2026-11-24, with fake values
// in place of their random ones.

constexpr std::string_view kMotoAssumeRole =
    R"(<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>)"
    R"(<Credentials><AccessKeyId>ASIAFAKE000000000001</AccessKeyId>)"
    R"(<SecretAccessKey>fake+secret/key</SecretAccessKey><SessionToken>fake/token+1=</SessionToken>)"
    R"(<Expiration>2026-11-24T18:00:52.319136Z</Expiration></Credentials><AssumedRoleUser>)"
    R"(<AssumedRoleId>AROAFAKE000000000001:s1</AssumedRoleId>)"
    R"(<Arn>arn:aws:sts::123456789012:assumed-role/app/s1</Arn></AssumedRoleUser>)"
    R"(<PackedPolicySize>6</PackedPolicySize></AssumeRoleResult><ResponseMetadata>)"
    R"(<RequestId>fake-request</RequestId></ResponseMetadata></AssumeRoleResponse>)";

constexpr std::string_view kMiniStackIdentity =
    R"(<?xml version="1.0" encoding="UTF-8"?>)"
    R"(<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">)"
    R"(<GetCallerIdentityResult><Arn>arn:aws:iam::000000000000:user/u</Arn>)"
    R"(<UserId>AIDAFAKE000000000001</UserId><Account>000000000000</Account>)"
    R"(</GetCallerIdentityResult><ResponseMetadata><RequestId>fake-request</RequestId>)"
    R"(</ResponseMetadata></GetCallerIdentityResponse>)";

constexpr std::string_view kMiniStackDenied =
    R"(<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>)"
    R"(<Code>AccessDenied</Code><Message>User: is not authorized to perform: sts:AssumeRole on )"
    R"(resource: arn:aws:iam::000000000000:role/app</Message></Error>)"
    R"(<RequestId>fake-request</RequestId></ErrorResponse>)";

TEST(XmlTextTest, ReadsTheAnswersOfMotoAndMiniStack) {
  EXPECT_EQ(TextOf(kMotoAssumeRole, "AssumeRoleResult/Credentials/SecretAccessKey"),
            "fake+secret/key");
  EXPECT_EQ(TextOf(kMotoAssumeRole, "AssumeRoleResult/AssumedRoleUser/Arn"),
            "arn:aws:sts::123456789012:assumed-role/app/s1");
  EXPECT_EQ(TextOf(kMiniStackIdentity, "GetCallerIdentityResult/Account"), "000000000000");
  EXPECT_EQ(TextOf(kMiniStackDenied, "Error/Code"), "AccessDenied");
  EXPECT_EQ(TextOf(kMiniStackDenied, "RequestId"), "fake-request");
}

TEST(XmlTextTest, FindsAPathOnlyWhereAllOfItFits) {
  EXPECT_EQ(TextOf("<a><c>1</c><b><c>2</c></b></a>", "b/c"), "2");
  EXPECT_EQ(TextOf("<a><c>1</c><b><c>2</c></b></a>", "a/c"), "1");
  EXPECT_EQ(TextOf("<a><b><x><c>2</c></x></b></a>", "b/c"), std::nullopt);
  EXPECT_EQ(TextOf("<a><bc>2</bc></a>", "a/b"), std::nullopt);
  EXPECT_EQ(TextOf("<a>1</a>", "b/a"), std::nullopt);
  EXPECT_EQ(TextOf("<a>1</a>", ""), std::nullopt);
  EXPECT_EQ(TextOf("<a>1</a>", "a"), "1");
}

TEST(XmlTextTest, TakesTheFirstOfSeveral) {
  EXPECT_EQ(TextOf("<a><b>1</b><b>2</b></a>", "a/b"), "1");
  EXPECT_EQ(TextOf("<a><b/><b>2</b></a>", "a/b"), "");
}

TEST(XmlTextTest, IgnoresPrefixesAndAttributes) {
  EXPECT_EQ(TextOf(R"(<n:a xmlns:n="u" x = '>"'><n:b y="&lt;/b&gt;" >1</n:b ></n:a>)", "a/b"), "1");
}

TEST(XmlTextTest, DecodesReferencesAndCData) {
  EXPECT_EQ(TextOf("<a>&lt;&gt;&amp;&quot;&apos;&#65;&#x42;</a>", "a"), "<>&\"'AB");
  EXPECT_EQ(TextOf("<a>&#xe9;&#x20AC;&#x1F511;</a>", "a"), "\u00e9\u20ac\U0001F511");
  EXPECT_EQ(TextOf("<a>1<![CDATA[<&amp;]]>2</a>", "a"), "1<&amp;2");
}

TEST(XmlTextTest, LeavesOutCommentsInstructionsAndChildren) {
  EXPECT_EQ(TextOf("\xef\xbb\xbf<?xml version='1.0'?><!-- <a> -->\n<a> 1<!-- x -->2<?p >?>"
                   "<b>x</b>3\n</a><!-- end -->\n",
                   "a"),
            "123");
}

TEST(XmlTextTest, RefusesWhatIsNotWellFormed) {
  for (const std::string_view xml : {"",
                                     " ",
                                     "text",
                                     "<a>1",
                                     "<a>1</b>",
                                     "<a>1</a><b/>",
                                     "<a>1</a>x",
                                     "x<a>1</a>",
                                     "</a>",
                                     "<a>1</a",
                                     "<a",
                                     "<a b>1</a>",
                                     "<a b=1>1</a>",
                                     "<a b='1'c='2'>1</a>",
                                     "<a b='<'>1</a>",
                                     "<a b='&x;'>1</a>",
                                     "<a b='1>1</a>",
                                     "<a>1&</a>",
                                     "<a>1& lt;</a>",
                                     "<a>1&nbsp;</a>",
                                     "<a>1&#0;</a>",
                                     "<a>1&#xD800;</a>",
                                     "<a>1&#x110000;</a>",
                                     "<a>1&#99999999999;</a>",
                                     "<a>1&#-1;</a>",
                                     "<a>1&#;</a>",
                                     "<a>1&#x;</a>",
                                     "<a>1<!-- -- --></a>",
                                     "<a>1<!-- </a>",
                                     "<a>1<![CDATA[</a>",
                                     "<![CDATA[]]><a>1</a>",
                                     "<a>1]]></a>",
                                     "<a>1<?p</a>",
                                     "< a>1</a>",
                                     "<1>1</1>",
                                     "<-a>1</-a>",
                                     "<n:>1</n:>",
                                     "<a>1\x01</a>",
                                     "<a>1\xff</a>",
                                     "<n:a>1</a>",
                                     "<a>1</ a>",
                                     "<a>1<b></a></b>"}) {
    EXPECT_EQ(TextOf(xml, "a"), std::nullopt) << xml;
  }
  EXPECT_EQ(TextOf(std::string_view("<a>1\0</a>", 9), "a"), std::nullopt);
}

TEST(XmlTextTest, RefusesADocumentTypeWhateverItDeclares) {
  EXPECT_EQ(TextOf("<!DOCTYPE a><a>1</a>", "a"), std::nullopt);
  EXPECT_EQ(TextOf("<!DOCTYPE a [<!ENTITY b 'c'>]><a>1&b;</a>", "a"), std::nullopt);
}

TEST(XmlTextTest, ReadsThirtyTwoLevelsAndNoMore) {
  const auto nested = [](int levels) {
    std::string xml = "1";
    for (int level = 0; level < levels; ++level) xml = "<a>" + xml + "</a>";
    return xml;
  };
  EXPECT_TRUE(TextOf(nested(32), "a"));
  EXPECT_FALSE(TextOf(nested(33), "a"));
}

}  // namespace
}  // namespace qarion::secrets::aws
