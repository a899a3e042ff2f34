#include "providers/gcp_sm/secret_name.h"

#include <algorithm>
#include <vector>

#include "core/ascii.h"
#include "core/wrong_setting.h"
#include "gcp/client_settings.h"

namespace qarion::secrets::gcp_sm {
namespace {

constexpr std::size_t kLongestSecretId = 255;
constexpr std::size_t kLongestAlias = 63;
constexpr std::size_t kLongestLocation = 63;
constexpr std::size_t kMostDigits = 18;
constexpr std::string_view kService = "//secretmanager.googleapis.com/";

bool Consists(std::string_view text, std::size_t longest, std::string_view signs) {
  return !text.empty() && text.size() <= longest && std::ranges::all_of(text, [&](char c) {
    return core::IsLetterOrDigit(c) || signs.find(c) != std::string_view::npos;
  });
}

std::vector<std::string_view> Parts(std::string_view path) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t slash = path.find('/');
    parts.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return parts;
    path.remove_prefix(slash + 1);
  }
}

Error WrongName(const std::string& setting, const std::string& problem) {
  return core::Wrong(setting, problem,
                     "write the id of the secret, such as qarion-secrets, or its whole name: "
                     "projects/PROJECT/secrets/ID, or projects/PROJECT/locations/LOCATION/secrets/"
                     "ID");
}

}  // namespace

std::string SecretName::Resource() const {
  return "projects/" + project + (location.empty() ? "" : "/locations/" + location) + "/secrets/" +
         secret;
}

std::string SecretName::Flags() const {
  return " --project=" + project + (location.empty() ? "" : " --location=" + location);
}

bool IsNumber(std::string_view text) {
  return !text.empty() && text.size() <= kMostDigits && text.front() != '0' &&
         std::ranges::all_of(text, core::IsDigit);
}

bool IsLocation(std::string_view text) { return Consists(text, kLongestLocation, "-"); }

bool IsSecretId(std::string_view text) { return Consists(text, kLongestSecretId, "-_"); }

bool IsVersion(std::string_view text) {
  if (IsNumber(text)) return true;
  // "An alias string must start with a letter" (Secret.version_aliases).
  return Consists(text, kLongestAlias, "-_") && core::IsLetterOrDigit(text.front()) &&
         !core::IsDigit(text.front());
}

Result<SecretName> ParseSecretName(std::string_view text, const std::string& setting) {
  const bool has_service = text.starts_with(kService);
  if (has_service) text.remove_prefix(kService.size());
  if (!has_service && text.find('/') == std::string_view::npos) {
    if (IsSecretId(text)) {
      return SecretName{.project = {}, .location = {}, .secret = std::string(text), .version = {}};
    }
    return WrongName(setting,
                     "is not the id of a secret: those have letters, digits, - and _, at "
                     "most 255");
  }
  SecretName name;
  const auto parts = Parts(text);
  std::size_t at = 0;
  const auto take = [&](std::string_view collection, std::string& into) {
    if (at + 1 >= parts.size() || parts[at] != collection) return false;
    into = parts[at + 1];
    at += 2;
    return true;
  };
  const bool has_project = take("projects", name.project);
  const bool has_location = take("locations", name.location);
  const bool has_secret = take("secrets", name.secret);
  const bool has_version = take("versions", name.version);
  if (!has_project || !has_secret || at != parts.size()) {
    return WrongName(setting, "has slashes in it and is not the name of a secret");
  }
  if (!gcp::IsProject(name.project)) return WrongName(setting, "names a project that can be none");
  if (has_location && !IsLocation(name.location)) {
    return WrongName(setting, "names a location that can be none");
  }
  if (!IsSecretId(name.secret)) return WrongName(setting, "names a secret that can be none");
  if (has_version && !IsVersion(name.version)) {
    return WrongName(setting, "names a version that is no number and can be no alias");
  }
  return name;
}

}  // namespace qarion::secrets::gcp_sm
