#include "providers/gcp_sm/doctor.h"

#include <string>
#include <utility>

#include "gcp/api_answer.h"
#include "providers/gcp_sm/secret_version.h"

namespace qarion::secrets::gcp_sm {
namespace {

class Examiner : private ExaminerBase {
 public:
  Examiner(const GcpSmSettings& settings, Client& client, const Clock& clock, const net::Call& call)
      : settings_(settings), client_(client), clock_(clock), call_(call) {}

  Diagnosis Run() {
    LookAtSettings();
    if (LookAtCredentials()) {
      LookAtIdentity();
      if (const auto target = client_.Find(call_)) {
        LookAtVersion(*target);
      } else {
        FailForGood("project", target.error());
      }
    }
    return Done();
  }

 private:
  void LookAtSettings() {
    if (IsNumber(settings_.name.version)) {
      Warn("GCP_SECRET_VERSION",
           "pins version " + settings_.name.version + ": a rotation will not be seen",
           "leave it out where the secret is rotated");
    }
    if (!settings_.session.file) return;
    const gcp::ClientSettings& client = settings_.session.client;
    const std::string& universe = client.universe.text;
    for (const auto& [member, host] : gcp::ForeignHostsIn(
             *settings_.session.file, universe.empty() ? gcp::kDefaultUniverse : universe)) {
      Warn(client.credential_file.text,
           member + " leads to " + host +
               ", which is none of Google's hosts and is sent credentials",
           "use a file that you made or can trust: see that nobody changed this one; another "
           "universe that is meant belongs into GOOGLE_CLOUD_UNIVERSE_DOMAIN");
    }
  }

  bool LookAtCredentials() {
    const auto token = client_.session().Token(call_);
    for (const auto& [name, why_not] : client_.session().places()) {
      const std::string usual = token ? "in use" : "applies, and fails";
      Detail("credentials: " + name, why_not.empty() ? usual : why_not);
    }
    if (!token) FailForGood("credentials", token.error());
    return token.has_value();
  }

  void LookAtIdentity() {
    const std::string principal = client_.session().Principal(call_);
    Detail("principal", principal.empty() ? "is not known" : principal);
    const std::string scopes = client_.session().Scopes(call_);
    Detail("scopes", scopes.empty() ? "none, or none that is known" : scopes);
  }

  void LookAtVersion(const Client::Target& target) {
    const auto answer =
        client_.session().Send(GetRequest(target.endpoint, target.name), OncePolicy(), call_);
    if (!answer) return FailForGood("Google Cloud Secret Manager", answer.error());
    LookAtClock(*answer);
    if (!answer->is_ok()) {  // reading will tell
      if (answer->reason == "IAM_PERMISSION_DENIED") {
        Detail("version",
               "its state is not known, for want of "
               "secretmanager.versions.get (roles/secretmanager.viewer)");
      }
      return;
    }
    const auto text = [&](std::string_view member) {
      return std::string((*answer)[member].Text().value_or("not said"));
    };
    const std::string state = text("state");
    Detail("version", text("name"));
    Detail("version's state", state);
    Detail("version's time", text("createTime"));
    if (state != "DISABLED" && state != "DESTROYED") return;
    if (settings_.falls_back) {
      Warn("GCP_SECRET_VERSION",
           "the newest version is " + state +
               ": the newest one that is enabled is read in its place",
           "enable the newest, or add another");
    }
  }

  void LookAtClock(const gcp::ApiAnswer& answer) {
    const auto skew = gcp::SkewOf(answer, clock_.SystemNow());
    if (!skew) return;
    Warn("clock", gcp::DescribeSkew(*skew, answer.host),
         "let this machine keep time (NTP): Google refuses what is signed with a wrong time, and "
         "says \"invalid_grant\" or \"invalid authentication credentials\"");
  }

  const GcpSmSettings& settings_;
  Client& client_;
  const Clock& clock_;
  const net::Call& call_;
};

}  // namespace

Diagnosis Examine(const GcpSmSettings& settings, Client& client, const Clock& clock,
                  const net::Call& call) {
  return Examiner(settings, client, clock, call).Run();
}

}  // namespace qarion::secrets::gcp_sm
