#include "runtime/module_payload.h"

#include <algorithm>
#include <utility>

#include "core/files.h"
#include "core/json_fields.h"
#include "runtime/module_text.h"

namespace qarion::secrets::runtime {
namespace {

constexpr std::size_t kMaxFields = 10'000;
constexpr std::size_t kMaxFindings = 1'000;
// The year 2255: the library's time points count nanoseconds and end soon after.
constexpr std::int64_t kLatestTime = 9'000'000'000;

std::chrono::system_clock::time_point TimeOf(std::int64_t unix_seconds) {
  const std::chrono::seconds since_1970(std::clamp<std::int64_t>(unix_seconds, 0, kLatestTime));
  return std::chrono::system_clock::time_point(since_1970);
}

bool IsFieldName(std::string_view name) {
  return name.find('/') == std::string_view::npos && CanonicalFieldName(name).has_value();
}

}  // namespace

ModulePayload::ModulePayload(std::string fallback_origin)
    : fallback_origin_(std::move(fallback_origin)) {
  sink_.size = sizeof sink_;
  sink_.context = this;
  // Nothing may throw into the module: without memory the process ends, as for every Secret.
  sink_.set_version = [](void* context, const char* version) noexcept {
    Self(context).payload_.version = SafeText(version, "");
  };
  sink_.add_field = [](void* context, const char* name, const char* value, std::size_t size,
                       const char* origin) noexcept {
    Self(context).AddField(name, value, size, origin);
  };
  sink_.add_json_object = [](void* context, const char* json, std::size_t size,
                             const char* origin) noexcept {
    Self(context).AddJson(json, size, origin);
  };
  sink_.add_finding = [](void* context, int is_error, const char* subject, const char* problem,
                         const char* cure) noexcept {
    Self(context).AddFinding(is_error != 0, subject, problem, cure);
  };
  sink_.set_expiry = [](void* context, std::int64_t unix_seconds) noexcept {
    Self(context).payload_.expires_at = TimeOf(unix_seconds);
  };
  sink_.set_created = [](void* context, std::int64_t unix_seconds) noexcept {
    Self(context).payload_.created_at = TimeOf(unix_seconds);
  };
}

void ModulePayload::Refuse(ErrorCode code, std::string reason) {
  if (!problem_) problem_.emplace(code, std::move(reason));
}

void ModulePayload::AddField(const char* name, const char* value, std::size_t size,
                             const char* origin) {
  if (problem_) return;
  if (has_json_) return Refuse(ErrorCode::kBadData, "it gave both single fields and a JSON object");
  if (name == nullptr || !IsFieldName(name)) {
    return Refuse(ErrorCode::kBadData, "it gave a field whose name no field can have");
  }
  if (value == nullptr && size > 0) {
    return Refuse(ErrorCode::kBadData, std::string("it gave no value for the field ") + name);
  }
  if (!names_.emplace(name).second) {
    return Refuse(ErrorCode::kBadData, std::string("it gave the field ") + name + " twice");
  }
  if (names_.size() > kMaxFields) {
    return Refuse(ErrorCode::kBadData,
                  "it gave more than " + std::to_string(kMaxFields) + " fields");
  }
  if (size > core::kMaxFileBytes - bytes_) {
    return Refuse(ErrorCode::kBadData, "its values are longer than " +
                                           std::to_string(core::kMaxFileBytes) + " bytes together");
  }
  bytes_ += size;
  payload_.fields.push_back(
      {.name = name,
       .value = size == 0 ? Secret() : Secret::CopyOf(std::string_view(value, size)),
       .origin = SafeText(origin, fallback_origin_)});
}

void ModulePayload::AddJson(const char* json, std::size_t size, const char* origin) {
  if (problem_) return;
  if (!names_.empty() || std::exchange(has_json_, true)) {
    return Refuse(ErrorCode::kBadData, "it gave a JSON object beside other fields");
  }
  if (json == nullptr) return Refuse(ErrorCode::kBadData, "it gave no JSON object");
  auto fields =
      core::FieldsFromJson(std::string_view(json, size), SafeText(origin, fallback_origin_));
  if (fields) {
    payload_.fields = std::move(*fields);
  } else {
    problem_ = std::move(fields).error();
  }
}

void ModulePayload::AddFinding(bool is_error, const char* subject, const char* problem,
                               const char* cure) {
  if (payload_.findings.size() >= kMaxFindings) return;
  payload_.findings.push_back({.severity = is_error ? Severity::kError : Severity::kWarning,
                               .subject = SafeText(subject, fallback_origin_),
                               .problem = SafeText(problem, "has a problem that was not described"),
                               .cure = SafeText(cure, "")});
}

Result<Payload> ModulePayload::Take() && {
  if (problem_) return std::move(*problem_);
  if (payload_.version.empty()) return Error(ErrorCode::kInternal, "it gave no version");
  return std::move(payload_);
}

}  // namespace qarion::secrets::runtime
