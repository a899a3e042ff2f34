// Writes batches of new values without waiting for each.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rotate/postgres/catalogue.h"
#include "rotate/postgres/connection.h"

namespace qarion::secrets::rotate::postgres {

// Uses libpq's pipeline mode, in which the connection is from the first Write() to Finish(). A few
// batches are on their way at a time, so that the server has the next one when it is done with
// one. Once a member failed, the transaction is lost.
class UpdateWriter {
 public:
  explicit UpdateWriter(Connection& connection) : connection_(connection) {}

  // What it returns may be the error of an earlier batch.
  Status Write(const Table& table, const UpdateBatch& batch);

  // A command without rows, in its turn.
  Status Run(const std::string& sql);

  // Waits for all answers. kInternal: not every row was there.
  Status Finish();

  bool is_active() const noexcept { return is_active_; }

 private:
  struct Expected {
    std::optional<std::uint64_t> rows;  // of an update
    std::string title;                  // of the table
  };

  Status Begin();
  Status Prepare(const Table& table);
  Status Send(const Table& table, const UpdateBatch& batch);
  Status AwaitOldest();
  Status SendError(const std::string& title);

  Connection& connection_;
  std::deque<Expected> expected_;
  std::optional<std::uint64_t> prepared_;      // the table whose statement is
  std::vector<std::vector<char>> parameters_;  // reused
  std::string settings_before_;                // an expression that restores the planner's settings
  bool is_active_ = false;
};

}  // namespace qarion::secrets::rotate::postgres
