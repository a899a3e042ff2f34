// Tokens and keys of which something has to know which ones are in use.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "qarion/secrets/secret.h"

namespace qarion::secrets::core {

// Thread-safety: every member from several threads.
class HeldSecrets {
 public:
  // In place of the one that was held as `name`.
  void Hold(std::string_view name, const Secret& secret) {
    const std::lock_guard lock(mutex_);
    secrets_.insert_or_assign(std::string(name), secret.Share());
  }

  std::vector<Secret> All() const {
    const std::lock_guard lock(mutex_);
    std::vector<Secret> all;
    for (const auto& [name, secret] : secrets_) all.push_back(secret.Share());
    return all;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Secret> secrets_;
};

}  // namespace qarion::secrets::core
