#!/usr/bin/env python3
"""postgres_secrecy_test.py QSECRETS: no key, no password and no plaintext is to be seen anywhere while PostgreSQL's rows
are rotated: in no command line, no message, no log of the server, no view of it."""
import json
import os
import pathlib
import unittest

from postgres_rotation_case import TABLE_PLAN, PostgresRotationCase
from rotation_case import PLAN, fingerprint

PASSWORD = "fake-login-password"


class Secrecy(PostgresRotationCase):
    settings = {"tcp": True, "log_statement": "all", "log_min_messages": "debug1", "log_duration": "on",
                "log_error_verbosity": "verbose", "log_parameter_max_length_on_error": "-1", "log_min_duration_statement": "0"}

    def setUp(self):
        super().setUp()
        self.make_tables()
        self.database.execute(f"CREATE ROLE app_{self.database.name} SUPERUSER LOGIN PASSWORD '{PASSWORD}'")
        self.log_before = len(self.server.log())
        self.url = f"postgresql://app_{self.database.name}@127.0.0.1:{self.server.port}/{self.database.name}"

    def environment(self, **settings):
        return super().environment(**{"DATABASE_URL": self.url, "POSTGRES_PASSWORD": PASSWORD, **settings})

    def secrets(self):
        return {"a key": self.old, "the new key": self.new, "another key": self.other, "the password": PASSWORD,
                **{f"plaintext {text}": text for text in (*self.urls.values(), *self.credentials.values(), "fake-plain")}}

    def assert_silent(self, text, where):
        for name, secret in self.secrets().items():
            self.assertNotIn(secret, text, f"{name} is in {where}")

    def log(self):
        return self.server.log()[self.log_before:]

    def test_nothing_of_a_rotation_is_in_the_server_s_log(self):
        self.database.insert("instances", id=70, name="plaintext", database_url="fake-plain")
        self.log_before = len(self.server.log())
        plan = PLAN.replace('name = "database_url"', 'name = "database_url"\n  plaintext = "encrypt"')
        result = self.run_rotate("--yes", plan=plan)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("UPDATE ONLY", self.log())
        self.assert_silent(self.log(), "the log")
        self.assert_silent(result.stdout + result.stderr, "the messages")

    def test_nothing_of_a_failure_is_in_the_log_or_the_messages(self):
        self.database.insert("instances", id=70, name="plaintext", database_url="fake-plain")
        self.database.insert("instances", id=71, name="lost", database_url=self.token("fake-lost", self.other))
        self.log_before = len(self.server.log())
        result = self.assert_fails(65, "instances id=70", "instances id=71", arguments=("--yes", "--output", "json"))
        self.assert_silent(self.log(), "the log")
        self.assert_silent(result.stdout + result.stderr, "the messages")

    def test_nothing_is_on_the_command_line_or_in_the_server_s_views(self):
        old = self.write("old.key", self.old + "\n")
        generated = self.directory / "new.key"
        with self.held("--old-key-file", old, "--generate", generated, INSTANCE_ENCRYPTION_KEY=self.old,
                       INSTANCE_ENCRYPTION_KEY_PREVIOUS=None) as running:
            lines = pathlib.Path(f"/proc/{running.pid}/cmdline").read_text()
            views = json.dumps([self.database.rows("SELECT to_jsonb(a)::text FROM pg_stat_activity a"),
                                self.database.rows("SELECT to_jsonb(p)::text FROM pg_prepared_statements p"),
                                self.database.rows("SELECT * FROM pg_cursors")], default=str)
            self.other = generated.read_text().strip()
        self.assertIn("rotate", lines)
        self.assert_silent(lines, "the command line")
        self.assertIn("qsecrets rotate", views)
        self.assert_silent(views, "the server's views")
        self.assert_silent(running.stdout + running.stderr, "the messages")
        self.assertIn(fingerprint(self.other), running.stderr)

    def test_nothing_but_fingerprints_is_in_the_audit_row(self):
        report = self.rotate()
        row = self.database.rows("SELECT to_jsonb(r)::text FROM qarion_secrets_rotations r")[0][0]
        self.assert_silent(row, "the audit row")
        entry = json.loads(row)
        self.assertEqual((entry["id"], entry["new_key"], entry["old_keys"]),
                         (report["rotation"], fingerprint(self.new), fingerprint(self.old)))
        self.assertEqual(self.counts(entry["report"], "instances.database_url")["rotated"], 5)
        self.assertNotIn("gAAAA", row)

    def test_nothing_is_in_discover_verify_and_status(self):
        for arguments in (["--discover"], ["verify"], ["status"], ["--dry-run"]):
            result = self.run_rotate(*arguments)
            self.assert_silent(result.stdout + result.stderr, arguments[0])
            self.assertNotIn("gAAAA", result.stdout + result.stderr)
        self.assert_silent(self.log(), "the log")

    def test_a_value_that_a_constraint_refuses_is_not_repeated(self):
        self.text_table([self.token("fake")])
        self.database.execute("CREATE FUNCTION fine(text) RETURNS boolean LANGUAGE plpgsql AS "
                              "$$ BEGIN RETURN current_setting('application_name') !~ 'rotate'; END $$; "
                              "ALTER TABLE t ADD CONSTRAINT fine CHECK (fine(c))")
        result = self.assert_fails(65, "fine", arguments=("--yes", "--allow-unlisted"),
                                   plan=TABLE_PLAN.format(table="t", column="c", more=""))
        self.assertNotIn("gAAAA", result.stdout + result.stderr)

    def test_no_file_is_left_behind(self):
        before = set(os.listdir("/tmp"))
        self.rotate()
        # A build that counts lines leaves its counts.
        self.assertEqual([path.name for path in self.directory.iterdir() if path.suffix != ".profraw"], ["plan.toml"])
        self.assertFalse([name for name in set(os.listdir("/tmp")) - before if "qsecrets" in name])


if __name__ == "__main__":
    unittest.main()
