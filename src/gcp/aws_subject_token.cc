#include "gcp/aws_subject_token.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/ascii.h"
#include "core/json_document.h"
#include "core/json_writer.h"
#include "core/percent_encoding.h"
#include "gcp/source_request.h"
#include "net/http.h"
#include "net/server_text.h"
#include "net/url.h"

namespace qarion::secrets::gcp {
namespace {

using std::chrono::milliseconds;

constexpr char kRegionMember[] = "credential_source.region_url";
constexpr char kKeysMember[] = "credential_source.url";
constexpr char kSessionMember[] = "credential_source.imdsv2_session_token_url";
constexpr char kVerificationMember[] = "credential_source.regional_cred_verification_url";
constexpr char kSessionSeconds[] = "300";
constexpr milliseconds kShortestMetadataTimeout{1'000};
constexpr milliseconds kLongestMetadataTimeout{5'000};
constexpr std::size_t kLongestRegion = 64;
constexpr std::size_t kLongestRoleName = 128;
constexpr char kSetKeys[] = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
constexpr char kSetRegion[] = "set AWS_REGION";

Error Wrong(ErrorCode code, const char* member, const std::string& problem, std::string cure) {
  return Error(code, std::string(member) + problem).With("setting", member).Cure(std::move(cure));
}

bool IsRegion(std::string_view text) {
  return !text.empty() && text.size() <= kLongestRegion && std::ranges::all_of(text, [](char c) {
    return core::IsDigit(c) || (c >= 'a' && c <= 'z') || c == '-';
  });
}

bool IsRoleName(std::string_view text) {
  constexpr std::string_view kSigns = "+=,.@_-";
  return !text.empty() && text.size() <= kLongestRoleName && std::ranges::all_of(text, [&](char c) {
    return core::IsLetterOrDigit(c) || kSigns.find(c) != std::string_view::npos;
  });
}

// What is wrong with keys, named as they are where they come from; empty: nothing.
struct KeyNames {
  const char* id;
  const char* key;
  const char* token;
};
std::string ProblemOf(const crypto::SigningCredentials& keys, const KeyNames& names) {
  if (!crypto::IsScopePart(keys.access_key_id)) {
    return std::string(names.id) + " is missing, or has characters that no key id has";
  }
  if (keys.secret_access_key.empty() || !core::IsVisible(keys.secret_access_key.Reveal())) {
    return std::string(names.key) + " is missing, or has characters that no key has";
  }
  if (!core::IsVisible(keys.session_token.Reveal())) {
    return std::string(names.token) + " has characters that no token has";
  }
  return "";
}

std::string WithRegion(std::string url, std::string_view region) {
  constexpr std::string_view kPlace = "{region}";
  for (std::size_t at = 0; (at = url.find(kPlace, at)) != std::string::npos; at += region.size()) {
    url.replace(at, kPlace.size(), region);
  }
  return url;
}

// As Google's libraries for Python and Node write them.
std::string NameAsSent(std::string name) {
  if (name != "Authorization") std::ranges::transform(name, name.begin(), core::AsciiLower);
  return name;
}

// What the instance's metadata says, for the time of one token.
class Instance {
 public:
  Instance(const AwsSource& source, const SourceContext& context, const net::Call& call)
      : source_(source), context_(context), call_(call) {}

  Result<std::string> Region() {
    if (source_.region_url.empty()) {
      return Wrong(ErrorCode::kConfiguration, kRegionMember,
                   " is missing, and AWS_REGION and AWS_DEFAULT_REGION are not set", kSetRegion);
    }
    const auto zone = Get(source_.region_url, kRegionMember, kSetRegion);
    if (!zone) return zone.error();
    const std::string_view region = RegionOfZone(core::Trimmed(zone->Reveal()));
    if (region.empty()) {
      return Wrong(ErrorCode::kBadData, kRegionMember, " does not answer with a region",
                   kSetRegion);
    }
    return std::string(region);
  }

  Result<crypto::SigningCredentials> Keys() {
    if (source_.credentials_url.empty()) {
      return Wrong(ErrorCode::kConfiguration, kKeysMember,
                   " is missing, and AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set",
                   kSetKeys);
    }
    const std::string cure = std::string("see that the instance has a role; or ") + kSetKeys;
    const auto name = Get(source_.credentials_url, kKeysMember, cure);
    if (!name) return name.error();
    const std::string_view role = core::Trimmed(name->Reveal());
    if (!IsRoleName(role)) {
      return Wrong(ErrorCode::kBadData, kKeysMember, " does not answer with the name of a role",
                   cure);
    }
    const std::string separator = source_.credentials_url.ends_with('/') ? "" : "/";
    const auto document =
        Get(source_.credentials_url + separator + std::string(role), kKeysMember, cure);
    if (!document) return document.error();
    return AwsKeysIn(document->Reveal(), std::string(kKeysMember) + ", role " + std::string(role));
  }

 private:
  Result<Secret> Get(const std::string& url, const char* member, std::string cure) {
    if (const auto begun = BeginSession(); !begun) return begun.error();
    net::HttpRequest request{.url = url};
    if (!session_.empty())
      request.headers.push_back({"X-aws-ec2-metadata-token", session_.Share()});
    return Ask(std::move(request), member, std::move(cure));
  }

  Status BeginSession() {
    if (source_.session_token_url.empty() || !session_.empty()) return {};
    net::HttpRequest request{.method = "PUT", .url = source_.session_token_url};
    request.headers.push_back(
        {"X-aws-ec2-metadata-token-ttl-seconds", Secret::CopyOf(kSessionSeconds)});
    auto token = Ask(std::move(request), kSessionMember,
                     std::string("see that this is an instance of EC2, and that its metadata "
                                 "options allow a hop limit of 2 where containers ask; or ") +
                         kSetKeys + " and AWS_REGION");
    if (!token) return std::move(token).error();
    if (token->empty() || !net::IsHeaderValue(token->Reveal())) {
      return Wrong(ErrorCode::kBadData, kSessionMember,
                   " does not answer with a token that can be sent back",
                   "see that the URL is that of the instance's metadata");
    }
    session_ = std::move(*token);
    context_.held.Hold("AWS: token of instance metadata", session_);
    return {};
  }

  Result<Secret> Ask(net::HttpRequest request, const char* member, std::string cure) {
    const SourceRequest asked{
        .request = std::move(request),
        .member = member,
        .cure = std::move(cure),
        .timeout = std::clamp(context_.settings.metadata.timeout, kShortestMetadataTimeout,
                              kLongestMetadataTimeout)};
    return AskSource(context_.metadata, asked, context_, call_);
  }

  const AwsSource& source_;
  const SourceContext& context_;
  const net::Call& call_;
  Secret session_;
};

Result<std::string> FindRegion(const AwsEnvironment& environment, Instance& instance) {
  if (environment.region.empty()) return instance.Region();
  if (IsRegion(environment.region)) return environment.region;
  return Wrong(ErrorCode::kConfiguration, "AWS_REGION", " or AWS_DEFAULT_REGION is no region",
               "write it as us-east-2");
}

Result<crypto::SigningCredentials> FindKeys(const AwsEnvironment& environment, Instance& instance) {
  if (environment.access_key_id.empty() || environment.secret_access_key.empty()) {
    return instance.Keys();
  }
  crypto::SigningCredentials keys{.access_key_id = environment.access_key_id,
                                  .secret_access_key = environment.secret_access_key.Share(),
                                  .session_token = environment.session_token.Share()};
  const std::string problem =
      ProblemOf(keys, {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"});
  if (problem.empty()) return keys;
  return Error(ErrorCode::kConfiguration, problem)
      .With("setting", problem.substr(0, problem.find(' ')))
      .Cure("write it as AWS gave it, and nothing else");
}

}  // namespace

Result<crypto::SigningCredentials> AwsKeysIn(std::string_view document, const std::string& from) {
  const auto json = core::JsonDocument::Parse(document, from);
  const std::string cure = "see that the URL is that of the instance's metadata";
  if (!json) return Error(json.error()).Cure(cure);
  const auto text = [&](const char* name) { return (*json)[name].Text().value_or(""); };
  crypto::SigningCredentials keys{.access_key_id = std::string(text("AccessKeyId")),
                                  .secret_access_key = Secret::CopyOf(text("SecretAccessKey")),
                                  .session_token = Secret::CopyOf(text("Token"))};
  if (const std::string_view code = text("Code"); !code.empty() && code != "Success") {
    const Secret hidden[] = {keys.secret_access_key.Share(), keys.session_token.Share()};
    return Error(ErrorCode::kConfiguration, from + ": " + net::OneLine(code, hidden) + ", " +
                                                net::OneLine(text("Message"), hidden))
        .Cure("see that the instance's role exists and trusts ec2.amazonaws.com");
  }
  const std::string problem = ProblemOf(keys, {"AccessKeyId", "SecretAccessKey", "Token"});
  if (!problem.empty()) return Error(ErrorCode::kBadData, from + ": " + problem).Cure(cure);
  return keys;
}

std::string_view RegionOfZone(std::string_view zone) {
  // A region, too, which other paths of the metadata give, ends in a digit.
  if (!zone.empty() && !core::IsDigit(zone.back())) zone.remove_suffix(1);
  return IsRegion(zone) ? zone : std::string_view();
}

Result<Secret> SignedCallerIdentity(const std::string& verification_url, const std::string& region,
                                    const crypto::SigningCredentials& keys,
                                    const std::string& audience, std::chrono::sys_seconds now) {
  const std::string text = WithRegion(verification_url, region);
  const auto url = net::ParseUrl(text);
  if (!url || url->scheme != "https") {
    return Wrong(ErrorCode::kConfiguration, kVerificationMember, " is no https URL",
                 "write it as https://sts.{region}.amazonaws.com"
                 "?Action=GetCallerIdentity&Version=2011-06-15");
  }
  const crypto::SigningRequest request{.method = "POST",
                                       .path = url->path,
                                       .query = url->query,
                                       .headers = {{"host", url->host}},
                                       .payload = {}};
  const auto signature =
      crypto::SignWithHeaders(request, keys, {.region = region, .service = "sts"}, now);
  if (!signature) return signature.error();

  core::JsonWriter json(core::JsonLayout::kCompact);
  const auto add = [&](std::string_view name, std::string_view value) {
    json.BeginObject().Key("key").Text(name).Key("value").Text(value).EndObject();
  };
  json.BeginObject().Key("headers").BeginArray();
  add("host", url->host);
  for (const auto& [name, value] : signature->headers) add(NameAsSent(name), value.Reveal());
  add("x-goog-cloud-target-resource", audience);
  json.EndArray().Key("method").Text("POST").Key("url").Text(text).EndObject();
  SecretBuffer encoded;
  core::AppendPercentEncoded(std::move(json).Take().Reveal(), encoded, "/");
  return std::move(encoded).Seal();
}

Result<Secret> GetAwsSubjectToken(const AwsSource& source, const std::string& audience,
                                  const SourceContext& context, const net::Call& call) {
  Instance instance(source, context, call);
  const auto region = FindRegion(context.settings.aws, instance);
  if (!region) return region.error();
  const auto keys = FindKeys(context.settings.aws, instance);
  if (!keys) return keys.error();
  context.held.Hold("AWS: secret access key", keys->secret_access_key);
  context.held.Hold("AWS: session token", keys->session_token);
  return SignedCallerIdentity(source.verification_url, *region, *keys, audience,
                              std::chrono::floor<std::chrono::seconds>(context.clock.SystemNow()));
}

}  // namespace qarion::secrets::gcp
