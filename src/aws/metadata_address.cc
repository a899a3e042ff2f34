#include "aws/metadata_address.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "core/wrong_setting.h"
#include "net/url.h"

namespace qarion::secrets::aws {
namespace {

constexpr char kRelativeUri[] = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
constexpr char kFullUri[] = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
constexpr char kEcsAddress[] = "http://169.254.170.2";
// Beside this machine itself, where credentials may come from in plain http.
constexpr std::array<std::string_view, 3> kTrustedHosts = {"169.254.170.2", "169.254.170.23",
                                                           "[fd00:ec2::23]"};
constexpr char kInstanceAddress[] = "http://169.254.169.254";
constexpr char kInstanceIpv6Address[] = "http://[fd00:ec2::254]";

Result<std::optional<ContainerAddress>> Resolve(const char* setting, std::string text) {
  const auto url = net::ParseUrl(text);
  if (!url) {
    return core::Wrong(setting, "is no http or https URL",
                       "write it as https://host/path, without user, password or fragment");
  }
  const bool is_trusted = url->scheme == "https" || net::IsLoopback(*url) ||
                          std::ranges::find(kTrustedHosts, url->host) != kTrustedHosts.end();
  if (!is_trusted) {
    return core::Wrong(
        setting,
        "names the foreign host " + url->host +
            " with plain http, so that anybody on the way could read the credentials; "
            "nothing was sent there",
        "use https, or an address of this machine, 169.254.170.2, 169.254.170.23 or "
        "[fd00:ec2::23]");
  }
  return ContainerAddress{
      .setting = setting,
      .url = std::move(text),
      .shown = url->scheme + "://" + url->host + (url->names_port ? ":" + url->port : "")};
}

}  // namespace

Result<std::optional<ContainerAddress>> FindContainerAddress(const Variables& variables) {
  // It wins also where it is empty.
  if (const auto path = variables.Find(kRelativeUri)) {
    if (path->starts_with('/')) return Resolve(kRelativeUri, kEcsAddress + std::string(*path));
    return core::Wrong(kRelativeUri, "does not begin with a slash",
                       "write a path, such as /credentials, or unset it; a whole URL belongs into "
                       "AWS_CONTAINER_CREDENTIALS_FULL_URI");
  }
  if (const auto url = variables.Find(kFullUri)) return Resolve(kFullUri, std::string(*url));
  return std::nullopt;
}

Result<std::string> InstanceMetadataUrl(const MetadataSettings& settings) {
  if (settings.endpoint.text.empty()) {
    return settings.uses_ipv6 ? kInstanceIpv6Address : kInstanceAddress;
  }
  if (net::ParseUrl(settings.endpoint.text)) return settings.endpoint.text;
  return core::Wrong(settings.endpoint.setting, "is no http or https URL",
                     "write it as http://host:port");
}

}  // namespace qarion::secrets::aws
