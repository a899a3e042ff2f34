"""Servers that misbehave, and what comes of a command then."""
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

FAULT_SERVER = pathlib.Path(__file__).parents[2] / "fakes" / "fault_server.py"
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


def is_running(pid_file):
    """Whether the process is, of which it is the file; one that waits to be counted as dead is not."""
    with contextlib.suppress(FileNotFoundError):
        state = pathlib.Path("/proc", pid_file.read_text().strip(), "stat").read_text()
        return state.rpartition(")")[2].split()[0] != "Z"
    return False


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
