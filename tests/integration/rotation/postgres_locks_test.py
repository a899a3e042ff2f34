"""Beside a rotation nobody's edit is lost, nobody who only reads waits, and no second rotation begins."""
import threading
import time

from postgres_case import PostgresCase, StoreError, main, wait_for


class Locks(PostgresCase):
    def setUp(self):
        super().setUp()
        self.table()

    def in_background(self, command, name):
        """Runs it on a connection of its own; `name` must be in it. Waits until it waits for a lock."""
        connection = self.connect()

        def run():
            with connection.cursor() as cursor:
                cursor.execute(command)
        thread = threading.Thread(target=run)
        thread.start()
        self.addCleanup(thread.join)
        wait_for(lambda: self.waiting(name), command)
        return thread

    def write_all(self, store, value=b"rotated"):
        for locator, *_ in store.rows("read", 0):
            store.update(0, [locator, value])

    def test_an_edit_waits_and_is_not_lost(self):
        store = self.begun()
        self.write_all(store)
        writer = self.in_background("UPDATE instances SET url = url || ' edited' WHERE id = 2", "edited")
        store("commit")
        writer.join()
        self.assertEqual(self.urls(), ["rotated", "rotated edited", "rotated"])

    def test_a_new_row_waits(self):
        store = self.begun()
        self.write_all(store)
        writer = self.in_background("INSERT INTO instances VALUES (4, 'inserted')", "inserted")
        store("commit")
        writer.join()
        self.assertEqual(self.urls(), ["rotated", "rotated", "rotated", "inserted"])

    def test_an_edit_that_was_under_way_before_is_seen(self):
        writer = self.connect()
        writer.autocommit = False
        writer.cursor().execute("UPDATE instances SET url = 'edited' WHERE id = 2")
        store = self.store()
        store.plan("instances", "url")
        store.resolve()
        store.send("begin", 30_000, "write")
        wait_for(lambda: self.waiting("LOCK TABLE"), "the lock")
        writer.commit()
        self.assertEqual(store.answer(), {})
        self.assertIn(b"edited", [row[2] for row in store.rows("read", 0)])

    def test_readers_never_wait(self):
        store = self.begun()
        self.write_all(store)
        store("finish")
        reader = self.connect()
        with reader.cursor() as cursor:
            cursor.execute("SET statement_timeout = '5s'; SELECT url FROM instances ORDER BY id")
            self.assertEqual(cursor.fetchall(), [("A1",), ("A2",), ("A3",)])
            cursor.execute("SELECT url FROM instances WHERE id = 1 FOR KEY SHARE")

    def test_rows_that_refer_to_the_table_do_not_wait(self):
        self.sql("CREATE TABLE exports (instance int REFERENCES instances)")
        store = self.begun()
        self.write_all(store)
        store("finish")
        self.sql("SET statement_timeout = '5s'; INSERT INTO exports VALUES (1)")
        store("commit")

    def test_the_lock_timeout_names_the_table_and_who_holds_it(self):
        writer = self.connect()
        writer.autocommit = False
        writer.cursor().execute("SET application_name = 'importer'; UPDATE instances SET url = 'edited' WHERE id = 2")
        store = self.store()
        store.plan("instances", "url")
        store.resolve()
        with self.assert_fails("try_again", "public.instances cannot be locked", f"process {writer.info.backend_pid}",
                               "of postgres", "(importer)", cure="--lock-timeout"):
            store.begin(lock_timeout_ms=50)
        writer.rollback()
        store.begin()

    def test_a_lock_timeout_of_zero_does_not_wait(self):
        writer = self.connect()
        writer.autocommit = False
        # Who waited for it would get the lock in the end.
        writer.cursor().execute("SET idle_in_transaction_session_timeout = '5s'; UPDATE instances SET url = '' WHERE id = 2")
        store = self.store()
        store.plan("instances", "url")
        store.resolve()
        with self.assert_fails("try_again", "public.instances cannot be locked"):
            store.begin(lock_timeout_ms=0)
        writer.rollback()

    def test_the_lock_timeout_holds_for_single_rows_too(self):
        other = self.connect()
        other.autocommit = False
        other.cursor().execute("SELECT 1 FROM instances WHERE id = 2 FOR UPDATE")
        store = self.store()
        store.plan("instances", "url")
        store.resolve()
        store.begin(lock_timeout_ms=50)
        with self.assert_fails("try_again", "public.instances", cure="more time"):
            self.write_all(store)
            store("finish")

    def test_a_second_rotation_fails_at_once(self):
        store = self.begun()
        second = self.store()
        self.assertEqual(second("busy"), {"busy": True})
        second.plan("instances", "url")
        second.resolve()
        with self.assert_fails("try_again", "another rotation is at work"):
            second.begin(lock_timeout_ms=600_000)
        store("rollback")
        self.assertEqual(second("busy"), {"busy": False})
        second.begin()

    def test_who_only_looks_neither_waits_nor_is_waited_for(self):
        store = self.begun()
        self.write_all(store)
        looking = self.begun(access="read-only")
        self.assertEqual([row[2] for row in looking.rows("read", 0)], [b"A1", b"A2", b"A3"])
        store("commit")
        self.sql("SET statement_timeout = '5s'; UPDATE instances SET url = 'edited'")
        self.assertEqual([row[2] for row in looking.rows("read", 0)], [b"A1", b"A2", b"A3"])

    def test_who_only_looks_cannot_write(self):
        store = self.begun(access="read-only")
        with self.assert_fails("configuration", "public.instances"):
            self.write_all(store)
            store("finish")

    def test_a_partition_that_came_in_between_is_noticed(self):
        self.sql("CREATE TABLE p (k int, url text) PARTITION BY LIST (k); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)")
        store = self.store()
        store.plan("p", "url")
        store.resolve()
        self.sql("CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2)")
        with self.assert_fails("try_again", "not the ones they were before"):
            store.begin()
        store.resolve()
        store.begin()
        adding = self.in_background("CREATE TABLE p3 PARTITION OF p FOR VALUES IN (3)", "p3")
        store("rollback")
        adding.join()

    def test_who_waits_to_alter_a_table_does_not_hold_up_its_reading(self):
        for access in ("write", "read-only"):
            with self.subTest(access):
                store = self.begun(access=access)
                altering = self.in_background(f"ALTER TABLE instances ADD note_{access[0]} text", "ADD note")
                rows = store.rows("read", 0)
                self.assertEqual(store("name", 0, rows[1][0]), {"name": "id=2"})
                store("rollback")
                altering.join()

    def test_no_time_limit_of_the_server_or_the_role_cuts_it_off(self):
        limits = " ".join(f"-c {name}=100ms" for name in (
            "statement_timeout", "idle_in_transaction_session_timeout", "lock_timeout"))
        self.sql("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_sleep(0.1); RETURN NEW; END$$; "
                 "CREATE TRIGGER slow BEFORE UPDATE ON instances FOR EACH ROW EXECUTE FUNCTION slow()")
        store = self.begun(PGOPTIONS=limits)
        time.sleep(0.25)  # what is waited for is that nothing happens
        store("rotate", 0, 10)
        self.assertEqual(store("commit"), {"outcome": "committed"})

    def test_a_role_that_only_reads_by_default_may_write(self):
        store = self.begun(PGOPTIONS="-c default_transaction_read_only=on -c default_transaction_isolation=serializable")
        self.write_all(store)
        self.assertEqual(store("commit"), {"outcome": "committed"})

    def test_nothing_is_left_behind_in_the_connection(self):
        store = self.begun()
        self.write_all(store)
        store("progress", "rotate 99%")
        store("commit")
        names = self.sql("SELECT application_name FROM pg_stat_activity WHERE backend_type = 'client backend' "
                         "AND pid <> pg_backend_pid()")
        self.assertEqual(names, 2 * [("qsecrets rotate",)])
        self.assertEqual(self.value("SELECT count(*) FROM pg_locks WHERE locktype IN ('advisory', 'relation') "
                                    "AND pid <> pg_backend_pid()"), 0)

    def test_progress_is_shown(self):
        store = self.begun()
        rows = store.rows("read", 0)
        shown = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
        store("progress", "rotate 0%")
        wait_for(lambda: self.value(shown, ["rotate 0%"]), "the first progress")
        store.update(0, [rows[0][0], b"x"])
        store("progress", "rotate '45%")
        wait_for(lambda: self.value(shown, ["rotate '45%"]), "the second progress")
        store.update(0, [rows[1][0], b"x"])
        store("commit")
        self.assertEqual(self.urls(), ["x", "x", "A3"])

    def test_a_deadlock_is_an_error_that_passes(self):
        self.sql("CREATE TABLE other AS SELECT * FROM instances")
        writer = self.connect()
        writer.autocommit = False
        writer.cursor().execute("SET deadlock_timeout = '1min'; LOCK TABLE other IN ROW EXCLUSIVE MODE")
        store = self.store(PGOPTIONS="-c deadlock_timeout=200ms")
        store.plan("other", "url")
        store.plan("instances", "url")
        store.resolve()
        store.send("begin", 60_000, "write")
        wait_for(lambda: self.waiting("LOCK TABLE"), "the lock")
        blocked = threading.Thread(target=lambda: writer.cursor().execute("UPDATE instances SET url = 'edited'"))
        blocked.start()
        answer = store.answer()
        blocked.join()
        writer.rollback()
        self.assertEqual(answer["error"]["code"], "try_again")
        self.assertIn("deadlock", answer["error"]["reason"])


class Cancelling(PostgresCase):
    def setUp(self):
        super().setUp()
        self.table()

    def assert_cancelled(self, store):
        with self.assert_fails("try_again", "cancelled"):
            answer = store.answer()
            if "error" in answer:
                raise StoreError(answer["error"])

    def test_who_waits_for_a_lock_is_freed(self):
        writer = self.connect()
        writer.autocommit = False
        writer.cursor().execute("UPDATE instances SET url = 'edited' WHERE id = 2")
        store = self.store()
        store.plan("instances", "url")
        store.resolve()
        store.send("begin", 600_000, "write")
        wait_for(lambda: self.waiting("LOCK TABLE"), "the lock")
        store.process.stdin.write(b"cancel\n")
        store.process.stdin.flush()
        self.assert_cancelled(store)
        writer.rollback()
        store.begin()

    def test_an_update_that_takes_long_is_given_up(self):
        self.sql("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_sleep(600); RETURN NEW; END$$; "
                 "CREATE TRIGGER slow BEFORE UPDATE ON instances FOR EACH ROW EXECUTE FUNCTION slow()")
        store = self.begun()
        store.send("rotate", 0, 10)
        wait_for(lambda: self.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"), "the update")
        store.process.stdin.write(b"cancel\n")
        store.process.stdin.flush()
        self.assert_cancelled(store)
        store("rollback")
        self.assertEqual(self.urls(), ["A1", "A2", "A3"])
        self.sql("DROP TRIGGER slow ON instances")
        store.begin()
        store("rotate", 0, 10)
        self.assertEqual(store("commit"), {"outcome": "committed"})

    def test_after_it_nothing_is_committed(self):
        store = self.begun()
        store("rotate", 0, 10)
        store.process.stdin.write(b"cancel\n")
        store.process.stdin.flush()
        wait_for(lambda: self.cancelled(store), "the cancelling")
        answer = store("commit")
        self.assertEqual(answer["outcome"], "rolled back")
        self.assertIn("cancelled", answer["error"]["reason"])
        self.assertEqual(self.urls(), ["A1", "A2", "A3"])

    def cancelled(self, store):
        try:
            store("finish")
        except StoreError:
            return True
        return False


if __name__ == "__main__":
    main()
