#!/usr/bin/env python3
"""postgres_signals_test.py QSECRETS: a signal stops a rotation in PostgreSQL, which is rolled back and said to be."""
import itertools
import signal
import unittest

from postgres_rotation_case import PostgresRotationCase, wait_for
from rotation_case import PLAN

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# The server waits in the midst of the update, for a lock that the test has.
PAUSE = ("CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS "
         "$$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END $$; "
         "CREATE TRIGGER pause BEFORE UPDATE ON instances FOR EACH ROW WHEN (OLD.id = 3) EXECUTE FUNCTION pause()")


class Signals(PostgresRotationCase):
    def setUp(self):
        super().setUp()
        self.make_tables()

    def assert_stopped(self, running, number):
        running.send_signal(number)
        self.assertEqual(running.wait(), -number, running.stderr)
        self.assertIn("rolled back: nothing was changed", running.stdout)
        self.assertIn("the rotation was stopped; nothing was changed", running.stderr)
        wait_for(lambda: not self.database.sessions(), "the end of its sessions")
        self.assert_as_it_was()

    def test_while_it_waits_for_a_lock(self):
        for number in STOPPING:
            writer = self.connect()
            writer.cursor().execute("UPDATE instances SET name = 'edited' WHERE id = 1")
            running = self.start("--lock-timeout", "600")
            wait_for(lambda: self.database.waiting("LOCK TABLE"), "waiting for the writer")
            self.assert_stopped(running, number)
            writer.rollback()
        self.rotate()

    def test_in_the_midst_of_an_update_that_takes_long(self):
        self.database.execute(PAUSE)
        self.database.execute("SELECT pg_advisory_lock(1)")
        for number in STOPPING:
            running = self.start("--lock-timeout", "600")
            wait_for(lambda: self.database.waiting("UPDATE ONLY"), "the update")
            self.assert_stopped(running, number)
        self.database.execute("SELECT pg_advisory_unlock(1)")
        self.rotate()

    def test_in_the_midst_of_reading(self):
        self.database.execute("CREATE FUNCTION pause(integer) RETURNS boolean LANGUAGE plpgsql AS "
                              "$$ BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN true; END $$")
        self.database.execute("SELECT pg_advisory_lock(1)")
        plan = PLAN.replace('name = "instances"', 'name = "instances"\nwhere = "pause(id)"')
        for action in ([], ["--dry-run"]):
            running = self.start("--lock-timeout", "600", *action, plan=plan)
            wait_for(lambda: self.database.waiting("COPY"), "the reading")
            self.assert_stopped(running, signal.SIGINT)

    def test_at_any_step_it_is_rolled_back_or_said_to_be_committed(self):
        """The signal comes before the nth command is passed on to the server."""
        commands = []
        self.rotate(DATABASE_URL=self.through(self.proxy(
            on_message=lambda message: message.kind in "PQ" and commands.append(message))))
        self.database.execute("DROP TABLE instances, export_configs, qarion_secrets_rotations")
        self.make_tables()
        outcomes = set()
        for step in sorted({*range(1, len(commands), 9), *range(len(commands) - 6, len(commands) + 1)}):
            outcomes.add(self.outcome_where_it_comes_before(step))
        self.assertEqual(outcomes, {"old", "new"})

    def outcome_where_it_comes_before(self, step):
        numbers = itertools.count(1)

        def look(message):
            if message.kind in "PQ" and next(numbers) == step:
                running.send_signal(signal.SIGTERM)
        reached = self.proxy(on_message=look)
        running = self.start(DATABASE_URL=self.through(reached))
        status = running.wait()
        reached.close()
        wait_for(lambda: not self.database.sessions(), "the end of its sessions")
        if self.url_tokens() == self.tokens:
            self.assertEqual(status, -signal.SIGTERM, running.stderr)
            self.assertNotIn("committed", running.stdout)
            return "old"
        # What comes when everything is done may come too late.
        self.assertIn(status, (0, -signal.SIGTERM), running.stderr)
        self.assertIn("committed: the new key opens every value", running.stdout)
        self.assert_rotated()
        self.database.execute("DROP TABLE instances, export_configs, qarion_secrets_rotations")
        self.make_tables()
        return "new"


if __name__ == "__main__":
    unittest.main()
