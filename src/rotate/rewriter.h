// The new contents of cells, row by row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "qarion/secrets/result.h"
#include "qarion/secrets/rotation.h"
#include "rotate/cell_finder.h"
#include "rotate/plan.h"
#include "rotate/store.h"
#include "rotate/value_reader.h"

namespace qarion::secrets::rotate {

struct CellProblem {
  std::uint64_t locator = 0;
  std::string column;  // with the path, where it is in JSON
  std::string reason;
};

// What becomes of a batch of rows.
struct Rewritten {
  UpdateBatch updates;  // of the rows that change
  std::vector<CellProblem> problems;
  std::uint64_t rows = 0;  // that were read
  std::size_t ByteCount() const noexcept { return updates.bytes.size(); }
};

// "credentials $.password"; the column alone where the value has no path.
std::string PlaceOf(const ColumnPlan& column, const JsonPath* path);

// Counts and rewrites the values of one plan.
//
// Thread-safety: one thread at a time. Lifetime: the plan must outlive it.
class Rewriter {
 public:
  // `keys`: the new one first. kInternal: see crypto::FernetRing::Create.
  static Result<Rewriter> Create(const Plan& plan, std::span<const FernetKey> keys,
                                 crypto::FernetReading reading);

  // Replaces what `out` holds. kInternal: OpenSSL fails.
  Status Process(const Target& target, const RowBatch& batch, Rewritten& out);

  // Of each column of the plan, in its order.
  const std::vector<RotationCounts>& counts() const noexcept { return counts_; }
  // Of each column, what each key opened, in the order of the keys.
  const std::vector<std::vector<std::uint64_t>>& by_key() const noexcept { return by_key_; }
  // Of each column, the sum of its values' digests.
  const std::vector<std::uint64_t>& digests() const noexcept { return digests_; }
  // Of each column, tokens that an old key opens where the plan has none: at other paths of a
  // document, in plaintext that is left, in rows that `where` leaves out.
  const std::vector<std::uint64_t>& unlisted() const noexcept { return unlisted_; }

 private:
  Rewriter(const Plan& plan, std::size_t key_count, ValueReader reader, ValueReader old_keys,
           crypto::FernetRing writer);

  Status ProcessRow(const TablePlan& table, std::size_t first_count, const RowBatch::Row& row,
                    const Cell* cells, Rewritten& out);
  Status ProcessCell(const ColumnPlan& column, std::size_t count, std::uint64_t locator,
                     const Cell& cell, Rewritten& out);
  // Sets `text` to what takes the value's place; empty: it stays.
  Status ProcessValue(const ColumnPlan& column, std::size_t count, std::uint64_t locator,
                      const CellValue& value, std::string& text, Rewritten& out);
  void TakeOthers(const ColumnPlan& column, std::size_t count, std::uint64_t locator,
                  Rewritten& out);
  void CountUnlisted(std::size_t count, std::string_view text);

  const Plan& plan_;
  std::vector<std::size_t> first_counts_;  // of each table
  ValueReader reader_;
  ValueReader old_keys_;
  crypto::FernetRing writer_;
  std::vector<RotationCounts> counts_;
  std::vector<std::vector<std::uint64_t>> by_key_;
  std::vector<std::uint64_t> digests_;
  std::vector<std::uint64_t> unlisted_;
  std::vector<CellFinder> finders_;  // of each column
  // Of the batch and the cell that are worked on.
  std::vector<std::string> new_texts_;  // of values; empty: stays
  std::vector<std::string_view> new_views_;
  std::vector<std::size_t> new_sizes_;  // of each cell of UpdateBatch; 0: stays
};

}  // namespace qarion::secrets::rotate
