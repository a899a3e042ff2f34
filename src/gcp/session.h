// One identity at Google Cloud: where it is from, and calls in its name.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.h"
#include "core/setting_lookup.h"
#include "gcp/api_answer.h"
#include "gcp/client_settings.h"
#include "gcp/credential_file.h"
#include "gcp/metadata_server.h"
#include "gcp/token_source.h"
#include "net/call.h"
#include "net/credential_cache.h"
#include "net/http_client.h"
#include "net/retry.h"
#include "qarion/secrets/clock.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::gcp {

// What the environment and the file with credentials say: the Application Default Credentials
// (AIP-4110).
struct SessionSettings {
  ClientSettings client;
  std::optional<CredentialFile> file;  // none: the metadata server is asked

  // See LoadClientSettings and ReadCredentialFile: a file that is there and cannot be used is an
  // error, and so is one of another universe than GOOGLE_CLOUD_UNIVERSE_DOMAIN says.
  static Result<SessionSettings> Load(const core::SettingLookup& lookup);

  // Every credential that stands in them.
  std::vector<Secret> Credentials() const;
};

// A call of one of Google's APIs.
struct ApiRequest {
  std::string method = "GET";
  std::string url;
  std::string routing;  // x-goog-request-params (AIP-4222), or empty
  std::string body;     // JSON, without secrets, or empty
};

// Belongs to one process; see core::PerProcess. Thread-safety: every member from several threads.
class Session {
 public:
  using Log = std::function<void(std::string_view)>;

  // `settings` and `clock` outlive it. `use`: see MakeFileSource. `log` is never empty;
  // `is_traced`: it also receives a line for each exchange.
  Session(const SessionSettings& settings, TokenUse use, Clock& clock, const Log& log,
          bool is_traced);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // A token that is good for a while: renewed with less than 3:45 left, as Google's libraries do
  // it; one that cannot be renewed yet is used until its end. Errors: where there are no
  // credentials at all, kConfiguration with all places that were looked at; else those of the
  // source.
  Result<AccessToken> Token(const net::Call& call);

  // Sends `request` with a token, and once more with another one where that is not accepted (401).
  // Attempts and pauses by `policy`.
  //
  // An answer of any status. Errors: those of Token and of HttpClient::Send.
  Result<ApiAnswer> Send(const ApiRequest& request, const net::RetryPolicy& policy,
                         const net::Call& call);

  // The universe that hosts belong to: of the file, or as the metadata server says, which is asked
  // once. kConfiguration: GOOGLE_CLOUD_UNIVERSE_DOMAIN says another; else see MetadataServer::Get.
  Result<std::string> Universe(const net::Call& call);
  // The project of GOOGLE_CLOUD_PROJECT, GCLOUD_PROJECT, the file or the metadata server. Empty:
  // none says. Errors: see MetadataServer::Get.
  Result<Sourced> Project(const net::Call& call);
  // Who asks, as IAM writes it: as the latest token has it, else the file; empty where that is not
  // known. Gives the metadata server, where that has to say it, a second.
  std::string Principal(const net::Call& call);
  // The scopes of the token in use, as far as that is known; empty where it is not, or where the
  // token is good for one service alone.
  std::string Scopes(const net::Call& call);

  // What the metadata server says at `path`, whoever this session is. See MetadataServer::Get.
  Result<Secret> GetMetadata(const std::string& path, const net::Call& call);

  // The project that is charged, or empty, and the setting that says so.
  Sourced quota_project() const;

  // "service account a@b (GOOGLE_APPLICATION_CREDENTIALS: /x/key.json)".
  std::string Origin() const;
  // How long the token in use lasts yet. Nothing before the first, or where no end is known.
  std::optional<std::chrono::seconds> left() const;

  // Every key and token that it got and uses now, whether from elsewhere or out of a file.
  std::vector<Secret> Held() const { return held_.All(); }
  // The file was read again, and is used beside this.
  void Hold(const CredentialFile& file) { HoldSecretsIn(file, held_); }

  struct Place {
    std::string name;
    std::string why_not;  // empty: it is the one in use
  };
  // Where credentials are looked for, in order; of those after the one in use, what is known
  // without looking there.
  std::vector<Place> places() const;

  const Clock& clock() const noexcept { return clock_; }

 private:
  net::HttpRequest Compose(const ApiRequest& request, const AccessToken& token) const;
  Result<AccessToken> Fetch(const net::Call& call);
  Error WithPlaces(Error error) const;

  // What the metadata server says at `path`; asked again only after a failure.
  Result<std::string> Learn(std::optional<std::string>& known, const char* path,
                            const net::Call& call);

  const SessionSettings& settings_;
  Clock& clock_;
  core::SharedRandom random_;
  net::RetryBudget budget_;
  core::HeldSecrets held_;
  net::HttpClient services_;
  net::HttpClient metadata_client_;
  const SourceContext context_;
  MetadataServer metadata_;
  const std::unique_ptr<TokenSource> source_;
  mutable std::mutex mutex_;  // of what follows
  std::optional<std::string> universe_;
  std::optional<std::string> project_;
  std::optional<std::string> email_;
  std::optional<std::string> scopes_;
  std::string token_scope_;  // of the latest token
  std::string token_principal_;
  std::optional<Clock::SystemTime> expires_at_;
  net::CredentialCache<AccessToken> cache_;  // last: uses all of the above
};

}  // namespace qarion::secrets::gcp
