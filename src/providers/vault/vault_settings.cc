#include "providers/vault/vault_settings.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "core/files.h"
#include "core/json_document.h"
#include "core/utf8.h"
#include "net/duration.h"
#include "net/url.h"

namespace qarion::secrets::vault {
namespace {

constexpr std::string_view kDefaultAddress = "https://127.0.0.1:8200";
constexpr std::string_view kDefaultPath = "secret/data/qarion";
constexpr std::size_t kLongestCredential = std::size_t{64} * 1024;
constexpr std::size_t kLongestText = 4096;
constexpr char kKubernetesJwtFile[] = "/var/run/secrets/kubernetes.io/serviceaccount/token";
constexpr std::chrono::hours kLongestTimeout{24};

constexpr std::array<std::string_view, 7> kMethodNames = {
    "token", "approle", "kubernetes", "jwt", "userpass", "ldap", "cert"};

Error Wrong(const std::string& setting, const std::string& problem, std::string cure) {
  return Error(ErrorCode::kConfiguration, setting + " " + problem)
      .With("setting", setting)
      .Cure(std::move(cure));
}

bool IsPrintableAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string_view TrimmedWhiteSpace(std::string_view text) {
  constexpr std::string_view kWhiteSpace = " \t\r\n";
  const auto begin = text.find_first_not_of(kWhiteSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kWhiteSpace) - begin + 1);
}

// The text of a setting and the name it stands under.
struct Found {
  std::string setting;
  std::string_view text;
};

// Reads settings one by one and keeps the first error.
class Reader {
 public:
  explicit Reader(const SettingLookup& lookup) : lookup_(lookup) {}

  // VAULT_X under its BAO_ name, which hides the other even where it is empty. An empty text is as
  // good as none.
  std::optional<Found> Find(const std::string& name) const {
    const std::string twin = "BAO_" + name.substr(name.find('_') + 1);
    for (const std::string& candidate : {twin, name}) {
      const auto text = lookup_(candidate);
      if (!text) continue;
      if (text->empty()) return std::nullopt;
      return Found{candidate, *text};
    }
    return std::nullopt;
  }

  std::string Text(const std::string& name) {
    const auto found = Find(name);
    if (!found) return "";
    if (HasControl(found->text) || found->text.size() > kLongestText) {
      Fail(Wrong(found->setting, "has a control character or more than 4096 bytes",
                 "give it a text of one line"));
      return "";
    }
    return std::string(found->text);
  }

  // As Go's strconv.ParseBool.
  bool Bool(const std::string& name) {
    constexpr std::array<std::string_view, 6> kTrue = {"1", "t", "T", "TRUE", "true", "True"};
    constexpr std::array<std::string_view, 6> kFalse = {"0", "f", "F", "FALSE", "false", "False"};
    const auto found = Find(name);
    if (!found || std::ranges::find(kFalse, found->text) != kFalse.end()) return false;
    if (std::ranges::find(kTrue, found->text) != kTrue.end()) return true;
    Fail(Wrong(found->setting, "is neither true nor false", "write true or false"));
    return false;
  }

  std::int64_t Number(const std::string& name, std::int64_t fallback, std::int64_t most) {
    const auto found = Find(name);
    if (!found) return fallback;
    std::int64_t number = 0;
    const char* end = found->text.data() + found->text.size();
    const auto parsed = std::from_chars(found->text.data(), end, number);
    if (parsed.ec != std::errc() || parsed.ptr != end || number < 0 || number > most) {
      Fail(Wrong(found->setting, "is not a whole number from 0 to " + std::to_string(most),
                 "write digits only, or leave it out for " + std::to_string(fallback)));
      return fallback;
    }
    return number;
  }

  // NAME or NAME_FILE.
  Credential Secret(const std::string& name) {
    const auto text = Find(name);
    const auto file = Find(name + "_FILE");
    if (text && file) {
      Fail(Wrong(text->setting, "is set, and " + file->setting + " too",
                 "set one of them: a file is read again at each login"));
      return {};
    }
    if (file) return {.setting = file->setting, .file = std::string(file->text)};
    if (!text) return {};
    return {.setting = text->setting, .text = secrets::Secret::CopyOf(text->text)};
  }

  void Fail(Error error) {
    if (!error_) error_ = std::move(error);
  }
  std::optional<Error>& error() noexcept { return error_; }

 private:
  const SettingLookup& lookup_;
  std::optional<Error> error_;
};

void ReadAddresses(Reader& reader, VaultSettings& settings) {
  auto found = reader.Find("VAULT_AGENT_ADDR");
  if (!found) found = reader.Find("VAULT_ADDR");
  settings.address_setting = found ? found->setting : "VAULT_ADDR";
  auto addresses = ParseAddresses(found ? found->text : kDefaultAddress, settings.address_setting);
  if (!addresses) return reader.Fail(std::move(addresses).error());
  settings.addresses = std::move(*addresses);
}

void ReadPath(Reader& reader, VaultSettings& settings) {
  const auto found = reader.Find("VAULT_SECRET_PATH");
  const std::string setting = found ? found->setting : "VAULT_SECRET_PATH";
  std::string_view rest = found ? found->text : kDefaultPath;
  if (rest.size() > kLongestText || HasControl(rest)) {
    return reader.Fail(Wrong(setting, "has a control character or more than 4096 bytes",
                             "write it as mount/data/name, such as secret/data/qarion"));
  }
  while (!rest.empty()) {
    const std::size_t slash = rest.find('/');
    const std::string_view segment = rest.substr(0, slash);
    if (segment == "." || segment == "..") {
      return reader.Fail(Wrong(setting, "has a segment '" + std::string(segment) + "'",
                               "write the path of the secret without such segments"));
    }
    if (!segment.empty()) {
      if (!settings.path.empty()) settings.path += '/';
      settings.path += segment;
    }
    rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
  }
  if (settings.path.starts_with("v1/")) {
    return reader.Fail(Wrong(setting, "begins with v1/, which is a part of the API's URLs",
                             "write it as mount/data/name, such as secret/data/qarion"));
  }
  if (settings.path.find('/') == std::string::npos) {
    return reader.Fail(Wrong(setting, "names no secret below a mount",
                             "write it as mount/data/name, such as secret/data/qarion"));
  }
}

void ReadTls(Reader& reader, VaultSettings& settings) {
  net::TlsSettings& tls = settings.tls;
  tls.ca_file = reader.Text("VAULT_CACERT");
  if (const auto bytes = reader.Find("VAULT_CACERT_BYTES")) tls.ca_text = bytes->text;
  tls.ca_directory = reader.Text("VAULT_CAPATH");
  tls.server_name = reader.Text("VAULT_TLS_SERVER_NAME");
  if (!tls.server_name.empty() && !net::IsHostName(tls.server_name)) {
    reader.Fail(Wrong("VAULT_TLS_SERVER_NAME", "is no name of a host",
                      "write the name in the server's certificate"));
  }
  tls.is_verified = !reader.Bool("VAULT_SKIP_VERIFY");
  tls.certificate_file = reader.Text("VAULT_CLIENT_CERT");
  tls.key_file = reader.Text("VAULT_CLIENT_KEY");
  if (tls.certificate_file.empty() != tls.key_file.empty()) {
    return reader.Fail(Wrong(tls.key_file.empty() ? "VAULT_CLIENT_CERT" : "VAULT_CLIENT_KEY",
                             "is set without its other half",
                             "set both VAULT_CLIENT_CERT and VAULT_CLIENT_KEY, or neither"));
  }
  const auto certificate = reader.Find("VAULT_CLIENT_CERT_BYTES");
  const auto key = reader.Find("VAULT_CLIENT_KEY_BYTES");
  if (certificate.has_value() != key.has_value()) {
    return reader.Fail(
        Wrong(certificate ? "VAULT_CLIENT_CERT_BYTES" : "VAULT_CLIENT_KEY_BYTES",
              "is set without its other half",
              "set both VAULT_CLIENT_CERT_BYTES and VAULT_CLIENT_KEY_BYTES, or neither"));
  }
  if (!certificate || !tls.certificate_file.empty()) return;  // files win
  tls.certificate_text = certificate->text;
  tls.key_text = Secret::CopyOf(key->text);
}

void ReadProxy(Reader& reader, VaultSettings& settings) {
  auto found = reader.Find("VAULT_PROXY_ADDR");
  if (!found) found = reader.Find("VAULT_HTTP_PROXY");
  if (!found) return;
  settings.proxy.url = found->text;
  if (net::IsProxyUrl(settings.proxy.url)) return;
  reader.Fail(Wrong(found->setting, "is no address of a proxy",
                    "write http://host:port, https:// or socks5://"));
}

void ReadTimeout(Reader& reader, VaultSettings& settings) {
  const auto found = reader.Find("VAULT_CLIENT_TIMEOUT");
  if (!found) return;
  const auto timeout = net::ParseDuration(found->text);
  if (!timeout || *timeout < std::chrono::nanoseconds::zero() || *timeout > kLongestTimeout) {
    return reader.Fail(Wrong(found->setting, "is not a duration of at most 24 hours",
                             "write seconds, or a duration such as 90s or 1m30s"));
  }
  // Zero is "no limit" for the official client; whoever asks has one anyway.
  settings.timeout = *timeout == std::chrono::nanoseconds::zero() ? kLongestTimeout : *timeout;
}

void ReadRateLimit(Reader& reader, VaultSettings& settings) {
  const auto found = reader.Find("VAULT_RATE_LIMIT");
  if (!found) return;
  RateLimit limit;
  const char* end = found->text.data() + found->text.size();
  auto parsed = std::from_chars(found->text.data(), end, limit.per_second);
  bool ok = parsed.ec == std::errc() && std::isfinite(limit.per_second) && limit.per_second > 0 &&
            limit.per_second <= 1e6;
  limit.burst = ok ? std::max(1, static_cast<int>(limit.per_second)) : 1;
  if (ok && parsed.ptr != end) {
    ok = *parsed.ptr == ':';
    if (ok) {
      parsed = std::from_chars(parsed.ptr + 1, end, limit.burst);
      ok = parsed.ec == std::errc() && parsed.ptr == end && limit.burst > 0;
    }
  }
  if (!ok) {
    return reader.Fail(Wrong(found->setting, "is not a rate",
                             "write requests in a second, and after a colon how many may come at "
                             "once: 10 or 2.5:20"));
  }
  settings.rate_limit = limit;
}

// As the official client: a JSON object of strings, without headers of the API itself.
void ReadHeaders(Reader& reader, VaultSettings& settings) {
  if (const auto mfa = reader.Find("VAULT_MFA")) {
    settings.headers.push_back({"X-Vault-MFA", Secret::CopyOf(mfa->text)});
  }
  const auto found = reader.Find("VAULT_HEADERS");
  if (!found) return;
  const std::string cure = R"(write a JSON object of strings: {"X-Gateway-Key": "..."})";
  auto document = core::JsonDocument::Parse(found->text, found->setting);
  if (!document || !document->root().IsObject()) {
    return reader.Fail(Wrong(found->setting, "is not a JSON object", cure));
  }
  for (const std::string_view name : document->root().Names()) {
    const auto value = (*document)[name].Text();
    const bool is_token = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
             c == '-' || c == '_';
    });
    if (!is_token || !value || HasControl(*value)) {
      return reader.Fail(
          Wrong(found->setting, "has a member that is no header and its value", cure));
    }
    constexpr std::string_view kReserved = "x-vault-";
    const bool is_reserved =
        name.size() >= kReserved.size() &&
        std::equal(kReserved.begin(), kReserved.end(), name.begin(),
                   [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b - 'A' + 'a' : b); });
    if (is_reserved) {
      return reader.Fail(Wrong(
          found->setting,
          "sets " + std::string(name) + "; headers that begin with X-Vault- belong to the API",
          "leave it out"));
    }
    settings.headers.push_back({std::string(name), Secret::CopyOf(*value)});
  }
}

std::optional<AuthMethod> MethodNamed(std::string_view name) {
  const auto found = std::ranges::find(kMethodNames, name);
  if (found == kMethodNames.end()) return std::nullopt;
  return static_cast<AuthMethod>(found - kMethodNames.begin());
}

// Which settings belong to which method.
bool Reads(AuthMethod method, const std::string& setting) {
  const std::string name = setting.substr(setting.find('_') + 1);
  switch (method) {
    case AuthMethod::kToken: return name.starts_with("TOKEN");
    case AuthMethod::kAppRole: return name.starts_with("ROLE_ID") || name.starts_with("SECRET_ID");
    case AuthMethod::kKubernetes:
    case AuthMethod::kJwt: return name == "JWT_FILE" || name == "AUTH_ROLE";
    case AuthMethod::kUserpass:
    case AuthMethod::kLdap: return name == "USERNAME" || name.starts_with("PASSWORD");
    case AuthMethod::kCert: return name == "AUTH_ROLE";
  }
  return false;
}

void ReadMethod(Reader& reader, AuthSettings& auth) {
  std::vector<std::string> given;  // settings about logging in that are set
  for (const char* name :
       {"VAULT_TOKEN", "VAULT_TOKEN_FILE", "VAULT_ROLE_ID", "VAULT_ROLE_ID_FILE", "VAULT_SECRET_ID",
        "VAULT_SECRET_ID_FILE", "VAULT_JWT_FILE", "VAULT_USERNAME", "VAULT_PASSWORD",
        "VAULT_PASSWORD_FILE", "VAULT_AUTH_ROLE"}) {
    if (const auto found = reader.Find(name)) given.push_back(found->setting);
  }
  const auto named = reader.Find("VAULT_AUTH_METHOD");
  if (named) {
    const auto method = MethodNamed(named->text);
    if (!method) {
      return reader.Fail(Wrong(named->setting, "names no way to log in that is known here",
                               "write token, approle, kubernetes, jwt, userpass, ldap or cert"));
    }
    auth.method = *method;
  } else {
    // The methods that can be told by their own settings.
    std::vector<std::pair<AuthMethod, std::string>> inferred;
    for (const AuthMethod method :
         {AuthMethod::kToken, AuthMethod::kAppRole, AuthMethod::kUserpass}) {
      const auto setting =
          std::ranges::find_if(given, [&](const std::string& name) { return Reads(method, name); });
      if (setting != given.end()) inferred.emplace_back(method, *setting);
    }
    if (const auto jwt = reader.Find("VAULT_JWT_FILE"))
      inferred.emplace_back(AuthMethod::kJwt, jwt->setting);
    if (inferred.size() > 1) {
      return reader.Fail(Wrong(inferred[0].second,
                               "and " + inferred[1].second + " are of two ways to log in",
                               "leave one of them out, or set VAULT_AUTH_METHOD and leave out what "
                               "belongs to others"));
    }
    if (inferred.empty() && !given.empty()) {
      return reader.Fail(Wrong(given[0], "is set, but not how to log in",
                               "set VAULT_AUTH_METHOD to kubernetes, jwt or cert"));
    }
    if (!inferred.empty()) auth.method = inferred[0].first;
  }
  for (const std::string& setting : given) {
    if (Reads(auth.method, setting)) continue;
    return reader.Fail(Wrong(setting,
                             "is set, but the way to log in is " +
                                 std::string(ToString(auth.method)) + ", which does not use it",
                             "leave it out, or set VAULT_AUTH_METHOD to what it belongs to"));
  }
}

void Need(Reader& reader, bool is_there, const AuthSettings& auth, const std::string& what) {
  if (is_there) return;
  reader.Fail(Wrong(
      what, "is not set, and the login by " + std::string(ToString(auth.method)) + " needs it",
      "set it, or " + what + "_FILE to a file with it where that is a secret"));
}

// Segments that would lead a request elsewhere.
void RefuseDots(Reader& reader, const std::string& setting, const std::string& text) {
  const std::string path = "/" + text + "/";
  if (path.find("/../") == std::string::npos && path.find("/./") == std::string::npos &&
      path.find("//") == std::string::npos) {
    return;
  }
  if (text.empty()) return;
  reader.Fail(
      Wrong(setting, "has a segment that is empty, '.' or '..'", "write it as the server has it"));
}

void ReadAuth(Reader& reader, const SettingLookup& lookup, AuthSettings& auth) {
  ReadMethod(reader, auth);
  if (reader.error()) return;
  auth.mount = reader.Text("VAULT_AUTH_MOUNT");
  auth.role = reader.Text("VAULT_AUTH_ROLE");
  if (auth.mount.empty()) auth.mount = ToString(auth.method);
  if (auth.mount.starts_with("auth/")) auth.mount.erase(0, 5);
  while (auth.mount.starts_with('/')) auth.mount.erase(0, 1);
  while (auth.mount.ends_with('/')) auth.mount.pop_back();
  RefuseDots(reader, "VAULT_AUTH_MOUNT", auth.mount);
  switch (auth.method) {
    case AuthMethod::kToken: {
      auth.token = reader.Secret("VAULT_TOKEN");
      if (auth.token.exists()) break;
      // As the command of the official client keeps it.
      auto path = reader.Find("VAULT_TOKEN_PATH");
      const auto home = lookup("HOME");
      if (path) {
        auth.token = {.setting = path->setting, .file = std::string(path->text)};
      } else if (home && !home->empty()) {
        const std::string file = std::string(*home) + "/.vault-token";
        if (access(file.c_str(), F_OK) == 0)
          auth.token = {.setting = "~/.vault-token", .file = file};
      }
      if (!auth.token.exists()) {
        reader.Fail(Wrong("VAULT_TOKEN", "is not set, nor is any other way to log in",
                          "set VAULT_TOKEN, VAULT_TOKEN_FILE or VAULT_AUTH_METHOD with what it "
                          "needs, or log in with `bao login`"));
      }
      break;
    }
    case AuthMethod::kAppRole:
      auth.role_id = reader.Secret("VAULT_ROLE_ID");
      auth.secret_id = reader.Secret("VAULT_SECRET_ID");
      auth.secret_id_creation_path = reader.Text("VAULT_SECRET_ID_WRAPPING_PATH");
      Need(reader, auth.role_id.exists(), auth, "VAULT_ROLE_ID");
      if (!auth.secret_id_creation_path.empty()) {
        Need(reader, auth.secret_id.exists(), auth, "VAULT_SECRET_ID");
      }
      break;
    case AuthMethod::kKubernetes:
    case AuthMethod::kJwt: {
      const auto file = reader.Find("VAULT_JWT_FILE");
      if (file) {
        auth.jwt = {.setting = file->setting, .file = std::string(file->text)};
      } else if (auth.method == AuthMethod::kKubernetes) {
        auth.jwt = {.setting = "VAULT_JWT_FILE", .file = kKubernetesJwtFile};
        Need(reader, !auth.role.empty(), auth, "VAULT_AUTH_ROLE");
      } else {
        Need(reader, false, auth, "VAULT_JWT_FILE");
      }
      if (auth.method == AuthMethod::kKubernetes) {
        Need(reader, !auth.role.empty(), auth, "VAULT_AUTH_ROLE");
      }
      break;
    }
    case AuthMethod::kUserpass:
    case AuthMethod::kLdap:
      auth.username = reader.Text("VAULT_USERNAME");
      RefuseDots(reader, "VAULT_USERNAME", auth.username);
      auth.password = reader.Secret("VAULT_PASSWORD");
      Need(reader, !auth.username.empty(), auth, "VAULT_USERNAME");
      Need(reader, auth.password.exists(), auth, "VAULT_PASSWORD");
      break;
    case AuthMethod::kCert: break;
  }
}

}  // namespace

std::string_view ToString(AuthMethod method) noexcept {
  return kMethodNames[static_cast<std::size_t>(method)];
}

Error Credential::Unusable(ErrorCode code, const std::string& problem) const {
  return Error(code, (file.empty() ? setting : setting + ": " + file) + " " + problem)
      .With("setting", setting)
      .Cure("put the credential there, and nothing else");
}

Result<Secret> Credential::ReadBytes() const {
  if (file.empty()) return text.Share();
  auto contents = core::ReadFile(file, setting, core::PipesAllowed::kNo, kLongestCredential);
  if (!contents) return std::move(contents).error();
  return std::move(contents->bytes);
}

Result<Secret> Credential::ReadToken() const {
  auto bytes = ReadBytes();
  if (!bytes) return bytes;
  const std::string_view token = TrimmedWhiteSpace(bytes->Reveal());
  if (token.empty()) return Unusable(ErrorCode::kConfiguration, "holds nothing");
  if (!IsPrintableAscii(token)) {
    return Unusable(ErrorCode::kBadData, "holds characters that no credential has");
  }
  return Secret::CopyOf(token);
}

Result<Secret> Credential::ReadPassword() const {
  auto bytes = ReadBytes();
  if (!bytes) return bytes;
  std::string_view password = bytes->Reveal();
  if (!file.empty() && password.ends_with('\n')) password.remove_suffix(1);
  if (!file.empty() && password.ends_with('\r')) password.remove_suffix(1);
  if (password.empty()) return Unusable(ErrorCode::kConfiguration, "holds nothing");
  if (core::FindInvalidUtf8(password)) return Unusable(ErrorCode::kBadData, "is not UTF-8");
  return Secret::CopyOf(password);
}

Result<VaultSettings> LoadVaultSettings(const SettingLookup& lookup) {
  Reader reader(lookup);
  VaultSettings settings;
  ReadAddresses(reader, settings);
  settings.name_space = reader.Text("VAULT_NAMESPACE");
  ReadPath(reader, settings);
  settings.version = reader.Number("VAULT_SECRET_VERSION", 0, 1'000'000'000);
  ReadTls(reader, settings);
  ReadTimeout(reader, settings);
  settings.max_retries = static_cast<int>(reader.Number("VAULT_MAX_RETRIES", 2, 1'000'000));
  ReadRateLimit(reader, settings);
  settings.looks_up_srv = reader.Bool("VAULT_SRV_LOOKUP");
  settings.follows_redirects = !reader.Bool("VAULT_DISABLE_REDIRECTS");
  ReadProxy(reader, settings);
  ReadHeaders(reader, settings);
  ReadAuth(reader, lookup, settings.auth);
  if (const auto ignored = reader.Find("VAULT_WRAP_TTL"))
    settings.ignored.push_back(ignored->setting);
  settings.is_traced = lookup("QARION_SECRETS_LOG") == "debug";
  if (reader.error()) return std::move(*reader.error());
  return settings;
}

}  // namespace qarion::secrets::vault
