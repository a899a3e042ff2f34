#!/usr/bin/env python3
"""Every way in which a server refuses a login: said once, with a cure, without the credential, and not
tried again and again. And credentials that change while a service runs."""
import time
import unittest

import bao
from issuers import Signer
from kubernetes import KubernetesApi
from ports import free_port
from support import Refusals, VaultCase, directory_of, wait_for

# Of sysexits.h: not permitted, and configuration. Both are definite: waiting does not help.
DEFINITE = (77, 78)


class AppRole(Refusals, VaultCase):
    LOGIN = "auth/approle/login"

    def with_secret_id(self, name, **limits):
        settings = self.approle(name)
        made = self.server.must("POST", f"auth/approle/role/{name}/secret-id", limits)["data"]
        return {**settings, "VAULT_SECRET_ID": made["secret_id"]}

    def test_a_secret_id_that_is_used_up(self):
        settings = self.with_secret_id("once", num_uses=1)
        self.assert_gets(**settings)
        self.assert_refused("approle at auth/approle/", "400, invalid role or secret ID", login=self.LOGIN,
                            **settings)

    def test_a_secret_id_that_expired(self):
        settings = self.with_secret_id("brief", ttl="1s")
        self.assert_gets(**settings)
        time.sleep(1.2)
        self.assert_refused("400, invalid role or secret ID", "expired", login=self.LOGIN, **settings)

    def test_a_wrong_role_id(self):
        settings = {**self.approle("role"), "VAULT_ROLE_ID": "00000000-fake-role"}
        self.assert_refused("400, invalid role or secret ID", login=self.LOGIN, **settings)

    def test_a_secret_id_that_is_missing(self):
        role_id = self.approle("bare")["VAULT_ROLE_ID"]
        self.assert_refused("400, missing secret_id", login=self.LOGIN, VAULT_ROLE_ID=role_id)

    def test_a_secret_id_for_another_network(self):
        settings = self.with_secret_id("far", cidr_list=["192.0.2.0/24"])
        self.assert_refused('400, source address "127.0.0.1" unauthorized', "CIDR restrictions",
                            login=self.LOGIN, **settings)

    def test_an_unknown_mount(self):
        self.assert_refused("approle at auth/nowhere/", "403", login="auth/nowhere/login",
                            VAULT_AUTH_MOUNT="nowhere", **self.approle())

    def test_a_mount_in_another_namespace(self):
        settings = self.approle()
        self.server.must("POST", "sys/namespaces/other", {})
        self.assert_refused("approle at auth/approle/", "403", "VAULT_NAMESPACE", login=self.LOGIN,
                            VAULT_NAMESPACE="other", **settings)

    def test_a_namespace_that_is_not_there(self):
        settings = self.approle()
        self.assert_refused("404, namespace not found", "VAULT_NAMESPACE", login=self.LOGIN, logins=0,
                            statuses=DEFINITE, VAULT_NAMESPACE="nobody", **settings)

    def test_files_that_change_are_read_at_the_next_login(self):
        settings = self.approle("moving", token_ttl="1h")
        reader = self.reader(10, SECRETS_CACHE_TTL="0",
                             VAULT_ROLE_ID_FILE=self.write("role", settings["VAULT_ROLE_ID"]),
                             VAULT_SECRET_ID_FILE=self.write("secret", settings["VAULT_SECRET_ID"]))
        reader.expect(event="value")
        self.server.must("POST", "auth/approle/role/moving/secret-id/destroy",
                         {"secret_id": settings["VAULT_SECRET_ID"]})
        self.server.must("POST", "auth/approle/role/moving/role-id", {"role_id": "fake-second-role-id"})
        made = self.server.must("POST", "auth/approle/role/moving/secret-id", {})["data"]
        self.write("role", "fake-second-role-id\n")
        self.write("secret", made["secret_id"] + "\n")
        logins = self.count("update " + self.LOGIN)
        accessor = reader.status()["token accessor"]
        self.server.must("POST", "auth/token/revoke-accessor", {"accessor": accessor})
        wait_for(lambda: reader.status()["token accessor"] != accessor, "logging in again", 5)
        self.assertEqual(self.count("update " + self.LOGIN) - logins, 1)
        self.assertEqual(reader.end()["failures"], 0)


class Wrapped(Refusals, VaultCase):
    PATH = "auth/approle/role/app/secret-id"

    def assert_not_unwrapped(self, token):
        before = self.count("update sys/wrapping/lookup ")
        self.assert_refused("VAULT_SECRET_ID holds a wrapping token that the server does not know",
                            "wrapping token is not valid or does not exist", "wrap a new secret id",
                            login="auth/approle/login", logins=0,
                            **{**self.approle(), "VAULT_SECRET_ID": token},
                            VAULT_SECRET_ID_WRAPPING_PATH=self.PATH)
        self.assertLessEqual(self.count("update sys/wrapping/lookup ") - before, 1)

    def test_one_that_expired(self):
        self.approle()
        token = self.server.must("POST", self.PATH, {}, headers={"X-Vault-Wrap-TTL": "1s"})["wrap_info"]["token"]
        time.sleep(1.2)
        self.assert_not_unwrapped(token)

    def test_one_that_is_garbage(self):
        self.assert_not_unwrapped("s.fakewrappingtoken123456")


class Passwords(Refusals, VaultCase):
    PASSWORD = "fake-right-password"

    def setUp(self):
        super().setUp()
        self.server.call("POST", "sys/auth/userpass", {"type": "userpass"})
        self.server.must("POST", "sys/auth/userpass/tune", {"user_lockout_config": {
            "lockout_threshold": "3", "lockout_duration": "2s", "lockout_counter_reset": "2s"}})

    def user(self, name, **settings):
        self.server.must("POST", f"auth/userpass/users/{name}",
                         {"password": self.PASSWORD, "token_policies": "app-read", **settings})
        return {"VAULT_USERNAME": name, "VAULT_PASSWORD": self.PASSWORD}

    def logins(self, name):
        return self.count(f"update auth/userpass/login/{name} ")

    def try_in_vain(self, name, times):
        for _ in range(times):
            self.server.call("POST", f"auth/userpass/login/{name}", {"password": "fake"})

    def end_token(self, reader):
        self.server.must("POST", "auth/token/revoke-accessor",
                         {"accessor": reader.status()["token accessor"]})

    def test_an_unknown_user(self):
        self.assert_refused("userpass at auth/userpass/, user nobody", "400, invalid username or password",
                            login="auth/userpass/login/nobody", VAULT_USERNAME="nobody",
                            VAULT_PASSWORD=self.PASSWORD)

    def test_a_locked_user_is_refused_once_with_a_hint(self):
        settings = self.user("locked")
        self.try_in_vain("locked", 4)
        self.assert_refused("user locked", "403", "for a while", login="auth/userpass/login/locked", **settings)

    def test_a_service_outlives_a_lockout(self):
        """Somebody guesses passwords, and the token ends meanwhile: few logins, and one that succeeds."""
        reader = self.reader(10, **self.user("victim", token_ttl="1h"), SECRETS_CACHE_TTL="0")
        reader.expect(event="value")
        self.try_in_vain("victim", 4)
        self.assertEqual(self.server.call("POST", "auth/userpass/login/victim",
                                          {"password": self.PASSWORD})[0], 403)
        logins = self.logins("victim")
        self.end_token(reader)
        failure = reader.expect(event="failure")
        self.assertIn("user victim was refused (403", failure["error"])
        time.sleep(1)
        self.assertEqual(self.logins("victim") - logins, 1)
        reader.expect(event="value", seconds=20)
        self.assertLessEqual(self.logins("victim") - logins, 3)

    def test_a_service_does_not_lock_its_own_account(self):
        """The password was changed at the server first; the file follows later."""
        settings = self.user("moved", token_ttl="1h")
        path = self.write("password", self.PASSWORD + "\n")
        reader = self.reader(10, VAULT_USERNAME="moved", VAULT_PASSWORD_FILE=path, SECRETS_CACHE_TTL="0")
        reader.expect(event="value")
        self.server.must("POST", "auth/userpass/users/moved/password", {"password": "fake-next-password"})
        logins = self.logins("moved")
        self.end_token(reader)
        failure = reader.expect(event="failure")
        self.assertIn("400, invalid username or password", failure["error"])
        self.assertNotIn(self.PASSWORD, failure["error"])
        time.sleep(2)
        self.assertEqual(self.logins("moved") - logins, 1)
        self.assert_gets(**{**settings, "VAULT_PASSWORD": "fake-next-password"})
        logins = self.logins("moved")
        self.write("password", "fake-next-password\n")
        reader.expect(event="value", seconds=2)
        self.assertEqual(self.logins("moved") - logins, 1)


class Jwt(Refusals, VaultCase):
    LOGIN = "auth/jwt/login"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        directory = directory_of(cls)
        cls.signer = Signer(directory)
        cls.stranger = Signer(directory, "stranger")
        for mount in ("jwt", "bare"):
            cls.server.must("POST", f"sys/auth/{mount}", {"type": "jwt"})
        cls.server.must("POST", "auth/jwt/config", {"jwt_validation_pubkeys": [cls.signer.public],
                                                    "bound_issuer": "https://iss.test", "default_role": "app"})
        role = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["bao-test"],
                "token_policies": "app-read"}
        cls.server.must("POST", "auth/jwt/role/app", role)
        cls.server.must("POST", "auth/jwt/role/prod", {**role, "bound_claims": {"env": "prod"}})

    def refused(self, token, *words, login=LOGIN, statuses=(77,), **settings):
        self.assert_refused(*words, login=login, statuses=statuses, VAULT_AUTH_METHOD="jwt",
                            VAULT_JWT_FILE=self.write("jwt", token), **settings)

    def test_one_that_is_not_valid_yet(self):
        now = int(time.time())
        self.refused(self.signer.sign(nbf=now + 3600, exp=now + 7200), "400", "token not yet valid")

    def test_a_claim_that_is_wrong_or_missing(self):
        self.refused(self.signer.sign(env="dev"), "jwt at auth/jwt/, role prod",
                     'claim "env" does not match any associated bound claim values', VAULT_AUTH_ROLE="prod")
        self.refused(self.signer.sign(), 'claim "env" is missing', VAULT_AUTH_ROLE="prod")

    def test_one_that_somebody_else_signed(self):
        self.refused(self.stranger.sign(), "no known key successfully validated the token signature")

    def test_one_that_is_malformed(self):
        self.refused("fake-malformed-token", "compact JWS format must have three parts")

    def test_an_unknown_role(self):
        self.refused(self.signer.sign(), "role nope was refused (400", "could not be found", statuses=DEFINITE,
                     VAULT_AUTH_ROLE="nope")

    def test_a_mount_without_configuration(self):
        self.refused(self.signer.sign(), "jwt at auth/bare/", "could not load configuration",
                     login="auth/bare/login", statuses=DEFINITE, VAULT_AUTH_MOUNT="bare", VAULT_AUTH_ROLE="app")


class Kubernetes(Refusals, VaultCase):
    LOGIN = "auth/kubernetes/login"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        directory = directory_of(cls)
        cls.api = KubernetesApi(directory)
        cls.addClassCleanup(cls.api.close)
        cls.api.serve(cls.server)
        cls.api.serve(cls.server, "unreachable", f"http://127.0.0.1:{free_port()}")

    def refused(self, token, *words, login=LOGIN, statuses=(77,), **settings):
        settings = {"VAULT_AUTH_ROLE": "app", **settings}
        self.assert_refused(*words, login=login, statuses=statuses, VAULT_AUTH_METHOD="kubernetes",
                            VAULT_JWT_FILE=self.write("jwt", token), **settings)

    def test_another_service_account(self):
        self.refused(self.api.service_account(name="other"), "kubernetes at auth/kubernetes/, role app",
                     "403, service account name not authorized", "bound to this service account")

    def test_another_audience(self):
        self.refused(self.api.service_account(aud=["other"]), "403", "audience")

    def test_one_that_expired(self):
        self.refused(self.api.service_account(exp=int(time.time()) - 600), "403", "token is expired")

    def test_a_cluster_that_fails_to_review(self):
        self.api.status = 500
        self.addCleanup(setattr, self.api, "status", 201)
        self.refused(self.api.service_account(), "403, permission denied", "may review tokens")

    def test_a_cluster_that_cannot_be_reached(self):
        self.refused(self.api.service_account(), "kubernetes at auth/unreachable/", "403, permission denied",
                     "may review tokens", login="auth/unreachable/login", VAULT_AUTH_MOUNT="unreachable")

    def test_what_is_no_token_of_a_service_account(self):
        self.refused("fake-malformed-token", "403, permission denied")

    def test_an_unknown_role(self):
        self.refused(self.api.service_account(), "role nope was refused (400", "invalid role name", statuses=DEFINITE,
                     VAULT_AUTH_ROLE="nope")

    def test_an_audience_that_is_no_list(self):
        """The server answers 500, and would answer it for ever."""
        self.refused(self.api.service_account(aud="bao"), "500", "'aud' source data must be an array",
                     statuses=DEFINITE)


if __name__ == "__main__":
    unittest.main()
