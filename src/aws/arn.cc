#include "aws/arn.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/ascii.h"
#include "core/wrong_setting.h"

namespace qarion::secrets::aws {
namespace {

constexpr std::size_t kLongestId = 2048;
constexpr std::size_t kLongestLabel = 63;
constexpr std::size_t kRandomCharacters = 6;
constexpr std::size_t kAccountDigits = 12;
constexpr std::string_view kSecretPrefix = "secret:";
constexpr char kForm[] =
    "write it as arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME, or give the secret's name "
    "alone";

using core::IsDigit;
using core::IsLetterOrDigit;

// What names of partitions and services consist of.
bool IsLowerWord(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return IsDigit(c) || (c >= 'a' && c <= 'z') || c == '-';
  });
}

bool IsSecretName(std::string_view text) {
  constexpr std::string_view kMarks = "/_+=.@-!";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return IsLetterOrDigit(c) || kMarks.find(c) != std::string_view::npos;
  });
}

bool IsAccount(std::string_view text) {
  return text.size() == kAccountDigits && std::ranges::all_of(text, IsDigit);
}

// Whether `full` is `partial` with the hyphen and the characters that the service adds to names.
bool AddsRandomCharacters(std::string_view full, std::string_view partial) {
  if (full.size() != partial.size() + 1 + kRandomCharacters || !full.starts_with(partial)) {
    return false;
  }
  const std::string_view added = full.substr(partial.size());
  return added.front() == '-' && std::ranges::all_of(added.substr(1), IsLetterOrDigit);
}

// Where the texts between the colons are; the last takes the rest. Nothing where there are fewer.
std::optional<std::array<std::string_view, 6>> PartsOf(std::string_view text) {
  std::array<std::string_view, 6> parts;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    parts[i] = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  parts.back() = text;
  return parts;
}

Result<SecretId> ParseSecretArn(std::string_view text, const std::string& setting) {
  auto arn = ParseArn(text, setting);
  if (!arn) return std::move(arn).error();
  if (arn->partition != "aws" && !arn->partition.starts_with("aws-")) {
    return core::Wrong(setting, "is an ARN with an unknown partition (its second part)",
                       "write aws, or aws-cn, aws-us-gov and the like for the others");
  }
  if (arn->service != "secretsmanager") {
    return core::Wrong(
        setting, "is an ARN of the service " + arn->service + ", not of secretsmanager", kForm);
  }
  if (!IsRegionName(arn->region)) {
    return core::Wrong(setting, "is an ARN whose fourth part is no region",
                       "write a region such as eu-central-1 there");
  }
  if (!IsAccount(arn->account)) {
    return core::Wrong(setting, "is an ARN whose fifth part is no account",
                       "write the account's twelve digits there");
  }
  if (!arn->resource.starts_with(kSecretPrefix)) {
    return core::Wrong(setting, "is an ARN of something other than a secret (its sixth part)",
                       kForm);
  }
  std::string name = arn->resource.substr(kSecretPrefix.size());
  if (name.find(':') != std::string::npos) {
    return core::Wrong(
        setting, "is an ARN with something behind the secret's name, as ECS has it",
        "end it behind the name; AWS_SECRET_VERSION_STAGE and AWS_SECRET_VERSION_ID choose "
        "a version");
  }
  if (!IsSecretName(name)) {
    return core::Wrong(setting, "is an ARN whose last part is no secret's name",
                       "name the secret there: letters, digits and /_+=.@-!");
  }
  return SecretId{.text = std::string(text),
                  .name = std::move(name),
                  .region = std::move(arn->region),
                  .account = std::move(arn->account)};
}

}  // namespace

bool IsRegionName(std::string_view text) {
  return !text.empty() && text.size() <= kLongestLabel && text.front() != '-' &&
         text.back() != '-' && !std::ranges::all_of(text, IsDigit) &&
         std::ranges::all_of(
             text, [](char c) { return (IsLetterOrDigit(c) && (c < 'A' || c > 'Z')) || c == '-'; });
}

bool LooksLikeArn(std::string_view text) { return text.starts_with("arn:"); }

Result<Arn> ParseArn(std::string_view text, const std::string& setting) {
  constexpr char kParts[] = "write it as arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE";
  const auto parts = PartsOf(text);
  if (!parts || parts->front() != "arn") {
    return core::Wrong(setting, "is no ARN: it has not six parts with colons between them", kParts);
  }
  const auto& [arn, partition, service, region, account, resource] = *parts;
  if (!IsLowerWord(partition)) {
    return core::Wrong(setting, "is an ARN whose second part is no partition", "write aws there");
  }
  if (!IsLowerWord(service)) {
    return core::Wrong(setting, "is an ARN whose third part is no service",
                       "write a service's name such as secretsmanager there");
  }
  if (!region.empty() && !IsRegionName(region)) {
    return core::Wrong(setting, "is an ARN whose fourth part is no region",
                       "write a region such as eu-central-1 there");
  }
  if (!std::ranges::all_of(account, [](char c) { return IsLetterOrDigit(c) || c == '-'; })) {
    return core::Wrong(setting, "is an ARN whose fifth part is no account",
                       "write the account's twelve digits there");
  }
  if (resource.empty()) {
    return core::Wrong(setting, "is an ARN that names nothing: its sixth part is empty", kParts);
  }
  return Arn{.partition = std::string(partition),
             .service = std::string(service),
             .region = std::string(region),
             .account = std::string(account),
             .resource = std::string(resource)};
}

Result<SecretId> ParseSecretId(std::string_view text, const std::string& setting) {
  if (text.empty()) return core::Wrong(setting, "is empty", "set it to the secret's ARN or name");
  if (core::Trimmed(text).size() != text.size()) {
    return core::Wrong(setting, "has white space before or after it", "take the white space away");
  }
  if (text.size() > kLongestId) {
    return core::Wrong(setting, "is longer than 2048 bytes", "set it to the secret's ARN or name");
  }
  if (LooksLikeArn(text)) return ParseSecretArn(text, setting);
  if (!IsSecretName(text)) {
    return core::Wrong(setting, "has a character that no secret's name has",
                       "give it the secret's ARN, or its name: letters, digits and /_+=.@-!");
  }
  return SecretId{.text = std::string(text), .name = std::string(text)};
}

bool IsAnswerTo(const SecretId& id, std::string_view arn, std::string_view name) {
  const auto parts = PartsOf(arn);
  if (!parts || name.empty() || (*parts)[2] != "secretsmanager") return false;
  if (!AddsRandomCharacters(parts->back(), std::string(kSecretPrefix) + std::string(name))) {
    return false;
  }
  if (!LooksLikeArn(id.text)) return name == id.text;
  return arn == id.text || AddsRandomCharacters(arn, id.text);
}

}  // namespace qarion::secrets::aws
