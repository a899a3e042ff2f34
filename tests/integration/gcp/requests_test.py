#!/usr/bin/env python3
"""What is sent, held field by field against what Google's own library sends to the same servers with the same files
and settings. Where they differ, the test says why."""
import base64
import contextlib
import json
import os
import sys
import unittest
import unittest.mock
import urllib.parse

import google.auth.compute_engine._metadata
from google.cloud.secretmanager_v1 import SecretManagerServiceClient

import scripted_services
from aws_identity import Key
from credential_files import (AWS_TYPE, authorized_user, aws_source, external_account,
                              external_account_authorized_user, impersonated_service_account)
from gcp_case import (ACCESS, ARN, AUDIENCE, FIELDS, GET_TOKEN, LOCATION, METADATA_TOKEN, NUMBER, PROJECT, SECRET,
                      USER, WORKFORCE, GcpCase)
from identity import CLOUD, IAM, SUBJECT_TYPES, read_jwt
from secret_manager import MANAGE, READ, USE_PROJECT
from support import read_settings_again

AWS_SECRET = "fake-aws-secret-access-key-of-nobody"
SUBJECT_TOKEN = "fake-subject-token-of-nobody"
HEADERS = ("content-type", "metadata-flavor", "x-goog-request-params", "x-goog-user-project", "x-fake")
SECONDS = 60  # that a test may take, on a machine that is busy


class RequestCase(GcpCase):
    def setUp(self):
        super().setUp()
        self.endpoint = self.services.url
        self.name = SECRET + "/versions/latest"
        self.more = {}

    def log_in(self, document, **more):
        super().log_in(document, GOOGLE_CLOUD_PROJECT=PROJECT, **more)
        self.lead_here()

    def ours(self):
        self.services.reset(self.services.answers)
        self.assert_gets(**self.more)
        return self.sent()

    def google_s(self, call=None):
        """`call`: of the client, in place of reading the secret."""
        self.services.reset(self.services.answers)
        settings = {name: value for name, value in self.environment().items() if name != "GCP_SECRET_ENDPOINT"}
        settings |= {"REQUESTS_CA_BUNDLE": self.ca, "NO_PROXY": "127.0.0.1"}
        with unittest.mock.patch.dict(os.environ, settings, clear=True):
            read_settings_again()  # of the metadata server
            client = SecretManagerServiceClient(transport="rest", client_options={"api_endpoint": self.endpoint})
            if call:
                call(client)
            else:
                found = client.access_secret_version(name=self.name)
                self.assertEqual(json.loads(found.payload.data), FIELDS)
        return self.sent()

    def sent(self):
        """Google's library asks for the locations of an account, in the background: they are not a client's affair."""
        return [self.essence(request) for request in self.services.seen()
                if not request.path.endswith("/allowedLocations")]

    def essence(self, request):
        told = {"line": f"{request.method} {request.path}", "host": request.host}
        # Where enumerations are to be numbers: nothing that is read here is one.
        told["query"] = [pair for pair in urllib.parse.parse_qsl(request.query) if pair[0] != "$alt"]
        told |= {name: request.headers[name] for name in HEADERS if name in request.headers}
        if request.method == "GET":
            told.pop("content-type", None)  # of a body that there is not
        elif "content-type" in told:  # with a charset too, as Google's library for Java has it
            told["content-type"] = request.headers.get_content_type()
        told["authorization"] = self.identify(*request.headers.get("Authorization", "").split())
        told["body"] = self.body(request)
        return told

    def identify(self, kind="", credential=""):
        """Who it stands for: tokens are new each time."""
        if credential in self.identity.tokens:
            token = self.identity.tokens[credential]
            return kind, token.principal, token.scopes
        if kind == "Basic":
            return kind, base64.b64decode(credential)
        return (kind, *self.jwt(credential)) if credential else None

    def jwt(self, text):
        header, claims = read_jwt(text)
        begin, end = claims.pop("iat"), claims.pop("exp")
        self.assertAlmostEqual(begin, self.services.now(), delta=SECONDS)
        return header, {**claims, "lives": end - begin}

    def body(self, request):
        kind = request.headers.get_content_type()
        if kind == "application/x-www-form-urlencoded":  # in any order
            return {name: self.field(name, value) for name, value in request.form().items()}
        return request.json() if request.body else None

    def field(self, name, value):
        if name == "assertion":
            return self.jwt(value)
        if name == "subject_token" and "GetCallerIdentity" in value:
            return self.signed_request(value)
        return json.loads(urllib.parse.unquote(value)) if name == "options" else value

    @staticmethod
    def signed_request(text):
        """The fake verifies the signature, which is new each time, and so is the time."""
        token = json.loads(urllib.parse.unquote(text))
        headers = {entry["key"].lower(): entry["value"] for entry in token["headers"]}
        authorization = headers.pop("authorization").split(", ")
        headers.pop("x-amz-date")
        return {**token, "headers": headers, "signed": authorization[:2]}

    def assert_same(self, ours=None, theirs=None):
        ours, theirs = ours or self.ours(), theirs or self.google_s()
        self.assertEqual(ours, theirs)
        return ours


class Reading(RequestCase):
    def test_of_a_service_account(self):
        sent, = self.assert_same()
        self.assertEqual(sent["authorization"][2]["aud"], "https://secretmanager.googleapis.com/")

    def test_at_google_s_own_host(self):
        self.endpoint, self.more = "https://secretmanager.googleapis.com", {"GCP_SECRET_ENDPOINT": None}
        sent, = self.assert_same()
        self.assertEqual(sent["host"], "secretmanager.googleapis.com")

    def test_of_a_version(self):
        self.name, self.more = SECRET + "/versions/1", {"GCP_SECRET_VERSION": "1"}
        self.assert_same()

    def test_of_a_regional_secret(self):
        """Google's library has to be told the region's host."""
        host = f"secretmanager.{LOCATION}.rep.googleapis.com"
        self.secrets.add_secret(PROJECT, "qarion-secrets", json.dumps(FIELDS).encode(), location=LOCATION)
        self.name = self.name.replace("/secrets/", f"/locations/{LOCATION}/secrets/")
        self.endpoint = "https://" + host
        self.more = {"GCP_SECRET_ENDPOINT": None, "GCP_SECRET_LOCATION": LOCATION}
        sent, = self.assert_same()
        self.assertEqual(sent["host"], host)

    def test_in_another_universe(self):
        self.log_in(self.key_file(universe_domain="example.goog"), GOOGLE_CLOUD_UNIVERSE_DOMAIN="example.goog")
        self.endpoint, self.more = "https://secretmanager.example.goog", {"GCP_SECRET_ENDPOINT": None}
        ours, = self.ours()
        theirs, = self.google_s()
        # By the audience there Google's library names a host that is not that universe's; AIP-4111 wants the scope.
        self.assertEqual(theirs["authorization"][2].pop("aud"), "https://secretmanager.googleapis.com/")
        self.assertEqual(ours["authorization"][2].pop("scope"), CLOUD)
        self.assertEqual(ours, theirs)

    def test_tells_nothing_of_this_machine(self):
        """Google's library tells its version, and those of the language and of what it stands on."""
        self.ours()
        request, = self.services.requests
        self.assertNotIn("x-goog-api-client", request.headers)
        self.assertNotIn("x-allowed-locations", request.headers)


class Looking(RequestCase):
    def setUp(self):
        super().setUp()
        self.allow(self.reader_account.principal, *READ, *MANAGE)

    def test_at_a_version(self):
        self.assertEqual(self.run_command("check").returncode, 0)
        ours = [sent for sent in self.sent() if not sent["line"].endswith(":access")]
        self.assert_same(ours, self.google_s(lambda client: client.get_secret_version(name=self.name)))

    def test_for_versions_that_are_enabled(self):
        self.secrets.add_version(self.secret, b"{}").state = "DISABLED"
        self.more = {"GCP_SECRET_VERSION_FALLBACK": "previous"}
        ours = self.ours()
        self.assertEqual([sent["line"].rpartition(":")[2] for sent in (ours[0], ours[2])], ["access", "access"])
        theirs = self.google_s(lambda client: client.list_secret_versions(request={
            "parent": SECRET, "filter": "state:ENABLED"}))
        for sent in (ours[1], theirs[0]):
            sent["query"].sort()
        self.assert_same(ours[1:2], theirs)


class Logins(RequestCase):
    def test_of_a_user(self):
        self.allow(USER)
        self.allow(USER, USE_PROJECT)
        self.log_in(authorized_user(self.identity.new_login(USER), quota_project_id=PROJECT))
        token, access = self.assert_same()
        self.assertEqual((token["host"], access["x-goog-user-project"]), ("oauth2.googleapis.com", PROJECT))

    def test_of_a_workforce_user(self):
        login = self.identity.new_login("principal:" + WORKFORCE.partition("/providers")[0] + "/subject/fake")
        self.allow(login.principal)
        self.log_in(external_account_authorized_user(self.services, WORKFORCE, login))
        token, _ = self.assert_same()
        self.assertEqual(token["authorization"][0], "Basic")

    def test_as_a_service_account_by_a_user(self):
        login = self.identity.new_login(USER)
        self.identity.grant(USER, self.reader_account.resource, GET_TOKEN)
        self.identity.grant(USER, f"projects/{NUMBER}", USE_PROJECT)
        self.log_in(impersonated_service_account(self.reader_account, authorized_user(
            login, quota_project_id=PROJECT)))
        ours, theirs = self.ours(), self.google_s()
        # Nobody in between: an empty list says the same as none.
        self.assertEqual(theirs[1]["body"].pop("delegates"), [])
        self.assert_same(ours, theirs)
        self.assertEqual(ours[1]["host"], "iamcredentials.googleapis.com")

    def test_as_a_service_account_by_another_and_one_between(self):
        first, between = (self.new_account(f"{name}@fake.iam.gserviceaccount.com") for name in ("first", "between"))
        self.identity.grant(first.principal, between.resource, GET_TOKEN)
        self.identity.grant(between.principal, self.reader_account.resource, GET_TOKEN)
        self.log_in(impersonated_service_account(
            self.reader_account, first.key_file(self.services.url + "/token"), [between]))
        grant, generated, _ = self.assert_same()
        self.assertEqual(grant["body"]["assertion"][1]["scope"], IAM)
        self.assertEqual(generated["body"]["delegates"], [between.resource])


class ExternalAccounts(RequestCase):
    def setUp(self):
        super().setUp()
        self.provider = self.identity.new_provider(AUDIENCE, tokens={SUBJECT_TOKEN: "fake-subject"})
        self.allow(self.provider.principal("fake-subject"))
        self.hidden += [SUBJECT_TOKEN, AWS_SECRET]

    def use(self, source, settings=(), **more):
        self.log_in(external_account(self.services, more.pop("audience", AUDIENCE), source, **more), **dict(settings))

    def use_file(self, **more):
        self.use({"file": self.write("subject", SUBJECT_TOKEN)}, **more)

    def test_by_a_file(self):
        self.use_file()
        exchange, _ = self.assert_same()
        self.assertEqual(exchange["body"]["scope"], CLOUD)

    def test_by_a_file_with_a_newline(self):
        self.use({"file": self.write("subject", SUBJECT_TOKEN + "\n")})
        ours, theirs = self.ours(), self.google_s()
        # Google's library sends it, which other identity providers than Google's need not accept.
        self.assertEqual(theirs[0]["body"].pop("subject_token"), SUBJECT_TOKEN + "\n")
        self.assertEqual(ours[0]["body"].pop("subject_token"), SUBJECT_TOKEN)
        self.assert_same(ours, theirs)

    def test_by_a_url(self):
        self.services.reset({"GET /subject": (200, {"token": SUBJECT_TOKEN})})
        self.use({"url": self.services.url + "/subject?a=b%20c", "headers": {"X-Fake": "fake"},
                  "format": {"type": "json", "subject_token_field_name": "token"}})
        asked, *_ = self.assert_same()
        self.assertEqual((asked["line"], asked["query"], asked["x-fake"]), ("GET /subject", [("a", "b c")], "fake"))

    def test_by_a_program(self):
        """It is told the same."""
        told = self.directory / "told"
        program = self.write("program", f"#!{sys.executable}\nimport json, os, sys\n"
                             "told = {name: value for name, value in os.environ.items() if 'GOOGLE_EXTERNAL' in name}\n"
                             f"print(sys.argv, json.dumps(told, sort_keys=True), file=open({str(told)!r}, 'a'))\n"
                             f"print(json.dumps({{'version': 1, 'success': True, 'token_type': {SUBJECT_TYPES[0]!r}, "
                             f"'id_token': {SUBJECT_TOKEN!r}}}))\n")
        os.chmod(program, 0o700)
        self.use({"executable": {"command": f"{program} 'a b' c", "timeout_millis": 5000}},
                 {"GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES": "1"})
        self.assert_same()
        ours, theirs, *_ = [line.partition("{") for line in told.read_text().splitlines()]
        self.assertEqual(ours[0], theirs[0])
        ours, theirs = (json.loads("{" + line[2]) for line in (ours, theirs))
        # Variables of it that say nothing: no program is asked to revoke anything, or talks to anybody here.
        self.assertEqual({name: value for name, value in theirs.items() if name not in ours and value not in ("", "0")},
                         {})
        self.assertEqual(ours, {name: theirs[name] for name in ours})

    def test_by_keys_of_aws(self):
        for token in (None, "fake-session-token/+==-of-nobody"):
            with self.subTest(token=token):
                self.provider.aws_keys = {"AKIAFAKE": Key(AWS_SECRET, ARN, token)}
                self.allow(self.provider.principal(ARN))
                self.use(aws_source(), {"AWS_ACCESS_KEY_ID": "AKIAFAKE", "AWS_SECRET_ACCESS_KEY": AWS_SECRET,
                                        "AWS_SESSION_TOKEN": token, "AWS_REGION": "us-east-2"},
                         subject_token_type=AWS_TYPE)
                ours, theirs = self.ours(), self.google_s()
                self.assert_signed_alike(ours, theirs)

    def assert_signed_alike(self, ours, theirs):
        signed = [sent[-2]["body"]["subject_token"].pop("signed") for sent in (ours, theirs)]
        self.assertEqual(signed[0][0], signed[1][0])
        # Python leaves out the header that says for whom it is signed, Go does not: nobody else can use it then.
        names = [set(part[1].removeprefix("SignedHeaders=").split(";")) for part in signed]
        self.assertLessEqual(names[0] - names[1], {"x-goog-cloud-target-resource"})
        self.assertLessEqual(names[1], names[0])
        self.assert_same(ours, theirs)

    def test_by_an_instance_of_aws(self):
        instance = scripted_services.Services()
        self.addCleanup(instance.close)
        answers = {"GET /latest/meta-data/placement/availability-zone": (200, "us-east-2b"),
                   "GET " + scripted_services.ROLES_PATH.rstrip("/"): (200, "fake-role")}
        key_id, secret, token = scripted_services.keys_for("instance", "v2")
        self.provider.aws_keys = {key_id: Key(secret, ARN, token)}
        self.allow(self.provider.principal(ARN))
        self.use(aws_source(instance.url), subject_token_type=AWS_TYPE)
        lines = []
        sent = []
        for send in (self.ours, self.google_s):
            instance.reset(answers)
            sent.append(send())
            lines.append([request.line() for request in instance.requests])
        # Google's library gets a second token for the keys; one is good for all questions.
        first, *rest = lines[1]
        self.assertEqual(lines[0], [first, *(line for line in rest if line != first)])
        self.assert_signed_alike(*sent)

    def test_as_a_service_account(self):
        self.identity.grant(self.provider.principal("fake-subject"), self.reader_account.resource, GET_TOKEN)
        self.use_file(impersonated=self.reader_account,
                      service_account_impersonation={"token_lifetime_seconds": 2800})
        ours, theirs = self.ours(), self.google_s()
        # A member that is null is as good as none.
        self.assertIsNone(theirs[1]["body"].pop("delegates"))
        # Google's library asks the host that the file names, which whoever wrote the file may have chosen.
        self.assertEqual((ours[1].pop("host"), theirs[1].pop("host")),
                         ("iamcredentials.googleapis.com", self.services.address))
        self.assert_same(ours, theirs)
        self.assertEqual((ours[0]["body"]["scope"], ours[1]["body"]["lifetime"]),
                         (IAM, "2800s"))

    def test_with_the_project_that_pays(self):
        self.allow(self.provider.principal("fake-subject"), USE_PROJECT)
        self.use_file(quota_project_id=PROJECT)
        self.assertEqual(self.assert_same()[-1]["x-goog-user-project"], PROJECT)

    def test_with_a_password(self):
        self.provider.clients = {"fake-client": "fake:password/+of-nobody"}
        self.use_file(client_id="fake-client", client_secret="fake:password/+of-nobody")
        self.assertEqual(self.assert_same()[0]["authorization"], ("Basic", b"fake-client:fake:password/+of-nobody"))

    def workforce(self, **more):
        provider = self.identity.new_provider(WORKFORCE, tokens=self.provider.tokens, user_project=PROJECT, **more)
        self.allow(provider.principal("fake-subject"))

    def test_of_a_workforce(self):
        self.workforce()
        self.use_file(audience=WORKFORCE, workforce_pool_user_project=PROJECT)
        self.assertEqual(self.assert_same()[0]["body"]["options"], {"userProject": PROJECT})

    def test_of_a_workforce_with_a_password(self):
        self.workforce(clients={"fake-client": "fake-password-of-nobody"})
        self.use_file(audience=WORKFORCE, workforce_pool_user_project=PROJECT, client_id="fake-client",
                      client_secret="fake-password-of-nobody")
        self.assertNotIn("options", self.assert_same()[0]["body"])


class Metadata(RequestCase):
    def setUp(self):
        super().setUp()
        self.machine(GOOGLE_CLOUD_PROJECT=PROJECT, GCE_METADATA_IP=self.services.address)
        self.addCleanup(read_settings_again)

    def google_s(self, call=None):
        # Reading its settings again, it also looks again whether this machine is one of Google's.
        with contextlib.ExitStack() as stack:
            stack.enter_context(unittest.mock.patch.object(
                google.auth.compute_engine._metadata, "_GCE_PRODUCT_NAME_FILE", os.devnull))
            return super().google_s(call)

    def test_of_the_machine(self):
        ours, theirs = self.ours(), self.google_s()
        lines = [sent["line"] for sent in theirs]
        # Google's library asks first whether there is a server, and who the account is: the token says both.
        self.assertEqual(lines[0], "GET /")
        needed = [sent for sent in theirs if sent["line"].endswith("/token") or ACCESS in sent["line"]]
        self.assert_same(ours, needed)
        self.assertEqual((ours[0]["line"], ours[0]["metadata-flavor"]), ("GET " + METADATA_TOKEN, "Google"))


if __name__ == "__main__":
    unittest.main()
