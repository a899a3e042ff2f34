#include "rotate/rotation_run.h"

#include <algorithm>
#include <utility>

#include "core/build_info.h"
#include "core/join.h"
#include "rotate/pipe.h"
#include "rotate/prover.h"
#include "rotate/report_json.h"
#include "rotate/unlisted.h"

namespace qarion::secrets::rotate {
namespace {

std::string Counted(std::uint64_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::uint64_t Sum(const std::vector<RotationCounts>& counts,
                  std::uint64_t RotationCounts::* member) {
  std::uint64_t sum = 0;
  for (const RotationCounts& column : counts) sum += column.*member;
  return sum;
}

Error Unlisted(const std::vector<UnlistedTokens>& unlisted) {
  std::vector<std::string> places;
  for (const UnlistedTokens& found : unlisted) {
    places.push_back(found.place + " (" + std::to_string(found.tokens) + ")");
  }
  return Error(ErrorCode::kBadData,
               "an old key opens tokens where the plan lists none: " + core::Join(places))
      .Cure(
          "add them to the plan (--discover writes one), or leave them behind knowingly with "
          "--allow-unlisted; a materialized view can be refreshed afterwards, and a full-text "
          "index that holds copies be filled anew");
}

}  // namespace

Error Stopped() {
  return Error(ErrorCode::kUsage, "the rotation was stopped; nothing was changed")
      .Cure("run it again when it may go on to its end");
}

void TellProblem(const RunContext& context, const Target& target, const CellProblem& problem,
                 std::uint64_t told_before) {
  if (!context.options.on_problem || told_before >= context.options.max_named_problems) return;
  auto row = context.store.NameRow(target, problem.locator);
  context.options.on_problem({.table = target.Title(),
                              .row = row ? *std::move(row) : "a row without a name",
                              .column = problem.column,
                              .reason = problem.reason});
}

ProgressMeter::ProgressMeter(const RunContext& context, RotationPhase phase, bool shows_database)
    : context_(context), progress_{.phase = phase}, shows_database_(shows_database) {
  for (const Target& target : context.targets) progress_.estimated_rows += target.estimated_rows;
}

void ProgressMeter::Add(std::uint64_t rows) {
  progress_.rows += rows;
  if (context_.options.on_progress) context_.options.on_progress(progress_);
  if (!shows_database_ || progress_.estimated_rows == 0) return;
  const std::uint64_t percent =
      std::min<std::uint64_t>(99, progress_.rows * 100 / progress_.estimated_rows);
  if (percent == shown_percent_) return;
  shown_percent_ = percent;
  context_.store.ShowProgress("qsecrets rotate " + std::to_string(percent) + "%");
}

Status RotationRun::Timed(const char* step, const std::function<Status()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  Status done = work();
  report_.steps.emplace_back(step, std::chrono::steady_clock::now() - begin);
  if (context_.options.stop.stop_requested()) return Stopped();
  return done;
}

Status RotationRun::Run() {
  const RotationOptions& options = context_.options;
  if (Status searched = Timed("search", [&] { return SearchAhead(); }); !searched) {
    return searched;
  }
  const TransactionOptions transaction{.lock_timeout = options.lock_timeout,
                                       .is_read_only = options.is_dry_run,
                                       .is_rehearsal = options.is_dry_run};
  if (Status begun =
          Timed("lock",
                [&] { return context_.store.Begin(context_.plan, context_.targets, transaction); });
      !begun) {
    return begun;
  }
  auto rewriter = Rewriter::Create(
      context_.plan, context_.keys,
      options.is_lenient ? crypto::FernetReading::kLenient : crypto::FernetReading::kStrict);
  if (!rewriter) return std::move(rewriter).error();
  if (Status rewritten = Timed("rotate", [&] { return Rewrite(*rewriter); }); !rewritten) {
    return rewritten;
  }
  const bool changes = Sum(report_.columns, &RotationCounts::rotated) +
                           Sum(report_.columns, &RotationCounts::encrypted) >
                       0;
  if (options.is_dry_run || !changes) {
    context_.store.Rollback();
    report_.outcome =
        changes || options.is_dry_run ? RotationOutcome::kDryRun : RotationOutcome::kNothingToDo;
    return {};
  }
  // Before the proof, which so sees what triggers of the audit table do.
  if (Status written = Timed("audit", [&] { return WriteAudit(); }); !written) return written;
  if (Status proven = Timed("prove", [&] { return Prove(*rewriter); }); !proven) return proven;
  return Commit();
}

// Before anybody has to wait for a lock.
Status RotationRun::SearchAhead() {
  const TransactionOptions transaction{.lock_timeout = context_.options.lock_timeout,
                                       .is_read_only = true};
  if (Status begun = context_.store.Begin(context_.plan, context_.targets, transaction); !begun) {
    return begun;
  }
  Status searched = SearchElsewhere();
  context_.store.Rollback();
  return searched;
}

Status RotationRun::SearchElsewhere() {
  if (context_.options.allow_unlisted) return {};
  auto keys = ValueReader::Create(context_.keys.subspan(1), crypto::FernetReading::kLenient);
  if (!keys) return std::move(keys).error();
  auto found = SearchUnlisted(context_.store, context_.plan, context_.targets, *keys);
  if (!found) return std::move(found).error();
  if (!found->empty()) return Unlisted(*found);
  return {};
}

Status RotationRun::Rewrite(Rewriter& rewriter) {
  ProgressMeter meter(context_, RotationPhase::kRotate, true);
  Status done;
  for (const Target& target : context_.targets) {
    done = RewriteTarget(target, rewriter, meter);
    if (!done) break;
  }
  report_.columns = rewriter.counts();
  if (!done) return done;
  if (Status finished = context_.store.Finish(); !finished) return finished;
  return Judge(rewriter);
}

Status RotationRun::RewriteTarget(const Target& target, Rewriter& rewriter, ProgressMeter& meter) {
  auto source = context_.store.Read(target);
  if (!source) return std::move(source).error();
  RowBatch batch;
  const auto produce = [&]() -> Result<std::optional<Rewritten>> {
    if (Status read = (*source)->Next(batch); !read) return read.error();
    if (batch.rows.empty()) return std::optional<Rewritten>();
    Rewritten piece;
    if (Status done = rewriter.Process(target, batch, piece); !done) return done.error();
    return std::optional<Rewritten>(std::move(piece));
  };
  const auto consume = [&](const Rewritten& piece) -> Status {
    if (context_.options.stop.stop_requested()) return Stopped();
    if (Status taken = Take(target, piece); !taken) return taken;
    meter.Add(piece.rows);
    return {};
  };
  return Pipe<Rewritten>(produce, consume);
}

Status RotationRun::Take(const Target& target, const Rewritten& piece) {
  if (!piece.problems.empty()) {
    // From here on nothing will be committed, so nothing more is written.
    if (report_.problems == 0) {
      if (Status finished = context_.store.Finish(); !finished) return finished;
    }
    for (const CellProblem& problem : piece.problems) {
      TellProblem(context_, target, problem, report_.problems++);
    }
  }
  if (report_.problems > 0 || context_.options.is_dry_run || piece.updates.locators.empty()) {
    return {};
  }
  return context_.store.Update(target, piece.updates);
}

Status RotationRun::Judge(const Rewriter& rewriter) const {
  const std::uint64_t rotated = Sum(report_.columns, &RotationCounts::rotated);
  const std::uint64_t current = Sum(report_.columns, &RotationCounts::current);
  if (report_.problems > 0) {
    if (rotated + current == 0) {
      return Error(ErrorCode::kBadData, "none of " + Counted(report_.problems, "value") +
                                            " could be opened; nothing was changed")
          .Cure(
              "see what is said of each; where they are tokens, give the key that they were "
              "encrypted with: it is neither " +
              report_.new_key + " nor " + core::Join(report_.old_keys, " nor "));
    }
    return Error(ErrorCode::kBadData,
                 Counted(report_.problems, "value") + " could not be rotated; nothing was changed")
        .Cure("mend each of them, or give the further old keys that open them (--old-key-file)");
  }
  if (Status listed = JudgeUnlisted(rewriter); !listed) return listed;
  if (rotated + current + Sum(report_.columns, &RotationCounts::encrypted) == 0 &&
      !context_.options.allow_empty) {
    return Error(ErrorCode::kBadData, "the plan's columns hold no token at all")
        .Cure(
            "see that it is the right database and plan; where there are none yet: "
            "--allow-empty");
  }
  return {};
}

Status RotationRun::JudgeUnlisted(const Rewriter& rewriter) const {
  if (context_.options.allow_unlisted) return {};
  std::vector<UnlistedTokens> unlisted;
  for (std::size_t i = 0; i < report_.columns.size(); ++i) {
    if (rewriter.unlisted()[i] == 0) continue;
    unlisted.push_back({report_.columns[i].table + "." + report_.columns[i].column +
                            ", at other places of the value or in rows that `where` leaves out",
                        rewriter.unlisted()[i]});
  }
  if (!unlisted.empty()) return Unlisted(unlisted);
  return {};
}

Status RotationRun::Prove(const Rewriter& rewriter) {
  if (Status checked = context_.store.CheckConstraints(); !checked) return checked;
  auto prover =
      Prover::Create(context_.plan, context_.keys, rewriter, context_.options.allow_unlisted);
  if (!prover) return std::move(prover).error();
  // The connection that would tell the database is the one that is read from.
  ProgressMeter meter(context_, RotationPhase::kProve, false);
  for (const Target& target : context_.targets) {
    auto source = context_.store.ReadBack(target);
    if (!source) return std::move(source).error();
    const auto produce = [&]() -> Result<std::optional<RowBatch>> {
      RowBatch batch;
      if (Status read = (*source)->Next(batch); !read) return read.error();
      if (batch.rows.empty()) return std::optional<RowBatch>();
      return std::optional<RowBatch>(std::move(batch));
    };
    const auto consume = [&](const RowBatch& batch) -> Status {
      if (context_.options.stop.stop_requested()) return Stopped();
      meter.Add(batch.rows.size());
      return prover->Check(target, batch);
    };
    if (Status checked = Pipe<RowBatch>(produce, consume); !checked) return checked;
  }
  if (Status concluded = prover->Conclude(); !concluded) return concluded;
  // Again: a trigger may have copied what it saw.
  return SearchElsewhere();
}

Status RotationRun::WriteAudit() {
  report_.outcome = RotationOutcome::kCommitted;  // as whoever reads the row knows it
  return context_.store.WriteAudit(context_.plan,
                                   {.id = report_.id,
                                    .tool = std::string("qarion-secrets ") + core::kVersion,
                                    .new_key = report_.new_key,
                                    .old_keys = core::Join(report_.old_keys, ","),
                                    .report = CompactReport(report_)});
}

Status RotationRun::Commit() {
  if (context_.options.stop.stop_requested()) return Stopped();
  const auto begin = std::chrono::steady_clock::now();
  CommitResult result = context_.store.Commit();
  report_.steps.emplace_back("commit", std::chrono::steady_clock::now() - begin);
  switch (result.outcome) {
    case CommitOutcome::kCommitted: return {};
    case CommitOutcome::kRolledBack: return *std::move(result.error);
    case CommitOutcome::kUnknown:
      report_.outcome = RotationOutcome::kUnknown;
      return Error(result.error->code(), result.error->reason())
          .Cure(
              "when the database answers again, find out with `qsecrets rotate encryption-key "
              "verify --rotation " +
              report_.id + "`; keep both keys until then");
  }
  return {};
}

}  // namespace qarion::secrets::rotate
