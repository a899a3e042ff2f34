#include "providers/vault/auth_settings.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "core/ascii.h"
#include "gcp/principal.h"
#include "gcp/token_source.h"

namespace qarion::secrets::vault {
namespace {

constexpr char kKubernetesJwtFile[] = "/var/run/secrets/kubernetes.io/serviceaccount/token";
constexpr std::array<std::string_view, 9> kMethodNames = {
    "token", "approle", "kubernetes", "jwt", "userpass", "ldap", "cert", "aws", "gcp"};
// All that say how to log in, but for VAULT_AUTH_METHOD.
constexpr const char* kSettings[] = {"VAULT_TOKEN",
                                     "VAULT_TOKEN_FILE",
                                     "VAULT_ROLE_ID",
                                     "VAULT_ROLE_ID_FILE",
                                     "VAULT_SECRET_ID",
                                     "VAULT_SECRET_ID_FILE",
                                     "VAULT_JWT_FILE",
                                     "VAULT_USERNAME",
                                     "VAULT_PASSWORD",
                                     "VAULT_PASSWORD_FILE",
                                     "VAULT_AUTH_ROLE",
                                     "VAULT_AUTH_MOUNT",
                                     "VAULT_SECRET_ID_WRAPPING_PATH",
                                     "VAULT_AWS_IAM_SERVER_ID",
                                     "VAULT_AWS_STS_REGION",
                                     "VAULT_GCP_LOGIN_TYPE",
                                     "VAULT_GCP_SERVICE_ACCOUNT"};

std::optional<AuthMethod> MethodNamed(std::string_view name) {
  const auto* const found = std::ranges::find(kMethodNames, name);
  if (found == kMethodNames.end()) return std::nullopt;
  return static_cast<AuthMethod>(found - kMethodNames.begin());
}

// Which settings belong to which method.
bool Reads(AuthMethod method, const std::string& setting) {
  const std::string name = setting.substr(setting.find('_') + 1);
  if (method == AuthMethod::kToken) return name.starts_with("TOKEN");
  if (name == "AUTH_MOUNT") return true;
  switch (method) {
    case AuthMethod::kToken: break;
    case AuthMethod::kAppRole: return name.starts_with("ROLE_ID") || name.starts_with("SECRET_ID");
    case AuthMethod::kKubernetes:
    case AuthMethod::kJwt: return name == "JWT_FILE" || name == "AUTH_ROLE";
    case AuthMethod::kUserpass:
    case AuthMethod::kLdap: return name == "USERNAME" || name.starts_with("PASSWORD");
    case AuthMethod::kCert: return name == "AUTH_ROLE";
    case AuthMethod::kAws: return name == "AUTH_ROLE" || name.starts_with("AWS_");
    case AuthMethod::kGcp: return name == "AUTH_ROLE" || name.starts_with("GCP_");
  }
  return false;
}

// The token that the official command keeps for its user.
Credential KeptToken(SettingReader& reader) {
  if (Credential named = reader.File("VAULT_TOKEN_PATH"); named.exists()) return named;
  const auto home = reader.Variable("HOME");
  if (!home || home->empty()) return {};
  std::string file = std::string(*home) + "/.vault-token";
  if (access(file.c_str(), F_OK) != 0) return {};
  return {.setting = "~/.vault-token", .file = std::move(file)};
}

// The method whose settings are there, if it is one.
AuthMethod InferMethod(SettingReader& reader, const std::vector<std::string>& given,
                       bool has_certificate) {
  std::vector<std::pair<AuthMethod, std::string>> inferred;
  for (const AuthMethod method :
       {AuthMethod::kToken, AuthMethod::kAppRole, AuthMethod::kUserpass, AuthMethod::kJwt}) {
    // Those that only add to others tell nothing.
    const auto setting = std::ranges::find_if(given, [&](const std::string& name) {
      return Reads(method, name) && !name.ends_with("_AUTH_ROLE") &&
             !name.ends_with("_AUTH_MOUNT") && !name.ends_with("_WRAPPING_PATH");
    });
    if (setting != given.end()) inferred.emplace_back(method, *setting);
  }
  if (inferred.size() > 1) {
    reader.Fail(
        Wrong(inferred[0].second, "and " + inferred[1].second + " are of two ways to log in",
              "leave one of them out, or set VAULT_AUTH_METHOD and leave out what belongs to "
              "others"));
  }
  if (!inferred.empty()) return inferred[0].first;
  if (has_certificate && (!given.empty() || !KeptToken(reader).exists())) return AuthMethod::kCert;
  if (!given.empty()) {
    reader.Fail(Wrong(
        given[0], "is set, but not how to log in",
        "set " + reader.NameOf("VAULT_AUTH_METHOD") + " to kubernetes, jwt, cert, aws or gcp"));
  }
  return AuthMethod::kToken;
}

AuthMethod ReadMethod(SettingReader& reader, bool has_certificate) {
  std::vector<std::string> given;
  for (const char* name : kSettings) {
    if (const auto found = reader.Find(name)) given.push_back(found->setting);
  }
  AuthMethod method = AuthMethod::kToken;
  if (const auto named = reader.Find("VAULT_AUTH_METHOD")) {
    const auto known = MethodNamed(named->text);
    if (!known) {
      reader.Fail(Wrong(named->setting, "names no way to log in that is known here",
                        "write token, approle, kubernetes, jwt, userpass, ldap, cert, aws or gcp"));
      return method;
    }
    method = *known;
  } else {
    method = InferMethod(reader, given, has_certificate);
  }
  for (const std::string& setting : given) {
    if (Reads(method, setting)) continue;
    reader.Fail(Wrong(
        setting,
        "is set, but the way to log in is " + std::string(ToString(method)) +
            ", which does not use it",
        "leave it out, or set " + reader.NameOf("VAULT_AUTH_METHOD") + " to what it belongs to"));
  }
  return method;
}

void Need(SettingReader& reader, bool is_there, const AuthSettings& auth, const std::string& what,
          bool may_be_in_file) {
  if (is_there) return;
  reader.Fail(Wrong(
      what, "is not set, and the login by " + std::string(ToString(auth.method)) + " needs it",
      may_be_in_file ? "set it, or " + what + "_FILE to a file that holds it" : "set it"));
}

// Refuses segments that would lead a request elsewhere.
void RefuseDots(SettingReader& reader, const std::string& setting, const std::string& text) {
  const std::string path = "/" + text + "/";
  if (text.empty() ||
      (path.find("/../") == std::string::npos && path.find("/./") == std::string::npos &&
       path.find("//") == std::string::npos)) {
    return;
  }
  reader.Fail(Wrong(reader.NameOf(setting), "has a segment that is empty, '.' or '..'",
                    "write it as the server has it"));
}

void ReadToken(SettingReader& reader, AuthSettings& auth) {
  auth.token = reader.Secret("VAULT_TOKEN");
  if (!auth.token.exists()) auth.token = KeptToken(reader);
  if (auth.token.exists()) return;
  reader.Fail(Wrong("VAULT_TOKEN", "is not set, nor is any other way to log in",
                    "set VAULT_TOKEN, VAULT_TOKEN_FILE or VAULT_AUTH_METHOD with what it needs, or "
                    "log in with `bao login`"));
}

void ReadAppRole(SettingReader& reader, AuthSettings& auth) {
  auth.role_id = reader.Secret("VAULT_ROLE_ID");
  auth.secret_id = reader.Secret("VAULT_SECRET_ID");
  auth.secret_id_creation_path = reader.Text("VAULT_SECRET_ID_WRAPPING_PATH");
  Need(reader, auth.role_id.exists(), auth, "VAULT_ROLE_ID", true);
  if (!auth.secret_id_creation_path.empty()) {
    Need(reader, auth.secret_id.exists(), auth, "VAULT_SECRET_ID", true);
  }
}

void ReadJwt(SettingReader& reader, AuthSettings& auth) {
  auth.jwt = reader.File("VAULT_JWT_FILE");
  if (auth.method == AuthMethod::kJwt) {
    Need(reader, auth.jwt.exists(), auth, "VAULT_JWT_FILE", false);
    return;
  }
  if (!auth.jwt.exists()) auth.jwt = {.setting = "VAULT_JWT_FILE", .file = kKubernetesJwtFile};
  Need(reader, !auth.role.empty(), auth, "VAULT_AUTH_ROLE", false);
}

void ReadPassword(SettingReader& reader, AuthSettings& auth) {
  auth.username = reader.Text("VAULT_USERNAME");
  RefuseDots(reader, "VAULT_USERNAME", auth.username);
  auth.password = reader.Secret("VAULT_PASSWORD");
  Need(reader, !auth.username.empty(), auth, "VAULT_USERNAME", false);
  Need(reader, auth.password.exists(), auth, "VAULT_PASSWORD", true);
}

void ReadAws(SettingReader& reader, AuthSettings& auth) {
  auth.aws_server_id = reader.Text("VAULT_AWS_IAM_SERVER_ID");
  auth.aws_sts_region = reader.Text("VAULT_AWS_STS_REGION");
  auto session = aws::SessionSettings::Load(
      [&reader](const std::string& name) { return reader.Variable(name); });
  if (!session) return reader.Fail(std::move(session).error());
  auth.aws = std::move(*session);
}

// Nothing where the setting is not there.
std::optional<GcpLoginType> ReadGcpType(SettingReader& reader) {
  const auto type = reader.Find("VAULT_GCP_LOGIN_TYPE");
  if (!type) return std::nullopt;
  if (type->text == "iam") return GcpLoginType::kIam;
  if (type->text != "gce") {
    reader.Fail(Wrong(type->setting, "is neither iam nor gce", "write the type of the role"));
  }
  return GcpLoginType::kGce;
}

void ReadGcp(SettingReader& reader, AuthSettings& auth) {
  constexpr char kAccount[] = "VAULT_GCP_SERVICE_ACCOUNT";
  Need(reader, !auth.role.empty(), auth, "VAULT_AUTH_ROLE", false);
  auth.gcp_service_account = reader.Text(kAccount);
  if (!core::IsVisible(auth.gcp_service_account) || auth.gcp_service_account.contains('/')) {
    reader.Fail(Wrong(reader.NameOf(kAccount), "is no e-mail address of a service account",
                      "write it as name@project.iam.gserviceaccount.com"));
  }
  const auto type = ReadGcpType(reader);
  const auto lookup = [&reader](const std::string& name) { return reader.Variable(name); };
  if (type == GcpLoginType::kGce) {  // no file has a say in that
    auto client = gcp::LoadClientSettings(lookup);
    if (!client) return reader.Fail(std::move(client).error());
    auth.gcp = gcp::SessionSettings{.client = std::move(*client), .file = {}};
    auth.gcp_type = *type;
    return;
  }
  auto session = gcp::SessionSettings::Load(lookup);
  if (!session) return reader.Fail(std::move(session).error());
  const bool knows_account =
      !auth.gcp_service_account.empty() ||
      (session->file && !gcp::AccountIn(gcp::PrincipalOf(*session->file)).empty());
  auth.gcp_type =
      type.value_or(session->file && knows_account ? GcpLoginType::kIam : GcpLoginType::kGce);
  if (auth.gcp_type == GcpLoginType::kIam && session->file && !knows_account) {
    reader.Fail(Wrong(kAccount,
                      "is not set, and " + session->client.credential_file.text +
                          " is of no service account, nor of who acts as one",
                      "set it to a service account that whoever is in the file may sign for"));
  }
  auth.gcp = std::move(*session);
}

}  // namespace

std::string_view ToString(AuthMethod method) noexcept {
  return kMethodNames[static_cast<std::size_t>(method)];
}

AuthSettings ReadAuthSettings(SettingReader& reader, bool has_certificate) {
  AuthSettings auth;
  auth.method = ReadMethod(reader, has_certificate);
  if (reader.error()) return auth;
  auth.mount = reader.Text("VAULT_AUTH_MOUNT");
  auth.role = reader.Text("VAULT_AUTH_ROLE");
  if (auth.mount.empty()) auth.mount = ToString(auth.method);
  if (auth.mount.starts_with("auth/")) auth.mount.erase(0, 5);
  while (auth.mount.starts_with('/')) auth.mount.erase(0, 1);
  while (auth.mount.ends_with('/')) auth.mount.pop_back();
  if (auth.mount.empty()) {
    reader.Fail(Wrong(reader.NameOf("VAULT_AUTH_MOUNT"), "names no mount",
                      "write it as the server has it below auth/, such as approle"));
  }
  RefuseDots(reader, "VAULT_AUTH_MOUNT", auth.mount);
  switch (auth.method) {
    case AuthMethod::kToken: ReadToken(reader, auth); break;
    case AuthMethod::kAppRole: ReadAppRole(reader, auth); break;
    case AuthMethod::kKubernetes:
    case AuthMethod::kJwt: ReadJwt(reader, auth); break;
    case AuthMethod::kUserpass:
    case AuthMethod::kLdap: ReadPassword(reader, auth); break;
    case AuthMethod::kCert: break;  // the server says whether it got one: a proxy may add it
    case AuthMethod::kAws: ReadAws(reader, auth); break;
    case AuthMethod::kGcp: ReadGcp(reader, auth); break;
  }
  return auth;
}

}  // namespace qarion::secrets::vault
