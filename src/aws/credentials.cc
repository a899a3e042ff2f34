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

}  // namespace qarion::secrets::aws
