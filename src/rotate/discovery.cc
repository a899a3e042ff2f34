#include <algorithm>
#include <set>
#include <utility>

#include "core/ascii.h"
#include "qarion/secrets/rotation.h"
#include "rotate/json_strings.h"
#include "rotate/plan.h"
#include "rotate/store.h"
#include "rotate/store_module.h"
#include "rotate/unlisted.h"
#include "rotate/value_reader.h"

namespace qarion::secrets {
namespace {

using rotate::ColumnPlan;
using rotate::Plan;
using rotate::Shape;
using rotate::Store;
using rotate::TablePlan;
using rotate::TextColumn;
using rotate::ValueReader;

// A column with more different paths holds names as data; a plan of them would not last.
constexpr std::size_t kMostPaths = 64;
// What stands before a token is a prefix if it is short.
constexpr std::size_t kLongestPrefix = 32;

// The path with `[*]` in place of each index: lists grow. Names in quotes stay.
std::string Generalized(std::string_view path) {
  std::string general;
  bool is_name = false;
  for (std::size_t i = 0; i < path.size(); ++i) {
    general += path[i];
    if (path[i] == '"') is_name = !is_name;
    if (path[i] == '\\' && i + 1 < path.size()) general += path[++i];
    if (is_name || path[i] != '[' || i + 1 == path.size() || !core::IsDigit(path[i + 1])) continue;
    general += '*';
    while (i + 1 < path.size() && core::IsDigit(path[i + 1])) ++i;
  }
  return general;
}

// How the tokens of one column stand in it.
class ColumnSurvey {
 public:
  ColumnSurvey(const TextColumn& column, ValueReader* keys) : column_(column), keys_(keys) {}

  void Look(std::string_view cell) {
    std::size_t tokens = rotate::TokensIn(cell).size();
    if (const auto plain = rotate::WithoutEscapes(cell)) {
      tokens = std::max(tokens, rotate::TokensIn(*plain).size());
    }
    if (tokens == 0) return;
    tokens_ += tokens;
    if (keys_ != nullptr) opened_ += keys_->CountTokens(cell);
    if (column_.shape != Shape::kJson && LookAtWhole(cell)) {
      is_whole_ = true;
    } else if (LookInJson(cell)) {
      is_json_ = true;
    } else {
      is_embedded_ = true;
    }
  }

  std::uint64_t tokens() const { return tokens_; }
  std::uint64_t opened() const { return opened_; }

  // Why a plan cannot cover the column; empty where it can.
  std::string Remark() const {
    if (!column_.obstacle.empty()) return "left out: it " + column_.obstacle;
    if (keys_ != nullptr && opened_ == 0) return "left out: no key given opens one of them";
    if (is_json_ && column_.shape == Shape::kBytes) return "left out: JSON in a column of bytes";
    if (is_embedded_) return "left out: tokens stand inside of other text";
    if (is_whole_ && is_json_) return "left out: some are the whole value, others stand in JSON";
    if (prefixes_.size() > 1) return "left out: what stands before the tokens differs";
    if (paths_.size() > kMostPaths) return "left out: they stand at too many different paths";
    return {};
  }

  ColumnPlan AsPlan() const {
    ColumnPlan plan{.name = column_.name, .shape = is_json_ ? Shape::kJson : column_.shape};
    if (!prefixes_.empty()) plan.prefix = *prefixes_.begin();
    for (const std::string& text : paths_) {
      if (auto path = rotate::JsonPath::Parse(text)) plan.paths.push_back(*std::move(path));
    }
    return plan;
  }

 private:
  // Whether `text` is a token, maybe after a prefix.
  bool LookAtWhole(std::string_view text) {
    const auto tokens = rotate::TokensIn(text);
    if (tokens.size() != 1 || !text.ends_with(tokens.front())) return false;
    const std::string_view prefix = text.substr(0, text.size() - tokens.front().size());
    if (prefix.size() > kLongestPrefix) return false;
    prefixes_.emplace(prefix);
    return true;
  }

  // Whether strings have tokens in them, and each that has one is a token.
  bool LookInJson(std::string_view text) {
    bool has_tokens = false;
    bool all_are_tokens = true;
    const Status visited = rotate::VisitJsonStrings(text, [&](const rotate::JsonString& string) {
      if (rotate::TokensIn(string.text).empty()) {
        // JSON inside of the string, with escapes of its own.
        const auto plain = rotate::WithoutEscapes(string.text);
        if (!plain || rotate::TokensIn(*plain).empty()) return;
        has_tokens = true;
        all_are_tokens = false;
        return;
      }
      has_tokens = true;
      all_are_tokens = LookAtWhole(string.text) && all_are_tokens;
      if (paths_.size() <= kMostPaths) paths_.insert(Generalized(string.path));
    });
    return visited && has_tokens && all_are_tokens;
  }

  const TextColumn& column_;
  ValueReader* const keys_;  // null: none were given
  std::uint64_t tokens_ = 0;
  std::uint64_t opened_ = 0;
  bool is_whole_ = false;
  bool is_json_ = false;
  bool is_embedded_ = false;
  std::set<std::string> prefixes_;
  std::set<std::string> paths_;
};

// The table that a plan names: of a partition, the one that it is a part of.
const std::string& SchemaOf(const TextColumn& column) {
  return column.root_table.empty() ? column.schema : column.root_schema;
}
const std::string& TableOf(const TextColumn& column) {
  return column.root_table.empty() ? column.table : column.root_table;
}

// Adds a column to its table in the plan.
void AddColumn(const TextColumn& column, ColumnPlan column_plan, Plan& plan) {
  const auto is_its_table = [&](const TablePlan& table) {
    return table.schema == SchemaOf(column) && table.name == TableOf(column);
  };
  auto table = std::ranges::find_if(plan.tables, is_its_table);
  if (table == plan.tables.end()) {
    table = plan.tables.insert(table, {.schema = SchemaOf(column), .name = TableOf(column)});
  }
  // A partition has the columns that another one had already.
  const auto same = std::ranges::find(table->columns, column_plan.name, &ColumnPlan::name);
  if (same == table->columns.end()) table->columns.push_back(std::move(column_plan));
}

Result<Discovery> Survey(Store& store, std::chrono::milliseconds lock_timeout, ValueReader* keys) {
  const rotate::TransactionOptions looking{.lock_timeout = lock_timeout, .is_read_only = true};
  if (Status begun = store.Begin({}, {}, looking); !begun) return begun.error();
  auto columns = store.TextColumns();
  if (!columns) return std::move(columns).error();
  Discovery discovery{.database = store.Description()};
  Plan plan;
  for (const TextColumn& column : *columns) {
    ColumnSurvey survey(column, keys);
    const Status visited =
        rotate::VisitCandidates(store, column, [&](std::string_view cell) -> Status {
          survey.Look(cell);
          return {};
        });
    if (!visited) return visited.error();
    if (survey.tokens() == 0) continue;
    const std::string remark = survey.Remark();
    const std::string table =
        column.schema.empty() ? column.table : column.schema + "." + column.table;
    discovery.columns.push_back({table, column.name, survey.tokens(), survey.opened(), remark});
    if (remark.empty()) AddColumn(column, survey.AsPlan(), plan);
  }
  if (!plan.tables.empty()) discovery.plan = rotate::WritePlan(plan);
  return discovery;
}

}  // namespace

Result<Discovery> DiscoverTokens(const DatabaseAccess& access, const std::vector<FernetKey>& keys) {
  auto store = rotate::OpenStore({access.database, access.password.Reveal(), access.lock_timeout});
  if (!store) return std::move(store).error();
  if (keys.empty()) return Survey(**store, access.lock_timeout, nullptr);
  auto reader = ValueReader::Create(keys, crypto::FernetReading::kLenient);
  if (!reader) return std::move(reader).error();
  return Survey(**store, access.lock_timeout, &*reader);
}

}  // namespace qarion::secrets
