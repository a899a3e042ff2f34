#include "aws/credential_document.h"

#include <utility>

#include "core/ascii.h"
#include "core/rfc3339.h"
#include "net/server_text.h"

namespace qarion::secrets::aws {
namespace {

Error BadDocument(const std::string& from, const std::string& problem) {
  return Error(ErrorCode::kBadData, from + ": " + problem)
      .With("source", from)
      .Cure("correct what hands the credentials out");
}

}  // namespace

Result<crypto::SigningCredentials> KeysFrom(const KeyPart& access_key_id,
                                            const KeyPart& secret_access_key,
                                            const KeyPart& session_token) {
  for (const KeyPart* part : {&access_key_id, &secret_access_key, &session_token}) {
    if (part->text.empty() && part != &session_token) {
      return Error(ErrorCode::kConfiguration, part->where + " is missing or empty")
          .With("setting", part->where)
          .Cure("give the key id and the secret key that belongs to it");
    }
    if (!core::IsVisible(part->text)) {
      return Error(
                 ErrorCode::kConfiguration,
                 part->where + " has a character that no key has, such as a blank or a line break")
          .With("setting", part->where)
          .Cure("write the key as AWS gave it, and nothing else");
    }
  }
  if (!crypto::IsScopePart(access_key_id.text)) {
    return Error(ErrorCode::kConfiguration,
                 access_key_id.where + " has a / or a comma in it, which no key id has")
        .With("setting", access_key_id.where)
        .Cure("write the key id as AWS gave it, and nothing else");
  }
  return crypto::SigningCredentials{
      .access_key_id = std::string(access_key_id.text),
      .secret_access_key = Secret::CopyOf(secret_access_key.text),
      .session_token = session_token.text.empty() ? Secret() : Secret::CopyOf(session_token.text)};
}

Result<Credentials> CredentialsFromJson(const core::JsonDocument& document,
                                        const DocumentShape& shape, const std::string& from) {
  if (!document.root().IsObject()) return BadDocument(from, "is JSON, but not an object");
  std::string wrong_kind;
  const auto text_of = [&](std::string_view name) -> std::string_view {
    const core::JsonValue value = document[name];
    if (const auto text = value.Text()) return *text;
    if (value.exists() && !value.IsNull()) wrong_kind = name;
    return {};
  };
  const auto part = [&](std::string_view name) {
    return KeyPart{.text = text_of(name), .where = std::string(name)};
  };
  const KeyPart id = part("AccessKeyId");
  const KeyPart secret = part("SecretAccessKey");
  const KeyPart token = part(shape.token_name);
  const KeyPart expiration = part("Expiration");
  if (!wrong_kind.empty()) return BadDocument(from, wrong_kind + " is not text");
  if (shape.needs_token && token.text.empty()) {
    return BadDocument(from, token.where + " is missing or empty");
  }
  auto keys = KeysFrom(id, secret, token);
  if (!keys) return BadDocument(from, keys.error().reason());
  Credentials credentials{.keys = std::move(*keys),
                          .expires_at = core::ParseTime(expiration.text),
                          .account_id = std::string(document["AccountId"].Text().value_or("")),
                          .origin = from};
  const core::JsonValue end = document["Expiration"];
  if (!end.exists() || end.IsNull()) {
    if (shape.needs_expiration) return BadDocument(from, "Expiration is missing");
  } else if (!credentials.expires_at) {
    return BadDocument(from, "Expiration is not a time such as 2026-01-31T12:00:00Z");
  }
  return credentials;
}

Refusal RefusalIn(const core::JsonDocument& document, std::span<const Secret> hidden) {
  const auto either = [&](const char* one, const char* other) {
    const auto text = document[one].Text();
    return net::OneLine(text ? *text : document[other].Text().value_or(""), hidden);
  };
  Refusal refusal{.code = either("Code", "code"), .text = {}};
  if (refusal.code == "Success") refusal.code.clear();
  const std::string message = either("Message", "message");
  refusal.text = refusal.code + (refusal.code.empty() || message.empty() ? "" : ", ") + message;
  return refusal;
}

}  // namespace qarion::secrets::aws
