#include "rotate/verification.h"

#include <utility>

#include "rotate/rewriter.h"

namespace qarion::secrets::rotate {

Result<VerificationReport> VerifyKeys(const RunContext& context) {
  auto rewriter = Rewriter::Create(context.plan, context.keys, crypto::FernetReading::kLenient);
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
  return report;
}

}  // namespace qarion::secrets::rotate
