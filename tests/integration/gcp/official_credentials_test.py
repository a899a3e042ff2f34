#!/usr/bin/env python3
"""Google's own library of credentials against the fake of tests/fakes/gcp, with a file of each type. Where it sends to
hosts that no setting names otherwise, the transport is led here; nothing else of it is touched."""
import base64
import datetime
import json
import os
import sys
import unittest
import unittest.mock
import urllib.parse

import google.auth
import google.auth.compute_engine._metadata
import google.auth.impersonated_credentials
import google.auth.jwt
import google.auth.transport.requests
import google.oauth2.credentials
import requests
from google.api_core import exceptions
from google.auth.exceptions import DefaultCredentialsError, OAuthError, RefreshError

import scripted_services
from aws_identity import Key
from credential_files import (AWS_TYPE, authorized_user, aws_source, external_account,
                              external_account_authorized_user, impersonated_service_account)
from identity import CLOUD, IAM, SUBJECT_TYPES, public_pem, read_jwt
from secret_manager import USE_PROJECT
from support import ACCESS, ACCESSED, AUDIENCE, LATEST, NUMBER, POOL, PROJECT, READER, GoogleCase, read_settings_again

GET_TOKEN = "iam.serviceAccounts.getAccessToken"
WORKFORCE = "//iam.googleapis.com/locations/global/workforcePools/pool/providers/provider"
ARN = "arn:aws:sts::222222222222:assumed-role/fake-role/fake-session"


class Exchange(GoogleCase):
    """A service account that gets tokens for what it signs."""

    def setUp(self):
        super().setUp()
        self.use(self.reader.key_file(self.services.url + "/token"))

    def get(self, credentials=None):
        credentials = credentials or google.auth.default(scopes=[CLOUD])[0]
        session = google.auth.transport.requests.AuthorizedSession(credentials)
        return session.get(f"{self.services.url}/v1/{LATEST}:access")

    def test_reads_with_a_token(self):
        answer = self.get()
        self.assertEqual(base64.b64decode(answer.json()["payload"]["data"]), b"fake third")
        self.assertEqual(self.requests(), ["POST /token", ACCESSED])
        request = self.services.seen("/token")[0]
        self.assertEqual([name for name, _ in request.pairs()], ["assertion", "grant_type"])
        claims = read_jwt(request.form()["assertion"])[1]
        self.assertEqual({name: claims[name] for name in ("iss", "aud", "scope")},
                         {"iss": self.reader.email, "aud": "https://oauth2.googleapis.com/token", "scope": CLOUD})
        self.assertIn(self.services.seen(ACCESS)[0].bearer(), self.identity.tokens)

    def test_a_token_that_ended_is_replaced_once_it_is_refused(self):
        credentials = google.auth.default(scopes=[CLOUD])[0]
        self.assertEqual(self.get(credentials).status_code, 200)
        self.identity.end_tokens()
        self.assertEqual(self.get(credentials).status_code, 200)
        self.assertEqual(self.requests(), ["POST /token", ACCESSED, ACCESSED, "POST /token", ACCESSED])
        first, refused, repeated = (request.bearer() for request in self.services.seen(ACCESS))
        self.assertEqual(first, refused)
        self.assertNotEqual(refused, repeated)

    def test_a_token_ends_by_itself(self):
        credentials = google.auth.default(scopes=[CLOUD])[0]
        credentials.refresh(google.auth.transport.requests.Request())
        self.assertAlmostEqual(credentials.expiry.replace(tzinfo=datetime.UTC).timestamp(),
                               datetime.datetime.now().timestamp() + 3599, delta=60)
        for seconds, status in ((3500, 200), (200, 401)):
            self.services.advance(seconds)
            answer = requests.get(
                self.services.url + ACCESS, headers={"Authorization": "Bearer " + credentials.token})
            self.assertEqual(answer.status_code, status)
        self.assertEqual(answer.json()["error"]["details"][0]["reason"], "ACCESS_TOKEN_EXPIRED")

    def test_a_token_has_the_scopes_that_it_was_asked_for(self):
        answer = self.get(google.auth.default(scopes=["https://www.googleapis.com/auth/drive"])[0])
        self.assertEqual((answer.status_code, answer.json()["error"]["details"][0]["reason"]),
                         (403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT"))

    def test_a_signature_by_another_key_is_refused(self):
        other = self.identity.new_account("other@fake.iam.gserviceaccount.com").key_file("")
        file = self.reader.key_file(self.services.url + "/token")
        for wrong, text in (({"private_key": other["private_key"]}, "Invalid JWT Signature"),
                            ({"private_key_id": "another"}, "Invalid JWT Signature"),
                            ({"client_email": "none@fake.iam.gserviceaccount.com"}, "account not found")):
            with self.subTest(text):
                self.use({**file, **wrong})
                with self.fails(RefreshError, f"invalid_grant: {text}" if "account" not in text else text):
                    self.get()

    def test_assertions_are_held_against_the_clock(self):
        for hours in (2, -2):
            self.services.offset = hours * 3600
            with self.fails(RefreshError, "reasonable timeframe"):
                self.get()

    def test_acts_for_a_user_where_the_domain_permits_it(self):
        credentials = google.auth.default(scopes=[CLOUD])[0].with_subject("someone@example.com")
        with self.fails(RefreshError, "unauthorized_client"):
            self.client(credentials=credentials).access_secret_version(name=LATEST)
        self.identity.delegations.add((self.reader.email, "someone@example.com"))
        with self.fails(exceptions.Forbidden, "denied"):
            self.client(credentials=credentials).access_secret_version(name=LATEST)
        self.allow("user:someone@example.com")
        self.assert_reads(self.client(credentials=credentials))


class AuthorizedUser(GoogleCase):
    """A user, whose file is where gcloud leaves it. The host of tokens is a constant of the library."""

    def setUp(self):
        super().setUp()
        self.lead_here("oauth2.googleapis.com")
        self.login = self.identity.new_login("user:someone@example.com")
        self.allow(self.login.principal)

    def log_in(self, **more):
        self.write(".config/gcloud/application_default_credentials.json", authorized_user(self.login, **more))

    def test_reads(self):
        self.log_in()
        self.assert_reads()
        self.assertEqual(self.requests(), ["POST /token", ACCESSED])
        self.assertEqual(self.services.requests[0].headers["Host"], "oauth2.googleapis.com")
        self.assertEqual(self.services.requests[0].pairs(), [
            ("grant_type", "refresh_token"), ("client_id", self.login.client_id),
            ("client_secret", self.login.client_secret), ("refresh_token", self.login.refresh_token)])

    def test_a_token_that_ended_is_replaced_once_it_is_refused(self):
        self.log_in()
        client = self.client()
        self.assert_reads(client)
        self.identity.end_tokens()
        self.assert_reads(client)
        self.assertEqual(self.requests(), ["POST /token", ACCESSED, ACCESSED, "POST /token", ACCESSED])

    def test_who_logged_out_is_refused(self):
        for wrong, text in (({"refresh_token": "fake-other"}, "invalid_grant"),
                            ({"client_secret": "fake-other"}, "invalid_client"),
                            ({"client_id": "fake-other"}, "The OAuth client was not found")):
            with self.subTest(text):
                self.log_in(**wrong)
                with self.fails(RefreshError, text):
                    self.read()

    def test_a_project_that_pays_must_be_permitted(self):
        self.log_in(quota_project_id=PROJECT)
        with self.fails(exceptions.Forbidden, "required permission to use project", "USER_PROJECT_DENIED"):
            self.read()
        self.identity.grant(self.login.principal, f"projects/{NUMBER}", USE_PROJECT)
        self.assert_reads()
        self.assertEqual(self.services.requests[-1].headers["x-goog-user-project"], PROJECT)


class ExternalAccount(GoogleCase):
    """Whom others vouch for."""

    def setUp(self):
        super().setUp()
        self.allow(self.pool_reader)
        self.provider = self.identity.new_provider(AUDIENCE, tokens={"fake-subject-token": "fake-subject"})

    def use_source(self, source, audience=AUDIENCE, **more):
        self.use(external_account(self.services, audience, source, **more))

    def use_file(self, text="fake-subject-token", **more):
        self.use_source({"file": self.write("subject", text)}, **more)

    def exchange(self):
        """The form of the last one."""
        return self.services.seen("POST /v1/token")[-1].form()

    def test_a_file(self):
        self.use_file("fake-subject-token\n")
        self.assert_reads()
        self.assertEqual(self.requests(), ["POST /v1/token", ACCESSED])
        self.assertEqual(list(self.exchange().items()), [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"), ("audience", AUDIENCE),
            ("scope", CLOUD), ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("subject_token", "fake-subject-token\n"), ("subject_token_type", SUBJECT_TYPES[0])])

    def test_a_file_of_json(self):
        self.use_source({"file": self.write("subject", {"one": {}, "token": "fake-subject-token"}),
                         "format": {"type": "json", "subject_token_field_name": "token"}})
        self.assert_reads()

    def use_address(self, headers, **more):
        def serve(request):
            right = request.headers.get("X-Fake") == "yes"
            return (200, {"token": "fake-subject-token"}) if right else (403, "{}")

        self.services.reset({"GET /subject": serve})
        self.use_source({"url": self.services.url + "/subject", "headers": headers,
                         "format": {"type": "json", "subject_token_field_name": "token"}}, **more)

    def test_an_address_with_headers(self):
        self.use_address({"X-Fake": "yes"})
        self.assert_reads()
        self.assertEqual(self.requests(), ["GET /subject", "POST /v1/token", ACCESSED])
        self.use_address({})
        with self.fails(RefreshError, "Unable to retrieve Identity Pool subject token"):
            self.read()

    def use_program(self, answer, **more):
        program = self.write("program", f"#!{sys.executable}\nimport json, os\nprint({json.dumps(answer)!r}"
                             ".replace('AUDIENCE', os.environ['GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE']))\n")
        os.chmod(program, 0o700)
        self.environment(GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES="1")
        self.use_source({"executable": {"command": program, "timeout_millis": 5000}}, **more)

    def use_good_program(self, **more):
        self.provider.tokens["fake for " + AUDIENCE] = "fake-subject"
        self.use_program({"version": 1, "success": True, "token_type": SUBJECT_TYPES[0],
                          "id_token": "fake for AUDIENCE"}, **more)

    def test_a_program(self):
        self.use_good_program()
        self.assert_reads()
        self.assertEqual(self.requests(), ["POST /v1/token", ACCESSED])

    def test_a_program_that_has_no_token(self):
        self.use_program({"version": 1, "success": False, "code": "401", "message": "fake refusal"})
        with self.fails(RefreshError, "fake refusal"):
            self.read()
        self.assertEqual(self.requests(), [])

    def use_aws(self, key_id, key, url=None, **more):
        """That key is who may read."""
        self.provider.aws_keys = {key_id: key}
        self.allow(self.provider.principal(ARN))
        self.use_source(aws_source(url), subject_token_type=AWS_TYPE, **more)

    def test_keys_of_aws_from_the_environment(self):
        for token in (None, "fake-session-token/+=="):
            with self.subTest(token=token):
                self.use_aws("AKIAFAKE", Key("fake-aws-secret", ARN, token))
                self.environment(AWS_ACCESS_KEY_ID="AKIAFAKE", AWS_SECRET_ACCESS_KEY="fake-aws-secret",
                                 AWS_SESSION_TOKEN=token, AWS_REGION="us-east-2")
                self.assert_reads()
        self.assertIn("us-east-2", urllib.parse.unquote(self.exchange()["subject_token"]))

    def test_keys_of_aws_that_are_not_so(self):
        self.environment(AWS_ACCESS_KEY_ID="AKIAFAKE", AWS_SECRET_ACCESS_KEY="fake-aws-secret",
                         AWS_REGION="us-east-2")
        for key_id, key, text in (("AKIAFAKE", Key("fake-other", ARN), "signature does not match"),
                                  ("AKIAOTHER", Key("fake-aws-secret", ARN), "security token"),
                                  ("AKIAFAKE", Key("fake-aws-secret", ARN, "fake-token"), "session token is invalid")):
            with self.subTest(text):
                self.use_aws(key_id, key)
                with self.fails(OAuthError, text):
                    self.read()
        self.use_aws("AKIAFAKE", Key("fake-aws-secret", ARN))
        self.services.advance(1000)
        with self.fails(OAuthError, "the signature has ended"):
            self.read()

    def test_keys_of_an_instance_of_aws(self):
        instance = scripted_services.Services()
        self.addCleanup(instance.close)
        instance.reset({"GET /latest/meta-data/placement/availability-zone": (200, "us-east-2b"),
                        "GET " + scripted_services.ROLES_PATH.rstrip("/"): (200, "fake-role")})
        key_id, secret, token = scripted_services.keys_for("instance", "v2")
        self.use_aws(key_id, Key(secret, ARN, token), instance.url)
        self.assert_reads()
        self.assertIn("GET " + scripted_services.ROLES_PATH + "fake-role",
                      [f"{request.method} {request.path}" for request in instance.requests])

    def test_as_a_service_account(self):
        self.identity.grants.clear()
        self.allow(self.reader.principal)
        self.use_file(impersonated=self.reader, service_account_impersonation={"token_lifetime_seconds": 2800})
        with self.fails(RefreshError, "iam.serviceAccounts.getAccessToken"):
            self.read()
        self.identity.grant(self.pool_reader, self.reader.resource, GET_TOKEN)
        self.services.reset()
        self.assert_reads()
        generated = f"/v1/{self.reader.resource}:generateAccessToken"
        self.assertEqual(self.requests(), ["POST /v1/token", "POST " + generated, ACCESSED])
        self.assertEqual(self.exchange()["scope"], IAM)
        request, = self.services.seen(generated)
        self.assertEqual(request.json(), {"delegates": None, "scope": [CLOUD], "lifetime": "2800s"})
        token = self.identity.tokens[self.services.requests[-1].bearer()]
        self.assertEqual(token.principal, self.reader.principal)
        self.assertAlmostEqual(token.ends_at, self.services.now() + 2800, delta=60)

    def test_from_every_source_as_a_service_account(self):
        self.environment(AWS_ACCESS_KEY_ID="AKIAFAKE", AWS_SECRET_ACCESS_KEY="fake-aws-secret",
                         AWS_REGION="us-east-2")
        for use, arguments, subject in ((self.use_address, ({"X-Fake": "yes"},), "fake-subject"),
                                        (self.use_good_program, (), "fake-subject"),
                                        (self.use_aws, ("AKIAFAKE", Key("fake-aws-secret", ARN)), ARN)):
            with self.subTest(use.__name__):
                self.services.reset()
                use(*arguments, impersonated=self.reader)
                self.identity.grants = {(self.provider.principal(subject), self.reader.resource, GET_TOKEN)}
                self.allow(self.reader.principal)
                self.assert_reads()
                self.assertEqual(self.requests()[-3:], [
                    "POST /v1/token", f"POST /v1/{self.reader.resource}:generateAccessToken", ACCESSED])

    def test_what_nobody_vouches_for_is_refused(self):
        self.use_file("fake-other-token")
        with self.fails(OAuthError, "invalid_grant"):
            self.read()
        self.use_file(audience=POOL + "/providers/none")
        with self.fails(OAuthError, "invalid_target"):
            self.read()
        self.assertEqual(self.requests(), ["POST /v1/token"] * 2)

    def test_a_token_of_an_issuer(self):
        issuer = self.reader  # whose key serves as well as another
        credentials = google.auth.jwt.Credentials.from_service_account_info(
            issuer.key_file(""), audience="https:" + AUDIENCE, issuer="https://fake.test", subject="fake-subject")
        credentials.refresh(None)
        self.use_file(credentials.token.decode())
        with self.fails(OAuthError, "does not match the expected ones"):
            self.read()
        self.provider.issuer, self.provider.issuer_keys = "https://fake.test", issuer.public_keys
        self.assert_reads()
        self.services.advance(4000)
        with self.fails(OAuthError, "is stale to sign-in"):
            self.read()

    def test_a_token_that_ended_is_replaced_once_it_is_refused(self):
        self.use_file()
        client = self.client()
        self.assert_reads(client)
        self.identity.end_tokens()
        self.assert_reads(client)
        self.assertEqual(self.requests(), ["POST /v1/token", ACCESSED, ACCESSED, "POST /v1/token", ACCESSED])

    def test_clients_have_a_password(self):
        self.provider.clients = {"fake-client": "fake:password/+"}
        self.use_file(client_id="fake-client", client_secret="fake:password/+")
        self.assert_reads()
        self.assertEqual(self.services.seen("/v1/token")[0].headers["Authorization"],
                         "Basic " + base64.b64encode(b"fake-client:fake:password/+").decode())
        self.use_file(client_id="fake-client", client_secret="fake-other")
        with self.fails(OAuthError, "invalid_client"):
            self.read()

    def test_a_workforce_names_the_project_that_pays(self):
        provider = self.identity.new_provider(WORKFORCE, tokens=self.provider.tokens, user_project=PROJECT)
        self.allow(provider.principal("fake-subject"))
        self.use_file(audience=WORKFORCE, workforce_pool_user_project=PROJECT)
        self.assert_reads()
        self.use_file(audience=WORKFORCE, workforce_pool_user_project="other")
        with self.fails(OAuthError, "user project"):
            self.read()


class WorkforceLogin(GoogleCase):
    """external_account_authorized_user: who logged in by a workforce pool."""

    def setUp(self):
        super().setUp()
        self.login = self.identity.new_login("principal:" + WORKFORCE.partition("/providers")[0] + "/subject/fake")
        self.allow(self.login.principal)

    def test_reads(self):
        self.use(external_account_authorized_user(self.services, WORKFORCE, self.login))
        self.assert_reads()
        self.assertEqual(self.requests(), ["POST /v1/oauthtoken", ACCESSED])
        request = self.services.requests[0]
        self.assertEqual(request.pairs(), [("grant_type", "refresh_token"),
                                           ("refresh_token", self.login.refresh_token)])
        self.assertEqual(request.basic(), (self.login.client_id, self.login.client_secret))

    def test_takes_the_refresh_token_that_replaces_the_last(self):
        self.use(external_account_authorized_user(self.services, WORKFORCE, self.login))
        self.login.replaces = True
        client = self.client()
        for _ in range(2):
            self.assert_reads(client)
            self.identity.end_tokens()
        first, second = (request.form()["refresh_token"] for request in self.services.seen("/oauthtoken"))
        self.assertNotEqual(first, second)
        with self.fails(OAuthError, "invalid_grant"):
            self.read()

    def test_a_wrong_password_is_refused(self):
        self.use(external_account_authorized_user(self.services, WORKFORCE, self.login, client_secret="fake-other"))
        with self.fails(OAuthError, "invalid_client"):
            self.read()


class Impersonation(GoogleCase):
    """impersonated_service_account, whose host is a constant of the library."""

    def setUp(self):
        super().setUp()
        self.lead_here("oauth2.googleapis.com", "iamcredentials.googleapis.com")
        self.login = self.identity.new_login("user:someone@example.com")

    def test_by_a_user(self):
        self.use(impersonated_service_account(self.reader, authorized_user(self.login)))
        with self.fails(RefreshError, "iam.serviceAccounts.getAccessToken"):
            self.read()
        self.identity.grant(self.login.principal, self.reader.resource, GET_TOKEN)
        self.services.reset()
        self.assert_reads()
        self.assertEqual(self.requests(), [
            "POST /token", f"POST /v1/{self.reader.resource}:generateAccessToken", ACCESSED])
        self.assertEqual(self.services.seen("generateAccessToken")[0].json(),
                         {"delegates": [], "scope": [CLOUD], "lifetime": "3600s"})

    def test_by_a_service_account_and_those_between(self):
        first, between = (self.identity.new_account(f"{name}@fake.iam.gserviceaccount.com")
                          for name in ("first", "between"))
        self.use(impersonated_service_account(self.reader, first.key_file(self.services.url + "/token"), [between]))
        self.identity.grant(first.principal, self.reader.resource, GET_TOKEN)  # which is not the way
        self.identity.grant(first.principal, between.resource, GET_TOKEN)
        with self.fails(RefreshError, "iam.serviceAccounts.getAccessToken"):
            self.read()
        self.identity.grant(between.principal, self.reader.resource, GET_TOKEN)
        self.assert_reads()
        self.assertEqual(self.services.seen("generateAccessToken")[-1].json()["delegates"], [between.resource])

    def test_a_token_that_ended_is_replaced_once_it_is_refused(self):
        self.identity.grant(self.login.principal, self.reader.resource, GET_TOKEN)
        self.use(impersonated_service_account(self.reader, authorized_user(self.login)))
        client = self.client()
        self.assert_reads(client)
        refused = self.services.requests[-1].bearer()
        self.identity.tokens[refused].ends_at = 0
        self.assert_reads(client)
        self.assertEqual([request.bearer() == refused for request in self.services.seen(ACCESS)], [True, True, False])

    def test_signs_in_the_name_of_an_account(self):
        """The library has that done to act for a user of a domain."""
        self.identity.delegations.add((READER, "someone@example.com"))
        source = google.oauth2.credentials.Credentials(self.identity.issue(self.login.principal))
        credentials = google.auth.impersonated_credentials.Credentials(
            source, READER, [CLOUD], subject="someone@example.com")
        session = google.auth.transport.requests.Request()
        with self.fails(RefreshError, "iam.serviceAccounts.signJwt"):
            credentials.refresh(session)
        self.identity.grant(self.login.principal, self.reader.resource, "iam.serviceAccounts.signJwt")
        credentials.refresh(session)
        self.assertEqual(self.identity.tokens[credentials.token].principal, "user:someone@example.com")
        key_id, _ = self.reader.managed_key
        header, _ = read_jwt(dict(self.services.seen("POST /token")[-1].pairs())["assertion"])
        self.assertEqual(header["kid"], key_id)

    def test_locations_of_an_account_come_with_later_requests(self):
        """The library asks for them in the background."""
        self.identity.allowed_locations = {"locations": ["europe-west3"], "encodedLocations": "0xA30"}
        self.identity.grant(self.login.principal, self.reader.resource, GET_TOKEN)
        self.use(impersonated_service_account(self.reader, authorized_user(self.login)))
        self.lead_here("secretmanager.googleapis.com")
        client = self.client(endpoint="https://secretmanager.googleapis.com")
        for _ in range(200):
            self.assert_reads(client)
            if self.services.requests[-1].headers.get("x-allowed-locations"):
                break
        self.assertEqual(self.services.requests[-1].headers["x-allowed-locations"], "0xA30")


class Metadata(GoogleCase):
    """The machine that it runs on."""

    def setUp(self):
        super().setUp()
        self.services.metadata.account = self.reader
        self.environment(GCE_METADATA_HOST=self.services.address, GCE_METADATA_IP=self.services.address,
                         GOOGLE_CLOUD_PROJECT=None, GCE_METADATA_DETECT_RETRIES="1")
        read_settings_again()
        self.addCleanup(read_settings_again)
        self.enterContext(unittest.mock.patch.object(  # of this machine, which may be one of Google's
            google.auth.compute_engine._metadata, "_GCE_PRODUCT_NAME_FILE", os.devnull))

    def test_reads(self):
        self.assertEqual(google.auth.default()[1], PROJECT)
        self.assertEqual(self.requests(), ["GET /", "GET /computeMetadata/v1/project/project-id"])
        self.services.reset()
        self.assert_reads()
        accounts = "/computeMetadata/v1/instance/service-accounts/"
        for request in self.services.seen("computeMetadata"):
            self.assertEqual(request.headers["Metadata-Flavor"], "Google")
        self.assertIn(f"GET {accounts}default/?recursive=true", self.services.lines())
        token, = self.services.seen("/token")
        self.assertEqual(token.query, "scopes=" + urllib.parse.quote(CLOUD, safe=""))
        self.assertEqual(self.requests()[-1], ACCESSED)
        self.assertEqual(self.identity.tokens[self.services.requests[-1].bearer()].principal, self.reader.principal)

    def test_a_token_that_ended_is_replaced_once_it_is_refused(self):
        client = self.client()
        self.assert_reads(client)
        self.identity.end_tokens()
        self.assert_reads(client)
        self.assertEqual(len(self.services.seen("/token")), 2)
        self.assertEqual(len(self.services.seen(ACCESS)), 3)

    def test_says_who_the_machine_is(self):
        session = google.auth.transport.requests.Request()
        credentials = google.auth.compute_engine.IDTokenCredentials(session, "https://fake.test/path?a b",
                                                                    use_metadata_identity_endpoint=True)
        credentials.refresh(session)
        key_id, key = self.identity.google_key
        claims = google.auth.jwt.decode(credentials.token, {key_id: public_pem(key.public_key())},
                                        audience="https://fake.test/path?a b")
        self.assertEqual((claims["iss"], claims["sub"], claims["email"]),
                         ("https://accounts.google.com", self.reader.unique_id, READER))
        self.assertEqual(claims["google"]["compute_engine"]["project_id"], PROJECT)
        self.assertIn("format=full", self.services.seen("/identity")[0].query)

    def test_where_no_metadata_server_answers(self):
        for mode in ("no flavour", "missing"):
            with self.subTest(mode):
                self.services.metadata.mode = mode
                self.services.reset()
                with self.fails(DefaultCredentialsError, "Your default credentials were not found"):
                    self.read()
                self.assertEqual(set(self.requests()), {"GET /"})

    def test_a_machine_without_an_account(self):
        self.services.metadata.account = None
        with self.fails(RefreshError, "404"):
            self.read()

    def test_universes(self):
        for told, found in (("googleapis.com", "googleapis.com"), (None, "googleapis.com"),
                            ("example.goog", "example.goog")):
            self.services.metadata.universe_domain = told
            self.assertEqual(google.auth.default()[0].universe_domain, found)


if __name__ == "__main__":
    unittest.main()
