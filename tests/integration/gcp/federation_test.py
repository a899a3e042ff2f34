#!/usr/bin/env python3
"""Identity federation: whom others vouch for, by a file, an address, a program or keys of AWS, as what they are and as
a service account; and who logged in by it. requests_test.py has the requests themselves."""
import json
import os
import sys
import unittest

import scripted_services
from aws_identity import Key
from credential_files import AWS_TYPE, aws_source, external_account, external_account_authorized_user
from gcp_case import ACCESSED, ARN, AUDIENCE, FIELDS, GET_TOKEN, POOL, PROJECT, WORKFORCE, GcpCase
from identity import SUBJECT_TYPES

AWS_SECRET = "fake-aws-secret-access-key-of-nobody"
AWS_KEY = {"AWS_ACCESS_KEY_ID": "AKIAFAKE", "AWS_SECRET_ACCESS_KEY": AWS_SECRET, "AWS_REGION": "us-east-2"}
SUBJECT_TOKEN = "fake-subject-token-of-nobody"


class ExternalAccount(GcpCase):
    """Whom others vouch for: each source by itself and as a service account."""

    def setUp(self):
        super().setUp()
        self.provider = self.identity.new_provider(AUDIENCE, tokens={SUBJECT_TOKEN: "fake-subject"})
        self.principal = self.provider.principal("fake-subject")

    def assert_reads(self, source, before=(), principal=None, settings=None, **more):
        """By itself, and as the reader. `before`: what is asked before the exchange."""
        principal = principal or self.principal
        self.hidden += [SUBJECT_TOKEN, AWS_SECRET]
        for impersonated in (None, self.reader_account):
            with self.subTest(impersonated=bool(impersonated)):
                self.services.reset(self.services.answers)
                self.identity.grants.clear()
                self.log_in(external_account(self.services, AUDIENCE, source, impersonated, **more), **(settings or {}))
                self.lead_here()
                self.allow((impersonated or self).principal)
                if impersonated:
                    self.assert_fails(77, GET_TOKEN, self.reader_account.email)
                    self.services.reset(self.services.answers)
                    self.may_act_as_reader(principal)
                else:
                    self.allow(principal)
                self.assert_gets()
                self.assert_asked(*before, "POST /v1/token", *([self.generated()] if impersonated else []), ACCESSED)
                self.assert_asked_by(impersonated.principal if impersonated else principal)
                self.assert_masks_tokens()

    def test_a_file(self):
        self.assert_reads({"file": self.write("subject", SUBJECT_TOKEN + "\n")})

    def test_a_file_of_json(self):
        self.assert_reads({"file": self.write("subject", json.dumps({"one": {}, "token": SUBJECT_TOKEN})),
                           "format": {"type": "json", "subject_token_field_name": "token"}})

    def test_a_url_with_headers(self):
        self.services.reset({"GET /subject": lambda request: (
            200 if request.headers.get("X-Fake") == "fake-header-of-the-source" else 403, {"token": SUBJECT_TOKEN})})
        self.hidden.append("fake-header-of-the-source")
        self.assert_reads({"url": self.services.url + "/subject", "headers": {"X-Fake": "fake-header-of-the-source"},
                           "format": {"type": "json", "subject_token_field_name": "token"}}, ["GET /subject"])

    def program(self, answer):
        path = self.write("program", f"#!{sys.executable}\nimport json, os\nprint(json.dumps({answer!r}).replace("
                          "'AUDIENCE', os.environ['GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE']))\n")
        os.chmod(path, 0o700)
        return {"executable": {"command": path, "timeout_millis": 5000}}

    ALLOWED = {"GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES": "1"}

    def test_a_program(self):
        self.provider.tokens["fake for " + AUDIENCE] = "fake-subject"
        self.assert_reads(self.program({"version": 1, "success": True, "token_type": SUBJECT_TYPES[0],
                                        "id_token": "fake for AUDIENCE"}), settings=self.ALLOWED)

    def use(self, source, **more):
        self.log_in(external_account(self.services, AUDIENCE, source, **more))
        self.allow(self.principal)

    def test_programs_have_to_be_allowed(self):
        self.use({"executable": {"command": "touch " + str(self.directory / "ran")}})
        for value in (None, "0", "true"):
            self.assert_fails(78, "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES",
                              GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=value)
        self.assertFalse((self.directory / "ran").exists())
        self.assertEqual(self.services.requests, [])

    def test_a_program_that_has_no_token(self):
        self.use(self.program({"version": 1, "success": False, "code": "401", "message": "fake refusal"}))
        result = self.run_command("get", "SECRET_KEY", **self.ALLOWED)
        self.assertIn(result.returncode, (69, 77), result.stderr)
        self.assertIn("fake refusal", result.stderr)
        self.assertEqual(self.services.requests, [])

    def use_aws(self, key_id, key):
        self.provider.aws_keys = {key_id: key}

    def test_keys_of_aws_in_the_environment(self):
        for token in (None, "fake-session-token/+==-of-nobody"):
            with self.subTest(token=token):
                self.use_aws("AKIAFAKE", Key(AWS_SECRET, ARN, token))
                self.assert_reads(aws_source(), principal=self.provider.principal(ARN), subject_token_type=AWS_TYPE,
                                  settings={**AWS_KEY, "AWS_SESSION_TOKEN": token})

    def test_keys_of_aws_that_are_not_so(self):
        self.use_aws("AKIAFAKE", Key("fake-other", ARN))
        self.use(aws_source(), subject_token_type=AWS_TYPE)
        self.hidden.append(AWS_SECRET)
        self.assert_fails(77, "invalid_grant", "signature does not match", **AWS_KEY)

    def test_keys_of_an_instance_of_aws(self):
        instance = scripted_services.Services()
        self.addCleanup(instance.close)
        instance.reset({"GET /latest/meta-data/placement/availability-zone": (200, "us-east-2b"),
                        "GET " + scripted_services.ROLES_PATH.rstrip("/"): (200, "fake-role")})
        key_id, secret, token = scripted_services.keys_for("instance", "v2")
        self.hidden += [secret, token]
        self.use_aws(key_id, Key(secret, ARN, token))
        self.assert_reads(aws_source(instance.url), principal=self.provider.principal(ARN),
                          subject_token_type=AWS_TYPE)
        self.assertIn("GET " + scripted_services.ROLES_PATH + "fake-role",
                      [f"{request.method} {request.path}" for request in instance.requests])

    def test_what_nobody_vouches_for(self):
        self.hidden.append("fake-other-token-of-nobody")
        self.use({"file": self.write("subject", "fake-other-token-of-nobody")})
        self.assert_fails(77, "invalid_grant")
        self.log_in(external_account(self.services, POOL + "/providers/none", {"file": self.write("subject", "x")}))
        self.assert_fails(78, "invalid_target")
        self.assert_asked(*["POST /v1/token"] * 2)

    def test_subject_tokens_that_are_not_there(self):
        for source in ({"file": "/nowhere"}, {"file": str(self.directory)}, {"file": self.write("empty", "")},
                       {"file": self.write("other", "{}"),
                        "format": {"type": "json", "subject_token_field_name": "fake-field"}}):
            with self.subTest(source):
                self.use(source)
                result = self.run_command("get", "SECRET_KEY")
                self.assertIn(result.returncode, (65, 78), result.stderr)
                self.assertIn(source["file"], result.stderr)
        self.assertEqual(self.services.requests, [])

    def test_clients_have_a_password(self):
        self.provider.clients = {"fake-client": "fake:password/+of-nobody"}
        source = {"file": self.write("subject", SUBJECT_TOKEN)}
        self.use(source, client_id="fake-client", client_secret="fake:password/+of-nobody")
        self.assert_gets()
        self.use(source, client_id="fake-client", client_secret="fake-other-password")
        self.assert_fails(77, "invalid_client")

    def test_a_workforce_names_the_project_that_pays(self):
        provider = self.identity.new_provider(WORKFORCE, tokens=self.provider.tokens, user_project=PROJECT)
        self.allow(provider.principal("fake-subject"))
        for project, works in ((PROJECT, True), ("fake-other", False)):
            self.log_in(external_account(self.services, WORKFORCE, {"file": self.write("subject", SUBJECT_TOKEN)},
                                         workforce_pool_user_project=project))
            if works:
                self.assert_gets()
            else:
                self.assert_fails(78, "user project")

    def test_the_number_of_the_project_is_in_the_audience(self):
        self.use({"file": self.write("subject", SUBJECT_TOKEN)})
        self.assert_gets(GCP_SECRET_PROJECT=None)
        self.assert_asked("POST /v1/token", ACCESSED.replace(PROJECT, "1234"))

    def test_life_of_a_token_that_acts_as_a_service_account(self):
        self.may_act_as_reader(self.principal)
        self.log_in(external_account(self.services, AUDIENCE, {"file": self.write("subject", SUBJECT_TOKEN)},
                                     self.reader_account, service_account_impersonation={
                                         "token_lifetime_seconds": 2800}))
        self.lead_here()
        self.assert_gets()
        self.assertEqual(self.services.seen("generateAccessToken")[0].json()["lifetime"], "2800s")


class WorkforceLogin(GcpCase):
    """external_account_authorized_user: who logged in by a workforce pool."""

    def setUp(self):
        super().setUp()
        self.login = self.identity.new_login("principal:" + WORKFORCE.partition("/providers")[0] + "/subject/fake")
        self.allow(self.login.principal)
        self.log_in(external_account_authorized_user(self.services, WORKFORCE, self.login))

    def test_reads(self):
        self.assert_gets()
        self.assert_asked("POST /v1/oauthtoken", ACCESSED)
        self.assert_asked_by(self.login.principal)
        self.assert_masks_tokens()

    def test_takes_the_refresh_token_that_replaces_the_last(self):
        self.login.replaces = True
        reader = self.reader(20, SECRETS_CACHE_TTL="1")
        reader.expect(event="value", value=FIELDS["SECRET_KEY"])
        for _ in range(2):
            self.identity.end_tokens()
            self.assertEqual(reader.ask("refresh")["error"], "")
        tokens = [request.form()["refresh_token"] for request in self.services.seen("/oauthtoken")]
        self.assertEqual((len(tokens), len(set(tokens))), (3, 3))
        self.assertEqual(reader.end()["failures"], 0)
        self.hidden += [*tokens, self.login.refresh_token]
        self.assert_nothing_shown("".join(reader.errors))

    def test_a_password_that_is_wrong(self):
        self.log_in(external_account_authorized_user(self.services, WORKFORCE, self.login,
                                                     client_secret="fake-other-secret-of-nobody"))
        self.assert_fails(77, "invalid_client")


if __name__ == "__main__":
    unittest.main()
