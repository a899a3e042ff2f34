#!/usr/bin/env python3
"""Whom the client trusts, who it says it is, and what a dump of its memory shows."""
import json
import os
import pathlib
import secrets
import shutil
import socket
import subprocess
import unittest

import bao
from issuers import Authority, Signer
from ports import free_port
from support import READ_POLICY, Refusals, VaultCase, directory_of

HOLDER = os.environ.get("QARION_TEST_HOLDER")


class TlsCase(VaultCase):
    """The server has further listeners with TLS: open to all, for another name, for clients we know."""

    @classmethod
    def setUpClass(cls):
        directory = directory_of(cls)
        cls.ours = Authority(directory, "ours")
        cls.theirs = Authority(directory, "theirs")
        cls.ca = cls.ours.path("ours.pem")
        listeners = []
        cls.addresses = {}
        for kind, certificate, more in (
                ("open", cls.ours.issue("server"), ""),
                ("named", cls.ours.issue("named", "DNS:bao.example"), ""),
                ("closed", cls.ours.issue("closed"),
                 f'tls_require_and_verify_client_cert = true\n  tls_client_ca_file = "{cls.ca}"')):
            port = free_port(bao.LISTENER_PORTS)
            cls.addresses[kind] = f"https://127.0.0.1:{port}"
            listeners.append(f'listener "tcp" {{\n  address = "127.0.0.1:{port}"\n'
                             f'  tls_cert_file = "{certificate[0]}"\n  tls_key_file = "{certificate[1]}"\n'
                             f"  {more}\n}}\n")
        cls.audit = directory / "audit"
        config = directory / "config.hcl"
        config.write_text("".join(listeners) + f'audit "file" "a" {{\n  options = {{ file_path = "{cls.audit}"'
                                               f', log_raw = "true" }}\n}}\n')
        cls.server = bao.dev_server(config=config)
        cls.addClassCleanup(cls.server.close)
        cls.server.must("PUT", "sys/policies/acl/app-read", {"policy": READ_POLICY})


class Trust(TlsCase):
    def test_in_the_authority_that_is_named(self):
        text = pathlib.Path(self.ca).read_text()
        folder = self.directory / "authorities"
        folder.mkdir()
        shutil.copy(self.ca, folder / "ours.pem")
        subprocess.run(["openssl", "rehash", folder], check=True)
        for setting, value in (("VAULT_CACERT", self.ca), ("VAULT_CACERT_BYTES", text),
                               ("VAULT_CAPATH", str(folder)), ("BAO_CACERT", self.ca)):
            self.assert_gets(VAULT_ADDR=self.addresses["open"], VAULT_TOKEN="root", **{setting: value})

    def test_the_file_wins_over_the_text_and_that_over_the_directory(self):
        theirs = self.theirs.path("theirs.pem")
        ours = pathlib.Path(self.ca).read_text()
        self.assert_gets(VAULT_ADDR=self.addresses["open"], VAULT_TOKEN="root", VAULT_CACERT_BYTES=ours,
                         VAULT_CAPATH="/nowhere")
        self.assert_fails(78, "certificate", VAULT_ADDR=self.addresses["open"], VAULT_TOKEN="root",
                          VAULT_CACERT=theirs, VAULT_CACERT_BYTES=ours)

    def test_in_nobody_else(self):
        for settings in ({}, {"VAULT_CACERT": self.theirs.path("theirs.pem")}, {"VAULT_CACERT": "/nowhere"}):
            self.assert_fails(78, "certificate", VAULT_ADDR=self.addresses["open"], VAULT_TOKEN="root",
                              **settings)

    def test_in_the_name_of_the_address_or_the_one_that_is_set(self):
        settings = {"VAULT_ADDR": self.addresses["named"], "VAULT_CACERT": self.ca, "VAULT_TOKEN": "root"}
        self.assert_fails(78, "certificate", **settings)
        self.assert_gets(VAULT_TLS_SERVER_NAME="bao.example", **settings)
        self.assert_fails(78, "certificate", VAULT_TLS_SERVER_NAME="other.example", **settings)

    def test_in_anybody_only_where_told_so(self):
        self.assert_gets(VAULT_ADDR=self.addresses["named"], VAULT_TOKEN="root", VAULT_SKIP_VERIFY="true")


class ClientCertificate(TlsCase):
    def settings(self, authority, name):
        certificate, key = authority.issue(name)
        return {"VAULT_CLIENT_CERT": certificate, "VAULT_CLIENT_KEY": key}

    def closed(self, **settings):
        return {"VAULT_ADDR": self.addresses["closed"], "VAULT_CACERT": self.ca, "VAULT_TOKEN": "root",
                **settings}

    def test_one_that_the_server_knows(self):
        settings = self.settings(self.ours, "client")
        self.assert_gets(**self.closed(**settings))
        texts = {"BAO_CLIENT_CERT_BYTES": pathlib.Path(settings["VAULT_CLIENT_CERT"]).read_text(),
                 "BAO_CLIENT_KEY_BYTES": pathlib.Path(settings["VAULT_CLIENT_KEY"]).read_text()}
        self.assert_gets(**self.closed(**texts))

    def test_none_or_a_foreign_one_is_refused_at_once(self):
        self.assert_fails(78, "certificate", **self.closed())
        self.assert_fails(78, "certificate", **self.closed(**self.settings(self.theirs, "stranger")))

    def test_logs_in(self):
        self.server.must("POST", "sys/auth/cert", {"type": "cert"})
        self.server.must("POST", "auth/cert/certs/app", {
            "certificate": pathlib.Path(self.ca).read_text(), "allowed_common_names": ["client-app"],
            "token_policies": "app-read", "token_ttl": "3s", "token_max_ttl": "1h"})
        settings = {"VAULT_ADDR": self.addresses["open"], "VAULT_CACERT": self.ca, "VAULT_AUTH_METHOD": "cert"}
        own = self.settings(self.ours, "client-app")
        self.assert_gets(**settings, **own)
        self.assert_gets(**settings, **own, VAULT_AUTH_ROLE="app")
        self.assert_fails(77, "no client certificate found", **settings)
        self.assert_fails(77, "login certificate", **settings, **self.settings(self.ours, "somebody"))
        reader = self.reader(10, **settings, **own, SECRETS_CACHE_TTL="0")
        reader.expect(event="value")
        bao.time.sleep(5)  # longer than the token lives without a renewal
        self.assertEqual(reader.end()["failures"], 0)


class CertificateLogin(TlsCase, Refusals):
    """The listener asks for a certificate and takes any: the method `cert` judges it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.must("POST", "sys/auth/cert", {"type": "cert"})

    def setUp(self):
        super().setUp()
        self.server.must("POST", "auth/cert/certs/app", {
            "certificate": pathlib.Path(self.ca).read_text(), "allowed_common_names": ["service"],
            "token_policies": "app-read", "token_ttl": "3s", "token_max_ttl": "1h"})

    def settings(self, authority=None, **options):
        certificate, key = (authority or self.ours).issue("service", **options)
        return {"VAULT_ADDR": self.addresses["open"], "VAULT_CACERT": self.ca, "VAULT_AUTH_METHOD": "cert",
                "VAULT_CLIENT_CERT": certificate, "VAULT_CLIENT_KEY": key}

    def test_a_good_certificate(self):
        self.assert_gets(**self.settings())

    def test_one_of_another_authority(self):
        self.assert_refused("cert at auth/cert/", "400, invalid certificate", login="auth/cert/login",
                            **self.settings(self.theirs))

    def test_one_that_expired(self):
        """The server answers 500, and would answer it for ever."""
        self.assert_refused("cert at auth/cert/", "certificate has expired", login="auth/cert/login",
                            statuses=(77, 78), **self.settings(days=-1))

    def test_one_that_is_not_accepted_any_more(self):
        """Neither renewal nor login succeed then: the service goes on to the end of its token."""
        reader = self.reader(10, **self.settings(), SECRETS_CACHE_TTL="0")
        reader.expect(event="value")
        begin = bao.time.monotonic()
        self.server.must("DELETE", "auth/cert/certs/app")
        logins = self.count("update auth/cert/login ")
        failure = reader.expect(event="failure", seconds=10)
        self.assertGreater(failure["at"] - begin, 1.9)
        self.assertIn("cert at auth/cert/ was refused (400", failure["error"])
        bao.time.sleep(1)
        self.assertLessEqual(self.count("update auth/cert/login ") - logins, 3)


@unittest.skipUnless(HOLDER and shutil.which("gcore"), "needs the holder of secrets and gcore")
class Memory(TlsCase):
    """A dump of a process that logged in and read shows neither tokens nor values."""

    def dump(self, login, credentials, **settings):
        """The memory of a process that logged in at `login`, and what must not be in it."""
        values = {name: secrets.token_urlsafe(36) for name in (
            "SECRET_KEY", "POSTGRES_PASSWORD", "SENDGRID_API_KEY", "LLM_API_KEY_FAKE")}
        self.server.put(values)
        process = self.start(**settings)
        self.assertEqual(process.stdout.readline(), "ready\n")
        bao.time.sleep(1)  # the upkeep of the token has begun
        image = self.image_of(process)
        if login:
            requests = [json.loads(line) for line in self.audit.read_text().splitlines()]
            credentials["the token of the login"] = next(
                line["response"]["auth"]["client_token"] for line in reversed(requests)
                if line["type"] == "response" and line["request"]["path"] == login)
        return image, {**credentials, **values}

    def start(self, **settings):
        return subprocess.Popen(
            [HOLDER], cwd=self.directory, env=self.environment(CONTROL="fake-control", **settings),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def image_of(self, process):
        """Its memory and registers; ends it."""
        prefix = self.directory / "core"
        made = subprocess.run(["gcore", "-o", prefix, str(process.pid)], capture_output=True)
        process.kill()
        process.communicate()
        core = pathlib.Path(f"{prefix}.{process.pid}")
        if not core.exists():
            self.skipTest("gcore may not attach here: " + made.stderr.decode()[:200])
        return core.read_bytes()

    def approle_settings(self):
        approle = self.approle("dump")
        return approle["VAULT_SECRET_ID"], {
            "VAULT_ROLE_ID_FILE": self.write("role", approle["VAULT_ROLE_ID"]),
            "VAULT_SECRET_ID_FILE": self.write("secret", approle["VAULT_SECRET_ID"])}

    def assert_clean(self, dump, values):
        self.assertIn(b"fake-control", dump)
        leaks = [f"a part of {name}" for name, value in values.items()
                 if any(value[at:at + 12].encode() in dump for at in range(0, len(value) - 12, 12))]
        self.assertEqual(leaks, [])

    def test_without_tls(self):
        secret_id, settings = self.approle_settings()
        self.assert_clean(*self.dump("auth/approle/login", {"the secret id": secret_id}, **settings))

    def test_with_tls(self):
        secret_id, settings = self.approle_settings()
        self.assert_clean(*self.dump("auth/approle/login", {"the secret id": secret_id}, **settings,
                                     VAULT_ADDR=self.addresses["open"], VAULT_CACERT=self.ca))

    def test_with_several_addresses(self):
        secret_id, settings = self.approle_settings()
        self.assert_clean(*self.dump("auth/approle/login", {"the secret id": secret_id}, **settings,
                                     VAULT_ADDR=f"{self.server.address},http://127.0.0.1:1"))

    def test_while_an_answer_is_waited_for(self):
        """What was sent went through registers."""
        for size in range(30, 300, 30):  # where it ends in a register depends on its place
            jwt = "fake." + secrets.token_urlsafe(size)
            with self.subTest(size), socket.create_server(("127.0.0.1", 0)) as server:
                process = self.start(VAULT_ADDR="http://127.0.0.1:%d" % server.getsockname()[1],
                                     VAULT_AUTH_ROLE="dump", VAULT_JWT_FILE=self.write("jwt", jwt))
                with server.accept()[0] as connection:
                    request = b""
                    while jwt.encode() not in request:
                        request += connection.recv(65536)
                    bao.time.sleep(0.1)
                    image = self.image_of(process)
                self.assert_clean(image, {"the JWT": jwt})

    def test_with_a_wrapped_secret_id(self):
        self.approle("dump")
        wrapped = self.server.must("POST", "auth/approle/role/dump/secret-id", {},
                                   headers={"X-Vault-Wrap-TTL": "60s"})["wrap_info"]
        role_id = self.server.must("GET", "auth/approle/role/dump/role-id")["data"]["role_id"]
        self.assert_clean(*self.dump(
            "auth/approle/login", {"the wrapping token": wrapped["token"]},
            VAULT_ROLE_ID_FILE=self.write("role", role_id),
            VAULT_SECRET_ID_FILE=self.write("wrapped", wrapped["token"]),
            VAULT_SECRET_ID_WRAPPING_PATH=wrapped["creation_path"]))

    def test_with_a_token_that_was_given(self):
        token = self.server.must("POST", "auth/token/create", {"policies": ["app-read"]})["auth"]["client_token"]
        self.assert_clean(*self.dump(None, {"the token": token}, VAULT_TOKEN_FILE=self.write("token", token)))

    def test_with_a_password(self):
        password = secrets.token_urlsafe(36)
        self.server.call("POST", "sys/auth/userpass", {"type": "userpass"})
        self.server.must("POST", "auth/userpass/users/dump", {"password": password, "token_policies": "app-read"})
        self.assert_clean(*self.dump("auth/userpass/login/dump", {"the password": password},
                                     VAULT_USERNAME="dump", VAULT_PASSWORD_FILE=self.write("password", password)))

    def test_with_a_jwt(self):
        signer = Signer(self.directory)
        self.server.call("POST", "sys/auth/jwt", {"type": "jwt"})
        self.server.must("POST", "auth/jwt/config", {"jwt_validation_pubkeys": [signer.public]})
        self.server.must("POST", "auth/jwt/role/dump", {
            "role_type": "jwt", "user_claim": "sub", "bound_audiences": ["bao-test"], "token_policies": "app-read"})
        jwt = signer.sign()
        self.assert_clean(*self.dump("auth/jwt/login", {"the JWT": jwt}, VAULT_AUTH_ROLE="dump",
                                     VAULT_JWT_FILE=self.write("jwt", jwt)))


if __name__ == "__main__":
    unittest.main()
