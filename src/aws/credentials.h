// What proves to AWS who sends a request, and until when.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "core/held_secrets.h"
#include "crypto/sigv4.h"

namespace qarion::secrets::aws {

struct Credentials {
  crypto::SigningCredentials keys;
  std::optional<std::chrono::system_clock::time_point> expires_at;  // nothing: they do not
  // They end soon or have ended, and are used on: what hands them out has no others yet.
  bool is_prolonged = false;
  std::string account_id;  // or empty
  // Where they came from, for people: "environment", "role arn:aws:iam::1:role/app by profile dev".
  std::string origin;

  // The same once more; the secret parts are shared, not copied.
  Credentials Share() const;
  // The secret parts, as `name` and what they are.
  void HoldIn(core::HeldSecrets& held, const std::string& name) const;
  // Whether the keys are the same.
  bool IsSameAs(const Credentials& other) const;
};

}  // namespace qarion::secrets::aws
