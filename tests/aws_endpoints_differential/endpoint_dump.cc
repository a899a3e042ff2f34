// Reads cases from standard input, one a line: a service and the environment, "NAME=VALUE", with
// tabs between them. Prints for each, with tabs between them, "OK" and what the settings come to,
// or "ERR" and the reason.
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/client_settings.h"
#include "aws/endpoint.h"

namespace aws = qarion::secrets::aws;
using qarion::secrets::Result;

namespace {

using Environment = std::map<std::string, std::string, std::less<>>;

std::vector<std::string> Split(const std::string& line) {
  std::vector<std::string> parts(1);
  for (const char c : line) {
    if (c == '\t') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

aws::Service ServiceOf(std::string_view name) {
  if (name == "secretsmanager") return aws::Service::kSecretsManager;
  if (name == "sts") return aws::Service::kSts;
  return name == "sso" ? aws::Service::kSso : aws::Service::kSsoOidc;
}

Result<std::string> Describe(aws::Service service, const Environment& environment) {
  const aws::Variables variables([&](const std::string& name) -> std::optional<std::string_view> {
    const auto found = environment.find(name);
    if (found == environment.end()) return std::nullopt;
    return found->second;
  });
  auto profiles = aws::Profiles::Load(variables);
  if (!profiles) return std::move(profiles).error();
  auto settings = aws::LoadClientSettings(variables, *profiles);
  if (!settings) return std::move(settings).error();
  auto endpoint = aws::ResolveEndpoint(service, settings->region.text, *settings);
  if (!endpoint) return std::move(endpoint).error();
  const aws::MetadataSettings& metadata = settings->metadata;
  const bool is_legacy = settings->retry_mode == aws::RetryMode::kLegacy;
  std::string line = endpoint->url;
  for (const std::string& part :
       {endpoint->signing_region, std::string(aws::SigningName(service)),
        std::string(is_legacy ? "legacy" : "standard"), std::to_string(settings->most_attempts),
        settings->ca_bundle.text, metadata.endpoint.text,
        std::string(metadata.uses_ipv6 ? "ipv6" : "ipv4"), std::to_string(metadata.timeout.count()),
        std::to_string(metadata.attempts), std::string(metadata.is_v1_disabled ? "no v1" : "v1")}) {
    line += '\t' + part;
  }
  return line;
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    const std::vector<std::string> parts = Split(line);
    Environment environment;
    for (std::size_t i = 1; i < parts.size(); ++i) {
      const std::size_t equals = parts[i].find('=');
      environment[parts[i].substr(0, equals)] = parts[i].substr(equals + 1);
    }
    const auto described = Describe(ServiceOf(parts.front()), environment);
    std::cout << (described ? "OK\t" + *described : "ERR\t" + described.error().reason()) << '\n';
  }
}
