#include "providers/aws_sm/secret_value.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "core/json_fields.h"
#include "core/json_writer.h"
#include "crypto/base64.h"

namespace qarion::secrets::aws_sm {
namespace {

constexpr std::string_view kAction = "secretsmanager:GetSecretValue";

aws::ServiceRequest RequestOf(const std::string& action, Secret body) {
  aws::ServiceRequest request{.service = aws::Service::kSecretsManager, .body = std::move(body)};
  request.headers.push_back({"Content-Type", Secret::CopyOf("application/x-amz-json-1.1")});
  request.headers.push_back({"X-Amz-Target", Secret::CopyOf("secretsmanager." + action)});
  return request;
}

bool Says(const aws::ServiceAnswer& answer, std::string_view text) {
  return answer.error_text.find(text) != std::string::npos;
}

Error Missing(const aws::SecretId& secret, const std::string& problem, std::string cure) {
  return Error(ErrorCode::kConfiguration, secret.text + " " + problem)
      .With("secret", secret.text)
      .Cure(std::move(cure));
}

Error NotFound(const aws::ServiceAnswer& answer, const aws::SecretId& secret,
               const VersionChoice& version) {
  if (version.is_given() && (Says(answer, "staging label") || Says(answer, "ersion"))) {
    return Missing(secret, "has no " + version.Describe() + " (" + answer.error_text + ")",
                   "see which there are: aws secretsmanager list-secret-version-ids --secret-id " +
                       secret.text);
  }
  if (Says(answer, "staging label")) {
    return Missing(secret, "has no value yet",
                   "write one: aws secretsmanager put-secret-value --secret-id " + secret.text +
                       " --secret-string file://secret.json");
  }
  return Missing(secret, "does not exist at " + answer.host,
                 "correct AWS_SECRET_ARN or AWS_REGION, and see that the credentials are of the "
                 "secret's account; for a secret of another account write the whole ARN");
}

Error Denied(const aws::ServiceAnswer& answer, const aws::SecretId& secret) {
  // AWS names the action that is missing, but not for keys: "Access to KMS is not allowed".
  const bool is_kms = Says(answer, "KMS") || Says(answer, "kms:");
  const std::string action = is_kms ? "kms:Decrypt" : std::string(kAction);
  return Error(ErrorCode::kNotPermitted, "reading " + secret.text + " was refused, for want of " +
                                             action + ": " + answer.error_text)
      .With("permission", action)
      .Cure(is_kms ? "allow kms:Decrypt on the secret's key, in the key's policy or the role's"
                   : "allow " + action + " on " + secret.text +
                         " in the role's policy; for another account also in the secret's own");
}

Error Refused(const aws::ServiceAnswer& answer, const aws::SecretId& secret,
              const VersionChoice& version) {
  const std::string& code = answer.error_code;
  if (aws::IsThrottling(answer.status, code) || aws::IsTransient(answer.status, code)) {
    return ErrorOf(answer, std::string(kAction));
  }
  if (code == "ResourceNotFoundException") return NotFound(answer, secret, version);
  if (aws::IsAccessDenied(code)) return Denied(answer, secret);
  if (code == "InvalidRequestException" && (Says(answer, "eleted") || Says(answer, "eletion"))) {
    return Missing(secret, "is marked for deletion",
                   "take it back: aws secretsmanager restore-secret --secret-id " + secret.text);
  }
  if (code == "InvalidRequestException" && version.is_given()) {
    return Missing(secret, "has no " + version.Describe() + " (" + answer.error_text + ")",
                   "leave out AWS_SECRET_VERSION_ID or AWS_SECRET_VERSION_STAGE, or let both name "
                   "the same version");
  }
  if (code == "DecryptionFailure" || code.starts_with("KMS")) {
    return Error(ErrorCode::kNotPermitted,
                 secret.text + " cannot be decrypted: " + code + ": " + answer.error_text)
        .With("permission", "kms:Decrypt")
        .Cure("see that the secret's KMS key is enabled, and allow kms:Decrypt on it");
  }
  return ErrorOf(answer, std::string(kAction));
}

// Seconds as "1795445842.123"; some in front of AWS write it as a string, or not at all.
std::optional<std::chrono::system_clock::time_point> EpochTime(std::string_view text) {
  double epoch = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), epoch);
  constexpr double kLatest = 9e9;  // in 2255; the clock's nanoseconds end in 2262
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || !(epoch >= 0) ||
      epoch > kLatest) {
    return std::nullopt;
  }
  return std::chrono::system_clock::time_point(
      std::chrono::milliseconds(static_cast<std::int64_t>(epoch * 1000)));
}

Error BadSecret(const std::string& origin, const std::string& problem, std::string cure) {
  return Error(ErrorCode::kBadData, origin + " " + problem)
      .With("secret", origin)
      .Cure(std::move(cure));
}

// The JSON text in the one of both members that holds it.
Result<Secret> TextOf(const aws::ServiceAnswer& answer, const std::string& origin) {
  const auto text = answer["SecretString"].Text();
  const auto binary = answer["SecretBinary"].Text();
  if (text && binary) {
    return BadSecret(origin, "came both as SecretString and as SecretBinary",
                     "see that the endpoint is that of AWS Secrets Manager");
  }
  if (text) return Secret::CopyOf(*text);
  if (!binary) {
    return BadSecret(origin, "has no value",
                     "write the fields as JSON: aws secretsmanager put-secret-value "
                     "--secret-string file://secret.json");
  }
  auto bytes = crypto::DecodeBase64(*binary);
  if (!bytes) {
    return BadSecret(origin, "came with a SecretBinary that is not base64",
                     "see that the endpoint is that of AWS Secrets Manager");
  }
  return std::move(*bytes);
}

}  // namespace

aws::ServiceRequest ValueRequest(const aws::SecretId& secret, const VersionChoice& version) {
  core::JsonWriter json;
  json.BeginObject().Key("SecretId").Text(secret.text);
  if (!version.id.empty()) json.Key("VersionId").Text(version.id);
  if (!version.stage.empty()) json.Key("VersionStage").Text(version.stage);
  json.EndObject();
  return RequestOf("GetSecretValue", std::move(json).Take());
}

aws::ServiceRequest DescriptionRequest(const aws::SecretId& secret) {
  core::JsonWriter json;
  json.BeginObject().Key("SecretId").Text(secret.text).EndObject();
  return RequestOf("DescribeSecret", std::move(json).Take());
}

Result<Payload> PayloadFromValue(const aws::ServiceAnswer& answer, const aws::SecretId& secret,
                                 const VersionChoice& version) {
  if (!answer.is_ok()) return Refused(answer, secret, version);
  const auto bad = [&](const std::string& problem) {
    return BadSecret("the answer of " + answer.host, problem,
                     "see that the endpoint is that of AWS Secrets Manager");
  };
  if (!answer.json) return NotOfTheService(answer, std::string(kAction));
  const auto id = answer["VersionId"].Text();
  const auto arn = answer["ARN"].Text();
  const auto name = answer["Name"].Text();
  if (!id || id->empty() || !arn || !name) return bad("lacks ARN, Name or VersionId");
  if (!aws::IsAnswerTo(secret, *arn, *name)) {
    return bad("is of another secret than the one that AWS_SECRET_ARN names");
  }
  if (!version.id.empty() && *id != version.id) {
    return bad("is of another version than the one that AWS_SECRET_VERSION_ID names");
  }
  const auto stages = answer["VersionStages"].Elements();
  const bool has_stage = std::ranges::any_of(
      stages, [&](const core::JsonValue& stage) { return stage.Text() == version.stage; });
  if (!version.stage.empty() && !stages.empty() && !has_stage) {
    return bad("is of a version that has not the stage that AWS_SECRET_VERSION_STAGE names");
  }
  const std::string origin = std::string(*name) + " version " + std::string(*id);
  auto text = TextOf(answer, origin);
  if (!text) return std::move(text).error();
  auto fields = core::FieldsFromJson(text->Reveal(), origin);
  if (!fields) return std::move(fields).error();
  Payload payload{.version = std::string(*id), .fields = std::move(*fields)};
  std::string_view created = core::JsonMemberText(answer.body.Reveal(), "CreatedDate");
  if (created.size() >= 2 && created.front() == '"')
    created = created.substr(1, created.size() - 2);
  payload.created_at = EpochTime(created);
  return payload;
}

std::string Description::VersionAt(std::string_view stage) const {
  for (const auto& [id, stages] : versions) {
    if (std::ranges::find(stages, stage) != stages.end()) return id;
  }
  return "";
}

std::vector<std::string> Description::Stages() const {
  std::vector<std::string> all;
  for (const auto& [id, stages] : versions) all.insert(all.end(), stages.begin(), stages.end());
  std::ranges::sort(all);
  all.erase(std::ranges::unique(all).begin(), all.end());
  return all;
}

std::optional<Description> DescriptionFrom(const aws::ServiceAnswer& answer,
                                           const aws::SecretId& secret) {
  const auto arn = answer["ARN"].Text();
  const auto name = answer["Name"].Text();
  if (!answer.is_ok() || !arn || !name || !aws::IsAnswerTo(secret, *arn, *name)) return {};
  const auto deleted = answer["DeletedDate"];
  Description description{
      .arn = std::string(*arn),
      .name = std::string(*name),
      .is_deleted = deleted.exists() && !deleted.IsNull(),
      .kms_key = std::string(answer["KmsKeyId"].Text().value_or("")),
      .primary_region = std::string(answer["PrimaryRegion"].Text().value_or(""))};
  const core::JsonValue versions = answer["VersionIdsToStages"];
  for (const std::string_view id : versions.Names()) {
    std::vector<std::string> stages;
    for (const core::JsonValue& stage : versions[id].Elements()) {
      if (const auto text = stage.Text()) stages.emplace_back(*text);
    }
    description.versions.emplace_back(id, std::move(stages));
  }
  return description;
}

}  // namespace qarion::secrets::aws_sm
