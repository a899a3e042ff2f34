// Bodies of the type application/x-www-form-urlencoded.
#pragma once

#include <string_view>
#include <utility>

#include "net/http.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::net {

// Gathers names and values, which may be secret, in the order they are added.
class Form {
 public:
  Form& Add(std::string_view name, std::string_view value);
  Secret Take() { return std::move(body_).Seal(); }

 private:
  SecretBuffer body_;
};

// The header Content-Type that such a body needs.
HttpHeader FormType();

}  // namespace qarion::secrets::net
