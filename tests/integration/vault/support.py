"""What the tests of the backend `vault` share: a server, and ways to log in."""
import json
import pathlib

import bao
from backend_case import FIELDS, BackendCase, directory_of, seconds_in, wait_for  # noqa: F401

READ_POLICY = 'path "secret/data/qarion" { capabilities = ["read"] }'


class VaultCase(BackendCase):
    """Each class has a server in development mode with the secret FIELDS and the policy `app-read`."""

    @classmethod
    def setUpClass(cls):
        cls.server = bao.dev_server()
        cls.addClassCleanup(cls.server.close)
        cls.server.must("PUT", "sys/policies/acl/app-read", {"policy": READ_POLICY})

    def setUp(self):
        super().setUp()
        self.server.put(FIELDS)

    def backend_settings(self):
        return {"SECRETS_BACKEND": "vault", "VAULT_ADDR": self.server.address}

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
        # What is behind the last line break is being written: of a request that is not answered yet.
        whole, _, _ = self.audit.read_text().rpartition("\n")
        lines = [json.loads(line) for line in whole.splitlines()]
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
