// Tables WITHOUT ROWID.
#include "rotate/sqlite/keyed_rows.h"

#include "tests/support/sqlite_store_test_base.h"

namespace qarion::secrets::rotate::sqlite {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class SqliteKeyedRowsTest : public StoreTestBase {
 protected:
  // Rows (i % 7, i) for i from 1 to `count`.
  static std::string Table(int count, const std::string& key) {
    return "CREATE TABLE t (a TEXT, b INT, c TEXT, PRIMARY KEY (" + key +
           ")) WITHOUT ROWID; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
           "WHERE i < " +
           std::to_string(count) + ") INSERT INTO t SELECT 'k' || (i % 7), i, 'old ' || i FROM n;";
  }
};

TEST_F(SqliteKeyedRowsTest, AreReadAndWrittenInManyPages) {
  for (const char* key : {"a, b", "b", "a DESC, b DESC", "b, a", "b DESC"}) {
    std::filesystem::remove(directory_.Path("app.db"));
    const std::string path = Make(Table(3500, key));
    ASSERT_TRUE(Rotate(path, PlanOf("t", {"c"}))) << key;
    EXPECT_EQ(Database(path).Value("SELECT count(*) FROM t WHERE c = 'new old ' || b"), "3500")
        << key;
  }
}

TEST_F(SqliteKeyedRowsTest, AreNamedByTheirKeysWheneverThatIsAskedFor) {
  const std::string path = Make(Table(2500, "b, a"));
  auto store = Opened(path);
  const auto targets = Begun(*store, PlanOf("t", {"c"}));
  EXPECT_EQ(ReadAll(*store, targets[0]).size(), 2500u);
  EXPECT_EQ(store->NameRow(targets[0], 0).value_or(""), "b=1, a='k1'");
  EXPECT_EQ(store->NameRow(targets[0], 2499).value_or(""), "b=2500, a='k1'");
  EXPECT_EQ(store->NameRow(targets[0], 1000).value_or(""), "b=1001, a='k0'");
  ASSERT_TRUE(Update(*store, targets[0]));
  EXPECT_EQ(store->NameRow(targets[0], 1000).value_or(""), "b=1001, a='k0'");
  EXPECT_THAT(store->NameRow(targets[0], 2500).value_or(""), HasSubstr("row 2501"));
}

TEST_F(SqliteKeyedRowsTest, AreTakenToBeInTheOrderOfTheirCollation) {
  const std::string path = Make(
      "CREATE TABLE t (k TEXT COLLATE NOCASE PRIMARY KEY, c) WITHOUT ROWID; "
      "INSERT INTO t VALUES ('b', '1'), ('A', '2'), ('C', '3')");
  auto store = Opened(path);
  const auto targets = Begun(*store, PlanOf("t", {"c"}));
  EXPECT_THAT(ReadAll(*store, targets[0], true), ElementsAre("k='A': 2", "k='b': 1", "k='C': 3"));
}

TEST_F(SqliteKeyedRowsTest, MayHaveKeysOfAnyType) {
  const std::string path = Make(
      "CREATE TABLE t (k PRIMARY KEY, c) WITHOUT ROWID; "
      "INSERT INTO t VALUES (x'00', 'blob'), ('', 'text'), (1, 'int'), (1.5, 'real')");
  ASSERT_TRUE(Rotate(path, PlanOf("t", {"c"})));
  EXPECT_THAT(Database(path).Rows("SELECT c, typeof(k) FROM t"),
              ElementsAre("new int|integer", "new real|real", "new text|text", "new blob|blob"));
}

TEST_F(SqliteKeyedRowsTest, AreWrittenWhereOnlySomeAreSelected) {
  const std::string path = Make(Table(3500, "a, b"));
  ASSERT_TRUE(Rotate(path, PlanOf("t", {"c"}, "b % 500 = 0")));
  EXPECT_EQ(Database(path).Value("SELECT count(*) FROM t WHERE c LIKE 'new %'"), "7");
  EXPECT_EQ(Database(path).Value("SELECT count(*) FROM t WHERE c = 'new old ' || b"), "7");
}

TEST_F(SqliteKeyedRowsTest, AreNotFollowedInAnOrderThatTheyAreNotIn) {
  for (const char* table :
       {"CREATE TABLE t (a, b, c, PRIMARY KEY (a, b DESC)) WITHOUT ROWID",
        "CREATE TABLE t (a, c, PRIMARY KEY (a COLLATE NOCASE)) WITHOUT ROWID"}) {
    std::filesystem::remove(directory_.Path("app.db"));
    auto store = Opened(Make(table));
    const auto targets = store->Resolve(PlanOf("t", {"c"}));
    ASSERT_FALSE(targets) << table;
    EXPECT_EQ(targets.error().code(), ErrorCode::kConfiguration);
    EXPECT_THAT(targets.error().reason(), HasSubstr("WITHOUT ROWID"));
  }
}

TEST_F(SqliteKeyedRowsTest, AreNotMistakenForOthersThatATriggerInserts) {
  const std::string path = Make(Table(10, "b") +
                                "CREATE TRIGGER r AFTER UPDATE ON t WHEN new.b = 5 BEGIN "
                                "INSERT OR IGNORE INTO t VALUES ('x', 4.5, 'old'); END");
  auto store = Opened(path);
  const auto targets = Begun(*store, PlanOf("t", {"c"}));
  EXPECT_EQ(ReadAll(*store, targets[0]).size(), 10u);
  const std::string value = "new";
  UpdateBatch batch;
  batch.locators = {4};
  batch.cells = {{false, value}};
  ASSERT_TRUE(store->Update(targets[0], batch));
  batch.locators = {5};
  const Status updated = store->Update(targets[0], batch);
  ASSERT_FALSE(updated);
  EXPECT_EQ(updated.error().code(), ErrorCode::kConfiguration);
  EXPECT_THAT(updated.error().reason(), HasSubstr("a trigger inserts or deletes"));
}

}  // namespace
}  // namespace qarion::secrets::rotate::sqlite
