#include <algorithm>
#include <utility>

#include "qarion/secrets/rotation.h"
#include "rotate/audit_id.h"
#include "rotate/default_plan.h"
#include "rotate/pipe.h"
#include "rotate/plan.h"
#include "rotate/rotation_keys.h"
#include "rotate/rotation_run.h"
#include "rotate/store.h"
#include "rotate/store_module.h"
#include "rotate/verification.h"

namespace qarion::secrets {
namespace {

using rotate::Plan;
using rotate::RunContext;
using rotate::Store;
using rotate::Target;

std::optional<AuditEntry> AsEntry(std::optional<rotate::AuditRecord> record) {
  if (!record) return std::nullopt;
  return AuditEntry{.id = std::move(record->id),
                    .finished_at = std::move(record->finished_at),
                    .tool = std::move(record->tool),
                    .new_key = std::move(record->new_key),
                    .old_keys = std::move(record->old_keys)};
}

Result<Plan> ChosenPlan(const std::optional<std::string>& text, const std::string& name) {
  return text ? rotate::ParsePlan(*text, name)
              : rotate::ParsePlan(rotate::DefaultPlan(), "the built-in plan");
}

}  // namespace

std::string_view ToString(RotationOutcome outcome) noexcept {
  switch (outcome) {
    case RotationOutcome::kCommitted: return "committed";
    case RotationOutcome::kNothingToDo: return "nothing_to_do";
    case RotationOutcome::kDryRun: return "dry_run";
    case RotationOutcome::kRolledBack: return "rolled_back";
    case RotationOutcome::kUnknown: return "unknown";
  }
  return "unknown";
}

Result<RotationStatus> ReadRotationStatus(const DatabaseAccess& access,
                                          const std::optional<std::string>& plan_text,
                                          const std::string& plan_name) {
  const auto plan = ChosenPlan(plan_text, plan_name);
  if (!plan) return plan.error();
  auto store = rotate::OpenStore({access.database, access.password.Reveal(), access.lock_timeout});
  if (!store) return std::move(store).error();
  auto is_running = (*store)->IsBusy();
  if (!is_running) return std::move(is_running).error();
  auto audit = (*store)->FindAudit(*plan, {});
  if (!audit) return std::move(audit).error();
  RotationStatus status{.database = (*store)->Description(),
                        .is_running = *is_running,
                        .latest = AsEntry(*std::move(audit))};
  const auto targets = (*store)->Resolve(*plan);
  if (!targets) {
    if (targets.error().code() != ErrorCode::kConfiguration) return targets.error();
    status.plan_problem = targets.error().reason();
    return status;
  }
  for (const Target& target : *targets) {
    status.tables.push_back({target.Title(), target.estimated_rows, target.bytes});
  }
  return status;
}

class KeyRotation::Impl {
 public:
  Impl(RotationOptions options, Plan plan, std::unique_ptr<Store> store,
       std::vector<Target> targets)
      : options_(std::move(options)),
        plan_(std::move(plan)),
        store_(std::move(store)),
        targets_(std::move(targets)) {
    keys_.push_back(options_.new_key.Share());
    for (const FernetKey& key : options_.old_keys) keys_.push_back(key.Share());
  }

  RunContext Context() { return {*store_, plan_, targets_, keys_, options_}; }
  Store& store() { return *store_; }
  const Plan& plan() const { return plan_; }
  std::span<const Target> targets() const { return targets_; }
  const RotationOptions& options() const { return options_; }

 private:
  const RotationOptions options_;
  const Plan plan_;
  const std::unique_ptr<Store> store_;
  const std::vector<Target> targets_;
  std::vector<FernetKey> keys_;
};

KeyRotation::KeyRotation(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
KeyRotation::KeyRotation(KeyRotation&&) noexcept = default;
KeyRotation& KeyRotation::operator=(KeyRotation&&) noexcept = default;
KeyRotation::~KeyRotation() = default;

Result<KeyRotation> KeyRotation::Open(RotationOptions options) {
  if (Status checked = rotate::CheckKeys(options); !checked) return checked.error();
  auto plan = ChosenPlan(options.plan, options.plan_name);
  if (!plan) return std::move(plan).error();
  auto store =
      rotate::OpenStore({options.database, options.password.Reveal(), options.lock_timeout});
  if (!store) return std::move(store).error();
  auto targets = (*store)->Resolve(*plan);
  if (!targets) return std::move(targets).error();
  return KeyRotation(std::make_unique<Impl>(std::move(options), *std::move(plan), *std::move(store),
                                            *std::move(targets)));
}

std::string KeyRotation::Database() const { return impl_->store().Description(); }

Result<std::vector<Finding>> KeyRotation::Examine() {
  if (Status there = rotate::CheckThereIsAnOldKey(impl_->options()); !there) return there.error();
  return impl_->store().Examine(impl_->plan(), impl_->targets());
}

RotationReport KeyRotation::Rotate() {
  const RunContext context = impl_->Context();
  RotationReport report{.database = context.store.Description(),
                        .new_key = context.keys.front().fingerprint()};
  for (const FernetKey& key : context.keys.subspan(1)) report.old_keys.push_back(key.fingerprint());
  auto id = rotate::NewAuditId();
  if (!id) {
    report.error = std::move(id).error();
    return report;
  }
  report.id = *std::move(id);
  if (Status there = rotate::CheckThereIsAnOldKey(context.options); !there) {
    report.error = std::move(there).error();
    return report;
  }
  Status done;
  {
    const std::stop_callback cancel(context.options.stop, [&] { context.store.Cancel(); });
    done = rotate::RotationRun(context, report).Run();
  }
  if (done) return report;
  report.error = std::move(done).error();
  if (report.outcome == RotationOutcome::kUnknown) return report;
  report.outcome = RotationOutcome::kRolledBack;
  context.store.Rollback();
  return report;
}

Result<VerificationReport> KeyRotation::Verify(std::string_view rotation) {
  const RunContext context = impl_->Context();
  const std::stop_callback cancel(context.options.stop, [&] { context.store.Cancel(); });
  if (!rotation.empty()) {
    auto is_busy = context.store.IsBusy();
    if (!is_busy) return std::move(is_busy).error();
    if (*is_busy) {
      return Error(ErrorCode::kTryAgain, "a rotation is at work, which may be the one asked for")
          .Cure("ask again when it has ended");
    }
  }
  auto report = rotate::VerifyKeys(context);
  context.store.Rollback();
  if (context.options.stop.stop_requested()) return rotate::Stopped();
  if (!report) return report;
  auto audit = context.store.FindAudit(context.plan, rotation);
  if (!audit) return std::move(audit).error();
  report->rotation = AsEntry(*std::move(audit));
  return report;
}

Status KeyRotation::ScrubStorage(const std::function<void(std::string_view table)>& each) {
  const RunContext context = impl_->Context();
  const std::stop_callback cancel(context.options.stop, [&] { context.store.Cancel(); });
  return context.store.ScrubStorage(context.targets, [&](const Target& target) {
    if (each) each(target.Title());
  });
}

Result<RotationReport> RotateEncryptionKey(RotationOptions options) {
  return KeyRotation::Open(std::move(options)).transform([](KeyRotation rotation) {
    return rotation.Rotate();
  });
}

}  // namespace qarion::secrets
