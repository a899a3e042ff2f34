"""What the tests of the command share on servers of PostgreSQL: a database for each, and rotations that are held still."""
import contextlib
import itertools
import json
import subprocess
import threading
import time

import psycopg2
from postgres_proxy import Proxy
from postgres_server import PostgresServer
from psycopg2 import sql
from rotation_case import PLAN, RotationCase

NUMBERS = itertools.count(1)
TABLE_PLAN = '[[table]]\nname = "{table}"\n  [[table.column]]\n  name = "{column}"\n  {more}\n'


def wait_for(condition, what, seconds=30):
    """Returns what the condition gives when it is true."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(what + " did not happen")
        time.sleep(0.005)
    return result


class Postgres:
    """A database of its own on the server."""
    json_type = "jsonb"
    bytes_type = "bytea"

    def __init__(self, server):
        self.server = server
        self.name = f"test{next(NUMBERS)}"
        server.sql(f"CREATE DATABASE {self.name} STRATEGY file_copy")
        self.connect()

    def connect(self):
        self.address = self.server.address(self.name)
        self.connection = self.server.connect(self.name)

    def execute(self, statement, values=None):
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def insert(self, table, **columns):
        statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(*table.split(".")), sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.SQL(", ").join([sql.Placeholder()] * len(columns)))
        self.execute(statement, list(columns.values()))

    def rows(self, query, values=None):
        return [tuple(row) for row in self.execute(query, values)]

    def value(self, query, values=None):
        return self.execute(query, values)[0][0]

    def dump(self):
        """Every row of every table, byte for byte."""
        tables = self.rows("SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables "
                           "WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1")
        return json.dumps([[table, self.rows(f"SELECT t::text FROM {table} t ORDER BY 1")] for table, in tables])

    def sessions(self):
        """Of the command: what each one waits for."""
        return self.rows("SELECT pid, wait_event_type, query FROM pg_stat_activity WHERE datname = current_database() "
                         "AND pid <> pg_backend_pid() AND application_name LIKE 'qsecrets rotate%%'")

    def waiting(self, what):
        """Whether a command that begins so waits for a lock."""
        return self.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE %s "
                          "AND datname = current_database()", [what + "%"]) > 0

    def close(self):
        self.connection.close()


class Running:
    """The command at work. `kill` it, or `wait` for its end."""

    def __init__(self, arguments, **options):
        self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, **options)
        self.pid = self.process.pid

    def send_signal(self, signal):
        self.process.send_signal(signal)

    def wait(self):
        """Its status; what it printed is in `stdout` and `stderr` then."""
        self.stdout, self.stderr = self.process.communicate(timeout=60)
        return self.process.returncode

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


class PostgresRotationCase(RotationCase):
    settings = {}  # of the server

    @classmethod
    def setUpClass(cls):
        cls.server = PostgresServer(**cls.settings)
        cls.addClassCleanup(cls.server.close)

    def setUp(self):
        super().setUp()
        self.database = Postgres(self.server)
        self.addCleanup(lambda: self.database.close())

    def connect(self, **options):
        """Another session, which commits when it is told to."""
        connection = psycopg2.connect(self.database.address, **options)
        self.addCleanup(connection.close)
        return connection

    def start(self, *arguments, plan=PLAN, **settings):
        running = Running(self.command("--yes", *arguments, "--plan", self.write("plan.toml", plan)),
                          env=self.environment(**settings), cwd=self.directory)
        self.addCleanup(running.close)
        return running

    def proxy(self, **options):
        proxy = Proxy(self.server, self.directory, **options)
        self.addCleanup(proxy.close)
        return proxy

    def through(self, proxy):
        """The address of the database by way of it."""
        return f"host={proxy.host} port={self.server.port} user=postgres dbname={self.database.name}"

    @contextlib.contextmanager
    def held(self, *arguments, before="COMMIT", status=0, **options):
        """A rotation that stands still before it sends a command that begins so; it goes on at the end."""
        reached, goes_on = threading.Event(), threading.Event()

        def hold(message):
            if message.is_command(before) and not goes_on.is_set():
                reached.set()
                goes_on.wait(60)
        proxy = self.proxy(on_message=hold)
        self.addCleanup(goes_on.set)
        running = self.start(*arguments, DATABASE_URL=self.through(proxy), **options)
        while not reached.wait(0.01):
            if running.process.poll() is not None:
                running.wait()
                self.fail(f"it did not come to {before}: {running.stdout}{running.stderr}")
        yield running
        goes_on.set()
        self.assertEqual(running.wait(), status, running.stderr)

    def text_table(self, tokens, name="t", column="c", more=""):
        """A table of one encrypted column, and a plan for it."""
        self.database.execute(f"CREATE TABLE {name} (id integer PRIMARY KEY, {column} text)")
        for number, token in enumerate(tokens, 1):
            self.database.insert(name, **{"id": number, column: token})
        return TABLE_PLAN.format(table=name, column=column, more=more)


__all__ = ["Postgres", "PostgresRotationCase", "PostgresServer", "Running", "TABLE_PLAN", "psycopg2", "wait_for"]
