// Other users of the database, and cancelling what waits for them.
#include <chrono>
#include <future>
#include <string>

#include "tests/support/sqlite_store_test_base.h"

namespace qarion::secrets::rotate::sqlite {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr char kWal[] = "PRAGMA journal_mode = WAL;";
constexpr TransactionOptions kImpatient{.lock_timeout = milliseconds(50)};

class SqliteLocksTest : public StoreTestBase {
 protected:
  // Cancels until the work ends, whenever it may begin to wait.
  static Status Cancelled(Store& store, const std::function<Status()>& work) {
    std::future<Status> done = std::async(std::launch::async, work);
    while (done.wait_for(milliseconds(1)) != std::future_status::ready) store.Cancel();
    return done.get();
  }
};

TEST_F(SqliteLocksTest, ASecondRotationIsTurnedAway) {
  for (const char* mode : {"", kWal}) {
    std::filesystem::remove(directory_.Path("app.db"));
    const std::string path = Make(mode + UsualTable(3));
    auto first = Opened(path);
    auto second = Opened(path);
    const Plan plan = PlanOf("t", {"c"});
    EXPECT_FALSE(second->IsBusy().value_or(true));
    const auto targets = Begun(*first, plan);
    EXPECT_TRUE(second->IsBusy().value_or(false));
    const Status begun = second->Begin(plan, targets, kImpatient);
    ASSERT_FALSE(begun);
    EXPECT_EQ(begun.error().code(), ErrorCode::kTryAgain);
    EXPECT_THAT(begun.error().reason(), HasSubstr("another connection, such as a second rotation"));
    ASSERT_TRUE(Update(*first, targets[0]));
    EXPECT_EQ(first->Commit().outcome, CommitOutcome::kCommitted);
    EXPECT_FALSE(second->IsBusy().value_or(true));
    EXPECT_TRUE(second->Begin(plan, targets, kImpatient));
  }
}

TEST_F(SqliteLocksTest, WritersWaitAndLoseNothing) {
  const std::string path = Make(UsualTable(3));
  auto store = Opened(path);
  const auto targets = Begun(*store, PlanOf("t", {"c"}));
  Database writer(path);
  EXPECT_EQ(writer.TryRun("UPDATE t SET c = 'edit' WHERE id = 2"), SQLITE_BUSY);
  ASSERT_TRUE(Update(*store, targets[0]));
  ASSERT_EQ(store->Commit().outcome, CommitOutcome::kCommitted);
  writer.Run("UPDATE t SET c = 'edit' WHERE id = 2");
  EXPECT_EQ(writer.Value("SELECT group_concat(c) FROM t"), "new old 1,edit,new old 3");
}

TEST_F(SqliteLocksTest, AnEditThatCameBeforeIsRotatedToo) {
  const std::string path = Make(UsualTable(3));
  auto store = Opened(path);
  const Plan plan = PlanOf("t", {"c"});
  const auto targets = Resolved(*store, plan);
  Database(path).Run("UPDATE t SET c = 'edit' WHERE id = 2");
  ASSERT_TRUE(store->Begin(plan, targets, {}));
  ASSERT_TRUE(Update(*store, targets[0]));
  ASSERT_EQ(store->Commit().outcome, CommitOutcome::kCommitted);
  EXPECT_EQ(Database(path).Value("SELECT c FROM t WHERE id = 2"), "new edit");
}

TEST_F(SqliteLocksTest, ReadersGoOnBesideItInWalMode) {
  const std::string path = Make(kWal + UsualTable(20'000, ", filler DEFAULT (zeroblob(300))"));
  Database reader(path);
  reader.Run("BEGIN");
  EXPECT_EQ(reader.Value("SELECT c FROM t"), "old 1");
  auto store = Opened(path);
  const auto targets = Begun(*store, PlanOf("t", {"c"}), kImpatient);
  ASSERT_TRUE(Update(*store, targets[0]));
  EXPECT_EQ(reader.Value("SELECT c FROM t WHERE id = 20000"), "old 20000");
  EXPECT_EQ(Database(path).Value("SELECT c FROM t"), "old 1");
  ASSERT_EQ(store->Commit().outcome, CommitOutcome::kCommitted);
  EXPECT_EQ(reader.Value("SELECT c FROM t WHERE id = 20000"), "old 20000");
  reader.Run("COMMIT");
  EXPECT_EQ(reader.Value("SELECT c FROM t"), "new old 1");
}

TEST_F(SqliteLocksTest, AReaderThatDoesNotStopHoldsUpTheCommitWithoutWal) {
  const std::string path = Make(UsualTable(10));
  auto store = Opened(path);
  const auto targets = Begun(*store, PlanOf("t", {"c"}), kImpatient);
  Database reader(path);
  reader.Run("BEGIN");
  EXPECT_EQ(reader.Value("SELECT c FROM t"), "old 1");
  ASSERT_TRUE(Update(*store, targets[0]));
  const CommitResult result = store->Commit();
  EXPECT_EQ(result.outcome, CommitOutcome::kRolledBack);
  EXPECT_EQ(result.error->code(), ErrorCode::kTryAgain);
  reader.Run("COMMIT");
  EXPECT_EQ(reader.Value("SELECT c FROM t"), "old 1");
  EXPECT_TRUE(Rotate(path, PlanOf("t", {"c"})));
}

TEST_F(SqliteLocksTest, AReaderThatDoesNotStopEndsALargeRotationWithoutWalSoon) {
  const std::string path = Make(UsualTable(20'000, ", filler DEFAULT (zeroblob(600))"));
  auto store = Opened(path);
  const auto targets = Begun(*store, PlanOf("t", {"c"}), kImpatient);
  Database reader(path);
  reader.Run("BEGIN");
  EXPECT_EQ(reader.Value("SELECT c FROM t"), "old 1");
  const auto begin = std::chrono::steady_clock::now();
  const Status updated = Update(*store, targets[0]);
  ASSERT_FALSE(updated);
  EXPECT_EQ(updated.error().code(), ErrorCode::kTryAgain);
  EXPECT_THAT(updated.error().cure(), HasSubstr("journal_mode = WAL"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  store->Rollback();
  EXPECT_EQ(reader.Value("SELECT c FROM t WHERE id = 20000"), "old 20000");
}

TEST_F(SqliteLocksTest, WaitingForALockCanBeCancelled) {
  const std::string path = Make(UsualTable(3));
  Database writer(path);
  writer.Run("BEGIN IMMEDIATE");
  auto store = Opened(path);
  const Plan plan = PlanOf("t", {"c"});
  const auto targets = Resolved(*store, plan);
  const Status begun = Cancelled(
      *store, [&] { return store->Begin(plan, targets, {.lock_timeout = std::chrono::hours(1)}); });
  ASSERT_FALSE(begun);
  EXPECT_EQ(begun.error().code(), ErrorCode::kTryAgain);
  writer.Run("COMMIT");
  store->Rollback();
  EXPECT_TRUE(store->Begin(plan, targets, {}));
}

TEST_F(SqliteLocksTest, WorkWithoutEndCanBeCancelled) {
  const std::string path = Make(UsualTable(3));
  auto store = Opened(path);
  const Plan plan = PlanOf("t", {"c"},
                           "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                           "SELECT count(*) FROM n)");
  const auto targets = Begun(*store, plan);
  const Status read = Cancelled(*store, [&] {
    auto source = store->Read(targets[0]);
    if (!source) return Status(source.error());
    RowBatch batch;
    return (*source)->Next(batch);
  });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), ErrorCode::kTryAgain);
  EXPECT_THAT(read.error().reason(), HasSubstr("cancelled"));
}

TEST_F(SqliteLocksTest, NothingIsCommittedAfterItWasCancelled) {
  const std::string path = Make(UsualTable(3));
  auto store = Opened(path);
  const auto targets = Begun(*store, PlanOf("t", {"c"}));
  ASSERT_TRUE(Update(*store, targets[0]));
  store->Cancel();
  EXPECT_FALSE(store->Finish());
  const CommitResult result = store->Commit();
  EXPECT_EQ(result.outcome, CommitOutcome::kRolledBack);
  EXPECT_EQ(result.error->code(), ErrorCode::kTryAgain);
  EXPECT_EQ(Database(path).Value("SELECT c FROM t"), "old 1");
  EXPECT_EQ(Opened(path)->TextColumns()->size(), 1u);
}

}  // namespace
}  // namespace qarion::secrets::rotate::sqlite
