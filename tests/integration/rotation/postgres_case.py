"""What the tests of PostgreSQL's store share: a server, and a database that is empty at each begin."""
import contextlib
import itertools
import os
import sys
import time
import unittest

import psycopg2
from postgres_server import PostgresServer
from store_driver import Store, StoreError

DRIVER = os.path.abspath(sys.argv.pop(1))


# Much faster than a new database.
EMPTY = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid();
DO $$ DECLARE each record; BEGIN
  FOR each IN SELECT 'DROP SCHEMA ' || quote_ident(nspname) || ' CASCADE' AS command FROM pg_namespace
      WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
    UNION ALL SELECT 'DROP PUBLICATION ' || quote_ident(pubname) FROM pg_publication
  LOOP EXECUTE each.command; END LOOP;
END $$;
CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO public"""


def wait_for(condition, what, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(what + " did not happen")
        time.sleep(0.01)


class PostgresCase(unittest.TestCase):
    numbers = itertools.count()
    server_settings = {}
    servers = {}  # by their settings

    @classmethod
    def setUpClass(cls):
        key = tuple(sorted(cls.server_settings.items()))
        if key not in cls.servers:
            cls.servers[key] = PostgresServer(**cls.server_settings)
            unittest.addModuleCleanup(cls.servers[key].close)
        cls.server = cls.servers[key]

    def setUp(self):
        self.database = "postgres"
        self.sql(EMPTY)

    def sql(self, command, values=None, user="postgres"):
        return self.server.sql(command, values, self.database, user)

    def value(self, command, values=None):
        return self.sql(command, values)[0][0]

    def connect(self, user="postgres"):
        connection = self.server.connect(self.database, user)
        self.addCleanup(connection.close)
        return connection

    def store(self, user="postgres", address=None, password="", **settings):
        store = Store(DRIVER, **settings)
        self.addCleanup(self.close_store, store)
        store.description = store.open(self.server.address(self.database, user) if address is None else address, password)
        return store

    def close_store(self, store):
        if store.process.stdin.closed:
            return
        with contextlib.suppress(BrokenPipeError):
            self.assertEqual(store.close(), 0)

    @contextlib.contextmanager
    def assert_fails(self, code, *words, cure=()):
        with self.assertRaises(StoreError) as caught:
            yield caught
        error = caught.exception
        self.assertEqual(error.code, code, error)
        for word in words:
            self.assertIn(word, error.reason)
        for word in (cure,) if isinstance(cure, str) else cure:
            self.assertIn(word, error.cure)
        self.assertTrue(error.cure, error)

    def waiting(self, mark):
        """Whether a command with this text in it waits for a lock."""
        return self.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE %s AND "
                          "pid <> pg_backend_pid()", [f"%{mark}%"]) > 0

    def role(self, options="", **grants):
        """A role of its own that may log in."""
        name = f"role_{next(self.numbers)}"
        self.sql(f"CREATE ROLE {name} LOGIN {options}")
        for privilege, on in grants.items():
            self.sql(f"GRANT {privilege.upper()} ON {on} TO {name}")
        return name

    def table(self, rows=3, extra=""):
        """instances(id, url), of which the store's first target is made."""
        self.sql(f"CREATE TABLE instances (id int PRIMARY KEY, url text{extra}); INSERT INTO instances (id, url) "
                 f"SELECT i, 'A' || i FROM generate_series(1, {rows}) i")

    def begun(self, *columns, table="instances", access="write", **options):
        """A store in a transaction, with a plan of one table."""
        store = self.store(**options)
        store.plan(table, *(columns or ["url"]))
        store.resolve()
        store.begin(access=access)
        return store

    def urls(self):
        return [url for url, in self.sql("SELECT url FROM instances ORDER BY id")]


def main():
    unittest.main()


__all__ = ["DRIVER", "PostgresCase", "PostgresServer", "Store", "StoreError", "main", "psycopg2", "wait_for"]
