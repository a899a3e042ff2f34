// The published cases of AWS (awslabs/aws-c-auth) in both forms, and requests that botocore signed.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ascii.h"
#include "core/json_document.h"
#include "crypto/sigv4.h"
#include "tests/support/vectors.h"

namespace qarion::secrets::crypto {
namespace {

constexpr char kAbsent[] = "absent";

// What GoogleTest takes for a name.
std::string IdOf(const testing::TestParamInfo<std::string>& tested) {
  std::string id = tested.param;
  std::ranges::replace(id, '-', '_');
  return id;
}

std::string TextOf(const core::JsonValue& value) { return std::string(value.Text().value_or("")); }

// "2015-08-30T12:36:00Z" or "20150830T123600Z".
std::chrono::sys_seconds TimeOf(std::string_view text) {
  std::string digits;
  std::ranges::copy_if(text, std::back_inserter(digits),
                       [](char c) { return c >= '0' && c <= '9'; });
  const auto number = [&](std::size_t begin, std::size_t count) {
    return std::stoi(digits.substr(begin, count));
  };
  const std::chrono::year_month_day date(std::chrono::year(number(0, 4)),
                                         std::chrono::month(static_cast<unsigned>(number(4, 2))),
                                         std::chrono::day(static_cast<unsigned>(number(6, 2))));
  return std::chrono::sys_days(date) + std::chrono::hours(number(8, 2)) +
         std::chrono::minutes(number(10, 2)) + std::chrono::seconds(number(12, 2));
}

SigningCredentials CredentialsOf(const core::JsonValue& json) {
  return {.access_key_id = TextOf(json["access_key_id"]),
          .secret_access_key = Secret::CopyOf(TextOf(json["secret_access_key"])),
          .session_token = Secret::CopyOf(TextOf(json["token"]))};
}

// The text of a request: what it consists of, as views.
struct ParsedRequest {
  explicit ParsedRequest(std::string_view text) {
    const std::size_t line_end = text.find('\n');
    const std::string_view line = text.substr(0, line_end);
    const std::size_t after_method = line.find(' ');
    const std::size_t before_version = line.rfind(' ');  // a path of the suite has a space
    request.method = line.substr(0, after_method);
    target = line.substr(after_method + 1, before_version - after_method - 1);
    const std::size_t question = std::min(target.find('?'), target.size());
    request.path = target.substr(0, question);
    if (question < target.size()) request.query = target.substr(question + 1);

    const std::string_view rest = text.substr(line_end + 1);
    const std::size_t end = std::min(rest.find("\n\n"), rest.size());
    head = core::Trimmed(rest.substr(0, end), "\n");
    if (end < rest.size()) request.payload = rest.substr(end + 2);
    ParseHeaders();
  }

  void ParseHeaders() {
    for (std::size_t begin = 0; begin < head.size();) {
      std::size_t end = std::min(head.find('\n', begin), head.size());
      while (end + 1 < head.size() && head[end + 1] == ' ') {  // folded
        end = std::min(head.find('\n', end + 1), head.size());
      }
      const std::string_view header = head.substr(begin, end - begin);
      const std::size_t colon = header.find(':');
      request.headers.push_back({header.substr(0, colon), header.substr(colon + 1)});
      begin = end + 1;
    }
  }

  SigningRequest request;
  std::string_view target;
  std::string_view head;  // the headers' lines
};

// One directory of the suite.
class SuiteCase : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == kAbsent) GTEST_SKIP() << "sigv4 " << test::kNoVectors;
    request_text_ = Read("request.txt");
    auto context = core::JsonDocument::Parse(Read("context.json"), "context.json");
    ASSERT_TRUE(context) << context.error().reason();
    const core::JsonValue root = context->root();
    credentials_ = CredentialsOf(root["credentials"]);
    scope_ = {.region = TextOf(root["region"]), .service = TextOf(root["service"])};
    time_ = TimeOf(TextOf(root["timestamp"]));
    lifetime_ = std::chrono::seconds(*root["expiration_in_seconds"].Integer());
    options_ = {
        .path_style = *root["normalize"].Bool() ? PathStyle::kNormalized : PathStyle::kObjectKey,
        .add_payload_hash = *root["sign_body"].Bool(),
        .sign_session_token = !root["omit_session_token"].Bool().value_or(false)};
  }

  static std::string Read(const std::string& file) {
    return test::ReadText(*test::FindVectors("sigv4/" + GetParam() + "/" + file));
  }

  static void ExpectSame(const Signature& signature, const std::string& form) {
    EXPECT_EQ(signature.canonical_request.Reveal(), Read(form + "-canonical-request.txt"));
    EXPECT_EQ(signature.string_to_sign, Read(form + "-string-to-sign.txt"));
    EXPECT_EQ(signature.hex, Read(form + "-signature.txt"));
  }

  // The suite ends some requests with one line more than others.
  static void ExpectSameRequest(const std::string& text, const std::string& form) {
    EXPECT_EQ(core::Trimmed(text, "\n"), core::Trimmed(Read(form + "-signed-request.txt"), "\n"));
  }

  std::string request_text_;
  SigningCredentials credentials_;
  CredentialScope scope_;
  std::chrono::sys_seconds time_;
  std::chrono::seconds lifetime_{};
  SigningOptions options_;
};

TEST_P(SuiteCase, IsSignedInTheHeader) {
  const ParsedRequest parsed(request_text_);
  const auto made = SignWithHeaders(parsed.request, credentials_, scope_, time_, options_);
  ASSERT_TRUE(made) << made.error().reason();
  ExpectSame(made->signature, "header");
  std::string text(request_text_.substr(0, request_text_.find('\n') + 1));
  text.append(parsed.head).append("\n");
  for (const AddedHeader& header : made->headers) {
    text.append(header.name).append(":").append(header.value.Reveal()).append("\n");
  }
  ExpectSameRequest(text.append("\n").append(parsed.request.payload), "header");
}

TEST_P(SuiteCase, IsSignedInTheQuery) {
  const ParsedRequest parsed(request_text_);
  const auto made = SignWithQuery(parsed.request, credentials_, scope_, time_, lifetime_, options_);
  ASSERT_TRUE(made) << made.error().reason();
  ExpectSame(made->signature, "query");
  std::string text(parsed.request.method);
  text.append(" ").append(parsed.request.path).append("?").append(made->query.Reveal());
  text.append(" HTTP/1.1\n").append(parsed.head).append("\n\n").append(parsed.request.payload);
  ExpectSameRequest(text, "query");
}

std::vector<std::string> SuiteNames() {
  const auto directory = test::FindVectors("sigv4");
  if (!directory) return {kAbsent};
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(*directory)) {
    names.insert(entry.path().filename().string());
  }
  return {names.begin(), names.end()};
}

INSTANTIATE_TEST_SUITE_P(Sigv4, SuiteCase, testing::ValuesIn(SuiteNames()), IdOf);

TEST(Sigv4Suite, IsWhole) {
  if (SuiteNames().front() == kAbsent) GTEST_SKIP() << "sigv4 " << test::kNoVectors;
  EXPECT_EQ(SuiteNames().size(), 38);
}

std::optional<core::JsonDocument> GoldenFile() {
  const auto path = test::FindVectors("cloud/aws_golden.json");
  if (!path) return std::nullopt;
  auto file = core::JsonDocument::Parse(test::ReadText(*path), "aws_golden.json");
  if (!file) return std::nullopt;
  return *std::move(file);
}

class GoldenRequest : public testing::TestWithParam<std::string> {};

// "http://host:80/path" to host, where the port is not the scheme's own, and path.
std::pair<std::string, std::string> HostAndPath(std::string_view url) {
  const bool is_plain = url.starts_with("http://");
  url.remove_prefix(url.find("//") + 2);
  const std::size_t slash = url.find('/');
  std::string host(url.substr(0, slash));
  const std::string_view own_port = is_plain ? ":80" : ":443";
  if (host.ends_with(own_port)) host.resize(host.size() - own_port.size());
  return {host, std::string(url.substr(slash))};
}

TEST_P(GoldenRequest, IsSignedAsByBotocore) {
  const auto file = GoldenFile();
  if (!file) GTEST_SKIP() << "cloud/aws_golden.json " << test::kNoVectors;
  const auto cases = (*file)["cases"].Elements();
  const auto found =
      std::ranges::find(cases, GetParam(), [](const auto& c) { return TextOf(c["name"]); });
  ASSERT_NE(found, cases.end());
  const core::JsonValue& json = *found;
  const SigningCredentials credentials{
      .access_key_id = TextOf((*file)["access_key"]),
      .secret_access_key = Secret::CopyOf(TextOf((*file)["secret_key"])),
      .session_token =
          Secret::CopyOf(*json["with_token"].Bool() ? TextOf((*file)["session_token"]) : "")};
  const auto [host, path] = HostAndPath(TextOf(json["url"]));
  SigningRequest request{.method = *json["method"].Text(),
                         .path = path,
                         .query = {},
                         .headers = {{"Host", host}},
                         .payload = *json["body"].Text()};
  for (const std::string_view name : json["headers"].Names()) {
    request.headers.push_back({name, *json["headers"][name].Text()});
  }
  const auto made = SignWithHeaders(
      request, credentials, {.region = TextOf(json["region"]), .service = TextOf(json["service"])},
      TimeOf(TextOf((*file)["x_amz_date"])));
  ASSERT_TRUE(made) << made.error().reason();
  EXPECT_EQ(made->signature.canonical_request.Reveal(), TextOf(json["canonical_request"]));
  EXPECT_EQ(made->signature.string_to_sign, TextOf(json["string_to_sign"]));
  EXPECT_EQ(made->headers.back().name, "Authorization");
  EXPECT_EQ(made->headers.back().value.Reveal(), TextOf(json["authorization"]));
}

std::vector<std::string> GoldenNames() {
  const auto file = GoldenFile();
  if (!file) return {kAbsent};
  std::vector<std::string> names;
  for (const auto& json : (*file)["cases"].Elements()) names.push_back(TextOf(json["name"]));
  return names;
}

INSTANTIATE_TEST_SUITE_P(Sigv4, GoldenRequest, testing::ValuesIn(GoldenNames()), IdOf);

TEST(GoldenRequests, AreNine) {
  if (GoldenNames().front() == kAbsent) GTEST_SKIP() << "aws_golden.json " << test::kNoVectors;
  EXPECT_EQ(GoldenNames().size(), 9);
}

}  // namespace
}  // namespace qarion::secrets::crypto
