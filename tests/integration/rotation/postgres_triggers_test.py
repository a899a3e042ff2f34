#!/usr/bin/env python3
"""postgres_triggers_test.py QSECRETS: what a database of PostgreSQL does by itself while its rows are rotated."""
import unittest

from postgres_rotation_case import TABLE_PLAN, PostgresRotationCase
from rotation_case import opens

PLAN = TABLE_PLAN.format(table="t", column="c", more="")
TRIGGER = ("CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$; "
           "CREATE TRIGGER meddler {when} UPDATE ON t FOR EACH ROW EXECUTE FUNCTION meddle()")


class TriggersCase(PostgresRotationCase):
    def setUp(self):
        super().setUp()
        self.text_table([self.token(f"fake-{number}") for number in range(3)])

    def add_trigger(self, body, when="BEFORE"):
        self.database.execute(TRIGGER.format(body=body, when=when))

    def texts(self):
        return [self.plaintext(token) for token, in self.database.rows("SELECT c FROM t ORDER BY id")]

    def assert_rotated(self):
        self.assertEqual(self.texts(), ["fake-0", "fake-1", "fake-2"])

    def assert_refused(self, status, *words, arguments=()):
        return self.assert_fails(status, *words, arguments=("--yes", *arguments), plan=PLAN)


class Triggers(TriggersCase):
    def test_one_that_notes_the_time_runs_and_is_told_of_before(self):
        self.database.execute("ALTER TABLE t ADD updated_at timestamptz")
        self.add_trigger("NEW.updated_at := now(); RETURN NEW;")
        result = self.run_rotate("--yes", plan=PLAN)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stderr, r"(?m)^note +public\.t: the triggers meddler run for each row")
        self.assert_rotated()
        self.assertEqual(self.database.value("SELECT count(updated_at) FROM t"), 3)

    def test_what_one_does_is_planned_as_ever(self):
        """In each batch, not in the first one alone."""
        names = "enable_nestloop", "enable_mergejoin", "enable_hashjoin", "enable_seqscan"
        self.database.execute("CREATE TABLE seen (name text, setting text)")
        self.database.execute("INSERT INTO t SELECT i, %s FROM generate_series(10, 3000) i", [self.token("fake")])
        self.add_trigger(f"INSERT INTO seen SELECT name, setting FROM pg_settings WHERE name = ANY ('{{{','.join(names)}}}') "
                         "AND (OLD.id % 100 = 0 OR OLD.id < 3); RETURN NEW;")
        self.rotate(plan=PLAN)
        self.assertEqual(self.database.rows("SELECT DISTINCT setting FROM seen"), [("on",)])
        self.assertGreater(self.database.value("SELECT count(*) FROM seen"), 100)

    def test_one_of_the_audit_table_is_before_the_proof(self):
        self.rotate(plan=PLAN)
        self.database.execute("DELETE FROM t")
        old = self.token("fake")
        self.database.insert("t", id=1, c=old)
        for when, timing in (("AFTER INSERT", ""), ("AFTER INSERT", "DEFERRABLE INITIALLY DEFERRED")):
            self.database.execute(
                f"CREATE OR REPLACE FUNCTION meddle_audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                f"UPDATE t SET c = '{old}'; RETURN NULL; END $$")
            self.database.execute(f"CREATE CONSTRAINT TRIGGER meddler_audit {when} ON qarion_secrets_rotations {timing} "
                                  "FOR EACH ROW EXECUTE FUNCTION meddle_audit()")
            self.assert_refused(70, "the proof failed: in t.c, an old key still opens a token")
            self.database.execute("DROP TRIGGER meddler_audit ON qarion_secrets_rotations")
        self.database.execute("CREATE RULE nothing AS ON INSERT TO qarion_secrets_rotations DO INSTEAD NOTHING")
        self.assert_refused(78, "does not keep the row", "triggers and rules")

    def test_copies_of_old_values_that_one_makes_are_found_and_taken_back(self):
        self.database.execute("CREATE TABLE history (id integer, c text)")
        self.add_trigger("INSERT INTO history VALUES (OLD.id, OLD.c); RETURN NULL;", when="AFTER")
        self.assert_refused(65, "public.history.c (3)", "--allow-unlisted")
        self.assertEqual(self.database.value("SELECT count(*) FROM history"), 0)
        self.rotate("--allow-unlisted", plan=PLAN)
        self.assert_rotated()
        self.assertEqual(self.database.value("SELECT count(*) FROM history"), 3)

    def test_copies_in_a_json_document_of_an_audit_log_are_found(self):
        self.database.execute("CREATE TABLE log (at timestamptz, entry jsonb)")
        self.add_trigger("INSERT INTO log VALUES (now(), jsonb_build_object('before', to_jsonb(OLD))); RETURN NULL;",
                         when="AFTER")
        self.assert_refused(65, "public.log.entry (3)")

    def test_one_that_puts_the_old_value_back_makes_the_proof_fail(self):
        self.add_trigger("NEW.c := OLD.c; RETURN NEW;")
        self.assert_refused(70, "the proof failed: in t.c, an old key still opens a token", "trigger")

    def test_one_that_empties_a_value_makes_the_proof_fail(self):
        for value in ("NULL", "''", "'other'"):
            self.add_trigger(f"IF NEW.id = 2 THEN NEW.c := {value}; END IF; RETURN NEW;")
            self.assert_refused(70, "the proof failed: in t.c")
            self.database.execute("DROP FUNCTION meddle CASCADE")

    def test_one_that_adds_a_row_makes_the_proof_fail(self):
        self.add_trigger("IF NEW.id = 2 THEN INSERT INTO t VALUES (99, NEW.c); END IF; RETURN NULL;", when="AFTER")
        self.assert_refused(70, "the proof failed: in t.c, 4 of 4 values open with the new key where 3 of 3")

    def test_one_that_deletes_a_row_makes_the_proof_fail(self):
        self.add_trigger("IF NEW.id = 2 THEN DELETE FROM t WHERE id = 2; END IF; RETURN NULL;", when="AFTER")
        self.assert_refused(70, "the proof failed: in t.c, 2 of 2 values open with the new key where 3 of 3")

    def test_one_that_skips_a_row_is_noticed(self):
        self.add_trigger("IF OLD.id = 2 THEN RETURN NULL; END IF; RETURN NEW;")
        self.assert_refused(70, "public.t", "of 3 rows 2 were updated", "trigger")

    def test_one_that_refuses_is_named_and_what_it_says_is_not_repeated(self):
        self.add_trigger("RAISE EXCEPTION 'no % here', OLD.c;")
        result = self.assert_refused(65, "public.t", "meddle()")
        self.assertNotIn("gAAAA", result.stderr)

    def test_an_error_in_one_is_not_taken_for_one_of_the_plan(self):
        self.add_trigger("INSERT INTO gone VALUES (OLD.c); RETURN NEW;")
        result = self.assert_refused(78, "SQLSTATE 42P01", "mend the function meddle()")
        self.assertNotIn("mend the plan", result.stderr)

    def test_one_of_another_column_does_not_run(self):
        self.database.execute("ALTER TABLE t ADD other text")
        self.database.execute(TRIGGER.format(body="RAISE EXCEPTION 'no';", when="BEFORE").replace(
            "UPDATE ON", "UPDATE OF other ON"))
        result = self.run_rotate("--yes", plan=PLAN)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn("meddler", result.stderr)

    def test_a_rule_that_does_something_else_instead_is_told_of_and_noticed(self):
        self.database.execute("CREATE RULE ignore AS ON UPDATE TO t DO INSTEAD NOTHING")
        self.assert_refused(70, "public.t: the rules ignore change what an update does", "of 3 rows 0 were updated")


class Constraints(TriggersCase):
    def test_one_that_was_put_off_is_checked_before_the_commit(self):
        self.add_trigger("RAISE EXCEPTION 'too late';", when="AFTER")
        self.database.execute("DROP TRIGGER meddler ON t; CREATE CONSTRAINT TRIGGER meddler AFTER UPDATE ON t "
                              "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION meddle()")
        self.assert_refused(65, "meddle()")

    def test_what_one_that_was_put_off_copies_is_found(self):
        self.database.execute("CREATE TABLE history (c text)")
        self.add_trigger("INSERT INTO history VALUES (OLD.c); RETURN NULL;", when="AFTER")
        self.database.execute("DROP TRIGGER meddler ON t; CREATE CONSTRAINT TRIGGER meddler AFTER UPDATE ON t "
                              "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION meddle()")
        self.assert_refused(65, "public.history.c (3)")

    def test_a_check_that_refuses_new_values_is_named(self):
        self.database.execute("CREATE TABLE allowed AS SELECT c FROM t; "
                              "CREATE FUNCTION allowed(text) RETURNS boolean LANGUAGE sql AS "
                              "'SELECT EXISTS (SELECT FROM public.allowed WHERE c = $1)'; "
                              "ALTER TABLE t ADD CONSTRAINT only_those CHECK (allowed(c)) NOT VALID")
        result = self.assert_refused(65, "public.t", "only_those", arguments=["--allow-unlisted"])
        self.assertNotIn("gAAAA", result.stderr)

    def test_a_unique_index_on_an_encrypted_column_is_told_of(self):
        self.database.execute("CREATE UNIQUE INDEX by_token ON t (c)")
        result = self.run_rotate("--yes", plan=PLAN)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stderr, r"(?m)^note +public\.t: the indexes by_token are on encrypted columns")
        self.assert_rotated()

    def test_a_foreign_key_to_an_encrypted_column_is_an_error(self):
        self.database.execute("ALTER TABLE t ADD UNIQUE (c); CREATE TABLE child (c text REFERENCES t (c)); "
                              "INSERT INTO child SELECT c FROM t WHERE id = 1")
        self.assert_refused(65, "child", arguments=["--allow-unlisted"])

    def test_an_exclusive_row_lock_of_another_is_waited_for_no_longer_than_that(self):
        other = self.connect()
        other.cursor().execute("SELECT 1 FROM t WHERE id = 2 FOR UPDATE")
        self.assert_refused(75, "public.t", arguments=["--lock-timeout", "1"])

    def test_the_same_runs_where_triggers_are_switched_off(self):
        self.add_trigger("RAISE EXCEPTION 'no';")
        self.rotate(plan=PLAN, PGOPTIONS="-c session_replication_role=replica")
        self.assert_rotated()
        self.assertFalse(any(opens(self.old, token) for token, in self.database.rows("SELECT c FROM t")))


if __name__ == "__main__":
    unittest.main()
