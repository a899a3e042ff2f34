#include "net/form.h"

#include "core/percent_encoding.h"

namespace qarion::secrets::net {

Form& Form::Add(std::string_view name, std::string_view value) {
  if (!body_.empty()) body_.Append('&');
  core::AppendPercentEncoded(name, body_);
  body_.Append('=');
  core::AppendPercentEncoded(value, body_);
  return *this;
}

HttpHeader FormType() {
  return {"Content-Type", Secret::CopyOf("application/x-www-form-urlencoded; charset=utf-8")};
}

}  // namespace qarion::secrets::net
