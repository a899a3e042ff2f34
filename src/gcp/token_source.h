// Where access tokens come from.
#pragma once

#include <memory>
#include <string>

#include "gcp/credential_file.h"
#include "gcp/metadata_server.h"
#include "gcp/signed_token.h"
#include "gcp/source_context.h"
#include "gcp/token_request.h"
#include "net/call.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::gcp {

// Thread-safety: one thread at a time.
class TokenSource {
 public:
  virtual ~TokenSource() = default;

  // Asks anew each time. The token says whose it is as far as that is known without further
  // requests. No error has a key or token in it.
  virtual Result<AccessToken> Get(const net::Call& call) = 0;
};

// Of the file that `place` names, which is read anew each time: keys are replaced while services
// run. `universe`: that it has to be of. `use`: what a service account signs its tokens for;
// everybody else gets tokens of kCloudScope. `place` outlives it.
std::unique_ptr<TokenSource> MakeFileSource(const Sourced& place, std::string universe,
                                            TokenUse use, const SourceContext& context);

// Of the metadata server, for the machine's own service account. `server` outlives it.
std::unique_ptr<TokenSource> MakeMetadataSource(MetadataServer& server,
                                                const SourceContext& context);

}  // namespace qarion::secrets::gcp
