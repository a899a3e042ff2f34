// One run of a rotation, from the first search to the commit.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "qarion/secrets/result.h"
#include "qarion/secrets/rotation.h"
#include "rotate/plan.h"
#include "rotate/rewriter.h"
#include "rotate/store.h"

namespace qarion::secrets::rotate {

// What a run works on. Lifetime: all of it must outlive the run.
struct RunContext {
  Store& store;
  const Plan& plan;
  std::span<const Target> targets;
  std::span<const FernetKey> keys;  // the new one first
  const RotationOptions& options;
};

// "was stopped": what to return where options.stop asks for it.
Error Stopped();

// Passes `problem`, with the row's name, to options.on_problem, unless that was done often enough.
void TellProblem(const RunContext& context, const Target& target, const CellProblem& problem,
                 std::uint64_t told_before);

// Gives options.on_progress what it should know, at each batch, and the database at each percent.
class ProgressMeter {
 public:
  ProgressMeter(const RunContext& context, RotationPhase phase, bool shows_database);
  void Add(std::uint64_t rows);

 private:
  const RunContext& context_;
  RotationProgress progress_;
  const bool shows_database_;
  std::uint64_t shown_percent_ = 0;
};

// Thread-safety: one thread; it starts and ends others.
class RotationRun {
 public:
  // Fills in `report` as it goes.
  RotationRun(const RunContext& context, RotationReport& report)
      : context_(context), report_(report) {}

  // Does all of it. Where it returns an error, a transaction may be open: nothing is committed.
  Status Run();

 private:
  Status SearchAhead();
  Status SearchElsewhere();
  Status Rewrite(Rewriter& rewriter);
  Status RewriteTarget(const Target& target, Rewriter& rewriter, ProgressMeter& meter);
  Status Take(const Target& target, const Rewritten& piece);
  Status Judge(const Rewriter& rewriter) const;
  Status JudgeUnlisted(const Rewriter& rewriter) const;
  Status Prove(const Rewriter& rewriter);
  Status WriteAudit();
  Status Commit();
  Status Timed(const char* step, const std::function<Status()>& work);

  const RunContext context_;
  RotationReport& report_;
};

}  // namespace qarion::secrets::rotate
