"""What the tests of `qsecrets rotate encryption-key` share, whatever the database.

NAME_test.py QSECRETS ...
"""
import base64
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

try:
    from cryptography.fernet import Fernet, MultiFernet
except ImportError as error:
    print(f"{error.name} is not installed: tools/setup.sh test")
    sys.exit(77)

QSECRETS = pathlib.Path(sys.argv.pop(1)).resolve()

SANITIZED = "ASAN_OPTIONS" in os.environ or "TSAN_OPTIONS" in os.environ

PLAN = """
[[table]]
name = "instances"
  [[table.column]]
  name = "database_url"

[[table]]
name = "export_configs"
  [[table.column]]
  name = "credentials"
  shape = "json"
  paths = ["$.*"]
"""


def fingerprint(key):
    """As the command names keys: documented in fernet.h."""
    return hashlib.sha256(b"qarion-secrets fernet key" + base64.urlsafe_b64decode(key)).hexdigest()[:16]


def opens(key, token):
    """Whether Python's `cryptography` opens it."""
    try:
        Fernet(key).decrypt(token)
        return True
    except Exception:  # noqa: BLE001: InvalidToken, or no token at all
        return False


class RotationCase(unittest.TestCase):
    """Old and new keys, a plan, and the command. `self.database` is what a subclass sets up."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.directory = pathlib.Path(temporary.name)
        self.old, self.new, self.other = (Fernet.generate_key().decode() for _ in range(3))

    def token(self, text, key=None, at=None):
        """A token made by Python's `cryptography`, dated `at`."""
        at = at or int(time.time()) - 86400
        return Fernet(key or self.old).encrypt_at_time(text.encode(), at).decode()

    def plaintext(self, token, key=None):
        return Fernet(key or self.new).decrypt(token.encode()).decode()

    def timestamp(self, token, key=None):
        return Fernet(key or self.new).extract_timestamp(token.encode())

    def write(self, name, text):
        path = self.directory / name
        path.write_text(text)
        return path

    def environment(self, **settings):
        chosen = {"PATH": os.environ["PATH"], "INSTANCE_ENCRYPTION_KEY": self.new,
                  "INSTANCE_ENCRYPTION_KEY_PREVIOUS": self.old, "DATABASE_URL": self.database.address,
                  **{name: os.environ[name] for name in os.environ if name.endswith("SAN_OPTIONS")}, **settings}
        return {name: value for name, value in chosen.items() if value is not None}

    def command(self, *arguments):
        return [QSECRETS, "rotate", "encryption-key", *arguments]

    def run_rotate(self, *arguments, plan=PLAN, **settings):
        plans = [] if plan is None else ["--plan", self.write("plan.toml", plan)]
        result = subprocess.run(self.command(*arguments, *plans), env=self.environment(**settings), text=True,
                                cwd=self.directory, capture_output=True, stdin=subprocess.DEVNULL, timeout=120)
        for key in (self.old, self.new, self.other):
            self.assertNotIn(key, result.stdout + result.stderr)
        return result

    def rotate(self, *arguments, **options):
        """It succeeds; returns its report."""
        result = self.run_rotate("--yes", "--output", "json", *arguments, **options)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)

    def assert_fails(self, status, *words, arguments=("--yes",), **options):
        """It fails with that status and says these words; the database is what it was."""
        before = self.database.dump()
        result = self.run_rotate(*arguments, **options)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)
        self.assertEqual(self.database.dump(), before)
        return result

    def verify(self, *arguments, status=0, **options):
        result = self.run_rotate("verify", "--output", "json", *arguments, **options)
        self.assertEqual(result.returncode, status, result.stderr)
        return json.loads(result.stdout)

    def counts(self, report, column):
        return next(counts for counts in report["columns"] if f'{counts["table"]}.{counts["column"]}' == column)

    def make_tables(self):
        """The two places of Qarion: rows of tokens, NULL, and the empty text."""
        self.database.execute("CREATE TABLE instances (id integer PRIMARY KEY, name text, database_url text)")
        self.database.execute("CREATE TABLE export_configs (id integer PRIMARY KEY, credentials "
                              f"{self.database.json_type}, note text)")
        self.urls = {number: f"postgresql://app:fake-{number}@db{number}/app" for number in range(1, 6)}
        self.tokens = {number: self.token(url, at=1_700_000_000 + number) for number, url in self.urls.items()}
        for number, token in self.tokens.items():
            self.database.insert("instances", id=number, name=f"instance {number}", database_url=token)
        self.database.insert("instances", id=6, name="none", database_url=None)
        self.database.insert("instances", id=7, name="empty", database_url="")
        self.credentials = {"password": "fake-export", "key": "fake-key"}
        document = {name: self.token(value) for name, value in self.credentials.items()}
        self.database.insert("export_configs", id=1, credentials=json.dumps(document), note="kept")
        self.database.insert("export_configs", id=2, credentials=None, note="no credentials")

    def url_tokens(self):
        return dict(self.database.rows("SELECT id, database_url FROM instances WHERE id < 6 ORDER BY id"))

    def credential_tokens(self):
        return json.loads(self.database.rows("SELECT CAST(credentials AS text) FROM export_configs WHERE id = 1")[0][0])

    def assert_rotated(self, key=None):
        """Each value is what it was, under the new key alone."""
        key = key or self.new
        for number, token in self.url_tokens().items():
            self.assertEqual(self.plaintext(token, key), self.urls[number])
            self.assertEqual(self.timestamp(token, key), 1_700_000_000 + number)
            self.assertFalse(opens(self.old, token))
        for name, token in self.credential_tokens().items():
            self.assertEqual(self.plaintext(token, key), self.credentials[name])

    def assert_as_it_was(self):
        self.assertEqual(self.url_tokens(), self.tokens)


__all__ = ["Fernet", "MultiFernet", "PLAN", "QSECRETS", "RotationCase", "SANITIZED", "fingerprint", "opens"]
