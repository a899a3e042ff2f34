#include "aws/signed_call.h"

#include <utility>

namespace qarion::secrets::aws {
namespace {

Error HaveEnded(const Credentials& credentials, const ServiceAnswer& answer) {
  std::string reason = "the credentials from " + credentials.origin + " have ended";
  if (credentials.is_prolonged) reason += ", and what hands them out has no others yet";
  reason += " (" + answer.host + " answers " + answer.error_code + ")";
  if (credentials.is_prolonged) {
    return Error(ErrorCode::kUnavailable, std::move(reason))
        .Cure("wait; if it lasts, see the state of the instance and of its role");
  }
  return Error(ErrorCode::kNotPermitted, std::move(reason))
      .Cure("renew them where they are from; `qsecrets check` says where that is");
}

}  // namespace

Result<ServiceAnswer> SendSigned(ServiceRequest request, CredentialCache& cache,
                                 ServiceClient& services, const net::Call& call,
                                 Credentials& used) {
  auto credentials = cache.Get(call);
  if (!credentials) return std::move(credentials).error();
  used = std::move(*credentials);
  request.signer = &used;
  auto answer = services.Send(request, call);
  // Those that seem to have ended were fetched a moment ago.
  const bool is_new = used.expires_at && *used.expires_at <= services.clock().SystemNow();
  if (answer && IsAboutCredentials(answer->error_code) && !is_new) {
    auto others = cache.Replace(used, call);
    if (!others) return std::move(others).error();
    if (*others) {
      used = std::move(**others);
      answer = services.Send(request, call);
    }
  }
  if (answer && SaysExpired(answer->error_code)) return HaveEnded(used, *answer);
  return answer;
}

}  // namespace qarion::secrets::aws
