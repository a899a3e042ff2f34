#include "gcp/credential_file.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>

#include "core/ascii.h"
#include "core/files.h"
#include "core/json_document.h"
#include "net/http.h"
#include "net/server_text.h"
#include "net/url.h"

namespace qarion::secrets::gcp {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kShortestExecution{5'000};
constexpr milliseconds kLongestExecution{120'000};
// IAM's limits of a token's life.
constexpr seconds kShortestLifetime{600};
constexpr seconds kLongestLifetime{43'200};
constexpr char kAcquired[] =
    "download the file anew, or make it by `gcloud auth application-default login` or `gcloud iam "
    "workload-identity-pools create-cred-config`";

// "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/EMAIL:generateAccessToken"
// -> EMAIL. The host is the universe's own, whatever the file says.
std::string_view EmailIn(std::string_view url) {
  constexpr std::string_view kBefore = "/serviceAccounts/";
  constexpr std::string_view kAfter = ":generateAccessToken";
  const std::size_t begin = url.rfind(kBefore);
  if (begin == std::string_view::npos || !url.ends_with(kAfter)) return {};
  url.remove_prefix(begin + kBefore.size());
  url.remove_suffix(std::min(kAfter.size(), url.size()));
  const bool is_email = url.contains('@') && core::IsVisible(url) && !url.contains('/');
  return is_email ? url : std::string_view();
}

// Whether a URL may be plain http to where machines have their metadata: to ask there, not to send
// credentials.
enum class MetadataAllowed { kNo, kYes };

// Members of an object; the first thing that is wrong with them is kept.
class Members {
 public:
  // `name`: of the object within the file, with a dot at its end; empty: the outermost.
  Members(core::JsonValue object, std::string name, std::string& problem)
      : object_(object), name_(std::move(name)), problem_(problem) {}

  bool Has(std::string_view member) const {
    return object_[member].exists() && !object_[member].IsNull();
  }
  Members Object(std::string_view member) const {
    const core::JsonValue object = object_[member];
    if (Has(member) && !object.IsObject()) Note(member, "is not an object");
    return {object, name_ + std::string(member) + ".", problem_};
  }
  core::JsonValue Value(std::string_view member) const { return object_[member]; }
  std::vector<std::string_view> Names() const { return object_.Names(); }

  // Empty where it is missing.
  std::string_view View(std::string_view member) const {
    if (!Has(member)) return {};
    const auto text = object_[member].Text();
    if (!text) Note(member, "is not text");
    return text.value_or("");
  }
  std::string Text(std::string_view member) const {
    const std::string_view text = View(member);
    if (text.find_first_of(std::string_view("\0\r\n", 3)) != std::string_view::npos) {
      Note(member, "has a line break in it");
    }
    return std::string(text);
  }
  std::string Needed(std::string_view member) const {
    std::string text = Text(member);
    if (text.empty()) Note(member, "is missing or empty");
    return text;
  }
  Secret NeededSecret(std::string_view member) const {
    const std::string_view text = View(member);
    if (text.empty()) Note(member, "is missing or empty");
    return Secret::CopyOf(text);
  }
  Secret OptionalSecret(std::string_view member) const { return Secret::CopyOf(View(member)); }

  std::string Url(std::string_view member) const {
    std::string text = Text(member);
    if (!text.empty()) CheckUrl(member, text, MetadataAllowed::kYes);
    return text;
  }
  std::string NeededUrl(std::string_view member, MetadataAllowed metadata) const {
    std::string text = Needed(member);
    if (!text.empty()) CheckUrl(member, text, metadata);
    return text;
  }
  std::string Email(std::string_view member) const {
    const std::string_view url = View(member);
    const std::string_view email = EmailIn(url);
    if (!url.empty() && email.empty()) {
      Note(member, "does not end in /serviceAccounts/EMAIL:generateAccessToken");
    }
    return std::string(email);
  }

  void Note(std::string_view member, const std::string& problem) const {
    if (problem_.empty()) problem_ = name_ + std::string(member) + " " + problem;
  }

 private:
  void CheckUrl(std::string_view member, const std::string& text, MetadataAllowed metadata) const {
    constexpr std::string_view kMetadata[] = {"169.254.169.254", "[fd00:ec2::254]"};
    const auto url = net::ParseUrl(text);
    if (!url) return Note(member, "is no http or https URL");
    if (url->scheme == "https" || net::IsLoopback(*url)) return;
    const bool is_metadata = std::ranges::find(kMetadata, url->host) != std::end(kMetadata);
    if (is_metadata && metadata == MetadataAllowed::kYes) return;
    Note(member, "is not https, so that others could read along");
  }

  core::JsonValue object_;
  std::string name_;
  std::string& problem_;
};

ServiceAccount ReadServiceAccount(const Members& file) {
  return {.client_email = file.Needed("client_email"),
          .private_key_id = file.Text("private_key_id"),
          .private_key = file.NeededSecret("private_key"),
          .token_uri = file.NeededUrl("token_uri", MetadataAllowed::kNo)};
}

AuthorizedUser ReadAuthorizedUser(const Members& file) {
  std::string account(file.Value("account").Text().value_or(""));  // for people: any is accepted
  if (!core::IsVisible(account) || !account.contains('@')) account.clear();
  return {.account = std::move(account),
          .client_id = file.Needed("client_id"),
          .client_secret = file.NeededSecret("client_secret"),
          .refresh_token = file.NeededSecret("refresh_token")};
}

// Of "format": where in the text the token stands.
std::string ReadField(const Members& source) {
  const Members format = source.Object("format");
  const std::string type = format.Text("type");
  if (type.empty() || type == "text") return "";
  if (type != "json") format.Note("type", "is neither text nor json");
  return format.Needed("subject_token_field_name");
}

UrlSource ReadUrlSource(const Members& source) {
  UrlSource read{.url = source.NeededUrl("url", MetadataAllowed::kYes), .field = ReadField(source)};
  const Members headers = source.Object("headers");
  for (const std::string_view name : headers.Names()) {
    if (!net::IsHeaderName(name)) {
      source.Note("headers", "has a name in it that no header can have");
      continue;
    }
    if (!net::IsHeaderValue(headers.View(name))) {
      headers.Note(name, "has a character in it that no header can have");
    }
    read.headers.emplace_back(name, headers.OptionalSecret(name));
  }
  return read;
}

ExecutableSource ReadExecutable(const Members& source) {
  const Members executable = source.Object("executable");
  ExecutableSource read{.command = executable.Needed("command"),
                        .output_file = executable.Text("output_file")};
  if (!executable.Has("timeout_millis")) return read;
  const auto timeout = executable.Value("timeout_millis").Integer();
  if (!timeout || *timeout < kShortestExecution.count() || *timeout > kLongestExecution.count()) {
    executable.Note("timeout_millis", "is not a whole number from 5000 to 120000");
    return read;
  }
  read.timeout = milliseconds(*timeout);
  return read;
}

AwsSource ReadAwsSource(const Members& source) {
  if (source.Text("environment_id") != "aws1") {
    source.Note("environment_id", "is not aws1, the only one that is known");
  }
  return {.region_url = source.Url("region_url"),
          .credentials_url = source.Url("url"),
          .session_token_url = source.Url("imdsv2_session_token_url"),
          .verification_url = source.Needed("regional_cred_verification_url")};
}

auto ReadSource(const Members& source) -> decltype(ExternalAccount::source) {
  if (source.Has("environment_id")) return ReadAwsSource(source);
  if (source.Has("executable")) return ReadExecutable(source);
  if (source.Has("file") && source.Has("url")) {
    source.Note("file", "and url both say where the token is");
  }
  if (source.Has("url")) return ReadUrlSource(source);
  if (source.Has("certificate")) {
    source.Note("certificate", "is not supported: name a file, a URL or a program");
  }
  return FileSource{.path = source.Needed("file"), .field = ReadField(source)};
}

seconds ReadLifetime(const Members& file) {
  constexpr char kName[] = "token_lifetime_seconds";
  const Members impersonation = file.Object("service_account_impersonation");
  if (!impersonation.Has(kName)) return ExternalAccount().impersonated_lifetime;
  const auto lifetime = impersonation.Value(kName).Integer();
  if (!lifetime || *lifetime < kShortestLifetime.count() || *lifetime > kLongestLifetime.count()) {
    impersonation.Note(kName, "is not a whole number from 600 to 43200");
    return {};
  }
  return seconds(*lifetime);
}

ExternalAccount ReadExternalAccount(const Members& file) {
  if (!file.Has("credential_source")) file.Note("credential_source", "is missing");
  ExternalAccount read{.audience = file.Needed("audience"),
                       .subject_token_type = file.Needed("subject_token_type"),
                       .token_url = file.NeededUrl("token_url", MetadataAllowed::kNo),
                       .source = ReadSource(file.Object("credential_source")),
                       .impersonated_email = file.Email("service_account_impersonation_url"),
                       .impersonated_lifetime = ReadLifetime(file),
                       .client_id = file.Text("client_id"),
                       .client_secret = file.OptionalSecret("client_secret"),
                       .workforce_user_project = file.Text("workforce_pool_user_project")};
  constexpr std::string_view kWorkforce = "//iam.googleapis.com/locations/";
  if (!read.workforce_user_project.empty() && !read.audience.starts_with(kWorkforce)) {
    file.Note("workforce_pool_user_project", "is only for an audience of a workforce pool");
  }
  return read;
}

ExternalUser ReadExternalUser(const Members& file) {
  return {.token_url = file.NeededUrl("token_url", MetadataAllowed::kNo),
          .client_id = file.Needed("client_id"),
          .client_secret = file.NeededSecret("client_secret"),
          .refresh_token = file.NeededSecret("refresh_token")};
}

enum class Depth { kOutermost, kSource };

void ReadInto(CredentialFile& read, const Members& file, std::string& problem, Depth depth);

ImpersonatedAccount ReadImpersonated(const Members& file, std::string& problem) {
  ImpersonatedAccount read{.email = file.Email("service_account_impersonation_url"),
                           .source = std::make_unique<CredentialFile>()};
  if (read.email.empty()) file.Note("service_account_impersonation_url", "is missing or empty");
  const core::JsonValue delegates = file.Value("delegates");
  if (delegates.IsObject() || delegates.IsNumber() || delegates.Text() || delegates.Bool()) {
    file.Note("delegates", "is not a list");
  }
  for (const core::JsonValue& delegate : delegates.Elements()) {
    const auto name = delegate.Text();
    if (!name || name->empty()) file.Note("delegates", "has something else in it than names");
    read.delegates.emplace_back(name.value_or(""));
  }
  if (!file.Has("source_credentials")) file.Note("source_credentials", "is missing");
  ReadInto(*read.source, file.Object("source_credentials"), problem, Depth::kSource);
  return read;
}

void ReadInto(CredentialFile& read, const Members& file, std::string& problem, Depth depth) {
  const std::string type = file.Needed("type");
  read.project_id = file.Text("project_id");
  read.quota_project = file.Text("quota_project_id");
  if (std::string universe = file.Text("universe_domain"); !universe.empty()) {
    if (!net::IsHostName(universe)) file.Note("universe_domain", "is no domain");
    read.universe = std::move(universe);
  }
  if (type == "service_account") {
    read.identity = ReadServiceAccount(file);
    read.quota_project.clear();  // as Google's libraries have it
  } else if (type == "authorized_user") {
    read.identity = ReadAuthorizedUser(file);
    if (read.universe != kDefaultUniverse) {
      file.Note("universe_domain", "is another than googleapis.com, where nobody can log in");
    }
  } else if (type == "external_account") {
    read.identity = ReadExternalAccount(file);
  } else if (type == "external_account_authorized_user") {
    read.identity = ReadExternalUser(file);
  } else if (type == "impersonated_service_account" && depth == Depth::kOutermost) {
    read.identity = ReadImpersonated(file, problem);
  } else if (type == "impersonated_service_account") {
    file.Note("type", "is impersonated_service_account once more: name all in delegates");
  } else if (!type.empty()) {
    file.Note("type", "is " + net::OneLine(type, {}, 40) +
                          "; known are service_account, authorized_user, external_account, "
                          "external_account_authorized_user, impersonated_service_account");
  }
}

// "//iam.googleapis.com/projects/123/locations/..." -> "123".
std::string ProjectIn(std::string_view audience) {
  constexpr std::string_view kBefore = "//iam.googleapis.com/projects/";
  if (!audience.starts_with(kBefore)) return "";
  audience.remove_prefix(kBefore.size());
  const std::string_view project = audience.substr(0, audience.find('/'));
  return std::ranges::all_of(project, core::IsDigit) ? std::string(project) : "";
}

// As it stands in its file: with \n for each line break.
Secret AsInJson(const Secret& text) {
  SecretBuffer escaped(text.size());
  for (const char c : text.Reveal()) {
    if (c == '\n') {
      escaped.Append("\\n");
    } else {
      escaped.Append(c);
    }
  }
  return std::move(escaped).Seal();
}

void AddSecrets(const CredentialFile& file, std::vector<Secret>& secrets) {
  const auto add = [&](const Secret& secret) {
    if (!secret.empty()) secrets.push_back(secret.Share());
  };
  if (const auto* const account = std::get_if<ServiceAccount>(&file.identity)) {
    add(account->private_key);
    add(AsInJson(account->private_key));
  } else if (const auto* const user = std::get_if<AuthorizedUser>(&file.identity)) {
    add(user->client_secret);
    add(user->refresh_token);
  } else if (const auto* const external = std::get_if<ExternalUser>(&file.identity)) {
    add(external->client_secret);
    add(external->refresh_token);
  } else if (const auto* const pool = std::get_if<ExternalAccount>(&file.identity)) {
    add(pool->client_secret);
    if (const auto* const url = std::get_if<UrlSource>(&pool->source)) {
      for (const auto& [name, value] : url->headers) add(value);
    }
  } else if (const auto* const acted = std::get_if<ImpersonatedAccount>(&file.identity)) {
    AddSecrets(*acted->source, secrets);
  }
}

struct Describer {
  std::string operator()(const ServiceAccount& account) const {
    return "service account " + account.client_email;
  }
  std::string operator()(const AuthorizedUser& user) const {
    return "a user's login by " + user.client_id;
  }
  std::string operator()(const ExternalUser& user) const {
    return "a workforce user's login by " + user.client_id;
  }
  std::string operator()(const ExternalAccount& account) const {
    const std::string pool = "an identity of " + account.audience;
    return account.impersonated_email.empty()
               ? pool
               : "service account " + account.impersonated_email + " by " + pool;
  }
  std::string operator()(const ImpersonatedAccount& account) const {
    return "service account " + account.email + " by " + DescribeIdentity(*account.source);
  }
};

}  // namespace

std::string ProjectOf(const CredentialFile& file) {
  if (!file.project_id.empty()) return file.project_id;
  if (const auto* const pool = std::get_if<ExternalAccount>(&file.identity)) {
    return ProjectIn(pool->audience);
  }
  const auto* const acted = std::get_if<ImpersonatedAccount>(&file.identity);
  return acted != nullptr ? ProjectOf(*acted->source) : "";
}

std::vector<Secret> SecretsIn(const CredentialFile& file) {
  std::vector<Secret> secrets;
  AddSecrets(file, secrets);
  return secrets;
}

void HoldSecretsIn(const CredentialFile& file, core::HeldSecrets& held) {
  int number = 0;
  for (const Secret& secret : SecretsIn(file))
    held.Hold("file: " + std::to_string(++number), secret);
}

std::vector<ForeignHost> ForeignHostsIn(const CredentialFile& file, const std::string& universe) {
  std::vector<ForeignHost> foreign;
  const auto look = [&](const char* member, const std::string& text) {
    const auto url = net::ParseUrl(text);
    if (!url || ("." + url->host).ends_with("." + universe)) return;
    foreign.push_back({.member = member, .host = url->host});
  };
  if (file.universe != universe) look("universe_domain", "https://" + file.universe);
  if (const auto* const pool = std::get_if<ExternalAccount>(&file.identity)) {
    look("token_url", pool->token_url);
  } else if (const auto* const user = std::get_if<ExternalUser>(&file.identity)) {
    look("token_url", user->token_url);
  } else if (const auto* const acted = std::get_if<ImpersonatedAccount>(&file.identity)) {
    // Nobody else asks the endpoint of a service account: it signs its tokens itself.
    const auto* const source = std::get_if<ServiceAccount>(&acted->source->identity);
    if (source != nullptr) {
      look("source_credentials.token_uri", source->token_uri);
    } else {
      std::ranges::move(ForeignHostsIn(*acted->source, universe), std::back_inserter(foreign));
    }
  }
  return foreign;
}

Result<CredentialFile> ParseCredentialFile(std::string_view text, const std::string& path) {
  const auto refuse = [&](const std::string& problem) {
    return Error(ErrorCode::kBadData, path + ": " + problem).With("file", path).Cure(kAcquired);
  };
  auto json = core::JsonDocument::Parse(text, path);
  if (!json) return Error(std::move(json).error()).With("file", path).Cure(kAcquired);
  if (!json->root().IsObject()) return refuse("is JSON, but not an object");
  std::string problem;
  CredentialFile read;
  ReadInto(read, Members(json->root(), "", problem), problem, Depth::kOutermost);
  if (!problem.empty()) return refuse(problem);
  return read;
}

Result<CredentialFile> ReadCredentialFile(const core::Sourced& place) {
  auto file = core::ReadFile(place.text, place.setting);
  if (!file) return std::move(file).error();
  return ParseCredentialFile(file->bytes.Reveal(), place.text);
}

std::string DescribeIdentity(const CredentialFile& file) {
  return std::visit(Describer{}, file.identity);
}

std::string PrincipalOf(const CredentialFile& file) {
  if (const auto* const user = std::get_if<AuthorizedUser>(&file.identity)) {
    return user->account.empty() ? "" : "user:" + user->account;
  }
  std::string email;
  if (const auto* const account = std::get_if<ServiceAccount>(&file.identity)) {
    email = account->client_email;
  } else if (const auto* const pool = std::get_if<ExternalAccount>(&file.identity)) {
    email = pool->impersonated_email;
  } else if (const auto* const acted = std::get_if<ImpersonatedAccount>(&file.identity)) {
    email = acted->email;
  }
  return email.empty() ? "" : "serviceAccount:" + email;
}

}  // namespace qarion::secrets::gcp
