#include "gcp/client_settings.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>

#include "core/ascii.h"
#include "core/home_directory.h"
#include "core/wrong_setting.h"
#include "net/duration.h"
#include "net/url.h"

namespace qarion::secrets::gcp {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kShortestTimeout{1};
constexpr seconds kLongestTimeout{60};
constexpr int kMostAttempts = 100;
constexpr char kWellKnownFile[] = "application_default_credentials.json";

// Reads one setting after the other and keeps the first error.
class Reader {
 public:
  explicit Reader(const core::SettingLookup& lookup) : lookup_(lookup) {}

  // The first of these that is set and not empty.
  Sourced First(std::initializer_list<const char*> names) const {
    for (const char* const name : names) {
      const auto text = lookup_(name);
      if (text && !text->empty()) return {.text = std::string(*text), .setting = name};
    }
    return {};
  }

  Secret Credential(const char* name) const {
    return Secret::CopyOf(lookup_(name).value_or(std::string_view()));
  }

  std::optional<std::string_view> Find(const char* name) const { return lookup_(name); }

  bool Bool(const char* name) {
    const Sourced setting = First({name});
    for (const char* const off : {"", "false", "0", "no"}) {
      if (core::EqualsIgnoringCase(setting.text, off)) return false;
    }
    for (const char* const on : {"true", "1", "yes"}) {
      if (core::EqualsIgnoringCase(setting.text, on)) return true;
    }
    Fail(core::Wrong(name, "is neither true nor false", "write true or false"));
    return false;
  }

  void Fail(Error error) {
    if (!error_) error_ = std::move(error);
  }
  std::optional<Error>& error() { return error_; }

 private:
  const core::SettingLookup& lookup_;
  std::optional<Error> error_;
};

// A file that may not be looked at may be there: then whoever reads it says so.
bool MayBeThere(const std::string& path) {
  return !path.empty() && (faccessat(AT_FDCWD, path.c_str(), F_OK, AT_EACCESS) == 0 ||
                           (errno != ENOENT && errno != ENOTDIR));
}

void FindCredentialFile(Reader& reader, ClientSettings& settings) {
  settings.well_known_file = reader.First({"CLOUDSDK_CONFIG"});
  if (settings.well_known_file.text.empty()) {
    const std::string home = core::HomeDirectory(reader.Find("HOME"));
    settings.well_known_file.text = home.empty() ? "" : home + "/.config/gcloud";
    settings.well_known_file.setting = "gcloud's file of credentials";
  }
  std::string& directory = settings.well_known_file.text;
  if (!directory.empty()) directory += "/" + std::string(kWellKnownFile);

  settings.has_well_known_file = MayBeThere(directory);
  settings.credential_file = reader.First({"GOOGLE_APPLICATION_CREDENTIALS"});
  if (settings.credential_file.text.empty() && settings.has_well_known_file) {
    settings.credential_file = settings.well_known_file;
  }
}

void ReadMetadata(Reader& reader, MetadataSettings& metadata) {
  metadata.is_disabled = reader.Bool("NO_GCE_CHECK");
  metadata.host = reader.First({"GCE_METADATA_HOST", "GCE_METADATA_ROOT", "GCE_METADATA_IP"});
  if (!metadata.host.text.empty()) {
    std::string& host = metadata.host.text;
    if (!host.starts_with("http://")) host.insert(0, "http://");
    while (host.ends_with('/')) host.pop_back();
    const auto url = net::ParseUrl(host);
    if (!url || url->path != "/" || !url->query.empty()) {
      reader.Fail(core::Wrong(metadata.host.setting, "is no host, nor a host and a port",
                              "write it as metadata.google.internal or 169.254.169.254:80"));
    }
  }
  if (const Sourced given = reader.First({"GCE_METADATA_TIMEOUT"}); !given.text.empty()) {
    auto timeout = net::ParseDuration(given.text);
    if (!timeout) timeout = net::ParseDuration(given.text + "s");
    if (!timeout || *timeout < kShortestTimeout || *timeout > kLongestTimeout) {
      reader.Fail(core::Wrong(given.setting, "is not a time of at most 60 seconds",
                              "write seconds, such as 3 or 0.5, or leave it out for 3"));
    } else {
      metadata.timeout = std::chrono::ceil<milliseconds>(*timeout);
    }
  }
  if (const Sourced given = reader.First({"GCE_METADATA_DETECT_RETRIES"}); !given.text.empty()) {
    const char* const end = given.text.data() + given.text.size();
    const auto parsed = std::from_chars(given.text.data(), end, metadata.attempts);
    if (parsed.ec != std::errc() || parsed.ptr != end || metadata.attempts < 1 ||
        metadata.attempts > kMostAttempts) {
      reader.Fail(core::Wrong(given.setting, "is not a whole number from 1 to 100",
                              "write digits only, or leave it out"));
    }
  }
  if (reader.First({"GCE_METADATA_MTLS_MODE"}).text == "strict") {
    reader.Fail(core::Wrong("GCE_METADATA_MTLS_MODE",
                            "demands that the metadata server is asked with a certificate, which "
                            "is not supported",
                            "set it to none, or name a file in GOOGLE_APPLICATION_CREDENTIALS"));
  }
}

}  // namespace

bool IsProject(std::string_view text) {
  constexpr std::string_view kSigns = "-.:";
  constexpr std::size_t kLongest = 127;  // "example.com:my-project" is the longer form
  return !text.empty() && text.size() <= kLongest && core::IsLetterOrDigit(text.front()) &&
         !text.contains("..") && std::ranges::all_of(text, [&](char c) {
           return core::IsLetterOrDigit(c) || kSigns.contains(c);
         });
}

std::vector<Secret> ClientSettings::Credentials() const {
  std::vector<Secret> credentials;
  for (const Secret* const secret : {&aws.secret_access_key, &aws.session_token}) {
    if (!secret->empty()) credentials.push_back(secret->Share());
  }
  return credentials;
}

Result<ClientSettings> LoadClientSettings(const core::SettingLookup& lookup) {
  Reader reader(lookup);
  ClientSettings settings;
  FindCredentialFile(reader, settings);
  settings.project = reader.First({"GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT"});
  settings.quota_project = reader.First({"GOOGLE_CLOUD_QUOTA_PROJECT"});
  if (!settings.quota_project.text.empty() && !IsProject(settings.quota_project.text)) {
    reader.Fail(core::Wrong(settings.quota_project.setting,
                            "is neither the id nor the number of a project",
                            "write it as `gcloud projects list` shows it"));
  }
  settings.universe = reader.First({"GOOGLE_CLOUD_UNIVERSE_DOMAIN"});
  if (!settings.universe.text.empty() && !net::IsHostName(settings.universe.text)) {
    reader.Fail(core::Wrong(settings.universe.setting, "is no domain",
                            "write the domain of the universe, or leave it out for "
                            "googleapis.com"));
  }
  settings.ca_file = reader.First({"CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", "REQUESTS_CA_BUNDLE"});
  settings.allows_executables =
      reader.First({"GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES"}).text == "1";
  ReadMetadata(reader, settings.metadata);
  settings.aws = {.region = reader.First({"AWS_REGION", "AWS_DEFAULT_REGION"}).text,
                  .access_key_id = reader.First({"AWS_ACCESS_KEY_ID"}).text,
                  .secret_access_key = reader.Credential("AWS_SECRET_ACCESS_KEY"),
                  .session_token = reader.Credential("AWS_SESSION_TOKEN")};
  if (reader.error()) return *std::move(reader.error());
  return settings;
}

}  // namespace qarion::secrets::gcp
