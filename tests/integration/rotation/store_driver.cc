// Drives a store by lines of standard input, for tests: each is a command and its arguments with
// tabs between them, percent-encoded. Answers each with a line of JSON. `cancel` takes effect at
// once, whatever goes on; it alone is not answered. See store_driver.py for the commands.
#include <dlfcn.h>

#include <array>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/json_writer.h"
#include "core/percent_encoding.h"
#include "rotate/store.h"
#include "rotate/store_module.h"

namespace {

using namespace qarion::secrets;          // NOLINT(google-build-using-namespace)
using namespace qarion::secrets::rotate;  // NOLINT(google-build-using-namespace)
using core::JsonWriter;

using Arguments = std::vector<std::string>;

std::string Decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    unsigned byte = 0;
    std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16);
    decoded += static_cast<char>(byte);
    i += 2;
  }
  return decoded;
}

Arguments Split(std::string_view line) {
  Arguments arguments;
  while (true) {
    const std::size_t tab = line.find('\t');
    arguments.push_back(Decoded(line.substr(0, tab)));
    if (tab == std::string_view::npos) return arguments;
    line.remove_prefix(tab + 1);
  }
}

std::uint64_t Number(const std::string& text) { return std::stoull(text); }

Shape ShapeNamed(const std::string& name) {
  return name == "bytes" ? Shape::kBytes : name == "json" ? Shape::kJson : Shape::kText;
}

// Another value of the same length, and back again.
void Exchange(std::string_view from, std::vector<char>& to) {
  for (const char c : from) to.push_back(c == 'A' ? 'B' : c == 'B' ? 'A' : c);
}

// Of the whole program so far; what getrusage() tells includes the program that started it.
std::int64_t PeakMemoryKb() {
  constexpr std::string_view kPeak = "VmHWM:";
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(kPeak)) return std::stoll(line.substr(kPeak.size()));
  }
  return 0;
}

// Batches on their way from the thread that reads to the one that writes.
class Queue {
 public:
  void Put(std::unique_ptr<UpdateBatch> batch) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return batches_.size() < kMost || is_closed_; });
    batches_.push_back(std::move(batch));
    changed_.notify_all();
  }
  std::unique_ptr<UpdateBatch> Take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !batches_.empty() || is_closed_; });
    if (batches_.empty()) return nullptr;
    auto batch = std::move(batches_.front());
    batches_.pop_front();
    changed_.notify_all();
    return batch;
  }
  void Close() {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    changed_.notify_all();
  }
  bool is_closed() {
    const std::lock_guard lock(mutex_);
    return is_closed_;
  }

 private:
  static constexpr std::size_t kMost = 4;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<UpdateBatch>> batches_;
  bool is_closed_ = false;
};

class Driver {
 public:
  void Run(const Arguments& arguments) {
    JsonWriter json(core::JsonLayout::kCompact);
    json.BeginObject();
    if (Status done = Do(arguments, json); !done) Write(done.error(), json);
    json.EndObject();
    const Secret text = std::move(json).Take();
    std::cout << text.Reveal() << '\n' << std::flush;
  }
  void Cancel() {
    if (store_) store_->Cancel();
  }

 private:
  static void Write(const Error& error, JsonWriter& json) {
    json.Key("error").BeginObject();
    json.Key("code").Text(ToString(error.code()));
    json.Key("reason").Text(error.reason()).Key("cure").Text(error.cure()).EndObject();
  }

  Status Do(const Arguments& arguments, JsonWriter& json);
  Status Resolve(JsonWriter& json);
  Status Show(Result<std::unique_ptr<RowSource>> source, JsonWriter& json);
  Status CountRows(Result<std::unique_ptr<RowSource>> source, JsonWriter& json);
  Status Update(const Arguments& arguments);
  Status Rotate(const Target& target, std::size_t batch_size, JsonWriter& json);
  Status Fill(const Target& target, std::size_t batch_size, Queue& queue);
  Status ShowColumns(JsonWriter& json);
  Status Examine(JsonWriter& json);
  Status Find(const std::string& id, JsonWriter& json);
  void Commit(JsonWriter& json);
  const Target& At(const std::string& index) const { return targets_.at(Number(index)); }

  std::unique_ptr<Store> store_;
  Plan plan_;
  std::vector<Target> targets_;
};

Status Driver::Resolve(JsonWriter& json) {
  auto targets = store_->Resolve(plan_);
  if (!targets) return std::move(targets).error();
  targets_ = std::move(*targets);
  json.Key("targets").BeginArray();
  for (const Target& target : targets_) {
    json.BeginObject().Key("table").Number(static_cast<std::int64_t>(target.table));
    json.Key("schema").Text(target.schema).Key("name").Text(target.name);
    json.Key("rows").Number(static_cast<std::int64_t>(target.estimated_rows));
    json.Key("bytes").Number(static_cast<std::int64_t>(target.bytes)).EndObject();
  }
  json.EndArray();
  return {};
}

// Bytes that need not be text are percent-encoded.
Status Driver::Show(Result<std::unique_ptr<RowSource>> source, JsonWriter& json) {
  if (!source) return std::move(source).error();
  RowBatch batch;
  json.Key("rows").BeginArray();
  Status read;
  while (read = (*source)->Next(batch), read && !batch.rows.empty()) {
    const std::size_t columns = batch.cells.size() / batch.rows.size();
    for (std::size_t i = 0; i < batch.rows.size(); ++i) {
      json.BeginArray().Number(static_cast<std::int64_t>(batch.rows[i].locator));
      json.Bool(batch.rows[i].is_selected);
      for (std::size_t j = 0; j < columns; ++j) {
        const Cell& cell = batch.cells[i * columns + j];
        if (cell.is_null) {
          json.Null();
        } else {
          json.Text(core::PercentEncoded(cell.bytes));
        }
      }
      json.EndArray();
    }
  }
  json.EndArray();
  return read;
}

Status Driver::CountRows(Result<std::unique_ptr<RowSource>> source, JsonWriter& json) {
  if (!source) return std::move(source).error();
  RowBatch batch;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  Status read;
  while (read = (*source)->Next(batch), read && !batch.rows.empty()) {
    rows += batch.rows.size();
    bytes += batch.bytes.size();
  }
  json.Key("rows").Number(static_cast<std::int64_t>(rows));
  json.Key("bytes").Number(static_cast<std::int64_t>(bytes));
  return read;
}

// update INDEX, then for each row LOCATOR and the values: "=..." or "-" for null.
Status Driver::Update(const Arguments& arguments) {
  const Target& target = At(arguments.at(1));
  const std::size_t columns = plan_.tables.at(target.table).columns.size();
  UpdateBatch batch;
  for (std::size_t i = 2; i < arguments.size(); i += columns + 1) {
    batch.locators.push_back(Number(arguments[i]));
    for (std::size_t j = 1; j <= columns; ++j) {
      const std::string& value = arguments.at(i + j);
      if (value == "-") {
        batch.cells.push_back(Cell{});
      } else {
        batch.cells.push_back({.is_null = false, .bytes = std::string_view(value).substr(1)});
      }
    }
  }
  return store_->Update(target, batch);
}

Status Driver::Fill(const Target& target, std::size_t batch_size, Queue& queue) {
  auto source = store_->Read(target);
  if (!source) return std::move(source).error();
  RowBatch batch;
  auto update = std::make_unique<UpdateBatch>();
  std::vector<std::size_t> begins;
  const auto put = [&] {
    for (std::size_t i = 0; i < update->cells.size(); ++i) {
      Cell& cell = update->cells[i];
      cell.bytes = {update->bytes.data() + begins[i], cell.bytes.size()};
    }
    begins.clear();
    queue.Put(std::exchange(update, std::make_unique<UpdateBatch>()));
  };
  Status read;
  while (read = (*source)->Next(batch), read && !batch.rows.empty() && !queue.is_closed()) {
    const std::size_t columns = batch.cells.size() / batch.rows.size();
    for (std::size_t i = 0; i < batch.rows.size(); ++i) {
      if (!batch.rows[i].is_selected) continue;
      update->locators.push_back(batch.rows[i].locator);
      for (std::size_t j = 0; j < columns; ++j) {
        const Cell& cell = batch.cells[i * columns + j];
        begins.push_back(update->bytes.size());
        Exchange(cell.bytes, update->bytes);
        update->cells.push_back(cell);
      }
      if (update->locators.size() >= batch_size) put();
    }
  }
  if (!update->locators.empty()) put();
  return read;
}

Status Driver::Rotate(const Target& target, std::size_t batch_size, JsonWriter& json) {
  const auto begin = std::chrono::steady_clock::now();
  Queue queue;
  Status read;
  std::jthread reading([&] {
    read = Fill(target, batch_size, queue);
    queue.Close();
  });
  std::uint64_t rows = 0;
  Status done;
  while (const auto batch = queue.Take()) {
    rows += batch->locators.size();
    if (done = store_->Update(target, *batch); !done) break;
  }
  queue.Close();
  reading.join();
  if (done) done = std::move(read);
  if (done) done = store_->Finish();
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  json.Key("rows").Number(static_cast<std::int64_t>(rows));
  json.Key("ms").Number(static_cast<std::int64_t>(took.count()));
  json.Key("memory_kb").Number(PeakMemoryKb());
  return done;
}

Status Driver::ShowColumns(JsonWriter& json) {
  auto columns = store_->TextColumns();
  if (!columns) return std::move(columns).error();
  json.Key("columns").BeginArray();
  for (const TextColumn& column : *columns) {
    json.BeginArray().Text(column.Title()).Text(column.type).Text(column.root_table);
    json.Text(column.shape == Shape::kText   ? "text"
              : column.shape == Shape::kJson ? "json"
                                             : "bytes");
    json.EndArray();
  }
  json.EndArray();
  return {};
}

Status Driver::Examine(JsonWriter& json) {
  auto findings = store_->Examine(plan_, targets_);
  if (!findings) return std::move(findings).error();
  json.Key("findings").BeginArray();
  for (const Finding& finding : *findings) {
    json.BeginObject().Key("severity");
    json.Text(finding.severity == Severity::kError ? "error" : "warning");
    json.Key("subject").Text(finding.subject).Key("problem").Text(finding.problem);
    json.Key("cure").Text(finding.cure).EndObject();
  }
  json.EndArray();
  return {};
}

Status Driver::Find(const std::string& id, JsonWriter& json) {
  auto record = store_->FindAudit(plan_, id);
  if (!record) return std::move(record).error();
  json.Key("record");
  if (!*record) {
    json.Null();
    return {};
  }
  json.BeginObject().Key("id").Text((*record)->id).Key("tool").Text((*record)->tool);
  json.Key("new_key").Text((*record)->new_key).Key("old_keys").Text((*record)->old_keys);
  json.Key("report").Text((*record)->report);
  json.Key("finished_at").Text((*record)->finished_at).EndObject();
  return {};
}

void Driver::Commit(JsonWriter& json) {
  const CommitResult result = store_->Commit();
  json.Key("outcome").Text(result.outcome == CommitOutcome::kCommitted    ? "committed"
                           : result.outcome == CommitOutcome::kRolledBack ? "rolled back"
                                                                          : "unknown");
  if (result.error) Write(*result.error, json);
}

Status Driver::Do(const Arguments& arguments, JsonWriter& json) {
  const auto& argument = [&](std::size_t index) -> const std::string& {
    return arguments.at(index);
  };
  const std::map<std::string, std::function<Status()>> commands = {
      {"open",
       [&]() -> Status {
         auto opened = OpenStore({.text = argument(1), .password = argument(2)});
         if (!opened) return std::move(opened).error();
         store_ = std::move(*opened);
         json.Key("description").Text(store_->Description());
         return {};
       }},
      {"open-as",  // MODULE BUILD: as a library of another build would
       [&]() -> Status {
         void* library = dlopen(argument(1).c_str(), RTLD_NOW | RTLD_LOCAL);
         if (library == nullptr) return Error(ErrorCode::kInternal, dlerror());
         auto opened = reinterpret_cast<OpenStoreFunction>(dlsym(library, kStoreSymbol))(
             argument(2), StoreAddress{});
         if (!opened) return std::move(opened).error();
         return {};
       }},
      {"table",
       [&]() -> Status {
         TablePlan table{.schema = argument(1), .name = argument(2), .where = argument(3)};
         table.key.assign(arguments.begin() + 4, arguments.end());
         plan_.tables.push_back(std::move(table));
         return {};
       }},
      {"column",
       [&]() -> Status {
         plan_.tables.back().columns.push_back(
             {.name = argument(1), .shape = ShapeNamed(argument(2))});
         return {};
       }},
      {"audit",
       [&]() -> Status {
         plan_.audit_schema = argument(1);
         plan_.audit_table = argument(2);
         return {};
       }},
      {"resolve", [&] { return Resolve(json); }},
      {"examine", [&] { return Examine(json); }},
      {"columns", [&] { return ShowColumns(json); }},
      {"begin",
       [&] {
         return store_->Begin(plan_, targets_,
                              {.lock_timeout = std::chrono::milliseconds(Number(argument(1))),
                               .is_read_only = argument(2) != "write",
                               .is_rehearsal = argument(2) == "rehearsal"});
       }},
      {"read", [&] { return Show(store_->Read(At(argument(1))), json); }},
      {"count", [&] { return CountRows(store_->Read(At(argument(1))), json); }},
      {"read-back", [&] { return Show(store_->ReadBack(At(argument(1))), json); }},
      {"count-back", [&] { return CountRows(store_->ReadBack(At(argument(1))), json); }},
      {"peek",  // and leave
       [&]() -> Status {
         auto source = store_->Read(At(argument(1)));
         if (!source) return std::move(source).error();
         RowBatch batch;
         return (*source)->Next(batch);
       }},
      {"search",
       [&] {
         const TextColumn column{.schema = argument(1),
                                 .table = argument(2),
                                 .name = argument(3),
                                 .type = "",
                                 .shape = ShapeNamed(argument(4))};
         return Show(store_->Search(column, std::array<std::string_view, 1>{argument(5)}), json);
       }},
      {"update", [&] { return Update(arguments); }},
      {"rotate", [&] { return Rotate(At(argument(1)), Number(argument(2)), json); }},
      {"finish", [&] { return store_->Finish(); }},
      {"name",
       [&]() -> Status {
         auto name = store_->NameRow(At(argument(1)), Number(argument(2)));
         if (!name) return std::move(name).error();
         json.Key("name").Text(*name);
         return {};
       }},
      {"constraints", [&] { return store_->CheckConstraints(); }},
      {"write-audit",
       [&] {
         return store_->WriteAudit(plan_, {.id = argument(1),
                                           .tool = "driver 1",
                                           .new_key = "new",
                                           .old_keys = "old,older",
                                           .report = "{\"rows\": 1}",
                                           .finished_at = ""});
       }},
      {"commit",
       [&]() -> Status {
         Commit(json);
         return {};
       }},
      {"rollback",
       [&]() -> Status {
         store_->Rollback();
         return {};
       }},
      {"find", [&] { return Find(argument(1), json); }},
      {"busy",
       [&]() -> Status {
         auto busy = store_->IsBusy();
         if (!busy) return std::move(busy).error();
         json.Key("busy").Bool(*busy);
         return {};
       }},
      {"progress",
       [&]() -> Status {
         store_->ShowProgress(argument(1));
         return {};
       }},
      {"scrub",
       [&] {
         json.Key("scrubbed").BeginArray();
         Status done = store_->ScrubStorage(
             targets_, [&](const Target& target) { json.Text(target.Title()); });
         json.EndArray();
         return done;
       }},
  };
  const auto command = commands.find(argument(0));
  if (command == commands.end()) return Error(ErrorCode::kUsage, "no such command");
  return command->second();
}

}  // namespace

int main() {
  std::cin.tie(nullptr);  // they belong to different threads
  Driver driver;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Arguments> commands;
  bool is_at_end = false;
  const std::jthread reading([&] {
    for (std::string line; std::getline(std::cin, line);) {
      if (line == "cancel") {
        driver.Cancel();
        continue;
      }
      const std::lock_guard lock(mutex);
      commands.push_back(Split(line));
      changed.notify_one();
    }
    const std::lock_guard lock(mutex);
    is_at_end = true;
    changed.notify_one();
  });
  while (true) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return !commands.empty() || is_at_end; });
    if (commands.empty()) return 0;
    const Arguments arguments = std::move(commands.front());
    commands.pop_front();
    lock.unlock();
    driver.Run(arguments);
  }
}
