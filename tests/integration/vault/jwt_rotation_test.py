#!/usr/bin/env python3
"""`qsecrets jwt rotation` beside a real server: it tells when versions were made, and what is printed works."""
import calendar
import json
import pathlib
import secrets
import subprocess
import time
import unittest

import bao
from support import VaultCase
from backend_case import QSECRETS


class Rotation(VaultCase):
    def rotation(self, *options):
        result = self.run_command("jwt", "rotation", "-o", "json", *options, VAULT_TOKEN="root")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return json.loads(result.stdout)

    def run_shell(self, commands, *tools):
        environment = self.environment(BAO_ADDR=self.server.address, VAULT_TOKEN="root", BAO_TOKEN="root")
        environment["PATH"] = ":".join([*map(str, tools), environment["PATH"]])
        return subprocess.run(["bash"], input="\n".join(commands), text=True, timeout=60, cwd=self.directory,
                              env=environment, check=False, capture_output=True)

    def do(self, commands):
        done = self.run_shell(commands, pathlib.Path(QSECRETS).parent, pathlib.Path(bao.executable()).parent)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def fields(self):
        data = self.server.must("GET", "secret/data/qarion")["data"]
        return data["metadata"], data["data"]

    def made_at(self):
        return calendar.timegm(time.strptime(self.fields()[0]["created_time"][:19], "%Y-%m-%dT%H:%M:%S"))

    def assert_safe_after(self, seconds):
        safe_at = self.rotation()["safe_at"]
        safe = calendar.timegm(time.strptime(safe_at, "%Y-%m-%dT%H:%M:%SZ"))
        self.assertIn(safe - self.made_at() - seconds, (0, 1))  # rounded up to the second

    def test_a_whole_rotation(self):
        old = secrets.token_urlsafe(32)
        self.server.put({"SECRET_KEY": old, "POSTGRES_PASSWORD": "fake password"})
        before = self.fields()[0]["version"]
        shown = self.do(self.rotation()["commands"])
        new = self.fields()[1]["SECRET_KEY_NEXT"]
        self.assertEqual(len(new), 43)
        self.assert_safe_after(300 + 3600 + 30)

        shown += self.do(self.rotation()["commands"])
        self.assertEqual(self.fields()[1], {"SECRET_KEY": new, "SECRET_KEY_PREVIOUS": old,
                                            "POSTGRES_PASSWORD": "fake password"})
        self.assert_safe_after(300 + 3600 + 30 + 1800 + 60 + 60)

        shown += self.do(self.rotation()["commands"])
        metadata, fields = self.fields()
        self.assertEqual(fields, {"SECRET_KEY": new, "POSTGRES_PASSWORD": "fake password"})
        self.assertEqual(metadata["version"], before + 3)
        self.assertNotIn(old, shown)
        self.assertNotIn(new, shown)

    def test_names_the_secret_that_was_read(self):
        self.server.must("PUT", "secret/data/prod/other", {"data": {"SECRET_KEY": secrets.token_urlsafe(32)}})
        result = self.run_command("jwt", "rotation", VAULT_TOKEN="root", VAULT_SECRET_PATH="secret/data/prod/other")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("bao write 'secret/data/prod/other' -", result.stdout)

    def test_an_earlier_time_than_the_servers_does_not_count(self):
        self.server.put({"SECRET_KEY": secrets.token_urlsafe(32), "SECRET_KEY_NEXT": secrets.token_urlsafe(32)})
        earlier = self.rotation("--since", str(self.made_at() - 100_000))
        self.assertEqual(earlier["safe_at"], self.rotation()["safe_at"])

    def assert_refused(self, commands, *tools):
        before = self.fields()
        done = self.run_shell(commands, *tools, pathlib.Path(bao.executable()).parent)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("a key is missing", done.stderr)
        self.assertEqual(self.fields(), before)

    def test_without_a_key_nothing_is_written(self):
        old, new = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self.server.put({"SECRET_KEY": old})
        self.assert_refused(self.rotation()["commands"])  # no qsecrets in PATH
        self.assert_refused(self.rotation("--leaked")["commands"])
        self.server.put({"SECRET_KEY": old, "SECRET_KEY_NEXT": new})
        promote = self.rotation()["commands"]
        self.do(promote)
        self.assert_refused(promote)
        self.server.put({"SECRET_KEY": old, "SECRET_KEY_NEXT": ""})
        self.assert_refused(promote)


if __name__ == "__main__":
    unittest.main()
