#!/usr/bin/env python3
"""What `check` and `status` tell of the backend: who one is, what is read, what is wrong and what mends it."""
import json
import time
import unittest

from credential_files import authorized_user, external_account, impersonated_service_account
from gcp_case import AUDIENCE, MAY_READ, NUMBER, PROJECT, USER, GcpCase
from identity import CLOUD, new_key, sign_jwt
from secret_manager import READ


class Check(GcpCase):
    def test_nothing_to_find(self):
        self.assertEqual(self.findings(), (0, []))

    def test_who_am_i_and_what_is_it(self):
        self.allow(self.reader_account.principal, *READ)
        details = self.details()
        self.assertEqual(details["principal"], self.reader_account.principal)
        self.assertRegex(details["token expires"], r"^in 3[456]\d\d s$")
        self.assertEqual(details["version"], self.secret.name + "/versions/1")
        self.assertEqual(details["version's state"], "ENABLED")
        self.assertEqual(details["project"], PROJECT + " from GCP_SECRET_PROJECT")
        self.assertEqual(details["endpoint"], self.services.url + " from GCP_SECRET_ENDPOINT")
        self.assertEqual(details["credentials: GOOGLE_APPLICATION_CREDENTIALS"], "in use")
        self.assertIn("credentials.json", details["credentials"])

    def test_of_the_machine(self):
        self.machine()
        text = json.dumps(self.details())
        for word in (self.reader_account.email, self.services.address, CLOUD):
            self.assertIn(word, text)

    def log_in_as_user(self, tells_email=True, **more):
        self.log_in(authorized_user(self.identity.new_login(USER, tells_email=tells_email), **more))
        self.lead_here()

    def log_in_by_pool(self, subject, **more):
        """With a token of another provider."""
        key = new_key()
        provider = self.identity.new_provider(AUDIENCE, issuer="https://issuer.example",
                                              issuer_keys={"1": key.public_key()})
        token = sign_jwt(key, "1", {"iss": provider.issuer, "aud": AUDIENCE, "sub": subject, "iat": int(time.time()),
                                    "exp": int(time.time()) + 600})
        self.hidden.append(token)
        source = {"file": self.write("subject", token)}
        self.log_in(external_account(self.services, AUDIENCE, source, **more))
        self.lead_here()
        return provider.principal(subject)

    def test_a_user(self):
        """By the token that says who they are, else by the file; where neither does, check does not know."""
        self.allow(USER)
        for settings, principal in (({}, USER), ({"account": "other@example.com"}, USER),
                                    ({"tells_email": False, "account": USER.removeprefix("user:")}, USER),
                                    ({"tells_email": False}, "is not known"),
                                    ({"tells_email": False, "account": "fake"}, "is not known")):
            with self.subTest(settings):
                self.log_in_as_user(**settings)
                details = self.details()
                self.assertEqual((details["principal"], details["scopes"]), (principal, CLOUD))
        self.identity.revoke(USER, f"projects/{NUMBER}", MAY_READ)
        self.log_in_as_user()
        self.assert_fails(77, f"--member={USER} --role=roles/secretmanager.secretAccessor")

    def test_a_member_of_a_pool(self):
        """By the subject of their own token."""
        principal = self.log_in_by_pool("repo:fake/fake:ref:refs/heads/main")
        self.assert_fails(77, f"--member={principal} --role=roles/secretmanager.secretAccessor")
        self.allow(principal)
        details = self.details()
        self.assertEqual((details["principal"], details["scopes"]), (principal, CLOUD))
        other = self.log_in_by_pool("auth0|fake")
        self.assert_fails(77, f"--member='{other}' --role=")

    def test_a_member_of_a_pool_whose_token_says_nothing(self):
        provider = self.identity.new_provider(AUDIENCE, tokens={"fake-subject-token": "fake-subject"})
        self.allow(provider.principal("fake-subject"))
        self.log_in(external_account(self.services, AUDIENCE, {"file": self.write("subject", "fake-subject-token")}))
        self.assertEqual(self.details()["principal"], "is not known")

    def grant_of(self, member, account):
        return (f"gcloud iam service-accounts add-iam-policy-binding {account.email} --member={member} "
                "--role=roles/iam.serviceAccountTokenCreator")

    def test_who_may_not_act_as_another(self):
        """Who asks, whom they would be, and the command that permits it."""
        reader = self.reader_account
        first = self.new_account("first@fake.iam.gserviceaccount.com")
        for source, principal in (
                (authorized_user(self.identity.new_login(USER)), USER),
                (first.key_file(self.services.url + "/token"), first.principal)):
            self.log_in(impersonated_service_account(reader, source))
            self.lead_here()
            self.assert_fails(77, f"letting {principal} act as {reader.email} failed", self.grant_of(principal, reader))
            self.assertIn(self.grant_of(principal, reader), json.dumps(self.findings()))
        principal = self.log_in_by_pool("fake-subject", impersonated=reader)
        self.assert_fails(77, f"letting {principal} act as {reader.email} failed", self.grant_of(principal, reader))
        self.may_act_as_reader(principal)
        self.assertEqual(self.details()["principal"], reader.principal)

    def test_who_may_not_act_as_another_by_those_between(self):
        first = self.new_account("first@fake.iam.gserviceaccount.com")
        self.log_in(impersonated_service_account(self.reader_account, authorized_user(self.identity.new_login(USER)),
                                                 [first]))
        self.lead_here()
        self.assert_fails(77, self.grant_of(USER, first) + "; " + self.grant_of(first.principal, self.reader_account))

    def test_a_file_that_leads_to_strangers(self):
        """Who signs what is sent in place of a token asks nobody for one."""
        self.log_in(self.key_file(token_uri="https://fake.test/token"))
        self.assertEqual(self.findings(), (0, []))
        provider = self.identity.new_provider(AUDIENCE, tokens={"fake-subject-token": "fake-subject"})
        self.allow(provider.principal("fake-subject"))
        self.log_in(external_account(self.services, AUDIENCE, {"file": self.write("subject", "fake-subject-token")}))
        self.assert_finds(0, "warning", self.settings["GOOGLE_APPLICATION_CREDENTIALS"], "token_url", "127.0.0.1")

    def test_who_may_read_but_not_look(self):
        """The state of the version is all that is missing."""
        self.assertEqual(self.findings(), (0, []))
        self.assertIn("secretmanager.versions.get", json.dumps(self.details()))

    def test_the_permission_that_is_missing(self):
        self.identity.grants.clear()
        code, findings = self.findings()
        self.assertEqual(code, 77, findings)
        self.assertIn("roles/secretmanager.secretAccessor", json.dumps(findings))

    def test_what_mends_it_is_found(self):
        self.project.api_enabled = False
        code, findings = self.findings()
        self.assertEqual(code, 78, findings)
        self.assertIn("gcloud services enable secretmanager.googleapis.com", json.dumps(findings))

    def test_a_secret_that_is_not_there(self):
        self.assert_finds(78, "error", "gcp_sm", "none does not exist", "GCP_SECRET_NAME", GCP_SECRET_NAME="none")

    def test_a_version_that_is_disabled(self):
        self.allow(self.reader_account.principal, *READ)
        self.secret.versions[0].state = "DISABLED"
        code, findings = self.findings()
        self.assertEqual(code, 78, findings)
        self.assertIn("is disabled", json.dumps(findings))
        self.assertIn("gcloud secrets versions enable 1", json.dumps(findings))

    def test_clocks_that_differ(self):
        """By the time of Google's answers."""
        for seconds, direction in ((600, "behind"), (-600, "ahead of")):
            self.services.offset = seconds
            checked = self.run_command("check", "-o", "json")
            self.assertRegex(checked.stdout + checked.stderr, rf"(59\d|60\d) s {direction} that of 127\.0\.0\.1")

    def test_status_tells_where_settings_came_from_and_no_value(self):
        shown = json.loads(self.run_command("status", "-o", "json").stdout)
        settings = {setting["name"]: setting for setting in shown["settings"]}
        self.assertEqual(settings["GCP_SECRET_PROJECT"]["source"], "process environment")
        self.assertEqual(settings["GOOGLE_APPLICATION_CREDENTIALS"]["source"], "process environment")


if __name__ == "__main__":
    unittest.main()
