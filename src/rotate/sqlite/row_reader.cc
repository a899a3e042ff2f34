#include "rotate/sqlite/row_reader.h"

#include <limits>
#include <utility>

#include "rotate/sqlite/names.h"

namespace qarion::secrets::rotate::sqlite {
namespace {

// Whether a column holds one of the needles, as what it is stored as: text of a database in UTF-16
// is not compared with bytes. Two parameters for each: the needle as text and as bytes.
std::string Contains(const std::string& column, std::size_t first_parameter, std::size_t needles) {
  const std::string name = QuotedName(column);
  std::string in_text;
  std::string in_bytes;
  for (std::size_t i = 0; i < needles; ++i) {
    const std::size_t parameter = first_parameter + 2 * i;
    if (i > 0) in_text += " OR ";
    if (i > 0) in_bytes += " OR ";
    in_text += "instr(" + name + ", ?" + std::to_string(parameter) + ") > 0";
    in_bytes += "instr(" + name + ", ?" + std::to_string(parameter + 1) + ") > 0";
  }
  return "CASE typeof(" + name + ") WHEN 'text' THEN " + in_text + " WHEN 'blob' THEN " + in_bytes +
         " ELSE 0 END";
}

}  // namespace

// Behind the parameters that say where a page begins.
std::size_t RowReader::FirstNeedle(const Table& table) {
  return table.rowid.empty() ? table.primary_key.size() + 1 : 2;
}

RowReader::~RowReader() {
  const std::lock_guard lock(connection_->mutex());
  statements_.clear();
}

Result<std::unique_ptr<RowSource>> RowReader::OpenAll(std::shared_ptr<Connection> connection,
                                                      const Table& table,
                                                      std::shared_ptr<KeyIndex> index) {
  Selection selection;
  selection.flag = table.where.empty() ? "1" : "(\n" + table.where + "\n) IS TRUE";
  for (const std::string& column : table.columns) selection.cells.push_back(QuotedName(column));
  return Open(std::move(connection), table, std::move(index), std::move(selection));
}

Result<std::unique_ptr<RowSource>> RowReader::OpenMatching(
    std::shared_ptr<Connection> connection, const Table& table, std::shared_ptr<KeyIndex> index,
    const std::string& column, std::span<const std::string_view> needles) {
  Selection selection{.flag = Contains(column, FirstNeedle(table), needles.size()),
                      .is_filter = true,
                      .cells = {QuotedName(column)},
                      .needles = {needles.begin(), needles.end()}};
  return Open(std::move(connection), table, std::move(index), std::move(selection));
}

Result<std::unique_ptr<RowSource>> RowReader::Open(std::shared_ptr<Connection> connection,
                                                   const Table& table,
                                                   std::shared_ptr<KeyIndex> index,
                                                   Selection selection) {
  std::unique_ptr<RowReader> reader(
      new RowReader(std::move(connection), table, std::move(index), std::move(selection)));
  std::unique_lock lock(reader->connection_->mutex());
  Status ready = reader->Prepare(table);
  lock.unlock();  // which the reader takes when it goes
  if (!ready) return std::move(ready).error();
  return std::unique_ptr<RowSource>(std::move(reader));
}

Status RowReader::Prepare(const Table& table) {
  // A row that a filter leaves out costs nothing more, where the place of each need not be known.
  const bool is_condition = selection_.is_filter && !IsKeyed();
  std::string select = "SELECT " + (IsKeyed() ? KeyList(table) : table.rowid) + ", " +
                       (is_condition ? "1" : selection_.flag);
  for (const std::string& cell : selection_.cells) select += ", " + cell;
  select += " FROM " + QuotedTable(table.target.name);
  const std::string order = " ORDER BY " + (IsKeyed() ? KeyOrder(table) : table.rowid) + " LIMIT " +
                            std::to_string(kMostRows);
  std::vector<std::string> texts;
  if (IsKeyed()) {
    texts = {select + " WHERE " + KeyFollows(table, false) + order, select + order};
  } else {
    texts = {select + " WHERE " + table.rowid + " >= ?1" +
             (is_condition ? " AND " + selection_.flag : "") + order};
  }
  for (const std::string& text : texts) {
    auto statement = Statement::Prepare(*connection_, text, title_ + " cannot be read");
    if (!statement) return std::move(statement).error();
    int parameter = static_cast<int>(FirstNeedle(table));
    for (const std::string& needle : selection_.needles) {
      statement->BindText(parameter++, needle);
      statement->BindBytes(parameter++, needle);
    }
    statements_.push_back(std::move(*statement));
  }
  return {};
}

Status RowReader::Next(RowBatch& batch) {
  batch.Clear();
  sizes_.clear();
  const std::lock_guard lock(connection_->mutex());
  if (connection_->transaction() != transaction_) {
    return Error(ErrorCode::kInternal,
                 "the transaction has ended in which " + title_ + " was to be read");
  }
  while (!is_at_end_ && batch.rows.empty()) {
    if (Status read = ReadPage(batch); !read) return read;
  }
  // Only now the bytes stay where they are.
  std::size_t offset = 0;
  for (std::size_t i = 0; i < batch.cells.size(); ++i) {
    if (!batch.cells[i].is_null) batch.cells[i].bytes = {batch.bytes.data() + offset, sizes_[i]};
    offset += sizes_[i];
  }
  return {};
}

Statement& RowReader::BindStart() {
  if (!IsKeyed()) {
    statements_.front().Bind(1, next_rowid_);
    return statements_.front();
  }
  if (last_.empty()) return statements_.back();
  for (std::size_t i = 0; i < last_.size(); ++i) {
    statements_.front().BindValue(static_cast<int>(i) + 1, last_[i]);
  }
  return statements_.front();
}

Status RowReader::ReadPage(RowBatch& batch) {
  Statement& rows = BindStart();
  digest_ = {};
  start_.clear();
  std::size_t count = 0;
  while (count < kMostRows && batch.bytes.size() < kMostBytes) {
    const auto is_row = rows.Step();
    if (!is_row) return is_row.error();
    if (!*is_row) {
      is_at_end_ = true;
      break;
    }
    TakePlace(rows);
    ++count;
    AddRow(rows, batch);
  }
  if (count > 0 && IsKeyed() && !is_at_end_) {
    last_.clear();
    for (std::size_t i = 0; i < key_columns_; ++i) last_.push_back(rows.Copy(static_cast<int>(i)));
  }
  rows.Reset();
  EndPage(count);
  return {};
}

void RowReader::TakePlace(const Statement& row) {
  if (!IsKeyed()) {
    const std::int64_t rowid = row.Number(0);
    locator_ = static_cast<std::uint64_t>(rowid);
    is_at_end_ = rowid == std::numeric_limits<std::int64_t>::max();
    next_rowid_ = is_at_end_ ? rowid : rowid + 1;
    return;
  }
  locator_ = next_number_++;
  digest_.Add(row, key_columns_);
  if (!start_.empty()) return;
  for (std::size_t i = 0; i < key_columns_; ++i) start_.push_back(row.Copy(static_cast<int>(i)));
}

void RowReader::AddRow(const Statement& row, RowBatch& batch) {
  const int flag = IsKeyed() ? static_cast<int>(key_columns_) : 1;
  const bool is_selected = row.Number(flag) != 0;
  if (selection_.is_filter && !is_selected) return;
  batch.rows.push_back({.locator = locator_, .is_selected = is_selected});
  for (int i = flag + 1; i < row.columns(); ++i) {
    const bool is_null = row.IsNull(i);
    const std::string_view bytes = is_null ? std::string_view() : row.Bytes(i);
    batch.bytes.insert(batch.bytes.end(), bytes.begin(), bytes.end());
    sizes_.push_back(bytes.size());
    batch.cells.push_back({.is_null = is_null, .bytes = {}});
  }
}

void RowReader::EndPage(std::size_t count) {
  if (!IsKeyed() || count == 0) return;
  index_->Add({.first = next_number_ - count,
               .count = count,
               .start = std::move(start_),
               .digest = digest_.Get()});
  start_.clear();
}

}  // namespace qarion::secrets::rotate::sqlite
