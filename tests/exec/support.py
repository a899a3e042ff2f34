"""What the tests of `qsecrets exec` share: a directory with fake secrets, and ways to run the command."""
import os
import pathlib
import secrets
import select
import subprocess
import sys
import tempfile
import time
import unittest

QSECRETS = os.path.abspath(sys.argv.pop(1))
PYTHON = [sys.executable, "-I", "-S", "-u", "-c"]
WAIT_SECONDS = 20

MULTI_LINE = "FAKE_MULTI_LINE"


def fake_secrets():
    values = {name: "fake" + secrets.token_urlsafe(36) for name in (
        "SECRET_KEY", "POSTGRES_PASSWORD", "LLM_API_KEY_FAKE")}
    values[MULTI_LINE] = "\n".join("fake" + secrets.token_hex(16) for _ in range(4))
    return values


class ExecCase(unittest.TestCase):
    """Runs in a directory of its own whose `.env` holds `values`; the environment is minimal."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.values = fake_secrets()
        self.environment = {"PATH": os.environ["PATH"], "HOME": directory.name, "AMBIENT": "kept",
                            "SECRETS_FIELDS": MULTI_LINE}
        self.write_env_file(self.values)

    def write_env_file(self, values):
        path = self.directory / ".env"
        path.touch(mode=0o600)
        path.write_text("".join(f"{name}='{value}'\n" for name, value in values.items()))

    def exec(self, *arguments, **options):
        """Runs to the end; returns the CompletedProcess with bytes."""
        options = {"cwd": self.directory, "env": self.environment, "stdin": subprocess.DEVNULL,
                   "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": WAIT_SECONDS,
                   **options}
        return subprocess.run([QSECRETS, "exec", *arguments], **options)

    def start(self, *arguments, **options):
        """Starts it with a pipe for standard output; it is killed at the end of the test."""
        options = {"cwd": self.directory, "env": self.environment, "stdin": subprocess.DEVNULL,
                   "stdout": subprocess.PIPE, "bufsize": 0, **options}
        process = subprocess.Popen([QSECRETS, "exec", *arguments], **options)
        self.addCleanup(self.put_away, process)
        return process

    @staticmethod
    def put_away(process):
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()

    def assert_no_value_in(self, data):
        for name, value in self.values.items():
            self.assertNotIn(value.encode(), data, name)


def read_until(descriptor, wanted, seconds=WAIT_SECONDS):
    """Reads until `wanted` is in what came, and returns all that came."""
    deadline = time.monotonic() + seconds
    data = b""
    while wanted not in data:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            raise AssertionError(f"{wanted!r} did not come; there was {data!r}")
        piece = os.read(descriptor, 65536)
        if not piece:
            raise AssertionError(f"the end came before {wanted!r}; there was {data!r}")
        data += piece
    return data


class Terminal:
    """The side of a terminal that a person has."""

    def __init__(self, descriptor):
        self.descriptor = descriptor
        self.unread = b""

    def type(self, keys):
        os.write(self.descriptor, keys)

    def expect(self, wanted):
        """Reads as far as the end of `wanted`; returns what was read."""
        if wanted not in self.unread:
            self.unread += read_until(self.descriptor, wanted)
        read, _, self.unread = self.unread.partition(wanted)
        return read + wanted


def wait_for(condition, what, seconds=WAIT_SECONDS):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(what + " did not happen")
        time.sleep(0.01)


def process_state(pid):
    """One letter, as ps(1) has it, or "" where there is no such process."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def children_of(pid):
    return [int(child) for child in
            pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
