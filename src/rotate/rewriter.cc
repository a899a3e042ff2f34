#include "rotate/rewriter.h"

#include <algorithm>
#include <utility>

namespace qarion::secrets::rotate {
namespace {

std::uint64_t Now() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count());
}

}  // namespace

std::string PlaceOf(const ColumnPlan& column, const JsonPath* path) {
  return path == nullptr ? column.name : column.name + " " + path->text;
}

Result<Rewriter> Rewriter::Create(const Plan& plan, std::span<const FernetKey> keys,
                                  crypto::FernetReading reading) {
  auto reader = ValueReader::Create(keys, reading);
  if (!reader) return std::move(reader).error();
  auto old_keys = ValueReader::Create(keys.subspan(1), crypto::FernetReading::kLenient);
  if (!old_keys) return std::move(old_keys).error();
  auto writer = crypto::FernetRing::Create(keys.first(1));
  if (!writer) return std::move(writer).error();
  return Rewriter(plan, keys.size(), *std::move(reader), *std::move(old_keys), *std::move(writer));
}

Rewriter::Rewriter(const Plan& plan, std::size_t key_count, ValueReader reader,
                   ValueReader old_keys, crypto::FernetRing writer)
    : plan_(plan),
      reader_(std::move(reader)),
      old_keys_(std::move(old_keys)),
      writer_(std::move(writer)) {
  for (const TablePlan& table : plan.tables) {
    first_counts_.push_back(counts_.size());
    for (const ColumnPlan& column : table.columns) {
      counts_.push_back({.table = table.Title(), .column = column.name});
      finders_.emplace_back(column);
    }
  }
  by_key_.assign(counts_.size(), std::vector<std::uint64_t>(key_count));
  digests_.assign(counts_.size(), 0);
  unlisted_.assign(counts_.size(), 0);
}

Status Rewriter::Process(const Target& target, const RowBatch& batch, Rewritten& out) {
  const TablePlan& table = plan_.tables[target.table];
  out.updates.Clear();
  out.problems.clear();
  out.rows = batch.rows.size();
  new_sizes_.clear();
  for (std::size_t i = 0; i < batch.rows.size(); ++i) {
    const Cell* const cells = &batch.cells[i * table.columns.size()];
    if (Status done = ProcessRow(table, first_counts_[target.table], batch.rows[i], cells, out);
        !done) {
      return done;
    }
  }
  const char* bytes = out.updates.bytes.data();
  for (const std::size_t size : new_sizes_) {
    out.updates.cells.push_back({.is_null = size == 0, .bytes = {bytes, size}});
    bytes += size;
  }
  return {};
}

Status Rewriter::ProcessRow(const TablePlan& table, std::size_t first_count,
                            const RowBatch::Row& row, const Cell* cells, Rewritten& out) {
  std::vector<char>& bytes = out.updates.bytes;
  const std::size_t bytes_before = bytes.size();
  const std::size_t cells_before = new_sizes_.size();
  const std::size_t problems_before = out.problems.size();
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const std::size_t count = first_count + i;
    ++counts_[count].rows;
    if (!row.is_selected) {
      ++counts_[count].excluded;
      CountUnlisted(count, cells[i].bytes);
      continue;
    }
    if (Status done = ProcessCell(table.columns[i], count, row.locator, cells[i], out); !done) {
      return done;
    }
  }
  // A row with a problem is left alone, so that it can be named.
  if (bytes.size() == bytes_before || out.problems.size() > problems_before) {
    bytes.resize(bytes_before);
    new_sizes_.resize(cells_before);
  } else {
    out.updates.locators.push_back(row.locator);
  }
  return {};
}

Status Rewriter::ProcessCell(const ColumnPlan& column, std::size_t count, std::uint64_t locator,
                             const Cell& cell, Rewritten& out) {
  CellFinder& finder = finders_[count];
  finder.Find(cell);
  counts_[count].null += finder.nulls();
  counts_[count].absent += finder.absent();
  if (!finder.problem().empty()) {
    ++counts_[count].problems;
    out.problems.push_back({locator, column.name, finder.problem()});
  }
  if (finder.others() > 0) TakeOthers(column, count, locator, out);
  const std::span<const CellValue> values = finder.values();
  if (new_texts_.size() < values.size()) new_texts_.resize(values.size());
  new_views_.clear();
  bool changes = false;
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::string& text = new_texts_[i];
    text.clear();
    if (Status done = ProcessValue(column, count, locator, values[i], text, out); !done) {
      return done;
    }
    changes = changes || !text.empty();
    new_views_.push_back(text.empty() ? values[i].text : text);
  }
  std::vector<char>& bytes = out.updates.bytes;
  const std::size_t begin = bytes.size();
  if (changes) finder.Splice(new_views_, bytes);
  new_sizes_.push_back(bytes.size() - begin);
  if (column.shape == Shape::kJson) {
    CountUnlisted(
        count, changes ? std::string_view(bytes.data() + begin, bytes.size() - begin) : cell.bytes);
  }
  return {};
}

void Rewriter::TakeOthers(const ColumnPlan& column, std::size_t count, std::uint64_t locator,
                          Rewritten& out) {
  const CellFinder& finder = finders_[count];
  if (column.plaintext == PlaintextPolicy::kSkip) {
    counts_[count].plaintext += finder.others();
    return;
  }
  ++counts_[count].problems;
  out.problems.push_back({locator, PlaceOf(column, finder.path_of_others()),
                          "is a number, a boolean, an object or an array, not a token"});
}

Status Rewriter::ProcessValue(const ColumnPlan& column, std::size_t count, std::uint64_t locator,
                              const CellValue& value, std::string& text, Rewritten& out) {
  RotationCounts& counts = counts_[count];
  const auto replace = [&](std::string_view plaintext, std::uint64_t timestamp) {
    digests_[count] += DigestOf(plaintext, timestamp);
    text = column.prefix;
    return writer_.Seal(plaintext, timestamp, text);
  };
  const auto refuse = [&](std::string reason) {
    ++counts.problems;
    out.problems.push_back({locator, PlaceOf(column, value.path), std::move(reason)});
  };
  switch (reader_.Read(value.text, column.prefix)) {
    case ValueKind::kEmpty: ++counts.empty; return {};
    case ValueKind::kBroken: refuse(std::string(reader_.problem())); return {};
    case ValueKind::kPlaintext:
      if (column.plaintext == PlaintextPolicy::kEncrypt) {
        if (reader_.CountTokens(value.text) > 0) {
          refuse("holds a token that one of the keys opens, with something around it");
          return {};
        }
        ++counts.encrypted;
        return replace(value.text, Now());
      }
      if (column.plaintext == PlaintextPolicy::kSkip) {
        ++counts.plaintext;
        if (column.shape != Shape::kJson) CountUnlisted(count, value.text);
      } else {
        refuse("is no token: it is stored as plaintext, or in another form");
      }
      return {};
    case ValueKind::kToken: break;
  }
  const crypto::OpenedFernet& opened = reader_.opened();
  ++by_key_[count][opened.key];
  if (opened.key == 0 && !opened.was_lenient) {
    ++counts.current;
    digests_[count] += DigestOf(opened.plaintext.Reveal(), opened.timestamp);
    return {};
  }
  ++counts.rotated;
  if (opened.was_lenient) ++counts.lenient;
  return replace(opened.plaintext.Reveal(), opened.timestamp);
}

void Rewriter::CountUnlisted(std::size_t count, std::string_view text) {
  unlisted_[count] += old_keys_.CountTokens(text);
}

}  // namespace qarion::secrets::rotate
