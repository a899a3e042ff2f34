#!/usr/bin/env python3
"""postgres_types_test.py QSECRETS: in each type of PostgreSQL a token changes, and nothing else does."""
import json
import unittest

from postgres_rotation_case import TABLE_PLAN, PostgresRotationCase
from rotation_case import opens


class Types(PostgresRotationCase):
    def rotated(self, kind, value, more="", create=""):
        """What a column of that type holds after a rotation, as text."""
        self.database.execute(f"{create}; CREATE TABLE t (id integer PRIMARY KEY, c {kind}, other text DEFAULT 'kept')")
        self.database.execute("INSERT INTO t (id, c) VALUES (1, %s)", [value])
        self.rotate(plan=TABLE_PLAN.format(table="t", column="c", more=more))
        return self.database.value("SELECT c::text FROM t")

    def assert_token_stays_a_token(self, kind, **options):
        token = self.token("fake-value", at=1_600_000_000)
        after = self.rotated(kind, token, **options)
        self.assertEqual((self.plaintext(after), self.timestamp(after)), ("fake-value", 1_600_000_000))
        self.assertFalse(opens(self.old, after))

    def test_a_varchar_that_the_token_fills(self):
        """A token of the same text and another key is as long, so that it always has room."""
        self.assert_token_stays_a_token(f"varchar({len(self.token('fake-value'))})")

    def test_a_domain_with_a_check(self):
        self.assert_token_stays_a_token("secret", create="CREATE DOMAIN secret AS varchar(200) CHECK (VALUE LIKE 'gAAAA%')")

    def test_a_domain_over_a_domain(self):
        self.assert_token_stays_a_token("inner_secret", create="CREATE DOMAIN secret AS text; "
                                        "CREATE DOMAIN inner_secret AS secret NOT NULL")

    def test_citext(self):
        self.assert_token_stays_a_token("citext", create="CREATE EXTENSION citext")

    def test_text_with_a_collation_without_patterns(self):
        self.assert_token_stays_a_token("text COLLATE fuzzy", create=(
            "CREATE COLLATION fuzzy (provider = icu, locale = 'und-u-ks-level1', deterministic = false)"))

    def test_a_value_larger_than_a_page(self):
        text = "fake-large-" + "x" * 100_000
        self.assertEqual(self.plaintext(self.rotated("text", self.token(text))), text)

    def test_char_keeps_its_padding(self):
        token = self.token("fake-value")
        self.rotated(f"char({len(token) + 7})", token)
        length, stored = self.database.rows("SELECT octet_length(c), c::text FROM t")[0]
        self.assertEqual(length, len(token) + 7)
        self.assertEqual(self.plaintext(stored.rstrip()), "fake-value")

    def test_bytea(self):
        self.database.execute("CREATE TABLE t (id integer PRIMARY KEY, c bytea)")
        self.database.insert("t", id=1, c=self.token("fake-value").encode())
        self.rotate(plan=TABLE_PLAN.format(table="t", column="c", more='shape = "bytea"'))
        self.assertEqual(self.plaintext(bytes(self.database.value("SELECT c FROM t")).decode()), "fake-value")

    def test_json_keeps_every_other_byte(self):
        before = ('{ "n":1.50e+1 , "a":"%s","dup":1,"dup":"\\u00e9",\n\t"s" : "a\\/b", "z":{"deep":["%s", null, ""]}}')
        first, second = self.token("fake-1"), self.token("fake-2")
        after = self.rotated("json", before % (first, second), 'shape = "json"\n  paths = ["$.a", "$.z.deep[*]"]')
        tokens = json.loads(after)["a"], json.loads(after)["z"]["deep"][0]
        self.assertEqual(after, before % tokens)
        self.assertEqual([self.plaintext(token) for token in tokens], ["fake-1", "fake-2"])

    def test_jsonb_is_deep_equal_otherwise(self):
        document = {"a": None, "big": 12345678901234567890123, "e": "\u00e9\U0001f511\"\\\n", "exact": 0.1,
                    "list": [True, {"x": []}, -1.5], "": "empty name"}
        after = json.loads(self.rotated("jsonb", json.dumps(document | {"a": self.token("fake-value")}),
                                        'shape = "json"\n  paths = ["$.a"]'))
        self.assertEqual(after | {"a": None}, document)
        self.assertEqual(self.plaintext(after["a"]), "fake-value")

    def test_jsonb_keeps_numbers_that_no_float_can_hold(self):
        number = "1" * 60 + ".000100"
        after = self.rotated("jsonb", f'{{"n": {number}, "a": "{self.token("fake-value")}"}}',
                             'shape = "json"\n  paths = ["$.a"]')
        self.assertIn(number, after)


class Rows(PostgresRotationCase):
    def test_every_other_column_and_row_is_as_it_was(self):
        """A hash over everything but the encrypted column, generated and dropped columns and large ones among it."""
        self.database.execute(
            "CREATE TYPE mood AS ENUM ('calm'); CREATE TABLE t (id bigint PRIMARY KEY, gone text, c text, m mood, at timestamptz, "
            "f float8, n numeric, a text[], r int4range, u uuid, i inet, x xml, b bytea, large text, "
            "length integer GENERATED ALWAYS AS (length(c)) STORED, counted integer GENERATED ALWAYS AS IDENTITY); "
            "ALTER TABLE t DROP gone; ALTER TABLE t ALTER large SET STORAGE EXTERNAL; "
            "CREATE TABLE other AS SELECT i, md5(i::text) FROM generate_series(1, 1000) i")
        self.database.execute(
            "INSERT INTO t SELECT i, CASE WHEN i % 7 = 0 THEN NULL ELSE %s END, 'calm', now(), 1e-7 * i, i / 3.0, "
            "ARRAY['a', NULL, i::text], int4range(1, i + 1), md5(i::text)::uuid, '10.0.0.1', '<a/>', "
            "sha256(i::text::bytea), repeat(md5(i::text), 1000) FROM generate_series(1, 300) i".replace("% 7", "%% 7"),
            [self.token("fake")])
        everything = ("SELECT md5(string_agg((to_jsonb(t) - 'c')::text, ',' ORDER BY id)) FROM t",
                      "SELECT md5(string_agg(o::text, ',' ORDER BY i)) FROM other o",
                      "SELECT string_agg(xmin::text || ctid::text, ',' ORDER BY id) FROM t WHERE c IS NULL")
        before = [self.database.value(query) for query in everything]
        report = self.rotate(plan=TABLE_PLAN.format(table="t", column="c", more=""))
        self.assertEqual(self.counts(report, "t.c")["rotated"], 258)
        self.assertEqual([self.database.value(query) for query in everything], before)

    def test_two_columns_of_a_row_each_keep_what_the_other_loses(self):
        self.database.execute("CREATE TABLE t (id integer PRIMARY KEY, a text, b jsonb)")
        token = self.token("fake")
        current = self.token("fake-current", self.new)
        self.database.insert("t", id=1, a=token, b=None)
        self.database.insert("t", id=2, a=None, b=json.dumps({"x": token}))
        self.database.insert("t", id=3, a=current, b=json.dumps({"x": token, "y": current}))
        self.rotate(plan=TABLE_PLAN.format(table="t", column="a", more="") +
                    '  [[table.column]]\n  name = "b"\n  shape = "json"\n  paths = ["$.*"]\n')
        rows = dict((number, (a, b)) for number, a, b in self.database.rows("SELECT * FROM t"))
        self.assertIsNone(rows[1][1])
        self.assertIsNone(rows[2][0])
        self.assertEqual(self.plaintext(rows[1][0]), "fake")
        self.assertEqual(self.plaintext(rows[2][1]["x"]), "fake")
        self.assertEqual((rows[3][0], rows[3][1]["y"]), (current, current))
        self.assertEqual(self.plaintext(rows[3][1]["x"]), "fake")


class Tables(PostgresRotationCase):
    def rotated_texts(self, plan_table, query):
        self.rotate(plan=TABLE_PLAN.format(table=plan_table, column="c", more=""))
        return [self.plaintext(token) for token, in self.database.rows(query)]

    def test_partitions_of_partitions(self):
        self.database.execute(
            "CREATE TABLE t (region text, year integer, c text, PRIMARY KEY (region, year)) PARTITION BY LIST (region); "
            "CREATE TABLE eu PARTITION OF t FOR VALUES IN ('eu') PARTITION BY RANGE (year); "
            "CREATE TABLE eu_old PARTITION OF eu FOR VALUES FROM (2000) TO (2020); "
            "CREATE TABLE eu_new PARTITION OF eu DEFAULT; CREATE SCHEMA far; "
            "CREATE TABLE far.elsewhere PARTITION OF t DEFAULT")
        for region, year in (("eu", 2010), ("eu", 2024), ("us", 2024)):
            self.database.insert("t", region=region, year=year, c=self.token(f"fake-{region}-{year}"))
        self.assertEqual(self.rotated_texts("t", "SELECT c FROM t ORDER BY region, year"),
                         ["fake-eu-2010", "fake-eu-2024", "fake-us-2024"])

    def test_a_bad_row_of_a_partition_is_named_with_its_key(self):
        self.database.execute("CREATE TABLE t (region text, id integer, c text, PRIMARY KEY (region, id)) "
                              "PARTITION BY LIST (region); CREATE TABLE eu PARTITION OF t FOR VALUES IN ('eu')")
        self.database.insert("t", region="eu", id=5, c=self.token("fake", self.other))
        self.database.insert("t", region="eu", id=6, c=self.token("fake"))
        self.assert_fails(65, "public.eu region='eu', id=5, c: signed with none of the keys",
                          plan=TABLE_PLAN.format(table="t", column="c", more=""))

    def test_a_table_and_what_inherits_from_it(self):
        self.database.execute("CREATE TABLE t (id integer, c text); CREATE TABLE child (more text) INHERITS (t)")
        self.database.insert("t", id=1, c=self.token("fake-1"))
        self.database.insert("child", id=2, c=self.token("fake-2"), more="kept")
        self.assertEqual(self.rotated_texts("t", "SELECT c FROM t ORDER BY id"), ["fake-1", "fake-2"])

    def test_the_same_name_in_two_schemas(self):
        for schema in ("a", "b"):
            self.database.execute(f"CREATE SCHEMA {schema}; CREATE TABLE {schema}.t (id integer, c text)")
            self.database.insert(f"{schema}.t", id=1, c=self.token(f"fake-{schema}"))
        one = TABLE_PLAN.format(table="a.t", column="c", more="")
        self.assert_fails(65, "b.t.c (1)", plan=one)
        self.rotate(plan=one + TABLE_PLAN.format(table="b.t", column="c", more=""))
        self.assertEqual([self.plaintext(self.database.value(f"SELECT c FROM {schema}.t")) for schema in "ab"],
                         ["fake-a", "fake-b"])

    def test_a_schema_outside_of_the_search_path(self):
        self.database.execute('CREATE SCHEMA "App é"; CREATE TABLE "App é"."T t" (id integer, c text)')
        self.database.insert("App é.T t", id=1, c=self.token("fake"))
        self.assert_fails(78, "did you mean App é.T t?", plan=TABLE_PLAN.format(table="T t", column="c", more=""))
        self.assertEqual(self.rotated_texts("App é.T t", 'SELECT c FROM "App é"."T t"'), ["fake"])

    def test_what_is_no_table_is_refused(self):
        self.database.execute(
            "CREATE TABLE t (id integer, c text); CREATE VIEW v AS SELECT * FROM t; "
            "CREATE MATERIALIZED VIEW m AS SELECT * FROM t; CREATE EXTENSION file_fdw; "
            "CREATE SERVER files FOREIGN DATA WRAPPER file_fdw; "
            "CREATE FOREIGN TABLE f (id integer, c text) SERVER files OPTIONS (filename '/dev/null')")
        self.database.insert("t", id=1, c=self.token("fake"))
        for name, kind in (("v", "a view"), ("m", "a materialized view"), ("f", "a foreign table")):
            self.assert_fails(78, f"public.{name} is {kind}", plan=TABLE_PLAN.format(table=name, column="c", more=""))

    def test_a_generated_column_is_refused(self):
        self.database.execute("CREATE TABLE t (id integer, c text, copy text GENERATED ALWAYS AS (c) STORED)")
        self.database.insert("t", id=1, c=self.token("fake"))
        self.assert_fails(78, "public.t, column copy, is generated",
                          plan=TABLE_PLAN.format(table="t", column="copy", more=""))

    def test_a_copy_that_is_generated_anew_is_no_obstacle(self):
        self.database.execute("CREATE TABLE t (id integer, c text, copy text GENERATED ALWAYS AS (c || '') STORED)")
        self.database.insert("t", id=1, c=self.token("fake"))
        plan = TABLE_PLAN.format(table="t", column="c", more="")
        self.rotate(plan=plan)
        self.assertEqual(self.plaintext(self.database.value("SELECT copy FROM t")), "fake")

    def test_a_materialized_view_that_keeps_old_values_is_found(self):
        self.make_tables()
        self.database.execute("CREATE MATERIALIZED VIEW copies AS SELECT database_url FROM instances")
        self.assert_fails(65, "public.copies.database_url (5)")
        found = self.run_rotate("--discover")
        self.assertIn("public.copies.database_url: 5 tokens, 5 opened by a key given; left out: it is in a materialized view",
                      found.stderr)
        self.assertNotIn("copies", found.stdout)

    def test_without_a_key_rows_are_named_by_their_place(self):
        self.database.execute("CREATE TABLE t (c text)")
        self.database.insert("t", c=self.token("fake", self.other))
        self.database.insert("t", c=self.token("fake"))
        self.assert_fails(65, "public.t ctid=(0,1), c: signed with none",
                          plan=TABLE_PLAN.format(table="t", column="c", more=""))

    def test_tokens_in_arrays_composites_and_domains_elsewhere_are_found(self):
        self.make_tables()
        self.database.execute("CREATE TYPE pair AS (a text, b text); CREATE DOMAIN note AS text; "
                              "CREATE TABLE elsewhere (id integer, list text[], p pair, n note, x xml, b bytea)")
        token = self.token("fake")
        self.database.execute("INSERT INTO elsewhere VALUES (1, ARRAY['a', %(t)s], ROW('a', %(t)s)::pair, %(t)s, "
                              "('<a>' || %(t)s || '</a>')::xml, %(t)s::text::bytea)", {"t": token})
        self.assert_fails(65, *(f"public.elsewhere.{column} (1)" for column in ("list", "p", "n", "x", "b")))


if __name__ == "__main__":
    unittest.main()
