#!/usr/bin/env python3
"""Reading the secret: what names it, versions and stages, every answer of the service, rotation; and that of
nobody's key, token or value anything is shown. MiniStack checks signatures, clocks and policies; moto knows
versions as AWS does."""
import json
import pathlib
import time
import unittest
import uuid

from issuers import Authority
from servers import ACCOUNT, READ_POLICY, REGION, MiniStack, Moto
from support import FIELDS, AwsCase, directory_of, settings_of, wait_for


class Names(AwsCase):
    def test_one_setting_is_enough(self):
        self.assert_gets()

    def test_an_arn(self):
        self.assert_gets(AWS_SECRET_ARN=self.secret["ARN"])

    def test_an_arn_without_its_last_characters(self):
        self.assert_gets(AWS_SECRET_ARN=self.secret["ARN"][:-7])

    def test_an_arn_needs_no_region(self):
        self.assert_gets(AWS_SECRET_ARN=self.secret["ARN"], AWS_REGION=None)

    def test_a_name_needs_one(self):
        self.assert_fails(78, "AWS_REGION", AWS_REGION=None)

    def test_a_name_with_every_character(self):
        name = "app/x_y+z=a.b@c-d"
        self.server.make_secret(name, SecretString='{"SECRET_KEY": "fake-odd"}')
        result = self.run_command("get", "SECRET_KEY", AWS_SECRET_ARN=name)
        self.assertEqual(result.stdout, "fake-odd", result.stderr)

    def test_another_region_has_other_secrets(self):
        self.server.make_secret("qarion", region="eu-west-1", SecretString='{"SECRET_KEY": "fake-of-ireland"}')
        result = self.run_command("get", "SECRET_KEY", AWS_REGION="eu-west-1")
        self.assertEqual(result.stdout, "fake-of-ireland", result.stderr)

    def test_what_names_no_secret_is_refused(self):
        for text in ("", "arn:aws:s3:::bucket", "arn:aws:secretsmanager:us-east-1:1:secret:x", "arn:aws:secretsmanager",
                     "a b", "x" * 2049, "arn:aws:secretsmanager:us-east-1:000000000000:policy:x"):
            self.assert_fails(78, "AWS_SECRET_ARN", AWS_SECRET_ARN=text)

    def test_settings_may_stand_in_env_file(self):
        self.write(".env", "SECRETS_BACKEND=aws_sm\nAWS_SECRET_ARN=qarion\n" + "".join(
            f"{name}={value}\n" for name, value in self.user.items()))
        self.assert_gets(SECRETS_BACKEND=None, AWS_SECRET_ARN=None, AWS_ACCESS_KEY_ID=None)

    def test_the_endpoint_of_the_service_goes_first(self):
        self.assert_gets(AWS_ENDPOINT_URL="http://127.0.0.1:1", AWS_ENDPOINT_URL_SECRETS_MANAGER=self.server.url)

    def test_an_endpoint_where_nobody_listens(self):
        self.assert_fails(69, "127.0.0.1:1", AWS_ENDPOINT_URL="http://127.0.0.1:1")


class Values(AwsCase):
    def test_bytes_that_are_json(self):
        name, _ = self.make_secret(SecretBinary=json.dumps({"SECRET_KEY": "fake-\u00e9"}).encode())
        result = self.run_command("get", "SECRET_KEY", AWS_SECRET_ARN=name)
        self.assertEqual(result.stdout, "fake-\u00e9", result.stderr)

    def test_the_largest_secret(self):
        name, _ = self.make_secret({"SECRET_KEY": "x" * 65000})
        result = self.run_command("get", "SECRET_KEY", AWS_SECRET_ARN=name)
        self.assertEqual(len(result.stdout), 65000, result.stderr)

    def test_list_shows_fields_and_no_value(self):
        result = self.run_command("list")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("SECRET_KEY", result.stdout)
        self.assert_not_shown(FIELDS["SECRET_KEY"], result)

    def test_exec_gives_them_to_a_program(self):
        result = self.run_command("exec", "--", "sh", "-c", 'test "$SECRET_KEY" = ' + FIELDS["SECRET_KEY"])
        self.assertEqual((result.returncode, result.stdout), (0, ""), result.stderr)

    def assert_bad(self, *words, value=None, **more):
        name, _ = self.make_secret(value, **more)
        result = self.assert_fails(65, name, *words, AWS_SECRET_ARN=name)
        self.assertEqual(result.stdout, "")
        return result

    def test_what_is_no_json(self):
        result = self.assert_bad(value="fake-bare-password-1234567890")
        self.assert_not_shown("fake-bare-password-1234567890", result)

    def test_json_that_is_no_object(self):
        for value in ('["fake-in-a-list-1234567890"]', '"fake-text-alone-1234567890"', "null"):
            self.assert_bad(value=value)

    def test_bytes_that_are_no_text(self):
        self.assert_bad(SecretBinary=b"\x00\xff\xfe")

    def test_a_secret_without_a_value(self):
        self.assert_bad("has no value")

    def test_a_secret_with_both_kinds_of_value(self):
        self.assert_bad("SecretString", "SecretBinary", value="{}", SecretBinary=b"{}")

    def test_an_empty_object_has_nothing_set(self):
        name, _ = self.make_secret({})
        self.assert_fails(78, "SECRET_KEY is not set", AWS_SECRET_ARN=name)


class Refusals(AwsCase):
    def test_a_secret_that_is_not_there(self):
        self.assert_fails(78, "nothing does not exist", "AWS_SECRET_ARN", AWS_SECRET_ARN="nothing")

    def test_a_secret_that_is_to_be_deleted(self):
        name, _ = self.make_secret({"SECRET_KEY": "fake"})
        self.server.root("secretsmanager").delete_secret(SecretId=name)
        self.assert_fails(78, "marked for deletion", "restore-secret --secret-id " + name, AWS_SECRET_ARN=name)

    def test_a_stage_that_no_version_has(self):
        self.assert_fails(78, "has no stage FAKESTAGE", "list-secret-version-ids", AWS_SECRET_VERSION_STAGE="FAKESTAGE")

    def test_a_version_that_is_not_there(self):
        version = str(uuid.uuid4())
        self.assert_fails(78, "has no version " + version, AWS_SECRET_VERSION_ID=version)

    def test_what_is_no_version(self):
        self.assert_fails(78, "AWS_SECRET_VERSION_ID", AWS_SECRET_VERSION_ID="3")

    def test_a_key_that_nobody_knows(self):
        self.assert_fails(77, "UnrecognizedClientException", AWS_ACCESS_KEY_ID="AKIAFAKEFAKEFAKEFAKE",
                          AWS_SECRET_ACCESS_KEY="fake-unknown-secret-key-0123456789")

    def test_a_secret_key_that_is_wrong(self):
        self.assert_fails(77, "InvalidSignatureException", "secret key", **{
            **self.user, "AWS_SECRET_ACCESS_KEY": "fake-wrong-secret-key-0123456789ab"})

    def test_keys_of_a_session_without_its_token(self):
        session = settings_of(self.session())
        self.assert_fails(77, "UnrecognizedClientException", **{**session, "AWS_SESSION_TOKEN": None})

    def test_keys_of_a_session_that_ended(self):
        session = settings_of(self.session(seconds=1))
        self.assert_gets(**session)
        time.sleep(1.1)
        self.assert_fails(77, "ExpiredTokenException", "credentials", **session)

    def session(self, seconds=900):
        sts = self.server.client("sts", *self.user.values())
        return sts.get_session_token(DurationSeconds=seconds)["Credentials"]

    def test_a_user_who_may_not_read(self):
        user = self.server.make_user("stranger", policy=None)
        self.assert_fails(77, "for want of secretsmanager:GetSecretValue", "allow secretsmanager:GetSecretValue",
                          "user/stranger", **user)

    def test_nobody_at_all(self):
        self.assert_fails(78, "AWS_ACCESS_KEY_ID", AWS_ACCESS_KEY_ID=None)

    def test_half_a_pair_of_keys(self):
        self.assert_fails(78, "AWS_SECRET_ACCESS_KEY", AWS_ACCESS_KEY_ID=self.user["AWS_ACCESS_KEY_ID"])

    def test_a_profile_that_is_not_there(self):
        (self.directory / ".aws").mkdir()
        self.write(".aws/config", "[profile known]\nregion = x\n")
        self.assert_fails(78, "AWS_PROFILE", "nobody", "known", AWS_PROFILE="nobody")

    def test_trace_shows_no_secret(self):
        result = self.run_command("get", "SECRET_KEY", QARION_SECRETS_LOG="debug")
        self.assertEqual(result.stdout, FIELDS["SECRET_KEY"], result.stderr)
        self.assertIn(f"http: POST 127.0.0.1:{self.server.port}", result.stderr)
        for word in (FIELDS["SECRET_KEY"], "Signature", "Credential="):
            self.assertNotIn(word, result.stderr)


class Check(AwsCase):
    def test_nothing_to_find(self):
        self.assertEqual(self.findings(), (0, []))

    def test_who_am_i_and_what_is_it(self):
        details = self.details(AWS_SECRET_ARN=self.secret["ARN"])
        self.assertEqual(details["identity"], f"arn:aws:iam::{ACCOUNT}:user/reader")
        self.assertEqual(details["account"], ACCOUNT)
        self.assertEqual(details["secret"], self.secret["ARN"])
        self.assertEqual(details["version at AWSCURRENT"], self.secret["VersionId"])
        self.assertIn(REGION, details["region"])
        self.assertIn(self.server.url, details["endpoint"])
        self.assertEqual(details["credentials: environment"], "applies")

    def test_sources_that_did_not_apply(self):
        (self.directory / ".aws").mkdir()
        self.write(".aws/credentials", "[default]\naws_access_key_id = {AWS_ACCESS_KEY_ID}\n"
                   "aws_secret_access_key = {AWS_SECRET_ACCESS_KEY}\n".format(**self.user))
        details = self.details(AWS_ACCESS_KEY_ID=None)
        tried = [name for name in details if name.startswith("credentials: ")]
        self.assertEqual([name for name in tried if details[name] == "applies"], tried[-1:])
        self.assertIn("AWS_ACCESS_KEY_ID", details["credentials: environment"])

    def test_a_region_that_is_not_the_arn_s(self):
        self.assert_finds(78, "warning", "AWS_REGION", "eu-west-1", REGION,
                          AWS_SECRET_ARN=self.secret["ARN"], AWS_REGION="eu-west-1")

    def test_a_secret_that_is_to_be_deleted(self):
        name, _ = self.make_secret(FIELDS)
        self.server.root("secretsmanager").delete_secret(SecretId=name)
        self.assert_finds(78, "error", "AWS_SECRET_ARN", "marked for deletion", "restore-secret", AWS_SECRET_ARN=name)

    def test_a_stage_that_no_version_has(self):
        self.assert_finds(78, "error", "AWS_SECRET_VERSION_STAGE", "FAKESTAGE", "AWSCURRENT",
                          AWS_SECRET_VERSION_STAGE="FAKESTAGE")

    def test_the_permission_that_is_missing(self):
        user = self.server.make_user("looker", READ_POLICY.replace('"secretsmanager:GetSecretValue", ', ""))
        code, findings = self.findings(**user)
        self.assertEqual(code, 77, findings)
        self.assertIn("allow secretsmanager:GetSecretValue", json.dumps(findings))

    def test_a_user_who_may_read_but_not_describe(self):
        user = self.server.make_user("blind", READ_POLICY.replace('"secretsmanager:DescribeSecret", ', ""))
        self.assertEqual(self.findings(**user), (0, []))
        details = self.details(**user)
        self.assertIn("secretsmanager:DescribeSecret is not allowed", details["secret"])
        self.assertEqual(details["value read"], f"{self.secret['ARN']}, version {self.secret['VersionId']}")

    def test_a_key_that_is_wrong(self):
        self.assert_finds(78, "error", "identity", "secret key belongs to the key id", **{
            **self.user, "AWS_SECRET_ACCESS_KEY": "fake-wrong-secret-key-0123456789ab"})

    def test_status_tells_where_settings_came_from_and_no_value(self):
        shown = self.run_command("status", "-o", "json")
        settings = {setting["name"]: setting for setting in json.loads(shown.stdout)["settings"]}
        self.assertEqual(settings["AWS_SECRET_ACCESS_KEY"],
                         {"name": "AWS_SECRET_ACCESS_KEY", "value": None, "source": "process environment"})
        self.assertEqual(settings["AWS_SECRET_ARN"]["source"], "process environment")


class Rotation(AwsCase):
    """moto moves stages as AWS does."""

    @classmethod
    def start(cls):
        cls.server = Moto()
        cls.addClassCleanup(cls.server.close)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        writer = cls.server.make_user("writer", '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", '
                                                '"Action": "secretsmanager:*", "Resource": "*"}]}')
        cls.writer = cls.server.client("secretsmanager", *writer.values())
        cls.server.check_keys()

    def setUp(self):
        super().setUp()
        self.name = "r" + uuid.uuid4().hex[:12]
        self.versions = [self.writer.create_secret(
            Name=self.name, SecretString='{"SECRET_KEY": "fake-first"}')["VersionId"]]

    def put(self, value, **more):
        self.versions.append(self.writer.put_secret_value(
            SecretId=self.name, SecretString=json.dumps({"SECRET_KEY": value}), **more)["VersionId"])

    def get(self, **settings):
        result = self.run_command("get", "SECRET_KEY", AWS_SECRET_ARN=self.name, **settings)
        return result.stdout or result.stderr

    def test_stages_and_versions(self):
        self.put("fake-second")
        self.put("fake-third", VersionStages=["AWSPENDING"])
        self.assertEqual(self.get(), "fake-second")
        self.assertEqual(self.get(AWS_SECRET_VERSION_STAGE="AWSPREVIOUS"), "fake-first")
        self.assertEqual(self.get(AWS_SECRET_VERSION_STAGE="AWSPENDING"), "fake-third")
        for version, value in zip(self.versions, ("fake-first", "fake-second", "fake-third")):
            self.assertEqual(self.get(AWS_SECRET_VERSION_ID=version), value)
        self.assertEqual(self.get(AWS_SECRET_VERSION_ID=self.versions[0], AWS_SECRET_VERSION_STAGE="AWSPREVIOUS"),
                         "fake-first")

    def test_a_version_and_a_stage_that_it_has_not(self):
        self.put("fake-second")
        self.assert_fails(78, "has no version " + self.versions[0] + " at stage AWSCURRENT",
                          AWS_SECRET_ARN=self.name, AWS_SECRET_VERSION_ID=self.versions[0],
                          AWS_SECRET_VERSION_STAGE="AWSCURRENT")

    def test_a_secret_without_a_version(self):
        name = "e" + uuid.uuid4().hex[:12]
        self.writer.create_secret(Name=name)
        self.assert_fails(78, "has no value yet", "put-secret-value", AWS_SECRET_ARN=name)

    def test_a_rotation_is_seen_when_the_time_is_over(self):
        reader = self.reader(10, AWS_SECRET_ARN=self.name, SECRETS_CACHE_TTL="1")
        reader.expect(event="value", value="fake-first")
        self.put("fake-second")
        reader.expect(event="value", value="fake-second", seconds=5)
        self.assertEqual(reader.end()["failures"], 0)

    def test_a_refresh_asks_first_whether_anything_changed(self):
        reader = self.reader(50, AWS_SECRET_ARN=self.name, SECRETS_CACHE_TTL="3600", QARION_SECRETS_LOG="debug")
        reader.expect(event="value", value="fake-first")
        self.assertEqual(reader.ask("refresh")["error"], "")
        self.put("fake-second")
        self.assertEqual(reader.ask("refresh")["error"], "")
        reader.expect(event="value", value="fake-second")

    def test_the_status_names_the_version(self):
        status = json.loads(self.run_command("status", "-o", "json", AWS_SECRET_ARN=self.name).stdout)
        self.assertEqual(status["version"], self.versions[0])

    def test_keys_are_checked(self):
        """Else the other tests of this class would prove less."""
        result = self.run_command("get", "SECRET_KEY", AWS_SECRET_ARN=self.name, **{
            **self.user, "AWS_SECRET_ACCESS_KEY": "fake-wrong-secret-key-0123456789ab"})
        self.assertEqual(result.returncode, 77, result.stderr)
        self.assertIn("SignatureDoesNotMatch", result.stderr)


class Promotion(AwsCase):
    """moto goes on to answer with the older version; MiniStack does not."""

    def test_a_version_that_becomes_the_current_one_is_seen_when_the_time_is_over(self):
        writer = self.server.root("secretsmanager")
        name, made = self.make_secret({"SECRET_KEY": "fake-first"})
        reader = self.reader(10, AWS_SECRET_ARN=name, SECRETS_CACHE_TTL="1")
        reader.expect(event="value", value="fake-first")
        version = writer.put_secret_value(SecretId=name, SecretString='{"SECRET_KEY": "fake-second"}',
                                          VersionStages=["AWSPENDING"])["VersionId"]
        writer.update_secret_version_stage(SecretId=name, VersionStage="AWSCURRENT", MoveToVersionId=version,
                                           RemoveFromVersionId=made["VersionId"])
        reader.expect(event="value", value="fake-second", seconds=5)
        self.assertEqual(reader.end()["failures"], 0)


class Encrypted(AwsCase):
    """The server speaks TLS, and HTTP/2."""

    @classmethod
    def start(cls):
        authority = Authority(directory_of(cls), "ours")
        cls.theirs = Authority(directory_of(cls), "theirs").path("theirs.pem")
        cls.ours = authority.path("ours.pem")
        cls.server = MiniStack(certificate=(*authority.issue("server"), cls.ours))
        cls.addClassCleanup(cls.server.close)

    def test_by_an_authority_that_is_named(self):
        self.assert_gets(AWS_CA_BUNDLE=self.ours)

    def test_by_an_authority_that_a_profile_names(self):
        (self.directory / ".aws").mkdir()
        self.write(".aws/config", f"[default]\nca_bundle = {self.ours}\n")
        self.assert_gets()

    def test_by_nobody_else(self):
        for settings in ({}, {"AWS_CA_BUNDLE": self.theirs}):
            self.assert_fails(78, "certificate", "AWS_CA_BUNDLE", **settings)

    def test_by_a_file_that_is_not_there(self):
        self.assert_fails(78, "AWS_CA_BUNDLE", "/nowhere", AWS_CA_BUNDLE="/nowhere")

    def test_one_connection_serves_many_reads(self):
        reader = self.reader(5, AWS_CA_BUNDLE=self.ours, SECRETS_CACHE_TTL="0")
        reader.expect(event="value")
        wait_for(lambda: reader.ask("refresh")["error"] == "", "a refresh")
        self.assertEqual(reader.end()["failures"], 0)


class Clock:
    """The server accepts times within five minutes of its own."""

    @classmethod
    def start_server(cls, seconds, **more):
        """Whose clock is that far ahead of this machine's."""
        [library] = pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
        cls.server = MiniStack(LD_PRELOAD=str(library), FAKETIME=f"{seconds:+}s",
                               FAKETIME_DONT_FAKE_MONOTONIC="1", **more)
        cls.addClassCleanup(cls.server.close)

    @classmethod
    def start_encrypted(cls, seconds):
        authority = Authority(directory_of(cls), "ours")
        cls.ours = authority.path("ours.pem")
        cls.start_server(seconds, certificate=(*authority.issue("server"), cls.ours))

    def assert_corrected(self, seconds, direction):
        self.assert_gets(AWS_CA_BUNDLE=self.ours)
        checked = self.run_command("check", "-o", "json", AWS_CA_BUNDLE=self.ours)
        self.assertRegex(checked.stderr, rf"\d+ s {direction} that of 127\.0\.0\.1")
        report = json.loads(checked.stdout)
        self.assertEqual([finding["subject"] for finding in report["findings"]], ["clock"])
        corrected = report["details"]["clock"]
        self.assertRegex(corrected, r"^corrected by -?\d+ s$")
        self.assertAlmostEqual(int(corrected.split()[2]), seconds, delta=3)  # whole seconds, and the way


class ClockBehind(Clock, AwsCase):
    @classmethod
    def start(cls):
        cls.start_encrypted(3600)

    def test_is_corrected(self):
        self.assert_corrected(3600, "behind")


class ClockAhead(Clock, AwsCase):
    @classmethod
    def start(cls):
        cls.start_encrypted(-3600)

    def test_is_corrected(self):
        self.assert_corrected(-3600, "ahead of")


class ClockWithoutTls(Clock, AwsCase):
    @classmethod
    def start(cls):
        cls.start_server(600)

    def test_is_left_alone(self):
        """Anybody may have written what time it is."""
        self.assert_fails(77, "InvalidSignatureException", "this machine's clock is right")


if __name__ == "__main__":
    unittest.main()
