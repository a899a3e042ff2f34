#include "rotate/postgres/copy_reader.h"

#include <libpq-fe.h>

#include <chrono>
#include <string_view>
#include <utility>

#include "rotate/postgres/errors.h"
#include "rotate/postgres/statements.h"
#include "rotate/postgres/wire.h"

namespace qarion::secrets::rotate::postgres {
namespace {

constexpr std::size_t kMostRows = 500;
constexpr std::size_t kMostBytes = std::size_t{1024} * 1024;
constexpr std::string_view kSignature("PGCOPY\n\377\r\n\0", 11);
constexpr std::size_t kHeaderSize = kSignature.size() + 4 + 4;  // flags, length of an extension
constexpr std::size_t kCountSize = 2;                           // of fields, at a row's begin
constexpr std::size_t kLengthSize = 4;                          // at a field's begin
constexpr std::uint64_t kTrailer = 0xffff;
constexpr std::chrono::seconds kDiscardTimeout{5};

struct FreeMemory {
  void operator()(char* bytes) const noexcept { PQfreemem(bytes); }
};

struct Field {
  bool is_null = true;
  std::string_view bytes;
};

// Takes a field from the front of `rest`. False: there is none.
bool TakeField(std::string_view& rest, Field& field) {
  if (rest.size() < kLengthSize) return false;
  const std::int32_t length = ReadInt32(rest.data());
  rest.remove_prefix(kLengthSize);
  field.is_null = length < 0;
  if (field.is_null) return true;
  if (rest.size() < static_cast<std::size_t>(length)) return false;
  field.bytes = rest.substr(0, static_cast<std::size_t>(length));
  rest.remove_prefix(static_cast<std::size_t>(length));
  return true;
}

Error Malformed(const std::string& what) {
  return Error(ErrorCode::kInternal, what + ": the database sent rows in an unknown format")
      .Cure("report it");
}

}  // namespace

Result<std::unique_ptr<RowSource>> CopyReader::Open(std::shared_ptr<Connection> connection,
                                                    const std::string& query, CopyShape shape,
                                                    std::string what) {
  const ResultHandle result(PQexecParams(connection->get(), CopyOut(query).c_str(), 0, nullptr,
                                         nullptr, nullptr, nullptr, 0));
  if (PQresultStatus(result.get()) != PGRES_COPY_OUT) {
    return CommandError(connection->get(), result.get(), what);
  }
  return std::unique_ptr<RowSource>(new CopyReader(std::move(connection), shape, std::move(what)));
}

CopyReader::~CopyReader() {
  if (!is_at_end_) connection_->Settle(kDiscardTimeout);
}

Status CopyReader::Next(RowBatch& batch) {
  batch.Clear();
  begins_.clear();
  while (!is_at_end_ && batch.rows.size() < kMostRows && batch.bytes.size() < kMostBytes) {
    char* bytes = nullptr;
    const int size = PQgetCopyData(connection_->get(), &bytes, 0);
    const std::unique_ptr<char, FreeMemory> message(bytes);
    if (size < 0) {
      if (Status finished = Finish(); !finished) return finished;
      break;
    }
    const std::string_view text(bytes, static_cast<std::size_t>(size));
    if (Status added = AddRows(text, batch); !added) return added;
  }
  for (std::size_t i = 0; i < batch.cells.size(); ++i) {
    Cell& cell = batch.cells[i];
    cell.bytes = {batch.bytes.data() + begins_[i], cell.bytes.size()};
  }
  return {};
}

// After the last row: the command may still have failed.
Status CopyReader::Finish() {
  is_at_end_ = true;
  Status status;
  while (const ResultHandle result{PQgetResult(connection_->get())}) {
    const ExecStatusType kind = PQresultStatus(result.get());
    // libpq had no memory for a row, and would say so for ever.
    if (kind == PGRES_COPY_OUT) {
      connection_->Close();
      return WantOfMemory(what_);
    }
    if (kind == PGRES_COMMAND_OK || !status) continue;
    status = CommandError(connection_->get(), result.get(), what_);
  }
  if (status && connection_->IsLost()) {
    status = CommandError(connection_->get(), nullptr, what_);
  }
  return status;
}

// A message holds whole rows: the server sends one in each.
Status CopyReader::AddRows(std::string_view message, RowBatch& batch) {
  if (!has_header_) {
    if (message.size() < kHeaderSize || !message.starts_with(kSignature)) return Malformed(what_);
    const std::size_t extension = ReadNumber(message.data() + kHeaderSize - 4, 4);
    if (message.size() - kHeaderSize < extension) return Malformed(what_);
    message.remove_prefix(kHeaderSize + extension);
    has_header_ = true;
  }
  while (!message.empty()) {
    if (message.size() < kCountSize) return Malformed(what_);
    const std::uint64_t fields = ReadNumber(message.data(), kCountSize);
    message.remove_prefix(kCountSize);
    if (fields == kTrailer) return {};
    const std::size_t wanted = 1 + (shape_.has_condition ? 1 : 0) + shape_.columns;
    if (fields != wanted || !AddRow(message, batch)) return Malformed(what_);
  }
  return {};
}

bool CopyReader::AddRow(std::string_view& rest, RowBatch& batch) {
  Field field;
  if (!TakeField(rest, field) || field.bytes.size() != kTidSize) return false;
  RowBatch::Row row{.locator = ReadNumber(field.bytes.data(), kTidSize)};
  if (shape_.has_condition) {
    if (!TakeField(rest, field) || field.bytes.size() != 1) return false;
    row.is_selected = field.bytes[0] != 0;
  }
  batch.rows.push_back(row);
  for (std::size_t i = 0; i < shape_.columns; ++i) {
    if (!TakeField(rest, field)) return false;
    begins_.push_back(batch.bytes.size());
    if (field.is_null) {
      batch.cells.push_back(Cell{});
      continue;
    }
    batch.bytes.insert(batch.bytes.end(), field.bytes.begin(), field.bytes.end());
    batch.cells.push_back(Cell{.is_null = false, .bytes = field.bytes});
  }
  return true;
}

}  // namespace qarion::secrets::rotate::postgres
