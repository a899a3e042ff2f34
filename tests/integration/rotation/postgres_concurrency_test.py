#!/usr/bin/env python3
"""postgres_concurrency_test.py QSECRETS: a rotation beside writers, readers and other rotations of PostgreSQL."""
import itertools
import random
import threading
import time
import unittest

from postgres_rotation_case import PostgresRotationCase, psycopg2, wait_for
from rotation_case import fingerprint, opens

ROWS = 20_000


class Writer(threading.Thread):
    """A service that still has the old key: it edits rows, one transaction each, until it is told to end."""

    def __init__(self, case):
        super().__init__()
        self.case = case
        self.connection = case.connect()
        self.connection.autocommit = True
        self.written = {}  # the last text of each row that the database has acknowledged
        self.edits = 0
        self.is_ending = threading.Event()

    def run(self):
        choose = random.Random(1)
        with self.connection.cursor() as cursor:
            for number in itertools.count():
                if self.is_ending.is_set():
                    return
                row, text = choose.randint(1, ROWS), f"fake-edit-{number}"
                cursor.execute("UPDATE t SET c = %s WHERE id = %s", [self.case.token(text), row])
                self.written[row] = text
                self.edits += 1

    def wait_for_more(self, edits):
        wanted = self.edits + edits
        wait_for(lambda: self.edits >= wanted or not self.is_alive(), f"{edits} more edits")


class Writers(PostgresRotationCase):
    def test_a_writer_in_a_loop_loses_no_edit_and_what_it_writes_later_is_found(self):
        plan = self.text_table([])
        texts = [f"fake-{number}" for number in range(50)]
        self.database.execute("INSERT INTO t SELECT i, (%s)[i %% 50 + 1] FROM generate_series(1, %s) i",
                              [[self.token(text) for text in texts], ROWS])
        expected = {row: texts[row % 50] for row in range(1, ROWS + 1)}
        writer = Writer(self)
        writer.start()
        self.addCleanup(writer.join)
        self.addCleanup(writer.is_ending.set)
        writer.wait_for_more(50)
        before = writer.edits
        report = self.rotate(plan=plan)
        self.assertGreater(writer.edits, before)  # or it was not beside the rotation
        writer.wait_for_more(50)
        writer.is_ending.set()
        writer.join()
        self.assertEqual(report["outcome"], "committed")
        self.assertEqual(self.counts(report, "t.c")["rows"], ROWS)
        expected |= writer.written
        tokens = dict(self.database.rows("SELECT id, c FROM t"))
        self.assertEqual({row: self.plaintext(token, self.new if opens(self.new, token) else self.old)
                          for row, token in tokens.items()}, expected)
        late = sum(opens(self.old, token) for token in tokens.values())
        self.assertGreater(late, 0)
        usage = self.counts(self.verify(plan=plan, status=65), "t.c")["by_key"]
        self.assertEqual(usage, {fingerprint(self.new): ROWS - late, fingerprint(self.old): late})
        self.assertEqual(self.counts(self.rotate(plan=plan), "t.c")["rotated"], late)
        self.verify(plan=plan)
        self.assertEqual({row: self.plaintext(token) for row, token in self.database.rows("SELECT id, c FROM t")},
                         expected)

    def test_a_row_that_comes_in_meanwhile_waits_and_is_found(self):
        self.make_tables()
        token = self.token("fake-late")
        with self.held():
            insert = threading.Thread(target=self.execute_elsewhere, args=(
                "INSERT INTO instances (id, database_url) VALUES (100, %s)", [token]))
            insert.start()
            self.addCleanup(insert.join)
            wait_for(lambda: self.database.waiting("INSERT"), "waiting of the new row")
        insert.join()
        self.assert_rotated()
        self.assertEqual(self.database.value("SELECT database_url FROM instances WHERE id = 100"), token)
        usage = self.counts(self.verify(status=65), "instances.database_url")["by_key"]
        self.assertEqual(usage[fingerprint(self.old)], 1)
        self.rotate()
        self.verify()

    def execute_elsewhere(self, command, values=None):
        connection = self.connect()
        with connection, connection.cursor() as cursor:
            cursor.execute(command, values)

    def test_an_edit_that_was_under_way_is_waited_for_and_rotated(self):
        self.make_tables()
        writer = self.connect()
        writer.cursor().execute("UPDATE instances SET database_url = %s WHERE id = 2", [self.token("fake-edited")])
        running = self.start("--lock-timeout", "60")
        wait_for(lambda: self.database.waiting("LOCK TABLE"), "waiting for the writer")
        writer.commit()
        self.assertEqual(running.wait(), 0, running.stderr)
        self.urls[2] = "fake-edited"
        tokens = self.url_tokens()
        self.assertEqual({number: self.plaintext(token) for number, token in tokens.items()}, self.urls)

    def test_who_waits_to_alter_a_table_has_its_turn_first(self):
        """It stands between the lock of the first connection and that of the second one, which waits for neither."""
        self.make_tables()
        writer = self.connect()
        writer.cursor().execute("UPDATE instances SET name = 'edited' WHERE id = 1")
        running = self.start("--lock-timeout", "60")
        wait_for(lambda: self.database.waiting("LOCK TABLE"), "waiting for the writer")
        alteration = threading.Thread(target=self.execute_elsewhere, args=("ALTER TABLE instances ADD added integer",))
        alteration.start()
        self.addCleanup(alteration.join)
        wait_for(lambda: self.database.waiting("ALTER TABLE"), "waiting of the alteration")
        begin = time.monotonic()
        writer.commit()
        alteration.join(timeout=30)
        self.assertEqual(running.wait(), 0, running.stderr)
        self.assertLess(time.monotonic() - begin, 30)
        self.assert_rotated()

    def test_a_table_that_is_dropped_while_it_is_searched_is_no_fault_of_the_plan(self):
        self.make_tables()
        self.database.execute("CREATE TABLE staging (v text)")
        other = self.connect()
        other.cursor().execute("DROP TABLE staging")
        running = self.start("--lock-timeout", "60")
        wait_for(lambda: self.database.waiting("COPY"), "waiting for the table")
        other.commit()
        self.assertEqual(running.wait(), 75)
        self.assertIn("public.staging.v was there a moment ago", running.stderr)

    def test_a_dry_run_and_verify_keep_nobody_waiting(self):
        self.make_tables()
        writer = self.connect()
        for arguments in (["--dry-run"], []):
            action = arguments or ["verify"]
            with self.held(*action, before="COPY (SELECT ctid, \"database_url\"", status=0 if arguments else 65):
                with writer, writer.cursor() as cursor:
                    cursor.execute("SET lock_timeout = '1ms'; UPDATE instances SET name = 'edited' WHERE id = 1; "
                                   "INSERT INTO instances (id) VALUES (200); DELETE FROM instances WHERE id = 200")

    def test_nobody_waits_while_other_columns_are_searched(self):
        self.make_tables()
        writer = self.connect()
        with self.held(before='COPY (SELECT ctid, "note"'):
            with writer, writer.cursor() as cursor:
                cursor.execute("SET lock_timeout = '1ms'; UPDATE instances SET name = 'edited' WHERE id = 1")


class Readers(PostgresRotationCase):
    def test_readers_never_wait_and_see_old_values_until_the_commit(self):
        self.make_tables()
        self.database.execute("CREATE TABLE logins (instance integer REFERENCES instances)")
        reader = self.connect()
        reader.autocommit = True
        with self.held(), reader.cursor() as cursor:
            # Whatever would have to wait for a lock is an error at once.
            cursor.execute("SET lock_timeout = '1ms'")
            cursor.execute("SELECT id, database_url FROM instances WHERE id < 6")
            self.assertEqual(dict(cursor.fetchall()), self.tokens)
            cursor.execute("SELECT credentials FROM export_configs FOR KEY SHARE")
            cursor.execute("INSERT INTO logins VALUES (1)")
            with self.assertRaises(psycopg2.errors.LockNotAvailable):
                cursor.execute("UPDATE instances SET name = 'edited' WHERE id = 1")
        self.assert_rotated()

    def test_a_reader_that_began_before_keeps_what_it_saw(self):
        self.make_tables()
        reader = self.connect(options="-c default_transaction_isolation=repeatable\\ read")
        with reader.cursor() as cursor:
            cursor.execute("SELECT 1")
            self.rotate()
            cursor.execute("SELECT id, database_url FROM instances WHERE id < 6")
            self.assertEqual(dict(cursor.fetchall()), self.tokens)


class Rotators(PostgresRotationCase):
    def test_a_second_rotation_ends_at_once_and_the_first_is_not_disturbed(self):
        self.make_tables()
        with self.held():
            second = self.run_rotate("--yes", "--lock-timeout", "600")
            self.assertEqual(second.returncode, 75, second.stderr)
            self.assertIn("another rotation is at work", second.stderr)
            status = self.run_rotate("status")
            self.assertEqual(status.returncode, 0, status.stderr)
            self.assertIn("a rotation is at work", status.stdout)
        self.assert_rotated()
        self.assertNotIn("a rotation is at work", self.run_rotate("status").stdout)

    def test_a_rotation_of_another_database_is_none_of_its_business(self):
        self.make_tables()
        with self.held():
            here, self.database = self.database, type(self.database)(self.server)
            self.addCleanup(self.database.close)
            self.make_tables()
            self.rotate()
            self.database = here

    def test_a_table_that_others_write_to_is_named_and_who_does(self):
        self.make_tables()
        for seconds in ("0", "1"):
            writer = self.connect(application_name="importer")
            writer.cursor().execute("UPDATE export_configs SET note = 'edited' WHERE id = 1")
            self.assert_fails(75, "public.export_configs", f"process {writer.info.backend_pid} of postgres (importer)",
                              arguments=("--yes", "--lock-timeout", seconds))
            writer.rollback()
        self.rotate()

    def test_a_row_that_another_transaction_has_locked_is_said_to_be(self):
        self.make_tables()
        self.connect().cursor().execute("SELECT FROM instances WHERE id = 2 FOR UPDATE")
        self.assert_fails(75, "public.instances cannot be updated: another transaction has locked a row or a table "
                              "(SQLSTATE 55P03)", arguments=("--yes", "--lock-timeout", "1"))

    def test_a_table_elsewhere_that_is_locked_against_readers_is_not_waited_for_longer_than_that(self):
        self.make_tables()
        self.database.execute("CREATE TABLE elsewhere (v text)")
        other = self.connect()
        other.cursor().execute("LOCK TABLE elsewhere IN ACCESS EXCLUSIVE MODE")
        result = self.run_rotate("--yes", "--lock-timeout", "1")
        self.assertEqual(result.returncode, 75, result.stderr)
        self.assertIn("public.elsewhere", result.stderr)

    def test_looking_waits_for_locks_no_longer_than_that_either(self):
        self.make_tables()
        self.rotate()
        other = self.connect()
        other.cursor().execute("LOCK TABLE instances, qarion_secrets_rotations IN ACCESS EXCLUSIVE MODE")
        for action in ("verify", "status", "--discover"):
            begin = time.monotonic()
            result = self.run_rotate(action, "--lock-timeout", "0")
            self.assertEqual(result.returncode, 75, f"{action}: {result.stderr}")
            self.assertLess(time.monotonic() - begin, 4, action)

    def test_where_it_fails_no_lock_stays(self):
        self.make_tables()
        self.database.insert("instances", id=50, name="lost", database_url=self.token("fake", self.other))
        self.assert_fails(65)
        wait_for(lambda: not self.database.sessions(), "the end of its sessions")
        self.assertEqual(self.database.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), 0)

    def test_the_percentage_is_shown_to_the_database_s_operators(self):
        plan = self.text_table([])
        self.database.execute("INSERT INTO t SELECT i, %s FROM generate_series(1, 3000) i; ANALYZE t",
                              [self.token("fake")])
        with self.held(plan=plan):
            names = self.database.rows("SELECT application_name FROM pg_stat_activity WHERE application_name LIKE "
                                       "'qsecrets rotate %%\\%%' AND datname = current_database()")
            self.assertEqual(len(names), 1)

    def test_old_versions_of_rows_are_told_of_when_a_transaction_keeps_them(self):
        self.make_tables()
        reader = self.connect(options="-c default_transaction_isolation=repeatable\\ read")
        reader.cursor().execute("SELECT 1")
        result = self.run_rotate("--yes", "--scrub-storage")
        self.assertEqual(result.returncode, 74, result.stderr)  # not one that says that nothing was changed
        self.assertIn("the rotation is committed", result.stderr)
        self.assert_rotated()


if __name__ == "__main__":
    unittest.main()
