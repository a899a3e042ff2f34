// What can go wrong with a database and its disk.
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "tests/support/disk_faults.h"
#include "tests/support/sqlite_store_test_base.h"

namespace qarion::secrets::rotate::sqlite {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

constexpr int kRows = 1500;

class SqliteFaultsTest : public StoreTestBase {
 protected:
  // A table of some hundred pages; more of it changes than fits into the cache when it is made
  // small.
  static std::string ManyRows() { return UsualTable(kRows, ", filler DEFAULT (zeroblob(300))"); }

  // "old", "new", or what is in between.
  static std::string StateOf(const std::string& path) {
    Database database(path);
    if (database.Value("PRAGMA integrity_check") != "ok") return "damaged";
    const std::string count = std::to_string(kRows);
    const std::string of = "SELECT count(*) FROM t WHERE c = ";
    if (database.Value(of + "'old ' || id") == count) return "old";
    return database.Value(of + "'new old ' || id") == count ? "new" : "mixed";
  }
  // The same database again and again, without waiting for the disk.
  std::string MakeAgain(const std::string& sql) {
    for (const char* name : {"app.db", "app.db-journal", "app.db-wal", "app.db-shm"}) {
      std::filesystem::remove(directory_.Path(name));
    }
    if (made_.first != sql) {
      Make(sql);
      made_ = {sql, directory_.Read("app.db")};
    }
    return directory_.Write("app.db", made_.second);
  }
  static int RunInChild(const std::function<int()>& work) {
    const pid_t child = fork();
    if (child == 0) _exit(work());
    int status = 0;
    waitpid(child, &status, 0);
    return status;
  }

 private:
  std::pair<std::string, std::string> made_;  // SQL, and the bytes
};

TEST_F(SqliteFaultsTest, AFileThatIsNoDatabaseIsOneOfConfiguration) {
  const std::string path = directory_.Write("app.db", std::string(8192, 'x'));
  const Error error = OpenError("sqlite:" + path);
  EXPECT_EQ(error.code(), ErrorCode::kConfiguration);
  EXPECT_THAT(error.reason(), HasSubstr("no database of SQLite, or is encrypted as a whole"));
  EXPECT_EQ(OpenError("sqlite:" + directory_.Path("none.db")).code(), ErrorCode::kConfiguration);
  EXPECT_NE(access(directory_.Path("none.db").c_str(), F_OK), 0);  // none was made
}

TEST_F(SqliteFaultsTest, ADamagedDatabaseIsBadData) {
  const std::string path = Make(ManyRows());
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(40 * 4096);
  file << std::string(20 * 4096, 'x');
  file.close();
  const Status rotated = Rotate(path, PlanOf("t", {"c"}));
  ASSERT_FALSE(rotated);
  EXPECT_EQ(rotated.error().code(), ErrorCode::kBadData);
  EXPECT_THAT(rotated.error().reason(), HasSubstr("is damaged"));
}

TEST_F(SqliteFaultsTest, AFullDiskLeavesAllAsItWas) {
  for (const char* mode : {"", "PRAGMA journal_mode = WAL;"}) {
    std::string path = MakeAgain(mode + ManyRows());
    test::DiskFaults faults;
    faults.FailFrom(1'000'000, SQLITE_FULL);
    ASSERT_TRUE(Rotate(path, PlanOf("t", {"c"})));
    const long operations = faults.count();
    ASSERT_GT(operations, 100);
    for (const long first : {0L, 1L, operations / 3}) {
      path = MakeAgain(mode + ManyRows());
      faults.FailFrom(first, SQLITE_FULL);
      const Status rotated = Rotate(path, PlanOf("t", {"c"}));
      faults.Mend();
      ASSERT_FALSE(rotated) << first;
      EXPECT_EQ(rotated.error().code(), ErrorCode::kIo) << first;
      EXPECT_THAT(rotated.error().reason(), HasSubstr("the disk is full"));
      EXPECT_EQ(StateOf(path), "old") << first;
    }
    EXPECT_TRUE(Rotate(path, PlanOf("t", {"c"})));  // when there is room again
    EXPECT_EQ(StateOf(path), "new");
  }
}

// The one outcome that is never told wrongly is the one that is there.
TEST_F(SqliteFaultsTest, AFailureDuringTheCommitIsSettledByTheRecord) {
  int committed = 0;
  int rolled_back = 0;
  for (const char* mode : {"", "PRAGMA journal_mode = WAL;"}) {
    for (long first = 0; first < 60; ++first) {
      const std::string path = MakeAgain(mode + UsualTable(kRows));
      test::DiskFaults faults;
      auto store = Opened(path);
      const Plan plan = PlanOf("t", {"c"});
      const auto targets = Begun(*store, plan);
      ASSERT_TRUE(Update(*store, targets[0]));
      ASSERT_TRUE(store->WriteAudit(plan, {.id = "aa"}));
      faults.FailFrom(first, SQLITE_IOERR);
      CommitResult result = store->Commit();
      const bool is_over = faults.count() <= first;  // it never came to a failure
      faults.Mend();
      // Where the disk stays as it is, nobody can look.
      if (result.outcome == CommitOutcome::kUnknown) {
        EXPECT_EQ(result.error->code(), ErrorCode::kIo);
        store = Opened(path);
        const auto record = store->FindAudit(plan, "aa");
        ASSERT_TRUE(record);
        result.outcome = *record ? CommitOutcome::kCommitted : CommitOutcome::kRolledBack;
      }
      store.reset();
      EXPECT_EQ(StateOf(path), result.outcome == CommitOutcome::kCommitted ? "new" : "old")
          << first;
      (result.outcome == CommitOutcome::kCommitted ? committed : rolled_back) += 1;
      if (is_over) break;
    }
  }
  EXPECT_GT(committed, 0);
  EXPECT_GT(rolled_back, 10);
}

TEST_F(SqliteFaultsTest, AFailureDuringTheCommitIsNotSettledByTheRecordOfAnother) {
  const std::string path = MakeAgain(UsualTable(kRows));
  test::DiskFaults faults;
  auto store = Opened(path);
  const Plan plan = PlanOf("t", {"c"});
  Begun(*store, plan);
  ASSERT_TRUE(store->WriteAudit(plan, {.id = "aa"}));
  ASSERT_EQ(store->Commit().outcome, CommitOutcome::kCommitted);
  const auto targets = Begun(*store, plan);
  ASSERT_TRUE(Update(*store, targets[0]));
  faults.FailFrom(0, SQLITE_IOERR);
  EXPECT_EQ(store->Commit().outcome, CommitOutcome::kUnknown);
  faults.Mend();
}

TEST_F(SqliteFaultsTest, KillingItAtAnyStepLeavesTheOldOrTheNew) {
  for (const char* mode : {"", "PRAGMA journal_mode = WAL;"}) {
    int old_ones = 0;
    int new_ones = 0;
    long step = 1;
    for (long first = 0;; first += step) {
      const std::string path = MakeAgain(mode + UsualTable(kRows));
      const int status = RunInChild([&] {
        test::DiskFaults faults;
        faults.FailFrom(first, 0);
        return Rotate(path, PlanOf("t", {"c"})) ? 0 : 1;
      });
      const std::string state = StateOf(path);
      EXPECT_THAT(state, AnyOf("old", "new")) << first;
      (state == "old" ? old_ones : new_ones) += 1;
      if (!WIFSIGNALED(status)) {
        EXPECT_EQ(status, 0);
        EXPECT_EQ(state, "new");
        break;
      }
      if (first > 20) step = 17;
    }
    EXPECT_GT(old_ones, 5);
    EXPECT_GT(new_ones, 0);
  }
}

TEST_F(SqliteFaultsTest, KillingItBeforeTheCommitLeavesAllAsItWas) {
  for (const char* mode : {"", "PRAGMA journal_mode = WAL;"}) {
    std::filesystem::remove(directory_.Path("app.db"));
    const std::string path = Make(mode + UsualTable(kRows, ", filler DEFAULT (zeroblob(3000))"));
    const std::string before = directory_.Read("app.db");
    const int status = RunInChild([&] {
      auto store = Opened(path);
      const auto targets = Begun(*store, PlanOf("t", {"c"}));
      if (!Update(*store, targets[0])) return 1;
      // More was changed than fits into the cache: it is in the files.
      if (directory_.Read("app.db") == before && directory_.Read("app.db-wal").empty()) return 2;
      return raise(SIGKILL);
    });
    EXPECT_TRUE(WIFSIGNALED(status)) << status;
    EXPECT_EQ(StateOf(path), "old");
  }
}

// The tests may run as root, who may write to anything.
TEST_F(SqliteFaultsTest, AFileThatMayOnlyBeReadIsOnlyRead) {
  const std::string path = Make(UsualTable(3));
  chmod(path.c_str(), 0444);
  chmod(directory_.path().c_str(), 0755);
  const int status = RunInChild([&] {
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) return 1;
    auto store = Opened(path);
    const Plan plan = PlanOf("t", {"c"});
    const auto targets = Begun(*store, plan, {.is_read_only = true});
    if (ReadAll(*store, targets[0]).size() != 3) return 2;
    store->Rollback();
    for (const TransactionOptions options :
         {TransactionOptions{}, {.is_read_only = true, .is_rehearsal = true}}) {
      const Status begun = store->Begin(plan, targets, options);
      if (begun || begun.error().code() != ErrorCode::kNotPermitted) return 3;
    }
    const Status scrubbed = store->ScrubStorage(targets, [](const Target&) {});
    if (scrubbed || scrubbed.error().code() != ErrorCode::kNotPermitted) return 4;
    const auto findings = store->Examine(plan, targets);
    if (findings || findings.error().code() != ErrorCode::kNotPermitted) return 5;
    return 0;
  });
  EXPECT_EQ(status, 0);
}

TEST_F(SqliteFaultsTest, ADirectoryThatMayNotBeWrittenIsNamed) {
  const std::string path = Make(UsualTable(3));
  chmod(path.c_str(), 0666);
  chmod(directory_.path().c_str(), 0755);
  const int status = RunInChild([&] {
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) return 1;
    if (geteuid() != 65534) chmod(directory_.path().c_str(), 0555);
    const Plan plan = PlanOf("t", {"c"});
    const Status rotated = Rotate(path, plan);
    auto store = Opened(path);
    const auto findings = store->Examine(plan, Resolved(*store, plan));
    chmod(directory_.path().c_str(), 0755);
    if (rotated || rotated.error().code() != ErrorCode::kNotPermitted) return 2;
    if (findings || findings.error().code() != ErrorCode::kNotPermitted ||
        findings.error().reason().find(directory_.path() + "/,") == std::string::npos) {
      return 4;
    }
    return rotated.error().cure().find("directory") == std::string::npos ? 3 : 0;
  });
  EXPECT_EQ(status, 0);
}

TEST_F(SqliteFaultsTest, ConstraintsAreNamedAndValuesAreNot) {
  const std::string path = Make(
      "CREATE TABLE t (c TEXT UNIQUE CONSTRAINT short CHECK (length(c) < 9));"
      "INSERT INTO t VALUES ('secret 1'), ('secret 2')");
  const Status checked = Rotate(path, PlanOf("t", {"c"}));
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code(), ErrorCode::kBadData);
  EXPECT_THAT(checked.error().reason(), HasSubstr("CHECK constraint failed: short"));
  const Status unique = Rotate(path, PlanOf("t", {"c"}), [](std::string_view) { return "same"; });
  ASSERT_FALSE(unique);
  EXPECT_EQ(unique.error().code(), ErrorCode::kBadData);
  EXPECT_THAT(unique.error().reason(), HasSubstr("UNIQUE constraint failed: t.c"));
  EXPECT_THAT(unique.error().reason(), Not(HasSubstr("same")));
}

TEST_F(SqliteFaultsTest, TriggersThatRefuseAreToldWithoutTheirWords) {
  const std::string path = Make(UsualTable(3) +
                                "CREATE TRIGGER r BEFORE UPDATE ON t WHEN old.id = 2 BEGIN "
                                "SELECT RAISE(ABORT, 'private'); END");
  const Status aborted = Rotate(path, PlanOf("t", {"c"}));
  ASSERT_FALSE(aborted);
  EXPECT_EQ(aborted.error().code(), ErrorCode::kBadData);
  EXPECT_THAT(aborted.error().reason(), HasSubstr("in a trigger"));
  EXPECT_THAT(aborted.error().reason(), Not(HasSubstr("private")));
  Database(path).Run(
      "DROP TRIGGER r; CREATE TRIGGER r BEFORE UPDATE ON t WHEN old.id = 2 BEGIN "
      "SELECT RAISE(IGNORE); END");
  const Status ignored = Rotate(path, PlanOf("t", {"c"}));
  ASSERT_FALSE(ignored);
  EXPECT_EQ(ignored.error().code(), ErrorCode::kInternal);
  EXPECT_THAT(ignored.error().reason(), HasSubstr("1 of 3 rows of t could not be written"));
}

TEST_F(SqliteFaultsTest, TriggersThatWriteToOtherTablesRunToo) {
  const std::string path =
      Make(UsualTable(3) +
           "CREATE TABLE log (t); CREATE TRIGGER r AFTER UPDATE OF c ON t BEGIN "
           "INSERT INTO log VALUES (old.c); END");
  ASSERT_TRUE(Rotate(path, PlanOf("t", {"c"})));
  EXPECT_EQ(Database(path).Value("SELECT count(*) FROM log"), "3");
}

TEST_F(SqliteFaultsTest, TriggersThatKeepATextIndexRunToo) {
  const std::string path =
      Make(UsualTable(3) +
           "CREATE VIRTUAL TABLE f USING fts5(c, content='t', content_rowid='id'); "
           "INSERT INTO f(rowid, c) SELECT id, c FROM t; CREATE TRIGGER r AFTER UPDATE ON t BEGIN "
           "INSERT INTO f(f, rowid, c) VALUES ('delete', old.id, old.c); "
           "INSERT INTO f(rowid, c) VALUES (new.id, new.c); END");
  const Status rotated = Rotate(path, PlanOf("t", {"c"}));
  ASSERT_TRUE(rotated) << rotated.error().reason();
  EXPECT_EQ(Database(path).Value("SELECT count(*) FROM f WHERE f MATCH 'new'"), "3");
}

TEST_F(SqliteFaultsTest, WhatOnlyTheApplicationHasIsNamed) {
  const std::string path = Make(UsualTable(3));
  Database application(path);
  const auto nothing = [](sqlite3_context*, int, sqlite3_value**) {};
  sqlite3_create_function(application.get(), "app_now", 0, SQLITE_UTF8, nullptr, nothing, nullptr,
                          nullptr);
  application.Run("CREATE TRIGGER r AFTER UPDATE ON t BEGIN SELECT app_now(); END");
  auto store = Opened(path);
  const Plan plan = PlanOf("t", {"c"});
  const auto targets = Resolved(*store, plan);
  for (const TransactionOptions options :
       {TransactionOptions{}, {.is_read_only = true, .is_rehearsal = true}}) {
    const Status begun = store->Begin(plan, targets, options);
    ASSERT_FALSE(begun);
    EXPECT_EQ(begun.error().code(), ErrorCode::kConfiguration);
    EXPECT_THAT(begun.error().reason(), HasSubstr("app_now"));
    EXPECT_THAT(begun.error().cure(), HasSubstr("only its application brings along"));
  }
  EXPECT_TRUE(store->Begin(plan, targets, {.is_read_only = true}));  // to look, nothing is missing
}

}  // namespace
}  // namespace qarion::secrets::rotate::sqlite
