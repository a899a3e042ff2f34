#!/usr/bin/env python3
"""postgres_crash_test.py QSECRETS: whoever dies at whichever step, the database is entirely old or entirely new, and
opens with a key that is on the disk."""
import collections
import itertools
import shutil
import signal
import subprocess
import unittest

from postgres_proxy import Cut
from postgres_rotation_case import PostgresRotationCase, wait_for
from rotation_case import PLAN

# What the client does at each step: it writes the key, it sends to the database.
CALLS = "write,fsync,sendto"


class CrashCase(PostgresRotationCase):
    """The key is made by the rotation: there is nothing to open new values with but its file."""

    def environment(self, **settings):
        return super().environment(**{"INSTANCE_ENCRYPTION_KEY": self.old, "INSTANCE_ENCRYPTION_KEY_PREVIOUS": None,
                                      **settings})

    def outcome(self, key):
        """"old" or "new"; anything else fails."""
        tokens = self.url_tokens()
        if tokens == self.tokens:
            self.assertEqual(self.credential_tokens(), self.old_credentials)
            self.assertEqual(self.audit_rows(), 0)
            return "old"
        self.assert_rotated(key.read_text().strip())
        self.assertEqual(self.audit_rows(), 1)
        return "new"

    def make_tables(self):
        super().make_tables()
        self.old_credentials = self.credential_tokens()

    def audit_rows(self):
        if self.database.value("SELECT to_regclass('qarion_secrets_rotations')") is None:
            return 0
        return self.database.value("SELECT count(*) FROM qarion_secrets_rotations")

    def make_old_again(self):
        self.database.execute("DROP TABLE instances, export_configs, qarion_secrets_rotations")
        self.make_tables()

    def key_file(self, name):
        return self.directory / f"{name}.key"

    def generate(self, key):
        return self.command("--yes", "--generate", key, "--plan", self.write("plan.toml", PLAN))


class Client(CrashCase):
    @unittest.skipUnless(shutil.which("strace"), "strace is not installed: tools/setup.sh test")
    def test_killed_before_any_system_call_that_matters(self):
        """strace kills the process before the nth call of one of its threads."""
        self.make_tables()
        calls = self.calls()
        self.make_old_again()
        self.assertEqual(set(calls), set(CALLS.split(",")))
        self.assertGreater(calls["sendto"], 20)
        for call, count in calls.items():
            outcomes = [self.killed_before(call, number) for number in range(1, count + 1)]
            # Once there is a commit there is no way back; what is printed comes after it.
            self.assertEqual(outcomes, sorted(outcomes, reverse=True))
            self.assertEqual(outcomes[0], "old")

    def calls(self):
        """How many of each there are in the thread that has most."""
        log = self.directory / "strace"
        self.assertEqual(self.trace(log, self.key_file("first")), 0)
        counts = collections.Counter((line.split()[1].partition("(")[0], line.split()[0])
                                     for line in log.read_text().splitlines() if "(" in line)
        most = collections.Counter()
        for (call, _), count in counts.items():
            most[call] = max(most[call], count)
        return {call: most[call] for call in CALLS.split(",") if most[call]}

    def trace(self, log, key, *options):
        return subprocess.run(["strace", "-f", "-qq", "-o", log, "-e", f"trace={CALLS}", *options, *self.generate(key)],
                              env=self.environment(), cwd=self.directory, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=60).returncode

    def killed_before(self, call, number):
        key = self.key_file(f"{call}{number}")
        self.assertEqual(self.trace("/dev/null", key, "-e", f"inject={call}:signal=KILL:when={number}"), -signal.SIGKILL)
        wait_for(lambda: not self.database.sessions(), "the end of its sessions")
        outcome = self.outcome(key)
        if outcome == "new":
            self.make_old_again()
        return outcome


class Server(CrashCase):
    """All processes of the server are killed at the nth step, and it is started again."""
    settings = {"synchronous_commit": "on"}  # what it has acknowledged is in the kernel's hands

    def rotate_through(self, key, **look):
        """`look`: at each step of one direction, with its number."""
        numbers = itertools.count(1)
        (direction, at_step), = look.items()
        # A connection, a command; that one was accepted, that the other is done.
        kinds = ("", "P", "Q") if direction == "on_message" else ("R", "C")
        proxy = self.proxy(**{direction: lambda message: message.kind in kinds and at_step(next(numbers))})
        result = subprocess.run(self.generate(key), env=self.environment(DATABASE_URL=self.through(proxy)), text=True,
                                cwd=self.directory, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
        proxy.close()
        return result

    def crashed_at(self, direction, number):
        """The outcome where the server dies before the nth step is passed on; the command tells it as it is."""
        def crash(step):
            if step == number:
                self.server.crash()
                self.server.start()
                raise Cut
        key = self.key_file(f"{direction}{number}")
        result = self.rotate_through(key, **{direction: crash})
        self.database.close()
        self.database.connect()
        wait_for(lambda: not self.database.sessions(), "the end of its sessions")
        outcome = self.outcome(key)
        # 74: asked after its crash, it knows nothing of a commit that never reached it.
        self.assertIn(result.returncode, [0] if outcome == "new" else [69, 74], f"{number}: {result.stderr}")
        if outcome == "new":
            self.make_old_again()
        return outcome

    def check_every_step(self, direction):
        self.make_tables()
        steps = []
        result = self.rotate_through(self.key_file("first"), **{direction: steps.append})
        self.assertEqual(result.returncode, 0, result.stderr)
        self.make_old_again()
        outcomes = [self.crashed_at(direction, number) for number in range(1, len(steps) + 1)]
        # "new" also where it died so early that the command could connect again and go on.
        self.assertEqual(set(outcomes), {"old", "new"})

    def test_killed_before_it_gets_a_command(self):
        self.check_every_step("on_message")

    def test_killed_before_the_client_gets_its_answer(self):
        self.check_every_step("on_answer")


if __name__ == "__main__":
    unittest.main()
