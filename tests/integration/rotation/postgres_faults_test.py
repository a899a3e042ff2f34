"""Whatever is lost on the way, the database is entirely as before or entirely as after, and the store says which."""
import contextlib
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

from postgres_case import PostgresCase, main, wait_for

OLD = ["A1", "A2", "A3"]
NEW = ["B1", "B2", "B3"]


class LostConnections(PostgresCase):
    def setUp(self):
        super().setUp()
        self.table()

    def backends(self):
        """Of the store: the one that writes, and the one that reads."""
        rows = self.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'qsecrets rotate' ORDER BY EXISTS "
                        "(SELECT FROM pg_locks l WHERE l.pid = pg_stat_activity.pid AND locktype = 'advisory') DESC")
        return [pid for pid, in rows]

    def end(self, pid):
        self.sql("SELECT pg_terminate_backend(%s, 10000)", [pid])

    def assert_usable(self, store):
        store("rollback")
        store.begin()
        store("rotate", 0, 10)
        self.assertEqual(store("commit"), {"outcome": "committed"})
        self.assertEqual(self.urls(), NEW)

    def test_the_one_that_writes_before_it_writes(self):
        store = self.begun()
        self.end(self.backends()[0])
        with self.assert_fails("unavailable", "the database cannot be updated: the connection to the database was lost", cure="log"):
            store("rotate", 0, 10)
        self.assertEqual(self.urls(), OLD)
        self.assert_usable(store)

    def test_the_one_that_writes_after_it_wrote(self):
        store = self.begun()
        store("rotate", 0, 10)
        self.end(self.backends()[0])
        answer = store("commit")
        self.assertEqual((answer["outcome"], answer["error"]["code"]), ("rolled back", "unavailable"))
        self.assertEqual(self.urls(), OLD)
        self.assert_usable(store)

    def test_the_one_that_reads(self):
        store = self.begun()
        self.end(self.backends()[1])
        with self.assert_fails("unavailable", "public.instances cannot be read"):
            store("rotate", 0, 10)
        self.assert_usable(store)

    def test_while_rows_are_read_back(self):
        store = self.begun()
        store("rotate", 0, 10)
        self.end(self.backends()[0])
        with self.assert_fails("unavailable", "public.instances cannot be read"):
            store.rows("read-back", 0)
        self.assert_usable(store)

    def test_between_looking_and_beginning_it_is_made_anew(self):
        store = self.store()
        store.plan("instances", "url")
        store.resolve()
        self.end(self.backends()[0])
        store.begin()
        store("rotate", 0, 10)
        self.assertEqual(store("commit"), {"outcome": "committed"})

    def test_a_client_that_is_killed_leaves_nothing_behind(self):
        store = self.begun()
        store("rotate", 0, 10)
        store.kill()
        wait_for(lambda: not self.backends(), "the end of its connections")
        self.assertEqual(self.urls(), OLD)
        self.assertFalse(self.store()("busy")["busy"])

    def test_a_server_that_stands_still_does_not_hold_up_the_rollback(self):
        store = self.begun()
        store("rotate", 0, 10)
        pid = self.backends()[0]
        os.kill(pid, signal.SIGSTOP)
        self.addCleanup(os.kill, pid, signal.SIGCONT)
        begin = time.monotonic()
        store("rollback")
        self.assertLess(time.monotonic() - begin, 15)


@contextlib.contextmanager
def small_disk(megabytes):
    """A directory on a disk of this size."""
    with tempfile.TemporaryDirectory() as directory:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", directory], check=False,
                                 stderr=subprocess.DEVNULL) if os.geteuid() == 0 else None
        if mounted is None or mounted.returncode:
            raise unittest.SkipTest("no disk can be mounted here")
        try:
            yield pathlib.Path(directory)
        finally:
            subprocess.run(["umount", "-l", directory], check=True)


class FullDisk(PostgresCase):
    def test_a_disk_that_is_full_changes_nothing(self):
        disk = small_disk(10)
        directory = disk.__enter__()
        self.addCleanup(disk.__exit__, None, None, None)
        space = directory / "space"
        space.mkdir()
        os.chown(space, self.server.user.pw_uid, self.server.user.pw_gid)
        self.sql(f"CREATE TABLESPACE small LOCATION '{space}'")
        self.addCleanup(self.sql, "DROP TABLESPACE small")
        self.addCleanup(self.sql, "DROP TABLE instances")
        self.sql("CREATE TABLE instances (id int, url text) TABLESPACE small; "
                 "INSERT INTO instances SELECT i, 'A' || repeat(md5(i::text), 10) FROM generate_series(1, 16000) i")
        before = self.value("SELECT md5(string_agg(url, ',' ORDER BY id)) FROM instances")
        store = self.begun()
        with self.assert_fails("io", "public.instances", "No space left on device", cure="make room"):
            store("rotate", 0, 500)
        store("rollback")
        self.assertEqual(self.value("SELECT md5(string_agg(url, ',' ORDER BY id)) FROM instances"), before)


if __name__ == "__main__":
    main()
