#include "aws/credentials.h"

namespace qarion::secrets::aws {

Credentials Credentials::Share() const {
  return {.keys = {.access_key_id = keys.access_key_id,
                   .secret_access_key = keys.secret_access_key.Share(),
                   .session_token = keys.session_token.Share()},
          .expires_at = expires_at,
          .is_prolonged = is_prolonged,
          .account_id = account_id,
          .origin = origin};
}

void Credentials::HoldIn(core::HeldSecrets& held, const std::string& name) const {
  held.Hold(name + ": secret access key", keys.secret_access_key);
  held.Hold(name + ": session token", keys.session_token);
}

bool Credentials::IsSameAs(const Credentials& other) const {
  return keys.access_key_id == other.keys.access_key_id &&
         keys.secret_access_key.ConstantTimeEquals(other.keys.secret_access_key) &&
         keys.session_token.ConstantTimeEquals(other.keys.session_token);
}

}  // namespace qarion::secrets::aws
