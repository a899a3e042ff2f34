#include "aws/variables.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "core/ascii.h"
#include "core/home_directory.h"

namespace qarion::secrets::aws {
namespace {

constexpr std::array<std::string_view, 42> kNames = {
    "AWS_ACCESS_KEY_ID",
    "AWS_ACCOUNT_ID",
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_CREDENTIAL_FILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_DEFAULT_REGION",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "AWS_EC2_METADATA_V1_DISABLED",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    "AWS_ENDPOINT_URL_SSO",
    "AWS_ENDPOINT_URL_SSO_OIDC",
    "AWS_ENDPOINT_URL_STS",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_IMDS_USE_IPV6",
    "AWS_MAX_ATTEMPTS",
    "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
    "AWS_METADATA_SERVICE_TIMEOUT",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_RETRY_MODE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECURITY_TOKEN",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_STS_REGIONAL_ENDPOINTS",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "BOTO_CONFIG",
    "HOME",
    "REQUESTS_CA_BUNDLE",
};
constexpr std::array<std::string_view, 3> kPaths = {"AWS_CONFIG_FILE",
                                                    "AWS_SHARED_CREDENTIALS_FILE", "BOTO_CONFIG"};
constexpr std::array<std::string_view, 4> kCredentials = {
    "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_SECURITY_TOKEN",
    "AWS_SESSION_TOKEN"};

bool IsNameCharacter(char c) { return core::IsLetterOrDigit(c) || c == '_'; }

// As os.path.expandvars.
std::string ExpandVariables(std::string_view path, const core::SettingLookup& lookup) {
  std::string expanded;
  while (!path.empty()) {
    const std::size_t dollar = std::min(path.find('$'), path.size());
    expanded += path.substr(0, dollar);
    path.remove_prefix(dollar);
    if (path.empty()) break;
    std::string_view name;
    std::size_t length = 1;  // of what the value takes the place of
    if (path.starts_with("${") && path.find('}') != std::string_view::npos) {
      length = path.find('}') + 1;
      name = path.substr(2, length - 3);
    } else {
      while (length < path.size() && IsNameCharacter(path[length])) ++length;
      name = path.substr(1, length - 1);
    }
    const auto value = name.empty() ? std::nullopt : lookup(std::string(name));
    expanded += value.value_or(path.substr(0, length));
    path.remove_prefix(length);
  }
  return expanded;
}

}  // namespace

Variables::Variables(const core::SettingLookup& lookup) {
  for (const std::string_view name : kNames) {
    const auto value = lookup(std::string(name));
    if (value) values_.emplace(name, Secret::CopyOf(*value));
  }
  for (const std::string_view name : kPaths) {
    const auto found = values_.find(name);
    if (found == values_.end()) continue;
    found->second = Secret::CopyOf(
        core::ExpandHome(ExpandVariables(found->second.Reveal(), lookup), Find("HOME")));
  }
  // boto3 expands no variables in this one.
  const auto file = values_.find("AWS_CREDENTIAL_FILE");
  if (file != values_.end()) {
    file->second =
        Secret::CopyOf(core::ExpandHome(std::string(file->second.Reveal()), Find("HOME")));
  }
}

std::optional<std::string_view> Variables::Find(std::string_view name) const {
  assert(std::ranges::binary_search(kNames, name) && "a variable that is not in the list");
  const auto found = values_.find(name);
  if (found == values_.end()) return std::nullopt;
  return found->second.Reveal();
}

std::string Variables::Text(std::string_view name) const {
  return std::string(Find(name).value_or(""));
}

std::string Variables::Home() const { return core::HomeDirectory(Find("HOME")); }

std::vector<Secret> Variables::Credentials() const {
  std::vector<Secret> credentials;
  for (const std::string_view name : kCredentials) {
    const auto found = values_.find(name);
    if (found != values_.end()) credentials.push_back(found->second.Share());
  }
  return credentials;
}

}  // namespace qarion::secrets::aws
