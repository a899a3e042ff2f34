#include "aws/client_settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "core/ascii.h"
#include "core/wrong_setting.h"
#include "net/url.h"

namespace qarion::secrets::aws {
namespace {

constexpr int kStandardAttempts = 3;
constexpr int kLegacyAttempts = 5;
constexpr int kMostAttempts = 1000;
constexpr int kMostMetadataAttempts = 100;
constexpr int kLongestMetadataTimeout = 3600;  // seconds

struct ServiceNames {
  Service service;
  const char* variable;
  const char* key;  // in a `services` section
};
constexpr std::array<ServiceNames, 4> kServices = {{
    {Service::kSecretsManager, "AWS_ENDPOINT_URL_SECRETS_MANAGER", "secrets_manager"},
    {Service::kSts, "AWS_ENDPOINT_URL_STS", "sts"},
    {Service::kSso, "AWS_ENDPOINT_URL_SSO", "sso"},
    {Service::kSsoOidc, "AWS_ENDPOINT_URL_SSO_OIDC", "sso_oidc"},
}};

// Reads one setting after the other and keeps the first error.
class Reader {
 public:
  Reader(const Variables& variables, const Profiles& profiles)
      : variables_(variables), profiles_(profiles), profile_(profiles.Find(profiles.current())) {}

  Sourced Variable(const char* name) const {
    std::string text = variables_.Text(name);
    if (text.empty()) return {};
    return {.text = std::move(text), .setting = name};
  }

  Sourced Key(const char* name) const {
    const auto found = profile_ ? profile_->Find(name) : std::nullopt;
    if (!found || found->text.empty()) return {};
    return {.text = std::string(found->text), .setting = found->NamedAs(name)};
  }

  // The variable, or the profile's key where it is not set or empty.
  Sourced Find(const char* variable, const char* key) const {
    const Sourced found = Variable(variable);
    return found.text.empty() ? Key(key) : found;
  }

  bool Bool(const Sourced& setting) {
    if (setting.text.empty() || core::EqualsIgnoringCase(setting.text, "false")) return false;
    if (core::EqualsIgnoringCase(setting.text, "true")) return true;
    Fail(core::Wrong(setting.setting, "is neither true nor false", "write true or false"));
    return false;
  }

  int Number(const Sourced& setting, int fallback, int most) {
    if (setting.text.empty()) return fallback;
    int number = 0;
    const char* end = setting.text.data() + setting.text.size();
    const auto parsed = std::from_chars(setting.text.data(), end, number);
    if (parsed.ec == std::errc() && parsed.ptr == end && number >= 1 && number <= most) {
      return number;
    }
    Fail(core::Wrong(setting.setting, "is not a whole number from 1 to " + std::to_string(most),
                     "write digits only, or leave it out for " + std::to_string(fallback)));
    return fallback;
  }

  // The setting with a URL of which all parts count; empty where it is malformed.
  Sourced Url(Sourced setting) {
    const auto url = net::ParseUrl(setting.text);
    if (!url || setting.text.find('?') != std::string::npos) {
      Fail(core::Wrong(setting.setting, "is not an http or https URL of host, port and path alone",
                       "write it as https://host or https://host:port"));
      return {};
    }
    setting.text = url->scheme + "://" + url->host;
    if (url->names_port) setting.text += ":" + url->port;
    setting.text += url->path;
    while (setting.text.ends_with('/')) setting.text.pop_back();
    return setting;
  }

  // `endpoint_url` of a service in the section that the profile's `services` names.
  Sourced ServiceUrl(const char* service) {
    const Sourced name = Key("services");
    if (name.text.empty()) return {};
    const auto section = profiles_.Services(name.text);
    if (!section) {
      Fail(core::Wrong(name.setting,
                       "names a section that is not there: [services " + name.text + "]",
                       "add that section to " + profiles_.config_path() + ", or correct the name"));
      return {};
    }
    const auto block = section->Find(service);
    if (!block) return {};
    for (const IniEntry& entry : block->entry->nested) {
      if (entry.name != "endpoint_url" || entry.value.Reveal().empty()) continue;
      return {.text = std::string(entry.value.Reveal()),
              .setting = std::string("endpoint_url of ") + service + " in " +
                         profiles_.config_path() + ":" + std::to_string(entry.line)};
    }
    if (!block->text.empty() && !block->entry->has_nested) {
      Fail(core::Wrong(
          service + (" in " + block->where), "is a value where a block is to be",
          "leave the line empty behind =, and write endpoint_url, indented, on the next"));
    }
    return {};
  }

  void Fail(Error error) {
    if (!error_) error_ = std::move(error);
  }
  std::optional<Error>& error() noexcept { return error_; }

 private:
  const Variables& variables_;
  const Profiles& profiles_;
  std::optional<Profile> profile_;
  std::optional<Error> error_;
};

bool Erase(std::string& text, std::string_view part) {
  bool found = false;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; found = true) {
    text.erase(at, part.size());
  }
  return found;
}

void ReadRegion(Reader& reader, ClientSettings& settings) {
  settings.region = reader.Variable("AWS_REGION");
  if (settings.region.text.empty()) {
    settings.region = reader.Find("AWS_DEFAULT_REGION", "region");
  }
  // As in boto3: fips-us-east-1 and us-east-1-fips are old names for FIPS in us-east-1.
  const bool is_before = Erase(settings.region.text, "fips-");
  const bool is_behind = Erase(settings.region.text, "-fips");
  if (!is_before && !is_behind) return;
  settings.uses_fips = true;
  settings.notices.push_back(settings.region.setting + " is read as " + settings.region.text +
                             " with FIPS endpoints; AWS_USE_FIPS_ENDPOINT=true says the same");
}

void ReadVariants(Reader& reader, ClientSettings& settings) {
  if (reader.Bool(reader.Find("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"))) {
    settings.uses_fips = true;
  }
  settings.uses_dual_stack =
      reader.Bool(reader.Find("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"));
  const Sourced sts = reader.Find("AWS_STS_REGIONAL_ENDPOINTS", "sts_regional_endpoints");
  settings.uses_global_sts = sts.text == "legacy";
  if (!sts.text.empty() && sts.text != "legacy" && sts.text != "regional") {
    reader.Fail(
        core::Wrong(sts.setting, "is neither regional nor legacy", "write regional or legacy"));
  }
}

void ReadRetries(Reader& reader, ClientSettings& settings) {
  const Sourced mode = reader.Find("AWS_RETRY_MODE", "retry_mode");
  if (mode.text == "legacy") {
    settings.retry_mode = RetryMode::kLegacy;
  } else if (mode.text == "adaptive") {
    settings.notices.push_back(mode.setting + " is adaptive, which is done as standard here");
  } else if (!mode.text.empty() && mode.text != "standard") {
    reader.Fail(core::Wrong(mode.setting, "is none of standard, legacy and adaptive",
                            "write standard, or leave it out"));
  }
  settings.most_attempts =
      reader.Number(reader.Find("AWS_MAX_ATTEMPTS", "max_attempts"),
                    settings.retry_mode == RetryMode::kLegacy ? kLegacyAttempts : kStandardAttempts,
                    kMostAttempts);
}

void ReadMetadata(Reader& reader, MetadataSettings& metadata) {
  metadata.is_disabled = reader.Bool(reader.Variable("AWS_EC2_METADATA_DISABLED"));
  metadata.is_v1_disabled =
      reader.Bool(reader.Find("AWS_EC2_METADATA_V1_DISABLED", "ec2_metadata_v1_disabled"));
  Sourced endpoint =
      reader.Find("AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint");
  if (!endpoint.text.empty()) metadata.endpoint = reader.Url(std::move(endpoint));
  const Sourced mode =
      reader.Find("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode");
  if (mode.text.empty()) {
    metadata.uses_ipv6 = reader.Bool(reader.Find("AWS_IMDS_USE_IPV6", "imds_use_ipv6"));
  } else if (core::EqualsIgnoringCase(mode.text, "ipv6")) {
    metadata.uses_ipv6 = true;
  } else if (!core::EqualsIgnoringCase(mode.text, "ipv4")) {
    reader.Fail(core::Wrong(mode.setting, "is neither IPv4 nor IPv6", "write IPv4 or IPv6"));
  }
  metadata.timeout = std::chrono::seconds(
      reader.Number(reader.Find("AWS_METADATA_SERVICE_TIMEOUT", "metadata_service_timeout"), 1,
                    kLongestMetadataTimeout));
  metadata.attempts = reader.Number(
      reader.Find("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "metadata_service_num_attempts"), 1,
      kMostMetadataAttempts);
}

Sourced ConfiguredEndpoint(Reader& reader, const ServiceNames& names) {
  for (const char* variable : {names.variable, "AWS_ENDPOINT_URL"}) {
    if (Sourced found = reader.Variable(variable); !found.text.empty()) return found;
  }
  const Sourced found = reader.ServiceUrl(names.key);
  return found.text.empty() ? reader.Key("endpoint_url") : found;
}

void ReadEndpoints(Reader& reader, ClientSettings& settings) {
  if (reader.Bool(
          reader.Find("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls"))) {
    return;
  }
  for (const ServiceNames& names : kServices) {
    Sourced configured = ConfiguredEndpoint(reader, names);
    if (configured.text.empty()) continue;
    settings.endpoints[names.service] = reader.Url(std::move(configured));
  }
}

// What one ought to know about the endpoints that are configured, once for each setting.
void NoteEndpoints(ClientSettings& settings) {
  std::vector<std::string_view> noted;
  for (const auto& [service, endpoint] : settings.endpoints) {
    if (std::ranges::find(noted, endpoint.setting) != noted.end()) continue;
    noted.push_back(endpoint.setting);
    const auto url = net::ParseUrl(endpoint.text);
    if (url && url->scheme == "http" && !net::IsLoopback(*url)) {
      settings.notices.push_back(endpoint.setting +
                                 " is http: what is sent there and back travels unencrypted");
    }
    if (settings.uses_fips || settings.uses_dual_stack) {
      settings.notices.push_back(endpoint.setting +
                                 " names the endpoint: FIPS and dual stack, as far as they are "
                                 "set, do nothing for it");
    }
  }
}

}  // namespace

Result<ClientSettings> LoadClientSettings(const Variables& variables, const Profiles& profiles) {
  Reader reader(variables, profiles);
  ClientSettings settings;
  ReadRegion(reader, settings);
  ReadVariants(reader, settings);
  ReadRetries(reader, settings);
  ReadMetadata(reader, settings.metadata);
  ReadEndpoints(reader, settings);
  settings.ca_bundle = reader.Find("AWS_CA_BUNDLE", "ca_bundle");
  if (settings.ca_bundle.text.empty()) {
    settings.ca_bundle = reader.Variable("REQUESTS_CA_BUNDLE");
  }
  if (reader.error()) return *std::move(reader.error());
  NoteEndpoints(settings);
  return settings;
}

}  // namespace qarion::secrets::aws
