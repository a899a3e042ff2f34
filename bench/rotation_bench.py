#!/usr/bin/env python3
"""rotation_bench.py QSECRETS [ROWS]: a rotation beside the database's own UPDATE of the same rows, and beside the loop
that a service would write with psycopg2 and `cryptography`."""
import json
import os
import pathlib
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

from cryptography.fernet import Fernet, MultiFernet

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/integration/rotation"))
from postgres_server import PostgresServer  # noqa: E402

QSECRETS = pathlib.Path(sys.argv[1]).resolve()
ROWS = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
RUNS = 3
LOOP_ROWS = 50_000
# What the operating system says of a process counts what it was before it became the command: a small one, here.
LAUNCHER = "import os, sys; pid = os.fork() or os.execv(sys.argv[1], sys.argv[1:]); print(os.wait4(pid, 0)[2].ru_maxrss)"
DISTINCT_TOKENS = 5_000
PLAN = "".join(f'[[table]]\nname = "{table}"\n  [[table.column]]\n  name = "database_url"\n'
               for table in ("instances", "archive"))
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
# 184 characters each, as a connection string of 80 bytes makes them.
TOKENS = [Fernet(OLD).encrypt(f"postgresql://app:{number:016d}@db.example.com:5432/application?sslmode=verify".ljust(80)
                              [:80].encode()).decode() for number in range(DISTINCT_TOKENS)]


def rows():
    for number in range(ROWS // 2):
        yield number, f"instance {number}", TOKENS[number % DISTINCT_TOKENS], "a note that stays as it is"


class Rows:
    """What COPY reads, without keeping it."""

    def __init__(self):
        self.rows = rows()

    def read(self, size):
        text = ""
        while len(text) < size:
            row = next(self.rows, None)
            if row is None:
                break
            text += "\t".join(map(str, row)) + "\n"
        return text


def fill_postgres(connection):
    with connection.cursor() as cursor:
        for table in ("instances", "archive"):
            cursor.execute(f"DROP TABLE IF EXISTS {table}")
            cursor.execute(f"CREATE TABLE {table} (id bigint PRIMARY KEY, name text, database_url text, note text)")
            cursor.copy_expert(f"COPY {table} FROM STDIN", Rows())
        cursor.execute("CREATE INDEX ON instances (name)")
        for statement in ("VACUUM ANALYZE instances", "VACUUM ANALYZE archive", "CHECKPOINT"):
            cursor.execute(statement)


def timed(work):
    begin = time.monotonic()
    result = work()
    return time.monotonic() - begin, result


def floor(connection):
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        for table in ("instances", "archive"):
            cursor.execute(f"UPDATE {table} SET database_url = database_url || ''")
        cursor.execute("COMMIT")


def rotate(address, plan):
    """Its report, and the most memory that it had."""
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": address, "INSTANCE_ENCRYPTION_KEY": NEW,
                   "INSTANCE_ENCRYPTION_KEY_PREVIOUS": OLD}
    measured = subprocess.run([sys.executable, "-I", "-S", "-c", LAUNCHER, QSECRETS, "rotate", "encryption-key", "--yes",
                               "--output", "json", "--plan", plan],
                              env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              cwd=plan.parent, check=True)
    report, _, peak = measured.stdout.rstrip().rpartition("\n")
    report = json.loads(report)
    assert report["outcome"] == "committed", report
    return report, int(peak) / 1024


def loop(connection):
    """As a service would write it: one UPDATE a row."""
    ring = MultiFernet([Fernet(NEW), Fernet(OLD)])
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT id, database_url FROM instances LIMIT %s", (LOOP_ROWS,))
        for number, token in cursor.fetchall():
            cursor.execute("UPDATE instances SET database_url = %s WHERE id = %s",
                           (ring.rotate(token.encode()).decode(), number))
        cursor.execute("COMMIT")


def show(name, rate, reference):
    print(f"  {name:46} {rate:12,.0f} rows/s  {rate / reference:6.2f}x")


def report_rates(title, floor_name, floors, reports, memory):
    reference = ROWS / statistics.median(floors)
    print(f"\n== {title}: {ROWS:,} rows, two tables, one transaction ==")
    show(floor_name, reference, reference)

    def rate(*left_out):
        return ROWS / statistics.median(
            sum(time for step, time in report["milliseconds"].items() if step not in left_out) / 1000
            for report in reports)
    show("rotation, without search and proof", rate("search", "prove"), reference)
    show("rotation, without the search", rate("search"), reference)
    show("rotation, all of it", rate(), reference)
    print(f"  most resident memory: {max(memory):.1f} MB")
    return reference


def postgres(plan):
    server = PostgresServer(fsync=True, max_wal_size="8GB", shared_buffers="512MB")
    try:
        connection = server.connect()
        floors, reports, memory = [], [], []
        for _ in range(RUNS):
            fill_postgres(connection)
            floors.append(timed(lambda: floor(connection))[0])
            fill_postgres(connection)
            report, peak = rotate(server.address(), plan)
            reports.append(report)
            memory.append(peak)
        reference = report_rates("PostgreSQL", "UPDATE ... SET c = c || '', server-side", floors, reports, memory)
        fill_postgres(connection)
        show(f"loop with psycopg2 and cryptography ({LOOP_ROWS:,})", LOOP_ROWS / timed(lambda: loop(connection))[0],
             reference)
        connection.close()
    finally:
        server.close()


def sqlite(directory, plan):
    floors, reports, memory = [], [], []
    for run in range(2 * RUNS):
        path = directory / "app.db"
        path.unlink(missing_ok=True)
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("BEGIN")
        for table in ("instances", "archive"):
            connection.execute(f"CREATE TABLE {table} (id integer PRIMARY KEY, name text, database_url text, note text)")
            connection.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?)", rows())
        connection.execute("CREATE INDEX by_name ON instances (name)")
        connection.execute("COMMIT")
        if run % 2 == 0:
            def update():
                connection.execute("BEGIN IMMEDIATE")
                for table in ("instances", "archive"):
                    # SQLite writes nothing where a value stays what it is.
                    connection.execute(f"UPDATE {table} SET database_url = substr(database_url, 2) || '='")
                connection.execute("COMMIT")
            floors.append(timed(update)[0])
        connection.close()
        if run % 2 == 1:
            report, peak = rotate(f"sqlite:{path}", plan)
            reports.append(report)
            memory.append(peak)
    report_rates("SQLite", "UPDATE ... SET c = substr(c, 2) || '=' in the library", floors, reports, memory)


def main():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as temporary:
        directory = pathlib.Path(temporary)
        plan = directory / "plan.toml"
        plan.write_text(PLAN)
        postgres(plan)
        sqlite(directory, plan)


if __name__ == "__main__":
    main()
