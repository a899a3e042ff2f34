#!/usr/bin/env python3
"""Every way to log in, right and wrong credentials, and what is asked of the server meanwhile."""
import time
import unittest

from issuers import Signer
from kubernetes import KubernetesApi
from support import Audited, VaultCase, directory_of


class Token(VaultCase):
    def test_from_a_variable_or_a_file(self):
        self.assert_gets(VAULT_TOKEN="root")
        self.assert_gets(VAULT_TOKEN_FILE=self.write("token", "root\n"))
        self.assert_gets(BAO_TOKEN_FILE=self.write("token", "root"))

    def test_where_the_command_of_the_server_keeps_it(self):
        self.write(".vault-token", "root")
        self.assert_gets()
        self.assert_gets(HOME="/", BAO_TOKEN_PATH=str(self.directory / ".vault-token"))

    def test_the_output_of_a_command_does_not_show_it(self):
        made = self.server.must("POST", "auth/token/create", {"policies": ["app-read"]})["auth"]
        result = self.run_command("exec", "--", "env", VAULT_TOKEN=made["client_token"])
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("VAULT_TOKEN=***\n", result.stdout)
        self.assertIn("SECRET_KEY=***\n", result.stdout)

    def test_the_output_of_a_command_does_not_show_what_gateways_want(self):
        result = self.run_command("exec", "--", "env", VAULT_TOKEN="root", VAULT_MFA="fake-method:123456",
                                  VAULT_HEADERS='{"X-Gateway-Key": "fake-gateway-key"}')
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("VAULT_MFA=***\n", result.stdout)
        self.assertIn('VAULT_HEADERS={"X-Gateway-Key": "***"}\n', result.stdout)

    def test_none_or_two(self):
        self.assert_fails(78, "VAULT_TOKEN is not set, nor is any other way to log in")
        self.assert_fails(78, "VAULT_TOKEN is set, and VAULT_TOKEN_FILE too", VAULT_TOKEN="root",
                          VAULT_TOKEN_FILE="/x")

    def test_a_file_that_is_not_there_or_no_token(self):
        self.assert_fails(78, "VAULT_TOKEN_FILE", VAULT_TOKEN_FILE=str(self.directory / "nothing"))
        self.assert_fails(78, "holds nothing", VAULT_TOKEN_FILE=self.write("token", " \n"))
        self.assert_fails(65, "VAULT_TOKEN_FILE", VAULT_TOKEN_FILE=self.write("token", "a\x00b"))

    def test_a_wrong_one_is_refused_and_not_shown(self):
        result = self.assert_fails(77, "reading secret/data/qarion was refused (403, permission denied)",
                                   VAULT_TOKEN="fake-hunter2")
        self.assertNotIn("hunter2", result.stderr)

    def test_one_without_the_policy_is_named(self):
        made = self.server.must("POST", "auth/token/create", {"policies": ["default"]})["auth"]
        result = self.assert_fails(77, "accessor " + made["accessor"], "policies default",
                                   'path "secret/data/qarion" { capabilities = ["read"] }',
                                   VAULT_TOKEN=made["client_token"])
        self.assertNotIn(made["client_token"], result.stderr)

    def test_a_file_is_read_again_when_its_token_ended(self):
        first, second = (self.server.must("POST", "auth/token/create", {"policies": ["app-read"]})["auth"]
                         for _ in range(2))
        path = self.write("token", first["client_token"])
        reader = self.reader(20, VAULT_TOKEN_FILE=path, SECRETS_CACHE_TTL="3600")
        reader.expect(event="value")
        self.write("token", second["client_token"])
        self.server.must("POST", "auth/token/revoke", {"token": first["client_token"]})
        self.assertEqual(reader.ask("refresh")["error"], "")


class FewUses(Audited, VaultCase):
    def make(self, uses):
        return self.server.must("POST", "auth/token/create",
                                {"policies": ["app-read"], "num_uses": uses})["auth"]["client_token"]

    def test_each_use_is_a_read(self):
        token = self.make(3)
        for _ in range(3):
            self.assert_gets(VAULT_TOKEN=token)
        self.assert_fails(77, "refused", VAULT_TOKEN=token)

    def test_a_service_looks_it_up_once_and_never_renews_it(self):
        before = self.count("renew-self")
        lookups = self.count("lookup-self")
        reader = self.reader(50, VAULT_TOKEN=self.make(5), SECRETS_CACHE_TTL="3600")
        time.sleep(2)
        self.assertEqual([reader.ask("refresh")["error"] for _ in range(3)], [""] * 3)
        self.assertNotEqual(reader.ask("refresh")["error"], "")
        self.assertEqual(self.count("renew-self"), before)
        self.assertEqual(self.count("lookup-self"), lookups + 1)

    def test_one_that_a_login_gave_is_not_looked_up(self):
        lookups = self.count("lookup-self")
        settings = self.approle("few", token_num_uses=2)
        reader = self.reader(50, **settings, SECRETS_CACHE_TTL="3600")
        reader.expect(event="value")
        time.sleep(1)
        self.assertEqual([reader.ask("refresh")["error"] for _ in range(4)], [""] * 4)
        self.assertEqual(self.count("lookup-self"), lookups)


class AppRole(Audited, VaultCase):
    def test_from_variables_and_files(self):
        settings = self.approle()
        self.assert_gets(**settings)
        self.assert_gets(VAULT_ROLE_ID_FILE=self.write("role", settings["VAULT_ROLE_ID"] + "\n"),
                         VAULT_SECRET_ID_FILE=self.write("secret", settings["VAULT_SECRET_ID"] + "\n"))

    def test_on_another_mount(self):
        self.server.must("POST", "sys/auth/machines/a", {"type": "approle"})
        self.server.must("POST", "auth/machines/a/role/app", {"token_policies": "app-read"})
        role = self.server.must("GET", "auth/machines/a/role/app/role-id")["data"]["role_id"]
        secret = self.server.must("POST", "auth/machines/a/role/app/secret-id", {})["data"]["secret_id"]
        for mount in ("machines/a", "auth/machines/a/"):
            self.assert_gets(VAULT_ROLE_ID=role, VAULT_SECRET_ID=secret, VAULT_AUTH_MOUNT=mount)

    def test_without_a_secret_id(self):
        self.approle("app")
        self.server.must("POST", "auth/approle/role/open", {
            "token_policies": "app-read", "bind_secret_id": False, "token_bound_cidrs": ["127.0.0.0/8"]})
        role_id = self.server.must("GET", "auth/approle/role/open/role-id")["data"]["role_id"]
        self.assert_gets(VAULT_ROLE_ID=role_id)

    def test_wrong_credentials_are_offered_once(self):
        settings = {**self.approle("wrong"), "VAULT_SECRET_ID": "fake-hunter2"}
        before = self.count("update auth/approle/login")
        result = self.assert_fails(77, "approle at auth/approle/", "invalid role or secret ID", **settings)
        self.assertNotIn("hunter2", result.stderr)
        self.assertEqual(self.count("update auth/approle/login"), before + 1)
        settings = self.approle("wrong2")
        reader = self.reader(5, **settings, SECRETS_CACHE_TTL="0")
        reader.expect(event="value")
        self.server.must("POST", "auth/approle/role/wrong2/secret-id/destroy",
                         {"secret_id": settings["VAULT_SECRET_ID"]})
        before = self.count("update auth/approle/login")
        self.server.must("PUT", "sys/leases/revoke-force/auth/approle/login")
        reader.expect(event="failure")
        time.sleep(2)
        self.assertLess(self.count("update auth/approle/login") - before, 3)

    def test_an_unknown_mount_is_said(self):
        self.assert_fails(77, "approle at auth/nowhere/", "403", VAULT_AUTH_MOUNT="nowhere",
                          **self.approle())

    def test_a_second_factor_is_said(self):
        settings = self.approle("mfa")
        method = self.server.must("POST", "identity/mfa/method/totp", {"issuer": "fake"})["data"]["method_id"]
        accessor = self.server.must("GET", "sys/auth")["data"]["approle/"]["accessor"]
        self.server.must("POST", "identity/mfa/login-enforcement/e", {
            "mfa_method_ids": [method], "auth_method_accessors": [accessor]})
        self.addCleanup(self.server.must, "DELETE", "identity/mfa/login-enforcement/e")
        before = self.count("update auth/approle/login")
        self.assert_fails(77, "second factor", **settings)
        self.assertEqual(self.count("update auth/approle/login"), before + 1)

    def test_after_a_lockout_right_credentials_are_refused_too(self):
        settings = self.approle("locked")
        for _ in range(6):
            self.server.call("POST", "auth/approle/login", {"role_id": settings["VAULT_ROLE_ID"],
                                                            "secret_id": "fake"})
        self.assert_fails(77, "for a while", **settings)


class Wrapped(Audited, VaultCase):
    PATH = "auth/approle/role/app/secret-id"

    def wrapped(self, path=PATH, ttl="60s"):
        answer = self.server.must("POST", path, {}, headers={"X-Vault-Wrap-TTL": ttl})
        return answer["wrap_info"]["token"]

    def settings(self, token, path=PATH):
        return {"VAULT_ROLE_ID": self.approle()["VAULT_ROLE_ID"], "VAULT_SECRET_ID": token,
                "VAULT_SECRET_ID_WRAPPING_PATH": path}

    def test_is_unwrapped(self):
        self.approle()
        self.assert_gets(**self.settings(self.wrapped()))

    def test_is_unwrapped_once_and_serves_later_logins(self):
        settings = self.approle("short", token_ttl="2s", token_max_ttl="3s")
        settings |= {"VAULT_SECRET_ID": self.wrapped("auth/approle/role/short/secret-id"),
                     "VAULT_SECRET_ID_WRAPPING_PATH": "auth/approle/role/short/secret-id"}
        reader = self.reader(50, **settings, SECRETS_CACHE_TTL="1")
        time.sleep(8)
        self.assertEqual(reader.end()["failures"], 0)

    def test_one_that_was_unwrapped_by_another_is_an_alarm(self):
        self.approle()
        token = self.wrapped()
        self.server.must("POST", "sys/wrapping/unwrap", {}, token=token)
        self.assert_fails(77, "wrapping token", "somebody else did", **self.settings(token))

    def test_a_burnt_one_is_offered_once(self):
        settings = self.approle("burnt", token_ttl="1s", token_max_ttl="1s")
        path = "auth/approle/role/burnt/secret-id"
        token = self.wrapped(path)
        reader = self.reader(5, **settings | {"VAULT_SECRET_ID": token, "VAULT_SECRET_ID_WRAPPING_PATH": path},
                             SECRETS_CACHE_TTL="0")
        reader.expect(event="value")
        self.server.must("DELETE", "auth/approle/role/burnt")
        reader.expect(event="failure")
        logins = self.count("update auth/approle/login")
        time.sleep(2)
        self.assertLess(self.count("update auth/approle/login") - logins, 3)

    def test_one_made_elsewhere_is_not_unwrapped(self):
        self.approle()
        token = self.wrapped("sys/wrapping/wrap")
        self.assert_fails(77, "was not made at " + self.PATH, **self.settings(token))
        self.assertEqual(self.server.call("POST", "sys/wrapping/lookup", {"token": token})[0], 200)


class Passwords(VaultCase):
    PASSWORD = " p\u00e4ss \"word\\"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for mount in ("userpass", "ldap"):
            cls.server.must("POST", f"sys/auth/{mount}", {"type": "userpass"})
            cls.server.must("POST", f"auth/{mount}/users/app",
                            {"password": cls.PASSWORD, "token_policies": "app-read"})

    def test_userpass(self):
        self.assert_gets(VAULT_USERNAME="app", VAULT_PASSWORD=self.PASSWORD)
        self.assert_gets(VAULT_USERNAME="app", VAULT_PASSWORD_FILE=self.write("p", self.PASSWORD + "\n"))

    def test_ldap_has_the_same_form(self):
        self.assert_gets(VAULT_AUTH_METHOD="ldap", VAULT_USERNAME="app", VAULT_PASSWORD=self.PASSWORD)

    def test_a_wrong_password(self):
        result = self.assert_fails(77, "userpass at auth/userpass/, user app", "invalid username or password",
                                   VAULT_USERNAME="app", VAULT_PASSWORD="fake-hunter2")
        self.assertNotIn("hunter2", result.stderr)


class Jwt(VaultCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        directory = directory_of(cls)
        cls.signer = Signer(directory)
        cls.server.must("POST", "sys/auth/jwt", {"type": "jwt"})
        cls.server.must("POST", "auth/jwt/config", {"jwt_validation_pubkeys": [cls.signer.public],
                                                    "bound_issuer": "https://iss.test", "default_role": "app"})
        cls.server.must("POST", "auth/jwt/role/app", {
            "role_type": "jwt", "user_claim": "sub", "bound_audiences": ["bao-test"],
            "token_policies": "app-read", "token_ttl": "2s", "token_max_ttl": "2s"})

    def test_with_a_role_or_the_default_one(self):
        path = self.write("jwt", self.signer.sign())
        self.assert_gets(VAULT_JWT_FILE=path)
        self.assert_gets(VAULT_JWT_FILE=path, VAULT_AUTH_METHOD="jwt", VAULT_AUTH_ROLE="app")

    def test_what_is_wrong_with_it_is_said(self):
        for claims, word in (({"exp": int(time.time()) - 600}, "token is expired"),
                             ({"aud": ["other"]}, "audience"), ({"iss": "https://x"}, "issuer")):
            token = self.signer.sign(**claims)
            result = self.assert_fails(77, word, VAULT_JWT_FILE=self.write("jwt", token))
            self.assertNotIn(token[-40:], result.stderr)

    def test_the_file_is_read_at_each_login(self):
        path = self.write("jwt", self.signer.sign(exp=int(time.time()) + 3))
        reader = self.reader(50, VAULT_JWT_FILE=path, SECRETS_CACHE_TTL="1")
        reader.expect(event="value")
        for _ in range(8):
            time.sleep(1)
            self.write("jwt", self.signer.sign(exp=int(time.time()) + 3))
        self.assertEqual(reader.end()["failures"], 0)


class Kubernetes(VaultCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        directory = directory_of(cls)
        cls.api = KubernetesApi(directory)
        cls.addClassCleanup(cls.api.close)
        cls.api.serve(cls.server)

    def log_in(self, **account):
        return {"VAULT_AUTH_METHOD": "kubernetes", "VAULT_AUTH_ROLE": "app",
                "VAULT_JWT_FILE": self.write("jwt", self.api.service_account(**account))}

    def test_the_token_of_the_service_account(self):
        self.assert_gets(**self.log_in())

    def test_another_namespace_is_refused(self):
        self.assert_fails(77, "namespace not authorized", "bound to this service account",
                          **self.log_in(namespace="dev"))

    def test_what_the_cluster_does_not_know_is_refused(self):
        self.api.verdict = False
        self.addCleanup(setattr, self.api, "verdict", True)
        self.assert_fails(77, "kubernetes at auth/kubernetes/, role app", **self.log_in())

    def test_the_file_has_its_usual_place(self):
        self.assert_fails(78, "/var/run/secrets/kubernetes.io/serviceaccount/token",
                          VAULT_AUTH_METHOD="kubernetes", VAULT_AUTH_ROLE="app")

    def test_a_role_is_needed(self):
        self.assert_fails(78, "VAULT_AUTH_ROLE is not set", VAULT_AUTH_METHOD="kubernetes")


class Methods(VaultCase):
    def test_contradictions_are_errors(self):
        for settings, words in (
                ({"VAULT_TOKEN": "root", "VAULT_ROLE_ID": "x"}, ["VAULT_TOKEN", "VAULT_ROLE_ID"]),
                ({"VAULT_AUTH_METHOD": "approle", "VAULT_TOKEN": "root", "VAULT_ROLE_ID": "x"}, ["VAULT_TOKEN"]),
                ({"VAULT_AUTH_METHOD": "magic"}, ["VAULT_AUTH_METHOD", "token, approle, kubernetes"]),
                ({"VAULT_AUTH_ROLE": "app"}, ["VAULT_AUTH_ROLE", "VAULT_AUTH_METHOD"]),
                ({"VAULT_USERNAME": "app"}, ["VAULT_PASSWORD"]),
                ({"VAULT_SECRET_ID": "fake"}, ["VAULT_ROLE_ID"]),
                ({"VAULT_USERNAME": "../../sys/seal", "VAULT_PASSWORD": "fake"}, ["VAULT_USERNAME"]),
                ({"VAULT_AUTH_METHOD": "jwt"}, ["VAULT_JWT_FILE"])):
            self.assert_fails(78, *words, **settings)


if __name__ == "__main__":
    unittest.main()
