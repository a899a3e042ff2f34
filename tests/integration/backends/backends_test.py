#!/usr/bin/env python3
"""The same service before all four stores. Everything that any of them needs is set; SECRETS_BACKEND alone changes."""
import json
import unittest

import bao
from backend_case import BackendCase, directory_of
from secret_manager import READ
from servers import REGION, MiniStack
from services import Services

BACKENDS = ("env", "vault", "aws_sm", "gcp_sm")
PASSWORD = "fake password of all"


def key_of(backend, time="first"):
    return f"fake-signing-key-of-{backend}-{time}-0123456789abcdef"


def fields_of(backend, time="first"):
    return {"SECRET_KEY": key_of(backend, time), "POSTGRES_PASSWORD": PASSWORD}


class Backends(BackendCase):
    """Each store has the same fields; the value of SECRET_KEY tells which one was asked."""

    @classmethod
    def setUpClass(cls):
        directory = directory_of(cls)
        cls.bao = bao.dev_server()
        cls.addClassCleanup(cls.bao.close)
        cls.bao.must("PUT", "sys/policies/acl/app-read", {
            "policy": 'path "secret/data/qarion" { capabilities = ["read"] }'})
        cls.token = cls.bao.must("POST", "auth/token/create", {"policies": ["app-read"]})["auth"]["client_token"]
        cls.aws = MiniStack()
        cls.addClassCleanup(cls.aws.close)
        cls.aws_user = cls.aws.make_user("reader")
        cls.gcp = Services()
        cls.addClassCleanup(cls.gcp.close)
        cls.gcp.secrets.add_project("fake-project", 1234)
        cls.gcp_secret = cls.gcp.secrets.add_secret("fake-project", "qarion-secrets")
        account = cls.gcp.identity.new_account("reader@fake-project.iam.gserviceaccount.com")
        cls.gcp.identity.grant(account.principal, "projects/1234", *READ)
        cls.gcp_key = directory / "key.json"
        cls.gcp_key.write_text(json.dumps(account.key_file("https://oauth2.googleapis.com/token")))
        cls.aws.make_secret("qarion-secrets", SecretString="{}")

    def setUp(self):
        super().setUp()
        for backend in BACKENDS:
            self.store(backend, "first")

    def store(self, backend, time):
        fields = fields_of(backend, time)
        if backend == "env":
            self.write(".env", "".join(f'{name}="{value}"\n' for name, value in fields.items()))
        elif backend == "vault":
            self.bao.put(fields)
        elif backend == "aws_sm":
            self.aws.root("secretsmanager").put_secret_value(SecretId="qarion-secrets", SecretString=json.dumps(fields))
        else:
            self.gcp.secrets.add_version(self.gcp_secret, json.dumps(fields).encode())

    def backend_settings(self):
        return {"VAULT_ADDR": self.bao.address, "VAULT_TOKEN": self.token, "AWS_SECRET_ARN": "qarion-secrets",
                "AWS_REGION": REGION, "AWS_ENDPOINT_URL": self.aws.url, "AWS_EC2_METADATA_DISABLED": "true",
                **self.aws_user, "GOOGLE_APPLICATION_CREDENTIALS": str(self.gcp_key),
                "GCP_SECRET_ENDPOINT": self.gcp.url, "NO_GCE_CHECK": "true", "SECRETS_CACHE_TTL": "1"}

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
