#include "rotate/sqlite/catalogue.h"

#include "tests/support/sqlite_store_test_base.h"

namespace qarion::secrets::rotate::sqlite {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class SqliteCatalogueTest : public StoreTestBase {
 protected:
  // Reason and cure of the error.
  static std::string Refused(Store& store, const Plan& plan) {
    const auto targets = store.Resolve(plan);
    if (targets) return "not refused";
    EXPECT_EQ(targets.error().code(), ErrorCode::kConfiguration);
    EXPECT_FALSE(targets.error().cure().empty());
    return targets.error().reason() + "; " + targets.error().cure();
  }
};

TEST_F(SqliteCatalogueTest, FindsTheTablesOfThePlanInItsOrder) {
  auto store =
      Opened(Make("CREATE TABLE a (c); CREATE TABLE b (c); INSERT INTO b VALUES (1), (2)"));
  Plan plan;
  AddTable(plan, "b", {"c"});
  AddTable(plan, "a", {"c"});
  plan.tables[1].schema = "main";
  const auto targets = Resolved(*store, plan);
  ASSERT_EQ(targets.size(), 2u);
  EXPECT_EQ(targets[0].name, "b");
  EXPECT_EQ(targets[0].table, 0u);
  EXPECT_EQ(targets[0].estimated_rows, 2u);
  EXPECT_GT(targets[0].bytes, 0u);
  EXPECT_EQ(targets[1].name, "a");
  EXPECT_EQ(targets[1].table, 1u);
  EXPECT_EQ(targets[1].estimated_rows, 0u);
}

TEST_F(SqliteCatalogueTest, TakesLettersInBothCasesForTheSame) {
  auto store = Opened(Make("CREATE TABLE Instances (\"Database_URL\" TEXT)"));
  const auto targets = Resolved(*store, PlanOf("instances", {"database_url"}));
  ASSERT_EQ(targets.size(), 1u);
  EXPECT_EQ(targets[0].name, "Instances");
}

TEST_F(SqliteCatalogueTest, EstimatesNoMoreRowsThanThereIsRoomFor) {
  auto store =
      Opened(Make("CREATE TABLE t (id INTEGER PRIMARY KEY, c); "
                  "INSERT INTO t VALUES (-9223372036854775808, 1), "
                  "(9223372036854775807, 2)"));
  const auto targets = Resolved(*store, PlanOf("t", {"c"}));
  EXPECT_GE(targets.at(0).estimated_rows, 2u);
  EXPECT_LE(targets.at(0).estimated_rows, 8192u / 32);
}

TEST_F(SqliteCatalogueTest, NamesWhatIsNotThereAndWhatMayBeMeant) {
  auto store = Opened(Make("CREATE TABLE instances (database_url)"));
  EXPECT_THAT(
      Refused(*store, PlanOf("instance", {"database_url"})),
      AllOf(HasSubstr("instance is not in the database"), HasSubstr("did you mean instances?")));
  EXPECT_THAT(Refused(*store, PlanOf("instances", {"database_uri"})),
              AllOf(HasSubstr("instances has no column database_uri"),
                    HasSubstr("did you mean database_url?")));
  EXPECT_THAT(Refused(*store, PlanOf("instances", {"database_url"}, "", {"id"})),
              HasSubstr("has no column id, which the plan names as its key"));
  EXPECT_THAT(Refused(*store, PlanOf("instances", {"rowid"})), HasSubstr("has no column rowid"));
}

TEST_F(SqliteCatalogueTest, RefusesWhatIsNoOrdinaryTable) {
  auto store =
      Opened(Make("CREATE TABLE t (c); CREATE VIEW v AS SELECT c FROM t; "
                  "CREATE VIRTUAL TABLE f USING fts5(c); "
                  "CREATE TABLE s (id INTEGER PRIMARY KEY AUTOINCREMENT)"));
  EXPECT_THAT(Refused(*store, PlanOf("v", {"c"})), HasSubstr("v is a view"));
  EXPECT_THAT(Refused(*store, PlanOf("f", {"c"})), HasSubstr("f is a virtual table"));
  EXPECT_THAT(Refused(*store, PlanOf("f_content", {"c0"})),
              HasSubstr("is what a virtual table keeps its rows in"));
  EXPECT_THAT(Refused(*store, PlanOf("sqlite_sequence", {"name"})),
              HasSubstr("is a table of SQLite's own"));
  Plan plan = PlanOf("t", {"c"});
  plan.tables[0].schema = "public";
  EXPECT_THAT(Refused(*store, plan), HasSubstr("public.t is in another schema than main"));
}

TEST_F(SqliteCatalogueTest, RefusesColumnsThatCannotBeRotated) {
  auto store = Opened(
      Make("CREATE TABLE t (id INTEGER PRIMARY KEY, c, v AS (c || 'x'), s AS (c || 'y') STORED); "
           "CREATE TABLE strict (c TEXT, n INT) STRICT; "
           "CREATE TABLE k (k TEXT PRIMARY KEY, c) WITHOUT ROWID; "
           "CREATE TABLE shadowed (rowid, _rowid_, oid, c)"));
  EXPECT_THAT(Refused(*store, PlanOf("t", {"v"})), HasSubstr("column v, is generated"));
  EXPECT_THAT(Refused(*store, PlanOf("t", {"s"})), HasSubstr("column s, is generated"));
  EXPECT_THAT(Refused(*store, PlanOf("t", {"id"})), HasSubstr("holds numbers alone"));
  EXPECT_THAT(Refused(*store, PlanOf("strict", {"n"})), HasSubstr("holds numbers alone"));
  EXPECT_THAT(Refused(*store, PlanOf("k", {"k"})), HasSubstr("is in the primary key"));
  EXPECT_THAT(Refused(*store, PlanOf("shadowed", {"c"})),
              HasSubstr("columns named rowid, _rowid_ and oid"));
  EXPECT_EQ(Refused(*store, PlanOf("strict", {"c"})), "not refused");
}

TEST_F(SqliteCatalogueTest, RefusesBothSidesOfForeignKeys) {
  auto store = Opened(
      Make("CREATE TABLE parents (token TEXT PRIMARY KEY, a, b, c, UNIQUE (a, b)); "
           "CREATE TABLE children (implicit REFERENCES Parents, named REFERENCES PARENTS (TOKEN), "
           "x, y, d, FOREIGN KEY (x, y) REFERENCES parents (A, b)); "
           "CREATE TABLE selves (token TEXT PRIMARY KEY, previous REFERENCES selves); "
           "CREATE TABLE pairs (i, j, PRIMARY KEY (j, i)); "
           "CREATE TABLE pair_children (m, n, FOREIGN KEY (m, n) REFERENCES pairs); "
           "CREATE TABLE orphans (c REFERENCES gone)"));
  const auto refused = [&](const std::string& table, const std::string& column) {
    return Refused(*store, PlanOf(table, {column}));
  };
  const std::string by = " by a foreign key, and no encrypted value is equal to another; leave it";
  EXPECT_THAT(refused("children", "implicit"),
              HasSubstr("children, column implicit, refers to Parents.token" + by));
  EXPECT_THAT(refused("children", "NAMED"), HasSubstr("column NAMED, refers to PARENTS.TOKEN"));
  EXPECT_THAT(refused("parents", "token"), HasSubstr("parents, column token, is what children."));
  EXPECT_THAT(refused("children", "x"), HasSubstr("refers to parents.A" + by));
  EXPECT_THAT(refused("children", "y"), HasSubstr("refers to parents.b" + by));
  EXPECT_THAT(refused("parents", "a"), HasSubstr("is what children.x refers to" + by));
  EXPECT_THAT(refused("parents", "b"), HasSubstr("is what children.y refers to" + by));
  EXPECT_THAT(refused("selves", "previous"), HasSubstr("refers to selves.token"));
  EXPECT_THAT(refused("selves", "token"), HasSubstr("is what selves.previous refers to"));
  EXPECT_THAT(refused("pair_children", "m"), HasSubstr("refers to pairs.j"));
  EXPECT_THAT(refused("pairs", "i"), HasSubstr("is what pair_children.n refers to"));
  EXPECT_THAT(refused("orphans", "c"), HasSubstr("refers to gone by"));
  EXPECT_EQ(refused("parents", "c"), "not refused");
  EXPECT_EQ(refused("children", "d"), "not refused");
}

TEST_F(SqliteCatalogueTest, RefusesWhatStandsInThePlanTwice) {
  auto store = Opened(Make("CREATE TABLE t (c)"));
  EXPECT_THAT(Refused(*store, PlanOf("t", {"c", "C"})), HasSubstr("stands in the plan twice"));
  Plan plan = PlanOf("t", {"c"});
  AddTable(plan, "T", {"c"});
  EXPECT_THAT(Refused(*store, plan), HasSubstr("t stands in the plan twice"));
}

TEST_F(SqliteCatalogueTest, RefusesConditionsThatAreNone) {
  auto store = Opened(Make("CREATE TABLE t (c, n)"));
  for (const char* where : {"n = ",
                            "n = 1; DROP TABLE t",
                            "n, c",
                            "nn = 1",
                            "\"nn\" = 'x'",
                            "n = ?1",
                            "n = :x",
                            "app_function(n)",
                            "sum(n) > count(",
                            ")",
                            "1) OR (1",
                            "1) FROM t --",
                            "1) FROM t /*",
                            "1 /*",
                            "1 THEN 1 END /*",
                            "1 THEN 1 WHEN 1",
                            "SELECT 1",
                            "sum(n) > 1",
                            "row_number() OVER () = 1",
                            "(DELETE FROM t RETURNING 1)",
                            "n IN (INSERT INTO t VALUES (1, 2) RETURNING n)"}) {
    EXPECT_NE(Refused(*store, PlanOf("t", {"c"}, where)), "not refused") << where;
  }
  EXPECT_THAT(Refused(*store, PlanOf("t", {"c"}, "nn = 1")),
              AllOf(HasSubstr("t, its `where` in the plan"), HasSubstr("no such column: nn")));
  for (const char* where :
       {"\"n\" = 'x' AND n IN (SELECT n FROM t)", "n = 1 -- a remark", "n = 1 /* a remark */",
        "CASE n WHEN 1 THEN 0 END OR (n = ')')", "n > (SELECT sum(n) FROM t)"}) {
    EXPECT_EQ(Refused(*store, PlanOf("t", {"c"}, where)), "not refused") << where;
  }
}

TEST_F(SqliteCatalogueTest, ListsEveryColumnThatCanHoldAToken) {
  auto store =
      Opened(Make("CREATE TABLE b (id INTEGER PRIMARY KEY, t VARCHAR(500), j JSON, x BLOB, n INT, "
                  "u, g AS (t)); "
                  "CREATE TABLE a (k TEXT PRIMARY KEY, i INTEGER PRIMARY_KEY) WITHOUT ROWID; "
                  "CREATE TABLE s (t TEXT, n INT, r REAL, any ANY) STRICT; "
                  "CREATE VIEW v AS SELECT t FROM b; CREATE VIRTUAL TABLE f USING fts5(c); CREATE "
                  "INDEX i ON b (t)"));
  const auto columns = store->TextColumns();
  ASSERT_TRUE(columns);
  std::vector<std::string> titles;
  for (const TextColumn& column : *columns) {
    titles.push_back(column.Title() + " " + column.type + " " +
                     std::to_string(static_cast<int>(column.shape)));
  }
  EXPECT_THAT(
      titles,
      ElementsAre("main.a.k TEXT 0", "main.a.i INTEGER PRIMARY_KEY 0", "main.b.t VARCHAR(500) 0",
                  "main.b.j JSON 2", "main.b.x BLOB 1", "main.b.n INT 0", "main.b.u  0",
                  // The full-text index keeps its rows in these.
                  "main.f_config.k  0", "main.f_config.v  0", "main.f_content.c0  0",
                  "main.f_data.block BLOB 1", "main.f_docsize.sz BLOB 1", "main.f_idx.segid  0",
                  "main.f_idx.term  0", "main.f_idx.pgno  0", "main.s.t TEXT 0",
                  "main.s.any ANY 0"));
}

TEST_F(SqliteCatalogueTest, ColumnsThatNoPlanCanNameTellWhy) {
  auto store = Opened(
      Make("CREATE TABLE p (token TEXT PRIMARY KEY, c); CREATE TABLE q (token REFERENCES p); "
           "CREATE VIRTUAL TABLE f USING fts5(c)"));
  const auto columns = store->TextColumns();
  ASSERT_TRUE(columns);
  for (const TextColumn& column : *columns) {
    EXPECT_EQ(column.obstacle,
              column.Title() == "main.p.c"       ? ""
              : column.Title() == "main.p.token" ? "is what q.token refers to by a foreign key"
              : column.Title() == "main.q.token" ? "refers to p.token by a foreign key"
                                                 : "is what a virtual table keeps its rows in");
  }
}

TEST_F(SqliteCatalogueTest, VirtualTablesOfUnknownModulesAreNoObstacle) {
  const std::string path = Make(
      "CREATE TABLE t (c TEXT REFERENCES strange); PRAGMA writable_schema = ON; "
      "INSERT INTO sqlite_schema VALUES ('table', 'strange', 'strange', 0, "
      "'CREATE VIRTUAL TABLE strange USING unknown_module(c)')");
  auto store = Opened(path);
  const auto columns = store->TextColumns();
  ASSERT_TRUE(columns) << columns.error().reason();
  EXPECT_EQ(columns->size(), 1u);
  EXPECT_THAT(Refused(*store, PlanOf("strange", {"c"})), HasSubstr("is a virtual table"));
}

TEST_F(SqliteCatalogueTest, BeginsOnlyWithTheTablesThatWereFound) {
  const std::string path = Make("CREATE TABLE t (c); CREATE TABLE u (c)");
  auto store = Opened(path);
  Plan plan = PlanOf("t", {"c"});
  const auto targets = Resolved(*store, plan);
  AddTable(plan, "u", {"c"});
  const Status begun = store->Begin(plan, targets, {});
  ASSERT_FALSE(begun);
  EXPECT_EQ(begun.error().code(), ErrorCode::kTryAgain);
  Database(path).Run("DROP TABLE t");
  EXPECT_EQ(store->Begin(PlanOf("t", {"c"}), targets, {}).error().code(),
            ErrorCode::kConfiguration);
  Database(path).Run("CREATE TABLE x (c)");  // nothing holds the lock
}

TEST_F(SqliteCatalogueTest, RefusesAnAuditTableThatIsSomethingElse) {
  const std::string path = Make(
      "CREATE TABLE t (c); CREATE TABLE log (id, message); "
      "CREATE VIEW v AS SELECT 1");
  auto store = Opened(path);
  for (const char* name : {"log", "v", "LOG"}) {
    Plan plan = PlanOf("t", {"c"});
    plan.audit_table = name;
    const Status begun = store->Begin(plan, Resolved(*store, plan), {});
    ASSERT_FALSE(begun) << name;
    EXPECT_EQ(begun.error().code(), ErrorCode::kConfiguration);
    EXPECT_THAT(begun.error().cure(), HasSubstr("audit_table"));
  }
  Plan rehearsed = PlanOf("t", {"c"});
  rehearsed.audit_table = "log";
  EXPECT_FALSE(store->Begin(rehearsed, Resolved(*store, rehearsed),
                            {.is_read_only = true, .is_rehearsal = true}));
  EXPECT_TRUE(store->Begin(rehearsed, Resolved(*store, rehearsed), {.is_read_only = true}));
  Plan plan = PlanOf("t", {"c"});
  plan.audit_schema = "ops";
  EXPECT_EQ(store->Begin(plan, Resolved(*store, plan), {}).error().code(),
            ErrorCode::kConfiguration);
}

}  // namespace
}  // namespace qarion::secrets::rotate::sqlite
