#include "scrub/parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace qarion::secrets::scrub {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsSupersetOf;

std::vector<std::string> PartsOf(std::string_view value) {
  std::vector<std::string> parts;
  ForEachPart(value, [&](std::string_view part) { parts.emplace_back(part); });
  return parts;
}

TEST(PartsTest, OfPlainValuesAreNone) {
  for (const std::string_view value : {"", "hunter2-pass", "a.b", "x=y", "{not json", "a://b@c"}) {
    EXPECT_THAT(PartsOf(value), IsEmpty()) << value;
  }
}

TEST(PartsTest, OfJsonAreStringsAtAnyDepth) {
  EXPECT_THAT(
      PartsOf(R"({"a":"s3cr3t","b":[{"c":"p\u00e4ss\n"},"in-list"],"n":12345678,"t":true})"),
      ElementsAre("s3cr3t", "p\xc3\xa4ss\n", "in-list"));
  EXPECT_THAT(PartsOf(R"(["one-secret"])"), ElementsAre("one-secret"));
}

TEST(PartsTest, OfJsonAreNoNames) { EXPECT_THAT(PartsOf(R"({"some-name":1})"), IsEmpty()); }

TEST(PartsTest, OfACredentialFileOfGoogleAreItsKeyAndTheKeysId) {
  EXPECT_THAT(PartsOf(R"({
    "type": "service_account",
    "project_id": "my-project",
    "private_key_id": "0123456789abcdef",
    "private_key": "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n",
    "client_email": "app@my-project.iam.gserviceaccount.com",
    "client_id": "123456789012345678901",
    "auth_uri": "https://accounts.google.com/o/oauth2/auth",
    "token_uri": "https://oauth2.googleapis.com/token",
    "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
    "client_x509_cert_url": "https://www.googleapis.com/robot/v1/metadata/x509/app%40my-project",
    "universe_domain": "googleapis.com"})"),
              ElementsAre("0123456789abcdef",
                          "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"));
}

TEST(PartsTest, OfADatabaseSecretIsItsPassword) {
  EXPECT_THAT(PartsOf(R"({"engine":"mysql","host":"db.internal","port":3306,"username":"admin",)"
                      R"("password":"p@ss.word","dbname":"orders"})"),
              ElementsAre("p@ss.word"));
}

TEST(PartsTest, OfJsonAreUrlsThatMayHoldSecrets) {
  EXPECT_THAT(
      PartsOf(R"({"hook":"https://hooks.slack.com/services/T0/B0/XXXXXXXXXXXXXXXXXXXXXXXX",)"
              R"("home":"https://example.com/login","signed":"https://x.y/z?sig=abc",)"
              R"("database":"postgres://u:pw@h/d"})"),
      ElementsAre("https://hooks.slack.com/services/T0/B0/XXXXXXXXXXXXXXXXXXXXXXXX",
                  "https://x.y/z?sig=abc", "postgres://u:pw@h/d"));
}

TEST(PartsTest, OfJsonAreUrlsWithAnythingButWords) {
  EXPECT_THAT(PartsOf(R"({"hook":"https://h.example/T00/abc123def456"})"),
              ElementsAre("https://h.example/T00/abc123def456"));
  for (const std::string_view path : {"a1b2c3", "aBcDe", "a%20b", "aaaaaaaaaaaaaaaa", "x;y"}) {
    const std::string url = "https://h.example/hook/" + std::string(path) + "/end";
    EXPECT_THAT(PartsOf("{\"hook\":\"" + url + "\"}"), ElementsAre(url));
  }
  EXPECT_THAT(
      PartsOf(R"(["https://h.example","https://H1.example:8080/","http://h/oauth2/v1.0/certs",)"
              R"("https://sts.amazonaws.com/latest/meta-data"])"),
      IsEmpty());
}

TEST(PartsTest, OfJsonAreStringsAHundredLevelsDeep) {
  const auto nested = [](std::size_t levels) {
    return std::string(levels, '[') + "\"s3cr3t\"" + std::string(levels, ']');
  };
  EXPECT_THAT(PartsOf(nested(100)), ElementsAre("s3cr3t"));
  EXPECT_THAT(PartsOf(nested(101)), IsEmpty());
}

TEST(PartsTest, AfterAnObjectInAListAreNotTakenForItsMembers) {
  EXPECT_THAT(PartsOf(R"([{"type":"public"},"s3cr3t"])"), ElementsAre("s3cr3t"));
}

TEST(PartsTest, OfAUrlAreItsPasswordAsWrittenAndDecoded) {
  EXPECT_THAT(PartsOf("postgresql://app:p%40ss%2Fword@db.internal:5432/orders"),
              ElementsAre("p%40ss%2Fword", "p@ss/word"));
  EXPECT_THAT(PartsOf("amqp://a:pass-1@h1,amqp://a:pass-2@h2"), ElementsAre("pass-1", "pass-2"));
  EXPECT_THAT(PartsOf("https://host:8080/a@b"), IsEmpty());
  EXPECT_THAT(PartsOf("ssh://git@github.com/x"), IsEmpty());
}

// As libpq (conninfo_uri_parse_options) and SQLAlchemy (make_url) take them apart.
TEST(PartsTest, OfAUrlMayBePasswordsWithDelimiters) {
  EXPECT_THAT(PartsOf("postgresql://u:pa#ssw0rd@h/d"), ElementsAre("pa#ssw0rd"));
  EXPECT_THAT(PartsOf("postgresql://u:pa?ssw0rd@h/d?x=a@b"), ElementsAre("pa?ssw0rd"));
  EXPECT_THAT(PartsOf("mysql://u:pa/ss%23w0rd@h:3306/d"),
              ElementsAre("pa/ss%23w0rd", "pa/ss#w0rd"));
  EXPECT_THAT(PartsOf("mysql://u:pa#s@sw0rd@h/d@e"), ElementsAre("pa#s@sw0rd"));
  EXPECT_THAT(PartsOf("redis://:12345678/x@h"), ElementsAre("12345678/x"));
  EXPECT_THAT(PartsOf("mysql://u:/ssw0rd@h/d"), ElementsAre("/ssw0rd"));
}

TEST(PartsTest, OfAUrlAreNeitherHostsNorPaths) {
  for (const std::string_view value :
       {"https://h:8080/a@b", "https://h:8080?x=a@b", "https://[::1]:8080/a@b", "https://h/a:b@c",
        "https://h?x=a:b@c", "mongodb://h1:27017,h2:27017/d?x=a@b", "https://h/@scope/x:y",
        "redis://h:pa/x redis://h2/y@z", "redis://h:pa/x,redis://h2/y@z"}) {
    EXPECT_THAT(PartsOf(value), IsEmpty()) << value;
  }
  EXPECT_THAT(PartsOf("git+https://u:t0ken@h/@scope/x@v1"), ElementsAre("t0ken"));
}

// What urllib.parse.unquote and unquote_plus of Python print.
TEST(PartsTest, OfAQueryAreItsSecretsAsWrittenAndDecoded) {
  EXPECT_THAT(PartsOf("https://h/x?password=p%40ss%2Bword&y=1"),
              ElementsAre("p%40ss%2Bword", "p@ss+word"));
  EXPECT_THAT(PartsOf("https://h/x?a=1&token=p%40ss+w#top"),
              IsSupersetOf({"p%40ss+w", "p@ss+w", "p@ss w"}));
  EXPECT_THAT(PartsOf("https://h/x?sig=abc%3D&se=2026;y"), Contains("abc="));
  EXPECT_THAT(PartsOf("https://h/cb#access_token=t0ken&state=x"), ElementsAre("t0ken"));
  EXPECT_THAT(PartsOf("https://h/x?api_key=k3y&credential=cr3d&key=k4y"),
              ElementsAre("k3y", "cr3d", "k4y"));
}

TEST(PartsTest, OfConnectionStringsAreTheirSecrets) {
  EXPECT_THAT(PartsOf("DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=a2V5a2V5==;"
                      "EndpointSuffix=core.windows.net"),
              ElementsAre("a2V5a2V5=="));
  EXPECT_THAT(PartsOf("Endpoint=sb://ns/;SharedAccessKeyName=Root;SharedAccessKey=c2hhcmVk="),
              ElementsAre("c2hhcmVk="));
  EXPECT_THAT(PartsOf("Server=db;User Id=sa;Password=\"p;a\"\"ss\";Encrypt=true"),
              ElementsAre("p;a\"ss"));
  EXPECT_THAT(PartsOf("SharedAccessSignature=sv=2020&sig=abc%3D;x=y"),
              ElementsAre("sv=2020&sig=abc%3D"));
}

TEST(PartsTest, OfLibpqSettingsAreTheirPassword) {
  EXPECT_THAT(PartsOf(R"(host=db user=app password='it\'s here' dbname=x)"),
              ElementsAre("it's here"));
  EXPECT_THAT(PartsOf("host=db password = s3cr3t dbname=x"), ElementsAre("s3cr3t"));
}

// PostgreSQL, libpq, "Keyword/Value Connection Strings": "Single quotes and backslashes within a
// value must be escaped with a backslash, i.e., \' and \\."
TEST(PartsTest, OfLibpqSettingsMayHaveBackslashesAndSpaces) {
  EXPECT_THAT(PartsOf(R"(host=h password='s3 cret\'x' user=u)"), ElementsAre("s3 cret'x"));
  EXPECT_THAT(PartsOf(R"(password='a\\b;c=d' user=u)"), Contains(R"(a\b;c=d)"));
  EXPECT_THAT(PartsOf(R"(password='s3\'\'cret' user=u)"), ElementsAre("s3''cret"));
  EXPECT_THAT(PartsOf(R"(host=h password=s3\ cret user=u)"), ElementsAre(R"(s3\ cret)"));
  EXPECT_THAT(PartsOf("password=s3cr3t options='-c a;b'"), Contains("s3cr3t"));
}

// "Connection string" in the documentation of Azure Cache for Redis, "Configuration" in that of
// StackExchange.Redis.
TEST(PartsTest, OfSettingsWithCommasAreTheirSecrets) {
  EXPECT_THAT(PartsOf("h:6380,password=s3cretpw99=,ssl=True"),
              ElementsAre("s3cretpw99=", "s3cretpw99=,ssl=True"));
  EXPECT_THAT(PartsOf("h:6380, password=s3cretpw99, ssl=True"), Contains("s3cretpw99"));
  EXPECT_THAT(PartsOf("password=s3cretpw99,ssl=True,h:6380"), Contains("s3cretpw99"));
  EXPECT_THAT(PartsOf("ssl=True,password=s3cretpw99,h:6380"), Contains("s3cretpw99"));
  EXPECT_THAT(PartsOf("a=b,password=s3cr3t,token=t0ken"),
              ElementsAre("s3cr3t", "s3cr3t,token=t0ken", "t0ken"));
  EXPECT_THAT(PartsOf("password=s3,cr3t"), ElementsAre("s3,cr3t"));
  EXPECT_THAT(PartsOf("h:6380,password=,ssl=True"), ElementsAre(""));
}

// ODBC, "SQLDriverConnect": a value between braces may hold semicolons, and a right brace twice.
TEST(PartsTest, OfOdbcSettingsAreWithoutBraces) {
  EXPECT_THAT(PartsOf("Server=s;PWD={s3cretpw99};"), ElementsAre("s3cretpw99"));
  EXPECT_THAT(PartsOf("PWD={s3;}}cret};UID=u"), ElementsAre("s3;}cret"));
  EXPECT_THAT(PartsOf("PWD={s3cret;UID=u"), ElementsAre("{s3cret"));
}

// .NET, "Connection String Syntax": quotes of either kind, doubled where they are of the value;
// a backslash is one of the value.
TEST(PartsTest, OfQuotedSettingsAreWhatIsWithin) {
  EXPECT_THAT(PartsOf("Server=s;Password='p;a''ss';x=y"), ElementsAre("p;a'ss"));
  EXPECT_THAT(PartsOf(R"(Server=s;Password="C:\";User=u)"), ElementsAre(R"(C:\)"));
  EXPECT_THAT(PartsOf(R"(Server=s;Password="p\\a""ss";x=y)"), ElementsAre(R"(p\\a"ss)"));
  EXPECT_THAT(PartsOf("Password='s3'cret;x=y"), ElementsAre("'s3'cret"));
}

TEST(PartsTest, OfSettingsAreNeitherUnderOtherNamesNorWords) {
  EXPECT_THAT(PartsOf("sslmode=require,host=localhost,port=5432,ssl=true,abortConnect=False"),
              IsEmpty());
  EXPECT_THAT(PartsOf("primary_key=user_id;Partition Key=name;bypass=yes;monkey=ape"), IsEmpty());
  EXPECT_THAT(PartsOf("h,use_token=true,save_password=False,key=none,x=y"), IsEmpty());
  EXPECT_THAT(PartsOf("https://h?require_token=true&pwd=null"), IsEmpty());
  EXPECT_THAT(PartsOf("key=s3cr3t;db_credential=t0ken"), ElementsAre("s3cr3t", "t0ken"));
}

TEST(PartsTest, OfSettingsAreNoFirstLinesOfKeys) {
  EXPECT_THAT(PartsOf("PRIVATE_KEY=-----BEGIN X-----\nMIIE\nabcd\n-----END X-----\n"),
              ElementsAre("MIIEabcd"));
}

// Each may end at any later one, and none of them is copied with all the rest.
TEST(PartsTest, OfManySettingsAreNotManyTimesAsLong) {
  std::string value = "h";
  for (int i = 0; i < 1000; ++i) value += ",password=s3cr3t,pwd={x,pwd=\"y";
  std::size_t size = 0;
  ForEachPart(value, [&](std::string_view part) { size += part.size(); });
  EXPECT_LE(size, 3 * value.size());
}

// Where each looked as far as the end, this would take hours.
TEST(PartsTest, OfSettingsWithinAValueAreFoundInOnePass) {
  std::string value;
  while (value.size() < (2U << 20)) value += "?pass=a b=";
  std::size_t count = 0;
  ForEachPart(value + ";", [&](std::string_view) { ++count; });
  EXPECT_GE(count, (2U << 20) / 10);
}

TEST(PartsTest, OfAFileOfSettingsAreItsSecrets) {
  EXPECT_THAT(PartsOf("DB_HOST=localhost\nDB_PASSWORD=s3cr3t-1\nAPI_TOKEN=\"t0ken\"\n"),
              ElementsAre("s3cr3t-1", "t0ken"));
}

TEST(PartsTest, OfPemAreItsBodies) {
  EXPECT_THAT(PartsOf("-----BEGIN RSA PRIVATE KEY-----\r\nDEK-Info: AES,00\r\n\r\nMIIE\r\nabcd\r\n"
                      "-----END RSA PRIVATE KEY-----\r\n"),
              ElementsAre("MIIEabcd"));
}

TEST(PartsTest, OfPemOnOneLineAreItsLinesToo) {
  EXPECT_THAT(PartsOf("-----BEGIN X Y-----  MIIE ab+d  -----END X Y-----"),
              ElementsAre("MIIE", "ab+d", "MIIEab+d"));
  EXPECT_THAT(PartsOf("KEY=-----BEGIN X-----MIIE-----END X-----"), ElementsAre("MIIE"));
  EXPECT_THAT(PartsOf("-----BEGIN X----- Proc-Type: 4,ENCRYPTED DEK-Info: AES-128-CBC,00 MIIE abcd "
                      "-----END X-----"),
              ElementsAre("MIIE", "abcd", "MIIEabcd"));
  EXPECT_THAT(PartsOf("-----BEGIN X----- MIIE"), IsEmpty());
  // What escapes stand for has parts of its own.
  EXPECT_THAT(PartsOf(R"(-----BEGIN X-----\nMIIE\nabcd\n-----END X-----)"), IsEmpty());
  EXPECT_THAT(PartsOf("-----BEGIN X-----\nMIIE\n-----BEGIN X-----\nabcd\n-----END X-----"),
              ElementsAre("abcd"));
}

// RFC 7617, 2; RFC 6750, 2.1.
TEST(PartsTest, OfAnAuthorizationAreItsCredentials) {
  for (const std::string_view before :
       {"Basic ", "Authorization: Basic ", "authorization:basic  "}) {
    EXPECT_THAT(PartsOf(std::string(before) + "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
                ElementsAre("QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin:open sesame", "open sesame"));
  }
  EXPECT_THAT(PartsOf("Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ"),
              Contains("Aladdin:open sesame"));
  EXPECT_THAT(PartsOf("Bearer mF_9.B5f-4.1JqM"), ElementsAre("mF_9.B5f-4.1JqM"));
  EXPECT_THAT(PartsOf("curl -H 'Authorization: Bearer mF_9.B5f-4.1JqM' https://h"),
              ElementsAre("mF_9.B5f-4.1JqM"));
  for (const std::string_view value :
       {"Bearer token", "Bearer token.", "Bearer realm=\"x1\"", "Basic setup",
        "Basic dXNlcg==", "Basic a:b", "Basic QWxhZGRpbjpvcGVu!", "Bearer", "forbearer x1y2"}) {
    EXPECT_THAT(PartsOf(value), IsEmpty()) << value;
  }
}

// RFC 7515, A.1.
TEST(PartsTest, OfAJsonWebTokenIsItsSignature) {
  EXPECT_THAT(PartsOf("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEz"
                      "MDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
                      "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
              ElementsAre("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
  EXPECT_THAT(PartsOf("www.example.com"), IsEmpty());
}

}  // namespace
}  // namespace qarion::secrets::scrub
