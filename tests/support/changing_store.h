// A store whose content the test decides.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "qarion/secrets/provider.h"

namespace qarion::secrets::test {

class ChangingStore final : public SecretProvider {
 public:
  struct Content {
    std::mutex mutex;
    std::map<std::string, std::string> values;
    int version = 1;
    int fetches = 0;
    bool is_down = false;
  };
  explicit ChangingStore(Content& content) : content_(content) {}

  Result<Payload> Fetch(const FetchRequest& /*request*/) override {
    const std::lock_guard lock(content_.mutex);
    ++content_.fetches;
    if (content_.is_down) return Error(ErrorCode::kUnavailable, "the store is down").Cure("wait");
    Payload payload;
    payload.version = std::to_string(content_.version);
    for (const auto& [name, value] : content_.values) {
      payload.fields.push_back({name, Secret::CopyOf(value), "store"});
    }
    return payload;
  }
  std::string Source() const override { return "a map"; }

 private:
  Content& content_;
};

}  // namespace qarion::secrets::test
