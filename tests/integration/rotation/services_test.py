#!/usr/bin/env python3
"""services_test.py QSECRETS FIELD_SERVICE: keys are changed as the guide has it while a service is at work."""
import contextlib
import sqlite3
import unittest

from postgres_rotation_case import TABLE_PLAN, PostgresRotationCase
from service_fleet import BATCH, Fleet, Replica, Service
from sqlite_test import SqliteCase

ROWS = 20_000
PLAN = TABLE_PLAN.format(table="t", column="c", more="")


class Services:
    def service(self, *keys):
        return Service(self.directory, *keys)

    def start_fleet(self, *keys_of_each):
        self.fill([self.token(f"fake-{row}-0") for row in range(1, ROWS + 1)])
        self.fleet = self.make_fleet()
        self.replicas = []
        self.addCleanup(self.stop_all)
        for number, keys in enumerate(keys_of_each):
            self.replicas.append(Replica(self.fleet, number, self.service(*keys)))
        self.work(batches=2, edits=2)

    def stop_all(self):
        while self.replicas:
            self.replicas.pop().stop()

    def work(self, **amount):
        """Until each replica has done so much more."""
        for replica in self.replicas:
            replica.wait_for(**amount)

    def roll_out(self, *keys, replicas=slice(None)):
        """One replica after the other; all the others are at work meanwhile, and after each."""
        for replica in self.replicas[replicas]:
            replica.stop()
            replica.start(self.service(*keys))
            self.work(batches=2, edits=2)
            self.assertEqual(self.fleet.failures, [])

    def read_all(self, *keys):
        """With these keys alone."""
        service = self.service(*keys)
        connection = self.fleet.connect()
        with contextlib.closing(connection):
            cursor = connection.cursor()
            read = sum(self.fleet.read_batch(cursor, service, first) for first in range(0, ROWS, BATCH))
        self.assertEqual((read, service.close()), (ROWS, 0))

    def test_no_replica_ever_meets_a_value_that_it_cannot_open(self):
        self.start_fleet(*[(self.old,)] * 4)
        self.roll_out(self.old, self.new)
        self.roll_out(self.new, self.old, replicas=slice(2))
        # Two replicas write with the old key all the while.
        self.rotate_at_work()
        self.roll_out(self.new, self.old, replicas=slice(2, 4))
        report = self.rotate(plan=PLAN)
        self.assertGreater(self.counts(report, "t.c")["rotated"], 0)
        self.work(batches=2, edits=2)
        self.verify(plan=PLAN)
        self.roll_out(self.new)
        self.verify(plan=PLAN, INSTANCE_ENCRYPTION_KEY_PREVIOUS=None)
        self.stop_all()
        self.read_all(self.new)
        self.assertEqual(self.fleet.failures, [])

    def test_without_the_first_step_there_would_be_failures(self):
        self.start_fleet((self.old,), (self.old,))
        self.replicas[0].stop()
        self.replicas[0].start(self.service(self.new, self.old))
        self.replicas[1].wait_for(batches=10 * ROWS // BATCH)
        self.assertIn("failed the token is not valid", self.fleet.failures[0])


class PostgresServices(Services, PostgresRotationCase):
    def fill(self, tokens):
        self.database.execute("CREATE TABLE t (id integer PRIMARY KEY, c text)")
        self.database.execute("INSERT INTO t SELECT * FROM unnest(%s, %s)", [list(range(1, ROWS + 1)), tokens])

    def make_fleet(self):
        return Fleet(ROWS, lambda: self.server.connect(self.database.name))

    def rotate_at_work(self):
        """It stands still before its commit until every replica has read the whole table once."""
        with self.held(plan=PLAN):
            self.work(batches=ROWS // BATCH)
        self.assertEqual(self.fleet.failures, [])


class SqliteServices(Services, SqliteCase):
    def fill(self, tokens):
        self.database.execute("PRAGMA journal_mode = WAL")
        self.database.execute("CREATE TABLE t (id integer PRIMARY KEY, c text)")
        self.database.execute("BEGIN")
        self.database.connection.executemany("INSERT INTO t VALUES (?, ?)", enumerate(tokens, 1))
        self.database.execute("COMMIT")

    def make_fleet(self):
        return Fleet(ROWS, lambda: sqlite3.connect(self.database.path, timeout=30, isolation_level=None), place="?")

    def rotate_at_work(self):
        before = [replica.batches_read for replica in self.replicas]
        self.rotate("--lock-timeout", "30", plan=PLAN)
        for replica, batches in zip(self.replicas, before):
            self.assertGreater(replica.batches_read, batches)
        self.assertEqual(self.fleet.failures, [])


if __name__ == "__main__":
    unittest.main()
