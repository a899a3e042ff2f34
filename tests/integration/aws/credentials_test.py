#!/usr/bin/env python3
"""Ways to credentials, against servers that check what comes out of them: roles and chains of roles, web identity,
sessions that end. boto3_test.py has the ways themselves."""
import json
import time
import unittest

from issuers import Signer
from servers import ACCOUNT, READ_POLICY, MiniStack, Moto
from support import FIELDS, AwsCase, directory_of, wait_for

ISSUER = "oidc.example"


def trust(principal, action="sts:AssumeRole", condition=None):
    statement = {"Effect": "Allow", "Principal": principal, "Action": action}
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Profiles(AwsCase):
    """For a class with a server: what stands in ~/.aws/config, and no keys in the environment."""

    def environment(self, **settings):
        return super().environment(**{"AWS_ACCESS_KEY_ID": None, **settings})

    def config(self, text):
        (self.directory / ".aws").mkdir(exist_ok=True)
        return self.write(".aws/config", text)

    def keys(self):
        return "".join(f"{name.lower()} = {value}\n" for name, value in self.user.items())


class Roles(Profiles):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        user = {"AWS": f"arn:aws:iam::{ACCOUNT}:user/reader"}
        cls.role = cls.server.make_role("app", trust(user))
        cls.external = cls.server.make_role("external", trust(user, condition={
            "StringEquals": {"sts:ExternalId": "fake-external"}}))
        cls.inner = cls.server.make_role("inner", trust(user), READ_POLICY.replace(
            '"secretsmanager:GetSecretValue", ', ""))
        cls.outer = cls.server.make_role("outer", trust({"AWS": cls.inner}))
        cls.mute = cls.server.make_role("mute", trust(user), policy=None)

    def role_of_profile(self, role, more=""):
        self.config(f"[default]\nrole_arn = {role}\nsource_profile = base\n{more}[profile base]\n{self.keys()}")

    def test_a_role(self):
        self.role_of_profile(self.role)
        self.assert_gets()

    def test_who_it_is(self):
        self.role_of_profile(self.role, "role_session_name = fake-name\n")
        details = json.loads(self.run_command("check", "-o", "json").stdout)["details"]
        self.assertEqual(details["identity"], f"arn:aws:sts::{ACCOUNT}:assumed-role/app/fake-name")

    def test_an_external_id(self):
        self.role_of_profile(self.external, "external_id = fake-external\n")
        self.assert_gets()
        self.role_of_profile(self.external)
        self.assert_fails(77, "AccessDenied", self.external)

    def test_a_chain_of_roles(self):
        """The inner role may not read, the outer one may be assumed by the inner one alone."""
        self.config(f"[default]\nrole_arn = {self.outer}\nsource_profile = middle\n"
                    f"[profile middle]\nrole_arn = {self.inner}\nsource_profile = base\n[profile base]\n{self.keys()}")
        self.assert_gets()
        self.role_of_profile(self.outer)
        self.assert_fails(77, "AccessDenied", self.outer)

    def test_a_source_that_is_the_environment(self):
        self.config(f"[profile dev]\nrole_arn = {self.role}\ncredential_source = Environment\n")
        self.assert_gets(AWS_PROFILE="dev", **self.user)

    def test_a_role_that_is_not_there(self):
        self.role_of_profile(f"arn:aws:iam::{ACCOUNT}:role/nobody")
        self.assert_fails(77, "AccessDenied", "role/nobody", "profile base")

    def test_a_role_that_may_not_read(self):
        self.role_of_profile(self.mute)
        self.assert_fails(77, "secretsmanager:GetSecretValue", "assumed-role/mute")

    def test_a_source_whose_key_is_wrong(self):
        self.config(f"[default]\nrole_arn = {self.role}\nsource_profile = base\n[profile base]\n"
                    f"aws_access_key_id = {self.user['AWS_ACCESS_KEY_ID']}\n"
                    "aws_secret_access_key = fake-wrong-secret-key-0123456789ab\n")
        result = self.assert_fails(77, self.role)
        self.assert_not_shown("fake-wrong-secret-key-0123456789ab", result)

    def test_a_session_that_ends_is_followed_by_another(self):
        self.role_of_profile(self.role, "duration_seconds = 901\n")
        reader = self.reader(20, SECRETS_CACHE_TTL="1")
        reader.expect(event="value", value=FIELDS["SECRET_KEY"])
        status = reader.status()
        self.assertIn("app", status["credentials"])
        self.assertEqual(reader.end()["failures"], 0)


class WebIdentity(Profiles):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.signer = Signer(directory_of(cls))
        principal = {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"}
        cls.role = cls.server.make_role("pod", trust(principal, "sts:AssumeRoleWithWebIdentity", {
            "StringEquals": {f"{ISSUER}:sub": "system:serviceaccount:prod:app", f"{ISSUER}:aud": "sts.amazonaws.com"}}))

    def token(self, **claims):
        return self.signer.sign(**{"iss": f"https://{ISSUER}", "sub": "system:serviceaccount:prod:app",
                                   "aud": "sts.amazonaws.com", **claims})

    def pod(self, token, role=None):
        return {"AWS_ROLE_ARN": role or self.role, "AWS_WEB_IDENTITY_TOKEN_FILE": self.write("token", token)}

    def test_a_service_account(self):
        self.assert_gets(**self.pod(self.token()))

    def test_a_token_file_that_ends_with_a_newline(self):
        self.assert_gets(**self.pod(self.token() + "\n"))

    def test_a_service_account_of_a_profile(self):
        path = self.write("token", self.token())
        self.config(f"[default]\nrole_arn = {self.role}\nweb_identity_token_file = {path}\n")
        self.assert_gets()

    def assert_refused(self, token, *words, status=77, role=None):
        result = self.assert_fails(status, *words, **self.pod(token, role))
        for part in token.strip().split("."):
            if len(part) > 20:
                self.assert_not_shown(part, result)

    def test_another_service_account(self):
        self.assert_refused(self.token(sub="system:serviceaccount:prod:other"), "AccessDenied", self.role)

    def test_a_role_that_is_not_there(self):
        self.assert_refused(self.token(), "AccessDenied", role=f"arn:aws:iam::{ACCOUNT}:role/nobody")

    def test_an_empty_token_file(self):
        self.assert_refused("", "AWS_WEB_IDENTITY_TOKEN_FILE", status=78)

    def test_no_token_file(self):
        self.assert_fails(78, "AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token", AWS_ROLE_ARN=self.role,
                          AWS_WEB_IDENTITY_TOKEN_FILE="/nowhere/token")


class WebIdentityAtMoto(Profiles):
    """Which writes times with fractions of a second, and checks what comes out of it."""

    @classmethod
    def start(cls):
        cls.server = Moto()
        cls.addClassCleanup(cls.server.close)

    def test_a_service_account(self):
        role = self.server.make_role("pod", trust({"Federated": "*"}, "sts:AssumeRoleWithWebIdentity"))
        path = self.write("token", "fake.web.identity")
        self.server.check_keys(after=1)
        self.assert_gets(AWS_ROLE_ARN=role, AWS_WEB_IDENTITY_TOKEN_FILE=path)


class Metadata(Profiles):
    """MiniStack hands out keys that it does not know itself: how far they come shows in its refusal."""

    def test_an_instance(self):
        self.assert_fails(77, "UnrecognizedClientException", AWS_EC2_METADATA_DISABLED=None,
                          AWS_EC2_METADATA_SERVICE_ENDPOINT=self.server.url)

    def test_a_container(self):
        self.assert_fails(77, "UnrecognizedClientException",
                          AWS_CONTAINER_CREDENTIALS_FULL_URI=self.server.url + "/v2/credentials/fake-task-id")


if __name__ == "__main__":
    unittest.main()
