#include "runtime/module_provider.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "core/files.h"
#include "runtime/module_payload.h"
#include "runtime/module_text.h"

namespace qarion::secrets::runtime {
namespace {

std::string Named(std::string_view backend) { return "the backend '" + std::string(backend) + "'"; }

Error Defect(std::string_view backend, std::string_view what) {
  return Error(ErrorCode::kInternal, Named(backend) + " " + std::string(what))
      .With("backend", std::string(backend))
      .Cure("this is a defect of its module: report it to whoever provides it");
}

std::optional<ErrorCode> CodeOf(int status) {
  switch (status) {
    case QARION_SECRETS_BAD_DATA: return ErrorCode::kBadData;
    case QARION_SECRETS_UNAVAILABLE: return ErrorCode::kUnavailable;
    case QARION_SECRETS_TRY_AGAIN: return ErrorCode::kTryAgain;
    case QARION_SECRETS_NOT_PERMITTED: return ErrorCode::kNotPermitted;
    case QARION_SECRETS_CONFIGURATION: return ErrorCode::kConfiguration;
    case QARION_SECRETS_INTERNAL: return ErrorCode::kInternal;
    default: return std::nullopt;
  }
}

// Keeps what a module says of its failure.
class ErrorSink {
 public:
  ErrorSink() {
    sink_.size = sizeof sink_;
    sink_.context = this;
    sink_.set = [](void* context, const char* reason, const char* cure) noexcept {
      auto& self = *static_cast<ErrorSink*>(context);
      self.reason_ = SafeText(reason, "");
      self.cure_ = SafeText(cure, "");
    };
    sink_.do_not_repeat = [](void* context) noexcept {
      static_cast<ErrorSink*>(context)->is_repeatable_ = false;
    };
  }
  ErrorSink(const ErrorSink&) = delete;
  ErrorSink& operator=(const ErrorSink&) = delete;

  const qarion_secrets_error_sink& sink() const noexcept { return sink_; }

  Error ToError(std::string_view backend, int status) && {
    const auto code = CodeOf(status);
    if (!code) return Defect(backend, "returned the unknown status " + std::to_string(status));
    const std::string reason =
        reason_.empty() ? " failed without saying why (" + std::string(ToString(*code)) + ")"
                        : ": " + reason_;
    Error error = Error(*code, Named(backend) + reason)
                      .With("backend", std::string(backend))
                      .Cure(std::move(cure_));
    return is_repeatable_ ? std::move(error) : std::move(error).NotToBeRepeated();
  }

 private:
  qarion_secrets_error_sink sink_{};
  std::string reason_;
  std::string cure_;
  bool is_repeatable_ = true;
};

// Answers a module's questions about settings and takes its log lines.
class Host {
 public:
  Host(std::string backend, const core::ProviderContext& context)
      : prefix_(std::move(backend) + ": "), settings_(&context.settings), log_(context.log) {
    host_.size = sizeof host_;
    host_.context = this;
    host_.setting = [](void* self, const char* name) noexcept {
      return static_cast<Host*>(self)->Setting(name);
    };
    host_.log = [](void* self, const char* line) noexcept { static_cast<Host*>(self)->Log(line); };
  }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  const qarion_secrets_host* get() const noexcept { return &host_; }

  // Ends the life of all settings handed out.
  void EndOfCreate() {
    settings_ = nullptr;
    handed_out_.clear();
  }

  const std::vector<std::pair<std::string, std::string>>& found() const noexcept { return found_; }

  void Log(const char* line) const noexcept {
    try {
      log_(prefix_ + SafeText(line, "(an empty line)"));
    } catch (...) {  // NOLINT(bugprone-empty-catch)
      // What receives the log is the caller's; nothing of it may be thrown into the module.
    }
  }

 private:
  const char* Setting(const char* name) {
    if (name == nullptr || settings_ == nullptr) return nullptr;
    const auto found = settings_->Find(name);
    if (!found) return nullptr;
    if (std::ranges::find(found_, name, &std::pair<std::string, std::string>::first) ==
        found_.end()) {
      found_.emplace_back(name, found->source);
    }
    // A setting may be a credential, so its copy with the zero byte is a secret too.
    SecretBuffer text(found->text.size() + 1);
    text.Append(found->text);
    text.Append('\0');
    const std::lock_guard lock(mutex_);
    handed_out_.push_back(std::move(text).Seal());
    return handed_out_.back().Reveal().data();
  }

  qarion_secrets_host host_{};
  std::string prefix_;
  const core::Settings* settings_;
  std::function<void(std::string_view)> log_;
  std::mutex mutex_;                                        // a module may ask from several threads
  std::vector<std::pair<std::string, std::string>> found_;  // names and sources
  std::vector<Secret> handed_out_;
};

// What the module may ask while it fetches.
class RequestContext {
 public:
  RequestContext(const FetchRequest& request, const Clock& clock)
      : request_(request), clock_(clock) {
    // Not less than there is: what runs out of time should not do so before the deadline.
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(request.deadline - clock.SteadyNow());
    asked_ = {.size = sizeof asked_,
              .known_version = request.known_version.c_str(),
              .timeout_ms = std::max<std::int64_t>(left.count(), 0),
              .wanted = Wanted,
              .cancelled = Cancelled,
              .context = this,
              .on_cancel = OnCancel};
  }
  RequestContext(const RequestContext&) = delete;
  RequestContext& operator=(const RequestContext&) = delete;

  const qarion_secrets_request* get() const noexcept { return &asked_; }

 private:
  static int Wanted(void* context, const char* name) noexcept {
    const auto& self = *static_cast<const RequestContext*>(context);
    return name != nullptr && self.request_.fields.Contains(name) ? 1 : 0;
  }
  static int Cancelled(void* context) noexcept {
    const auto& self = *static_cast<const RequestContext*>(context);
    const bool is_late = self.clock_.SteadyNow() >= self.request_.deadline;
    return self.request_.stop.stop_requested() || is_late ? 1 : 0;
  }
  static void OnCancel(void* context, void (*wake)(void*), void* argument) noexcept {
    const auto& self = *static_cast<const RequestContext*>(context);
    self.waking_.reset();  // waits for a call under way
    if (wake == nullptr) return;
    self.waking_.emplace(self.request_.stop, [wake, argument] { wake(argument); });
  }

  const FetchRequest& request_;
  const Clock& clock_;
  qarion_secrets_request asked_{};
  // Set by the module through its request.
  mutable std::optional<std::stop_callback<std::function<void()>>> waking_;
};

class ModuleProvider final : public SecretProvider {
 public:
  ModuleProvider(const qarion_secrets_provider_table& table, const core::ProviderContext& context)
      : table_(table), clock_(context.clock), host_(table.name, context) {}
  ModuleProvider(const ModuleProvider&) = delete;
  ModuleProvider& operator=(const ModuleProvider&) = delete;

  ~ModuleProvider() override {
    if (instance_ == nullptr) return;
    try {
      table_.destroy(instance_);
    } catch (...) {
      host_.Log("threw an exception while it was destroyed");
    }
  }

  Status Create() {
    ErrorSink error;
    int status = QARION_SECRETS_INTERNAL;
    try {
      status = table_.create(host_.get(), &error.sink(), &instance_);
    } catch (...) {
      instance_ = nullptr;
      return Defect(table_.name, "threw an exception while it was created");
    }
    host_.EndOfCreate();
    if (status != QARION_SECRETS_OK) {
      instance_ = nullptr;  // a failed create() leaves nothing to destroy
      return std::move(error).ToError(table_.name, status);
    }
    if (instance_ == nullptr) return Defect(table_.name, "made no instance");
    return {};
  }

  Result<Payload> Fetch(const FetchRequest& request) override {
    const RequestContext context(request, clock_);
    ModulePayload payload(Named(table_.name));
    ErrorSink error;
    int status = QARION_SECRETS_INTERNAL;
    try {
      status = table_.fetch(instance_, context.get(), &payload.sink(), &error.sink());
    } catch (...) {
      return Defect(table_.name, "threw an exception while it fetched");
    }
    if (status == QARION_SECRETS_OK) return Accept(std::move(payload));
    if (status != QARION_SECRETS_NOT_MODIFIED) {
      return std::move(error).ToError(table_.name, status);
    }
    if (request.known_version.empty()) {
      return Defect(table_.name, "answered 'not modified' though no version was known");
    }
    return Payload{
        .version = request.known_version, .not_modified = true, .expires_at = payload.expires_at()};
  }

  std::string Source() const override {
    std::string fallback = "module " + std::string(table_.name);
    try {
      const std::lock_guard lock(source_mutex_);  // its text lasts until the next call
      return SafeText(table_.source(instance_), fallback);
    } catch (...) {
      return fallback;
    }
  }

  std::vector<std::pair<std::string, std::string>> Describe() const override {
    std::vector<std::pair<std::string, std::string>> details;
    if (!HasMember(offsetof(qarion_secrets_provider_table, describe)) ||
        table_.describe == nullptr) {
      return details;
    }
    qarion_secrets_detail_sink sink{};
    sink.size = sizeof sink;
    sink.context = &details;
    sink.add = [](void* context, const char* name, const char* text) noexcept {
      auto& all = *static_cast<decltype(details)*>(context);
      if (all.size() < kMaxDetails) all.emplace_back(SafeText(name, "detail"), SafeText(text, ""));
    };
    try {
      table_.describe(instance_, &sink);
    } catch (...) {
      host_.Log("threw an exception while it described itself");
    }
    return details;
  }

  std::vector<std::pair<std::string, std::string>> SettingsRead() const override {
    return host_.found();
  }

  std::vector<Secret> Credentials() const override {
    std::vector<Secret> all;
    if (!HasMember(offsetof(qarion_secrets_provider_table, credentials)) ||
        table_.credentials == nullptr) {
      return all;
    }
    const auto add = [](void* context, const char* value, std::size_t size) noexcept {
      auto& taken = *static_cast<std::vector<Secret>*>(context);
      if (value == nullptr || size > core::kMaxFileBytes || taken.size() >= kMaxCredentials) return;
      taken.push_back(Secret::CopyOf({value, size}));
    };
    try {
      table_.credentials(instance_, &all, add);
    } catch (...) {
      host_.Log("threw an exception while it gave its credentials");
    }
    return all;
  }

  std::vector<Finding> Diagnose(const FetchRequest& request) override {
    if (!HasMember(offsetof(qarion_secrets_provider_table, diagnose)) ||
        table_.diagnose == nullptr) {
      return {};
    }
    const RequestContext context(request, clock_);
    // NOLINTNEXTLINE(misc-const-correctness): the module writes to it through its sink
    ModulePayload payload(Named(table_.name));
    try {
      table_.diagnose(instance_, context.get(), &payload.sink());
    } catch (...) {
      host_.Log("threw an exception while it examined itself");
    }
    return payload.findings();
  }

 private:
  static constexpr std::size_t kMaxDetails = 100;
  static constexpr std::size_t kMaxCredentials = 1000;  // a file of profiles may hold many

  // Whether the module knows the member, a function, at that offset of its table.
  bool HasMember(std::size_t offset) const noexcept {
    return table_.size >= offset + sizeof(void*);
  }

  Result<Payload> Accept(ModulePayload&& payload) const {
    auto taken = std::move(payload).Take();
    if (taken) return taken;
    const Error& error = taken.error();
    if (error.code() == ErrorCode::kInternal) return Defect(table_.name, error.reason());
    return Error(error.code(),
                 Named(table_.name) + " gave a secret that cannot be used: " + error.reason())
        .With("backend", table_.name)
        .Cure(error.cure());
  }

  const qarion_secrets_provider_table& table_;
  const Clock& clock_;
  Host host_;
  void* instance_ = nullptr;
  mutable std::mutex source_mutex_;
};

}  // namespace

Result<std::unique_ptr<SecretProvider>> CreateModuleProvider(
    const qarion_secrets_provider_table& table, const core::ProviderContext& context) {
  auto provider = std::make_unique<ModuleProvider>(table, context);
  if (Status created = provider->Create(); !created) return std::move(created).error();
  return std::unique_ptr<SecretProvider>(std::move(provider));
}

}  // namespace qarion::secrets::runtime
