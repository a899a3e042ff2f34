// The proof that a rotation worked, from what the database holds now.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "qarion/secrets/result.h"
#include "qarion/secrets/rotation.h"
#include "rotate/cell_finder.h"
#include "rotate/plan.h"
#include "rotate/rewriter.h"
#include "rotate/store.h"
#include "rotate/value_reader.h"

namespace qarion::secrets::rotate {

// Holds what is read back against what was counted while it was written.
//
// Thread-safety: one thread at a time. Lifetime: the plan must outlive it.
class Prover {
 public:
  // `keys`: the new one first. `written`: what the Rewriter counted. `allows_unlisted`: tokens of
  // old keys may stand where the plan lists none. kInternal: see crypto::FernetRing::Create.
  static Result<Prover> Create(const Plan& plan, std::span<const FernetKey> keys,
                               const Rewriter& written, bool allows_unlisted);

  // kInternal: a value that the new key does not open, or that an old one does.
  Status Check(const Target& target, const RowBatch& batch);

  // After all rows. kInternal: there are more or fewer values than were written, or others.
  Status Conclude() const;

 private:
  struct Tally {
    std::uint64_t rows = 0;
    std::uint64_t null = 0;
    std::uint64_t empty = 0;
    std::uint64_t absent = 0;
    std::uint64_t tokens = 0;
    std::uint64_t plaintext = 0;
    std::uint64_t digest = 0;
    bool operator==(const Tally&) const = default;
  };

  Prover(const Plan& plan, ValueReader new_key, ValueReader old_keys, const Rewriter& written,
         bool allows_unlisted);

  struct Place {
    const TablePlan& table;
    const ColumnPlan& column;
    std::string Title() const { return table.Title() + "." + column.name; }
  };

  Status CheckCell(const Place& place, std::size_t index, const Cell& cell);
  Status CheckNoOldKey(const Place& place, std::string_view text);

  const Plan& plan_;
  ValueReader new_key_;
  ValueReader old_keys_;
  const bool allows_unlisted_;
  const std::vector<RotationCounts> written_;
  const std::vector<std::uint64_t> digests_;
  std::vector<std::size_t> first_tallies_;  // of each table
  std::vector<Tally> tallies_;
  std::vector<CellFinder> finders_;  // of each column
};

}  // namespace qarion::secrets::rotate
