// Files with credentials of Google Cloud, as `gcloud` and the console write them.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/held_secrets.h"
#include "core/setting_lookup.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::gcp {

// The universe of all who were given no other one: a part of the hosts' names.
inline constexpr char kDefaultUniverse[] = "googleapis.com";

// Type `service_account` (AIP-4112).
struct ServiceAccount {
  std::string client_email;
  std::string private_key_id;  // or empty
  Secret private_key;          // in PEM; not looked at yet
  std::string token_uri;
};

// Type `authorized_user`: somebody who logged in by `gcloud auth application-default login`
// (AIP-4113).
struct AuthorizedUser {
  std::string account;  // their e-mail address, or empty
  std::string client_id;
  Secret client_secret;
  Secret refresh_token;
};

// Where the token of another identity provider comes from. `field`: the member of a JSON object
// that holds it; empty: the whole text is the token.
struct FileSource {
  std::string path;
  std::string field;
};
struct UrlSource {
  std::string url;
  std::vector<std::pair<std::string, Secret>> headers;
  std::string field;
};
struct ExecutableSource {
  std::string command;
  std::chrono::milliseconds timeout{30'000};  // 5 s to 120 s
  std::string output_file;                    // where earlier output is kept, or empty
};
// A signed request of AWS's. URLs of the instance's metadata, each maybe empty but the last.
struct AwsSource {
  std::string region_url;
  std::string credentials_url;
  std::string session_token_url;
  std::string verification_url;  // https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&...
};

// Type `external_account`: workload and workforce identity federation (AIP-4117).
struct ExternalAccount {
  std::string audience;
  std::string subject_token_type;
  std::string token_url;
  std::variant<FileSource, UrlSource, ExecutableSource, AwsSource> source;
  std::string impersonated_email;  // of the service account that is acted as, or empty
  std::chrono::seconds impersonated_lifetime{3600};
  std::string client_id;  // or empty, together with the secret
  Secret client_secret;
  std::string workforce_user_project;  // or empty
};

// Type `external_account_authorized_user`: somebody who logged in by workforce identity federation.
struct ExternalUser {
  std::string token_url;
  std::string client_id;
  Secret client_secret;
  Secret refresh_token;
};

struct CredentialFile;

// Type `impersonated_service_account`: a service account that others may act as.
struct ImpersonatedAccount {
  std::string email;
  std::vector<std::string> delegates;      // those in between, in order
  std::unique_ptr<CredentialFile> source;  // who acts; never itself impersonated
};

struct CredentialFile {
  std::variant<ServiceAccount, AuthorizedUser, ExternalAccount, ExternalUser, ImpersonatedAccount>
      identity;
  std::string project_id;     // or empty
  std::string quota_project;  // or empty
  std::string universe = kDefaultUniverse;
};

// The project that whoever is in `file` belongs to: its project_id, or the number in the audience
// of an identity pool. Empty where the file does not say.
std::string ProjectOf(const CredentialFile& file);

// Every secret in it; a private key also in the form that it has in the file.
std::vector<Secret> SecretsIn(const CredentialFile& file);
// In place of those of the file as it was before.
void HoldSecretsIn(const CredentialFile& file, core::HeldSecrets& held);

// A host to which credentials are sent by the file's own word, outside of `universe`: that of
// whoever reads the file, not the one it names.
struct ForeignHost {
  std::string member;  // "token_url", "universe_domain"
  std::string host;
};
std::vector<ForeignHost> ForeignHostsIn(const CredentialFile& file, const std::string& universe);

// Who is in it, for people: "service account a@b".
std::string DescribeIdentity(const CredentialFile& file);
// The same as IAM writes it: "serviceAccount:a@b". Empty where the file does not tell.
std::string PrincipalOf(const CredentialFile& file);

// Reads one. `path` is named in errors, as a key of context ("file") too; nothing that may be
// secret is shown. kBadData: it is not a JSON object, its type is missing, unknown or not supported
// (gdch_service_account), a member is missing or of the wrong kind, or a URL is none or not https
// (http is allowed to this machine, and to the metadata addresses of AWS).
//
// Thread-safety: pure. The time it takes grows with the length of the text.
Result<CredentialFile> ParseCredentialFile(std::string_view text, const std::string& path);

// Reads the file that `place` names. kConfiguration: it is not there or may not be read. kBadData:
// as above, or it is longer than 1 MiB.
Result<CredentialFile> ReadCredentialFile(const core::Sourced& place);

}  // namespace qarion::secrets::gcp
