#include "rotate/prover.h"

#include <string>
#include <utility>

namespace qarion::secrets::rotate {
namespace {

Error NotProven(const std::string& place, const std::string& what) {
  return Error(ErrorCode::kInternal, "the proof failed: in " + place + ", " + what)
      .Cure("look for what changes values as they are written, such as a trigger on that table");
}

}  // namespace

Result<Prover> Prover::Create(const Plan& plan, std::span<const FernetKey> keys,
                              const Rewriter& written, bool allows_unlisted) {
  auto new_key = ValueReader::Create(keys.first(1), crypto::FernetReading::kStrict);
  if (!new_key) return std::move(new_key).error();
  auto old_keys = ValueReader::Create(keys.subspan(1), crypto::FernetReading::kLenient);
  if (!old_keys) return std::move(old_keys).error();
  return Prover(plan, *std::move(new_key), *std::move(old_keys), written, allows_unlisted);
}

Prover::Prover(const Plan& plan, ValueReader new_key, ValueReader old_keys, const Rewriter& written,
               bool allows_unlisted)
    : plan_(plan),
      new_key_(std::move(new_key)),
      old_keys_(std::move(old_keys)),
      allows_unlisted_(allows_unlisted),
      written_(written.counts()),
      digests_(written.digests()),
      tallies_(written_.size()) {
  for (const TablePlan& table : plan.tables) {
    first_tallies_.push_back(finders_.size());
    for (const ColumnPlan& column : table.columns) finders_.emplace_back(column);
  }
}

Status Prover::Check(const Target& target, const RowBatch& batch) {
  const TablePlan& table = plan_.tables[target.table];
  const Cell* cell = batch.cells.data();
  for (const RowBatch::Row& row : batch.rows) {
    for (std::size_t i = 0; i < table.columns.size(); ++i, ++cell) {
      const std::size_t index = first_tallies_[target.table] + i;
      ++tallies_[index].rows;
      const Place place{table, table.columns[i]};
      Status checked;
      if (row.is_selected) {
        checked = CheckCell(place, index, *cell);
      } else if (!allows_unlisted_) {
        checked = CheckNoOldKey(place, cell->bytes);
      }
      if (!checked) return checked;
    }
  }
  return {};
}

Status Prover::CheckCell(const Place& place, std::size_t index, const Cell& cell) {
  CellFinder& finder = finders_[index];
  Tally& tally = tallies_[index];
  finder.Find(cell);
  if (!finder.problem().empty()) return NotProven(place.Title(), "a value " + finder.problem());
  tally.null += finder.nulls();
  tally.absent += finder.absent();
  tally.plaintext += finder.others();
  // Of a document all that stands in it, also at other paths.
  const bool checks_all = place.column.shape == Shape::kJson && !allows_unlisted_;
  if (checks_all) {
    if (Status none = CheckNoOldKey(place, cell.bytes); !none) return none;
  }
  for (const CellValue& value : finder.values()) {
    switch (new_key_.Read(value.text, place.column.prefix)) {
      case ValueKind::kEmpty: ++tally.empty; continue;
      case ValueKind::kToken:
        // No other key opens it too: they sign with different halves, and two signatures of
        // HMAC-SHA256 would be the same. Read strictly, it is all that stands there.
        ++tally.tokens;
        tally.digest += DigestOf(new_key_.opened().plaintext.Reveal(), new_key_.opened().timestamp);
        continue;
      case ValueKind::kPlaintext:
        ++tally.plaintext;
        if (allows_unlisted_ || checks_all) continue;
        break;
      case ValueKind::kBroken:
        if (Status none = CheckNoOldKey(place, value.text); !none) return none;
        return NotProven(place.Title(), "the new key does not open a value");
    }
    if (Status none = CheckNoOldKey(place, value.text); !none) return none;
  }
  return {};
}

Status Prover::CheckNoOldKey(const Place& place, std::string_view text) {
  if (old_keys_.CountTokens(text) == 0) return {};
  return NotProven(place.Title(), "an old key still opens a token");
}

Status Prover::Conclude() const {
  for (std::size_t i = 0; i < written_.size(); ++i) {
    const RotationCounts& counts = written_[i];
    const Tally expected = {.rows = counts.rows,
                            .null = counts.null,
                            .empty = counts.empty,
                            .absent = counts.absent,
                            .tokens = counts.rotated + counts.current + counts.encrypted,
                            .plaintext = counts.plaintext,
                            .digest = digests_[i]};
    if (tallies_[i] == expected) continue;
    const std::string place = counts.table + "." + counts.column;
    if (tallies_[i].tokens == expected.tokens && tallies_[i].rows == expected.rows) {
      return NotProven(place, "the values are not those that were there before");
    }
    return NotProven(
        place, std::to_string(tallies_[i].tokens) + " of " + std::to_string(tallies_[i].rows) +
                   " values open with the new key where " + std::to_string(expected.tokens) +
                   " of " + std::to_string(expected.rows) + " were written");
  }
  return {};
}

}  // namespace qarion::secrets::rotate
