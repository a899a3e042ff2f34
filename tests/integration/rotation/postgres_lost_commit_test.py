#!/usr/bin/env python3
"""postgres_lost_commit_test.py QSECRETS: the connection to PostgreSQL is lost while the commit is on its way."""
import json
import pathlib
import signal
import unittest

from postgres_proxy import Cut
from postgres_rotation_case import PostgresRotationCase, wait_for


class Commits(PostgresRotationCase):
    # Nobody is there who would confirm a commit: where a session wants that, its commit waits.
    settings = {"synchronous_commit": "local", "synchronous_standby_names": "nobody"}

    def setUp(self):
        super().setUp()
        self.make_tables()
        self.reaches_the_server = False

    def cut_at_commit(self, reaches_the_server, comes_back):
        """The report and the status of a rotation whose connection is cut at its commit."""
        def at_message(message):
            if message.is_command("COMMIT"):
                self.committing = message.connection
                if not reaches_the_server:
                    self.cut(proxy, comes_back)

        def at_answer(message):
            if message.kind == "C" and message.body == b"COMMIT\0" and message.connection is self.committing:
                self.cut(proxy, comes_back)
        self.committing = None
        proxy = self.proxy(on_message=at_message, on_answer=at_answer)
        running = self.start("--output", "json", DATABASE_URL=self.through(proxy))
        status = running.wait()
        self.assertIsNotNone(self.committing, running.stderr)
        return status, json.loads(running.stdout), running.stderr

    def cut(self, proxy, comes_back):
        if not comes_back:
            proxy.cut()
        raise Cut

    def test_it_was_not_done_and_the_database_says_so(self):
        status, report, said = self.cut_at_commit(reaches_the_server=False, comes_back=True)
        self.assertEqual((status, report["outcome"]), (69, "rolled_back"), said)
        self.assert_as_it_was()
        self.verify("--rotation", report["rotation"], status=65)

    def test_it_was_done_and_the_database_says_so(self):
        status, report, said = self.cut_at_commit(reaches_the_server=True, comes_back=True)
        self.assertEqual((status, report["outcome"]), (0, "committed"), said)
        self.assert_rotated()

    def test_it_was_not_done_and_the_database_cannot_be_asked(self):
        status, report, said = self.cut_at_commit(reaches_the_server=False, comes_back=False)
        self.assertEqual((status, report["outcome"]), (74, "unknown"), said)
        self.assertIn(f"verify --rotation {report['rotation']}", said)
        self.assert_as_it_was()
        refused = self.run_rotate("verify", "--rotation", report["rotation"])
        self.assertEqual(refused.returncode, 65)
        self.assertIn("was not committed", refused.stderr)

    def test_it_was_done_and_the_database_cannot_be_asked(self):
        status, report, said = self.cut_at_commit(reaches_the_server=True, comes_back=False)
        self.assertEqual((status, report["outcome"]), (74, "unknown"), said)
        self.assertIn(f"verify --rotation {report['rotation']}", said)
        self.assert_rotated()
        self.verify("--rotation", report["rotation"])

    def commit_waits(self):
        return self.database.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") > 0

    def test_it_is_still_being_done(self):
        """The audit row is not to be seen yet, and that means nothing."""
        connections = []

        def remember(message):
            if message.is_command("COMMIT"):
                connections.append(message.connection)
        running = self.start("--output", "json", PGOPTIONS="-c synchronous_commit=on",
                             DATABASE_URL=self.through(self.proxy(on_message=remember)))
        wait_for(self.commit_waits, "waiting for the standby")
        connections[0].close()
        self.assertEqual(running.wait(), 74, running.stderr)
        report = json.loads(running.stdout)
        self.assertEqual(report["outcome"], "unknown")
        self.database.execute("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
        wait_for(lambda: not self.database.sessions(), "the end of the commit")
        self.assert_rotated()
        self.verify("--rotation", report["rotation"])

    def test_a_signal_does_not_cut_it_off(self):
        messages = []
        running = self.start("--output", "json", PGOPTIONS="-c synchronous_commit=on",
                             DATABASE_URL=self.through(self.proxy(on_message=messages.append)))
        wait_for(self.commit_waits, "waiting for the standby")
        running.send_signal(signal.SIGTERM)
        wait_for(lambda: "ShdPnd:\t" + "0" * 16 in self.process_status(running), "the taking of the signal")
        self.database.execute("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
        self.assertEqual(running.wait(), 0, running.stderr)  # it came too late
        self.assertEqual(json.loads(running.stdout)["outcome"], "committed")
        self.assert_rotated()
        self.assertFalse([message for message in messages if message.is_cancel_request()])

    def process_status(self, running):
        return pathlib.Path(f"/proc/{running.pid}/status").read_text()


if __name__ == "__main__":
    unittest.main()
