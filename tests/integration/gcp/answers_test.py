#!/usr/bin/env python3
"""Answers that Google would not give, and those after which it is asked again, or not."""
import time
import unittest

from backend_case import FIELDS
from credential_files import authorized_user, external_account, external_account_authorized_user
from gcp_case import ACCESSED, AUDIENCE, METADATA_TOKEN, NUMBER, READER, SECRET, GcpCase
from secret_manager import long_payload, wrong_checksum

SUBJECT_TOKEN = "fake-subject-token-of-nobody"


class Answers(GcpCase):
    """Of Secret Manager, which it would not give."""

    def assert_bad(self, *words, requests=1, **settings):
        self.services.requests.clear()
        result = self.assert_fails(65, *words, **settings)
        self.assertEqual(self.requests(), [ACCESSED.replace("latest", settings.get("GCP_SECRET_VERSION", "latest"))]
                         * requests)
        self.assertNotIn("fake password", result.stderr)

    def test_a_checksum_that_is_wrong_once(self):
        def damaged(_):
            self.secrets.payload = wrong_checksum(self.secret.versions[0].data)
            self.services.answers[ACCESSED] = sound
            return None

        def sound(_):
            self.secrets.payload = {}
            return None

        self.services.reset({ACCESSED: damaged})
        result = self.run_command("get", "SECRET_KEY")
        self.assertEqual(result.stdout, FIELDS["SECRET_KEY"], result.stderr)
        self.assertIn("damaged", result.stderr)
        self.assert_asked(ACCESSED, ACCESSED)

    def test_a_checksum_that_is_wrong(self):
        self.secrets.payload = wrong_checksum(self.secret.versions[0].data)
        self.assert_bad("CRC-32C", "qarion-secrets version 1", requests=2)

    def test_a_checksum_that_is_none(self):
        for checksum in ("fake", "", "-1", "4294967296", 1.5, True, [], "1 "):
            with self.subTest(checksum):
                self.secrets.payload = {"dataCrc32c": checksum}
                self.assert_bad("dataCrc32c")

    def test_no_checksum(self):
        self.secrets.payload = {"dataCrc32c": None}
        self.assert_gets()

    def test_a_checksum_that_is_a_number(self):
        """As all of Google's libraries take it."""
        self.services.reset({ACCESSED: lambda _: (200, self.answer(dataCrc32c=int(
            self.answer()["payload"]["dataCrc32c"])))})
        self.assert_gets()

    def answer(self, **payload):
        answer = self.secrets.access(self.secret, self.secret.versions[0])
        answer["payload"] |= payload
        return answer

    def test_base64_of_other_forms(self):
        """As all of Google's libraries take it: for URLs, without what fills it up."""
        self.secrets.add_version(self.secret, '{"SECRET_KEY": "fake ÿþ~~??>>"}'.encode())
        data = self.secrets.access(self.secret, self.secret.versions[1])["payload"]["data"]
        self.assertRegex(data, "[+/]")
        for text in (data.rstrip("="), data.translate({43: "-", 47: "_"})):
            self.secrets.payload = {"data": text}
            self.assertEqual(self.run_command("get", "SECRET_KEY").stdout, "fake ÿþ~~??>>")

    def test_base64_that_is_none(self):
        for data in ("!!!", "A", "fake=fake", "e30=\n!", 5, True):
            with self.subTest(data):
                self.secrets.payload = {"data": data, "dataCrc32c": None}
                self.assert_bad("payload")

    def test_a_payload_that_is_too_long(self):
        self.secrets.payload = long_payload()
        self.assert_bad("64 KiB")

    def test_answers_without_what_they_should_have(self):
        good = self.answer()
        for answer in ({}, {"payload": good["payload"]}, {"name": good["name"]}, {**good, "payload": None},
                       {**good, "payload": {}}, {**good, "name": 5}):
            with self.subTest(answer):
                self.services.reset({ACCESSED: (200, answer)})
                self.assert_bad("127.0.0.1")

    def test_answers_of_another_secret(self):
        name = self.answer()["name"]
        for other in (name.replace("qarion", "other"), name.replace("versions/1", "versions/latest"), name + "/x",
                      name.replace("/secrets", "/locations/europe-west3/secrets"), "projects/1234/secrets/other",
                      name.replace(str(NUMBER), "fake-other"), ""):
            with self.subTest(other):
                self.services.reset({ACCESSED: (200, {**self.answer(), "name": other})})
                self.assert_bad("127.0.0.1")
        self.secrets.add_version(self.secret, b'{"SECRET_KEY": "fake-second"}')
        self.services.reset({ACCESSED.replace("latest", "2"): (200, self.answer())})
        self.assert_bad("version 1, not 2", GCP_SECRET_VERSION="2")

    def test_answers_with_more_than_is_known(self):
        self.services.reset({ACCESSED: (200, {**self.answer(more={"x": [1]}), "more": None})})
        self.assert_gets()

    def test_pages_of_a_list_that_are_empty(self):
        """AIP-158: there may be more than none, as long as there is a token for the next page."""
        self.allow(self.reader_account.principal, "secretmanager.versions.list")
        self.secrets.add_version(self.secret, b"{}").state = "DISABLED"

        def lists(request):
            if "pageToken" in request.query:
                return 200, {"versions": [{"name": self.secret.name + "/versions/1", "state": "ENABLED"}]}
            return 200, {"nextPageToken": "fake-page/+2"}

        self.services.reset({f"GET /v1/{SECRET}/versions": lists})
        self.assert_gets(GCP_SECRET_VERSION_FALLBACK="previous")

    def test_a_refusal_that_repeats_the_token(self):
        self.services.reset({ACCESSED: lambda request: (403, {"error": {
            "code": 403, "status": "PERMISSION_DENIED", "message": "of " + request.headers["Authorization"]}})})
        self.assert_fails(77, "of Bearer ***")


class Attempts(GcpCase):
    """Of one read, and of one token: a refresh is one of each."""

    def refresh(self, *answers, line=ACCESSED, **settings):
        """The error or nothing, and how often it was asked."""
        reader = self.reader(1000, SECRETS_CACHE_TTL="3600", **settings)
        reader.expect(event="value", value=FIELDS["SECRET_KEY"])
        self.services.reset({line: [*answers, None]})
        if line != ACCESSED:
            self.identity.end_tokens()
        error = reader.ask("refresh")["error"]
        return error, self.requests().count(line)

    def assert_repeated(self, *answers, **more):
        error, count = self.refresh(*answers, **more)
        self.assertEqual((error, count), ("", len(answers) + 1))

    def test_secret_manager_that_is_busy(self):
        for status in (503, 429):
            with self.subTest(status):
                self.assert_repeated((status, "fake page"))

    def test_secret_manager_that_says_for_how_long_it_is_busy(self):
        begin = time.monotonic()
        self.assert_repeated((429, "fake page", {"Retry-After": "3"}))
        self.assertGreater(time.monotonic() - begin, 2.9)

    def test_secret_manager_that_hangs_up(self):
        self.assert_repeated((None, ""))

    def test_secret_manager_that_fails(self):
        """Google's libraries do not ask again either."""
        for status in (500, 502, 504, 408):
            with self.subTest(status):
                error, count = self.refresh((status, "fake page"))
                self.assertIn(str(status), error)
                self.assertEqual(count, 1)

    def test_a_refresh_that_comes_damaged(self):
        """The values from before are served on, and the next good answer counts."""
        reader = self.reader(20, SECRETS_CACHE_TTL="3600")
        reader.expect(event="value", value=FIELDS["SECRET_KEY"])
        self.secrets.add_version(self.secret, b'{"SECRET_KEY": "fake-second-signing-key-0123456789"}')
        data = self.secret.versions[-1].data
        for payload, word in ((wrong_checksum(data), "CRC-32C"), ({"data": "!!!"}, "base64"),
                              ({"data": "bm8ganNvbg==", "dataCrc32c": None}, "JSON"), (long_payload(), "64 KiB")):
            with self.subTest(word):
                self.secrets.payload = payload
                self.assertIn(word, reader.ask("refresh")["error"])
                self.assertEqual(reader.ask("status")["version"], "1")
        self.secrets.payload = {}
        self.assertEqual(reader.ask("refresh")["error"], "")
        reader.expect(event="value", value="fake-second-signing-key-0123456789")
        self.assertEqual(reader.end()["failures"], 0)

    def test_what_google_s_configuration_does_not_have_repeated(self):
        """A first fetch ends with it, at the first answer; a running service keeps its values and asks again later."""
        for status, code in ((500, "INTERNAL"), (504, "DEADLINE_EXCEEDED"), (500, "UNKNOWN"), (409, "ABORTED")):
            with self.subTest(code):
                failure = (status, {"error": {"code": status, "message": "fake failure", "status": code}})
                self.services.reset({ACCESSED: failure})
                self.assert_fails(69, f"answered {status}, {code}: fake failure")
                self.assert_asked(ACCESSED)
                self.assertNotIn("gave up after", self.run_command("get", "SECRET_KEY").stderr)
        self.services.reset()
        reader = self.reader(20, SECRETS_CACHE_TTL="1")
        reader.expect(event="value", value=FIELDS["SECRET_KEY"])
        self.services.reset({ACCESSED: failure})
        self.assertIn("ABORTED", reader.ask("refresh")["error"])
        self.services.reset()
        self.assertEqual(reader.ask("refresh")["error"], "")
        self.assertEqual(reader.end()["failures"], 0)

    def by_login(self):
        login = self.identity.new_login("user:someone@example.com")
        self.allow(login.principal)
        self.log_in(authorized_user(login))
        self.lead_here()
        return "POST /token"

    def test_token_endpoints_that_are_busy_or_fail_for_a_moment(self):
        line = self.by_login()
        for answer in ((500, "fake"), (503, "fake"), (504, "fake"), (408, "fake"), (429, "fake"), (None, ""),
                       (400, {"error": "internal_failure"}), (400, {"error": "server_error"}),
                       (400, {"error": "temporarily_unavailable"})):
            with self.subTest(answer):
                self.assert_repeated(answer, line=line)

    def test_token_endpoints_are_asked_three_times(self):
        line = self.by_login()
        error, count = self.refresh(*[(503, "fake")] * 2, line=line)
        self.assertEqual((error, count), ("", 3))
        error, count = self.refresh(*[(503, "fake")] * 3, line=line)
        self.assertIn("503", error)
        self.assertEqual(count, 3)

    def test_token_endpoints_that_fail(self):
        line = self.by_login()
        for answer in ((502, "fake"), (403, "fake"), (400, {"error": "invalid_grant"})):
            with self.subTest(answer):
                error, count = self.refresh(answer, line=line)
                self.assertIn(str(answer[0]), error)
                self.assertEqual(count, 1)

    def test_a_login_whose_refresh_token_is_replaced_is_not_renewed_twice(self):
        """The answer that did not come may have had the next one in it."""
        login = self.identity.new_login("principal://iam.googleapis.com/fake/subject/fake")
        self.allow(login.principal)
        self.log_in(external_account_authorized_user(self.services, AUDIENCE, login))
        error, count = self.refresh((503, "fake"), line="POST /v1/oauthtoken")
        self.assertIn("503", error)
        self.assertEqual(count, 1)

    def test_a_metadata_server_that_is_busy(self):
        self.machine()
        flavour = {"Metadata-Flavor": "Google"}
        for status in (500, 503, 504, 408, 429):
            with self.subTest(status):
                self.assert_repeated((status, "fake", flavour), line="GET " + METADATA_TOKEN)


class TokenAnswers(GcpCase):
    def answered(self, answer):
        """By the token endpoint of logins."""
        login = self.identity.new_login("user:someone@example.com")
        self.allow(login.principal)
        self.log_in(authorized_user(login))
        self.lead_here()
        token = self.identity.issue(login.principal)
        if isinstance(answer, dict):
            answer = {name: token if value == "TOKEN" else value for name, value in answer.items()}
        self.services.reset({"POST /token": (200, answer)})

    def test_that_are_good_enough(self):
        for answer in ({"access_token": "TOKEN", "expires_in": "3599"}, {"access_token": "TOKEN"},
                       {"access_token": "TOKEN", "expires_in": 3599, "id_token": "fake", "token_type": "bearer"}):
            with self.subTest(answer):
                self.answered(answer)
                self.assert_gets()

    def test_that_are_not(self):
        for answer in ({}, {"access_token": ""}, {"access_token": 5}, {"access_token": "a\nb"},
                       {"access_token": "TOKEN", "expires_in": "fake"}, {"access_token": "TOKEN", "expires_in": -1},
                       {"access_token": "TOKEN", "expires_in": 1.5}, {"access_token": None}):
            with self.subTest(answer):
                self.answered(answer)
                self.assert_fails(65, "credentials.json")
                self.assert_asked("POST /token")

    def test_one_that_never_ends_serves_many_reads(self):
        self.answered({"access_token": "TOKEN"})
        reader = self.reader(1000, SECRETS_CACHE_TTL="3600")
        reader.expect(event="value", value=FIELDS["SECRET_KEY"])
        self.assertEqual(reader.ask("refresh")["error"], "")
        self.assert_asked("POST /token", ACCESSED, ACCESSED)

    def test_of_iam_that_are_not(self):
        provider = self.identity.new_provider(AUDIENCE, tokens={SUBJECT_TOKEN: "fake-subject"})
        self.identity.grant(provider.principal("fake-subject"), self.reader_account.resource,
                            "iam.serviceAccounts.getAccessToken")
        self.log_in(external_account(self.services, AUDIENCE, {"file": self.write("subject", SUBJECT_TOKEN)},
                                     self.reader_account))
        self.lead_here()
        line = f"POST /v1/{self.reader_account.resource}:generateAccessToken"
        for answer in ({}, {"accessToken": "fake"}, {"accessToken": "fake", "expireTime": "fake"},
                       {"expireTime": "2036-01-02T03:04:05Z"}):
            with self.subTest(answer):
                self.services.reset({line: (200, answer)})
                self.assert_fails(65, "acting as " + READER)

    def test_of_metadata_servers_that_are_not(self):
        self.machine()
        for answer in ("fake page", "{}", {"access_token": 5}):
            with self.subTest(answer):
                self.services.reset({"GET " + METADATA_TOKEN: (200, answer, {"Metadata-Flavor": "Google"})})
                self.assert_fails(65, self.services.address)


if __name__ == "__main__":
    unittest.main()
