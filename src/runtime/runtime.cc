#include "qarion/secrets/runtime.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <span>
#include <utility>

#include "cache/snapshot_cache.h"
#include "core/environment.h"
#include "core/secret_memory.h"
#include "core/settings.h"
#include "core/spelling.h"
#include "runtime/cache_settings.h"
#include "runtime/field_rules.h"
#include "runtime/masked_values.h"
#include "runtime/provider_registry.h"
#include "runtime/scrub_settings.h"

namespace qarion::secrets {
namespace {

bool IsError(const Finding& finding) { return finding.severity == Severity::kError; }

void SortBySeverity(std::vector<Finding>& findings) {
  std::vector<Finding> sorted;
  for (const bool errors : {true, false}) {
    for (Finding& finding : findings) {
      if (IsError(finding) == errors) sorted.push_back(std::move(finding));
    }
  }
  findings = std::move(sorted);
}

Error Unmanaged(std::string_view name, const FieldSet& fields) {
  Error error(ErrorCode::kUsage, "'" + std::string(name) + "' is not a managed field");
  if (const auto nearest = core::Nearest(name, fields.names())) {
    return std::move(error).Cure("did you mean " + std::string(*nearest) +
                                 "? Further fields are named in SECRETS_FIELDS");
  }
  return std::move(error).Cure(
      "add it to SECRETS_FIELDS, or run `qsecrets list` for those there are");
}

Error NotSet(std::string_view name, std::string_view backend) {
  const std::string field(name);
  std::string cure = backend == "env" ? "set " + field + " in the environment or in .env, or " +
                                            field + "_FILE to a file that holds it"
                                      : "add the key " + field + " to the secret";
  return Error(ErrorCode::kNotSet,
               field + " is not set in the backend '" + std::string(backend) + "'")
      .With("field", field)
      .Cure(std::move(cure));
}

Change Difference(const Snapshot& before, const Snapshot& after) {
  std::vector<std::string> names;
  for (const Field& field : after.fields()) {
    const Secret* old = before.Find(field.name);
    if (old == nullptr || !old->ConstantTimeEquals(field.value)) names.push_back(field.name);
  }
  for (const Field& field : before.fields()) {
    if (after.Find(field.name) == nullptr) names.push_back(field.name);
  }
  return Change(std::move(names));
}

}  // namespace

std::string_view ToString(Freshness freshness) noexcept {
  switch (freshness) {
    case Freshness::kFresh: return "fresh";
    case Freshness::kStale: return "stale";
    case Freshness::kExpired: return "expired";
  }
  return "expired";
}

bool Change::Has(std::string_view name) const noexcept {
  return std::find(fields_.begin(), fields_.end(), name) != fields_.end();
}

class Runtime::Impl {
 public:
  static Result<std::unique_ptr<Impl>> Create(RuntimeOptions options);

  Result<Secret> Get(std::string_view reference);
  Result<std::vector<Finding>> Check();
  static Examination Examine(RuntimeOptions options);
  RuntimeStatus status() const;

  cache::SnapshotCache& cache() noexcept { return *cache_; }
  Scrubber& scrubber() noexcept { return *scrubber_; }
  const FieldSet& fields() const noexcept { return fields_; }
  Error Missing(std::string_view name) const;

 private:
  Status Configure(RuntimeOptions& options);
  Result<cache::Fetched> Fetch(const cache::FetchContext& context);
  std::vector<NamedSecret> Credentials() const;

  core::ProcessEnvironment environment_;
  core::Settings settings_;
  std::string backend_;
  FieldSet fields_ = FieldSet::BuiltIn();
  std::optional<Scrubber> scrubber_;
  std::optional<runtime::MaskedValues> masked_values_;
  std::optional<runtime::MaskedValues> masked_credentials_;
  std::shared_ptr<Clock> clock_;
  std::function<void(std::string_view)> log_;
  std::unique_ptr<SecretProvider> provider_;
  std::unique_ptr<cache::SnapshotCache> cache_;  // last: its thread uses all of the above
};

Result<std::unique_ptr<Runtime::Impl>> Runtime::Impl::Create(RuntimeOptions options) {
  auto impl = std::make_unique<Impl>();
  const Status configured = impl->Configure(options);
  core::WipeTraces();  // of the `.env` file
  if (!configured) {
    return configured.error();
  }
  if (Status started = impl->cache_->Start(); !started) return std::move(started).error();
  return impl;
}

Status Runtime::Impl::Configure(RuntimeOptions& options) {
  clock_ = options.clock ? std::move(options.clock) : Clock::System();
  log_ = options.log ? std::move(options.log) : [](std::string_view) {};
  core::SetSecretMemoryWarningHandler(log_);

  auto settings = core::Settings::Load(environment_, std::move(options.settings));
  if (!settings) return std::move(settings).error();
  settings_ = std::move(*settings);

  auto backend = settings_.Text("SECRETS_BACKEND", "env");
  auto kept = runtime::ReadCacheSettings(settings_);
  auto scrubbing = runtime::ReadScrubSettings(settings_, std::move(options.scrubbing));
  auto listed = settings_.List("SECRETS_FIELDS");
  auto log_level = settings_.Text("QARION_SECRETS_LOG", "info");
  if (!backend) return std::move(backend).error();
  if (!log_level) return std::move(log_level).error();
  if (*log_level != "info" && *log_level != "debug") {
    return Error(ErrorCode::kConfiguration, "QARION_SECRETS_LOG is neither info nor debug")
        .With("setting", "QARION_SECRETS_LOG")
        .Cure("write info or debug, or leave it out for info");
  }
  if (!kept) return std::move(kept).error();
  if (!scrubbing) return std::move(scrubbing).error();
  if (!listed) return std::move(listed).error();
  scrubber_.emplace(std::move(*scrubbing));
  backend_ = std::move(*backend);

  for (const std::string& name : *listed) {
    if (Status added = fields_.Add(name); !added) {
      return Error(added.error().code(), "SECRETS_FIELDS: " + added.error().reason())
          .With("setting", "SECRETS_FIELDS")
          .Cure(added.error().cure());
    }
  }
  for (const std::string& name : options.fields) {
    if (Status added = fields_.Add(name); !added) return added;
  }

  if (options.provider) {
    provider_ = std::move(options.provider);
  } else {
    auto opened = runtime::OpenProvider(
        backend_, core::ProviderContext{.settings = settings_, .clock = *clock_, .log = log_});
    if (!opened) return std::move(opened).error();
    provider_ = std::move(*opened);
  }
  scrubber_->Add(Credentials());  // for good: the settings stay as they are

  // As long as a snapshot may be served, and an hour at least.
  const auto grace =
      std::max<std::chrono::seconds>(kept->ttl + kept->max_stale, std::chrono::hours(1));
  masked_values_.emplace(*scrubber_, grace);
  masked_credentials_.emplace(*scrubber_, grace);
  cache_ = std::make_unique<cache::SnapshotCache>(
      cache::CacheOptions{
          .ttl = kept->ttl, .max_stale = kept->max_stale, .start_timeout = options.start_timeout},
      [this](const cache::FetchContext& context) { return Fetch(context); }, clock_,
      std::make_unique<core::SystemRandom>(), log_);
  return {};
}

Result<cache::Fetched> Runtime::Impl::Fetch(const cache::FetchContext& context) {
  auto payload = provider_->Fetch(FetchRequest{.fields = fields_,
                                               .known_version = std::string(context.known_version),
                                               .deadline = context.deadline,
                                               .stop = context.stop});
  // Whatever came of it: it may have logged in.
  masked_credentials_->Take(Credentials(), clock_->SteadyNow());
  core::WipeTraces();
  if (!payload) return std::move(payload).error();
  if (payload->not_modified) return cache::Fetched{.expires_at = payload->expires_at};

  // Fetched means scrubbed: also what is not managed, and before any caller can see it.
  std::vector<NamedSecret> fetched;
  fetched.reserve(payload->fields.size());
  for (const Field& field : payload->fields) {
    fetched.push_back({.name = field.name, .value = field.value.Share()});
  }
  masked_values_->Take(std::move(fetched), clock_->SteadyNow());
  std::erase_if(payload->fields,
                [this](const Field& field) { return !fields_.Contains(field.name); });
  return cache::Fetched{.snapshot = std::make_shared<const Snapshot>(
                            Snapshot::Contents{.backend = backend_,
                                               .version = std::move(payload->version),
                                               .fetched_at = clock_->SteadyNow(),
                                               .fetched_at_system = clock_->SystemNow(),
                                               .created_at = payload->created_at,
                                               .fields = std::move(payload->fields),
                                               .findings = std::move(payload->findings)}),
                        .expires_at = payload->expires_at};
}

std::vector<NamedSecret> Runtime::Impl::Credentials() const {
  std::vector<NamedSecret> named;
  for (Secret& credential : provider_->Credentials()) {
    named.push_back({.name = "backend credential", .value = std::move(credential)});
  }
  return named;
}

Error Runtime::Impl::Missing(std::string_view name) const {
  return fields_.Contains(name) ? NotSet(name, backend_) : Unmanaged(name, fields_);
}

Result<Secret> Runtime::Impl::Get(std::string_view reference) {
  std::string canonical;
  std::string_view name = reference;
  if (reference.find('/') != std::string_view::npos) {
    auto converted = CanonicalFieldName(reference);
    if (!converted) return std::move(converted).error();
    name = canonical = std::move(*converted);
  }
  auto found = cache_->Find(name);
  if (!found) return std::move(found).error();
  if (*found) return std::move(**found);
  // The name may be a value put in the wrong place; only what looks like a name is shown.
  if (auto checked = CanonicalFieldName(name); !checked) return std::move(checked).error();
  return Missing(name);
}

Result<std::vector<Finding>> Runtime::Impl::Check() {
  auto snapshot = cache_->Current();
  if (!snapshot) return std::move(snapshot).error();
  std::vector<Finding> findings = runtime::CheckFields(**snapshot);
  std::ranges::copy((*snapshot)->findings(), std::back_inserter(findings));
  SortBySeverity(findings);
  return findings;
}

Examination Runtime::Impl::Examine(RuntimeOptions options) {
  Examination examination;
  Impl impl;
  const auto start_timeout = options.start_timeout;
  Status done = impl.Configure(options);
  core::WipeTraces();
  if (done) {
    examination.backend = impl.backend_;
    const std::stop_source never;
    examination.findings =
        impl.provider_->Diagnose({.fields = impl.fields_,
                                  .deadline = impl.clock_->SteadyNow() + start_timeout,
                                  .stop = never.get_token()});
    core::WipeTraces();
    examination.details = impl.provider_->Describe();
    // What is in the way is known then, and better than a fetch could say it.
    if (std::ranges::any_of(examination.findings, IsError)) {
      SortBySeverity(examination.findings);
      return examination;
    }
    done = impl.cache_->Start();
  }
  if (done) {
    auto found = impl.Check();
    if (found) std::ranges::move(*found, std::back_inserter(examination.findings));
    const RuntimeStatus status = impl.status();
    examination.fields_set = status.fields_set;
    examination.details = status.details;
  } else {
    examination.failure = std::move(done).error();
  }
  SortBySeverity(examination.findings);
  return examination;
}

RuntimeStatus Runtime::Impl::status() const {
  const cache::CacheStatus cached = cache_->status();
  RuntimeStatus status{.backend = backend_, .source = provider_->Source()};
  if (cached.snapshot) {
    status.version = cached.snapshot->version();
    status.fields_set = cached.snapshot->fields().size();
    status.created_at = cached.snapshot->created_at();
    status.fetched_at = cached.snapshot->fetched_at_system();
  }
  status.age = cached.age;
  status.freshness = cached.expired ? Freshness::kExpired
                     : cached.fresh ? Freshness::kFresh
                                    : Freshness::kStale;
  status.next_refresh_in = cached.next_refresh_in;
  status.last_error = cached.last_error;
  status.details = provider_->Describe();
  for (const std::string_view name : core::GeneralSettings()) {
    const auto setting = settings_.Find(name);
    if (!setting) continue;
    // Values of fields, if harmless ones.
    const bool is_shown = name != "SECRETS_SCRUB_ALLOW";
    status.settings.push_back(
        {std::string(name), is_shown ? std::string(setting->text) : "", setting->source});
  }
  // Of the backend's own no value is shown: which of them are credentials is not known here.
  for (auto& [name, source] : provider_->SettingsRead()) {
    const bool is_listed =
        std::ranges::find(status.settings, name, &SettingInUse::name) != status.settings.end();
    if (is_listed || name == "HOME") continue;
    status.settings.push_back({.name = name, .value = "", .source = source});
  }
  return status;
}

class Reader::Impl {
 public:
  explicit Impl(Runtime::Impl& runtime) : runtime_(&runtime), reader_(runtime.cache()) {}

  Result<const Secret*> Find(std::string_view name) {
    const Snapshot* snapshot = reader_.Pinned();
    if (snapshot == nullptr) [[unlikely]] {
      auto current = reader_.Current();
      if (!current) return std::move(current).error();
      snapshot = *current;
    }
    if (const Secret* found = snapshot->Find(name)) [[likely]]
      return found;
    return runtime_->Missing(name);
  }

  Result<const Snapshot*> Latest() {
    if (const Snapshot* pinned = reader_.Pinned()) return pinned;
    return reader_.Current();
  }

 private:
  Runtime::Impl* runtime_;
  cache::SnapshotCache::Reader reader_;
};

Reader::Reader(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;
Reader::~Reader() = default;

Result<const Secret*> Reader::Find(std::string_view name) { return impl_->Find(name); }
Result<const Snapshot*> Reader::Latest() { return impl_->Latest(); }

Runtime::Runtime(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Runtime::Runtime(Runtime&&) noexcept = default;
Runtime& Runtime::operator=(Runtime&&) noexcept = default;
Runtime::~Runtime() = default;

Result<Runtime> Runtime::FromEnvironment() { return Create({}); }

Result<Runtime> Runtime::Create(RuntimeOptions options) {
  auto impl = Impl::Create(std::move(options));
  if (!impl) return std::move(impl).error();
  return Runtime(std::move(*impl));
}

Result<Secret> Runtime::Get(std::string_view name) const { return impl_->Get(name); }

Result<std::shared_ptr<const Snapshot>> Runtime::TakeSnapshot() const {
  return impl_->cache().Current();
}

Reader Runtime::NewReader() const { return Reader(std::make_unique<Reader::Impl>(*impl_)); }

Status Runtime::Refresh() { return impl_->cache().Refresh(); }

Status Runtime::RefreshSparingly(std::chrono::milliseconds patience,
                                 std::chrono::milliseconds pause) {
  return impl_->cache().RefreshSparingly(patience, pause);
}

Subscription Runtime::OnChange(std::function<void(const Change&)> callback) {
  return Subscription(impl_->cache().Subscribe(
      [callback = std::move(callback)](const Snapshot& before, const Snapshot& after) {
        const Change change = Difference(before, after);
        if (!change.fields().empty()) callback(change);
      }));
}

Examination Runtime::Examine(RuntimeOptions options) { return Impl::Examine(std::move(options)); }
Scrubber& Runtime::scrubber() const noexcept { return impl_->scrubber(); }
Result<std::vector<Finding>> Runtime::Check() const { return impl_->Check(); }
const FieldSet& Runtime::fields() const noexcept { return impl_->fields(); }
RuntimeStatus Runtime::status() const { return impl_->status(); }

}  // namespace qarion::secrets
