// Databases for tests, made and looked at without the store, and what a rotation does to them.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rotate/sqlite/sqlite_store.h"
#include "rotate/store.h"
#include "tests/support/temporary_directory.h"

namespace qarion::secrets::rotate::sqlite {

// SQLite itself, as an application uses it. Errors end the test.
class Database {
 public:
  explicit Database(const std::string& path) {
    EXPECT_EQ(sqlite3_open(path.c_str(), &database_), SQLITE_OK);
  }
  ~Database() { sqlite3_close(database_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  sqlite3* get() const { return database_; }

  int TryRun(const std::string& sql) {
    return sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr);
  }
  void Run(const std::string& sql) {
    ASSERT_EQ(TryRun(sql), SQLITE_OK) << sql << ": " << sqlite3_errmsg(database_);
  }
  // The rows, with | between the columns; bytes and all else as sqlite3_column_text has them.
  std::vector<std::string> Rows(const std::string& sql) {
    std::vector<std::string> rows;
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(database_, sql.c_str(), -1, &statement, nullptr), SQLITE_OK)
        << sql << ": " << sqlite3_errmsg(database_);
    while (sqlite3_step(statement) == SQLITE_ROW) {
      std::string& row = rows.emplace_back();
      for (int i = 0; i < sqlite3_column_count(statement); ++i) {
        const void* text = sqlite3_column_text(statement, i);
        const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, i));
        row += i == 0 ? "" : "|";
        row += text == nullptr ? "NULL" : std::string(static_cast<const char*>(text), size);
      }
    }
    sqlite3_finalize(statement);
    return rows;
  }
  std::string Value(const std::string& sql) {
    const std::vector<std::string> rows = Rows(sql);
    return rows.empty() ? "no row" : rows.front();
  }

 private:
  sqlite3* database_ = nullptr;
};

class StoreTestBase : public testing::Test {
 protected:
  // A database with what the SQL makes; its path.
  std::string Make(const std::string& sql, std::string_view name = "app.db") const {
    const std::string path = directory_.Path(name);
    Database(path).Run(sql);
    return path;
  }

  static std::unique_ptr<Store> Opened(const std::string& path) {
    auto store = SqliteStore::Open({.text = "sqlite:" + path, .password = ""});
    EXPECT_TRUE(store) << (store ? "" : store.error().reason());
    return store ? std::move(*store) : nullptr;
  }
  static Error OpenError(const std::string& address) {
    auto store = SqliteStore::Open({.text = address, .password = ""});
    EXPECT_FALSE(store);
    return store ? Error(ErrorCode::kInternal, "no error") : store.error();
  }

  // A plan of one table.
  static Plan PlanOf(const std::string& table, const std::vector<std::string>& columns,
                     const std::string& where = "", const std::vector<std::string>& key = {}) {
    Plan plan;
    AddTable(plan, table, columns, where, key);
    return plan;
  }
  static void AddTable(Plan& plan, const std::string& table,
                       const std::vector<std::string>& columns, const std::string& where = "",
                       const std::vector<std::string>& key = {}) {
    TablePlan& added = plan.tables.emplace_back();
    added.name = table;
    added.where = where;
    added.key = key;
    for (const std::string& column : columns) added.columns.push_back({.name = column});
  }

  static std::vector<Target> Resolved(Store& store, const Plan& plan) {
    auto targets = store.Resolve(plan);
    EXPECT_TRUE(targets) << (targets ? "" : targets.error().reason());
    return targets ? std::move(*targets) : std::vector<Target>();
  }
  static std::vector<Target> Begun(Store& store, const Plan& plan,
                                   const TransactionOptions& options = {}) {
    std::vector<Target> targets = Resolved(store, plan);
    const Status begun = store.Begin(plan, targets, options);
    EXPECT_TRUE(begun) << (begun ? "" : begun.error().reason());
    return targets;
  }

  // The cells of all rows, with | between the columns, and the row's name before them where it is
  // asked for; rows that are not selected in parentheses.
  static std::vector<std::string> All(Store& store, const Target& target, RowSource& source,
                                      bool with_names = false) {
    std::vector<std::string> all;
    RowBatch batch;
    while (true) {
      const Status read = source.Next(batch);
      EXPECT_TRUE(read) << (read ? "" : read.error().reason());
      if (!read || batch.rows.empty()) return all;
      const std::size_t columns = batch.cells.size() / batch.rows.size();
      for (std::size_t i = 0; i < batch.rows.size(); ++i) {
        std::string& row = all.emplace_back();
        for (std::size_t j = 0; j < columns; ++j) {
          const Cell& cell = batch.cells[i * columns + j];
          row += j == 0 ? "" : "|";
          row += cell.is_null ? "NULL" : std::string(cell.bytes);
        }
        if (!batch.rows[i].is_selected) row = "(" + row + ")";
        if (!with_names) continue;
        const auto name = store.NameRow(target, batch.rows[i].locator);
        row = (name ? *name : name.error().reason()) + ": " + row;
      }
    }
  }
  static std::vector<std::string> ReadAll(Store& store, const Target& target,
                                          bool with_names = false) {
    auto source = store.Read(target);
    EXPECT_TRUE(source) << (source ? "" : source.error().reason());
    return source ? All(store, target, **source, with_names) : std::vector<std::string>();
  }

  using Change = std::function<std::string(std::string_view)>;
  static std::string Marked(std::string_view old) { return "new " + std::string(old); }

  // Changes every selected value that is not null.
  static Status Update(Store& store, const Target& target, const Change& change = Marked) {
    auto source = store.Read(target);
    if (!source) return source.error();
    RowBatch rows;
    while (true) {
      if (Status read = (*source)->Next(rows); !read) return read;
      if (rows.rows.empty()) return store.Finish();
      UpdateBatch batch;
      std::vector<std::string> values;  // until they are written
      values.reserve(rows.cells.size());
      const std::size_t columns = rows.cells.size() / rows.rows.size();
      for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        if (!rows.rows[i].is_selected) continue;
        batch.locators.push_back(rows.rows[i].locator);
        for (std::size_t j = 0; j < columns; ++j) {
          const Cell& cell = rows.cells[i * columns + j];
          if (!cell.is_null) values.push_back(change(cell.bytes));
          batch.cells.push_back(
              {cell.is_null, cell.is_null ? std::string_view() : std::string_view(values.back())});
        }
      }
      if (Status updated = store.Update(target, batch); !updated) return updated;
    }
  }

  // All of it, committed.
  static Status Rotate(const std::string& path, const Plan& plan, const Change& change = Marked) {
    auto store = Opened(path);
    if (store == nullptr) return Error(ErrorCode::kInternal, "not opened");
    const auto targets = store->Resolve(plan);
    if (!targets) return targets.error();
    if (Status begun = store->Begin(plan, *targets, {}); !begun) return begun;
    for (const Target& target : *targets) {
      if (Status updated = Update(*store, target, change); !updated) return updated;
    }
    CommitResult committed = store->Commit();
    if (committed.outcome == CommitOutcome::kCommitted) return {};
    return std::move(*committed.error);
  }

  test::TemporaryDirectory directory_;
};

// Rows of the usual table, from 1 to `count`: "old 1", ...
inline std::string UsualTable(int count, const std::string& more_columns = "") {
  return "CREATE TABLE t (id INTEGER PRIMARY KEY, c TEXT" + more_columns +
         "); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
         std::to_string(count) + ") INSERT INTO t (id, c) SELECT i, 'old ' || i FROM n;";
}

}  // namespace qarion::secrets::rotate::sqlite
