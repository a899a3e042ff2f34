// Finds credentials wherever any AWS client would, and keeps them fresh.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "aws/credential_cache.h"
#include "aws/credential_source.h"

namespace qarion::secrets::aws {

// The first source that applies is asked from then on.
//
// Thread-safety: every member from several threads.
class CredentialChain {
 public:
  explicit CredentialChain(const SourceContext& context);

  // Errors: of the source that applies, or kConfiguration where none does, with each one's reason.
  Result<Credentials> Get(const net::Call& call);
  // See CredentialCache.
  Result<std::optional<Credentials>> Replace(const Credentials& refused, const net::Call& call);

  struct Tried {
    std::string source;
    std::string outcome;  // why it did not apply; empty: it was the one
  };
  // Those that were asked, in order.
  std::vector<Tried> tried() const;
};

}  // namespace qarion::secrets::aws
