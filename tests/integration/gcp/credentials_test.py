#!/usr/bin/env python3
"""Ways to credentials, every type of file and the machine's own: each reads the secret, by the requests that Google's
servers check, and asks nobody else. requests_test.py has the requests themselves."""
import json
import os
import unittest

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from credential_files import authorized_user, external_account, impersonated_service_account
from gcp_case import ACCESSED, AUDIENCE, FIELDS, GET_TOKEN, METADATA, METADATA_TOKEN, PROJECT, USER, GcpCase
from identity import CLOUD, read_jwt, sign_jwt
from secret_manager import USE_PROJECT

GCLOUD_FILE = ".config/gcloud/application_default_credentials.json"
SUBJECT_TOKEN = "fake-subject-token-of-nobody"


class ServiceAccount(GcpCase):
    def test_signs_what_it_sends_and_asks_nobody_for_a_token(self):
        self.assert_gets()
        self.assert_asked(ACCESSED)
        self.assert_asked_by(self.reader_account.principal)
        self.assert_masks_tokens()

    def test_reads_at_google_s_own_host(self):
        self.lead_here()
        self.assert_gets(GCP_SECRET_ENDPOINT=None)
        self.assert_asked(ACCESSED)
        self.assertEqual(self.services.requests[0].host, "secretmanager.googleapis.com")

    def key_as(self, form, encryption=None, key=None):
        key = key or self.reader_account.key
        return key.private_bytes(serialization.Encoding.PEM, form, encryption or serialization.NoEncryption()).decode()

    def test_a_key_of_the_older_form(self):
        key = self.key_as(serialization.PrivateFormat.TraditionalOpenSSL)
        self.assertIn("BEGIN RSA PRIVATE KEY", key)
        self.log_in(self.key_file(private_key=key))
        self.assert_gets()

    def test_a_key_without_an_id(self):
        file = self.key_file()
        del file["private_key_id"]
        self.log_in(file)
        self.assert_gets()
        self.assertNotIn("kid", read_jwt(self.services.requests[0].bearer())[0])

    def test_keys_that_are_none(self):
        good = self.key_as(serialization.PrivateFormat.PKCS8)
        lines = good.splitlines(keepends=True)
        for name, status, key in (
                ("encrypted", 78, self.key_as(serialization.PrivateFormat.PKCS8,
                                         serialization.BestAvailableEncryption(b"fake-password"))),
                ("elliptic", 78, self.key_as(serialization.PrivateFormat.PKCS8,
                                             key=ec.generate_private_key(ec.SECP256R1()))),
                ("of another name", 78, good.replace("PRIVATE KEY", "CERTIFICATE")),
                ("text", 65, "fake-private-key-of-nobody"), ("cut", 65, "".join(lines[:9] + lines[-1:]))):
            with self.subTest(name):
                self.log_in(self.key_file(private_key=key))
                self.assert_fails(status, "credentials.json", "private_key")
        self.assertEqual(self.services.requests, [])

    def test_a_key_that_google_does_not_know(self):
        self.log_in(self.new_account("other@fake.iam.gserviceaccount.com").key_file(
            "https://oauth2.googleapis.com/token", client_email=self.reader_account.email))
        self.assert_fails(77, "UNAUTHENTICATED", "`qsecrets check` says where they are from")

    def test_an_account_that_is_disabled(self):
        self.reader_account.enabled = False
        self.addCleanup(setattr, self.reader_account, "enabled", True)
        self.assert_fails(77, "UNAUTHENTICATED", "`qsecrets check` says where they are from")

    def test_of_another_universe(self):
        self.log_in(self.key_file(universe_domain="example.goog"))
        self.lead_here()
        self.assert_gets(GCP_SECRET_ENDPOINT=None)
        self.assertEqual(self.proxy.asked, ["secretmanager.example.goog"])
        claims = read_jwt(self.services.requests[0].bearer())[1]
        self.assertEqual((claims.get("aud"), claims.get("scope")),
                         (None, CLOUD))

    def test_the_project_of_its_file(self):
        self.assert_gets(GCP_SECRET_PROJECT=None)
        self.assert_asked(ACCESSED)


class AuthorizedUser(GcpCase):
    def setUp(self):
        super().setUp()
        self.login = self.identity.new_login(USER)
        self.allow(USER)
        self.lead_here()

    def log_in_by_gcloud(self, document, directory=".config/gcloud", **more):
        self.log_in(document, **more)
        os.unlink(self.settings.pop("GOOGLE_APPLICATION_CREDENTIALS"))
        (self.directory / directory).mkdir(parents=True, exist_ok=True)
        self.write(directory + "/application_default_credentials.json", json.dumps(document))

    def log_in_as_user(self, **more):
        self.log_in_by_gcloud(authorized_user(self.login, **more))
        self.lead_here()

    def test_reads(self):
        self.log_in_as_user()
        self.assert_gets()
        self.assert_asked("POST /token", ACCESSED)
        self.assert_asked_by(USER)
        self.assertEqual(self.proxy.asked, ["oauth2.googleapis.com"])
        self.assert_masks_tokens()

    def test_reads_where_gcloud_is_configured_elsewhere(self):
        self.log_in_by_gcloud(authorized_user(self.login), directory="elsewhere")
        self.lead_here()
        self.assert_gets(CLOUDSDK_CONFIG=str(self.directory / "elsewhere"))
        self.assert_asked_by(USER)

    def test_who_logged_out_is_told_how_to_log_in(self):
        self.log_in_as_user(refresh_token="fake-refresh-token-that-ended")
        self.assert_fails(77, "invalid_grant", "gcloud auth application-default login", GCLOUD_FILE)
        self.assert_asked("POST /token")

    def test_clients_that_google_does_not_know(self):
        for name in ("client_id", "client_secret"):
            with self.subTest(name):
                self.log_in_as_user(**{name: "fake-other-client-of-nobody"})
                self.assert_fails(77, "invalid_client", GCLOUD_FILE)

    def test_needs_a_project_from_elsewhere(self):
        self.log_in_as_user()
        self.assert_fails(78, "GCP_SECRET_PROJECT", GCP_SECRET_PROJECT=None)
        for name in ("GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT"):
            self.assert_gets(GCP_SECRET_PROJECT=None, **{name: PROJECT})
        self.assert_gets(GCP_SECRET_PROJECT=None, GOOGLE_CLOUD_PROJECT=PROJECT, GCLOUD_PROJECT="fake-other")


class Impersonation(GcpCase):
    """impersonated_service_account."""

    def setUp(self):
        super().setUp()
        self.lead_here()

    def act_as_reader(self, source, delegates=(), **more):
        self.log_in(impersonated_service_account(self.reader_account, source, delegates, **more))
        self.lead_here()

    def test_by_a_user(self):
        self.act_as_reader(authorized_user(self.identity.new_login(USER)))
        self.assert_fails(77, GET_TOKEN, "roles/iam.serviceAccountTokenCreator", self.reader_account.email)
        self.services.reset()
        self.may_act_as_reader(USER)
        self.assert_gets()
        self.assert_asked("POST /token", self.generated(), ACCESSED)
        self.assert_asked_by(self.reader_account.principal)
        self.assertEqual(set(self.proxy.asked), {"oauth2.googleapis.com", "iamcredentials.googleapis.com"})
        self.assert_masks_tokens()

    def test_by_a_service_account(self):
        first = self.new_account("first@fake.iam.gserviceaccount.com")
        self.may_act_as_reader(first.principal)
        self.act_as_reader(first.key_file(self.services.url + "/token"))
        self.assert_gets()
        self.assert_asked("POST /token", self.generated(), ACCESSED)
        self.assert_asked_by(self.reader_account.principal)
        self.assert_masks_tokens()

    def test_by_an_external_account(self):
        provider = self.identity.new_provider(AUDIENCE, tokens={SUBJECT_TOKEN: "fake-subject"})
        self.may_act_as_reader(provider.principal("fake-subject"))
        self.act_as_reader(external_account(self.services, AUDIENCE, {"file": self.write("subject", SUBJECT_TOKEN)}))
        self.assert_gets()
        self.assert_asked("POST /v1/token", self.generated(), ACCESSED)

    def test_by_those_between(self):
        first, between = (self.new_account(f"{name}@fake.iam.gserviceaccount.com") for name in ("first", "between"))
        file = first.key_file(self.services.url + "/token")
        self.act_as_reader(file, [between])
        self.may_act_as_reader(first.principal)  # which is not the way
        self.identity.grant(first.principal, between.resource, GET_TOKEN)
        self.assert_fails(77, GET_TOKEN)
        self.may_act_as_reader(between.principal)
        self.assert_gets()
        self.log_in({**impersonated_service_account(self.reader_account, file), "delegates": [between.email]})
        self.lead_here()
        self.assert_gets()

    def test_nobody_is_impersonated_by_somebody_impersonated(self):
        inner = impersonated_service_account(self.reader_account, authorized_user(self.identity.new_login(USER)))
        self.act_as_reader(inner)
        self.assert_fails(65, "source_credentials.type", "delegates")
        self.assertEqual(self.services.requests, [])


class Metadata(GcpCase):
    """The machine's own account, of which GCE_METADATA_HOST says where it is asked."""

    def setUp(self):
        super().setUp()
        self.machine()

    def test_reads(self):
        self.assert_gets()
        self.assert_asked("GET " + METADATA_TOKEN, ACCESSED)
        self.assert_asked_by(self.reader_account.principal)
        self.assert_masks_tokens()

    def test_the_project_of_the_machine(self):
        self.assert_gets(GCP_SECRET_PROJECT=None)
        self.assertEqual(set(self.requests()), {"GET " + METADATA_TOKEN, f"GET {METADATA}project/project-id", ACCESSED})

    def test_every_name_of_its_address(self):
        for name in ("GCE_METADATA_HOST", "GCE_METADATA_ROOT", "GCE_METADATA_IP"):
            for value in (self.services.address, self.services.url):
                with self.subTest(name, value=value):
                    self.assert_gets(**{"GCE_METADATA_HOST": None, name: value})

    def test_the_first_of_its_names_goes_first(self):
        self.assert_gets(GCE_METADATA_ROOT="127.0.0.1:1", GCE_METADATA_IP="127.0.0.1:1")

    def test_its_settings(self):
        for settings in ({"GCE_METADATA_TIMEOUT": "0.5"}, {"GCE_METADATA_TIMEOUT": "5"},
                         {"GCE_METADATA_TIMEOUT": "500ms"}, {"GCE_METADATA_DETECT_RETRIES": "2"}):
            self.assert_gets(**settings)
        for name, text in (("GCE_METADATA_TIMEOUT", "0"), ("GCE_METADATA_TIMEOUT", "fake"),
                           ("GCE_METADATA_TIMEOUT", "61"), ("GCE_METADATA_DETECT_RETRIES", "0"),
                           ("GCE_METADATA_DETECT_RETRIES", "x"), ("NO_GCE_CHECK", "fake"),
                           ("GCE_METADATA_HOST", "http://a/b"), ("GCE_METADATA_HOST", "https://127.0.0.1"),
                           ("GCE_METADATA_MTLS_MODE", "strict")):
            with self.subTest(name, text=text):
                self.assert_fails(78, name, **{name: text})

    def test_is_not_asked_where_that_is_forbidden(self):
        self.assert_fails(78, "GOOGLE_APPLICATION_CREDENTIALS", NO_GCE_CHECK="true")
        self.assertEqual(self.services.requests, [])

    def test_a_machine_without_an_account(self):
        self.services.metadata.account = None
        self.assert_fails(78, self.services.address, "service account")

    def test_a_machine_whose_account_has_not_the_scope(self):
        self.services.reset({"GET " + METADATA_TOKEN: lambda _: (
            200, self.identity.hand_out(self.reader_account.principal, ["https://www.googleapis.com/auth/fake"]),
            {"Metadata-Flavor": "Google"})})
        self.assert_fails(77, "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "cloud-platform")

    def test_the_universe_of_the_machine(self):
        for told, host in (("googleapis.com", "googleapis.com"), (None, "googleapis.com"),
                           ("example.goog", "example.goog")):
            self.services.metadata.universe_domain = told
            self.lead_here()
            self.assert_gets(GCP_SECRET_ENDPOINT=None)
            self.assertEqual(self.proxy.asked[-1], "secretmanager." + host)
        self.assertEqual(len(self.services.seen("universe/universe-domain")), 3)

    def test_is_never_asked_through_a_proxy(self):
        self.assert_gets(**{name: "http://127.0.0.1:1" for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY",
                                                                     "all_proxy")})


class Order(GcpCase):
    """The file that is named, that of gcloud, the machine."""

    def setUp(self):
        super().setUp()
        self.allow(USER)
        self.machine()
        self.of_machine = self.settings
        self.user_file = authorized_user(self.identity.new_login(USER))

    def settings_with(self, **more):
        self.settings = {**self.of_machine, **more}
        self.lead_here()

    def write_gcloud(self, text):
        (self.directory / ".config/gcloud").mkdir(parents=True, exist_ok=True)
        return self.write(GCLOUD_FILE, text)

    def test_the_file_that_is_named_goes_first(self):
        self.write_gcloud("fake")
        self.settings_with(GOOGLE_APPLICATION_CREDENTIALS=self.write("key.json", json.dumps(self.key_file())))
        self.assert_gets()
        self.assert_asked(ACCESSED)

    def test_gcloud_s_goes_before_the_machine(self):
        self.write_gcloud(json.dumps(self.user_file))
        for named in (None, ""):
            self.services.reset()
            self.settings_with(GOOGLE_APPLICATION_CREDENTIALS=named)
            self.assert_gets()
            self.assert_asked("POST /token", ACCESSED)
            self.assert_asked_by(USER)

    def test_gcloud_s_is_an_error_where_it_is_broken(self):
        """The machine, which could read, is not asked in its place."""
        self.settings_with()
        for text in ("", "fake", "{}", json.dumps({**self.user_file, "refresh_token": ""})):
            self.write_gcloud(text)
            self.assert_fails(65, GCLOUD_FILE)
        (self.directory / GCLOUD_FILE).unlink()
        (self.directory / GCLOUD_FILE).mkdir()
        self.assert_fails(78, GCLOUD_FILE)
        self.assertEqual(self.services.requests, [])

    def test_the_machine_comes_last(self):
        self.settings_with()
        self.assert_gets()
        self.assert_asked_by(self.reader_account.principal)

    def test_nothing_at_all(self):
        self.settings_with(NO_GCE_CHECK="true")
        self.assert_fails(78, "GOOGLE_APPLICATION_CREDENTIALS", "gcloud auth application-default login", GCLOUD_FILE)

    def test_settings_may_stand_in_env_file(self):
        self.write(".env", "".join(f"{name}={value}\n" for name, value in {
            **self.backend_settings(), "GOOGLE_APPLICATION_CREDENTIALS": self.write(
                "key.json", json.dumps(self.key_file()))}.items() if value is not None))
        self.assert_gets(**dict.fromkeys([*self.backend_settings(), "GOOGLE_APPLICATION_CREDENTIALS"]))
        self.assert_asked(ACCESSED)

    def test_check_says_which_applies_and_why_the_others_do_not(self):
        """All three places, whichever it is."""
        def places():
            return [text for name, text in self.details().items() if name.startswith("credentials: ")]

        gcloud = str(self.directory / GCLOUD_FILE)
        self.settings_with()
        self.assertEqual(places(), ["is not set", gcloud + " does not exist", "in use"])
        named = self.write("key.json", json.dumps(self.key_file()))
        behind = "not looked at: GOOGLE_APPLICATION_CREDENTIALS comes first"
        self.settings_with(GOOGLE_APPLICATION_CREDENTIALS=named)
        self.assertEqual(places(), ["in use", f"{behind}; {gcloud} does not exist", behind])
        self.write_gcloud(json.dumps(self.user_file))
        self.assertEqual(places(), ["in use", f"{behind}; {gcloud} is there", behind])
        self.settings_with()
        self.assertEqual(places(), ["is not set", "in use", "not looked at: gcloud's file comes first"])
        self.settings_with(NO_GCE_CHECK="true")
        self.assertEqual(places()[2], "not looked at: gcloud's file comes first; NO_GCE_CHECK is true")
        self.identity.logins.clear()
        self.assertEqual(places()[:2], ["is not set", "applies, and fails"])


class UnusableFiles(GcpCase):
    """A file that is named and cannot be used is an error, even where there is another way."""

    def setUp(self):
        super().setUp()
        self.machine()
        self.of_machine = self.settings

    def assert_unusable(self, status, path, *words):
        self.settings = {**self.of_machine, "GOOGLE_APPLICATION_CREDENTIALS": path}
        self.assert_fails(status, path, *words)
        self.assertEqual(self.services.requests, [])

    def test_is_not_there(self):
        for path in ("/nowhere/key.json", str(self.directory), "\u00e9 \U0001f600"):
            self.assert_unusable(78, path, "GOOGLE_APPLICATION_CREDENTIALS")

    def test_its_content_in_place_of_its_path(self):
        """A key or a token, whole or in part, on one line as variables and .env have it: nothing of it is shown."""
        file = self.key_file()
        key = file["private_key"]
        body = "".join(line for line in key.splitlines() if "-" not in line)
        token = self.identity.issue(USER).removeprefix("fake-")
        jwt = sign_jwt(self.reader_account.key, "fake", {"iss": "fake"})
        contents = (key, key.replace("\n", "\\n"), key.replace("\n", " "), body, body[:64], body[:40],
                    json.dumps(file), json.dumps(file, indent=1), token, jwt,
                    "hvs." + body[:24])
        for content in contents:
            federated = external_account(self.services, AUDIENCE, {"file": content})
            for name, settings in (
                    ("GOOGLE_APPLICATION_CREDENTIALS", {"GOOGLE_APPLICATION_CREDENTIALS": content}),
                    ("gcloud's file", {"CLOUDSDK_CONFIG": content, "NO_GCE_CHECK": "true"}),
                    ("credential_source.file", {
                        "GOOGLE_APPLICATION_CREDENTIALS": self.write("federated.json", json.dumps(federated))}),
                    ("CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", {
                        "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE": content, "GCP_SECRET_ENDPOINT": "https://127.0.0.1:1"})):
                if name == "credential_source.file" and "\n" in content:
                    continue  # no file with credentials has a line break there
                self.settings = {**self.of_machine, **settings}
                for command in (("get", "SECRET_KEY"), ("status",), ("status", "-o", "json"), ("check",)):
                    with self.subTest(name, content=content[:12], command=command):
                        ran = self.run_command(*command)
                        if command[0] == "get":
                            self.assertNotEqual(ran.returncode, 0)
                            self.assertRegex(ran.stderr, "a text of [0-9]+ bytes, not a path")
                        for secret in (body, token, jwt):
                            for at in range(len(secret) - 7):
                                self.assertNotIn(secret[at:at + 8], ran.stdout + ran.stderr)

    @unittest.skipIf(os.geteuid() == 0, "everything may be read by root")
    def test_may_not_be_read(self):
        path = self.write("key.json", json.dumps(self.key_file()))
        os.chmod(path, 0)
        self.assert_unusable(78, path, "GOOGLE_APPLICATION_CREDENTIALS")

    def test_is_too_large(self):
        file = self.key_file(more="x" * 10_000_000)
        self.assert_unusable(65, self.write("key.json", json.dumps(file)))

    def test_is_not_what_it_should_be(self):
        file = self.key_file()
        for text, word in (("", "JSON"), ("fake", "JSON"), ("[]", "object"), ("{}", "type"), ("\0", "JSON"),
                           (json.dumps(file)[:-1], "JSON"), (json.dumps({**file, "type": "fake"}), "service_account"),
                           (json.dumps({**file, "type": "gdch_service_account"}), "gdch_service_account"),
                           (json.dumps({**file, "private_key": 5}), "private_key"),
                           (json.dumps({**file, "client_email": None}), "client_email"),
                           (json.dumps({**file, "token_uri": "http://fake.test/token"}), "token_uri"),
                           (json.dumps({**authorized_user(self.identity.new_login(USER)), "client_secret": ""}),
                            "client_secret"),
                           (json.dumps({"web": {"client_id": "x"}}), "type")):
            with self.subTest(text[:40] + text[-40:], word=word):
                self.hidden += [line for line in file["private_key"].splitlines() if "-" not in line]
                self.assert_unusable(65, self.write("key.json", text), word)

    def test_a_key_that_is_replaced(self):
        """While the service runs: the file is read anew."""
        self.log_in(self.key_file())
        reader = self.reader(20, SECRETS_CACHE_TTL="3600")
        reader.expect(event="value", value=FIELDS["SECRET_KEY"])
        other = self.new_account("next@fake-project.iam.gserviceaccount.com")
        self.allow(other.principal)
        self.log_in(other.key_file("https://oauth2.googleapis.com/token"))
        self.reader_account.enabled = False
        self.addCleanup(setattr, self.reader_account, "enabled", True)
        self.assertEqual(reader.ask("refresh")["error"], "")
        self.assert_asked_by(other.principal)
        self.assertEqual(reader.end()["failures"], 0)

    def test_is_read_again_at_each_refresh(self):
        """A login that ended is mended while the service runs."""
        login = self.identity.new_login(USER)
        self.allow(USER)
        self.log_in(authorized_user(login))
        self.lead_here()
        reader = self.reader(20, SECRETS_CACHE_TTL="1")
        reader.expect(event="value", value=FIELDS["SECRET_KEY"])
        login.refresh_token = "fake-1//next-refresh-token"
        self.identity.end_tokens()
        self.assertIn("invalid_grant", reader.ask("refresh")["error"])
        self.log_in(authorized_user(login))
        self.assertEqual(reader.ask("refresh")["error"], "")
        self.assert_nothing_shown("".join(reader.errors))


class Projects(GcpCase):
    """The project that pays, and the universe."""

    def test_the_project_that_pays(self):
        login = self.identity.new_login(USER)
        self.allow(USER)
        self.log_in(authorized_user(login, quota_project_id=PROJECT))
        self.lead_here()
        self.assert_fails(77, "USER_PROJECT_DENIED", PROJECT, "roles/serviceusage.serviceUsageConsumer")
        self.allow(USER, USE_PROJECT)
        self.assert_gets()
        self.assertEqual(self.services.requests[-1].headers["x-goog-user-project"], PROJECT)

    def test_a_variable_goes_before_the_file(self):
        self.allow(USER)
        self.log_in(authorized_user(self.identity.new_login(USER), quota_project_id="fake-other"))
        self.lead_here()
        self.allow(USER, USE_PROJECT)
        self.assert_gets(GOOGLE_CLOUD_QUOTA_PROJECT=PROJECT)
        self.assertEqual(self.services.requests[-1].headers["x-goog-user-project"], PROJECT)

    def test_that_of_a_service_account_s_file_is_not_taken(self):
        self.log_in(self.key_file(quota_project_id="fake-other"))
        self.assert_gets()
        self.assertNotIn("x-goog-user-project", self.services.requests[-1].headers)

    def test_a_universe_by_a_variable(self):
        """Of a machine, whose universe no file names."""
        self.machine()
        self.services.metadata.universe_domain = "example.goog"
        self.lead_here()
        self.assert_gets(GCP_SECRET_ENDPOINT=None, GOOGLE_CLOUD_UNIVERSE_DOMAIN="example.goog")
        self.assertEqual(self.proxy.asked, ["secretmanager.example.goog"])

    def test_a_universe_that_is_not_that_of_the_file(self):
        self.lead_here()
        self.assert_fails(78, "GOOGLE_CLOUD_UNIVERSE_DOMAIN", "example.goog", "googleapis.com",
                          GCP_SECRET_ENDPOINT=None, GOOGLE_CLOUD_UNIVERSE_DOMAIN="example.goog")
        self.assertEqual(self.services.requests, [])


if __name__ == "__main__":
    unittest.main()
