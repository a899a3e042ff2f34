#!/usr/bin/env python3
"""guide_test.py QSECRETS READER SOURCE_DIRECTORY: what docs/guide/vault.md shows works as it stands there."""
import pathlib
import re
import sys
import unittest

from issuers import Signer
from kubernetes import KubernetesApi

SOURCE = pathlib.Path(sys.argv.pop())

from support import VaultCase  # noqa: E402: takes the other arguments

GUIDE = (SOURCE / "docs/guide/vault.md").read_text()
CODE = "\n".join(path.read_text() for path in sorted((SOURCE / "src/providers/vault").glob("*settings.cc")))


def section(heading):
    return re.search(rf"^##+ {heading}\n(.*?)(?=^##|\Z)", GUIDE, re.MULTILINE | re.DOTALL).group(1)


def blocks(heading, language):
    """The examples of a section, each with the line before it."""
    return re.findall(rf"^([^\n]*)\n\n```{language}\n(.*?)^```$", section(heading), re.MULTILINE | re.DOTALL)


def exports(text):
    return dict(re.findall(r"(VAULT_\w+)=(\S+)", text))


class Logins(VaultCase):
    """Each example is run with its placeholders and files filled in, and nothing else set."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shown = {}
        for line, text in blocks("Logging in", "sh"):
            cls.shown[line.split()[0].strip(",;.")] = exports(text)

    def run_example(self, name, **real):
        settings = self.shown.pop(name)
        for setting in real:
            self.assertIn(setting, settings)
        for setting, value in settings.items():
            if setting in real:
                settings[setting] = real[setting]
            else:
                self.assertFalse(value == "..." or value.startswith("/"), f"{name}: {setting} is not filled in")
        self.assert_gets(**settings)

    def test_every_example(self):
        directory = self.directory
        server = self.server
        server.must("PUT", "sys/policies/acl/app-read", {"policy": blocks("Logging in", "hcl")[0][1]})
        create = server.must("POST", "auth/token/create", {"policies": ["app-read"]})["auth"]
        self.run_example("A", VAULT_TOKEN_FILE=self.write("token", create["client_token"]))

        approle = self.approle("app")
        wrapped = server.must("POST", "auth/approle/role/app/secret-id", {}, headers={"X-Vault-Wrap-TTL": "60s"})
        self.run_example("AppRole", VAULT_ROLE_ID=approle["VAULT_ROLE_ID"],
                         VAULT_SECRET_ID_FILE=self.write("secret-id", wrapped["wrap_info"]["token"]))

        signer = Signer(directory)
        server.must("POST", "sys/auth/jwt", {"type": "jwt"})
        server.must("POST", "auth/jwt/config", {"jwt_validation_pubkeys": [signer.public]})
        server.must("POST", "auth/jwt/role/app", {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["bao-test"],
                                                  "token_policies": "app-read"})
        self.run_example("JWT", VAULT_JWT_FILE=self.write("jwt", signer.sign()))

        server.must("POST", "sys/auth/userpass", {"type": "userpass"})
        server.must("POST", "auth/userpass/users/app", {"password": "fake-password", "token_policies": "app-read"})
        self.run_example("User", VAULT_PASSWORD_FILE=self.write("password", "fake-password\n"))

        kubernetes = KubernetesApi(directory)
        self.addCleanup(kubernetes.close)
        kubernetes.serve(server)
        settings = self.shown.pop("Kubernetes")
        # In a pod the token is in its usual place.
        self.assert_gets(**settings, VAULT_JWT_FILE=self.write("account", kubernetes.service_account()))

        # Its server has to speak TLS: see tls_test.py, which logs in with the same settings.
        self.assertEqual(set(self.shown.pop("TLS")), {"VAULT_AUTH_METHOD", "VAULT_CLIENT_CERT", "VAULT_CLIENT_KEY"})
        # OpenBao has no such method: see aws_login_test.cc.
        self.assertEqual(self.shown.pop("no"), {"VAULT_AUTH_METHOD": "aws", "VAULT_AUTH_ROLE": "app"})
        # Nor this one: see gcp_login_test.py.
        self.assertEqual(self.shown.pop("method"), {"VAULT_AUTH_METHOD": "gcp", "VAULT_AUTH_ROLE": "app"})
        self.assertEqual(self.shown, {})

    def test_tokens_without_the_default_policy(self):
        policies = [text for _, text in blocks("Logging in", "hcl")]
        self.assertEqual(len(policies), 2)
        self.server.must("PUT", "sys/policies/acl/alone", {"policy": "\n".join(policies)})
        token = self.server.must("POST", "auth/token/create", {
            "policies": ["alone"], "no_default_policy": True, "ttl": "2h"})["auth"]["client_token"]
        self.assert_gets(VAULT_TOKEN=token)
        code, findings = self.findings(VAULT_TOKEN=token)
        self.assertEqual((code, findings), (0, []))
        self.assertIsNotNone(self.server.must("POST", "auth/token/renew-self", {}, token=token)["auth"])


class Settings(unittest.TestCase):
    def test_the_guide_lists_what_the_code_reads(self):
        listed = set(re.findall(r"`((?:VAULT|QARION)_[A-Z_]+)", GUIDE))
        listed |= {name + "_FILE" for name in ("VAULT_TOKEN", "VAULT_ROLE_ID", "VAULT_SECRET_ID", "VAULT_PASSWORD")}
        read = set(re.findall(r'"(VAULT_[A-Z_]+)"', CODE)) | {"QARION_SECRETS_LOG"}
        self.assertEqual(sorted(read - listed), [])
        self.assertEqual(sorted(listed - read), [])
        self.assertIn("Every secret setting also exists as `..._FILE`", " ".join(GUIDE.split()))

    def test_the_first_example_is_enough(self):
        self.assertIn("SECRETS_BACKEND=vault VAULT_ADDR=https://vault:8200 VAULT_TOKEN=... "
                      "VAULT_SECRET_PATH=secret/data/qarion qsecrets check", GUIDE)


if __name__ == "__main__":
    unittest.main()
