#!/usr/bin/env python3
"""Login, renewal, reading and `check` inside namespaces."""
import time
import unittest

from support import FIELDS, Audited, VaultCase, seconds_in


class Namespaces(Audited, VaultCase):
    """team1 and team1/sub have a secret and a login each."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.logins = {}
        for name, parent, child in (("team1", "", "team1"), ("team1/sub", "team1", "sub")):
            cls.server.must("POST", f"sys/namespaces/{child}", {}, headers={"X-Vault-Namespace": parent})
            cls.prepare(name)

    @classmethod
    def prepare(cls, name):
        def must(method, path, body=None):
            return cls.server.must(method, path, body, headers={"X-Vault-Namespace": name})

        must("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
        must("POST", "secret/data/qarion", {"data": {**FIELDS, "SECRET_KEY": cls.value(name)}})
        must("PUT", "sys/policies/acl/app-read", {
            "policy": 'path "secret/data/qarion" { capabilities = ["read"] }'})
        must("POST", "sys/auth/approle", {"type": "approle"})
        must("POST", "auth/approle/role/app", {
            "token_policies": "app-read", "token_ttl": "3s", "token_max_ttl": "1h"})
        role_id = must("GET", "auth/approle/role/app/role-id")["data"]["role_id"]
        secret_id = must("POST", "auth/approle/role/app/secret-id", {})["data"]["secret_id"]
        cls.logins[name] = {"VAULT_NAMESPACE": name, "VAULT_ROLE_ID": role_id, "VAULT_SECRET_ID": secret_id}

    @staticmethod
    def value(name):
        return f"fake-signing-key-0123456789-of-{name}"

    def test_login_renewal_and_reading_stay_inside(self):
        readers = {name: self.reader(10, **login, SECRETS_CACHE_TTL="0") for name, login in self.logins.items()}
        logins, renewals = self.count("update auth/approle/login "), self.count("update auth/token/renew-self ")
        for name, reader in readers.items():
            reader.expect(event="value", value=self.value(name))
        time.sleep(5)  # longer than a token lives without a renewal
        for reader in readers.values():
            self.assertIn(seconds_in(reader.status()["token expires"]), range(4))
            self.assertEqual(reader.end()["failures"], 0)
        self.assertLessEqual(self.count("update auth/approle/login ") - logins, len(readers))
        self.assertGreaterEqual(self.count("update auth/token/renew-self ") - renewals, 2 * len(readers))

    def test_the_path_may_begin_with_the_namespace(self):
        for path, settings, name in (
                ("team1/secret/data/qarion", {}, "team1"), ("team1/secret/qarion", {}, "team1"),
                ("team1/sub/secret/data/qarion", {}, "team1/sub"),
                ("sub/secret/data/qarion", {"VAULT_NAMESPACE": "team1"}, "team1/sub")):
            with self.subTest(path):
                result = self.run_command("get", "SECRET_KEY", VAULT_TOKEN="root", VAULT_SECRET_PATH=path,
                                          **settings)
                self.assertEqual((result.returncode, result.stdout), (0, self.value(name)), result.stderr)

    def test_a_token_of_another_namespace_is_refused(self):
        login = {**self.logins["team1"], "VAULT_SECRET_PATH": "sub/secret/data/qarion"}
        self.assert_fails(77, "reading sub/secret/data/qarion was refused (403", **login)

    def test_check_finds_nothing(self):
        for login in self.logins.values():
            self.assertEqual(self.findings(**login), (0, []))

    def test_check_names_a_missing_capability(self):
        login = {**self.logins["team1"], "VAULT_SECRET_PATH": "secret/data/other"}
        code, findings = self.findings(**login)
        self.assertEqual(code, 78)
        self.assertIn("lacks the capability read on secret/data/other", findings[0]["problem"])

    def test_a_locked_one_is_waited_for(self):
        reader = self.reader(10, **self.logins["team1/sub"], SECRETS_CACHE_TTL="1", SECRETS_MAX_STALE="60")
        reader.expect(event="value", value=self.value("team1/sub"))
        inside = {"X-Vault-Namespace": "team1"}
        key = self.server.must("POST", "sys/namespaces/api-lock/lock/sub", headers=inside)["data"]["unlock_key"]
        error = reader.ask("refresh")["error"]
        self.assertIn("503, API access to this namespace has been locked by an administrator", error)
        code, findings = self.findings(**self.logins["team1/sub"])
        self.assertEqual((code, findings[0]["severity"]), (78, "error"))
        self.assertIn("has been locked by an administrator", findings[0]["problem"])
        self.assertNotIn("unseal", findings[0]["cure"])
        time.sleep(1.5)  # beyond the TTL
        self.server.must("POST", "sys/namespaces/api-lock/unlock/sub", {"unlock_key": key}, headers=inside)
        reader.wait_for_status(lambda status: "last fetch" not in status, "reading again", 10)
        self.assertEqual(reader.end()["failures"], 0)


if __name__ == "__main__":
    unittest.main()
