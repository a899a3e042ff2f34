"""Rows of PostgreSQL's tables are read and written as they are, whatever their type, name and number."""
import os

from postgres_case import PostgresCase, main


class Types(PostgresCase):
    def round_trip(self, sql_type, literal, shape, old, new, shown=None):
        """Reads `old`, writes `new`, and compares what stands there then, as text, with `shown`."""
        self.sql(f"CREATE TABLE t (id int PRIMARY KEY, v {sql_type}); INSERT INTO t VALUES (1, {literal})")
        store = self.begun(("v", shape), table="t")
        [[locator, _, value]] = store.rows("read", 0)
        self.assertEqual(value, old)
        store.update(0, [locator, new])
        [[_, _, value]] = store.rows("read-back", 0)
        self.assertEqual(value, new)
        self.assertEqual(store("commit"), {"outcome": "committed"})
        self.assertEqual(self.value("SELECT v::text FROM t"), new.decode() if shown is None else shown)

    def test_text(self):
        self.round_trip("text", "E'gr\u00fc\u00df \\t \\\\ '", "text", "gr\u00fc\u00df \t \\ ".encode(), "\u2713 'x' \\".encode())

    def test_an_empty_text_is_no_null(self):
        self.round_trip("text", "''", "text", b"", b"x")

    def test_varchar(self):
        self.round_trip("varchar(5)", "'12345'", "text", b"12345", b"54321")

    def test_char_is_read_without_its_padding_and_padded_again(self):
        self.round_trip("char(6)", "'ab'", "text", b"ab", b"xyz")
        self.assertEqual(self.value("SELECT octet_length(v) FROM t"), 6)

    def test_citext(self):
        self.sql("CREATE EXTENSION citext")
        self.round_trip("citext", "'AbC'", "text", b"AbC", b"aBc")

    def test_a_domain_over_varchar(self):
        self.sql("CREATE DOMAIN inner_token AS varchar(9); CREATE DOMAIN token AS inner_token NOT NULL")
        self.round_trip("token", "'abc'", "text", b"abc", b"abcdefghi")

    def test_json_is_read_and_written_to_the_letter(self):
        self.round_trip("json", "'{\"b\" :  [1.0], \"a\":2}'", "json", b'{"b" :  [1.0], "a":2}', b'[ "x" ]')

    def test_jsonb(self):
        self.round_trip("jsonb", "'{\"b\":1.50,\"a\":\"\\u00e4\"}'", "json", '{"a": "\u00e4", "b": 1.50}'.encode(), b'{"a": "z"}')

    def test_a_domain_over_jsonb(self):
        self.sql("CREATE DOMAIN document AS jsonb CHECK (jsonb_typeof(VALUE) = 'object')")
        self.round_trip("document", "'{}'", "json", b"{}", b'{"a": 1}')

    def test_text_that_holds_json(self):
        self.round_trip("text", "'{ }'", "json", b"{ }", b"[ ]")

    def test_bytea_with_every_byte(self):
        every = bytes(range(256))
        self.round_trip("bytea", f"'\\x{every.hex()}'", "bytes", every, every[::-1], "\\x" + every[::-1].hex())

    def test_a_database_of_another_encoding(self):
        self.sql("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        self.database = "latin"
        self.round_trip("text", "'gr\u00fcn'", "text", "gr\u00fcn".encode(), "\u00dfu\u00df".encode())

    def test_values_that_are_left_out_of_an_update_stay(self):
        self.sql("CREATE TABLE t (a text, b json, c char(3), d bytea); INSERT INTO t VALUES ('1', '{ }', 'x', NULL)")
        store = self.begun("a", ("b", "json"), "c", ("d", "bytes"), table="t")
        [[locator, *_]] = store.rows("read", 0)
        store.update(0, [locator, b"2", None, None, None])
        store("commit")
        self.assertEqual(self.sql("SELECT a, b::text, c, d FROM t"), [("2", "{ }", "x  ", None)])

    def assert_too_long(self, sql_type):
        self.sql(f"CREATE TABLE t (v {sql_type}); INSERT INTO t VALUES ('abc')")
        store = self.begun("v", table="t")
        [[locator, *_]] = store.rows("read", 0)
        store.update(0, [locator, b"secret"])
        with self.assert_fails("bad_data", "t", "longer than its column") as caught:
            store("finish")
        self.assertNotIn("secret", str(caught.exception))
        store("rollback")
        self.assertEqual(self.value("SELECT v FROM t"), "abc")

    def test_a_value_too_long_for_varchar_is_refused_and_not_cut(self):
        self.assert_too_long("varchar(3)")

    def test_a_value_too_long_for_char_is_refused_and_not_cut(self):
        self.assert_too_long("char(3)")

    def test_a_value_too_long_for_a_domain_is_refused_and_not_cut(self):
        self.sql("CREATE DOMAIN short AS varchar(3)")
        self.assert_too_long("short")

    def test_null_in_a_single_column_is_never_written(self):
        self.table()
        store = self.begun()
        [[locator, *_], *_] = store.rows("read", 0)
        with self.assert_fails("internal", "a new value is missing"):
            store.update(0, [locator, None])


class Tables(PostgresCase):
    def titles(self, store):
        return [f"{target['schema']}.{target['name']}" for target in store.resolve()]

    def test_each_partition_is_a_target(self):
        self.sql("CREATE TABLE p (k int, v text) PARTITION BY RANGE (k); "
                 "CREATE TABLE p_low PARTITION OF p FOR VALUES FROM (0) TO (10); "
                 "CREATE TABLE p_high PARTITION OF p FOR VALUES FROM (10) TO (99) PARTITION BY LIST (k); "
                 "CREATE TABLE p_high_a PARTITION OF p_high FOR VALUES IN (11); "
                 "CREATE TABLE p_high_b PARTITION OF p_high DEFAULT; "
                 "INSERT INTO p VALUES (1, 'A1'), (11, 'A11'), (12, 'A12')")
        store = self.store()
        store.plan("p", "v")
        self.assertEqual(self.titles(store), ["public.p_high_a", "public.p_high_b", "public.p_low"])
        store.begin()
        for target in range(3):
            self.assertEqual(store("rotate", target, 100)["rows"], 1)
        store("commit")
        self.assertEqual(self.sql("SELECT v FROM p ORDER BY k"), [("B1",), ("B11",), ("B12",)])

    def test_a_table_and_those_that_inherit_from_it_have_their_own_rows(self):
        self.sql("CREATE TABLE parent (v text); CREATE TABLE child (more int) INHERITS (parent); "
                 "INSERT INTO parent VALUES ('p'); INSERT INTO child VALUES ('c', 1)")
        store = self.store()
        store.plan("parent", "v")
        self.assertEqual(self.titles(store), ["public.child", "public.parent"])
        store.begin()
        self.assertEqual([store.rows("read", target)[0][2] for target in (0, 1)], [b"c", b"p"])

    def test_names_of_any_kind(self):
        for name in ('we"ird', "Sp ace", "sch\u00f6n\u2713", "tab\there", "select", "a.b", "it's", "back\\slash", "per%cent"):
            quoted = '"' + name.replace('"', '""') + '"'
            escaped = quoted.replace("%", "%%")
            with self.subTest(name=name):
                self.sql(f"CREATE SCHEMA {quoted}; CREATE TABLE {quoted}.{quoted} ({quoted} text PRIMARY KEY, "
                         f"{quoted[:-1]}2\" text); INSERT INTO {quoted}.{quoted} VALUES ('A', 'x')")
                store = self.store()
                store.plan(name, name, name + "2", schema=name, key=[name])
                [target] = store.resolve()
                self.assertEqual((target["schema"], target["name"]), (name, name))
                store.begin()
                [[locator, *_]] = store.rows("read", 0)
                self.assertEqual(store("name", 0, locator), {"name": f"{name}='A'"})
                store("rotate", 0, 10)
                store("commit")
                self.assertEqual(self.sql(f"SELECT * FROM {escaped}.{escaped}", []), [("B", "x")])

    def test_a_table_without_a_schema_is_found_by_the_search_path(self):
        self.sql("CREATE SCHEMA first; CREATE SCHEMA second; CREATE TABLE second.t (v text); CREATE TABLE public.t (v text)")
        store = self.store(PGOPTIONS="-c search_path=first,second,public")
        store.plan("t", "v")
        self.assertEqual(self.titles(store), ["second.t"])

    def test_estimates_are_near_the_truth(self):
        self.sql("CREATE TABLE t AS SELECT i, repeat('A', 100) AS v FROM generate_series(1, 5000) i; ANALYZE t")
        store = self.store()
        store.plan("t", "v")
        [target] = store.resolve()
        self.assertAlmostEqual(target["rows"], 5000, delta=500)
        self.assertEqual(target["bytes"], self.value("SELECT pg_total_relation_size('t')"))

    def test_a_condition_tells_rows_apart(self):
        self.table(rows=4)
        store = self.store()
        store.plan("instances", "url", where="id > 2 AND instances.url <> 'A4' -- or so")
        store.resolve()
        store.begin()
        self.assertEqual([row[1] for row in store.rows("read", 0)], [False, False, True, False])

    def test_a_condition_that_is_unknown_selects_no_row(self):
        self.table(rows=1)
        store = self.store()
        store.plan("instances", "url", where="NULL")
        store.resolve()
        store.begin()
        self.assertEqual([row[1] for row in store.rows("read", 0)], [False])


class Batches(PostgresCase):
    ROWS = 20_000

    def big_table(self):
        self.sql("CREATE TABLE t (id bigint PRIMARY KEY, name text, v text, note text); CREATE INDEX ON t (name); "
                 f"INSERT INTO t SELECT i, 'name ' || i, 'A' || md5(i::text), 'A note' FROM generate_series(1, {self.ROWS}) i")

    def test_all_rows_are_written_and_nothing_else_changes(self):
        self.big_table()
        other = "SELECT md5(string_agg(id || name || note, ',' ORDER BY id)) FROM t"
        before = self.value(other)
        store = self.begun("v", table="t")
        self.assertEqual(store("rotate", 0, 500)["rows"], self.ROWS)
        self.assertEqual(store("count-back", 0), {"rows": self.ROWS, "bytes": 33 * self.ROWS})
        store("commit")
        self.assertEqual(self.value("SELECT count(*) FROM t WHERE v = 'B' || md5(id::text)"), self.ROWS)
        self.assertEqual(self.value(other), before)

    def test_batches_of_two_tables_alternate(self):
        self.table()
        self.sql("CREATE TABLE other AS SELECT * FROM instances")
        store = self.store()
        store.plan("instances", "url")
        store.plan("other", "url")
        store.resolve()
        store.begin()
        rows = [store.rows("read", target) for target in (0, 1)]
        for i in range(3):
            for target in (0, 1):
                store.update(target, [rows[target][i][0], f"{target}{i}".encode()])
                store("progress", f"rotate {i}")
        store("commit")
        self.assertEqual(self.urls(), ["00", "01", "02"])
        self.assertEqual(self.sql("SELECT url FROM other ORDER BY id"), [("10",), ("11",), ("12",)])

    def test_rows_are_read_as_they_were_while_they_are_written(self):
        self.big_table()
        store = self.begun("v", table="t")
        store("rotate", 0, 500)
        self.assertTrue(all(row[2].startswith(b"A") for row in store.rows("read", 0)))
        self.assertTrue(all(row[2].startswith(b"B") for row in store.rows("read-back", 0)))

    def test_rows_are_read_in_the_order_of_the_table(self):
        self.big_table()
        store = self.begun("v", table="t")
        locators = [row[0] for row in store.rows("read", 0)]
        self.assertEqual(locators, sorted(locators))

    def test_large_values_do_not_add_up_in_memory(self):
        self.sql("CREATE TABLE t (v text); ALTER TABLE t ALTER v SET STORAGE EXTERNAL; "
                 "INSERT INTO t SELECT repeat('A', 4000000) FROM generate_series(1, 25)")
        store = self.begun("v", table="t")
        written = store("rotate", 0, 1)
        self.assertEqual(written["rows"], 25)
        if "ASAN_OPTIONS" not in os.environ and "TSAN_OPTIONS" not in os.environ:
            self.assertLess(written["memory_kb"], 80_000)  # of which the driver's own queue has a good part
        store("commit")
        self.assertEqual(self.value("SELECT count(*) FROM t WHERE v = repeat('B', 4000000)"), 25)

    def test_a_source_may_be_left_before_its_end(self):
        self.big_table()
        store = self.begun("v", table="t")
        store("peek", 0)
        self.assertEqual(store("count", 0)["rows"], self.ROWS)
        self.assertEqual(store("rotate", 0, 1000)["rows"], self.ROWS)
        self.assertEqual(store("commit"), {"outcome": "committed"})


class Names(PostgresCase):
    def name(self, table, **options):
        store = self.store()
        store.plan(table, "v", **options)
        store.resolve()
        store.begin()
        return [store("name", 0, row[0])["name"] for row in store.rows("read", 0)]

    def test_the_primary_key(self):
        self.sql("CREATE TABLE t (u int UNIQUE NOT NULL, id bigint PRIMARY KEY, v text); INSERT INTO t VALUES (9, 17, 'A')")
        self.assertEqual(self.name("t"), ["id=17"])

    def test_a_composite_key_in_its_order(self):
        self.sql("CREATE TABLE t (n int, tenant text, v text, PRIMARY KEY (tenant, n)); INSERT INTO t VALUES (3, 'it''s', 'A')")
        self.assertEqual(self.name("t"), ["tenant='it''s', n=3"])

    def test_the_key_of_the_plan(self):
        self.sql("CREATE TABLE t (id int PRIMARY KEY, name text, v text); INSERT INTO t VALUES (1, NULL, 'A'), (2, 'x', 'A')")
        self.assertEqual(self.name("t", key=["name"]), ["name=null", "name='x'"])

    def test_a_unique_index_without_nulls(self):
        self.sql("CREATE TABLE t (a int UNIQUE, b uuid NOT NULL UNIQUE, v text); "
                 "INSERT INTO t VALUES (1, '00000000-0000-0000-0000-000000000001', 'A')")
        self.assertEqual(self.name("t"), ["b='00000000-0000-0000-0000-000000000001'"])

    def test_the_place_where_there_is_no_key(self):
        self.sql("CREATE TABLE t (a int, v text); CREATE UNIQUE INDEX ON t (a) WHERE a > 0; INSERT INTO t VALUES (1, 'A'), (2, 'A')")
        self.assertEqual(self.name("t"), ["ctid=(0,1)", "ctid=(0,2)"])

    def test_never_an_encrypted_column(self):
        self.sql("CREATE TABLE t (v text PRIMARY KEY); INSERT INTO t VALUES ('A')")
        self.assertEqual(self.name("t"), ["ctid=(0,1)"])

    def test_names_can_be_asked_for_between_updates(self):
        self.table()
        store = self.begun()
        rows = store.rows("read", 0)
        store.update(0, [rows[0][0], b"new"])
        self.assertEqual(store("name", 0, rows[1][0]), {"name": "id=2"})
        store.update(0, [rows[2][0], b"newer"])
        store("commit")
        self.assertEqual(self.urls(), ["new", "A2", "newer"])

    def test_after_the_end_of_the_updates_the_new_place_counts(self):
        self.table(rows=1)
        store = self.begun()
        [[locator, *_]] = store.rows("read", 0)
        store.update(0, [locator, b"new"])
        store("finish")
        [[moved, *_]] = store.rows("read-back", 0)
        self.assertNotEqual(moved, locator)
        self.assertEqual(store("name", 0, moved), {"name": "id=1"})


class Searching(PostgresCase):
    def search(self, create, table, column, shape, needle):
        self.sql(create)
        self.table()
        store = self.begun()
        return [row[2] for row in store.rows("search", "public", table, column, shape, needle)]

    def test_text(self):
        self.assertEqual(self.search("CREATE TABLE t (v varchar(99)); INSERT INTO t VALUES ('x gAAAAAb'), ('gaaaaa'), (NULL)",
                                     "t", "v", "text", "gAAAAA"), [b"x gAAAAAb"])

    def test_wild_cards_mean_themselves(self):
        self.assertEqual(self.search("CREATE TABLE t (v text); INSERT INTO t VALUES ('a_b%'), ('axb')", "t", "v", "text", "_b%"),
                         [b"a_b%"])

    def test_json(self):
        self.assertEqual(self.search("""CREATE TABLE t (v jsonb); INSERT INTO t VALUES ('{"a":["gAAAAAx"]}'), ('{}')""",
                                     "t", "v", "json", "gAAAAA"), [b'{"a": ["gAAAAAx"]}'])

    def test_bytes(self):
        self.assertEqual(self.search("CREATE TABLE t (v bytea); INSERT INTO t VALUES ('gAAAAAx\\000'), ('y')",
                                     "t", "v", "bytes", "gAAAAA"), [b"gAAAAAx\0"])

    def test_arrays_by_their_text(self):
        self.assertEqual(self.search("CREATE TABLE t (v text[]); INSERT INTO t VALUES ('{a,gAAAAAx}'), ('{}')",
                                     "t", "v", "text", "gAAAAA"), [b"{a,gAAAAAx}"])

    def test_text_of_a_collation_that_cannot_be_searched(self):
        self.assertEqual(self.search("CREATE COLLATION loose (provider = icu, locale = 'und', deterministic = false); "
                                     "CREATE TABLE t (v text COLLATE loose); INSERT INTO t VALUES ('gAAAAAx'), ('gaaaaax')",
                                     "t", "v", "text", "gAAAAA"), [b"gAAAAAx"])

    def test_what_was_written_is_searched(self):
        self.table()
        store = self.begun()
        [[locator, *_], *_] = store.rows("read", 0)
        store.update(0, [locator, b"needle"])
        self.assertEqual([row[2] for row in store.rows("search", "public", "instances", "url", "text", "needle")], [b"needle"])

    def test_columns_that_may_hold_tokens(self):
        self.sql("CREATE EXTENSION hstore; CREATE DOMAIN d AS varchar(9); CREATE TYPE mood AS ENUM ('x'); CREATE SCHEMA s; "
                 "CREATE TYPE pair AS (a text, b int); "
                 "CREATE TABLE s.t (a text, b d, c char(3), d json, e jsonb, f bytea, g text[], h d[], i hstore, j xml, k pair, "
                 "no1 int, no2 mood, no3 name, no4 bytea[], no5 int[], no6 timestamptz); ALTER TABLE s.t DROP a; "
                 "CREATE TABLE p (v text) PARTITION BY LIST (v); CREATE TABLE p1 PARTITION OF p DEFAULT; "
                 "CREATE VIEW view AS SELECT v FROM p; CREATE MATERIALIZED VIEW m AS SELECT v FROM p")
        store = self.store()
        self.assertEqual(store("columns")["columns"], [
            ["public.m.v", "text", "", "text"],
            ["public.p1.v", "text", "p", "text"],
            ["s.t.b", "d", "", "text"],
            ["s.t.c", "character(3)", "", "text"],
            ["s.t.d", "json", "", "json"],
            ["s.t.e", "jsonb", "", "json"],
            ["s.t.f", "bytea", "", "bytes"],
            ["s.t.g", "text[]", "", "text"],
            ["s.t.h", "d[]", "", "text"],
            ["s.t.i", "hstore", "", "text"],
            ["s.t.j", "xml", "", "text"],
            ["s.t.k", "pair", "", "text"],
        ])


if __name__ == "__main__":
    main()
