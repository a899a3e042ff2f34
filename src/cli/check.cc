#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/output.h"
#include "core/json_writer.h"

namespace qarion::secrets::cli {
namespace {

struct CheckOptions {
  std::string format;
  bool strict = false;
};

struct CheckReport {
  std::vector<Finding> findings;
  std::size_t errors = 0;
  std::size_t warnings = 0;
  std::string backend;
  std::size_t fields_set = 0;
  std::vector<std::pair<std::string, std::string>> details;
};

// Where there is no runtime to check, the reason is the finding.
Finding AsFinding(const Error& error) {
  std::string subject = "qsecrets";
  for (const std::string_view kind : {"directory", "file", "field", "setting"}) {
    const auto detail =
        std::ranges::find(error.context(), kind, &std::pair<std::string, std::string>::first);
    if (detail != error.context().end()) subject = detail->second;
  }
  if (subject == "qsecrets") {
    const auto backend =
        std::ranges::find(error.context(), "backend", &std::pair<std::string, std::string>::first);
    if (backend != error.context().end()) {
      subject = backend->second;
      const std::string prefix = "the backend '" + subject + "': ";
      const std::string& reason = error.reason();
      return {Severity::kError, subject,
              reason.starts_with(prefix) ? reason.substr(prefix.size()) : reason, error.cure()};
    }
  }
  // A reason that begins with the subject, and maybe a line of it, is not to say it twice.
  std::string problem = error.reason();
  if (problem.starts_with(subject)) {
    const std::size_t end = problem.find(' ', subject.size());
    if (end != std::string::npos) {
      subject = problem.substr(0, problem[end - 1] == ':' ? end - 1 : end);
      problem.erase(0, end + 1);
    }
  }
  return {Severity::kError, std::move(subject), std::move(problem), error.cure()};
}

CheckReport Examine(int& failure) {
  Examination examination = Runtime::Examine(Options());
  CheckReport report{.findings = std::move(examination.findings),
                     .backend = std::move(examination.backend),
                     .fields_set = examination.fields_set,
                     .details = std::move(examination.details)};
  if (examination.failure) {
    const Error& error = *examination.failure;
    report.findings.insert(report.findings.begin(), AsFinding(error));
    report.backend.clear();
    // A line of `.env` that cannot be read is an error of the configuration that is checked.
    failure =
        ExitStatus(error.code() == ErrorCode::kBadData ? ErrorCode::kConfiguration : error.code());
  }
  for (const Finding& finding : report.findings) {
    ++(finding.severity == Severity::kError ? report.errors : report.warnings);
  }
  return report;
}

std::string Counted(std::size_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

std::string Text(const CheckReport& report) {
  const bool colour = OutputIsColoured();
  std::string text;
  for (const Finding& finding : report.findings) {
    const bool is_error = finding.severity == Severity::kError;
    const std::string word = is_error ? "error" : "warning";
    text += colour ? (is_error ? "\033[31m" : "\033[33m") + word + "\033[0m" : word;
    text += std::string(9 - word.size(), ' ') + finding.subject + ": " + finding.problem + "\n";
    if (!finding.cure.empty()) text += "         to mend it: " + finding.cure + "\n";
  }
  for (auto [name, detail] : report.details) {
    name.resize(std::max<std::size_t>(name.size() + 2, 17), ' ');
    text += name + detail + "\n";
  }
  if (!report.backend.empty()) {
    text += "backend " + report.backend + ", " + Counted(report.fields_set, "field") + " set: ";
  }
  return text + Counted(report.errors, "error") + ", " + Counted(report.warnings, "warning") + "\n";
}

Secret Json(const CheckReport& report) {
  core::JsonWriter json;
  json.BeginObject().Key("findings").BeginArray();
  for (const Finding& finding : report.findings) {
    json.BeginObject()
        .Key("severity")
        .Text(finding.severity == Severity::kError ? "error" : "warning")
        .Key("subject")
        .Text(finding.subject)
        .Key("problem")
        .Text(finding.problem)
        .Key("cure")
        .Text(finding.cure)
        .EndObject();
  }
  json.EndArray().Key("details").BeginObject();
  for (const auto& [name, detail] : report.details) json.Key(name).Text(detail);
  json.EndObject()
      .Key("errors")
      .Number(static_cast<std::int64_t>(report.errors))
      .Key("warnings")
      .Number(static_cast<std::int64_t>(report.warnings))
      .EndObject();
  return std::move(json).Take();
}

int RunCheck(const CheckOptions& options) {
  int failure = 0;
  const CheckReport report = Examine(failure);
  const int printed = options.format == "json" ? Print(Json(report).Reveal()) : Print(Text(report));
  if (printed != 0) return printed;
  if (failure != 0) return failure;
  const bool passes = report.errors == 0 && !(options.strict && report.warnings > 0);
  return passes ? 0 : ExitStatus(ErrorCode::kConfiguration);
}

}  // namespace

void AddCheck(CLI::App& app, Command& command) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* check =
      app.add_subcommand("check", "Say what is wrong with settings and values, and how to mend it");
  check->add_flag("--strict", options->strict, "Fail on warnings too");
  AddOutputOption(*check, options->format, {"text", "json"});
  check->footer(
      "Exit status: 0, or 78 where there are errors (with --strict: warnings). No value is "
      "shown.\n\n"
      "Examples:\n"
      "  qsecrets check\n"
      "  qsecrets check --strict --output json      before a deployment");
  check->callback([options, &command] { command = [options] { return RunCheck(*options); }; });
}

}  // namespace qarion::secrets::cli
