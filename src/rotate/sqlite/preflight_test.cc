// What is found out before a rotation, and what is left of old values after one.
#include "rotate/sqlite/preflight.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>

#include "rotate/sqlite/disk.h"
#include "tests/support/sqlite_store_test_base.h"

namespace qarion::secrets::rotate::sqlite {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class SqlitePreflightTest : public StoreTestBase {
 protected:
  // "subject problem" of each finding.
  static std::vector<std::string> Findings(Store& store, const Plan& plan) {
    const auto findings = store.Examine(plan, Resolved(store, plan));
    EXPECT_TRUE(findings) << (findings ? "" : findings.error().reason());
    std::vector<std::string> texts;
    if (!findings) return texts;
    for (const Finding& finding : *findings) {
      EXPECT_FALSE(finding.cure.empty());
      texts.push_back((finding.severity == Severity::kError ? "error: " : "") + finding.subject +
                      " " + finding.problem);
    }
    return texts;
  }
  // All that is in the files of the database.
  std::string Bytes() const {
    return directory_.Read("app.db") + directory_.Read("app.db-wal") +
           directory_.Read("app.db-journal");
  }
};

TEST_F(SqlitePreflightTest, RemindsOfBackups) {
  const std::string path = Make(UsualTable(1));
  EXPECT_THAT(Findings(*Opened(path), PlanOf("t", {"c"})),
              Contains(HasSubstr("backups copies of " + path)));
}

TEST_F(SqlitePreflightTest, NamesTheTriggersThatWillRun) {
  const std::string path = Make(
      UsualTable(1, ", d") +
      "CREATE TABLE log (c); CREATE TRIGGER \"on c\" AFTER UPDATE OF c ON t BEGIN INSERT INTO log "
      "VALUES (1); END; CREATE TRIGGER any BEFORE UPDATE ON t BEGIN SELECT 1; END; "
      "CREATE TRIGGER on_d AFTER UPDATE OF d ON t BEGIN SELECT 1; END; "
      "CREATE TRIGGER inserted AFTER INSERT ON t BEGIN SELECT 1; END");
  EXPECT_THAT(Findings(*Opened(path), PlanOf("t", {"c"})),
              Contains(AllOf(HasSubstr("t the triggers "), HasSubstr("on c"), HasSubstr("any"),
                             Not(HasSubstr("on_d")), Not(HasSubstr("inserted")))));
}

TEST_F(SqlitePreflightTest, NamesTheIndexesOnWhatIsEncrypted) {
  const std::string path =
      Make(UsualTable(1, ", d") +
           "CREATE INDEX plain ON t (c); CREATE INDEX expression ON t (substr(c, 1, 3)); "
           "CREATE INDEX partial ON t (d) WHERE c IS NOT NULL; CREATE INDEX other ON t (d)");
  EXPECT_THAT(Findings(*Opened(path), PlanOf("t", {"c"})),
              Contains(HasSubstr("t the indexes expression, partial, plain are on encrypted")));
  EXPECT_THAT(Findings(*Opened(path), PlanOf("t", {"d"})),
              Contains(HasSubstr("t the indexes other, partial are on encrypted")));
  const std::string keyed = Make("CREATE TABLE k (k TEXT PRIMARY KEY, c) WITHOUT ROWID", "k.db");
  EXPECT_THAT(Findings(*Opened(keyed), PlanOf("k", {"c"})), Not(Contains(HasSubstr("indexes"))));
}

TEST_F(SqlitePreflightTest, TellsWhatReadersWillNotice) {
  const std::string path = Make(UsualTable(1));
  EXPECT_THAT(Findings(*Opened(path), PlanOf("t", {"c"})),
              Contains(HasSubstr("is not in WAL mode: who reads it waits")));
  const std::string wal = Make("PRAGMA journal_mode = WAL;" + UsualTable(1), "wal.db");
  EXPECT_THAT(Findings(*Opened(wal), PlanOf("t", {"c"})), Not(Contains(HasSubstr("WAL mode"))));
}

TEST_F(SqlitePreflightTest, TellsOfChangesThatAreInTheLogAlone) {
  const std::string path = Make("PRAGMA journal_mode = WAL;" + UsualTable(1));
  Database application(path);
  application.Run("UPDATE t SET c = 'x'");
  EXPECT_THAT(Findings(*Opened(path), PlanOf("t", {"c"})),
              Contains(HasSubstr("app.db-wal holds 0.1 MB of changes")));
}

TEST_F(SqlitePreflightTest, TellsWhoElseMayReadOrWriteTheFile) {
  const std::string path = Make(UsualTable(1));
  const Plan plan = PlanOf("t", {"c"});
  chmod(path.c_str(), 0644);
  EXPECT_THAT(Findings(*Opened(path), plan), Contains(HasSubstr("may be read by every user")));
  chmod(path.c_str(), 0666);
  EXPECT_THAT(Findings(*Opened(path), plan), Contains(HasSubstr("may be written by every user")));
  chmod(path.c_str(), 0660);
  EXPECT_THAT(Findings(*Opened(path), plan), Not(Contains(HasSubstr("every user"))));
}

TEST_F(SqlitePreflightTest, TellsOfTriggersThatCannotRun) {
  const std::string path = Make(UsualTable(1));
  Database application(path);
  const auto nothing = [](sqlite3_context*, int, sqlite3_value**) {};
  sqlite3_create_function(application.get(), "app_now", 0, SQLITE_UTF8, nullptr, nothing, nullptr,
                          nullptr);
  application.Run("CREATE TRIGGER r AFTER UPDATE ON t BEGIN SELECT app_now(); END");
  EXPECT_THAT(Findings(*Opened(path), PlanOf("t", {"c"})),
              Contains(AllOf(HasSubstr("error: t "), HasSubstr("app_now"))));
}

TEST_F(SqlitePreflightTest, NeedsNoMoreRoomThanThereIs) {
  const std::string path = Make(UsualTable(1));
  EXPECT_THAT(Findings(*Opened(path), PlanOf("t", {"c"})), Not(Contains(HasSubstr("are needed"))));
}

TEST_F(SqlitePreflightTest, TellsHowMuchRoomIsMissing) {
  const std::string path = Make("PRAGMA page_size = 65536;" + UsualTable(1));
  struct statvfs disk{};
  ASSERT_EQ(statvfs(path.c_str(), &disk), 0);
  // A file of holes, larger than what is free, with its number of pages in its header.
  const std::uint64_t pages = disk.f_bavail * disk.f_frsize / 65536 + 16 * 1024;
  std::filesystem::resize_file(path, pages * 65536);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(28);
  for (const int shift : {24, 16, 8, 0}) file.put(static_cast<char>(pages >> shift));
  file.close();
  EXPECT_THAT(Findings(*Opened(path), PlanOf("t", {"c"})),
              Contains(testing::ContainsRegex(
                  "^error: .* up to [0-9]+\\.[0-9] MB more are needed beside it until the end, "
                  "[0-9]+\\.[0-9] MB more than are free$")));
}

TEST_F(SqlitePreflightTest, RoundsUpToTenthsOfAMegabyte) {
  EXPECT_EQ(Megabytes(0), "0.0 MB");
  EXPECT_EQ(Megabytes(1), "0.1 MB");
  EXPECT_EQ(Megabytes(1'000'000), "1.0 MB");
  EXPECT_EQ(Megabytes(1'000'001), "1.1 MB");
}

TEST_F(SqlitePreflightTest, NothingOldIsLeftAfterTheStorageWasScrubbed) {
  for (const char* mode : {"", "PRAGMA journal_mode = WAL;"}) {
    std::filesystem::remove(directory_.Path("app.db"));
    const std::string path =
        Make(mode + UsualTable(500, ", filler DEFAULT (zeroblob(300))") +
             "PRAGMA secure_delete = OFF; DELETE FROM t WHERE id > 400; CREATE TABLE u (c); "
             "INSERT INTO u SELECT c FROM t; DROP TABLE u");
    const auto plan = PlanOf("t", {"c"});
    ASSERT_TRUE(Rotate(path, plan,
                       [](std::string_view old) { return "new" + std::string(old.substr(3)); }));
    // What was deleted before is there still.
    EXPECT_THAT(Bytes(), HasSubstr("old "));
    auto store = Opened(path);
    const auto targets = Resolved(*store, plan);
    std::vector<std::string> announced;
    ASSERT_TRUE(store->ScrubStorage(
        targets, [&](const Target& target) { announced.push_back(target.Title()); }));
    EXPECT_THAT(announced, testing::ElementsAre("main.t"));
    EXPECT_THAT(Bytes(), Not(HasSubstr("old ")));
    EXPECT_EQ(directory_.Read("app.db-wal"), "");
    EXPECT_EQ(Database(path).Value("SELECT count(*) FROM t WHERE c = 'new ' || id"), "400");
  }
}

TEST_F(SqlitePreflightTest, WhatWasOverwrittenIsNotInTheFileEvenBefore) {
  const std::string path = Make(UsualTable(500));
  ASSERT_TRUE(Rotate(path, PlanOf("t", {"c"}), [](std::string_view old) {
    return "new, longer" + std::string(old.substr(3));
  }));
  EXPECT_THAT(Bytes(), Not(HasSubstr("old ")));
}

TEST_F(SqlitePreflightTest, StorageThatOthersUseIsNotScrubbed) {
  const std::string path = Make("PRAGMA journal_mode = WAL;" + UsualTable(50));
  const Plan plan = PlanOf("t", {"c"});
  auto store = Opened(path);
  const auto targets = Resolved(*store, plan);
  ASSERT_TRUE(store->Begin(plan, targets, {}));
  const auto scrub = [&] { return store->ScrubStorage(targets, [](const Target&) {}); };
  EXPECT_EQ(scrub().error().code(), ErrorCode::kInternal);  // a transaction is open
  ASSERT_TRUE(store->Begin(plan, targets, {.lock_timeout = std::chrono::milliseconds(50)}));
  store->Rollback();
  Database reader(path);
  reader.Run("BEGIN");
  EXPECT_EQ(reader.Value("SELECT c FROM t"), "old 1");
  // It can be written anew, but the log not emptied: the reader still needs it.
  auto done = std::async(std::launch::async, scrub);
  while (done.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) store->Cancel();
  const Status scrubbed = done.get();
  ASSERT_FALSE(scrubbed);
  EXPECT_EQ(scrubbed.error().code(), ErrorCode::kTryAgain);
}

}  // namespace
}  // namespace qarion::secrets::rotate::sqlite
