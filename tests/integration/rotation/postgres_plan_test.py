"""What a plan names and the database has not, or has otherwise, is an error before anything is locked or written."""
from postgres_case import PostgresCase, main


class Plans(PostgresCase):
    def assert_refused(self, create, table, *columns, words=(), cure=(), schema="", code="configuration", **options):
        if create:
            self.sql(create)
        store = self.store()
        store.plan(table, *(columns or ["v"]), schema=schema, **options)
        with self.assert_fails(code, *words, cure=cure):
            store.resolve()

    def test_a_table_that_is_missing(self):
        self.assert_refused("", "t", words=["t is not in the database"])

    def test_a_table_whose_name_is_written_otherwise(self):
        self.assert_refused('CREATE TABLE "Instances" (v text)', "instances", words=["instances is not in the database"],
                            cure="did you mean public.Instances?")

    def test_a_table_in_another_schema(self):
        self.assert_refused("CREATE SCHEMA other; CREATE TABLE other.t (v text)", "t", cure="did you mean other.t?")

    def test_a_schema_that_is_missing(self):
        self.assert_refused("", "t", schema="nowhere", words=["nowhere.t is not in the database"])

    def test_a_schema_that_the_role_may_not_use(self):
        role = self.role()
        self.sql("CREATE SCHEMA closed; CREATE TABLE closed.t (v text)")
        store = self.store(user=role)
        store.plan("t", "v", schema="closed")
        with self.assert_fails("not_permitted", "permission denied for schema closed"):
            store.resolve()

    def test_a_column_that_is_missing(self):
        self.assert_refused("CREATE TABLE t (v text)", "t", "V", words=["public.t has no column V"])

    def test_a_column_that_was_dropped(self):
        self.assert_refused("CREATE TABLE t (v text, w text); ALTER TABLE t DROP v", "t", words=["has no column v"])

    def test_a_column_of_the_key_that_is_missing(self):
        self.assert_refused("CREATE TABLE t (v text)", "t", key=["id"], words=["public.t has no column id", "key"])

    def test_a_view(self):
        self.assert_refused("CREATE TABLE t (v text); CREATE VIEW u AS SELECT v FROM t", "u", words=["public.u is a view"])

    def test_a_materialized_view(self):
        self.assert_refused("CREATE MATERIALIZED VIEW u AS SELECT 'A' AS v", "u", words=["public.u is a materialized view"])

    def test_a_sequence(self):
        self.assert_refused("CREATE SEQUENCE u", "u", words=["public.u is a sequence"])

    FOREIGN = ("CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw; "
               "CREATE FOREIGN TABLE f (v text) SERVER files OPTIONS (filename '/dev/null')")

    def test_a_foreign_table(self):
        self.assert_refused(self.FOREIGN, "f", words=["public.f is a foreign table"])

    def test_a_partition_that_is_a_foreign_table(self):
        self.assert_refused(self.FOREIGN + "; CREATE TABLE p (v text) PARTITION BY LIST (v); "
                            "ALTER TABLE p ATTACH PARTITION f DEFAULT", "p", words=["public.f is a foreign table"])

    def test_a_generated_column(self):
        self.assert_refused("CREATE TABLE t (u text, v text GENERATED ALWAYS AS (u || 'x') STORED)", "t",
                            words=["public.t, column v, is generated from others"])

    def test_a_column_that_decides_about_the_partition(self):
        self.assert_refused("CREATE TABLE p (v text) PARTITION BY LIST (v); CREATE TABLE p1 PARTITION OF p DEFAULT", "p",
                            words=["column v, decides in which partition a row is"])

    def test_a_table_that_stands_there_twice(self):
        self.sql("CREATE TABLE t (v text, w text)")
        store = self.store()
        store.plan("t", "v")
        store.plan("t", "w", schema="public")
        with self.assert_fails("configuration", "public.t", "twice"):
            store.resolve()

    def test_a_partition_beside_its_table(self):
        self.sql("CREATE TABLE p (k int, v text) PARTITION BY LIST (k); CREATE TABLE p1 PARTITION OF p DEFAULT")
        store = self.store()
        store.plan("p", "v")
        store.plan("p1", "v")
        with self.assert_fails("configuration", "public.p1 belongs to two tables of the plan"):
            store.resolve()

    def assert_wrong_type(self, sql_type, shape, *words, cure=(), before=""):
        self.assert_refused(f"{before}CREATE TABLE t (v {sql_type})", "t", ("v", shape), words=["column v", *words], cure=cure)

    def test_a_type_that_cannot_hold_a_token(self):
        for sql_type in ("integer", "text[]", "name", "uuid", "timestamp without time zone"):
            with self.subTest(sql_type):
                self.assert_wrong_type(sql_type, "text", sql_type, "cannot hold a token", cure="text, varchar")
                self.sql("DROP TABLE t")

    def test_an_enumeration(self):
        self.assert_wrong_type("mood", "text", "mood, which cannot hold a token", before="CREATE TYPE mood AS ENUM ('x'); ")

    def test_a_shape_that_is_not_the_types(self):
        for sql_type, shape, right in (("bytea", "text", "bytea"), ("jsonb", "text", "json"), ("json", "bytes", "json"),
                                       ("text", "bytes", "text"), ("bytea", "json", "bytea")):
            with self.subTest(sql_type=sql_type, shape=shape):
                self.assert_wrong_type(sql_type, shape, f"type {sql_type}", cure=f'shape "{right}"')
                self.sql("DROP TABLE t")

    def test_a_condition_that_cannot_be_read(self):
        self.assert_refused("CREATE TABLE t (v text)", "t", where="nothing = 1", words=["public.t", "where", "nothing"], cure="plan")

    def test_a_condition_that_would_begin_a_second_command(self):
        self.assert_refused("CREATE TABLE t (v text)", "t", where="true) FROM t; DROP TABLE t; SELECT (true",
                            words=["public.t"], cure="plan")
        self.assertEqual(self.value("SELECT count(*) FROM t"), 0)

    def test_a_condition_that_is_more_than_one_expression_or_about_more_than_one_row(self):
        for where in ("true) OR (true", "true) IS TRUE, (true", "true GROUP BY ctid", "row_number() OVER () = 1",
                      "count(*) > 0", "true /*"):
            with self.subTest(where=where):
                self.assert_refused("CREATE TABLE t (v text)", "t", where=where, words=["public.t"], cure="plan")
                self.sql("DROP TABLE t")

    def test_a_condition_that_is_no_truth(self):
        self.assert_refused("CREATE TABLE t (v text)", "t", where="v", words=["public.t"], cure="plan")


if __name__ == "__main__":
    main()
