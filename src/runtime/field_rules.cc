#include "runtime/field_rules.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/ascii.h"
#include "core/fernet_key_text.h"
#include "core/json_fields.h"
#include "core/secret_memory.h"
#include "core/signing_key_text.h"
#include "core/utf8.h"

namespace qarion::secrets::runtime {
namespace {

constexpr std::size_t kShortestToken = 16;
constexpr std::size_t kShortestUnguessable = 8;
constexpr std::size_t kLongestInAllForms = std::size_t{64} << 10;  // see scrub::ForEachForm()

// Collects the findings of one field.
class FieldReport {
 public:
  FieldReport(const Field& field, std::vector<Finding>& findings)
      : field_(field), findings_(findings) {}

  std::string_view value() const { return field_.value.Reveal(); }
  void Error(std::string problem, std::string cure) {
    findings_.push_back({Severity::kError, field_.name, std::move(problem), std::move(cure)});
  }
  void Warning(std::string problem, std::string cure) {
    findings_.push_back({Severity::kWarning, field_.name, std::move(problem), std::move(cure)});
  }

 private:
  const Field& field_;
  std::vector<Finding>& findings_;
};

std::string Bytes(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " byte" : " bytes");
}

bool EndsInWhiteSpace(std::string_view value) {
  for (std::size_t length = 1; length <= 3 && length <= value.size(); ++length) {
    if (core::WhiteSpaceLength(value, value.size() - length) == length) return true;
  }
  return false;
}

void CheckSurroundings(FieldReport& report) {
  const std::string_view value = report.value();
  if (value.ends_with('\n') || value.ends_with('\r')) {
    report.Error("ends with a line break", "store it without: printf %s, or echo -n");
  } else if (core::WhiteSpaceLength(value, 0) > 0 || EndsInWhiteSpace(value)) {
    report.Error("has white space around it", "remove it, or change the secret to one without");
  }
}

void CheckNoWhiteSpace(FieldReport& report) {
  const std::string_view value = report.value();
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (core::WhiteSpaceLength(value, i) > 0) {
      report.Error("contains white space", "store it in one piece, without line breaks or blanks");
      return;
    }
  }
}

void CheckSigningKey(FieldReport& report) {
  const std::string problem = core::SigningKeyProblem(report.value());
  if (!problem.empty()) report.Error(problem, core::kReplaceSigningKey);
}

void CheckPassword(FieldReport& report) {
  if (core::IsPlaceholder(report.value())) {
    report.Warning("is a placeholder or a password that is tried first", "choose a random one");
  }
  CheckSurroundings(report);
}

void CheckPreviousFernetKey(FieldReport& report) {
  const std::string problem = core::FernetKeyProblem(report.value());
  if (!problem.empty()) report.Error(problem, core::kRestoreFernetKey);
}

void CheckFernetKey(FieldReport& report) {
  CheckPreviousFernetKey(report);
  // As the previous key, such a one is on its way out.
  const std::string problem = core::UnfitFernetKeyProblem(report.value());
  if (!problem.empty()) report.Error(problem, core::kReplaceFernetKey);
}

void CheckSendGridKey(FieldReport& report) {
  if (!report.value().starts_with("SG.")) {
    report.Error("does not begin with `SG.`, as SendGrid's keys do",
                 "copy the whole key from SendGrid");
  }
  CheckNoWhiteSpace(report);
}

void CheckToken(FieldReport& report) {
  CheckNoWhiteSpace(report);
  const std::size_t size = report.value().size();
  if (size < kShortestToken) {
    report.Warning("has " + Bytes(size) + "; less than " + std::to_string(kShortestToken) +
                       " is short for a token",
                   "use a longer one: openssl rand -hex 32");
  }
}

void CheckServiceAccount(FieldReport& report) {
  constexpr char kCure[] = "store the key file of the service account as Google gives it";
  const auto members = core::FieldsFromJson(report.value(), "");
  if (!members) {
    report.Error("is not a JSON object", kCure);
    return;
  }
  for (const std::string_view name : {"type", "private_key", "client_email"}) {
    const auto found = std::ranges::find(*members, name, &Field::name);
    if (found == members->end() || found->value.empty()) {
      report.Error("lacks the member `" + std::string(name) + "`", kCure);
    }
  }
}

void CheckAzureConnectionString(FieldReport& report) {
  constexpr char kCure[] = "copy the connection string from the storage account's access keys";
  std::string_view rest = report.value();
  bool has_account_key = false;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      report.Error("is not a row of `key=value;` pairs", kCure);
      return;
    }
    if (pair.substr(0, equals) == "AccountKey" && equals + 1 < pair.size()) has_account_key = true;
  }
  if (!has_account_key) report.Error("lacks `AccountKey`", kCure);
}

struct Rule {
  std::string_view name;  // a trailing `*` stands for a family
  void (*check)(FieldReport& report);
};

constexpr std::array kRules = {
    Rule{"SECRET_KEY", CheckSigningKey},
    Rule{"SECRET_KEY_PREVIOUS", CheckSigningKey},
    Rule{"SECRET_KEY_NEXT", CheckSigningKey},
    Rule{"POSTGRES_PASSWORD", CheckPassword},
    Rule{"INSTANCE_ENCRYPTION_KEY", CheckFernetKey},
    Rule{"INSTANCE_ENCRYPTION_KEY_PREVIOUS", CheckPreviousFernetKey},
    Rule{"CONTROL_PLANE_SECRET_KEY", CheckSigningKey},
    Rule{"SENDGRID_API_KEY", CheckSendGridKey},
    Rule{"SCIM_BEARER_TOKEN", CheckToken},
    Rule{"SMTP_PASSWORD", CheckPassword},
    Rule{"STORAGE_S3_SECRET_KEY", CheckToken},
    Rule{"STORAGE_GCS_CREDENTIALS_JSON", CheckServiceAccount},
    Rule{"STORAGE_AZURE_CONNECTION_STRING", CheckAzureConnectionString},
    Rule{"LLM_API_KEY_*", CheckNoWhiteSpace},
};

// Pairs of keys: the first is nothing without the second, and must differ from it, or a rotation
// changes nothing.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kMustDiffer = {{
    {"SECRET_KEY_PREVIOUS", "SECRET_KEY"},
    {"SECRET_KEY_NEXT", "SECRET_KEY"},
    {"INSTANCE_ENCRYPTION_KEY_PREVIOUS", "INSTANCE_ENCRYPTION_KEY"},
}};

bool Applies(std::string_view rule, std::string_view field) {
  if (!rule.ends_with('*')) return rule == field;
  rule.remove_suffix(1);
  return field.size() > rule.size() && field.starts_with(rule);
}

bool MustDiffer(std::string_view a, std::string_view b) {
  return std::ranges::any_of(kMustDiffer, [&](const auto& pair) {
    return (pair.first == a && pair.second == b) || (pair.first == b && pair.second == a);
  });
}

// What stands in logs without being a secret.
bool IsOrdinary(std::string_view value) {
  static constexpr std::array<std::string_view, 14> kWords = {
      "administrator", "anonymous", "database",  "development", "disabled",
      "localhost",     "password",  "postgres",  "postgresql",  "production",
      "template",      "undefined", "unlimited", "username"};
  const auto is_value = [&](std::string_view word) {
    return core::EqualsIgnoringCase(word, value);
  };
  return std::ranges::any_of(kWords, is_value) || std::ranges::all_of(value, core::IsDigit);
}

void CheckField(const Field& field, std::vector<Finding>& findings) {
  FieldReport report(field, findings);
  const std::string_view value = report.value();
  if (value.empty()) {
    report.Error("is set to the empty value",
                 "give it a value, or remove it to leave the field unset");
    return;
  }
  const std::size_t before = findings.size();
  for (const Rule& rule : kRules) {
    if (Applies(rule.name, field.name)) rule.check(report);
  }
  if (value.find('\0') != std::string_view::npos) {
    report.Warning("contains a zero byte, so it cannot be put into an environment",
                   "store it as text, for example in base64");
  }
  if (findings.size() != before) return;
  if (value.size() < kShortestUnguessable) {
    report.Warning("has " + Bytes(value.size()) +
                       ": easily guessed, and wherever it occurs in a log it is masked",
                   "use a longer value");
  } else if (IsOrdinary(value)) {
    report.Warning("is an ordinary word or number: wherever it occurs in a log it is masked",
                   "use a value that nobody guesses, or let it through with SECRETS_SCRUB_ALLOW");
  } else if (value.size() > kLongestInAllForms) {
    report.Warning("has " + Bytes(value.size()) +
                       ": it may be too long for the scrubber to mask it in all its encodings",
                   "keep what is no secret elsewhere, or take it apart; 64 KiB are never too long");
  }
}

void CheckPairs(const Snapshot& snapshot, std::vector<Finding>& findings) {
  for (const auto& [name, other_name] : kMustDiffer) {
    const Secret* value = snapshot.Find(name);
    const Secret* other = snapshot.Find(other_name);
    if (value == nullptr) continue;
    if (other == nullptr) {
      findings.push_back({Severity::kError, std::string(name),
                          "is set, but " + std::string(other_name) + " is not",
                          "set " + std::string(other_name) + ", or remove it"});
    } else if (value->ConstantTimeEquals(*other)) {
      findings.push_back({Severity::kError, std::string(name),
                          "is the same as " + std::string(other_name),
                          "set it to the key before the change, or remove it"});
    }
  }
}

void CheckReuse(const Snapshot& snapshot, std::vector<Finding>& findings) {
  // Nobody outside can time this, and there may be thousands of fields.
  std::unordered_map<std::string_view, const Field*> first_with;
  for (const Field& field : snapshot.fields()) {
    if (field.value.empty()) continue;
    const auto [earlier, is_new] = first_with.try_emplace(field.value.Reveal(), &field);
    if (is_new || MustDiffer(field.name, earlier->second->name)) continue;
    findings.push_back({Severity::kWarning, field.name,
                        "has the same value as " + earlier->second->name,
                        "use a value of its own for each field"});
  }
  core::WipeTraces();
}

}  // namespace

std::vector<Finding> CheckFields(const Snapshot& snapshot) {
  std::vector<Finding> findings;
  for (const Field& field : snapshot.fields()) CheckField(field, findings);
  CheckPairs(snapshot, findings);
  CheckReuse(snapshot, findings);
  return findings;
}

}  // namespace qarion::secrets::runtime
