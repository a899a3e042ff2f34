#!/usr/bin/env python3
"""guide_test.py QSECRETS READER SOURCE_DIRECTORY: what the table of the stores in docs/guide/operators.md says of them."""
import concurrent.futures
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import unittest

SOURCE = pathlib.Path(sys.argv.pop())

from backend_case import FIELDS, QSECRETS  # noqa: E402: takes the other arguments
from scripted_services import Request, document
from secret_manager import wrong_checksum
from services import AnsweringServer, Services
from stores import BACKENDS, StoresCase

GUIDE = (SOURCE / "docs/guide/operators.md").read_text()
SECTION = GUIDE.partition("\n## The stores\n")[2].partition("\n## ")[0]
REMOTE = BACKENDS[1:]
NOBODY = "http://127.0.0.1:1"
# No connection that has served is asked again: where that ended, a request is sent once more beside all attempts.
ONE_EACH = {"Connection": "close"}
ONE_FETCH = {"SECRETS_CACHE_TTL": "3600"}  # and not another one in the background


def table():
    """Its cells, by row and by backend."""
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")]
                      for line in SECTION.splitlines() if line.startswith("|"))
    columns = [name.strip("`") for name in head[1:]]
    if tuple(columns) != BACKENDS:
        raise AssertionError(columns)
    return {row[0]: dict(zip(columns, row[1:], strict=True)) for row in rows}


TABLE = table()
# Those that are held to what happens, below.
HELD = ["needs", "reads", "version of a snapshot", "the secret or version is not there", "it may not be read",
        "it is no JSON object of fields", "nobody answers", "asked too often", "tries again",
        "attempts, first pause", "what it logs in with is renewed"]


def status_in(cell):
    return int(re.match(r"\d+", cell)[0])


def names_in(cell):
    return re.findall(r"`([A-Z_]+)`", cell)


class VaultFake(AnsweringServer):
    """Vault as far as one token and one secret go."""
    request_kind = Request
    READ = "GET /v1/secret/data/qarion"
    NO_OBJECT = (200, {"data": {"data": "fake text", "metadata": {"version": 1}}})
    FAILURES = {name: (int(name), {"errors": ["fake failure"]})
                for name in ("400", "412", "429", "500", "501", "502", "503", "504")}
    BUSY = FAILURES["429"]

    def settings(self):
        return {"VAULT_ADDR": self.url, "VAULT_TOKEN": "fake-token"}

    def usual_answer(self, request):
        if request.path == "/v1/secret/data/qarion":
            return 200, {"data": {"data": FIELDS, "metadata": {"version": 1, "created_time": "2026-01-02T03:04:05Z"}}}
        if request.path == "/v1/auth/token/lookup-self":
            return 200, {"data": {"ttl": 0, "policies": ["root"], "renewable": False, "type": "service"}}
        return 404, {"errors": []}

    @staticmethod
    def rendered(status, body):
        return status, json.dumps(body).encode(), {"Content-Type": "application/json", **ONE_EACH}


class AwsFake(AnsweringServer):
    """Secrets Manager, and the credentials of a container."""
    request_kind = Request
    READ = "POST /"
    FAILURES = {"throttling": (400, {"__type": "ThrottlingException", "message": "fake failure"}),
                "400": (400, {"__type": "InvalidRequestException", "message": "fake failure"}),
                **{name: (int(name), {"__type": "FakeFailure", "message": "fake failure"})
                   for name in ("500", "501", "502", "503", "504")}}
    BUSY = FAILURES["throttling"]
    ends_in = datetime.timedelta(hours=6)

    @staticmethod
    def value(text):
        return 200, {"ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:fake-AbCdEf", "Name": "fake",
                     "VersionId": "fake-version", "SecretString": text}

    NO_OBJECT = value("fake text")

    def settings(self):
        return {"AWS_SECRET_ARN": "fake", "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": self.url,
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": self.url + "/container", "AWS_ACCESS_KEY_ID": None,
                "AWS_SECRET_ACCESS_KEY": None}

    def usual_answer(self, request):
        if request.path == "/container":
            end = datetime.datetime.now(datetime.UTC) + self.ends_in
            return 200, document("container", Expiration=end.strftime("%Y-%m-%dT%H:%M:%SZ"))
        return self.value(json.dumps(FIELDS))

    @staticmethod
    def rendered(status, body):
        return status, json.dumps(body).encode(), {"Content-Type": "application/x-amz-json-1.1", **ONE_EACH}


class GcpFake(Services):
    READ = "GET /v1/projects/fake-project/secrets/qarion-secrets/versions/latest:access"
    FAILURES = {name: (int(name), {"error": {"code": int(name), "status": status, "message": "fake failure"}})
                for name, status in (("400", "INVALID_ARGUMENT"), ("429", "RESOURCE_EXHAUSTED"), ("500", "INTERNAL"),
                                     ("501", "UNIMPLEMENTED"), ("503", "UNAVAILABLE"), ("504", "DEADLINE_EXCEEDED"))}
    BUSY = FAILURES["429"]

    def __init__(self):
        super().__init__()
        self.secrets.add_project("fake-project", 1234)
        self.secret = self.secrets.add_secret("fake-project", "qarion-secrets", json.dumps(FIELDS).encode())
        self.metadata.account = self.identity.new_account("reader@fake-project.iam.gserviceaccount.com")
        self.identity.grant(self.metadata.account.principal, "projects/1234", "secretmanager.versions.access")

    def rendered(self, status, body, headers=None):
        return super().rendered(status, body, {**(headers or {}), **ONE_EACH})

    def settings(self):
        return {"GCP_SECRET_PROJECT": "fake-project", "GCP_SECRET_ENDPOINT": self.url, "NO_GCE_CHECK": None,
                "GCE_METADATA_HOST": self.address, "GOOGLE_APPLICATION_CREDENTIALS": None}


FAKES = {"vault": VaultFake, "aws_sm": AwsFake, "gcp_sm": GcpFake}
HANGS_UP = (None,)


class FakeCase(StoresCase):
    def fake(self, backend):
        """A store of its own, and the settings that choose it."""
        fake = FAKES[backend]()
        self.addCleanup(fake.close)
        return fake, {"SECRETS_BACKEND": backend, **fake.settings()}

    def side_by_side(self, check, cases):
        """They wait most of the time."""
        with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
            results = {case: pool.submit(check, *case) for case in cases}
            for case, result in results.items():
                with self.subTest(case):
                    result.result()

    @staticmethod
    def count(fake):
        with fake.lock:
            return sum(f"{request.method} {request.path}" == fake.READ and
                       request.headers.get("X-Amz-Target", ".GetSecretValue").endswith(".GetSecretValue")
                       for request in fake.requests)


class Rows(unittest.TestCase):
    def test_are_those_that_are_held_here(self):
        self.assertEqual(list(TABLE), HELD)

    def test_what_the_environment_does_not_do(self):
        self.assertEqual([row for row, cells in TABLE.items() if not cells["env"]], HELD[6:8] + HELD[9:])
        self.assertEqual(TABLE["tries again"]["env"], "nothing")


class Needs(StoresCase):
    MALFORMED = {"VAULT_ADDR": "no address", "VAULT_SECRET_PATH": "../x", "AWS_SECRET_ARN": "arn:no:arn",
                 "GCP_SECRET_PROJECT": "../x"}
    VALUES = {"VAULT_SECRET_PATH": "secret/data/qarion", "GCP_SECRET_PROJECT": "fake-project"}
    # How each is led to its server here, and what says who asks.
    PLACES = {"vault": [], "aws_sm": ["AWS_ENDPOINT_URL", "AWS_EC2_METADATA_DISABLED"],
              "gcp_sm": ["GCP_SECRET_ENDPOINT", "NO_GCE_CHECK"]}
    LOGINS = {"a way to log in": ["VAULT_TOKEN"], "an AWS identity": ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
              "a Google identity": ["GOOGLE_APPLICATION_CREDENTIALS"]}

    def test_settings_are_read_and_are_enough(self):
        for backend in REMOTE:
            with self.subTest(backend):
                needs = TABLE["needs"][backend].split(", ")
                login, = (need for need in needs if not need.startswith("`"))
                values = {**self.backend_settings(), "AWS_SECRET_ARN": self.aws_arn, **self.VALUES}
                names = names_in(", ".join(needs))
                self.assertEqual(len(names), len(needs) - 1)
                given = {name: values[name] for name in (*names, *self.PLACES[backend], *self.LOGINS[login])}
                only = {**dict.fromkeys(values), "SECRETS_BACKEND": backend, **given}
                self.assertEqual(self.run_command("get", "POSTGRES_PASSWORD", **only).returncode, 0)
                for name in names:
                    self.assert_fails(78, name, **{**only, name: self.MALFORMED[name]})
                self.assert_fails(78, **{**only, **dict.fromkeys(self.LOGINS[login])})

    def test_the_environment_needs_nothing(self):
        self.assertEqual(TABLE["needs"]["env"], "nothing")
        nothing = dict.fromkeys(self.backend_settings())
        result = self.run_command("get", "SMTP_PASSWORD", **nothing, SMTP_PASSWORD="fake")
        self.assertEqual((result.returncode, result.stdout), (0, "fake"), result.stderr)

    def test_what_the_environment_reads(self):
        given = {"variables": {"SMTP_PASSWORD": "fake"}, "files": {"SMTP_PASSWORD_FILE": self.write("file", "fake")},
                 "`.env`": {"SECRETS_ENV_FILE": self.write("named.env", "SMTP_PASSWORD=fake\n")}}
        self.assertEqual(TABLE["reads"]["env"].split(", "), list(given))
        for settings in given.values():
            result = self.run_command("get", "SMTP_PASSWORD", **settings)
            self.assertEqual((result.returncode, result.stdout), (0, "fake"), result.stderr)

    def test_what_the_others_read(self):
        """Of Vault, the secret of version 2; of Google, what its checksum is of."""
        self.assertEqual(TABLE["reads"]["vault"], "one secret of KV version 2")
        self.bao.call("POST", "sys/mounts/old", {"type": "kv", "options": {"version": "1"}})
        self.bao.must("POST", "old/qarion", FIELDS)
        self.assert_fails(78, "version", SECRETS_BACKEND="vault", VAULT_TOKEN="root", VAULT_SECRET_PATH="old/qarion")
        self.assertEqual(TABLE["reads"]["aws_sm"], "one secret")
        self.assertEqual(TABLE["reads"]["gcp_sm"], "one secret, verified by its checksum")


class Versions(StoresCase):
    def status(self, backend, **settings):
        result = self.run_command("status", "-o", "json", SECRETS_BACKEND=backend, **settings)
        return json.loads(result.stdout)["version"]

    def test_of_remote_stores(self):
        numbers = ("the secret's number", "the number of the version")
        for backend in REMOTE:
            with self.subTest(backend):
                version = self.store(backend, "second")
                self.assertEqual(version.isdigit(), TABLE["version of a snapshot"][backend] in numbers)
                self.assertIn(TABLE["version of a snapshot"][backend], (*numbers, "the id of the version"))
                self.assertEqual(self.status(backend), version)

    def test_of_the_environment(self):
        self.assertEqual(TABLE["version of a snapshot"]["env"], "when the newest of its files was changed")
        os.utime(self.directory / ".env", (0, 1709210096))
        self.assertEqual(self.status("env"), "2024-02-29T12:34:56.000000000Z")


class Failures(FakeCase):
    def test_what_is_not_there(self):
        cells = TABLE["the secret or version is not there"]
        for backend, name, version in (
                ("vault", {"VAULT_SECRET_PATH": "secret/data/none"}, {"VAULT_SECRET_VERSION": "99999"}),
                ("aws_sm", {"AWS_SECRET_ARN": "none"}, {"AWS_SECRET_VERSION_ID": "f" * 32}),
                ("gcp_sm", {"GCP_SECRET_NAME": "none"}, {"GCP_SECRET_VERSION": "99999"})):
            for settings in (name, version):
                with self.subTest(settings):
                    self.assert_fails(status_in(cells[backend]), **{
                        "SECRETS_BACKEND": backend, "VAULT_TOKEN": "root", **settings})
        self.assertEqual(cells["env"], "the field is not set")
        self.assert_fails(78, "is not set", command=("get", "SMTP_PASSWORD"), SECRETS_BACKEND="env")

    def assert_refused(self, backend, shown, **settings):
        """`shown`: what the words of the cell mean."""
        cell = TABLE["it may not be read"][backend]
        words = cell.partition("with ")[2].replace("the ", "").split(" and ")
        self.assertEqual(words, list(shown))
        self.assert_fails(status_in(cell), *shown.values(), SECRETS_BACKEND=backend, **settings)

    def test_what_may_not_be_read(self):
        token = self.bao.must("POST", "auth/token/create", {"policies": ["default"]})["auth"]["client_token"]
        self.assert_refused("vault", {"policy": "policy", "path": "secret/data/qarion"}, VAULT_TOKEN=token)
        self.assert_refused("aws_sm", {"action": "secretsmanager:GetSecretValue"},
                            **self.aws.make_user("stranger", policy=None))
        stranger = self.gcp.identity.new_account("stranger@fake-project.iam.gserviceaccount.com")
        key = self.write("stranger.json", json.dumps(stranger.key_file("https://oauth2.googleapis.com/token")))
        self.assert_refused("gcp_sm", {"role": "roles/secretmanager.secretAccessor", "command": "gcloud "},
                            GOOGLE_APPLICATION_CREDENTIALS=key)

    def test_a_file_that_may_not_be_read(self):
        """By nobody, where these tests are root, who may read everything."""
        cell = TABLE["it may not be read"]["env"]
        self.assertEqual(cell, "78, with the file")
        file = pathlib.Path(self.write("file", "fake"))
        file.chmod(0)
        self.directory.chmod(0o755)
        nobody = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        environment = {**self.environment(**dict.fromkeys(self.backend_settings())), "SMTP_PASSWORD_FILE": str(file),
                       "SECRETS_ENV_FILE": "/dev/null"}
        try:
            done = subprocess.run([QSECRETS, "get", "SMTP_PASSWORD"], cwd=self.directory, env=environment, timeout=90,
                                  check=False, capture_output=True, text=True, **nobody)
        except PermissionError:
            self.skipTest("nobody may run the command where it is")
        self.assertEqual(done.returncode, status_in(cell), done.stderr)
        self.assertIn(str(file), done.stderr)

    def test_what_is_no_object_of_fields(self):
        cells = TABLE["it is no JSON object of fields"]
        for backend in ("vault", "aws_sm"):
            fake, settings = self.fake(backend)
            fake.reset({fake.READ: fake.NO_OBJECT})
            self.assert_fails(status_in(cells[backend]), **settings)
        fake, settings = self.fake("gcp_sm")
        self.assertEqual(cells["gcp_sm"].partition(", ")[2], "also where the checksum is wrong")
        fake.secrets.payload = wrong_checksum(fake.secret.versions[0].data)
        self.assert_fails(status_in(cells["gcp_sm"]), "checksum", **settings)
        fake.secrets.payload = {}
        fake.secrets.add_version(fake.secret, b"fake text")
        self.assert_fails(status_in(cells["gcp_sm"]), **settings)
        self.assertEqual(cells["env"].partition(" ")[2], "for `.env`")
        self.assert_fails(status_in(cells["env"]), SECRETS_BACKEND="env",
                          SECRETS_ENV_FILE=self.write("broken.env", 'SECRET_KEY="fake'))


class Outages(FakeCase):
    ADDRESSES = {"vault": "VAULT_ADDR", "aws_sm": "AWS_ENDPOINT_URL", "gcp_sm": "GCP_SECRET_ENDPOINT"}

    seconds = ""  # for which a command tries

    def assert_given_up(self, row, backend):
        fake, settings = self.fake(backend)
        fake.reset({fake.READ: fake.BUSY})
        if row == "nobody answers":
            settings[self.ADDRESSES[backend]] = NOBODY
        self.assert_fails(status_in(TABLE[row][backend]), f"gave up after {self.seconds}000 ms", **settings)

    def test_of_a_command(self):
        said = " ".join(SECTION.split())
        self.seconds = re.search(r"first fetch is tried for (\d+) seconds before every one", said)[1]
        self.side_by_side(self.assert_given_up, [
            (row, backend) for row in ("nobody answers", "asked too often") for backend in REMOTE])

    def test_that_google_wants_no_more_questions_after(self):
        self.assertIn("with `gcp_sm` an answer such as `INTERNAL`", SECTION)
        fake, settings = self.fake("gcp_sm")
        fake.reset({fake.READ: fake.FAILURES["500"]})
        result = self.assert_fails(69, "INTERNAL", **settings)
        self.assertNotIn("gave up", result.stderr)
        self.assertEqual(self.count(fake), 1)

    def assert_served_stale(self, row, backend):
        self.assertEqual(TABLE[row][backend].partition("; ")[2], "served stale")
        for most_stale in ("3600", "0"):
            fake, settings = self.fake(backend)
            reader = self.reader(10, **settings, SECRETS_CACHE_TTL="1", SECRETS_MAX_STALE=most_stale)
            reader.expect(event="value", value=FIELDS["SECRET_KEY"])
            fake.reset({fake.READ: fake.BUSY if row == "asked too often" else HANGS_UP})
            if most_stale == "0":
                reader.expect(event="failure")
                continue
            self.assertNotEqual(reader.ask("refresh", 60)["error"], "")
            time.sleep(2)  # beyond its time
            self.assertEqual(reader.end()["failures"], 0)

    def test_of_a_service(self):
        self.side_by_side(self.assert_served_stale, [
            (row, backend) for row in ("nobody answers", "asked too often") for backend in REMOTE])


class Retries(FakeCase):
    ATTEMPTS = TABLE["attempts, first pause"]

    @staticmethod
    def listed(backend):
        """The failures after which it tries again."""
        listed = set()
        for part in re.split("[,;] ", TABLE["tries again"][backend]):
            many, _, but = part.partition(" but ")
            if many == "5xx":
                listed |= {name for name in FAKES[backend].FAILURES if name.startswith("5")} - {but}
            elif part != "other addresses":
                listed.add(part)
        return listed

    def attempts(self, backend, failure, **more):
        """Of one fetch."""
        fake, settings = self.fake(backend)
        reader = self.reader(1000, **settings, **ONE_FETCH, **more)
        reader.expect(event="value")
        fake.reset({fake.READ: failure})
        self.assertNotEqual(reader.ask("refresh", 90)["error"], "")
        return self.count(fake)

    def assert_attempts(self, backend, name):
        failure = HANGS_UP if name == "no answer" else FAKES[backend].FAILURES[name]
        wanted = int(re.match(r"\d+", self.ATTEMPTS[backend])[0]) if name in self.listed(backend) else 1
        self.assertEqual(self.attempts(backend, failure), wanted)

    def test_after_these_failures_and_no_others(self):
        for backend in REMOTE:
            self.assertLessEqual(self.listed(backend), {*FAKES[backend].FAILURES, "no answer"})
        self.side_by_side(self.assert_attempts, [
            (backend, name) for backend in REMOTE for name in (*FAKES[backend].FAILURES, "no answer")])

    def test_as_often_as_the_setting_says(self):
        retries, = names_in(self.ATTEMPTS["vault"])
        self.assertEqual(self.attempts("vault", HANGS_UP, **{retries: "1"}), 2)
        attempts, = names_in(self.ATTEMPTS["aws_sm"])
        self.assertEqual(self.attempts("aws_sm", HANGS_UP, **{attempts: "2"}), 2)

    def test_other_addresses_of_vault(self):
        self.assertIn("other addresses", TABLE["tries again"]["vault"])
        fake, settings = self.fake("vault")
        settings["VAULT_ADDR"] = f"{NOBODY},{fake.url}"
        self.assert_gets(**settings, VAULT_MAX_RETRIES="0")

    def test_first_pauses_are_those_of_the_code(self):
        """Chance takes something off them: what passes tells little."""
        def written(path, pattern):
            count, = re.findall(pattern, (SOURCE / "src" / path).read_text())
            return count
        vault = written("providers/vault/api.cc", r"kFirstPause\{(\d+)\};") + " ms"
        aws = written("aws/retry_policy.cc", r"milliseconds kTransientBase\{(\d+)\};") + " ms"
        throttled = written("aws/retry_policy.cc", r"seconds kThrottlingBase\{(\d+)\};") + " s"
        gcp = written("providers/gcp_sm/secret_version.cc", r"\.first = seconds\((\d+)\)") + " s"
        self.assertEqual([self.ATTEMPTS[backend].partition(", ")[2] for backend in REMOTE],
                         [vault, f"{aws}, throttled {throttled}", gcp])


class Renewals(FakeCase):
    CELLS = TABLE["what it logs in with is renewed"]

    def is_renewed(self, fake, settings, path):
        """Whether in three fetches credentials are asked for more than once."""
        reader = self.reader(1000, **settings, **ONE_FETCH)
        reader.expect(event="value")
        for _ in range(2):
            self.assertEqual(reader.ask("refresh")["error"], "")
        reader.end()
        with fake.lock:
            return sum(request.path == path for request in fake.requests) > 1

    def test_of_aws(self):
        minutes = int(re.fullmatch(r"with (\d+) minutes left", self.CELLS["aws_sm"])[1])
        for more, renewed in ((-1, True), (1, False)):
            fake, settings = self.fake("aws_sm")
            fake.ends_in = datetime.timedelta(minutes=minutes + more)
            self.assertEqual(self.is_renewed(fake, settings, "/container"), renewed)

    def test_of_google(self):
        minutes, seconds = map(int, re.fullmatch(r"with (\d+):(\d\d) left", self.CELLS["gcp_sm"]).groups())
        for more, renewed in ((-2, True), (40, False)):
            fake, settings = self.fake("gcp_sm")
            fake.identity.told_seconds = 60 * minutes + seconds + more
            path = "/computeMetadata/v1/instance/service-accounts/default/token"
            self.assertEqual(self.is_renewed(fake, settings, path), renewed)

    def test_of_vault(self):
        """"Else anew": where no renewal is possible, another login comes before its end."""
        self.assertEqual(self.CELLS["vault"], "at half to two thirds of its lease, else anew")
        self.bao.call("POST", "sys/auth/approle", {"type": "approle"})
        of_lease = range(3600 // 2 - 60, 3600 * 2 // 3 + 1)
        for role, kind, renewal, due in (("app", "service", "next renewal", of_lease),
                                         ("again", "batch", "next login", range(3600))):
            self.bao.must("POST", f"auth/approle/role/{role}", {
                "token_policies": "app-read", "token_ttl": "1h", "token_type": kind})
            role_id = self.bao.must("GET", f"auth/approle/role/{role}/role-id")["data"]["role_id"]
            secret = self.bao.must("POST", f"auth/approle/role/{role}/secret-id", {})["data"]["secret_id"]
            reader = self.reader(1000, SECRETS_BACKEND="vault", VAULT_TOKEN=None, VAULT_ROLE_ID=role_id,
                                 VAULT_SECRET_ID=secret)
            reader.expect(event="value")
            left = int(re.search(r"in (\d+) s", reader.status()[renewal])[1])
            self.assertIn(left, due)


if __name__ == "__main__":
    unittest.main()
