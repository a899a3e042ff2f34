#include "gcp/session.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/files.h"
#include "core/wrong_setting.h"
#include "net/url.h"

namespace qarion::secrets::gcp {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kConnectTimeout{5'000};
constexpr std::size_t kLongestAnswer = std::size_t{1024} * 1024;
constexpr int kTokenRefused = 401;
// Google's libraries renew then; the metadata server has another token by that time.
constexpr net::RenewalWindows kWindows{.advisory = seconds(225), .mandatory = seconds(0)};

net::HttpClientOptions OptionsOf(const ClientSettings& settings, const Session::Log& trace) {
  const std::string setting = settings.ca_file.setting.empty()
                                  ? "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE"
                                  : settings.ca_file.setting;
  return {.tls = {.ca_file = settings.ca_file.text, .authority_setting = setting},
          .limits = {.connect_timeout = kConnectTimeout, .body_bytes = kLongestAnswer},
          .allows_http2 = false,
          .trace = trace};
}

// As Google's clients have it: credentials are good in their own universe alone.
Error OtherUniverse(const Sourced& wanted, const std::string& origin, const std::string& universe) {
  return core::Wrong(
      wanted.setting,
      "is " + wanted.text + ", and the credentials of " + origin + " are of " + universe,
      "leave it out, or use credentials of that universe");
}

}  // namespace

Result<SessionSettings> SessionSettings::Load(const core::SettingLookup& lookup) {
  auto client = LoadClientSettings(lookup);
  if (!client) return std::move(client).error();
  SessionSettings settings{.client = std::move(*client), .file = {}};
  if (settings.client.credential_file.text.empty()) return settings;
  auto file = ReadCredentialFile(settings.client.credential_file);
  if (!file) return std::move(file).error();
  settings.file = std::move(*file);
  const Sourced& universe = settings.client.universe;
  if (!universe.text.empty() && universe.text != settings.file->universe) {
    return OtherUniverse(universe, settings.client.credential_file.text, settings.file->universe);
  }
  return settings;
}

std::vector<Secret> SessionSettings::Credentials() const {
  auto credentials = client.Credentials();
  if (file) std::ranges::move(SecretsIn(*file), std::back_inserter(credentials));
  return credentials;
}

Session::Session(const SessionSettings& settings, TokenUse use, Clock& clock, const Log& log,
                 bool is_traced)
    : settings_(settings),
      clock_(clock),
      services_(OptionsOf(settings.client, is_traced ? log : nullptr)),
      metadata_client_(net::MetadataServiceOptions(is_traced ? log : nullptr)),
      context_{.settings = settings.client,
               .services = services_,
               .metadata = metadata_client_,
               .clock = clock,
               .random = random_,
               .budget = budget_,
               .held = held_},
      metadata_(context_),
      source_(settings.file ? MakeFileSource(settings.client.credential_file,
                                             settings.file->universe, std::move(use), context_)
                            : MakeMetadataSource(metadata_, context_)),
      cache_(
          "access token of Google's", kWindows,
          [this](const net::Call& call) { return Fetch(call); }, clock, log) {}

Result<AccessToken> Session::Fetch(const net::Call& call) {
  auto token = source_->Get(call);
  if (token) {
    held_.Hold("access token", token->text);
    const std::lock_guard lock(mutex_);
    expires_at_ = token->expires_at;
    token_scope_ = token->scope;
    token_principal_ = token->principal;
    return token;
  }
  if (settings_.file) return token;
  return WithPlaces(std::move(token).error());
}

// A metadata server that is not there is the last place of several.
Error Session::WithPlaces(Error error) const {
  if (error.code() != ErrorCode::kConfiguration) return error;
  std::string reason = "there are no Google credentials: GOOGLE_APPLICATION_CREDENTIALS is not set";
  if (!settings_.client.well_known_file.text.empty()) {
    reason += "; " + core::ShownPath(settings_.client.well_known_file.text) + " does not exist";
  }
  return Error(ErrorCode::kConfiguration, reason + "; " + error.reason()).Cure(error.cure());
}

Result<AccessToken> Session::Token(const net::Call& call) { return cache_.Get(call); }

net::HttpRequest Session::Compose(const ApiRequest& request, const AccessToken& token) const {
  net::HttpRequest composed{.method = request.method, .url = request.url};
  composed.headers.push_back(BearerAuthorization(token.text));
  if (!request.routing.empty()) {
    composed.headers.push_back({"x-goog-request-params", Secret::CopyOf(request.routing)});
  }
  if (const Sourced quota = quota_project(); !quota.text.empty()) {
    composed.headers.push_back({"x-goog-user-project", Secret::CopyOf(quota.text)});
  }
  if (!request.body.empty()) {
    composed.headers.push_back({"Content-Type", Secret::CopyOf("application/json")});
    composed.body = Secret::CopyOf(request.body);
  }
  return composed;
}

Result<ApiAnswer> Session::Send(const ApiRequest& request, const net::RetryPolicy& policy,
                                const net::Call& call) {
  auto token = cache_.Get(call);
  if (!token) return std::move(token).error();
  const auto url = net::ParseUrl(request.url);
  const auto send = [&]() -> Result<ApiAnswer> {
    auto response = SendPatiently(services_, Compose(request, *token), policy, context_, call);
    if (!response) return std::move(response).error();
    return ReadAnswer(std::move(*response), url ? url->host : "", {&token->text, 1});
  };
  auto answer = send();
  if (!answer || answer->status != kTokenRefused) return answer;
  auto other = cache_.Replace(*token, call);
  if (!other) return std::move(other).error();
  if (!*other) return answer;
  token = std::move(**other);
  return send();
}

Result<std::string> Session::Learn(std::optional<std::string>& known, const char* path,
                                   const net::Call& call) {
  {
    const std::lock_guard lock(mutex_);
    if (known) return *known;
  }
  auto text = metadata_.GetText(path, call);
  if (!text) return WithPlaces(std::move(text).error());
  const std::lock_guard lock(mutex_);
  known = *text;
  return text;
}

Result<std::string> Session::Universe(const net::Call& call) {
  if (settings_.file) return settings_.file->universe;
  auto universe = Learn(universe_, "universe/universe-domain", call);
  if (!universe) return universe;
  if (universe->empty()) universe = kDefaultUniverse;  // a server older than universes
  if (!net::IsHostName(*universe)) {
    return Error(ErrorCode::kBadData, "the metadata server names a universe that is no domain")
        .Cure("see that it is Google's metadata server that answers");
  }
  const Sourced& wanted = settings_.client.universe;
  if (!wanted.text.empty() && wanted.text != *universe) {
    return OtherUniverse(wanted, "the metadata server", *universe);
  }
  return universe;
}

Result<Sourced> Session::Project(const net::Call& call) {
  if (!settings_.client.project.text.empty()) return settings_.client.project;
  if (settings_.file) {
    return Sourced{.text = ProjectOf(*settings_.file),
                   .setting = settings_.client.credential_file.text};
  }
  auto project = Learn(project_, "project/project-id", call);
  if (!project) return std::move(project).error();
  return Sourced{.text = std::move(*project), .setting = "the metadata server"};
}

std::string Session::Principal(const net::Call& call) {
  if (settings_.file) {
    const std::lock_guard lock(mutex_);
    return token_principal_.empty() ? PrincipalOf(*settings_.file) : token_principal_;
  }
  const auto email = Learn(
      email_, "instance/service-accounts/default/email",
      {.deadline = std::min(call.deadline, clock_.SteadyNow() + seconds(1)), .stop = call.stop});
  // Where a workload has no service account of its own, that of GKE says the pool.
  return email && email->contains('@') ? "serviceAccount:" + *email : "";
}

Result<Secret> Session::GetMetadata(const std::string& path, const net::Call& call) {
  return metadata_.Get(path, call);
}

std::string Session::Scopes(const net::Call& call) {
  if (!settings_.file) {
    return Learn(scopes_, "instance/service-accounts/default/scopes", call).value_or("");
  }
  const std::lock_guard lock(mutex_);
  return token_scope_;
}

Sourced Session::quota_project() const {
  if (!settings_.client.quota_project.text.empty()) return settings_.client.quota_project;
  if (!settings_.file || settings_.file->quota_project.empty()) return {};
  return {.text = settings_.file->quota_project,
          .setting = "quota_project_id in " + settings_.client.credential_file.text};
}

std::string Session::Origin() const {
  if (settings_.file) {
    return DescribeIdentity(*settings_.file) + " (" + settings_.client.credential_file.setting +
           ": " + settings_.client.credential_file.text + ")";
  }
  const std::lock_guard lock(mutex_);
  return (email_ && !email_->empty() ? "service account " + *email_ : "the service account") +
         std::string(" of the metadata server at ") + metadata_.address();
}

std::optional<seconds> Session::left() const {
  const std::lock_guard lock(mutex_);
  if (!expires_at_) return std::nullopt;
  return std::chrono::floor<seconds>(*expires_at_ - clock_.SystemNow());
}

std::vector<Session::Place> Session::places() const {
  constexpr char kVariable[] = "GOOGLE_APPLICATION_CREDENTIALS";
  constexpr char kGcloud[] = "gcloud's file";
  const ClientSettings& client = settings_.client;
  const bool is_named = client.credential_file.setting == kVariable;
  const auto behind = [](const char* first, const std::string& what) {
    return std::string("not looked at: ") + first + " comes first" +
           (what.empty() ? "" : "; " + what);
  };
  const std::string& path = client.well_known_file.text;
  const std::string gcloud =
      path.empty()
          ? "there is no home directory"
          : core::ShownPath(path) + (client.has_well_known_file ? " is there" : " does not exist");
  const std::string machine = client.metadata.is_disabled ? "NO_GCE_CHECK is true" : "";
  return {{kVariable, is_named ? "" : "is not set"},
          {kGcloud, is_named         ? behind(kVariable, gcloud)
                    : settings_.file ? ""
                                     : gcloud},
          {"metadata server",
           settings_.file ? behind(is_named ? kVariable : kGcloud, machine) : machine}};
}

}  // namespace qarion::secrets::gcp
