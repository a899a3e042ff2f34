// Finds credentials wherever any AWS client would, and keeps them fresh.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "aws/credential_cache.h"
#include "aws/credential_source.h"

namespace qarion::secrets::aws {

// Asks the sources in boto3's order. The first that applies is asked from then on, and no other.
//
// Thread-safety: every member from several threads.
class CredentialChain {
 public:
  explicit CredentialChain(const SourceContext& context);

  // Its errors: of the source that applies; kUnavailable where it did before; kConfiguration where
  // none does, with each one's reason.
  CredentialCache& credentials() noexcept { return cache_; }

  struct Tried {
    std::string source;
    std::string why_not;  // empty: it gives credentials
  };
  // Those that were asked, in order.
  std::vector<Tried> tried() const;

 private:
  Result<Credentials> Find(const net::Call& call);  // by one thread at a time

  std::vector<SourcePtr> sources_;
  CredentialSource* winner_ = nullptr;
  mutable std::mutex mutex_;  // of what follows
  std::vector<Tried> tried_;
  CredentialCache cache_;  // last: uses all of the above
};

}  // namespace qarion::secrets::aws
