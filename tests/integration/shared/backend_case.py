"""What the tests of remote backends share: a directory, and ways to run the command and a service."""
import json
import os
import pathlib
import queue
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest

QSECRETS = os.path.abspath(sys.argv.pop(1))
READER = os.path.abspath(sys.argv.pop(1))

FIELDS = {"SECRET_KEY": "fake-signing-key-0123456789abcdef", "POSTGRES_PASSWORD": "fake password"}


def directory_of(case):
    """A directory that lasts as long as a class of tests."""
    directory = tempfile.TemporaryDirectory()
    case.addClassCleanup(directory.cleanup)
    return pathlib.Path(directory.name)


class BackendCase(unittest.TestCase):
    """Each test has a directory, which is the home too."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def write(self, name, text):
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_text(text)
        return str(path)

    def backend_settings(self):
        """What selects the backend and its server, and nothing to log in with."""
        raise NotImplementedError

    def environment(self, **settings):
        """Those and further settings; None takes one away."""
        settings = {"PATH": os.environ["PATH"], "HOME": str(self.directory), **self.backend_settings(),
                    **settings}
        for name in ("ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS", "LLVM_PROFILE_FILE"):
            if name in os.environ:
                settings.setdefault(name, os.environ[name])
        return {name: value for name, value in settings.items() if value is not None}

    def run_command(self, *arguments, **settings):
        return subprocess.run([QSECRETS, *arguments], cwd=self.directory, check=False, timeout=90,
                              env=self.environment(**settings), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def assert_gets(self, field=None, **settings):
        result = self.run_command("get", field or "SECRET_KEY", **settings)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout, FIELDS[field or "SECRET_KEY"])

    def assert_fails(self, status, *words, command=("get", "SECRET_KEY"), **settings):
        result = self.run_command(*command, **settings)
        self.assertEqual(result.returncode, status, result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)
        self.assertIn("to mend it: ", result.stderr)
        return result

    def findings(self, **settings):
        """What `check` finds about the way to the secret, and not about the values."""
        result = self.run_command("check", "--output", "json", **settings)
        found = json.loads(result.stdout)["findings"]
        return result.returncode, [finding for finding in found if finding["subject"] not in FIELDS]

    def assert_finds(self, status, severity, subject, *words, **settings):
        """The first finding about the subject is of that severity, and the words are in those about it."""
        code, findings = self.findings(**settings)
        found = [finding for finding in findings if finding["subject"] == subject]
        self.assertTrue(found, findings)
        text = " ".join(finding["problem"] + " " + finding["cure"] for finding in found)
        for word in words:
            self.assertIn(word, text)
        self.assertEqual((code, found[0]["severity"]), (status, severity))

    def report(self, **settings):
        """Of `check`."""
        return json.loads(self.run_command("check", "-o", "json", **settings).stdout)

    def details(self, **settings):
        return self.report(**settings)["details"]

    def reader(self, *arguments, **settings):
        reader = Reader(arguments, self.environment(**settings), self.directory)
        self.addCleanup(reader.close)
        return reader


class Reader:
    """A service: reads SECRET_KEY all the time, and tells what changed and what failed."""

    def __init__(self, arguments, environment, directory):
        self.process = subprocess.Popen(
            [READER, *map(str, arguments)], env=environment, cwd=directory, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        self.errors = []
        threading.Thread(target=self.collect, daemon=True).start()
        threading.Thread(target=self.collect_errors, daemon=True).start()

    def collect(self):
        for line in self.process.stdout:
            self.lines.put({**json.loads(line), "at": time.monotonic()})
        self.lines.put(None)

    def collect_errors(self):
        for line in self.process.stderr:
            self.errors.append(line)

    def next(self, seconds=30):
        """The next thing it tells, or None at its end."""
        try:
            return self.lines.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError("the reader tells nothing:\n" + "".join(self.errors)) from None

    def expect(self, seconds=30, **wanted):
        """Reads as far as an event with these members."""
        deadline = time.monotonic() + seconds
        seen = []
        while time.monotonic() < deadline:
            event = self.next(max(0.01, deadline - time.monotonic()))
            if event is None:
                break
            seen.append(event)
            if all(event.get(name) == value for name, value in wanted.items()):
                return event
        raise AssertionError(f"{wanted} did not come; there was {seen}\n" + "".join(self.errors))

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def ask(self, command, seconds=30):
        self.tell(command)
        return self.expect(seconds, event=command)

    def status(self):
        return self.ask("status")["details"]

    def wait_for_status(self, condition, what, seconds=30):
        deadline = time.monotonic() + seconds
        while True:
            status = self.status()
            if condition(status):
                return status
            if time.monotonic() > deadline:
                raise AssertionError(f"{what} did not happen: {status}\n" + "".join(self.errors))
            time.sleep(0.05)

    def end(self):
        """Ends it; returns its summary."""
        self.process.stdin.close()
        return self.expect(event="end")

    def close(self):
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()


def wait_for(condition, what, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise AssertionError(what + " did not happen")


def seconds_in(text):
    """Of "in 12 s"."""
    return int(re.search(r"in (\d+) s", text).group(1))
