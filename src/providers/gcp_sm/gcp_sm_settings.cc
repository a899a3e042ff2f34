#include "providers/gcp_sm/gcp_sm_settings.h"

#include <utility>

#include "core/wrong_setting.h"
#include "net/url.h"

namespace qarion::secrets::gcp_sm {
namespace {

constexpr char kProject[] = "GCP_SECRET_PROJECT";
constexpr char kName[] = "GCP_SECRET_NAME";
constexpr char kVersion[] = "GCP_SECRET_VERSION";
constexpr char kLocation[] = "GCP_SECRET_LOCATION";
constexpr char kFallback[] = "GCP_SECRET_VERSION_FALLBACK";
constexpr char kEndpoint[] = "GCP_SECRET_ENDPOINT";
constexpr char kUsualName[] = "qarion-secrets";

std::string TextOf(const core::SettingLookup& lookup, const char* name) {
  return std::string(lookup(name).value_or(""));
}

// A part of the name that stands in a setting of its own, and in GCP_SECRET_NAME too.
struct Part {
  const char* setting;
  bool (*is_possible)(std::string_view);
  const char* problem;
  const char* cure;
};
constexpr Part kProjectPart = {kProject, gcp::IsProject,
                               "is neither the id nor the number of a project",
                               "write it as `gcloud projects list` shows it"};
constexpr Part kLocationPart = {
    kLocation, IsLocation, "is no location",
    "write one such as europe-west3, or leave it out for a global secret"};
constexpr Part kVersionPart = {kVersion, IsVersion, "is neither a number nor an alias nor latest",
                               "write one that `gcloud secrets versions list` shows, or leave it "
                               "out for latest"};

// Puts what the setting says into `part`, where it may be already.
Status Merge(const core::SettingLookup& lookup, const Part& rules, std::string& part) {
  std::string text = TextOf(lookup, rules.setting);
  if (text.empty()) return {};
  if (!rules.is_possible(text)) return core::Wrong(rules.setting, rules.problem, rules.cure);
  if (!part.empty() && part != text) {
    return core::Wrong(rules.setting, "is " + text + ", and GCP_SECRET_NAME names " + part,
                       std::string("leave out ") + rules.setting + ", or let both say the same");
  }
  if (part.empty()) part = std::move(text);
  return {};
}

// An id and a number may mean the same project: what is read will show it.
Status MergeProject(const core::SettingLookup& lookup, SecretName& name) {
  const std::string text = TextOf(lookup, kProject);
  const bool may_be_same =
      !name.project.empty() && gcp::IsProject(text) && IsNumber(text) != IsNumber(name.project);
  if (!may_be_same) return Merge(lookup, kProjectPart, name.project);
  name.project_number = text;
  if (!IsNumber(text)) name.project_number.swap(name.project);
  return {};
}

Result<std::string> ReadEndpoint(const core::SettingLookup& lookup) {
  std::string text = TextOf(lookup, kEndpoint);
  if (text.empty()) return text;
  const auto url = net::ParseUrl(text);
  if (!url || text.contains('?')) {
    return core::Wrong(kEndpoint, "is not a URL of host, port and path alone",
                       "write it as https://host, or leave it out for Google's own");
  }
  if (url->scheme != "https" && !net::IsLoopback(*url)) {
    return core::Wrong(kEndpoint, "is not https, so that anybody on the way could read the secret",
                       "write it as https://host; http is for this machine's own addresses alone");
  }
  while (text.ends_with('/')) text.pop_back();
  if (text.ends_with("/v1")) {
    return core::Wrong(kEndpoint, "ends with the version of the API, which is put there anyway",
                       "leave out /v1");
  }
  return text;
}

Result<bool> ReadFallback(const core::SettingLookup& lookup, const std::string& version) {
  const std::string text = TextOf(lookup, kFallback);
  if (text.empty() || text == "none") return false;
  if (text != "previous") {
    return core::Wrong(kFallback, "is not previous",
                       "write previous, for the newest version that is enabled, or leave it out");
  }
  if (version != kLatest) {
    return core::Wrong(kFallback, "is set, and the version that is asked for is " + version,
                       "leave out one of them: it is for latest alone");
  }
  return true;
}

}  // namespace

std::string GcpSmSettings::Source() const {
  const std::string where = name.project.empty() ? "secret " + name.secret : name.Resource();
  return where + " version " + name.version;
}

Result<GcpSmSettings> LoadGcpSmSettings(const core::SettingLookup& lookup) {
  const std::string given = TextOf(lookup, kName);
  auto name = ParseSecretName(given.empty() ? kUsualName : given, kName);
  if (!name) return std::move(name).error();
  const std::string named_project = name->project;
  if (!named_project.empty() && name->location.empty() && lookup(kLocation).value_or("") != "") {
    return core::Wrong(kLocation, "is set, and GCP_SECRET_NAME names a global secret",
                       "leave it out, or write the whole name with its location");
  }
  if (auto merged = MergeProject(lookup, *name); !merged) return std::move(merged).error();
  if (auto merged = Merge(lookup, kLocationPart, name->location); !merged) {
    return std::move(merged).error();
  }
  if (auto merged = Merge(lookup, kVersionPart, name->version); !merged) {
    return std::move(merged).error();
  }
  if (name->version.empty()) name->version = kLatest;
  std::string project_setting;
  if (!name->project.empty()) project_setting = name->project == named_project ? kName : kProject;
  auto fallback = ReadFallback(lookup, name->version);
  if (!fallback) return std::move(fallback).error();
  auto endpoint = ReadEndpoint(lookup);
  if (!endpoint) return std::move(endpoint).error();
  auto session = gcp::SessionSettings::Load(lookup);
  if (!session) return std::move(session).error();
  return GcpSmSettings{.name = std::move(*name),
                       .project_setting = std::move(project_setting),
                       .falls_back = *fallback,
                       .endpoint = std::move(*endpoint),
                       .session = std::move(*session),
                       .is_traced = lookup("QARION_SECRETS_LOG") == "debug"};
}

}  // namespace qarion::secrets::gcp_sm
