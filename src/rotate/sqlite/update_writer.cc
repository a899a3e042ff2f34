#include "rotate/sqlite/update_writer.h"

#include <sqlite3.h>

#include <algorithm>
#include <utility>

#include "rotate/sqlite/errors.h"
#include "rotate/sqlite/names.h"

namespace qarion::secrets::rotate::sqlite {
namespace {

// Only statements of our own may call them, triggers and views may not.
constexpr int kFlags = SQLITE_UTF8 | SQLITE_DIRECTONLY;
constexpr char kPlace[] = "qarion_place";
constexpr char kNewValue[] = "qarion_new_value";

std::string UpdateOf(const Table& table) {
  const std::string place =
      table.rowid.empty() ? "?1" : std::string(kPlace) + "(" + table.rowid + ")";
  std::string update = "UPDATE " + QuotedTable(table.target.name) + " SET ";
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const std::string name = QuotedName(table.columns[i]);
    update += (i == 0 ? "" : ", ") + name + " = " + kNewValue + "(" + place + ", " +
              std::to_string(i) + ", " + name + ")";
  }
  update += " WHERE ";
  if (table.rowid.empty()) return update + KeyEquals(table, 2);
  return update + table.rowid + " BETWEEN ?1 AND ?2 AND " + place + " IS NOT NULL";
}

// A trigger can leave rows as they are, too: RAISE(IGNORE).
Error NotAllThere(const Table& table, std::int64_t written, std::size_t wanted) {
  return Error(ErrorCode::kInternal, std::to_string(static_cast<std::int64_t>(wanted) - written) +
                                         " of " + std::to_string(wanted) + " rows of " +
                                         table.Title() + " could not be written")
      .Cure("see whether a trigger of the table leaves them as they are");
}

Error ReadersStay() {
  return Error(ErrorCode::kTryAgain,
               "changes of this size are written to the database only when nobody reads it, and "
               "another connection does not stop")
      .Cure("run it again without long reads, or switch the database to PRAGMA journal_mode = WAL");
}

}  // namespace

UpdateWriter::UpdateWriter(Connection& connection) : connection_(connection) {
  sqlite3_create_function(connection_.get(), kPlace, 1, kFlags, this, Place, nullptr, nullptr);
  sqlite3_create_function(connection_.get(), kNewValue, 3, kFlags, this, NewValue, nullptr,
                          nullptr);
}

UpdateWriter::~UpdateWriter() {
  statements_.clear();
  sqlite3_create_function(connection_.get(), kPlace, 1, kFlags, nullptr, nullptr, nullptr, nullptr);
  sqlite3_create_function(connection_.get(), kNewValue, 3, kFlags, nullptr, nullptr, nullptr,
                          nullptr);
}

void UpdateWriter::Place(sqlite3_context* context, int, sqlite3_value** arguments) noexcept {
  auto* self = static_cast<UpdateWriter*>(sqlite3_user_data(context));
  const auto found = self->Find(sqlite3_value_int64(arguments[0]));
  if (found) sqlite3_result_int64(context, static_cast<std::int64_t>(*found));
}

void UpdateWriter::NewValue(sqlite3_context* context, int, sqlite3_value** arguments) noexcept {
  const auto* self = static_cast<const UpdateWriter*>(sqlite3_user_data(context));
  const UpdateBatch& batch = *self->batch_;
  if (sqlite3_value_type(arguments[0]) == SQLITE_NULL) {
    return sqlite3_result_error(context, "a row that is not in the batch", -1);
  }
  const auto place = static_cast<std::size_t>(sqlite3_value_int64(arguments[0]));
  const auto column = static_cast<std::size_t>(sqlite3_value_int64(arguments[1]));
  const std::size_t columns = batch.cells.size() / batch.locators.size();
  const Cell& cell = batch.cells[place * columns + column];
  sqlite3_value* const old = arguments[2];
  if (cell.is_null) {
    sqlite3_result_value(context, old);
  } else if (sqlite3_value_type(old) == SQLITE_BLOB) {
    sqlite3_result_blob64(context, cell.bytes.data(), cell.bytes.size(), SQLITE_STATIC);
  } else {
    sqlite3_result_text64(context, cell.bytes.data(), cell.bytes.size(), SQLITE_STATIC,
                          SQLITE_UTF8);
  }
}

// Rows are asked for in their order, and each several times.
std::optional<std::size_t> UpdateWriter::Find(std::int64_t rowid) noexcept {
  for (std::size_t i = last_; i < std::min(last_ + 2, places_.size()); ++i) {
    if (places_[i].first != rowid) continue;
    last_ = i;
    return places_[i].second;
  }
  const auto found = std::ranges::lower_bound(places_, rowid, std::less<>(),
                                              &std::pair<std::int64_t, std::size_t>::first);
  if (found == places_.end() || found->first != rowid) return std::nullopt;
  last_ = static_cast<std::size_t>(found - places_.begin());
  return found->second;
}

Result<Statement*> UpdateWriter::StatementFor(const Table& table) {
  const auto known = statements_.find(table.target.name);
  if (known != statements_.end()) return &known->second;
  auto statement =
      Statement::Prepare(connection_, UpdateOf(table), table.Title() + " cannot be written");
  if (!statement) return std::move(statement).error();
  return &statements_.emplace(table.target.name, std::move(*statement)).first->second;
}

Status UpdateWriter::Prepare(const Table& table) {
  const auto statement = StatementFor(table);
  if (!statement) return statement.error();
  return {};
}

Status UpdateWriter::Write(const Table& table, const KeyIndex* index, const UpdateBatch& batch) {
  if (batch.locators.empty()) return {};
  if (batch.cells.size() != batch.locators.size() * table.columns.size()) {
    return Error(ErrorCode::kInternal,
                 "a batch has not as many values as " + table.Title() + " has columns in the plan");
  }
  const auto update = StatementFor(table);
  if (!update) return update.error();
  batch_ = &batch;
  Status written =
      index == nullptr ? WriteRange(table, **update) : WriteEach(table, *index, **update);
  batch_ = nullptr;
  if (written && connection_.HasTimedOut()) return ReadersStay();
  return written;
}

Status UpdateWriter::WriteRange(const Table& table, Statement& update) {
  places_.clear();
  last_ = 0;
  for (std::size_t i = 0; i < batch_->locators.size(); ++i) {
    places_.emplace_back(static_cast<std::int64_t>(batch_->locators[i]), i);
  }
  std::ranges::sort(places_);
  update.Bind(1, places_.front().first);
  update.Bind(2, places_.back().first);
  const auto done = update.Step();
  if (!done) return done.error();
  const std::int64_t written = sqlite3_changes64(connection_.get());
  if (written == static_cast<std::int64_t>(places_.size())) return {};
  return NotAllThere(table, written, places_.size());
}

Status UpdateWriter::WriteEach(const Table& table, const KeyIndex& index, Statement& update) {
  std::vector<Key> keys;
  std::uint64_t first = 0;
  std::int64_t written = 0;
  for (std::size_t i = 0; i < batch_->locators.size(); ++i) {
    const std::uint64_t number = batch_->locators[i];
    if (number < first || number - first >= keys.size()) {
      auto page = index.Load(connection_, table, number, first);
      if (!page) return std::move(page).error();
      keys = std::move(*page);
    }
    update.Bind(1, static_cast<std::int64_t>(i));
    const Key& key = keys[number - first];
    for (std::size_t j = 0; j < key.size(); ++j) {
      update.BindValue(static_cast<int>(j) + 2, key[j]);
    }
    const auto done = update.Step();
    if (!done) return done.error();
    written += sqlite3_changes64(connection_.get());
  }
  if (written == static_cast<std::int64_t>(batch_->locators.size())) return {};
  return NotAllThere(table, written, batch_->locators.size());
}

}  // namespace qarion::secrets::rotate::sqlite
