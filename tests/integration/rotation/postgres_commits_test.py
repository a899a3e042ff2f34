"""How a commit ended is known, also where nobody told."""
from postgres_case import PostgresCase, StoreError, main, wait_for

OLD = ["A1", "A2", "A3"]
NEW = ["B1", "B2", "B3"]
AT_COMMIT = ("CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {body} RETURN NULL; END$$; "
             "CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON instances DEFERRABLE INITIALLY DEFERRED "
             "FOR EACH ROW EXECUTE FUNCTION late()")


# A commit that is to be on a standby too waits for one that never comes; few here are.
SETTINGS = {"synchronous_commit": "local", "synchronous_standby_names": "nobody"}


class Commits(PostgresCase):
    server_settings = SETTINGS

    def setUp(self):
        super().setUp()
        self.table()

    def committing(self, body):
        """A store in the midst of its commit, and the process that serves it."""
        self.sql(AT_COMMIT.format(body=body))
        store = self.begun()
        store("rotate", 0, 10)
        store("write-audit", "0123")
        store.send("commit")
        wait_for(lambda: self.at_commit(), "the commit")
        return store, self.at_commit()[0][0]

    def at_commit(self):
        return self.sql("SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query = 'COMMIT'")

    def test_one_that_is_cut_off_before_it_is_done_is_rolled_back(self):
        store, pid = self.committing("PERFORM pg_sleep(600);")
        self.sql("SELECT pg_terminate_backend(%s)", [pid])
        answer = store.answer()
        self.assertEqual((answer["outcome"], answer["error"]["code"]), ("rolled back", "unavailable"))
        self.assertEqual(self.urls(), OLD)
        self.assertEqual(store("find", "0123"), {"record": None})

    def test_one_that_the_database_refuses_is_rolled_back(self):
        self.sql(AT_COMMIT.format(body="RAISE EXCEPTION 'I do not like %', NEW.url;"))
        store = self.begun()
        store("rotate", 0, 10)
        answer = store("commit")
        self.assertEqual((answer["outcome"], answer["error"]["code"]), ("rolled back", "bad_data"))
        self.assertIn("late()", answer["error"]["reason"])
        self.assertNotIn("B1", answer["error"]["reason"])
        self.assertEqual(self.urls(), OLD)

    def test_what_was_put_off_is_checked_before(self):
        self.sql("ALTER TABLE instances ADD CONSTRAINT distinct_urls UNIQUE (url) DEFERRABLE INITIALLY DEFERRED")
        store = self.begun()
        for locator, *_ in store.rows("read", 0):
            store.update(0, [locator, b"the same"])
        with self.assert_fails("bad_data", "public.instances", "distinct_urls") as caught:
            store("constraints")
        self.assertNotIn("the same", str(caught.exception))

    def test_a_transaction_that_failed_is_not_committed(self):
        store = self.begun()
        [[locator, *_], *_] = store.rows("read", 0)
        store.update(0, [locator, b"\xff"])
        with self.assertRaises(StoreError):
            store("finish")
        self.assertEqual(store("commit")["outcome"], "rolled back")
        self.assertEqual(self.urls(), OLD)

    def test_a_cancel_that_comes_too_late_does_no_harm(self):
        store, pid = self.committing("PERFORM pg_sleep(0.3);")
        store.process.stdin.write(b"cancel\n")
        store.process.stdin.flush()
        self.assertEqual(store.answer(), {"outcome": "committed"})
        self.assertEqual(self.urls(), NEW)


class Crashes(PostgresCase):
    server_settings = SETTINGS

    def setUp(self):
        super().setUp()
        self.table()

    def committed_but_untold(self):
        """A store whose commit is in the log on disk, while the server waits for the standby before it says so."""
        store = self.begun(PGOPTIONS="-c synchronous_commit=on")
        store("rotate", 0, 10)
        store("write-audit", "4567")
        store.send("commit")
        wait_for(lambda: self.server.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")[0][0],
                 "the commit")
        return store

    def test_a_commit_that_is_done_but_not_told_is_found_by_its_row(self):
        store = self.committed_but_untold()
        self.server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
        self.assertEqual(store.answer(), {"outcome": "committed"})
        self.assertEqual(self.urls(), NEW)
        self.assertEqual(store("find", "")["record"]["id"], "4567")

    def test_a_server_that_crashes_after_the_commit_and_comes_back(self):
        store = self.committed_but_untold()
        self.server.crash()
        self.server.start()
        self.assertEqual(store.answer(), {"outcome": "committed"})
        self.assertEqual(self.urls(), NEW)

    def test_a_server_that_crashes_before_the_commit(self):
        self.sql("CHECKPOINT")  # what the test itself wrote
        store = self.begun()
        store("rotate", 0, 10)
        self.server.crash()
        answer = store("commit")
        self.assertEqual((answer["outcome"], answer["error"]["code"]), ("rolled back", "unavailable"))
        with self.assert_fails("unavailable", "no connection"):
            store("busy")
        self.server.start()
        self.assertEqual(self.urls(), OLD)
        self.assertFalse(store("busy")["busy"])

    def test_a_server_that_does_not_come_back_leaves_it_unknown(self):
        store = self.committed_but_untold()
        self.server.crash()
        answer = store.answer()
        self.assertEqual((answer["outcome"], answer["error"]["code"]), ("unknown", "unavailable"))
        self.assertIn("`qsecrets rotate encryption-key verify --rotation 4567`", answer["error"]["cure"])
        self.server.start()
        self.assertEqual(store("find", "4567")["record"]["id"], "4567")

    def test_a_standby_that_took_over_and_gave_the_number_to_another_leaves_it_unknown(self):
        self.sql(AT_COMMIT.format(body="PERFORM pg_sleep(600);"))
        standby = self.server.make_standby()
        self.addCleanup(standby.close)
        self.addCleanup(self.server.start)
        # Before the number is given, or the standby would know of it and end it.
        standby.sql("SELECT pg_promote()")
        store = self.begun(address=f"host={self.server.host},{standby.host} user=postgres dbname=postgres "
                                   "target_session_attrs=read-write")
        store("rotate", 0, 10)
        store("write-audit", "89ab")
        number = self.value("SELECT max(backend_xid::text::int8) FROM pg_stat_activity")
        self.assertTrue(number)
        while standby.sql("SELECT txid_current()")[0][0] < number:
            pass
        self.assertEqual(standby.sql("SELECT txid_status(%s)", [number]), [("committed",)])
        store.send("commit")
        wait_for(lambda: self.sql("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query = 'COMMIT'"),
                 "the commit")
        self.server.crash()
        answer = store.answer()
        self.assertEqual(standby.sql("SELECT url FROM instances ORDER BY id"), [(url,) for url in OLD])
        self.assertEqual(answer["outcome"], "unknown")


if __name__ == "__main__":
    main()
