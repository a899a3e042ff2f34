"""Servers that misbehave, and what comes of a command then."""
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

FAULT_SERVER = pathlib.Path(__file__).parents[2] / "fakes" / "fault_server.py"
COMMAND_SECONDS = 30  # for which what may pass is tried
MOST_SECONDS = COMMAND_SECONDS + 15  # on a machine that is busy
MOST_REQUESTS = 60
END_SECONDS = 10
LONG_ENOUGH = 12  # of a secret, to be looked for in outputs
MOST_MEMORY_KB = 40 * 1024  # beyond what a command needs that has no trouble
OF_SANITIZERS = ("ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS", "LLVM_PROFILE_FILE")


class FaultServer:
    """tests/fakes/fault_server.py, which is told there what it does."""

    def __init__(self, *steps):
        self.process = subprocess.Popen([sys.executable, FAULT_SERVER, *steps], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.url = "http://127.0.0.1:" + self.process.stdout.readline().strip()

    def end(self):
        """Returns the requests that it read."""
        requests, _ = self.process.communicate("")
        return [json.loads(line) for line in requests.splitlines()]


def ends(pid_file):
    """Whether the process does, of which it is the file: one that was killed goes on until the machine has time for it.
    One that waits to be counted as dead has ended."""
    deadline = time.monotonic() + END_SECONDS
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        stat = pathlib.Path("/proc", pid_file.read_text().strip(), "stat")
        while stat.read_text().rpartition(")")[2].split()[0] != "Z":
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
    return True


class Ran:
    """A command to its end: status, out, error, seconds, and the most memory it had, in KiB."""

    def __init__(self, command, directory, environment):
        environment = environment | {name: os.environ[name] for name in OF_SANITIZERS if name in os.environ}
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
            begin = time.monotonic()
            child = subprocess.Popen(command, cwd=directory, env=environment, start_new_session=True,
                                     stdin=subprocess.DEVNULL, stdout=out, stderr=error)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = self.status = os.waitstatus_to_exitcode(status)
            self.seconds = time.monotonic() - begin
            self.memory_kb = usage.ru_maxrss
            out.seek(0)
            error.seek(0)
            self.out = out.read().decode()
            self.error = error.read().decode()


class FaultCase(unittest.TestCase):
    """`outcomes`: futures of what came of commands: a Ran with `requests` and `elsewhere`, the requests of whom nobody
    should ask. That called "good" had no trouble."""
    outcomes = {}

    def secrets_of(self, outcome):
        """Of which no piece may be shown."""
        raise NotImplementedError

    def assert_fails(self, key, status, *words):
        """Returns what came of it, after what holds for every failure."""
        outcome = self.outcomes[key].result()
        self.assertEqual((outcome.status, outcome.out), (status, ""), outcome.error)
        for word in (*words, "to mend it: "):
            self.assertIn(word, outcome.error)
        for secret in self.secrets_of(outcome):
            for at in range(0, len(secret) - LONG_ENOUGH + 1):
                self.assertNotIn(secret[at:at + LONG_ENOUGH], outcome.error.replace("\n", ""))
        self.assertLess(outcome.seconds, MOST_SECONDS)
        if "ASAN_OPTIONS" not in os.environ:  # which keeps what was freed
            self.assertLess(outcome.memory_kb, self.outcomes["good"].result().memory_kb + MOST_MEMORY_KB)
        self.assertEqual(outcome.elsewhere, [])
        return outcome

    def assert_passing(self, key, *words, status=69):
        """Whoever waits for the failure to pass asks for as long as it may, and not all the time."""
        outcome = self.assert_fails(key, status, *words, "gave up after 30000 ms")
        self.assertGreater(outcome.seconds, COMMAND_SECONDS / 2)
        self.assertLess(len(outcome.requests), MOST_REQUESTS)
        return outcome

    def assert_definite(self, key, status, *words, requests=1):
        """Is said at once."""
        outcome = self.assert_fails(key, status, *words)
        self.assertNotIn("gave up", outcome.error)
        self.assertLess(outcome.seconds, COMMAND_SECONDS / 2)
        self.assertEqual(len(outcome.requests), requests)
        return outcome
