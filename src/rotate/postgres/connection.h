// One connection to a PostgreSQL server.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qarion/secrets/result.h"
#include "rotate/postgres/host_list.h"

struct pg_conn;
struct pg_result;
struct pg_cancel;

namespace qarion::secrets::rotate::postgres {

struct ResultDeleter {
  void operator()(pg_result* result) const noexcept;
};
using ResultHandle = std::unique_ptr<pg_result, ResultDeleter>;

// What a query gave, as text.
class Rows {
 public:
  explicit Rows(ResultHandle result) : result_(std::move(result)) {}
  std::size_t size() const noexcept;
  // Empty for null.
  std::string_view Get(std::size_t row, int column) const noexcept;
  bool IsNull(std::size_t row, int column) const noexcept;
  bool IsTrue(std::size_t row, int column) const noexcept { return Get(row, column) == "t"; }
  std::uint64_t Number(std::size_t row, int column) const noexcept;  // 0 where it is none
  std::string Text(std::size_t row, int column) const { return std::string(Get(row, column)); }

 private:
  ResultHandle result_;
};

// Thread-safety: one thread at a time, but for Cancel().
class Connection {
 public:
  // Takes over a connection that is made.
  // `all_hosts`: those of its address, also where one of the later ones answered.
  Connection(pg_conn* connection, HostList all_hosts);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  pg_conn* get() const noexcept { return connection_; }
  const HostList& all_hosts() const noexcept { return all_hosts_; }
  bool IsLost() const noexcept;
  int server_version() const noexcept;  // 150018

  // One command with parameters $1, ... as text. `what` begins the reason of an error: "the tables
  // cannot be looked up".
  Result<Rows> Query(const std::string& sql, const std::vector<std::optional<std::string>>& values,
                     const std::string& what);
  Status Execute(const std::string& sql, const std::string& what);
  // Has it looked over by the server, which does not run it.
  Status Parse(const std::string& sql, const std::string& what);

  // Makes the connection ready for a command, whatever it is in the midst of: cancels that and
  // reads what is still to come. The transaction stays open, and aborted. False: not within the
  // time, or it is lost; then it is of no use any more.
  bool Settle(std::chrono::milliseconds timeout) noexcept;

  // Settles it and rolls its transaction back. False as above: then the server does it when it
  // notices that nobody is there any more.
  bool RollBack(std::chrono::milliseconds timeout) noexcept;

  // Gives the connection up: the server undoes what is not committed.
  void Close() noexcept;

  // Makes what the server does for this connection fail. From any thread.
  void Cancel() noexcept;

 private:
  bool WaitForInput(std::chrono::steady_clock::time_point deadline) noexcept;
  bool Discard(std::chrono::steady_clock::time_point deadline) noexcept;

  pg_conn* connection_;
  pg_cancel* cancel_;
  const HostList all_hosts_;
  bool is_closed_ = false;
};

}  // namespace qarion::secrets::rotate::postgres
