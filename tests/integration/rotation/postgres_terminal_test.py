#!/usr/bin/env python3
"""postgres_terminal_test.py QSECRETS: a rotation in PostgreSQL as a person at a terminal meets it."""
import os
import pty
import signal
import subprocess
import unittest

from postgres_rotation_case import PostgresRotationCase
from rotation_case import PLAN


class Terminals(PostgresRotationCase):
    """Asked at a terminal whether it shall begin."""

    def setUp(self):
        super().setUp()
        self.make_tables()
        self.terminal, inner = pty.openpty()
        self.addCleanup(os.close, self.terminal)
        self.process = subprocess.Popen(self.command("--plan", self.write("plan.toml", PLAN)), env=self.environment(),
                                        cwd=self.directory, stdin=inner, stdout=inner, stderr=inner,
                                        start_new_session=True)
        os.close(inner)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)
        self.said = ""
        self.read_until("[y/N]")

    def read_until(self, text):
        while text not in self.said:
            try:
                received = os.read(self.terminal, 4096)
            except OSError:  # nobody has its other end any more
                received = b""
            self.assertTrue(received, f"{text} is not in {self.said}")
            self.said += received.decode()

    def test_it_says_what_it_would_do_before_it_asks_and_holds_nothing_meanwhile(self):
        self.assertIn(self.database.name, self.said)
        self.assertIn("backup", self.said)
        self.assertEqual(self.database.value("SELECT count(*) FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND "
                                             "pid <> pg_backend_pid() AND datname = current_database()"), 0)

    def test_yes_rotates(self):
        os.write(self.terminal, b"y\n")
        self.read_until("committed: the new key opens every value")
        self.assertEqual(self.process.wait(60), 0)
        self.assert_rotated()

    def test_anything_else_does_not(self):
        os.write(self.terminal, b"\n")
        self.read_until("not confirmed; nothing was changed")
        self.assertEqual(self.process.wait(60), 64)
        self.assert_as_it_was()

    def test_a_signal_ends_the_question(self):
        self.process.send_signal(signal.SIGINT)
        self.assertEqual(self.process.wait(60), -signal.SIGINT)
        self.assert_as_it_was()

    def test_whoever_waits_long_with_the_answer_has_not_lost_the_connection(self):
        self.server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND "
                        "application_name LIKE 'qsecrets%%'", [self.database.name])
        os.write(self.terminal, b"y\n")
        self.read_until("committed: the new key opens every value")
        self.assertEqual(self.process.wait(60), 0)
        self.assert_rotated()


class Bars(PostgresRotationCase):
    def test_a_terminal_shows_a_bar_with_rate(self):
        plan = self.text_table([])
        self.database.execute("INSERT INTO t SELECT i, %s FROM generate_series(1, 60000) i; ANALYZE t", [self.token("fake")])
        terminal, inner = pty.openpty()
        self.addCleanup(os.close, terminal)
        running = subprocess.Popen(self.command("--yes", "--plan", self.write("plan.toml", plan)), stdin=subprocess.DEVNULL,
                                   env=self.environment(), cwd=self.directory, stdout=subprocess.PIPE, stderr=inner)
        os.close(inner)
        said = b""
        try:
            while received := os.read(terminal, 4096):
                said += received
        except OSError:
            pass
        running.communicate(timeout=60)
        self.assertEqual(running.returncode, 0)
        self.assertRegex(said.decode(), r"rotating \[#*\.*\] +\d+%")
        self.assertIn("\r\x1b[K", said.decode())  # it is taken away in the end


if __name__ == "__main__":
    unittest.main()
