#!/usr/bin/env python3
"""gcp_login_test.py QSECRETS READER: logins by an identity at Google, of every kind. OpenBao has no such method: what
plays Vault here takes what vault-plugin-auth-gcp takes, and looks keys up as it does; Google is the fake of
tests/fakes/gcp."""
import http.server
import json
import threading
import unittest

from backend_case import FIELDS, BackendCase, directory_of
from credential_files import authorized_user, external_account, impersonated_service_account
from google_proxy import NAMES, GoogleProxy
from identity import is_signed, read_jwt
from issuers import Authority
from services import Services

APP = "app@fake-project.iam.gserviceaccount.com"
OTHER = "other@fake-project.iam.gserviceaccount.com"
AUDIENCE = "//iam.googleapis.com/projects/1234/locations/global/workloadIdentityPools/pool/providers/provider"
SIGN = "iam.serviceAccounts.signJwt"
GET_TOKEN = "iam.serviceAccounts.getAccessToken"
TOLERANCE_SECONDS = 60
IDENTITY = "/computeMetadata/v1/instance/service-accounts/{}/identity"


class Refused(Exception):
    pass


class Vault:
    """The method `gcp` and one secret. `roles`: {name: {"type", "service_accounts", "max_jwt_exp"}}."""

    def __init__(self, services):
        self.services = services
        self.roles = {}
        self.logins = []  # bodies
        self.login_requests = []  # method, path, headers
        self.token = "fake-hvs.token"
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, answer = server.answer(self.command, self.path, self.headers, body)
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, method, path, headers, body):
        if path == "/v1/auth/gcp/login" and method in ("POST", "PUT"):
            self.login_requests.append((method, path, headers))
            try:
                return 200, self.log_in(json.loads(body))
            except Refused as refused:
                return 400, {"errors": [str(refused)]}
        if headers.get("X-Vault-Token") != self.token:
            return 403, {"errors": ["permission denied"]}
        if path == "/v1/secret/data/qarion":
            return 200, {"data": {"data": FIELDS, "metadata": {
                "version": 1, "created_time": "2026-01-02T03:04:05Z", "deletion_time": "", "destroyed": False}}}
        return 404, {"errors": []}

    def log_in(self, asked):
        self.logins.append(asked)
        name = asked.get("role")
        role = self.roles.get(name)
        if role is None:
            raise Refused(f'role "{name}" not found')
        try:
            header, claims = read_jwt(asked["jwt"])
        except (KeyError, ValueError):
            raise Refused("unable to parse signed JWT") from None
        if not is_signed(asked["jwt"], header, self.keys(header.get("kid"), claims.get("sub"), role)):
            raise Refused("unable to get public key for signed JWT"
                          + (": no Google OAuth2 provider key found for GCE role" if role["type"] == "gce" else ""))
        now, end = self.services.now(), claims.get("exp", 0)
        if end < now - TOLERANCE_SECONDS:
            raise Refused("JWT is expired or does not have proper 'exp' claim")
        if not claims["aud"].endswith(f"vault/{name}"):
            raise Refused(f'at least one of the JWT claim \'aud\' must end in "vault/{name}"')
        machine = claims.get("google", {}).get("compute_engine")
        if role["type"] == "gce" and not machine:
            raise Refused("expected JWT to have claims with GCE metadata")
        if role["type"] == "iam" and not machine and end > now + role["max_jwt_exp"]:
            raise Refused(f"role requires that service account JWTs expire within {role['max_jwt_exp']} seconds")
        account = self.account(claims["sub"])
        if account is None or account.email not in role["service_accounts"]:
            raise Refused("service account is not authorized for role")
        return {"auth": {"client_token": self.token, "accessor": "fake-accessor", "policies": ["app-read"],
                         "lease_duration": 3600, "renewable": True, "num_uses": 0}}

    def account(self, name):
        """By its address or its unique id."""
        return next((account for account in self.services.identity.accounts.values()
                     if name in (account.email, account.unique_id)), None)

    def keys(self, key_id, subject, role):
        """Google's own key, or that of the account; without an id, none is found."""
        google_id, key = self.services.identity.google_key
        known = {google_id: key.public_key()}
        account = self.account(subject)
        if role["type"] == "iam" and account:
            known |= account.public_keys
        return {key_id: known[key_id]} if key_id in known else {}


class GcpLogin(BackendCase):
    @classmethod
    def setUpClass(cls):
        cls.authority = Authority(directory_of(cls), "google")
        cls.certificate = cls.authority.issue("hosts", ",".join("DNS:" + name for name in NAMES))

    def setUp(self):
        super().setUp()
        self.services = Services()
        self.addCleanup(self.services.close)
        self.identity = self.services.identity
        self.account = self.identity.new_account(APP)
        self.vault = Vault(self.services)
        self.addCleanup(self.vault.close)
        self.vault.roles = {kind: {"type": kind, "service_accounts": [APP], "max_jwt_exp": 900}
                            for kind in ("iam", "gce")}
        self.proxy = GoogleProxy(self.services.address, *self.certificate)
        self.addCleanup(self.proxy.close)

    def backend_settings(self):
        return {"SECRETS_BACKEND": "vault", "VAULT_ADDR": self.vault.address, "VAULT_AUTH_METHOD": "gcp",
                "VAULT_AUTH_ROLE": "iam", "HTTPS_PROXY": self.proxy.url, "NO_PROXY": "127.0.0.1",
                "GCE_METADATA_HOST": self.services.address,
                "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE": self.authority.path("google.pem")}

    def file(self, content):
        return {"GOOGLE_APPLICATION_CREDENTIALS": self.write("credentials.json", json.dumps(content))}

    def key_file(self, **more):
        return self.file(self.account.key_file(self.services.url + "/token", **more))

    def claims(self):
        """Of the one login that there was."""
        login, = self.vault.logins
        return read_jwt(login["jwt"])[1]

    def asked(self):
        return [f"{request.method} {request.path}" for request in self.services.seen()]

    def signing(self, account):
        return f"POST /v1/{account.resource}:signJwt"


class ByKey(GcpLogin):
    def test_a_key_signs_by_itself(self):
        self.assert_gets(**self.key_file())
        claims = self.claims()
        self.assertEqual((claims["sub"], claims["aud"]), (APP, "vault/iam"))
        self.assertEqual(set(claims), {"sub", "aud", "iat", "exp"})
        self.assertEqual(self.asked(), [])

    def test_the_request_that_vault_documents(self):
        """POST /v1/auth/gcp/login with `role` and `jwt` and nothing else, by vault/api-docs/auth/gcp#login. None of
        another client's is recorded: hvac, which sends the same, is not among the packages of these tests."""
        self.assert_gets(**self.key_file())
        (method, path, headers), = self.vault.login_requests
        self.assertEqual((method, path), ("POST", "/v1/auth/gcp/login"))
        self.assertNotIn("X-Vault-Token", headers)
        body, = self.vault.logins
        self.assertEqual(set(body), {"role", "jwt"})
        self.assertEqual(body["role"], "iam")

    def test_a_role_may_want_tokens_that_live_shortly(self):
        self.vault.roles["iam"]["max_jwt_exp"] = 310
        self.assert_gets(**self.key_file())

    def test_gcloud_s_file_is_found(self):
        path = self.directory / ".config/gcloud/application_default_credentials.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(self.account.key_file(self.services.url + "/token")))
        self.assert_gets()

    def test_another_account_s_key_signs_nothing(self):
        other = self.identity.new_account(OTHER)
        result = self.assert_fails(77, "gcp at auth/gcp/, role iam", "unable to get public key",
                                   **self.key_file(private_key=other.key_file("")["private_key"]))
        self.assertNotIn(self.vault.logins[0]["jwt"][-40:], result.stderr)
        self.assertEqual(len(self.vault.logins), 1)

    def test_an_account_that_the_role_does_not_have(self):
        self.vault.roles["iam"]["service_accounts"] = [OTHER]
        self.assert_fails(77, "not authorized for role", "bound to this service account", **self.key_file())
        self.assertEqual(len(self.vault.logins), 1)

    def test_a_role_for_machines(self):
        self.assert_fails(77, "no Google OAuth2 provider key found for GCE role", VAULT_AUTH_ROLE="gce",
                          **self.key_file())

    def test_the_key_is_not_shown(self):
        key = self.write("key.pem", self.account.key_file("")["private_key"])
        result = self.run_command("exec", "--", "cat", key, **self.key_file())
        self.assertEqual((result.returncode, result.stdout), (0, "***"), result.stderr)


class ByIam(GcpLogin):
    """Google signs."""

    def permit(self, principal, account=None):
        self.identity.grant(principal, (account or self.account).resource, SIGN)

    def assert_signed_by_google(self):
        key_id, _ = self.account.managed_key
        self.assertEqual(read_jwt(self.vault.logins[-1]["jwt"])[0]["kid"], key_id)
        self.assertEqual(self.claims()["sub"], APP)

    def test_for_a_user(self):
        login = self.identity.new_login("user:someone@example.com")
        settings = {**self.file(authorized_user(login)), "VAULT_GCP_SERVICE_ACCOUNT": APP}
        self.assert_fails(77, "signing in the name of " + APP, "IAM_PERMISSION_DENIED",
                          "roles/iam.serviceAccountTokenCreator", **settings)
        self.assertEqual(self.vault.logins, [])
        self.permit(login.principal)
        self.services.reset()
        self.assert_gets(**settings)
        self.assert_signed_by_google()
        self.assertEqual(self.asked(), ["POST /token", self.signing(self.account)])

    def test_for_who_acts_as_the_account(self):
        login = self.identity.new_login("user:someone@example.com")
        self.identity.grant(login.principal, self.account.resource, GET_TOKEN)
        settings = self.file(impersonated_service_account(self.account, authorized_user(login)))
        self.assert_fails(77, f"add-iam-policy-binding {APP} --member=serviceAccount:{APP} --role=", **settings)
        self.permit(self.account.principal)
        self.assert_gets(**settings)
        self.assert_signed_by_google()

    def test_for_an_identity_of_another_provider(self):
        provider = self.identity.new_provider(AUDIENCE, tokens={"fake-subject-token": "fake-subject"})
        self.identity.grant(provider.principal("fake-subject"), self.account.resource, GET_TOKEN)
        self.permit(self.account.principal)
        source = {"file": self.write("subject", "fake-subject-token")}
        file = external_account(self.services, AUDIENCE, source, self.account)
        self.assert_gets(**self.file(file))
        self.assert_signed_by_google()

    def test_for_another_account_with_a_key(self):
        other = self.identity.new_account(OTHER)
        self.permit(other.principal)
        self.assert_gets(VAULT_GCP_SERVICE_ACCOUNT=APP, **self.file(other.key_file(self.services.url + "/token")))
        self.assert_signed_by_google()
        self.assertEqual(self.asked(), [self.signing(self.account)])

    def test_for_the_machine_s_account(self):
        self.services.metadata.account = self.account
        self.permit(self.account.principal)
        self.assert_gets(VAULT_GCP_LOGIN_TYPE="iam")
        self.assert_signed_by_google()

    def test_needs_to_know_the_account(self):
        login = self.identity.new_login("user:someone@example.com")
        self.assert_fails(78, "VAULT_GCP_SERVICE_ACCOUNT is not set", VAULT_GCP_LOGIN_TYPE="iam",
                          **self.file(authorized_user(login, account="someone@example.com")))

    def test_a_token_that_ended_is_replaced(self):
        self.services.metadata.account = self.account
        self.permit(self.account.principal)
        path = self.signing(self.account).partition(" ")[2]
        ended = (401, {"error": {"code": 401, "status": "UNAUTHENTICATED", "message": "fake"}})
        self.services.answers = {"POST " + path: [ended, None]}
        self.assert_gets(VAULT_GCP_LOGIN_TYPE="iam")
        tokens = [request.bearer() for request in self.services.seen(":signJwt")]
        self.assertEqual((len(tokens), len(set(tokens))), (2, 2))


class ByMachine(GcpLogin):
    def setUp(self):
        super().setUp()
        self.services.metadata.account = self.account

    def backend_settings(self):
        return {**super().backend_settings(), "VAULT_AUTH_ROLE": "gce"}

    def test_the_metadata_server_vouches(self):
        self.assert_gets()
        claims = self.claims()
        self.assertEqual(claims["aud"], self.vault.address + "/vault/gce")
        self.assertEqual(claims["google"]["compute_engine"]["instance_name"], "fake-machine")
        self.assertEqual(self.asked(), ["GET " + IDENTITY.format("default")])

    def test_it_may_be_an_account_by_its_name(self):
        self.assert_gets(VAULT_GCP_SERVICE_ACCOUNT=APP)
        self.assertEqual(self.asked(), ["GET " + IDENTITY.format(APP)])

    def test_a_key_does_not_matter_where_the_machine_is_meant(self):
        self.assert_gets(VAULT_GCP_LOGIN_TYPE="gce", **self.key_file())

    def test_roles_of_the_type_iam_take_it_too(self):
        self.assert_gets(VAULT_AUTH_ROLE="iam")

    def test_what_is_no_instance_is_refused(self):
        self.services.metadata.instance = None
        result = self.assert_fails(77, "claims with GCE metadata", "bound to this machine")
        self.assertNotIn(self.vault.logins[0]["jwt"][-40:], result.stderr)
        self.assertEqual(len(self.vault.logins), 1)

    def test_a_machine_without_an_account(self):
        self.services.metadata.account = None
        self.assert_fails(78, "404", "attach a service account")

    def test_where_there_is_no_metadata_server(self):
        self.services.metadata.mode = "no flavour"
        self.assert_fails(78, "is not Google's metadata server")
        self.assertEqual(self.vault.logins, [])


if __name__ == "__main__":
    unittest.main()
