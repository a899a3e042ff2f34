#include "aws/sso_token.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "aws/credential_document.h"
#include "core/ascii.h"
#include "core/descriptor_io.h"
#include "core/files.h"
#include "core/json_writer.h"
#include "core/rfc3339.h"
#include "crypto/sha1.h"

namespace qarion::secrets::aws {
namespace {

namespace chrono = std::chrono;

constexpr std::size_t kLongestFile = std::size_t{64} * 1024;
constexpr std::int64_t kLatestMilliseconds = 8'835'000'000'000;  // late in 2249
constexpr std::int64_t kLongestLifeSeconds = std::int64_t{10} * 366 * 24 * 3600;

Secret SecretOf(const core::JsonValue& value) { return Secret::CopyOf(value.Text().value_or("")); }
std::string TextOf(const core::JsonValue& value) { return std::string(value.Text().value_or("")); }

// Root may be at work in the home of a user, whose own tools have to read the file afterwards.
bool KeepOwner(const std::string& path, int file) {
  struct stat old{};
  return stat(path.c_str(), &old) != 0 || old.st_uid == geteuid() ||
         fchown(file, old.st_uid, old.st_gid) == 0;
}

Secret FileText(const SsoToken& token, std::string_view start_url, std::string_view region) {
  core::JsonWriter json;
  json.BeginObject();
  json.Key("startUrl").Text(start_url);
  json.Key("region").Text(region);
  json.Key("accessToken").Text(token.access_token.Reveal());
  json.Key("expiresAt").Text(core::FormatTime(chrono::floor<chrono::seconds>(token.expires_at)));
  json.Key("clientId").Text(token.client_id);
  json.Key("clientSecret").Text(token.client_secret.Reveal());
  json.Key("registrationExpiresAt").Text(token.registration_expires_at);
  if (!token.refresh_token.empty()) json.Key("refreshToken").Text(token.refresh_token.Reveal());
  json.EndObject();
  return std::move(json).Take();
}

}  // namespace

SsoToken SsoToken::Share() const {
  return {.access_token = access_token.Share(),
          .expires_at = expires_at,
          .refresh_token = refresh_token.Share(),
          .client_id = client_id,
          .client_secret = client_secret.Share(),
          .registration_expires_at = registration_expires_at};
}

Result<std::string> SsoTokenPath(const Variables& variables, std::string_view key) {
  const std::string home = variables.Home();
  if (home.empty()) {
    return Error(ErrorCode::kConfiguration,
                 "HOME is not set, so that the token of SSO in ~/.aws/sso/cache is not to be found")
        .With("setting", "HOME")
        .Cure("set HOME to the directory of the user who logged in");
  }
  auto name = crypto::Sha1Hex(key);
  if (!name) return std::move(name).error();
  return home + "/.aws/sso/cache/" + *name + ".json";
}

Result<SsoToken> ReadSsoToken(const std::string& path) {
  auto file = core::ReadFile(path, "the token of SSO", core::PipesAllowed::kNo, kLongestFile);
  if (!file) return std::move(file).error();
  return ParseSsoToken(file->bytes.Reveal(), path);
}

Result<SsoToken> ParseSsoToken(std::string_view text, const std::string& path) {
  auto json = core::JsonDocument::Parse(text, path);
  if (!json) return std::move(json).error();
  const auto refuse = [&](const char* problem) {
    return Error(ErrorCode::kBadData, "the token of SSO in " + path + " " + problem)
        .With("file", path)
        .Cure("log in again");
  };
  SsoToken token{.access_token = SecretOf((*json)["accessToken"]),
                 .expires_at = {},
                 .refresh_token = SecretOf((*json)["refreshToken"]),
                 .client_id = TextOf((*json)["clientId"]),
                 .client_secret = SecretOf((*json)["clientSecret"]),
                 .registration_expires_at = TextOf((*json)["registrationExpiresAt"])};
  if (token.access_token.empty()) return refuse("has no accessToken");
  if (!core::IsVisible(token.access_token.Reveal())) {
    return refuse("has a character in its accessToken that no token has");
  }
  const auto expires_at = ParseSsoTime((*json)["expiresAt"].Text().value_or(""));
  if (!expires_at) return refuse("has no expiresAt that is a time");
  token.expires_at = *expires_at;
  return token;
}

Status WriteSsoToken(const std::string& link, const SsoToken& token, std::string_view start_url,
                     std::string_view region) {
  // What a symbolic link names is replaced, not the link.
  std::error_code is_not_there;
  const auto target = std::filesystem::canonical(link, is_not_there);
  const std::string path = is_not_there ? link : target.string();
  const Secret text = FileText(token, start_url, region);
  const auto fail = [&](int error) {
    return Error(ErrorCode::kIo, path + " cannot be replaced: " + std::strerror(error))
        .With("file", path)
        .Cure("let this user write to the directory");
  };
  std::string temporary = path + ".XXXXXX";
  const int file = mkostemp(temporary.data(), O_CLOEXEC);  // with mode 0600
  if (file < 0) return fail(errno);
  const bool is_written =
      KeepOwner(path, file) && core::WriteAll(file, text.Reveal()) == 0 && fsync(file) == 0;
  const int write_error = errno;
  close(file);
  if (is_written && std::rename(temporary.c_str(), path.c_str()) == 0) return {};
  const int error = is_written ? errno : write_error;
  unlink(temporary.c_str());
  return fail(error);
}

Secret RefreshRequest(const SsoToken& old) {
  core::JsonWriter json;
  json.BeginObject();
  json.Key("grantType").Text("refresh_token");
  json.Key("clientId").Text(old.client_id);
  json.Key("clientSecret").Text(old.client_secret.Reveal());
  json.Key("refreshToken").Text(old.refresh_token.Reveal());
  json.EndObject();
  return std::move(json).Take();
}

Result<SsoToken> RefreshedToken(const core::JsonValue& answer, const SsoToken& old,
                                chrono::system_clock::time_point now) {
  SsoToken token{.access_token = SecretOf(answer["accessToken"]),
                 .expires_at = {},
                 .refresh_token = SecretOf(answer["refreshToken"]),
                 .client_id = old.client_id,
                 .client_secret = old.client_secret.Share(),
                 .registration_expires_at = old.registration_expires_at};
  const std::int64_t lifetime = answer["expiresIn"].Integer().value_or(0);
  if (token.access_token.empty() || lifetime <= 0) {
    return Error(ErrorCode::kBadData,
                 "the answer to sso-oidc:CreateToken lacks accessToken, or expiresIn in whole "
                 "seconds")
        .Cure("see that the endpoint in use is that of SSO OIDC");
  }
  token.expires_at = now + chrono::seconds(std::min(lifetime, kLongestLifeSeconds));
  return token;
}

Result<Credentials> RoleCredentials(const core::JsonValue& role) {
  const auto refuse = [](const std::string& problem) {
    return Error(ErrorCode::kBadData, "the answer to sso:GetRoleCredentials: " + problem)
        .Cure("see that the endpoint in use is that of SSO");
  };
  const auto part = [&](const char* name) {
    return KeyPart{.text = role[name].Text().value_or(""), .where = name};
  };
  const KeyPart token = part("sessionToken");
  if (token.text.empty()) return refuse(token.where + " is missing or empty");
  auto keys = KeysFrom(part("accessKeyId"), part("secretAccessKey"), token);
  if (!keys) return refuse(keys.error().reason());
  const std::int64_t expiration = role["expiration"].Integer().value_or(0);
  if (expiration <= 0 || expiration > kLatestMilliseconds) {
    return refuse("expiration is not a time in milliseconds");
  }
  return Credentials{
      .keys = std::move(*keys),
      .expires_at = chrono::system_clock::time_point(chrono::milliseconds(expiration))};
}

std::optional<chrono::system_clock::time_point> ParseSsoTime(std::string_view text) {
  constexpr std::string_view kUtc = "UTC";
  if (!text.ends_with(kUtc)) return core::ParseTime(text);
  return core::ParseTime(std::string(text.substr(0, text.size() - kUtc.size())) + "Z");
}

}  // namespace qarion::secrets::aws
