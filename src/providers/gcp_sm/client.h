// Reads the secret, with all that belongs to one process.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gcp/session.h"
#include "providers/examiner_base.h"
#include "providers/gcp_sm/gcp_sm_settings.h"
#include "providers/gcp_sm/secret_version.h"
#include "qarion/secrets/provider.h"

namespace qarion::secrets::gcp_sm {

// Thread-safety: one of Fetch and Diagnose at a time; Describe from several threads.
class Client {
 public:
  using Log = std::function<void(std::string_view)>;

  // `settings` and `clock` outlive it.
  Client(const GcpSmSettings& settings, Clock& clock, const Log& log);

  // Reads and checks the version that the settings name. What arrives damaged is read once more.
  Result<Payload> Fetch(const std::string& known_version, const net::Call& call);

  // What the settings leave to the credentials: project and endpoint.
  struct Target {
    SecretName name;
    std::string endpoint;
  };
  // Finds it out once. kConfiguration: nothing names the project; else see gcp::Session.
  Result<Target> Find(const net::Call& call);

  gcp::Session& session() noexcept { return session_; }

  std::vector<Secret> Credentials() const { return session_.Held(); }
  // For `status`: names and texts.
  std::vector<std::pair<std::string, std::string>> Describe() const;
  // See Examine.
  Diagnosis Diagnose(const net::Call& call);

 private:
  Result<gcp::ApiAnswer> Access(const Target& target, const net::Call& call);
  Result<gcp::ApiAnswer> AccessEnabled(Target& target, const net::Call& call);
  Error RefusedBy(const gcp::ApiAnswer& answer, const SecretName& asked,
                  std::string_view permission, const net::Call& call);

  const GcpSmSettings& settings_;
  Clock& clock_;
  const Log log_;
  gcp::Session session_;

  // Of the thread that fetches.
  std::string fell_back_to_;  // the version that took the place of the newest, or empty

  mutable std::mutex mutex_;  // of what follows
  std::optional<Target> target_;
  std::string project_setting_;
  std::string version_read_;
};

}  // namespace qarion::secrets::gcp_sm
