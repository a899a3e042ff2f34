#!/usr/bin/env python3
"""The same service before all four stores. Everything that any of them needs is set; SECRETS_BACKEND alone changes."""
import json
import unittest

from stores import BACKENDS, PASSWORD, StoresCase, fields_of, key_of


class Backends(StoresCase):
    """Each store has the same fields; the value of SECRET_KEY tells which one was asked."""

    def run_with(self, backend, *arguments):
        result = self.run_command(*arguments, SECRETS_BACKEND=backend)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout

    def test_every_command(self):
        for backend in BACKENDS:
            with self.subTest(backend):
                self.assertEqual(self.run_with(backend, "get", "SECRET_KEY"), key_of(backend))
                listed = self.run_with(backend, "list")
                for name in fields_of(backend):
                    self.assertIn(name, listed)
                status = json.loads(self.run_with(backend, "status", "-o", "json"))
                self.assertEqual(status["backend"], backend)
                self.assertEqual(json.loads(self.run_with(backend, "check", "-o", "json"))["findings"], [])
                printed = self.run_with(backend, "exec", "--", "sh", "-c",
                                        'test "$POSTGRES_PASSWORD" = "' + PASSWORD + '" && echo "key: $SECRET_KEY"')
                self.assertEqual(printed, "key: ***\n")

    def test_a_service_sees_a_change_when_its_time_is_over(self):
        for backend in BACKENDS:
            with self.subTest(backend):
                reader = self.reader(10, SECRETS_BACKEND=backend)
                reader.expect(event="value", value=key_of(backend))
                self.store(backend, "second")
                reader.expect(event="value", value=key_of(backend, "second"))
                self.assertEqual(reader.end()["failures"], 0)

    def test_another_store_s_fields_are_not_looked_at(self):
        """A key that the active store lacks is not set."""
        self.write(".env", 'SMTP_PASSWORD="fake of the environment"\n')
        self.assertEqual(self.run_with("env", "get", "SMTP_PASSWORD"), "fake of the environment")
        for backend in BACKENDS[1:]:
            with self.subTest(backend):
                self.assert_fails(78, "SMTP_PASSWORD", command=("get", "SMTP_PASSWORD"), SECRETS_BACKEND=backend)


if __name__ == "__main__":
    unittest.main()
