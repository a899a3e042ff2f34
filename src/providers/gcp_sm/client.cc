#include "providers/gcp_sm/client.h"

#include <algorithm>
#include <cstdint>

#include "core/wrong_setting.h"
#include "providers/gcp_sm/doctor.h"

namespace qarion::secrets::gcp_sm {
namespace {

// What service accounts sign their tokens for, also for regions and other endpoints.
constexpr char kAudience[] = "https://secretmanager.googleapis.com/";
constexpr int kMostReads = 2;  // where what arrives is damaged

}  // namespace

Client::Client(const GcpSmSettings& settings, Clock& clock, const Log& log)
    : settings_(settings),
      clock_(clock),
      log_(log),
      session_(settings.session, {.audience = kAudience, .scope = {}}, clock, log,
               settings.is_traced),
      project_setting_(settings.project_setting) {}

Result<Client::Target> Client::Find(const net::Call& call) {
  {
    const std::lock_guard lock(mutex_);
    if (target_) return *target_;
  }
  Target target{.name = settings_.name, .endpoint = settings_.endpoint};
  std::string project_setting = settings_.project_setting;
  if (target.name.project.empty()) {
    auto project = session_.Project(call);
    if (!project) return std::move(project).error();
    const char* const cure = "set GCP_SECRET_PROJECT to the id or number of the secret's project";
    if (project->text.empty()) {
      return core::Wrong("GCP_SECRET_PROJECT",
                         "is not set, nor is GOOGLE_CLOUD_PROJECT, and the credentials name no "
                         "project",
                         cure);
    }
    if (!gcp::IsProject(project->text)) {
      return core::Wrong(project->setting, "names a project that can be none", cure);
    }
    target.name.project = std::move(project->text);
    project_setting = std::move(project->setting);
  }
  if (target.endpoint.empty()) {
    const auto universe = session_.Universe(call);
    if (!universe) return universe.error();
    target.endpoint = EndpointOf(target.name, *universe);
  }
  const std::lock_guard lock(mutex_);
  target_ = target;
  project_setting_ = std::move(project_setting);
  return target;
}

Result<Payload> Client::Fetch(const std::string& /*known_version*/, const net::Call& call) {
  auto target = Find(call);
  if (!target) return std::move(target).error();
  for (int reads = 1;; ++reads) {
    auto answer = Access(*target, call);
    if (answer && settings_.falls_back && IsOutOfUse(*answer)) {
      answer = AccessEnabled(*target, call);
    } else if (answer && answer->is_ok()) {
      fell_back_to_.clear();
    }
    if (!answer) return std::move(answer).error();
    if (!answer->is_ok()) {
      return RefusedBy(*answer, target->name, "secretmanager.versions.access", call);
    }
    const auto version = VersionFrom(*answer, target->name);
    if (!version) return version.error();
    if (!version->IsIntact() && reads < kMostReads) {
      log_("the secret arrived damaged, and is read once more");
      continue;
    }
    auto payload = PayloadFrom(*version, target->name);
    if (payload) {
      const std::lock_guard lock(mutex_);
      version_read_ = target->name.Resource() + " version " + version->number +
                      (version->checksum ? ", CRC-32C verified" : ", sent without a checksum");
    }
    return payload;
  }
}

Result<gcp::ApiAnswer> Client::Access(const Target& target, const net::Call& call) {
  return session_.Send(AccessRequest(target.endpoint, target.name), AccessPolicy(), call);
}

// Reads the newest version that is enabled, and lets `target` name it.
Result<gcp::ApiAnswer> Client::AccessEnabled(Target& target, const net::Call& call) {
  constexpr int kMostPages = 10;  // those before may be empty (AIP-158)
  std::optional<std::string> version;
  std::string page;
  for (int pages = 0; pages < kMostPages && !version && (pages == 0 || !page.empty()); ++pages) {
    auto list =
        session_.Send(ListEnabledRequest(target.endpoint, target.name, page), OncePolicy(), call);
    if (!list) return list;
    if (!list->is_ok()) {
      return RefusedBy(*list, target.name, "secretmanager.versions.list", call);
    }
    version = FirstVersionIn(*list);
    page = (*list)["nextPageToken"].Text().value_or("");
  }
  if (!version && !page.empty()) {
    return Error(ErrorCode::kUnavailable,
                 "Secret Manager lists nothing but empty pages of the versions of " +
                     target.name.Resource())
        .Cure("wait; or name a version in GCP_SECRET_VERSION");
  }
  if (!version) {
    return Error(ErrorCode::kConfiguration,
                 target.name.Resource() + " has no version that is enabled")
        .With("secret", target.name.Resource())
        .Cure("enable one, or add one: gcloud secrets versions add " + target.name.secret +
              target.name.Flags() + " --data-file=secret.json");
  }
  target.name.version = *version;
  if (fell_back_to_ != *version) {
    fell_back_to_ = *version;
    log_("the newest version of " + target.name.Resource() +
         " is disabled or destroyed; by GCP_SECRET_VERSION_FALLBACK version " + *version +
         " takes its place");
  }
  return Access(target, call);
}

Error Client::RefusedBy(const gcp::ApiAnswer& answer, const SecretName& asked,
                        std::string_view permission, const net::Call& call) {
  const bool names_asker =
      answer.error_code == "PERMISSION_DENIED" || answer.error_code == "UNAUTHENTICATED";
  return Refused(answer, asked, names_asker ? session_.Principal(call) : "", clock_.SystemNow(),
                 permission);
}

std::vector<std::pair<std::string, std::string>> Client::Describe() const {
  std::vector<std::pair<std::string, std::string>> lines;
  {
    const std::lock_guard lock(mutex_);
    if (target_) {
      lines.emplace_back("project", target_->name.project + " from " + project_setting_);
      lines.emplace_back(
          "endpoint",
          target_->endpoint + (settings_.endpoint.empty() ? "" : " from GCP_SECRET_ENDPOINT"));
    }
  }
  lines.emplace_back("credentials", session_.Origin());
  if (const auto quota = session_.quota_project(); !quota.text.empty()) {
    lines.emplace_back("charged project", quota.text + " from " + quota.setting);
  }
  if (const auto left = session_.left()) {
    lines.emplace_back("token expires",
                       "in " + std::to_string(std::max<std::int64_t>(left->count(), 0)) + " s");
  }
  const std::lock_guard lock(mutex_);
  if (!version_read_.empty()) lines.emplace_back("version read", version_read_);
  return lines;
}

Diagnosis Client::Diagnose(const net::Call& call) {
  return Examine(settings_, *this, clock_, call);
}

}  // namespace qarion::secrets::gcp_sm
