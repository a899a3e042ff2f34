#include "rotate/postgres/update_writer.h"

#include <libpq-fe.h>

#include <charconv>
#include <span>
#include <string>
#include <utility>

#include "rotate/postgres/errors.h"
#include "rotate/postgres/statements.h"
#include "rotate/postgres/wire.h"

namespace qarion::secrets::rotate::postgres {
namespace {

constexpr std::size_t kMostInFlight = 4;
constexpr char kUnnamed[] = "";  // the statement; none is left behind in a pooled connection

// One plan for all batches: the rows that their ctids say are looked up at once, and found by these
// among the new values.
constexpr char kForcePlan[] =
    "SELECT pg_catalog.set_config(name, value, true) FROM (VALUES ('plan_cache_mode', "
    "'force_generic_plan'), "
    "('enable_nestloop', 'off'), ('enable_mergejoin', 'off'), ('enable_seqscan', 'off')) "
    "AS wanted(name, value)";
constexpr char kEndForcing[] =
    "SELECT pg_catalog.set_config('plan_cache_mode', reset_val, true) FROM pg_catalog.pg_settings "
    "WHERE name = 'plan_cache_mode'";
// An expression that sets the rest as it was before.
constexpr char kSettingsBefore[] =
    "SELECT pg_catalog.concat('pg_catalog.concat(', pg_catalog.string_agg(pg_catalog.format("
    "'pg_catalog.set_config(%L, %L, true)', name, setting), ', '), ')') "
    "FROM pg_catalog.pg_settings "
    "WHERE name IN ('enable_nestloop', 'enable_mergejoin', 'enable_seqscan')";

// Oids of types are fixed.
constexpr std::uint64_t kTidOid = 27;
constexpr std::uint64_t kTextOid = 25;
constexpr std::uint64_t kByteaOid = 17;

constexpr char kDatabase[] = "the database";

std::string What(const std::string& title) { return title + " cannot be updated"; }

void BeginArray(std::vector<char>& out, std::uint64_t element, std::size_t size, bool has_null) {
  out.clear();
  AppendNumber(out, 1, 4);  // dimensions
  AppendNumber(out, has_null ? 1 : 0, 4);
  AppendNumber(out, element, 4);
  AppendNumber(out, size, 4);
  AppendNumber(out, 1, 4);  // the lower bound
}

void AppendTids(std::vector<char>& out, std::span<const std::uint64_t> locators) {
  BeginArray(out, kTidOid, locators.size(), false);
  for (const std::uint64_t locator : locators) {
    AppendNumber(out, kTidSize, 4);
    AppendNumber(out, locator, kTidSize);
  }
}

// Column `column` of the batch, which has `columns`. False: a null where none may be.
bool AppendValues(std::vector<char>& out, const UpdateBatch& batch, std::size_t column,
                  std::size_t columns, bool is_bytes) {
  BeginArray(out, is_bytes ? kByteaOid : kTextOid, batch.locators.size(), columns > 1);
  for (std::size_t i = column; i < batch.cells.size(); i += columns) {
    const Cell& cell = batch.cells[i];
    if (cell.is_null) {
      if (columns == 1) return false;
      AppendNumber(out, 0xffffffff, 4);
      continue;
    }
    AppendNumber(out, cell.bytes.size(), 4);
    out.insert(out.end(), cell.bytes.begin(), cell.bytes.end());
  }
  return true;
}

}  // namespace

Status UpdateWriter::SendError(const std::string& title) {
  return CommandError(connection_.get(), nullptr, What(title));
}

Status UpdateWriter::Begin() {
  if (is_active_) return {};
  auto before = connection_.Query(kSettingsBefore, {}, What(kDatabase));
  if (!before) return std::move(before).error();
  settings_before_ = before->Text(0, 0);
  if (PQenterPipelineMode(connection_.get()) != 1) {
    return SendError(kDatabase);
  }
  is_active_ = true;
  return {};
}

Status UpdateWriter::Run(const std::string& sql) {
  prepared_.reset();  // the unnamed statement is another one then
  if (PQsendQueryParams(connection_.get(), sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0) !=
          1 ||
      PQsendFlushRequest(connection_.get()) != 1 || PQflush(connection_.get()) < 0) {
    return SendError(kDatabase);
  }
  expected_.push_back({.rows = std::nullopt, .title = kDatabase});
  return {};
}

Status UpdateWriter::Prepare(const Table& table) {
  if (prepared_ == table.target.id) return {};
  if (Status forced = Run(kForcePlan); !forced) return forced;
  // The plan is made before the statement begins. From then on what triggers of rows do is planned
  // as ever, but for plan_cache_mode.
  const std::string update =
      UpdateRows(table) + " AND (SELECT " + settings_before_ + ") IS NOT NULL";
  if (PQsendPrepare(connection_.get(), kUnnamed, update.c_str(), 0, nullptr) != 1) {
    return SendError(table.target.Title());
  }
  expected_.push_back({.rows = std::nullopt, .title = table.target.Title()});
  prepared_ = table.target.id;
  return {};
}

Status UpdateWriter::Send(const Table& table, const UpdateBatch& batch) {
  const std::size_t columns = table.columns.size();
  parameters_.resize(columns + 1);
  AppendTids(parameters_[0], batch.locators);
  for (std::size_t i = 0; i < columns; ++i) {
    const bool is_bytes = table.columns[i].kind == ColumnKind::kBytes;
    if (!AppendValues(parameters_[i + 1], batch, i, columns, is_bytes)) {
      return Error(ErrorCode::kInternal, What(table.target.Title()) + ": a new value is missing")
          .Cure("report it");
    }
  }
  std::vector<const char*> values;
  std::vector<int> sizes;
  const std::vector<int> formats(columns + 1, 1);  // binary
  for (const auto& parameter : parameters_) {
    values.push_back(parameter.data());
    sizes.push_back(static_cast<int>(parameter.size()));
  }
  if (PQsendQueryPrepared(connection_.get(), kUnnamed, static_cast<int>(values.size()),
                          values.data(), sizes.data(), formats.data(), 0) != 1 ||
      PQsendFlushRequest(connection_.get()) != 1 || PQflush(connection_.get()) < 0) {
    return SendError(table.target.Title());
  }
  expected_.push_back({.rows = batch.locators.size(), .title = table.target.Title()});
  return {};
}

Status UpdateWriter::Write(const Table& table, const UpdateBatch& batch) {
  if (batch.locators.empty()) return {};
  if (Status begun = Begin(); !begun) return begun;
  while (expected_.size() >= kMostInFlight) {
    if (Status answered = AwaitOldest(); !answered) return answered;
  }
  if (Status prepared = Prepare(table); !prepared) return prepared;
  return Send(table, batch);
}

Status UpdateWriter::AwaitOldest() {
  const Expected expected = std::move(expected_.front());
  expected_.pop_front();
  const ResultHandle result(PQgetResult(connection_.get()));
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    return CommandError(connection_.get(), result.get(), What(expected.title));
  }
  const ResultHandle end(PQgetResult(connection_.get()));  // null: that was all
  if (!expected.rows) return {};
  const std::string_view affected = PQcmdTuples(result.get());
  std::uint64_t rows = 0;
  std::from_chars(affected.data(), affected.data() + affected.size(), rows);
  if (rows == *expected.rows) return {};
  return Error(ErrorCode::kInternal, What(expected.title) + ": of " +
                                         std::to_string(*expected.rows) + " rows " +
                                         std::to_string(rows) + " were updated")
      .With("table", expected.title)
      .Cure("see whether a trigger or a rule of the table skips rows, or updates other rows");
}

Status UpdateWriter::Finish() {
  if (!is_active_) return {};
  if (Status sent = Run(kEndForcing); !sent) return sent;
  if (PQpipelineSync(connection_.get()) != 1) return SendError(kDatabase);
  while (!expected_.empty()) {
    if (Status answered = AwaitOldest(); !answered) return answered;
  }
  const ResultHandle sync(PQgetResult(connection_.get()));
  if (PQresultStatus(sync.get()) != PGRES_PIPELINE_SYNC ||
      PQexitPipelineMode(connection_.get()) != 1) {
    return SendError(kDatabase);
  }
  is_active_ = false;
  return {};
}

}  // namespace qarion::secrets::rotate::postgres
