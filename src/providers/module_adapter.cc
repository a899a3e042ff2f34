#include "providers/module_adapter.h"

#include <cstddef>
#include <stop_token>
#include <utility>

#include "core/secret_memory.h"
#include "core/system_clock.h"

namespace qarion::secrets::module {
namespace {

int StatusOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kBadData: return QARION_SECRETS_BAD_DATA;
    case ErrorCode::kUnavailable: return QARION_SECRETS_UNAVAILABLE;
    case ErrorCode::kTryAgain: return QARION_SECRETS_TRY_AGAIN;
    case ErrorCode::kNotPermitted: return QARION_SECRETS_NOT_PERMITTED;
    case ErrorCode::kInternal: return QARION_SECRETS_INTERNAL;
    default: return QARION_SECRETS_CONFIGURATION;
  }
}

int Report(const Error& error, const qarion_secrets_error_sink* sink) {
  sink->set(sink->context, error.reason().c_str(), error.cure().c_str());
  constexpr std::size_t kWithRepeat =
      offsetof(qarion_secrets_error_sink, do_not_repeat) + sizeof sink->do_not_repeat;
  if (error.IsTransient() && !error.IsWorthRepeating() && sink->size >= kWithRepeat) {
    sink->do_not_repeat(sink->context);
  }
  return StatusOf(error.code());
}

int ReportException(const qarion_secrets_error_sink* sink) {
  sink->set(sink->context, "an exception was thrown", nullptr);
  return QARION_SECRETS_INTERNAL;
}

std::int64_t UnixSeconds(std::chrono::system_clock::time_point time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

const FieldSet& EveryField() {
  static const FieldSet every = [] {
    FieldSet fields;
    static_cast<void>(fields.Add("*"));
    return fields;
  }();
  return every;
}

// Passes the host's request on for as long as it lives.
class Request {
 public:
  explicit Request(const qarion_secrets_request& asked)
      : asked_(asked),
        request_{.fields = EveryField(),
                 .known_version = asked.known_version,
                 .deadline =
                     core::SystemClock().SteadyNow() + std::chrono::milliseconds(asked.timeout_ms),
                 .stop = stop_.get_token()} {
    if (tells_of_cancelling()) {
      asked_.on_cancel(
          asked_.context, [](void* self) { static_cast<Request*>(self)->stop_.request_stop(); },
          this);
    }
  }
  ~Request() {
    if (tells_of_cancelling()) asked_.on_cancel(asked_.context, nullptr, nullptr);
  }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  const FetchRequest& get() const noexcept { return request_; }

 private:
  bool tells_of_cancelling() const noexcept {
    return asked_.size >= offsetof(qarion_secrets_request, on_cancel) + sizeof asked_.on_cancel &&
           asked_.on_cancel != nullptr;
  }

  const qarion_secrets_request& asked_;
  std::stop_source stop_;
  FetchRequest request_;
};

void AddFindings(const std::vector<Finding>& findings, const qarion_secrets_payload_sink* sink) {
  for (const Finding& finding : findings) {
    sink->add_finding(sink->context, finding.severity == Severity::kError ? 1 : 0,
                      finding.subject.c_str(), finding.problem.c_str(), finding.cure.c_str());
  }
}

struct Instance {
  core::SystemClock clock;
  std::unique_ptr<SecretProvider> provider;
  std::string source;  // made once: several threads ask for it
};

Instance& Of(void* instance) { return *static_cast<Instance*>(instance); }

int Fetch(void* instance, const qarion_secrets_request* asked,
          const qarion_secrets_payload_sink* sink,
          const qarion_secrets_error_sink* error) noexcept {
  try {
    auto payload = [&] {
      const Request request(*asked);
      return Of(instance).provider->Fetch(request.get());
    }();
    core::WipeTraces();
    if (!payload) return Report(payload.error(), error);
    if (payload->expires_at) {
      // Rounded up: what ends within this second has not ended yet.
      sink->set_expiry(
          sink->context,
          std::chrono::ceil<std::chrono::seconds>(payload->expires_at->time_since_epoch()).count());
    }
    if (payload->not_modified) return QARION_SECRETS_NOT_MODIFIED;
    sink->set_version(sink->context, payload->version.c_str());
    constexpr std::size_t kWithCreated =
        offsetof(qarion_secrets_payload_sink, set_created) + sizeof sink->set_created;
    if (payload->created_at && sink->size >= kWithCreated) {
      sink->set_created(sink->context, UnixSeconds(*payload->created_at));
    }
    for (const Field& field : payload->fields) {
      const std::string_view value = field.value.Reveal();
      sink->add_field(sink->context, field.name.c_str(), value.data(), value.size(),
                      field.origin.c_str());
    }
    AddFindings(payload->findings, sink);
    return QARION_SECRETS_OK;
  } catch (...) {
    return ReportException(error);
  }
}

const char* Source(void* instance) noexcept { return Of(instance).source.c_str(); }

void Describe(void* instance, const qarion_secrets_detail_sink* sink) noexcept {
  try {
    for (const auto& [name, text] : Of(instance).provider->Describe()) {
      sink->add(sink->context, name.c_str(), text.c_str());
    }
  } catch (...) {  // NOLINT(bugprone-empty-catch): then it tells nothing
  }
}

void Credentials(void* instance, void* context,
                 void (*add)(void* context, const char* value, std::size_t size)) noexcept {
  try {
    for (const Secret& credential : Of(instance).provider->Credentials()) {
      add(context, credential.Reveal().data(), credential.size());
    }
  } catch (...) {  // NOLINT(bugprone-empty-catch): none is known then
  }
}

void Diagnose(void* instance, const qarion_secrets_request* asked,
              const qarion_secrets_payload_sink* sink) noexcept {
  try {
    const Request request(*asked);
    AddFindings(Of(instance).provider->Diagnose(request.get()), sink);
  } catch (...) {  // NOLINT(bugprone-empty-catch): the fetch will fail too
  }
}

}  // namespace

int CreateInstance(CreateFunction create, const qarion_secrets_host* host,
                   const qarion_secrets_error_sink* error, void** instance) noexcept {
  try {
    const auto lookup = [host](const std::string& name) -> std::optional<std::string_view> {
      const char* text = host->setting(host->context, name.c_str());
      return text == nullptr ? std::nullopt : std::optional<std::string_view>(text);
    };
    auto made = std::make_unique<Instance>();
    auto provider = create(lookup, made->clock, [host](std::string_view line) {
      host->log(host->context, std::string(line).c_str());
    });
    if (!provider) return Report(provider.error(), error);
    made->provider = std::move(*provider);
    made->source = made->provider->Source();
    *instance = made.release();
    return QARION_SECRETS_OK;
  } catch (...) {
    return ReportException(error);
  }
}

qarion_secrets_provider_table TableWithoutCreate(const char* name) {
  return {.size = sizeof(qarion_secrets_provider_table),
          .abi_version = QARION_SECRETS_ABI_VERSION,
          .name = name,
          .create = nullptr,
          .destroy = [](void* instance) { delete static_cast<Instance*>(instance); },
          .fetch = Fetch,
          .source = Source,
          .describe = Describe,
          .credentials = Credentials,
          .diagnose = Diagnose};
}

}  // namespace qarion::secrets::module
