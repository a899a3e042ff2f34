#include "providers/aws_sm/doctor.h"

#include <cstdlib>
#include <string>
#include <utility>

#include "aws/sts.h"
#include "core/join.h"

namespace qarion::secrets::aws_sm {
namespace {

using std::chrono::seconds;

constexpr seconds kTolerableSkew{60};

class Examiner : private ExaminerBase {
 public:
  Examiner(const AwsSmSettings& settings, Client& client, const Clock& clock, const net::Call& call)
      : settings_(settings), client_(client), clock_(clock), call_(call) {}

  Diagnosis Run() {
    LookAtSettings();
    if (LookAtCredentials()) {
      LookAtIdentity();
      LookAtSecret();
    }
    LookAtClock();
    return Done();
  }

 private:
  void LookAtSettings() {
    const std::string& of_arn = settings_.secret.region;
    if (!of_arn.empty() && of_arn != settings_.region) {
      Warn(settings_.region_setting,
           "says " + settings_.region + ", and AWS_SECRET_ARN is of " + of_arn +
               ": a secret is found in its own region alone",
           "leave the region out, or write the ARN of the replica in " + settings_.region);
    }
    for (const std::string& notice : settings_.session.client.notices) {
      Warn("AWS settings", notice, "nothing has to be done");
    }
  }

  bool LookAtCredentials() {
    const auto credentials = client_.session().GetCredentials(call_);
    for (const auto& [source, why_not] : client_.session().tried()) {
      Detail("credentials: " + source, why_not.empty() ? "applies" : why_not);
    }
    if (!credentials) {
      FailForGood("credentials", credentials.error());
      return false;
    }
    return true;
  }

  // Nobody needs a permission for this.
  void LookAtIdentity() {
    const auto identity = client_.session().WhoAmI(call_);
    if (!identity) {
      // A network may let the service through and not this one.
      const bool is_definite = !identity.error().IsTransient();
      Add(is_definite ? Severity::kError : Severity::kWarning, "identity",
          identity.error().reason(), identity.error().cure());
      return;
    }
    Detail("identity", identity->arn);
    Detail("account", identity->account);
    const std::string& of_secret = settings_.secret.account;
    if (!of_secret.empty() && of_secret != identity->account) {
      Detail("secret's account",
             of_secret + ", so its resource policy and its key's must allow this one");
    }
  }

  void LookAtSecret() {
    auto answer = client_.session().SendSigned(DescriptionRequest(settings_.secret), call_);
    if (!answer) return FailForGood("AWS Secrets Manager", answer.error());
    LookAtDate(*answer);
    if (!answer->is_ok()) {  // reading will tell
      if (aws::IsAccessDenied(answer->error_code)) {
        Detail("secret",
               "secretsmanager:DescribeSecret is not allowed, so that neither its "
               "stages nor its key are known, and each refresh reads the value");
      }
      return;
    }
    const auto description = DescriptionFrom(*answer, settings_.secret);
    if (!description) return;
    Detail("secret", description->arn);
    Detail("secret's stages", core::Join(description->Stages()));
    if (!description->kms_key.empty()) Detail("secret's key", description->kms_key);
    if (!description->primary_region.empty() && description->primary_region != settings_.region) {
      Detail("replica of", description->primary_region);
    }
    if (description->is_deleted) {
      Add(Severity::kError, "AWS_SECRET_ARN", "names a secret that is marked for deletion",
          "take it back: aws secretsmanager restore-secret --secret-id " + settings_.secret.text);
      return;
    }
    if (!settings_.version.id.empty()) {
      Warn("AWS_SECRET_VERSION_ID", "pins one version: a rotation will not be seen",
           "leave it out where the secret is rotated");
      return;
    }
    const std::string stage(settings_.version.StageInEffect());
    const std::string version = description->VersionAt(stage);
    if (version.empty()) {
      Add(Severity::kError, "AWS_SECRET_VERSION_STAGE",
          "is " + stage + ", which no version of the secret has; there are: " +
              core::Join(description->Stages()),
          "name one of those");
    } else {
      Detail("version at " + stage, version);
    }
  }

  void LookAtDate(const aws::ServiceAnswer& answer) {
    if (!answer.date) return;
    // In whole seconds: in the clock's units a date far away would not fit.
    const seconds skew = std::chrono::floor<seconds>(clock_.SystemNow()) - *answer.date;
    if (std::chrono::abs(skew) <= kTolerableSkew) return;
    Warn("clock",
         "this machine's is " + std::to_string(std::abs(skew.count())) + " s " +
             (skew > seconds::zero() ? "ahead of" : "behind") + " that of " + answer.host,
         "let this machine keep time (NTP): AWS refuses signatures that are off by 5 minutes");
  }

  void LookAtClock() {
    const seconds offset = client_.session().services().clock().offset();
    if (offset == seconds::zero()) return;
    Detail("clock", "corrected by " + std::to_string(offset.count()) + " s");
  }

  const AwsSmSettings& settings_;
  Client& client_;
  const Clock& clock_;
  const net::Call& call_;
};

}  // namespace

Diagnosis Examine(const AwsSmSettings& settings, Client& client, const Clock& clock,
                  const net::Call& call) {
  return Examiner(settings, client, clock, call).Run();
}

}  // namespace qarion::secrets::aws_sm
