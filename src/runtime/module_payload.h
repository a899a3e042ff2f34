// What a module puts into its payload sink, checked and copied into secret memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "qarion/secrets/provider.h"
#include "qarion/secrets/provider_abi.h"

namespace qarion::secrets::runtime {

// Thread-safety: one thread at a time. Lifetime: the sink is valid as long as the object, which
// must not move.
class ModulePayload {
 public:
  // `fallback_origin`: said of values whose origin the module does not tell.
  explicit ModulePayload(std::string fallback_origin);
  ModulePayload(const ModulePayload&) = delete;
  ModulePayload& operator=(const ModulePayload&) = delete;

  const qarion_secrets_payload_sink& sink() const noexcept { return sink_; }

  std::optional<std::chrono::system_clock::time_point> expires_at() const noexcept {
    return payload_.expires_at;
  }

  const std::vector<Finding>& findings() const noexcept { return payload_.findings; }

  // What was put in. kBadData: an impossible or repeated name, a null pointer, JSON that cannot be
  // read, fields and JSON both, more than 10,000 fields or 1 MiB. kInternal: no version.
  Result<Payload> Take() &&;

 private:
  void AddField(const char* name, const char* value, std::size_t size, const char* origin);
  void AddJson(const char* json, std::size_t size, const char* origin);
  void AddFinding(bool is_error, const char* subject, const char* problem, const char* cure);
  void Refuse(ErrorCode code, std::string reason);

  static ModulePayload& Self(void* context) noexcept {
    return *static_cast<ModulePayload*>(context);
  }

  qarion_secrets_payload_sink sink_{};
  std::string fallback_origin_;
  Payload payload_;
  std::set<std::string, std::less<>> names_;
  std::size_t bytes_ = 0;
  bool has_json_ = false;
  std::optional<Error> problem_;  // the first
};

}  // namespace qarion::secrets::runtime
