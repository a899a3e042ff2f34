// Reads the rows of a table page by page.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rotate/sqlite/catalogue.h"
#include "rotate/sqlite/connection.h"
#include "rotate/sqlite/keyed_rows.h"
#include "rotate/sqlite/statement.h"
#include "rotate/store.h"

namespace qarion::secrets::rotate::sqlite {

// A page is read with the connection's mutex held, and nothing is left open between two: so rows
// may be updated meanwhile, of this table too. What is updated are never the rowid and the primary
// key, so that no row is met twice or missed.
class RowReader final : public RowSource {
 public:
  // Enough for the cost of a page not to show; and for large values a limit of memory.
  static constexpr std::size_t kMostRows = 1000;
  static constexpr std::size_t kMostBytes = std::size_t{1024} * 1024;

  // All rows, with the columns of the plan. `index` is for tables WITHOUT ROWID, and filled.
  static Result<std::unique_ptr<RowSource>> OpenAll(std::shared_ptr<Connection> connection,
                                                    const Table& table,
                                                    std::shared_ptr<KeyIndex> index);
  // Rows whose `column` contains one of `needles`, with that column.
  static Result<std::unique_ptr<RowSource>> OpenMatching(std::shared_ptr<Connection> connection,
                                                         const Table& table,
                                                         std::shared_ptr<KeyIndex> index,
                                                         const std::string& column,
                                                         std::span<const std::string_view> needles);

  ~RowReader() override;

  // kInternal: the transaction has ended in which the source was opened.
  Status Next(RowBatch& batch) override;

 private:
  // What a row is asked for beside its place.
  struct Selection {
    std::string flag;                  // an SQL condition: whether the row is selected
    bool is_filter = false;            // rows that are not are left out
    std::vector<std::string> cells;    // SQL
    std::vector<std::string> needles;  // of a filter
  };

  RowReader(std::shared_ptr<Connection> connection, const Table& table,
            std::shared_ptr<KeyIndex> index, Selection selection)
      : connection_(std::move(connection)),
        transaction_(connection_->transaction()),
        key_columns_(table.rowid.empty() ? table.primary_key.size() : 0),
        title_(table.Title()),
        index_(std::move(index)),
        selection_(std::move(selection)) {}

  static std::size_t FirstNeedle(const Table& table);
  static Result<std::unique_ptr<RowSource>> Open(std::shared_ptr<Connection> connection,
                                                 const Table& table,
                                                 std::shared_ptr<KeyIndex> index,
                                                 Selection selection);
  Status Prepare(const Table& table);
  bool IsKeyed() const noexcept { return key_columns_ != 0; }
  Status ReadPage(RowBatch& batch);
  Statement& BindStart();
  void TakePlace(const Statement& row);
  void AddRow(const Statement& row, RowBatch& batch);
  void EndPage(std::size_t count);

  const std::shared_ptr<Connection> connection_;
  const std::uint64_t transaction_;
  const std::size_t key_columns_;  // 0: with rowid
  const std::string title_;
  const std::shared_ptr<KeyIndex> index_;
  const Selection selection_;

  std::vector<Statement> statements_;  // from a place on; of keyed tables also: from the beginning
  std::vector<std::size_t> sizes_;     // of the batch's cells
  bool is_at_end_ = false;
  std::int64_t next_rowid_ = std::numeric_limits<std::int64_t>::min();
  std::uint64_t next_number_ = 0;
  std::uint64_t locator_ = 0;  // of the row at hand
  Key start_;                  // of the page
  Key last_;                   // of the page before
  KeyDigest digest_;
};

}  // namespace qarion::secrets::rotate::sqlite
