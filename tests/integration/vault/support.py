"""What the tests of the backend `vault` share: a server, a directory, and ways to run the command."""
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

import bao

QSECRETS = os.path.abspath(sys.argv.pop(1))
READER = os.path.abspath(sys.argv.pop(1))

FIELDS = {"SECRET_KEY": "fake-signing-key-0123456789abcdef", "POSTGRES_PASSWORD": "fake password"}
READ_POLICY = 'path "secret/data/qarion" { capabilities = ["read"] }'


def directory_of(case):
    """A directory that lasts as long as a class of tests."""
    directory = tempfile.TemporaryDirectory()
    case.addClassCleanup(directory.cleanup)
    return pathlib.Path(directory.name)


class VaultCase(unittest.TestCase):
    """Each class has a server in development mode with the secret FIELDS and the policy `app-read`."""

    @classmethod
    def setUpClass(cls):
        cls.server = bao.dev_server()
        cls.addClassCleanup(cls.server.close)
        cls.server.must("PUT", "sys/policies/acl/app-read", {"policy": READ_POLICY})

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.server.put(FIELDS)

    def write(self, name, text):
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_text(text)
        return str(path)

    def environment(self, **settings):
        """Settings for a server without any login; None takes one away."""
        settings = {"PATH": os.environ["PATH"], "HOME": str(self.directory),
                    "SECRETS_BACKEND": "vault", "VAULT_ADDR": self.server.address, **settings}
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

    def reader(self, *arguments, **settings):
        reader = Reader(arguments, self.environment(**settings), self.directory)
        self.addCleanup(reader.close)
        return reader

    def approle(self, name="app", **role):
        """Makes a role and returns the settings that log in by it."""
        self.server.call("POST", "sys/auth/approle", {"type": "approle"})
        self.server.must("POST", f"auth/approle/role/{name}", {"token_policies": "app-read", **role})
        role_id = self.server.must("GET", f"auth/approle/role/{name}/role-id")["data"]["role_id"]
        secret = self.server.must("POST", f"auth/approle/role/{name}/secret-id", {})["data"]
        return {"VAULT_ROLE_ID": role_id, "VAULT_SECRET_ID": secret["secret_id"]}


class Audited:
    """For a VaultCase: a server that writes down what it is asked."""

    @classmethod
    def setUpClass(cls):
        directory = directory_of(cls)
        cls.audit = directory / "audit"
        config = directory / "config.hcl"
        config.write_text(f'audit "file" "a" {{\n options = {{ file_path = "{cls.audit}" }}\n}}\n')
        cls.server = bao.dev_server(config=config)
        cls.addClassCleanup(cls.server.close)
        cls.server.must("PUT", "sys/policies/acl/app-read", {"policy": READ_POLICY})

    def requests(self):
        lines = [json.loads(line) for line in self.audit.read_text().splitlines()]
        return [f'{line["request"]["operation"]} {line["request"]["path"]} '
                f'from {line["request"].get("remote_port")}'
                for line in lines if line["type"] == "request"]

    def count(self, needle):
        """How often the server was asked for what contains `needle`."""
        return sum(needle in line for line in self.requests())


class Refusals(Audited):
    """For a VaultCase: commands whose login is refused."""

    def credentials(self, settings):
        """All that is given to log in with and must not be shown."""
        for name, value in settings.items():
            if name.removesuffix("_FILE") in ("VAULT_SECRET_ID", "VAULT_PASSWORD", "VAULT_TOKEN", "VAULT_JWT"):
                yield name, pathlib.Path(value).read_text().strip() if name.endswith("_FILE") else value

    def assert_refused(self, *words, login, logins=1, statuses=(77,), **settings):
        """One login, a line that says what is wrong and one that says how to mend it, no credential."""
        before = self.count("update " + login + " ")
        result = self.run_command("get", "SECRET_KEY", **settings)
        self.assertIn(result.returncode, statuses, result.stderr)
        self.assertEqual(result.stdout, "")
        self.assertRegex(result.stderr, r"\A[^\n]+\n  to mend it: [^\n]{20,}\n\Z")
        for word in words:
            self.assertIn(word, result.stderr)
        for name, value in self.credentials(settings):
            for at in range(0, max(1, len(value) - 11), 4):
                self.assertNotIn(value[at:at + 12], result.stderr, name)
        self.assertEqual(self.count("update " + login + " ") - before, logins)
        return result


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
    bao.Cluster.wait(condition, what, seconds)


def seconds_in(text):
    """Of "in 12 s"."""
    return int(re.search(r"in (\d+) s", text).group(1))
