#!/usr/bin/env python3
"""sqlite_test.py QSECRETS: `qsecrets rotate encryption-key` on files of SQLite."""
import json
import pathlib
import re
import resource
import sqlite3
import subprocess
import unittest

from behaviours import Behaviours
from rotation_case import PLAN, SANITIZED, RotationCase


class Sqlite:
    json_type = "text"
    bytes_type = "blob"

    def __init__(self, path):
        self.path = path
        self.address = f"sqlite:{path}"
        self.connection = sqlite3.connect(path, isolation_level=None)

    def execute(self, statement, values=()):
        return self.connection.execute(statement, values)

    def insert(self, table, **columns):
        names = ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
        quoted = table.replace('"', '""')
        places = ", ".join("?" * len(columns))
        self.execute(f'INSERT INTO "{quoted}" ({names}) VALUES ({places})', list(columns.values()))

    def rows(self, query):
        return self.execute(query).fetchall()

    def dump(self):
        return "\n".join(self.connection.iterdump())


class SqliteCase(RotationCase):
    def setUp(self):
        super().setUp()
        self.database = Sqlite(self.directory / "app.db")
        self.addCleanup(self.database.connection.close)


class SqliteBehaviours(Behaviours, SqliteCase):
    pass


class SqliteAlone(SqliteCase):
    def test_a_file_that_is_not_there_is_never_made(self):
        path = self.directory / "no.db"
        self.assert_fails(78, "no.db", arguments=("--yes", "--database", f"sqlite:{path}"))
        self.assertFalse(path.exists())

    def test_a_writer_that_holds_the_file_is_waited_for_and_then_said(self):
        self.make_tables()
        self.database.execute("BEGIN IMMEDIATE")
        result = self.run_rotate("--yes", "--lock-timeout", "0")
        self.database.execute("ROLLBACK")
        self.assertEqual(result.returncode, 75, result.stderr)
        self.assert_as_it_was()

    def test_the_plan_of_the_guide_is_one(self):
        guide = (pathlib.Path(__file__).resolve().parents[3] / "docs/guide/key-rotation.md").read_text()
        plan = re.search(r"^```toml\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL).group(1)
        self.database.execute("CREATE TABLE instances (id integer PRIMARY KEY, deleted_at text, database_url text, "
                              "settings text)")
        self.database.insert("instances", id=1, database_url="fake-plaintext", settings=json.dumps(
            {"smtp": {"password": self.token("fake")}, "hooks": [{"secret": self.token("fake")}, {"secret": None}]}))
        report = self.rotate(plan=plan.replace("app.instances", "instances"))
        self.assertEqual(self.counts(report, "instances.database_url")["encrypted"], 1)
        self.assertEqual(self.counts(report, "instances.settings")["rotated"], 2)

    def test_a_trigger_that_copies_another_rows_value_makes_the_proof_fail(self):
        self.make_tables()
        self.database.execute("CREATE TRIGGER meddle AFTER UPDATE ON instances WHEN new.id = 3 BEGIN UPDATE instances "
                              "SET database_url = (SELECT database_url FROM instances WHERE id = 2) WHERE id = 1; END")
        self.assert_fails(70, "the values are not those that were there before")

    def test_a_new_key_is_not_written_where_sqlite_removes_it(self):
        self.make_tables()
        for suffix in ("", "-journal", "-wal", "-shm"):
            self.assert_fails(78, "is a file of the database itself",
                              arguments=("--yes", "--generate", f"{self.directory}/app.db{suffix}"),
                              INSTANCE_ENCRYPTION_KEY=self.old, INSTANCE_ENCRYPTION_KEY_PREVIOUS=None)

    def test_no_old_ciphertext_is_in_the_file_after_scrubbing(self):
        self.make_tables()
        self.rotate("--scrub-storage")
        contents = b"".join(path.read_bytes() for path in self.directory.glob("app.db*"))
        for token in self.tokens.values():
            self.assertNotIn(token.encode(), contents)

    def test_what_foreign_keys_hold_together_is_refused(self):
        self.make_tables()
        self.database.execute("CREATE TABLE uses (id integer PRIMARY KEY, url text REFERENCES links)")
        self.database.execute("CREATE TABLE links (url text PRIMARY KEY)")
        self.database.insert("links", url=self.tokens[1])
        self.database.insert("uses", id=1, url=self.tokens[1])
        plan = PLAN + '[[table]]\nname = "{}"\n  [[table.column]]\n  name = "url"\n'
        self.assert_fails(78, "uses, column url, refers to links.url by a foreign key", "leave it out of the plan",
                          plan=plan.format("uses"))
        self.assert_fails(78, "links, column url, is what uses.url refers to by a foreign key",
                          plan=plan.format("links"))
        found = self.run_rotate("--discover", plan=None)
        self.assertIn("uses.url: 1 token, 1 opened by a key given; left out: it refers to links.url", found.stderr)
        self.assertNotIn("links", found.stdout)
        self.rotate("--allow-unlisted", plan=found.stdout)
        self.assert_rotated()

    def test_copies_in_full_text_indexes_are_found(self):
        self.make_tables()
        for module in ("fts4", "fts5"):
            self.database.execute(f"CREATE VIRTUAL TABLE pages USING {module}(body)")
            self.database.insert("pages", body="see " + self.token("fake"))
            self.assert_fails(65, "pages_content.c0", "(1)", "a full-text index that holds copies")
            found = self.run_rotate("--discover", plan=None)
            self.assertEqual(found.returncode, 0, found.stderr)
            self.assertRegex(found.stderr, r"pages_content\.c0\w*: 1 token, 1 opened by a key given; "
                                           "left out: it is what a virtual table keeps its rows in\n")
            self.assertNotIn("pages", found.stdout)
            self.database.execute("DROP TABLE pages")
        self.rotate(plan=found.stdout)
        self.assert_rotated()

    def test_full_text_indexes_without_copies_do_not_stand_in_the_way(self):
        self.make_tables()
        for name, module in (("none4", "fts4(content='', database_url)"), ("none5", "fts5(database_url, content='')"),
                             ("other4", "fts4(content='instances', database_url)"),
                             ("other5", "fts5(database_url, content='instances', content_rowid='id')")):
            self.database.execute(f"CREATE VIRTUAL TABLE {name} USING {module}")
            for number, token in self.tokens.items():
                self.database.insert(name, rowid=number, database_url=token)
        self.rotate()
        self.assert_rotated()

    def test_virtual_tables_of_modules_that_are_not_there_do_not_stand_in_the_way(self):
        self.make_tables()
        self.database.execute("PRAGMA writable_schema = ON")
        self.database.execute("INSERT INTO sqlite_schema VALUES ('table', 'strange', 'strange', 0, "
                              "'CREATE VIRTUAL TABLE strange USING unknown_module(c)')")
        self.rotate()
        self.assert_rotated()

    def large_file(self, mode):
        """Half a megabyte; its path, and the token in each of its rows."""
        path = self.directory / f"{mode}.db"
        token = self.token("fake" * 40)
        connection = sqlite3.connect(path)
        connection.execute(f"PRAGMA journal_mode = {mode}")
        connection.execute("CREATE TABLE t (id integer PRIMARY KEY, c text)")
        connection.executemany("INSERT INTO t (c) VALUES (?)", [(token,)] * 1500)
        connection.commit()
        connection.close()
        return path, token

    def rotate_large_file(self, path, limit):
        """No file may become larger than `limit` bytes."""
        plan = self.write("plan.toml", '[[table]]\nname = "t"\n  [[table.column]]\n  name = "c"\n')
        return subprocess.run(self.command("--yes", "--plan", plan), cwd=self.directory, capture_output=True, text=True,
                              env=self.environment(DATABASE_URL=f"sqlite:{path}"), stdin=subprocess.DEVNULL,
                              timeout=60, check=False,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))

    def assert_all_are(self, path, token):
        connection = sqlite3.connect(path)
        self.assertEqual(connection.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
        self.assertEqual(connection.execute("SELECT c, count(*) FROM t GROUP BY c").fetchall(), [(token, 1500)])
        connection.close()

    @unittest.skipIf(SANITIZED, "sanitizers write files of their own")
    def test_a_file_that_cannot_grow_in_the_middle_is_left_as_it_was(self):
        for mode in ("delete", "wal"):
            path, token = self.large_file(mode)
            for limit in (100_000, 300_000):
                result = self.rotate_large_file(path, limit)
                self.assertEqual(result.returncode, 69, result.stderr)
                self.assertIn("t cannot be written: disk I/O error: File too large", result.stderr)
                self.assertIn("or may not grow (a quota, ulimit -f)", result.stderr)
                self.assertIn("rolled back: nothing was changed", result.stdout)
                self.assert_all_are(path, token)

    @unittest.skipIf(SANITIZED, "sanitizers write files of their own")
    def test_a_file_that_cannot_be_opened_for_want_of_room_is_left_as_it_was(self):
        """WAL needs a file of shared memory before anything is read."""
        path, token = self.large_file("wal")
        result = self.rotate_large_file(path, 0)
        self.assertEqual(result.returncode, 69, result.stderr)
        self.assertIn("cannot be opened", result.stderr)
        self.assert_all_are(path, token)

    @unittest.skipIf(SANITIZED, "LeakSanitizer does not work under strace")
    def test_killed_at_any_system_call_the_file_is_old_or_new_and_the_key_is_on_the_disk(self):
        """strace ends the process at its Nth call of those that change files."""
        calls = "pwrite64,write,fdatasync,fsync,unlink,openat,ftruncate"
        self.make_tables()
        outcomes = set()
        for number in range(1, 400):
            database = self.directory / f"copy{number}.db"
            copy = sqlite3.connect(database)
            self.database.connection.backup(copy)
            copy.close()
            key = self.directory / f"{number}.key"
            environment = self.environment(INSTANCE_ENCRYPTION_KEY=self.old, INSTANCE_ENCRYPTION_KEY_PREVIOUS=None,
                                           DATABASE_URL=f"sqlite:{database}")
            result = subprocess.run(
                ["strace", "-f", "-o", "/dev/null", "-e", f"trace={calls}", "-e",
                 f"inject={calls}:signal=KILL:when={number * 7}",
                 *self.command("--yes", "--generate", key, "--plan", self.write("plan.toml", PLAN))],
                env=environment, cwd=self.directory, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
            outcomes.add(self.outcome(database, key))
            if result.returncode == 0:
                break
        self.assertEqual(outcomes, {"old", "new"})

    def outcome(self, database, key):
        connection = sqlite3.connect(database)
        tokens = dict(connection.execute("SELECT id, database_url FROM instances WHERE id < 6"))
        connection.close()
        if tokens == self.tokens:
            return "old"
        new = key.read_text().strip()
        for number, token in tokens.items():
            self.assertEqual(self.plaintext(token, new), self.urls[number])
        return "new"


if __name__ == "__main__":
    unittest.main()
