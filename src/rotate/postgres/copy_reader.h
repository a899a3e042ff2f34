// Rows as COPY sends them in its binary format.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "rotate/postgres/connection.h"
#include "rotate/store.h"

namespace qarion::secrets::rotate::postgres {

struct CopyShape {
  bool has_condition = false;  // the second field says whether the row is selected
  std::size_t columns = 0;     // after that
};

// Reads about a thousand rows, or about a MiB, at a time; a row that is larger on its own. Where it
// is destroyed before its end, what is still to come is discarded.
class CopyReader final : public RowSource {
 public:
  // The connection is the reader's alone as long as it lives. `what` begins reasons of errors:
  // "public.instances cannot be read".
  static Result<std::unique_ptr<RowSource>> Open(std::shared_ptr<Connection> connection,
                                                 const std::string& query, CopyShape shape,
                                                 std::string what);
  ~CopyReader() override;
  Status Next(RowBatch& batch) override;

 private:
  CopyReader(std::shared_ptr<Connection> connection, CopyShape shape, std::string what)
      : connection_(std::move(connection)), shape_(shape), what_(std::move(what)) {}

  Status Finish();
  Status AddRows(std::string_view message, RowBatch& batch);
  bool AddRow(std::string_view& rest, RowBatch& batch);

  std::shared_ptr<Connection> connection_;
  CopyShape shape_;
  std::string what_;
  // Where each cell begins in the batch's bytes, which move while they grow.
  std::vector<std::size_t> begins_;
  bool has_header_ = false;
  bool is_at_end_ = false;
};

}  // namespace qarion::secrets::rotate::postgres
