// HMAC-SHA256 (RFC 2104) of many messages under one key.
#pragma once

#include <memory>
#include <string_view>

#include "crypto/sha256.h"

namespace qarion::secrets::crypto {

// The key is hashed once, not with each message: for a short one that is half of the work. What
// became of it, which is as good as the key, lies in secret memory alone, where OpenSSL's own
// contexts of this kind would lie in the heap.
//
// Thread-safety: one thread at a time.
class KeyedHmac {
 public:
  explicit KeyedHmac(std::string_view key);
  KeyedHmac(KeyedHmac&&) noexcept;
  KeyedHmac& operator=(KeyedHmac&&) noexcept;
  ~KeyedHmac();

  // Allocates nothing.
  Sha256Digest Of(std::string_view message) noexcept;

 private:
  struct States;
  struct Release {
    void operator()(States* states) const noexcept;
  };
  std::unique_ptr<States, Release> states_;
};

}  // namespace qarion::secrets::crypto
