// Where credentials can come from. In the order in which boto3 asks: environment, role to assume,
// web identity, SSO, shared credentials file, login, process, config file, EC2 and Boto 2 files,
// container, instance metadata.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/client_settings.h"
#include "aws/credentials.h"
#include "aws/profiles.h"
#include "aws/service_client.h"
#include "aws/variables.h"
#include "core/held_secrets.h"
#include "core/random.h"
#include "net/call.h"
#include "net/http_client.h"
#include "qarion/secrets/clock.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::aws {

// What all sources stand on; everything in it outlives them.
struct SourceContext {
  const Variables& variables;
  const Profiles& profiles;
  const ClientSettings& settings;
  ServiceClient& services;
  net::HttpClient& metadata;  // never through a proxy
  Clock& clock;
  core::Random& random;
  core::HeldSecrets& held;                    // every key and token that is got on the way
  std::function<void(std::string_view)> log;  // never empty
};

// What a source has to give.
struct Offer {
  std::optional<Credentials> credentials;
  // Where there are none: why the source does not apply, for `check`: "AWS_ACCESS_KEY_ID is not
  // set".
  std::string why_not;
};

// Thread-safety: one thread at a time.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;

  // "environment", "role to assume", "SSO": for `check`.
  virtual std::string Name() const = 0;

  // Asks anew each time. An error means that the source applies and does not work: the chain ends
  // there, as boto3's does. No error, no text and no log line has a key or token in it.
  virtual Result<Offer> Get(const net::Call& call) = 0;
};

using SourcePtr = std::unique_ptr<CredentialSource>;

// Asks a source that gave credentials before. Where it has none now, that is kUnavailable: the
// metadata service may be silent, or a file just being rewritten; and what comes next in the order
// is somebody else.
Result<Credentials> AskAgain(CredentialSource& source, const net::Call& call);

SourcePtr MakeEnvironmentSource(const SourceContext& context);
// `visited`: the profiles whose roles are assumed already, for cycles.
SourcePtr MakeAssumeRoleSource(const SourceContext& context, std::string profile,
                               std::vector<std::string> visited = {});
// `reads_variables`: whether AWS_WEB_IDENTITY_TOKEN_FILE and its kin count; not for source
// profiles.
SourcePtr MakeWebIdentitySource(const SourceContext& context, std::string profile,
                                bool reads_variables);
SourcePtr MakeSsoSource(const SourceContext& context, std::string profile);
SourcePtr MakeSharedCredentialsSource(const SourceContext& context, std::string profile);
SourcePtr MakeLoginSource(const SourceContext& context, std::string profile);  // refuses
SourcePtr MakeProcessSource(const SourceContext& context, std::string profile);
SourcePtr MakeConfigFileSource(const SourceContext& context, std::string profile);
SourcePtr MakeEc2FileSource(const SourceContext& context);    // AWS_CREDENTIAL_FILE
SourcePtr MakeBoto2FileSource(const SourceContext& context);  // BOTO_CONFIG, /etc/boto.cfg, ~/.boto
SourcePtr MakeContainerSource(const SourceContext& context);
SourcePtr MakeInstanceSource(const SourceContext& context);

// Those of a profile, in order: web identity to config file, without roles to assume.
std::vector<SourcePtr> MakeProfileSources(const SourceContext& context, const std::string& profile,
                                          bool reads_variables);

}  // namespace qarion::secrets::aws
