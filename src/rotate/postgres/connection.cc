#include "rotate/postgres/connection.h"

#include <libpq-fe.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

#include "rotate/postgres/errors.h"

namespace qarion::secrets::rotate::postgres {
namespace {

using std::chrono::steady_clock;

// What PQgetCopyData() returns where it cannot go on, then and for ever.
constexpr int kCopyFailed = -2;

// Warnings would be printed to standard error.
void Ignore(void* /*unused*/, const PGresult* /*notice*/) {}

}  // namespace

void ResultDeleter::operator()(pg_result* result) const noexcept { PQclear(result); }

std::size_t Rows::size() const noexcept {
  return static_cast<std::size_t>(PQntuples(result_.get()));
}

std::string_view Rows::Get(std::size_t row, int column) const noexcept {
  const int line = static_cast<int>(row);
  return {PQgetvalue(result_.get(), line, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), line, column))};
}

bool Rows::IsNull(std::size_t row, int column) const noexcept {
  return PQgetisnull(result_.get(), static_cast<int>(row), column) != 0;
}

std::uint64_t Rows::Number(std::size_t row, int column) const noexcept {
  const std::string_view text = Get(row, column);
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

Connection::Connection(pg_conn* connection, HostList all_hosts)
    : connection_(connection), cancel_(PQgetCancel(connection)), all_hosts_(std::move(all_hosts)) {
  PQsetNoticeReceiver(connection_, Ignore, nullptr);
}

Connection::~Connection() {
  PQfreeCancel(cancel_);
  PQfinish(connection_);
}

bool Connection::IsLost() const noexcept {
  return is_closed_ || PQstatus(connection_) != CONNECTION_OK;
}

void Connection::Close() noexcept {
  is_closed_ = true;
  // The handle stays: a further connection is made with its settings.
  if (const int socket = PQsocket(connection_); socket >= 0) shutdown(socket, SHUT_RDWR);
}

int Connection::server_version() const noexcept { return PQserverVersion(connection_); }

Result<Rows> Connection::Query(const std::string& sql,
                               const std::vector<std::optional<std::string>>& values,
                               const std::string& what) {
  std::vector<const char*> texts;
  texts.reserve(values.size());
  for (const auto& value : values) texts.push_back(value ? value->c_str() : nullptr);
  // Never more than one command in a text: what a plan brings cannot begin a second one.
  ResultHandle result(PQexecParams(connection_, sql.c_str(), static_cast<int>(texts.size()),
                                   nullptr, texts.data(), nullptr, nullptr, 0));
  const ExecStatusType status = PQresultStatus(result.get());
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return Rows(std::move(result));
  return CommandError(connection_, result.get(), what);
}

Status Connection::Execute(const std::string& sql, const std::string& what) {
  auto rows = Query(sql, {}, what);
  if (!rows) return std::move(rows).error();
  return {};
}

Status Connection::Parse(const std::string& sql, const std::string& what) {
  const ResultHandle result(PQprepare(connection_, "", sql.c_str(), 0, nullptr));
  if (PQresultStatus(result.get()) == PGRES_COMMAND_OK) return {};
  return CommandError(connection_, result.get(), what);
}

void Connection::Cancel() noexcept {
  std::array<char, 256> problem{};  // there is nobody to tell it
  if (cancel_ != nullptr) {
    PQcancel(cancel_, problem.data(), static_cast<int>(problem.size()));
  }
}

// Also writes what waits to be written. False: lost, or too late.
bool Connection::WaitForInput(steady_clock::time_point deadline) noexcept {
  while (true) {
    const int unsent = PQflush(connection_);
    if (unsent < 0) return false;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now()).count();
    if (left <= 0) return false;
    pollfd waiting{PQsocket(connection_),
                   static_cast<short>(unsent > 0 ? POLLIN | POLLOUT : POLLIN), 0};
    const int ready = poll(&waiting, 1, static_cast<int>(left));
    if (ready < 0 && errno != EINTR) return false;
    if (ready <= 0) continue;
    if ((waiting.revents & (POLLIN | POLLERR | POLLHUP)) != 0) {
      return PQconsumeInput(connection_) == 1;
    }
  }
}

// Reads results to their end.
bool Connection::Discard(steady_clock::time_point deadline) noexcept {
  const bool awaits_sync = PQpipelineStatus(connection_) != PQ_PIPELINE_OFF;
  while (true) {
    while (PQisBusy(connection_) != 0) {
      if (!WaitForInput(deadline)) return false;
    }
    const ResultHandle result(PQgetResult(connection_));
    if (!result) {
      if (IsLost()) return false;
      if (!awaits_sync) return true;
      continue;
    }
    const ExecStatusType status = PQresultStatus(result.get());
    if (status == PGRES_PIPELINE_SYNC) {
      if (PQexitPipelineMode(connection_) == 1) return true;
      continue;  // it was the one of an earlier part
    }
    while (status == PGRES_COPY_OUT) {
      char* row = nullptr;
      const int size = PQgetCopyData(connection_, &row, 1);
      PQfreemem(row);
      if (size == kCopyFailed) return false;
      if (size < 0) break;
      if (size == 0 && !WaitForInput(deadline)) return false;
    }
  }
}

bool Connection::Settle(std::chrono::milliseconds timeout) noexcept {
  if (IsLost()) return false;
  const bool is_pipeline = PQpipelineStatus(connection_) != PQ_PIPELINE_OFF;
  if (!is_pipeline && PQtransactionStatus(connection_) != PQTRANS_ACTIVE) return true;
  const auto deadline = steady_clock::now() + timeout;
  Cancel();
  if (PQsetnonblocking(connection_, 1) != 0) return false;
  if (is_pipeline && PQpipelineSync(connection_) != 1) return false;
  return Discard(deadline) && PQsetnonblocking(connection_, 0) == 0;
}

bool Connection::RollBack(std::chrono::milliseconds timeout) noexcept {
  const auto deadline = steady_clock::now() + timeout;
  // A server that stands still is not waited for.
  if (!Settle(timeout)) return false;
  if (PQtransactionStatus(connection_) == PQTRANS_IDLE) return true;
  return PQsetnonblocking(connection_, 1) == 0 && PQsendQuery(connection_, "ROLLBACK") == 1 &&
         Discard(deadline) && PQsetnonblocking(connection_, 0) == 0 &&
         PQtransactionStatus(connection_) == PQTRANS_IDLE;
}

}  // namespace qarion::secrets::rotate::postgres
