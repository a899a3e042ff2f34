#!/usr/bin/env python3
"""Reading the secret: what names it, versions and places, every refusal of the service with what mends it, rotation and
renewal of tokens; and that of nobody's key, token or value anything is shown."""
import json
import time
import unittest

from credential_files import authorized_user
from gcp_case import (ACCESS, ACCESSED, FIELDS, LOCATION, METADATA, METADATA_TOKEN, NUMBER, PROJECT, SECRET, USER,
                      GcpCase, wait_for)
from issuers import Authority
from secret_manager import READ

LIST = "GET /v1/" + SECRET + "/versions"
REGIONAL = f"projects/{PROJECT}/locations/{LOCATION}/secrets/qarion-secrets"


def fields(value):
    return json.dumps({"SECRET_KEY": value}).encode()


class ReadingCase(GcpCase):
    def get(self, **settings):
        result = self.run_command("get", "SECRET_KEY", **settings)
        return result.stdout or result.stderr

    def put(self, value):
        return self.secrets.add_version(self.secret, fields(value))


class Names(ReadingCase):
    def test_one_setting_is_enough(self):
        """With the credentials that are there."""
        self.lead_here()
        self.assert_gets(GCP_SECRET_PROJECT=None, GCP_SECRET_ENDPOINT=None)
        self.assertEqual(self.proxy.asked, ["secretmanager.googleapis.com"])

    def test_a_secret_of_another_name(self):
        self.secrets.add_secret(PROJECT, "App_db-1", fields("fake-other"))
        self.assertEqual(self.get(GCP_SECRET_NAME="App_db-1"), "fake-other")

    def test_a_resource_name(self):
        self.put("fake-second")
        for before in ("", "//secretmanager.googleapis.com/"):
            for project in (PROJECT, NUMBER):
                name = f"{before}projects/{project}/secrets/qarion-secrets"
                self.assertEqual(self.get(GCP_SECRET_NAME=name, GCP_SECRET_PROJECT=None), "fake-second")
                self.assertEqual(self.get(GCP_SECRET_NAME=name + "/versions/1", GCP_SECRET_PROJECT=None),
                                 FIELDS["SECRET_KEY"])
                self.assertEqual(self.get(GCP_SECRET_NAME=name + "/versions/latest", GCP_SECRET_PROJECT=None),
                                 "fake-second")

    def test_a_resource_name_goes_before_the_project_of_the_credentials(self):
        self.log_in(self.key_file(project_id="fake-other"))
        self.assert_gets(GCP_SECRET_NAME=SECRET, GCP_SECRET_PROJECT=None)
        self.assert_gets(GCP_SECRET_NAME=SECRET, GCP_SECRET_PROJECT=None, GOOGLE_CLOUD_PROJECT="fake-other")

    def test_a_project_goes_before_that_of_the_credentials(self):
        self.log_in(self.key_file(project_id="fake-other"))
        self.assert_gets()
        self.assert_gets(GCP_SECRET_PROJECT=str(NUMBER))
        self.assert_gets(GCP_SECRET_PROJECT=None, GOOGLE_CLOUD_PROJECT=PROJECT)

    def test_what_names_no_secret(self):
        for text in ("a b", "a/b", "x" * 256, "projects/p", "projects//secrets/s", SECRET + "/", SECRET + "/versions",
                     SECRET + "/versions/", SECRET + "/other/1", "//iam.googleapis.com/" + SECRET, "a.b", "\u00e9",
                     "https://secretmanager.googleapis.com/v1/" + SECRET):
            with self.subTest(text):
                self.assert_fails(78, "GCP_SECRET_NAME", GCP_SECRET_NAME=text)
        self.assertEqual(self.services.requests, [])

    def test_what_is_no_setting(self):
        for name, texts in {
                "GCP_SECRET_VERSION": ("0", "-1", "_a", "01", "a b", "a/b", "99999999999999999999", "latest:access"),
                "GCP_SECRET_PROJECT": ("a b", "a/b", "p?x=y", "../x", "x" * 300),
                "GCP_SECRET_LOCATION": ("a b", "europe/west3", "a.b", "x" * 300, "evil.test#"),
                "GCP_SECRET_VERSION_FALLBACK": ("next", "true"),
                "GCP_SECRET_ENDPOINT": ("fake", "ftp://127.0.0.1", "http://fake.test", "https://fake.test/?a=b",
                                        "https://user:password@fake.test")}.items():
            for text in texts:
                with self.subTest(name, text=text):
                    self.assert_fails(78, name, **{name: text})
        self.assertEqual(self.services.requests, [])

    def test_settings_that_contradict_each_other(self):
        for settings, named in (
                ({"GCP_SECRET_NAME": SECRET, "GCP_SECRET_PROJECT": "fake-other"}, "GCP_SECRET_PROJECT"),
                ({"GCP_SECRET_NAME": REGIONAL, "GCP_SECRET_LOCATION": "europe-west1"}, "GCP_SECRET_LOCATION"),
                ({"GCP_SECRET_NAME": SECRET + "/versions/2", "GCP_SECRET_VERSION": "1"}, "GCP_SECRET_VERSION"),
                ({"GCP_SECRET_VERSION_FALLBACK": "previous", "GCP_SECRET_VERSION": "1"},
                 "GCP_SECRET_VERSION_FALLBACK")):
            with self.subTest(settings):
                self.assert_fails(78, named, **settings)
        self.assertEqual(self.services.requests, [])

    def test_projects_that_contradict_each_other_by_number_and_id(self):
        """Which the name in the answer shows."""
        for name, project in ((SECRET, NUMBER + 1), (SECRET.replace(PROJECT, str(NUMBER + 1)), PROJECT)):
            settings = {"GCP_SECRET_NAME": name, "GCP_SECRET_PROJECT": str(project)}
            self.assert_fails(78, "GCP_SECRET_PROJECT and GCP_SECRET_NAME name different projects",
                              f"{PROJECT} has the number {NUMBER}, not {NUMBER + 1}", **settings)
            self.assertIn("name different projects", str(self.findings(**settings)))
        for name, project in ((SECRET, NUMBER), (SECRET.replace(PROJECT, str(NUMBER)), PROJECT)):
            self.assert_gets(GCP_SECRET_NAME=name, GCP_SECRET_PROJECT=str(project))

    def test_settings_that_say_the_same(self):
        self.assert_gets(GCP_SECRET_NAME=SECRET + "/versions/1", GCP_SECRET_PROJECT=PROJECT, GCP_SECRET_VERSION="1")

    def test_settings_that_are_empty_are_as_good_as_not_set(self):
        self.assert_gets(**dict.fromkeys(("GCP_SECRET_NAME", "GCP_SECRET_VERSION", "GCP_SECRET_LOCATION",
                                          "GCP_SECRET_VERSION_FALLBACK", "GOOGLE_CLOUD_QUOTA_PROJECT"), ""))


class Versions(ReadingCase):
    def setUp(self):
        super().setUp()
        self.put("fake-second")
        self.put("fake-third")
        self.secret.aliases["stable"] = 2

    def test_by_number_by_alias_and_the_newest(self):
        for version, value in (("1", FIELDS["SECRET_KEY"]), ("2", "fake-second"), ("stable", "fake-second"),
                               ("latest", "fake-third"), (None, "fake-third")):
            self.assertEqual(self.get(GCP_SECRET_VERSION=version), value)

    def test_that_are_not_there(self):
        for version in ("9", "other"):
            self.assert_fails(78, "no version " + version, "gcloud secrets versions list qarion-secrets --project="
                              + PROJECT, GCP_SECRET_VERSION=version)

    def test_the_status_names_the_number(self):
        for version, number in (("stable", "2"), ("latest", "3")):
            status = json.loads(self.run_command("status", "-o", "json", GCP_SECRET_VERSION=version).stdout)
            self.assertEqual(status["version"], number)

    def change_newest(self, state):
        self.secret.versions[-1].state = state

    def test_the_newest_that_is_disabled_or_destroyed(self):
        for state, words in (("DISABLED", ("gcloud secrets versions enable 3",)), ("DESTROYED", ("3",))):
            with self.subTest(state):
                self.change_newest(state)
                self.assert_fails(78, state.lower(), "GCP_SECRET_VERSION_FALLBACK", *words)
        self.change_newest("DISABLED")
        self.assert_fails(78, "disabled", GCP_SECRET_VERSION="3")

    def test_the_one_before_where_that_is_wished(self):
        self.allow(self.reader_account.principal, "secretmanager.versions.list")
        for state in ("DISABLED", "DESTROYED"):
            with self.subTest(state):
                self.services.reset()
                self.change_newest(state)
                result = self.run_command("get", "SECRET_KEY", GCP_SECRET_VERSION_FALLBACK="previous")
                self.assertEqual(result.stdout, "fake-second", result.stderr)
                self.assertIn("the newest version", result.stderr)
                self.assertIn("version 2 takes its place", result.stderr)
                self.assertEqual(self.requests(), [ACCESSED, LIST, ACCESSED.replace("latest", "2")])
                self.assertIn("state%3AENABLED", self.services.seen("/versions?")[0].query)
        self.secret.versions[1].state = "DISABLED"
        self.assertEqual(self.get(GCP_SECRET_VERSION_FALLBACK="previous"), FIELDS["SECRET_KEY"])

    def test_the_one_before_needs_a_permission(self):
        self.change_newest("DISABLED")
        self.assert_fails(77, "secretmanager.versions.list", "roles/secretmanager.viewer",
                          self.reader_account.principal, GCP_SECRET_VERSION_FALLBACK="previous")

    def test_the_one_before_where_there_is_none(self):
        self.allow(self.reader_account.principal, "secretmanager.versions.list")
        for version in self.secret.versions:
            version.state = "DISABLED"
        self.assert_fails(78, "qarion-secrets", GCP_SECRET_VERSION_FALLBACK="previous")

    def test_the_one_before_is_not_asked_for_without_need(self):
        self.assertEqual(self.get(GCP_SECRET_VERSION_FALLBACK="previous"), "fake-third")
        self.assert_asked(ACCESSED)


class Regional(ReadingCase):
    HOST = f"secretmanager.{LOCATION}.rep.googleapis.com"

    def setUp(self):
        super().setUp()
        self.secrets.add_secret(PROJECT, "qarion-secrets", fields("fake-regional"), location=LOCATION)
        self.lead_here()

    def test_by_setting_and_by_name(self):
        for settings in ({"GCP_SECRET_LOCATION": LOCATION}, {"GCP_SECRET_NAME": REGIONAL},
                         {"GCP_SECRET_NAME": REGIONAL, "GCP_SECRET_LOCATION": LOCATION},
                         {"GCP_SECRET_NAME": REGIONAL + "/versions/1", "GCP_SECRET_PROJECT": None}):
            with self.subTest(settings):
                self.services.reset()
                self.assertEqual(self.get(GCP_SECRET_ENDPOINT=None, **settings), "fake-regional")
                self.assertEqual([request.host for request in self.services.requests], [self.HOST])
        self.assertEqual(set(self.proxy.asked), {self.HOST})

    def test_at_an_endpoint_of_one_s_own(self):
        self.assertEqual(self.get(GCP_SECRET_LOCATION=LOCATION), "fake-regional")
        self.assert_asked(f"GET /v1/{REGIONAL}/versions/latest:access")

    def test_where_there_is_none(self):
        self.secrets.secrets.clear()
        self.assert_fails(78, REGIONAL, "GCP_SECRET_LOCATION", GCP_SECRET_LOCATION=LOCATION)


class Values(ReadingCase):
    def test_list_shows_fields_and_no_value(self):
        result = self.run_command("list")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("SECRET_KEY", result.stdout)
        self.assertNotIn(FIELDS["SECRET_KEY"], result.stdout + result.stderr)

    def test_exec_gives_them_to_a_program(self):
        result = self.run_command("exec", "--", "sh", "-c", 'test "$SECRET_KEY" = ' + FIELDS["SECRET_KEY"])
        self.assertEqual((result.returncode, result.stdout), (0, ""), result.stderr)

    def test_exec_hides_them_and_the_file_with_the_key(self):
        result = self.run_command("exec", "--", "sh", "-c", 'echo "$SECRET_KEY"; cat "$GOOGLE_APPLICATION_CREDENTIALS"',
                                  GOOGLE_APPLICATION_CREDENTIALS=self.settings["GOOGLE_APPLICATION_CREDENTIALS"])
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn(FIELDS["SECRET_KEY"], result.stdout)

    def test_exec_hides_the_key(self):
        self.write("key.pem", self.key_file()["private_key"])
        result = self.run_command("exec", "--", "cat", "key.pem")
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_the_largest_secret(self):
        value = "x" * (65536 - len(fields("")))
        self.put(value)
        self.assertEqual(len(self.get()), len(value))

    def assert_bad(self, data, *words):
        self.secrets.add_version(self.secret, data)
        result = self.assert_fails(65, "qarion-secrets", *words)
        self.assertEqual(result.stdout, "")
        for at in range(0, len(data) - 11):
            self.assertNotIn(data[at:at + 12].decode("latin-1"), result.stderr)

    def test_what_is_no_json(self):
        self.assert_bad(b"fake-bare-password-of-nobody")

    def test_json_that_is_no_object(self):
        for data in (b'["fake-in-a-list-of-nobody"]', b'"fake-text-alone-of-nobody"', b"null-------- 1"):
            self.assert_bad(data)

    def test_bytes_that_are_no_text(self):
        self.assert_bad(b"\x00\xff\xfe")

    def test_an_empty_secret(self):
        self.assert_bad(b"")

    def test_an_empty_object_has_nothing_set(self):
        self.secrets.add_version(self.secret, b"{}")
        self.assert_fails(78, "SECRET_KEY is not set")

    def test_a_trace_shows_no_secret(self):
        result = self.run_command("get", "SECRET_KEY", QARION_SECRETS_LOG="debug")
        self.assertEqual(result.stdout, FIELDS["SECRET_KEY"], result.stderr)
        self.assertIn(f"http: GET {self.services.address} {ACCESS}", result.stderr)
        for word in (FIELDS["SECRET_KEY"], "Bearer"):
            self.assertNotIn(word, result.stderr)


class Refusals(ReadingCase):
    """Each with Google's reason and with what mends it."""

    def test_a_secret_that_is_not_there(self):
        self.assert_fails(78, "GCP_SECRET_NAME", "none does not exist", GCP_SECRET_NAME="none")

    def test_a_secret_without_a_version(self):
        self.secrets.add_secret(PROJECT, "empty")
        self.assert_fails(78, "empty", "gcloud secrets versions add empty", GCP_SECRET_NAME="empty")

    def test_the_permission_that_is_missing(self):
        self.identity.grants.clear()
        self.assert_fails(77, READ[0], "roles/secretmanager.secretAccessor", self.reader_account.principal)

    def test_a_project_that_is_another_s(self):
        self.secrets.add_project("fake-other", 99)
        for project in ("fake-other", "fake-nothing"):
            self.assert_fails(77, READ[0], "may not exist", project, "see that project", GCP_SECRET_PROJECT=project)

    def test_an_api_that_is_not_enabled(self):
        self.project.api_enabled = False
        self.assert_fails(78, "SERVICE_DISABLED",
                          f"gcloud services enable secretmanager.googleapis.com --project={NUMBER}")

    def test_a_project_that_nobody_pays_for(self):
        self.project.billing_enabled = False
        self.assert_fails(78, "BILLING_DISABLED", "billing", str(NUMBER))

    def test_a_quota_that_is_there_again(self):
        self.services.reset({ACCESSED: [(429, {"error": {
            "code": 429, "message": "Quota exceeded", "status": "RESOURCE_EXHAUSTED"}}), None]})
        self.assert_gets()
        self.assert_asked(ACCESSED, ACCESSED)


class Tokens(ReadingCase):
    def setUp(self):
        super().setUp()
        self.allow(USER)
        self.log_in(authorized_user(self.identity.new_login(USER)))
        self.lead_here()

    def test_one_that_is_refused_is_replaced(self):
        reader = self.reader(20, SECRETS_CACHE_TTL="3600")
        reader.expect(event="value", value=FIELDS["SECRET_KEY"])
        self.assertEqual(reader.ask("refresh")["error"], "")
        self.assert_asked("POST /token", ACCESSED, ACCESSED)
        self.identity.end_tokens()
        self.services.reset()
        self.assertEqual(reader.ask("refresh")["error"], "")
        self.assert_asked(ACCESSED, "POST /token", ACCESSED)
        refused, repeated = (request.bearer() for request in self.services.seen(ACCESS))
        self.assertNotEqual(refused, repeated)
        self.assertEqual(reader.end()["failures"], 0)

    def test_one_that_is_refused_twice(self):
        self.services.reset({ACCESSED: (401, {"error": {"code": 401, "message": "fake", "status": "UNAUTHENTICATED"}})})
        self.assert_fails(77, "UNAUTHENTICATED")
        self.assert_asked("POST /token", ACCESSED, "POST /token", ACCESSED)

    def test_one_is_renewed_before_its_end(self):
        """With less than 3:45 left: in this test those told have a second more than that."""
        self.identity.told_seconds = 226
        reader = self.reader(20, SECRETS_CACHE_TTL="3600")
        reader.expect(event="value", value=FIELDS["SECRET_KEY"])
        self.identity.told_seconds = None
        time.sleep(1.5)
        self.services.reset()
        for _ in range(2):
            self.assertEqual(reader.ask("refresh")["error"], "")
        wait_for(lambda: "POST /token" in self.requests(), "a renewal")
        self.assertEqual(self.requests().count("POST /token"), 1)

    def test_one_is_used_to_its_end_while_nobody_hands_out_another(self):
        self.identity.told_seconds = 200
        self.services.reset({"POST /token": [None, (503, "fake page")]})
        reader = self.reader(20, SECRETS_CACHE_TTL="3600", QARION_SECRETS_LOG="info")
        reader.expect(event="value", value=FIELDS["SECRET_KEY"])
        self.assertEqual(reader.ask("refresh")["error"], "")
        wait_for(lambda: self.requests().count("POST /token") > 1, "a renewal")
        wait_for(lambda: "oauth2.googleapis.com" in "".join(reader.errors), "a line about it")
        self.assertEqual(reader.ask("refresh")["error"], "")
        self.assertEqual(reader.end()["failures"], 0)

    def test_one_serves_many_reads(self):
        reader = self.reader(20, SECRETS_CACHE_TTL="3600")
        reader.expect(event="value", value=FIELDS["SECRET_KEY"])
        for _ in range(5):
            self.assertEqual(reader.ask("refresh")["error"], "")
        self.assertEqual(self.requests(), ["POST /token"] + [ACCESSED] * 6)
        self.assertEqual(self.proxy.asked, ["oauth2.googleapis.com"])


class Rotation(ReadingCase):
    def test_is_seen_when_the_time_is_over(self):
        reader = self.reader(10, SECRETS_CACHE_TTL="1")
        reader.expect(event="value", value=FIELDS["SECRET_KEY"])
        self.put("fake-second")
        reader.expect(event="value", value="fake-second", seconds=5)
        self.assertEqual(reader.end()["failures"], 0)

    def test_a_version_that_is_disabled_is_used_no_more(self):
        """Nobody disables it but on purpose."""
        self.put("fake-second")
        reader = self.reader(10, SECRETS_CACHE_TTL="1")
        reader.expect(event="value", value="fake-second")
        self.secret.versions[-1].state = "DISABLED"
        self.assertIn("disabled", reader.expect(event="failure", seconds=5)["error"])
        self.secret.versions[-1].state = "ENABLED"
        reader.expect(event="value", value="fake-second", seconds=15)

    def test_goes_back_to_the_version_before_where_that_is_wished(self):
        self.allow(self.reader_account.principal, "secretmanager.versions.list")
        self.put("fake-second")
        reader = self.reader(10, SECRETS_CACHE_TTL="1", GCP_SECRET_VERSION_FALLBACK="previous")
        reader.expect(event="value", value="fake-second")
        for state, value, number in (("DISABLED", FIELDS["SECRET_KEY"], "1"), ("ENABLED", "fake-second", "2")):
            self.secret.versions[-1].state = state
            reader.expect(event="value", value=value, seconds=5)
            self.assertEqual(reader.ask("status")["version"], number)
        self.assertEqual(reader.end()["failures"], 0)
        self.assertEqual("".join(reader.errors).count("takes its place"), 1)

    def test_of_an_alias(self):
        self.put("fake-second")
        self.secret.aliases["stable"] = 1
        reader = self.reader(10, SECRETS_CACHE_TTL="1", GCP_SECRET_VERSION="stable")
        reader.expect(event="value", value=FIELDS["SECRET_KEY"])
        self.secret.aliases["stable"] = 2
        reader.expect(event="value", value="fake-second", seconds=5)
        self.assertEqual(reader.end()["failures"], 0)

    def test_the_version_of_the_status(self):
        reader = self.reader(10, SECRETS_CACHE_TTL="3600")
        reader.expect(event="value")
        self.put("fake-second")
        self.assertEqual(reader.ask("refresh")["error"], "")
        self.assertEqual(reader.ask("status")["version"], "2")


class Encrypted(ReadingCase):
    """Google's own hosts, by the certificate of this test's authority."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.theirs = Authority(cls.authority.directory, "theirs").path("theirs.pem")

    def settings_with(self, **more):
        self.lead_here()
        return {"GCP_SECRET_ENDPOINT": None, "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE": None, **more}

    def test_by_an_authority_that_is_named(self):
        for name in ("CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", "REQUESTS_CA_BUNDLE"):
            self.assert_gets(**self.settings_with(**{name: self.ca}))

    def test_gcloud_s_setting_goes_first(self):
        self.assert_gets(**self.settings_with(CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE=self.ca,
                                              REQUESTS_CA_BUNDLE=self.theirs))

    def test_by_nobody_else(self):
        for more in ({}, {"CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE": self.theirs}):
            self.assert_fails(78, "certificate", "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", **self.settings_with(**more))
        self.assertEqual(self.services.requests, [])

    def test_by_a_file_that_is_not_there(self):
        self.assert_fails(78, "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", "/nowhere",
                          **self.settings_with(CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE="/nowhere"))

    def test_by_a_proxy_with_a_password(self):
        self.hidden.append("fake-proxy-password-of-nobody")
        with_password = self.proxy.url.replace("//", "//fake-user:fake-proxy-password-of-nobody@")
        for ca, status in ((self.ca, 0), (self.theirs, 78)):
            result = self.run_command("get", "SECRET_KEY", QARION_SECRETS_LOG="debug", **self.settings_with(
                CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE=ca, HTTPS_PROXY=with_password))
            self.assertEqual(result.returncode, status, result.stderr)

    def test_no_proxy_is_asked_for_this_machine(self):
        self.settings |= {"HTTPS_PROXY": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1",
                          "ALL_PROXY": "http://127.0.0.1:1"}
        self.assert_gets()

    def test_one_connection_serves_many_reads(self):
        reader = self.reader(20, SECRETS_CACHE_TTL="3600", **self.settings_with(
            CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE=self.ca))
        reader.expect(event="value")
        for _ in range(3):
            self.assertEqual(reader.ask("refresh")["error"], "")
        self.assertEqual(self.proxy.asked, ["secretmanager.googleapis.com"])
        self.assertEqual(len(self.services.requests), 4)


class Machine(ReadingCase):
    def test_what_is_known_is_used_while_the_metadata_server_is_not_itself(self):
        """Something before it answers in its place, as while it starts anew."""
        self.machine()
        reader = self.reader(20, SECRETS_CACHE_TTL="1", GCE_METADATA_DETECT_RETRIES="1")
        reader.expect(event="value", value=FIELDS["SECRET_KEY"])
        self.services.reset({"GET " + METADATA_TOKEN: (503, "fake page")})
        self.identity.end_tokens()
        wait_for(lambda: METADATA_TOKEN in " ".join(self.requests()), "a request")
        time.sleep(2)
        self.assertEqual(reader.end()["failures"], 0)

    def test_a_metadata_server_s_token_is_renewed(self):
        self.machine()
        reader = self.reader(20, SECRETS_CACHE_TTL="3600")
        reader.expect(event="value", value=FIELDS["SECRET_KEY"])
        self.identity.end_tokens()
        self.assertEqual(reader.ask("refresh")["error"], "")
        self.assertEqual(self.requests(), ["GET " + METADATA_TOKEN, ACCESSED, ACCESSED, "GET " + METADATA_TOKEN,
                                           ACCESSED])
        self.assertFalse(self.services.seen(METADATA + "project"))
        self.assertEqual(reader.end()["failures"], 0)


if __name__ == "__main__":
    unittest.main()
