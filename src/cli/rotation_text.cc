#include "cli/rotation_text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "cli/output.h"
#include "core/join.h"
#include "core/printable.h"
#include "fernet/key_fields.h"

namespace qarion::secrets::cli {
namespace {

// Columns of text, as wide as their widest entry; the first to the left, the others to the right.
std::string CountTable(std::vector<std::vector<std::string>> rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = core::Printable(std::move(row[i]));
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - row[i].size(), ' ');
      text += i == 0 ? row[i] + padding : "  " + padding + row[i];
    }
    text += '\n';
  }
  return text;
}

using Member = std::uint64_t RotationCounts::*;

struct CountColumn {
  const char* heading;
  Member member;
  bool is_always_shown;
};

constexpr std::array kCountColumns = {CountColumn{"rows", &RotationCounts::rows, true},
                                      CountColumn{"rotated", &RotationCounts::rotated, true},
                                      CountColumn{"current", &RotationCounts::current, true},
                                      CountColumn{"encrypted", &RotationCounts::encrypted, false},
                                      CountColumn{"plaintext", &RotationCounts::plaintext, false},
                                      CountColumn{"null", &RotationCounts::null, false},
                                      CountColumn{"empty", &RotationCounts::empty, false},
                                      CountColumn{"absent", &RotationCounts::absent, false},
                                      CountColumn{"excluded", &RotationCounts::excluded, false},
                                      CountColumn{"lenient", &RotationCounts::lenient, false},
                                      CountColumn{"problems", &RotationCounts::problems, false}};

std::string Seconds(std::chrono::duration<double> time) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2f s", time.count());
  return text.data();
}

std::string AuditText(const AuditEntry& entry) {
  return entry.finished_at + ", to key " + entry.new_key + ", from " + entry.old_keys +
         ", rotation " + entry.id;
}

std::string Outcome(const RotationReport& report) {
  switch (report.outcome) {
    case RotationOutcome::kCommitted:
      return "committed: the new key opens every value of the plan, no old key opens any of them";
    case RotationOutcome::kNothingToDo:
      return "nothing to do: the new key opens every value of the plan already";
    case RotationOutcome::kDryRun:
      return "dry run: the rotation would succeed; nothing was changed";
    case RotationOutcome::kRolledBack: return "rolled back: nothing was changed";
    case RotationOutcome::kUnknown:
      return "unknown: the connection was lost while the database committed";
  }
  return {};
}

}  // namespace

std::string CountsText(const std::vector<RotationCounts>& columns) {
  if (columns.empty()) return {};
  std::vector<CountColumn> shown;
  for (const CountColumn& column : kCountColumns) {
    const auto has_any = [&](const RotationCounts& counts) { return counts.*column.member > 0; };
    if (column.is_always_shown || std::ranges::any_of(columns, has_any)) shown.push_back(column);
  }
  std::vector<std::vector<std::string>> rows(1, {"column"});
  for (const CountColumn& column : shown) rows.front().emplace_back(column.heading);
  for (const RotationCounts& counts : columns) {
    auto& row = rows.emplace_back(1, counts.table + "." + counts.column);
    for (const CountColumn& column : shown) row.push_back(std::to_string(counts.*column.member));
  }
  return CountTable(std::move(rows));
}

std::string ReportText(const RotationReport& report) {
  std::string text = CountsText(report.columns);
  if (!text.empty()) text += '\n';
  std::chrono::duration<double> total{};
  std::vector<std::string> steps;
  for (const auto& [step, time] : report.steps) {
    steps.push_back(step + " " + Seconds(time));
    total += time;
  }
  if (!steps.empty()) text += NamedLine("time", Seconds(total) + " (" + core::Join(steps) + ")");
  if (report.outcome == RotationOutcome::kCommitted ||
      report.outcome == RotationOutcome::kUnknown) {
    text += NamedLine("rotation", report.id);
  }
  return text + Outcome(report) + "\n";
}

std::string VerificationText(const VerificationReport& report) {
  std::string text = NamedLine("database", report.database);
  std::vector<std::vector<std::string>> rows(1, {"column", "rows"});
  for (std::size_t i = 0; i < report.keys.size(); ++i) {
    rows.front().push_back((i == 0 ? "new " : "old ") + report.keys[i]);
  }
  for (const char* heading : {"none", "plaintext", "null", "empty"}) {
    rows.front().emplace_back(heading);
  }
  for (const KeyUsage& usage : report.columns) {
    const RotationCounts& counts = usage.counts;
    auto& row = rows.emplace_back(1, counts.table + "." + counts.column);
    row.push_back(std::to_string(counts.rows));
    for (const std::uint64_t opened : usage.by_key) row.push_back(std::to_string(opened));
    for (const std::uint64_t count :
         {counts.problems, counts.plaintext, counts.null, counts.empty}) {
      row.push_back(std::to_string(count));
    }
  }
  text += "\n" + CountTable(std::move(rows)) + "\n";
  for (const auto& [place, tokens] : report.unlisted) {
    text += NamedLine("not listed", place + ": " + std::to_string(tokens) + " of an old key");
  }
  return text +
         NamedLine("rotation", report.rotation ? AuditText(*report.rotation) : "none on record");
}

std::string StatusText(const RotationStatus& status, const BackendKeys& keys,
                       const RotationStep& step) {
  std::string text = NamedLine("database", status.database);
  text += NamedLine("running", status.is_running ? "a rotation is at work" : "none");
  text += NamedLine("latest", status.latest ? AuditText(*status.latest) : "none on record");
  for (const RotationStatus::Table& table : status.tables) {
    text += NamedLine("table", table.name + ", about " + std::to_string(table.estimated_rows) +
                                   " rows, " + std::to_string(table.bytes / 1024) + " KiB");
  }
  if (!status.plan_problem.empty())
    text += NamedLine("plan", "does not fit: " + status.plan_problem);
  const auto shown = [&](const std::string& key) {
    if (!key.empty()) return key;
    return std::string(keys.problem.empty() ? "not set" : "not set, or not to be read");
  };
  text += NamedLine("keys", std::string(fernet::kCurrentKeyField) + " " + shown(keys.current) +
                                ", " + fernet::kPreviousKeyField + " " + shown(keys.previous));
  text += NamedLine("step", step.number ? std::to_string(*step.number) : "unknown");
  return text + NamedLine("next", step.next);
}

std::string ProblemText(const RotationProblem& problem) {
  return problem.table + " " + problem.row + ", " + problem.column + ": " + problem.reason;
}

}  // namespace qarion::secrets::cli
