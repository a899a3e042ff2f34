#include "rotate/verification.h"

#include <utility>

#include "rotate/rewriter.h"
#include "rotate/unlisted.h"
#include "rotate/value_reader.h"

namespace qarion::secrets::rotate {
namespace {

// The plan without encrypting anything: plaintext that it would encrypt does not open with a key.
Plan AsItIs(Plan plan) {
  for (TablePlan& table : plan.tables) {
    for (ColumnPlan& column : table.columns) {
      if (column.plaintext == PlaintextPolicy::kEncrypt) {
        column.plaintext = PlaintextPolicy::kError;
      }
    }
  }
  return plan;
}

Status AddUnlisted(const RunContext& context, const Rewriter& rewriter,
                   VerificationReport& report) {
  for (std::size_t i = 0; i < rewriter.counts().size(); ++i) {
    if (rewriter.unlisted()[i] == 0) continue;
    const RotationCounts& counts = rewriter.counts()[i];
    report.unlisted.emplace_back(counts.table + "." + counts.column, rewriter.unlisted()[i]);
  }
  auto keys = ValueReader::Create(context.keys.subspan(1), crypto::FernetReading::kLenient);
  if (!keys) return std::move(keys).error();
  auto elsewhere = SearchUnlisted(context.store, context.plan, context.targets, *keys);
  if (!elsewhere) return std::move(elsewhere).error();
  for (const UnlistedTokens& found : *elsewhere) {
    report.unlisted.emplace_back(found.place, found.tokens);
  }
  return {};
}

}  // namespace

Result<VerificationReport> VerifyKeys(const RunContext& context) {
  const Plan plan = AsItIs(context.plan);
  auto rewriter = Rewriter::Create(plan, context.keys, crypto::FernetReading::kLenient);
  if (!rewriter) return std::move(rewriter).error();
  VerificationReport report{.database = context.store.Description()};
  for (const FernetKey& key : context.keys) report.keys.push_back(key.fingerprint());
  const TransactionOptions transaction{.lock_timeout = context.options.lock_timeout,
                                       .is_read_only = true};
  if (Status begun = context.store.Begin(context.plan, context.targets, transaction); !begun) {
    return begun.error();
  }
  ProgressMeter meter(context, RotationPhase::kProve, false);
  for (const Target& target : context.targets) {
    auto source = context.store.Read(target);
    if (!source) return std::move(source).error();
    RowBatch batch;
    Rewritten piece;
    while (true) {
      if (context.options.stop.stop_requested()) return Stopped();
      if (Status read = (*source)->Next(batch); !read) return read.error();
      if (batch.rows.empty()) break;
      if (Status done = rewriter->Process(target, batch, piece); !done) return done.error();
      for (const CellProblem& problem : piece.problems) {
        TellProblem(context, target, problem, report.problems++);
      }
      meter.Add(batch.rows.size());
    }
  }
  for (std::size_t i = 0; i < rewriter->counts().size(); ++i) {
    report.columns.push_back({rewriter->counts()[i], rewriter->by_key()[i]});
  }
  if (Status added = AddUnlisted(context, *rewriter, report); !added) return added.error();
  return report;
}

}  // namespace qarion::secrets::rotate
