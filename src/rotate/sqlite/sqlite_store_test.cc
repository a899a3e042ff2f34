#include "rotate/sqlite/sqlite_store.h"

#include <array>
#include <string_view>
#include <thread>

#include "tests/support/sqlite_store_test_base.h"

namespace qarion::secrets::rotate::sqlite {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr std::array<std::string_view, 1> kNeedle = {"gAAA"};

class SqliteStoreTest : public StoreTestBase {};

TEST_F(SqliteStoreTest, SaysWhatItIs) {
  const std::string path = Make(UsualTable(1));
  EXPECT_THAT(Opened(path)->Description(), StartsWith("SQLite 3."));
  EXPECT_THAT(Opened(path)->Description(), HasSubstr(path));
}

TEST_F(SqliteStoreTest, ReadsEveryRowInItsOrder) {
  const std::string path = Make(
      "CREATE TABLE t (a, b); INSERT INTO t VALUES ('x', 'y'), "
      "(NULL, ''), ('ü', x'00ff')");
  auto store = Opened(path);
  const auto targets = Begun(*store, PlanOf("t", {"b", "a"}));
  ASSERT_EQ(targets.size(), 1u);
  EXPECT_EQ(targets[0].Title(), "main.t");
  EXPECT_THAT(ReadAll(*store, targets[0]), ElementsAre("y|x", "|NULL", std::string("\0\xff|ü", 5)));
}

TEST_F(SqliteStoreTest, WritesWhatItIsGivenAndNothingElse) {
  const std::string path = Make(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, c); "
      "INSERT INTO t VALUES (1, 'a1', NULL, 'c1'), (2, NULL, 'b2', 'c2'), (3, 'a3', 'b3', 3)");
  ASSERT_TRUE(Rotate(path, PlanOf("t", {"a", "b"})));
  EXPECT_THAT(Database(path).Rows("SELECT * FROM t"),
              ElementsAre("1|new a1|NULL|c1", "2|NULL|new b2|c2", "3|new a3|new b3|3"));
}

TEST_F(SqliteStoreTest, KeepsTheClassOfEachValue) {
  const std::string path = Make(
      "CREATE TABLE t (a TEXT, b BLOB, c); INSERT INTO t VALUES ('t', x'74', 't'), "
      "(x'74', 't', x'74')");
  Plan plan = PlanOf("t", {"a", "b", "c"});
  plan.tables[0].columns[1].shape = Shape::kBytes;
  ASSERT_TRUE(Rotate(path, plan));
  EXPECT_THAT(Database(path).Rows("SELECT a, typeof(a), b, typeof(b), c, typeof(c) FROM t"),
              ElementsAre("new t|text|new t|blob|new t|text", "new t|blob|new t|text|new t|blob"));
}

TEST_F(SqliteStoreTest, KeepsTextAndBytesOfDatabasesInUtf16) {
  const std::string path = Make(
      "PRAGMA encoding = 'UTF-16'; CREATE TABLE t (a); INSERT INTO t VALUES ('tü'), (x'7400')");
  ASSERT_TRUE(Rotate(path, PlanOf("t", {"a"})));
  EXPECT_THAT(Database(path).Rows("SELECT typeof(a), hex(CAST(a AS BLOB)) FROM t"),
              ElementsAre("text|6E0065007700200074"
                          "00FC00",
                          "blob|6E65772074"
                          "00"));
}

TEST_F(SqliteStoreTest, TellsWhichRowsTheConditionSelects) {
  const std::string path = Make(UsualTable(3, ", n"));
  Database(path).Run("UPDATE t SET n = id WHERE id < 3");
  auto store = Opened(path);
  const Plan plan = PlanOf("t", {"c"}, "n > 1 -- of those that have one");
  const auto targets = Begun(*store, plan);
  EXPECT_THAT(ReadAll(*store, targets[0]), ElementsAre("(old 1)", "old 2", "(old 3)"));
  ASSERT_TRUE(Update(*store, targets[0]));
  ASSERT_EQ(store->Commit().outcome, CommitOutcome::kCommitted);
  EXPECT_THAT(Database(path).Rows("SELECT c FROM t"), ElementsAre("old 1", "new old 2", "old 3"));
}

TEST_F(SqliteStoreTest, ReadsManyPagesWhileItWrites) {
  const std::string path = Make(UsualTable(12'345) + "CREATE INDEX i ON t (c)");
  ASSERT_TRUE(Rotate(path, PlanOf("t", {"c"})));
  Database database(path);
  EXPECT_EQ(database.Value("SELECT count(*) FROM t WHERE c = 'new old ' || id"), "12345");
  EXPECT_EQ(database.Value("PRAGMA integrity_check"), "ok");
}

TEST_F(SqliteStoreTest, ReadsOnOneThreadWhileItWritesOnAnother) {
  const std::string path = Make(UsualTable(20'000));
  auto store = Opened(path);
  const auto targets = Begun(*store, PlanOf("t", {"c"}));
  auto first = store->Read(targets[0]);
  auto second = store->Read(targets[0]);
  ASSERT_TRUE(first && second);
  // The second reader is a thread of its own; what it sees of each row is old or new.
  std::size_t seen = 0;
  std::jthread reader([&] {
    RowBatch batch;
    while ((*second)->Next(batch) && !batch.rows.empty()) {
      for (const Cell& cell : batch.cells)
        seen += cell.bytes.find("old ") != std::string_view::npos;
    }
  });
  RowBatch rows;
  while ((*first)->Next(rows) && !rows.rows.empty()) {
    UpdateBatch batch;
    const std::string value = "new old ";
    for (const RowBatch::Row& row : rows.rows) {
      batch.locators.push_back(row.locator);
      batch.cells.push_back({false, value});
    }
    ASSERT_TRUE(store->Update(targets[0], batch));
  }
  reader.join();
  EXPECT_EQ(seen, 20'000u);
  ASSERT_EQ(store->Commit().outcome, CommitOutcome::kCommitted);
  EXPECT_EQ(Database(path).Value("SELECT count(*) FROM t WHERE c = 'new old '"), "20000");
}

TEST_F(SqliteStoreTest, ReadsAndWritesRowsAtTheEndsOfTheNumbers) {
  const std::string path = Make(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, c); INSERT INTO t VALUES "
      "(-9223372036854775808, 'a'), (-1, 'b'), (0, 'c'), (9223372036854775807, 'd')");
  auto store = Opened(path);
  const auto targets = Begun(*store, PlanOf("t", {"c"}));
  EXPECT_THAT(ReadAll(*store, targets[0], true),
              ElementsAre("id=-9223372036854775808: a", "id=-1: b", "id=0: c",
                          "id=9223372036854775807: d"));
  ASSERT_TRUE(Update(*store, targets[0]));
  ASSERT_EQ(store->Commit().outcome, CommitOutcome::kCommitted);
  EXPECT_THAT(Database(path).Rows("SELECT c FROM t ORDER BY id"),
              ElementsAre("new a", "new b", "new c", "new d"));
}

TEST_F(SqliteStoreTest, KeepsBatchesSmallWhereValuesAreLarge) {
  const std::string path = Make("CREATE TABLE t (c)");
  Database database(path);
  for (int i = 0; i < 8; ++i) database.Run("INSERT INTO t VALUES (zeroblob(700000))");
  auto store = Opened(path);
  const auto targets = Begun(*store, PlanOf("t", {"c"}));
  auto source = store->Read(targets[0]);
  ASSERT_TRUE(source);
  RowBatch batch;
  std::size_t rows = 0;
  std::size_t largest = 0;
  while ((*source)->Next(batch) && !batch.rows.empty()) {
    rows += batch.rows.size();
    largest = std::max(largest, batch.bytes.size());
    for (const Cell& cell : batch.cells) EXPECT_EQ(cell.bytes.size(), 700'000u);
  }
  EXPECT_EQ(rows, 8u);
  EXPECT_LE(largest, 2u * 700'000);
}

TEST_F(SqliteStoreTest, WritesRowsOfABatchInAnyOrder) {
  const std::string path = Make(UsualTable(5));
  auto store = Opened(path);
  const auto targets = Begun(*store, PlanOf("t", {"c"}));
  UpdateBatch batch;
  batch.locators = {5, 2, 4};
  batch.cells = {{false, "five"}, {false, "two"}, {true, ""}};
  ASSERT_TRUE(store->Update(targets[0], batch));
  ASSERT_EQ(store->Commit().outcome, CommitOutcome::kCommitted);
  EXPECT_THAT(Database(path).Rows("SELECT c FROM t"),
              ElementsAre("old 1", "two", "old 3", "old 4", "five"));
}

TEST_F(SqliteStoreTest, FailsWhereARowIsNotThere) {
  const std::string path = Make(UsualTable(5));
  auto store = Opened(path);
  const auto targets = Begun(*store, PlanOf("t", {"c"}));
  for (const std::vector<std::uint64_t>& locators :
       {std::vector<std::uint64_t>{6}, {1, 1}, {1, 7}}) {
    UpdateBatch batch;
    batch.locators = locators;
    batch.cells.assign(locators.size(), {false, "x"});
    const Status updated = store->Update(targets[0], batch);
    ASSERT_FALSE(updated);
    EXPECT_EQ(updated.error().code(), ErrorCode::kInternal);
    EXPECT_THAT(updated.error().reason(), HasSubstr("1 of "));
  }
  UpdateBatch wrong;
  wrong.locators = {1};
  EXPECT_EQ(store->Update(targets[0], wrong).error().code(), ErrorCode::kInternal);
}

TEST_F(SqliteStoreTest, FindsNamesWhateverCharactersAreInThem) {
  const std::string path = Make(
      "CREATE TABLE \"my \"\"tä.ble\"\"\" (\"the id\" INTEGER PRIMARY KEY, \"c'1; --\" TEXT, "
      "\"select\" TEXT); INSERT INTO \"my \"\"tä.ble\"\"\" VALUES (7, 'a', 'b')");
  const Plan plan = PlanOf("my \"tä.ble\"", {"c'1; --", "select"});
  auto store = Opened(path);
  const auto targets = Begun(*store, plan);
  EXPECT_THAT(ReadAll(*store, targets[0], true), ElementsAre("the id=7: a|b"));
  store->Rollback();
  ASSERT_TRUE(Rotate(path, plan));
  EXPECT_EQ(Database(path).Value("SELECT * FROM \"my \"\"tä.ble\"\"\""), "7|new a|new b");
}

TEST_F(SqliteStoreTest, FindsRowsWhereAColumnIsCalledRowid) {
  const std::string path = Make(
      "CREATE TABLE t (rowid TEXT, _rowid_ TEXT); "
      "INSERT INTO t VALUES ('a', 'b'), ('a', 'b')");
  ASSERT_TRUE(Rotate(path, PlanOf("t", {"rowid", "_rowid_"})));
  EXPECT_THAT(Database(path).Rows("SELECT * FROM t"), ElementsAre("new a|new b", "new a|new b"));
}

TEST_F(SqliteStoreTest, NamesRowsByTheirKeys) {
  const std::string path = Make(
      "CREATE TABLE composite (tenant TEXT, n INT, c, PRIMARY KEY (tenant, n)); "
      "INSERT INTO composite VALUES ('it''s' || char(10) || 'me', 3, 'x'), (NULL, 2.5, 'y');"
      "CREATE TABLE keyless (c, other); INSERT INTO keyless VALUES ('x', 'o');"
      "CREATE TABLE bytes (k BLOB PRIMARY KEY, c); INSERT INTO bytes VALUES (x'00ff', 'x');"
      "CREATE TABLE long (k TEXT PRIMARY KEY, c); "
      "INSERT INTO long VALUES (printf('%.*c', 500, 'k'), 'x');"
      "CREATE TABLE secret (c TEXT PRIMARY KEY); INSERT INTO secret VALUES ('x')");
  Plan plan;
  AddTable(plan, "composite", {"c"});
  AddTable(plan, "keyless", {"c"});
  AddTable(plan, "bytes", {"c"});
  AddTable(plan, "long", {"c"});
  AddTable(plan, "secret", {"c"});
  auto store = Opened(path);
  auto targets = Begun(*store, plan);
  EXPECT_THAT(ReadAll(*store, targets[0], true),
              ElementsAre("tenant='it''s me', n=3: x", "tenant=null, n=2.5: y"));
  EXPECT_THAT(ReadAll(*store, targets[1], true), ElementsAre("rowid=1: x"));
  EXPECT_THAT(ReadAll(*store, targets[2], true), ElementsAre("k=x'00ff': x"));
  EXPECT_THAT(ReadAll(*store, targets[3], true),
              ElementsAre("k='" + std::string(60, 'k') + "...': x"));
  EXPECT_THAT(ReadAll(*store, targets[4], true), ElementsAre("rowid=1: x"));
  store->Rollback();
  targets = Begun(*store, PlanOf("keyless", {"c"}, "", {"OTHER"}));
  EXPECT_THAT(ReadAll(*store, targets[0], true), ElementsAre("other='o': x"));
  EXPECT_EQ(store->NameRow(targets[0], 99).value_or(""), "rowid=99");
}

TEST_F(SqliteStoreTest, SearchesTextAndBytesOfOneColumn) {
  const std::string path = Make(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, c); INSERT INTO t VALUES (1, 'a gAAA b'), "
      "(2, x'00ff67414141'), (3, 'gaaa'), (4, NULL), (5, 67414141), (6, 'gAA')");
  auto store = Opened(path);
  Begun(*store, PlanOf("t", {"c"}));
  const auto columns = store->TextColumns();
  ASSERT_TRUE(columns);
  ASSERT_EQ(columns->size(), 1u);
  auto source = store->Search((*columns)[0], kNeedle);
  ASSERT_TRUE(source);
  Target found;
  found.schema = (*columns)[0].schema;
  found.name = (*columns)[0].table;
  EXPECT_THAT(All(*store, found, **source, true),
              ElementsAre("id=1: a gAAA b", std::string("id=2: \0\xffgAAA", 12)));
}

TEST_F(SqliteStoreTest, SearchesForSeveralTextsAtOnce) {
  const std::string path = Make(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, c); INSERT INTO t VALUES (1, 'a one'), (2, "
      "x'74776f'),"
      " (3, 'three'), (4, 'two one'); CREATE TABLE k (c, d, PRIMARY KEY (c, d)) WITHOUT ROWID; "
      "INSERT INTO k VALUES ('two', 1), ('three', 2)");
  auto store = Opened(path);
  Begun(*store, PlanOf("t", {"c"}));
  constexpr std::array<std::string_view, 2> kNeedles = {"one", "two"};
  auto source = store->Search({.schema = "main", .table = "t", .name = "c"}, kNeedles);
  ASSERT_TRUE(source);
  EXPECT_THAT(All(*store, {}, **source), ElementsAre("a one", "two", "two one"));
  source = store->Search({.schema = "main", .table = "k", .name = "c"}, kNeedles);
  ASSERT_TRUE(source);
  EXPECT_THAT(All(*store, {}, **source), ElementsAre("two"));
}

TEST_F(SqliteStoreTest, SearchesManyRows) {
  const std::string path = Make(UsualTable(5000));
  auto store = Opened(path);
  Begun(*store, PlanOf("t", {"c"}));
  auto source = store->Search({.schema = "main", .table = "t", .name = "c"},
                              std::array<std::string_view, 1>{"old 4"});
  ASSERT_TRUE(source);
  EXPECT_EQ(All(*store, {}, **source).size(), 1u + 10 + 100 + 1000);
}

TEST_F(SqliteStoreTest, SearchesTablesThatNoPlanNames) {
  const std::string path = Make(UsualTable(1) +
                                "CREATE TABLE other (k TEXT PRIMARY KEY, v) WITHOUT ROWID; "
                                "INSERT INTO other VALUES ('a', 'no'), ('b', 'gAAA')");
  auto store = Opened(path);
  Begun(*store, PlanOf("t", {"c"}));
  auto source = store->Search({.schema = "main", .table = "other", .name = "v"}, kNeedle);
  ASSERT_TRUE(source);
  EXPECT_THAT(All(*store, {.name = "other"}, **source, true), ElementsAre("k='b': gAAA"));
}

TEST_F(SqliteStoreTest, SearchesTextOfDatabasesInUtf16) {
  const std::string path = Make(
      "PRAGMA encoding = 'UTF-16'; CREATE TABLE t (c); INSERT INTO t VALUES ('x gAAA'), "
      "(x'67414141'), ('no')");
  auto store = Opened(path);
  Begun(*store, PlanOf("t", {"c"}));
  auto source = store->Search({.schema = "main", .table = "t", .name = "c"}, kNeedle);
  ASSERT_TRUE(source);
  EXPECT_THAT(All(*store, {}, **source), ElementsAre("x gAAA", "gAAA"));
}

TEST_F(SqliteStoreTest, ReadsBackWhatItHasWritten) {
  const std::string path = Make(UsualTable(3));
  auto store = Opened(path);
  const auto targets = Begun(*store, PlanOf("t", {"c"}));
  ASSERT_TRUE(Update(*store, targets[0]));
  auto source = store->ReadBack(targets[0]);
  ASSERT_TRUE(source);
  EXPECT_THAT(All(*store, targets[0], **source, true),
              ElementsAre("id=1: new old 1", "id=2: new old 2", "id=3: new old 3"));
  EXPECT_EQ(Database(path).Value("SELECT c FROM t"), "old 1");  // others do not see it yet
}

TEST_F(SqliteStoreTest, LeavesAllAsItWasWhereItRollsBack) {
  const std::string path = Make(UsualTable(3000));
  auto store = Opened(path);
  const auto targets = Begun(*store, PlanOf("t", {"c"}));
  ASSERT_TRUE(Update(*store, targets[0]));
  store->Rollback();
  store->Rollback();
  EXPECT_EQ(Database(path).Value("SELECT count(*) FROM t WHERE c = 'old ' || id"), "3000");
  EXPECT_EQ(store->Update(targets[0], {}).error().code(), ErrorCode::kInternal);
  EXPECT_EQ(store->Commit().outcome, CommitOutcome::kRolledBack);
}

TEST_F(SqliteStoreTest, RollsBackWhenItGoes) {
  const std::string path = Make(UsualTable(3));
  {
    auto store = Opened(path);
    const auto targets = Begun(*store, PlanOf("t", {"c"}));
    ASSERT_TRUE(Update(*store, targets[0]));
  }
  EXPECT_EQ(Database(path).Value("SELECT c FROM t"), "old 1");
}

TEST_F(SqliteStoreTest, ReadsNothingAfterItsTransaction) {
  const std::string path = Make(UsualTable(3));
  auto store = Opened(path);
  const auto targets = Begun(*store, PlanOf("t", {"c"}));
  auto source = store->Read(targets[0]);
  ASSERT_TRUE(source);
  store->Rollback();
  Begun(*store, PlanOf("t", {"c"}));
  RowBatch batch;
  EXPECT_EQ((*source)->Next(batch).error().code(), ErrorCode::kInternal);
  store.reset();
  EXPECT_FALSE((*source)->Next(batch));  // nor after the store
}

TEST_F(SqliteStoreTest, OnlyLooksWhereItIsToldSo) {
  const std::string path = Make(UsualTable(3));
  auto store = Opened(path);
  const Plan plan = PlanOf("t", {"c"});
  const auto targets = Begun(*store, plan, {.is_read_only = true});
  EXPECT_EQ(ReadAll(*store, targets[0]).size(), 3u);
  UpdateBatch batch;
  batch.locators = {1};
  batch.cells = {{false, "x"}};
  EXPECT_FALSE(store->Update(targets[0], batch));
  EXPECT_FALSE(store->WriteAudit(plan, {.id = "1"}));
  store->Rollback();
  ASSERT_TRUE(Rotate(path, plan));  // and writes again afterwards
  Begun(*store, plan);
  EXPECT_TRUE(store->WriteAudit(plan, {.id = "1"}));
}

TEST_F(SqliteStoreTest, SeesOneStateWhereItOnlyLooks) {
  const std::string path = Make("PRAGMA journal_mode = WAL;" + UsualTable(3));
  auto store = Opened(path);
  const auto targets = Begun(*store, PlanOf("t", {"c"}), {.is_read_only = true});
  Database(path).Run("UPDATE t SET c = 'else'");
  EXPECT_THAT(ReadAll(*store, targets[0]), ElementsAre("old 1", "old 2", "old 3"));
}

TEST_F(SqliteStoreTest, LeavesARecordWithTheChanges) {
  const std::string path = Make(UsualTable(1));
  auto store = Opened(path);
  const Plan plan = PlanOf("t", {"c"});
  EXPECT_FALSE(store->FindAudit(plan, "").value_or(AuditRecord{}).has_value());
  for (const char* id : {"aa", "bb"}) {
    Begun(*store, plan);
    ASSERT_TRUE(store->WriteAudit(plan, {.id = id,
                                         .tool = "qarion-secrets 0.1.0",
                                         .new_key = "n",
                                         .old_keys = "o,p",
                                         .report = "{\"rows\":1}"}));
    ASSERT_EQ(store->Commit().outcome, CommitOutcome::kCommitted);
  }
  const auto latest = store->FindAudit(plan, "");
  ASSERT_TRUE(latest && *latest);
  EXPECT_EQ((*latest)->id, "bb");
  const auto record = store->FindAudit(plan, "aa");
  ASSERT_TRUE(record && *record);
  EXPECT_EQ((*record)->tool, "qarion-secrets 0.1.0");
  EXPECT_EQ((*record)->new_key, "n");
  EXPECT_EQ((*record)->old_keys, "o,p");
  EXPECT_EQ((*record)->report, "{\"rows\":1}");
  EXPECT_THAT((*record)->finished_at, testing::MatchesRegex("20[0-9][0-9]-[0-9-]+T[0-9:]+Z"));
  const auto none = store->FindAudit(plan, "cc");
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->has_value());
  EXPECT_THAT(Database(path).Rows("SELECT id FROM qarion_secrets_rotations ORDER BY id"),
              ElementsAre("aa", "bb"));
}

TEST_F(SqliteStoreTest, LeavesNoRecordWithoutTheChanges) {
  const std::string path = Make(UsualTable(1));
  auto store = Opened(path);
  const Plan plan = PlanOf("t", {"c"});
  Begun(*store, plan);
  ASSERT_TRUE(store->WriteAudit(plan, {.id = "aa"}));
  store->Rollback();
  const auto record = store->FindAudit(plan, "");
  ASSERT_TRUE(record);
  EXPECT_FALSE(record->has_value());
  EXPECT_THAT(Database(path).Rows("SELECT name FROM sqlite_schema WHERE name LIKE 'qarion%'"),
              IsEmpty());
}

}  // namespace
}  // namespace qarion::secrets::rotate::sqlite
