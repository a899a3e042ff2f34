#include "aws/signed_call.h"

#include <utility>

namespace qarion::secrets::aws {

Result<ServiceAnswer> SendSigned(ServiceRequest request, CredentialCache& cache,
                                 ServiceClient& services, const net::Call& call,
                                 Credentials& used) {
  auto credentials = cache.Get(call);
  if (!credentials) return std::move(credentials).error();
  used = std::move(*credentials);
  request.signer = &used;
  auto answer = services.Send(request, call);
  if (answer && IsAboutCredentials(answer->error_code)) {
    auto others = cache.Replace(used, call);
    if (!others) return std::move(others).error();
    if (*others) {
      used = std::move(**others);
      answer = services.Send(request, call);
    }
  }
  if (answer && used.is_prolonged && SaysExpired(answer->error_code)) {
    return Error(ErrorCode::kUnavailable,
                 "the credentials from " + used.origin +
                     " have ended, and what hands them out has no new ones (" + answer->host +
                     ": " + answer->error_code + ")")
        .Cure("wait; if it lasts, see the state of the instance and of its role");
  }
  return answer;
}

}  // namespace qarion::secrets::aws
