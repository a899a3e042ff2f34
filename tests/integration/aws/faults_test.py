#!/usr/bin/env python3
"""Servers of AWS that fail in every way there is: each failure is told with its host and its cause, ends within its time
and memory, sends nothing elsewhere and shows no secret. All of them fail side by side: a command goes on trying
for 30 s where a failure may pass."""
import concurrent.futures
import itertools
import json
import os
import pathlib
import tempfile
import unittest

from backend_case import QSECRETS
from configurations import CONFIG, REFRESHABLE, SSO_LEGACY, SSO_PROFILE, SSO_SESSION, sso_cache, sso_token
from faults import FaultCase, FaultServer, Ran, ends
from ports import free_port

SIDE_BY_SIDE = 24

# Texts that no output may hold, not even in part.
KEY = "fake-secret-access-key-of-nobody"
WEB_TOKEN = "fake.web-identity-token.of-nobody"
SSO_TOKEN = "fake-sso-access-token-of-nobody"
REFRESH_TOKEN = "fake-refresh-token-of-nobody"
CLIENT_SECRET = "fake-client-secret-of-nobody"
POD_TOKEN = "fake-pod-token-of-nobody"
SENT = (KEY, WEB_TOKEN, SSO_TOKEN, REFRESH_TOKEN, CLIENT_SECRET, POD_TOKEN)
PRINTED = "printed-secret-of-nobody"
PATH = "fake-place-of-nobody"

# Who is asked by which settings, with which files in the home directory. @URL@: where the faulty server is.
SERVICES = {
    "Secrets Manager": ({"AWS_ENDPOINT_URL_SECRETS_MANAGER": "@URL@", "AWS_ACCESS_KEY_ID": "AKIAFAKE",
                         "AWS_SECRET_ACCESS_KEY": KEY}, {}),
    "STS": ({"AWS_ENDPOINT_URL_STS": "@URL@", "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/fake",
             "AWS_WEB_IDENTITY_TOKEN_FILE": "token"}, {"token": WEB_TOKEN}),
    "SSO": ({"AWS_ENDPOINT_URL_SSO": "@URL@"}, {
        CONFIG: "[default]\n" + SSO_LEGACY,
        sso_cache("https://sso.example/start"): sso_token(accessToken=SSO_TOKEN)}),
    "SSO OIDC": ({"AWS_ENDPOINT_URL_SSO_OIDC": "@URL@"}, {
        CONFIG: "[default]\n" + SSO_PROFILE + SSO_SESSION,
        sso_cache("corp"): sso_token(-60, **{**REFRESHABLE, "accessToken": SSO_TOKEN, "clientSecret": CLIENT_SECRET,
                                             "refreshToken": REFRESH_TOKEN})}),
}
CONTAINER = ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "@URL@/" + PATH, "AWS_CONTAINER_AUTHORIZATION_TOKEN": POD_TOKEN}, {})
INSTANCE = ({"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "@URL@"}, {})
PLACES = {**SERVICES, "container": CONTAINER, "instance": INSTANCE}

# What a server does, and what is said of it. These may pass.
SILENT = {"hang": "", "drip": "", "stall": ""}
CUT = {"read-and-close": "Empty reply", "cut-header": "ended its answer before the headers were complete",
       "cut-body": "transfer closed", "long-length": "transfer closed"}
# These do not.
TOO_MUCH = {"endless-body": "longer than the limit", "endless-headers": "headers longer than the limit",
            "long-header": "headers longer than the limit", "no-http": "does not answer in HTTP"}
REDIRECTS = ("answer:307:Location=@ELSEWHERE@", "answer:302:Location=@ELSEWHERE@")
PAGES = ("page:404", "page:403", "page:200")
ECHOES = ("json:403:@ECHO@", "json:400:@ECHO@")
FAULTS = ("refused", *SILENT, *CUT, *TOO_MUCH, "greet", "compressed", *REDIRECTS, *PAGES, *ECHOES)
# Only an answer of the service's own says why, in this form.
SAID = json.dumps({"__type": "AccessDeniedException", "message": "of @SECRETS@"})

PROGRAM = "#!/bin/sh\necho $$ > pid\n"
PROGRAMS = {
    "hangs": "exec sleep 1000\n",
    "hangs with another": "sleep 1000 & echo $! > pid; wait\n",
    "floods": f"while :; do echo {PRINTED}; done\n",
    "complains": f"echo {PRINTED} >&2; exit 3\n",
    "prints no JSON": f"echo {PRINTED}\n",
    "prints what is incomplete": f"""echo '{{"Version": 1, "SecretAccessKey": "{PRINTED}"}}'\n""",
}
GOOD = json.dumps({"ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:fake-AbCdEf", "Name": "fake",
                   "VersionId": "fake-version", "SecretString": '{"SECRET_KEY": "fake"}'})


class Outcome:
    """Of `qsecrets get SECRET_KEY`."""

    def __init__(self, settings, files, step=None):
        elsewhere = FaultServer("answer:200")
        self.url = "http://127.0.0.1:" + str(free_port())
        if step:
            mine = " ".join(secret for secret in SENT if secret in str((settings, files)))
            server = FaultServer(step.replace("@ELSEWHERE@", elsewhere.url + "/").replace(
                "@ECHO@", SAID.replace("@SECRETS@", mine)))
            self.url = server.url
        with tempfile.TemporaryDirectory() as home:
            for name, text in files.items():
                path = pathlib.Path(home, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch(mode=0o700 if text.startswith("#!") else 0o600)
                path.write_text(text.replace("@HOME@", home))
            self.run(home, {name: value.replace("@URL@", self.url) for name, value in settings.items()})
            self.ended = ends(pathlib.Path(home, "pid"))
        self.status, self.out, self.error = self.ran.status, self.ran.out, self.ran.error
        self.seconds, self.memory_kb = self.ran.seconds, self.ran.memory_kb
        self.host = self.url.removeprefix("http://")
        self.requests = server.end() if step else []
        self.elsewhere = elsewhere.end()

    def run(self, home, settings):
        environment = {"PATH": os.environ["PATH"], "HOME": home, "SECRETS_BACKEND": "aws_sm", "AWS_SECRET_ARN": "fake",
                       "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
                       "AWS_EC2_METADATA_DISABLED": "true", **settings}
        self.ran = Ran([QSECRETS, "get", "SECRET_KEY"], home, environment)


def runs():
    """What is run, by name."""
    yield "good", (*SERVICES["Secrets Manager"], "json:200:" + GOOD)
    for place, place_settings in PLACES.items():
        for fault in FAULTS:
            yield (place, fault), (*place_settings, None if fault == "refused" else fault)
        settings, files = place_settings
        yield (place, "traced"), ({**settings, "QARION_SECRETS_LOG": "debug"}, files, "json:403:@ECHO@")
    for name, text in PROGRAMS.items():
        yield name, ({}, {CONFIG: "[default]\ncredential_process = @HOME@/program\n", "program": PROGRAM + text})


def setUpModule():
    """All begin together."""
    pool = concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE)
    unittest.addModuleCleanup(pool.shutdown)
    Case.outcomes = {name: pool.submit(Outcome, *run) for name, run in runs()}


class Case(FaultCase):
    def secrets_of(self, outcome):
        return (*SENT, PRINTED, PATH)


class Servers(Case):
    def test_without_a_fault(self):
        """Else the others would prove nothing."""
        good = self.outcomes["good"].result()
        self.assertEqual((good.status, good.out), (0, "fake"), good.error)

    def each(self, places, faults, check):
        for key in itertools.product(places, faults):
            with self.subTest(key):
                check(key, self.outcomes[key].result().host)

    def test_services_that_cannot_be_reached(self):
        self.each([*SERVICES, "container"], ["refused"], lambda key, host: self.assertEqual(
            self.assert_passing(key, host, "Failed to connect").requests, []))

    def test_services_that_say_nothing(self):
        self.each(SERVICES, SILENT, lambda key, host: self.assertIn(
            len(self.assert_passing(key, host, "Operation timed out").requests), range(1, 5)))

    def test_services_that_break_off(self):
        self.each([*SERVICES, "container"], CUT, lambda key, host: self.assertGreaterEqual(
            len(self.assert_passing(key, host, CUT[key[1]]).requests), 3))

    @staticmethod
    def bad_data(key):
        """The login by SSO has ended too; it is that which can be mended."""
        return 77 if key[0] == "SSO OIDC" else 65

    def test_services_that_say_what_nobody_wants(self):
        self.each([*SERVICES, "container"], TOO_MUCH, lambda key, host: self.assert_definite(
            key, self.bad_data(key), host, TOO_MUCH[key[1]]))
        self.each([*SERVICES, "container"], ["greet"], lambda key, host: self.assert_definite(
            key, self.bad_data(key), host, "does not answer in HTTP", requests=0))
        self.each(SERVICES, ["compressed"], lambda key, host: self.assert_definite(
            key, self.bad_data(key), host, "compressed its answer"))
        self.each(["container"], ["compressed"], lambda key, host: self.assert_definite(
            key, 65, host, "longer than the limit"))

    def test_services_that_redirect(self):
        self.each(SERVICES, REDIRECTS, lambda key, host: self.assert_definite(
            key, 77 if key[0] == "SSO OIDC" else 78, host, "answered " + key[1].split(":")[1]))
        self.each(["container"], REDIRECTS, lambda key, host: self.assert_definite(
            key, 78, host, "redirects elsewhere", "nothing was sent there", requests=3))

    def test_pages_of_what_stands_before_a_service(self):
        self.each(SERVICES, ["page:404", "page:403"], lambda key, host: self.assert_passing(
            key, host, "answered " + key[1][-3:], "what stands before it"))
        self.each(["container"], ["page:404"], lambda key, host: self.assert_definite(
            key, 78, host, "answers 404", requests=3))
        self.each(["container"], ["page:403"], lambda key, host: self.assert_definite(
            key, 77, host, "answers 403", requests=3))

    def test_pages_that_look_like_success(self):
        self.each(SERVICES, ["page:200"], lambda key, host: self.assert_passing(
            key, host, "answered 200, and not as that service does", "what stands before it"))
        self.each(["container"], ["page:200"], lambda key, host: self.assert_passing(
            key, host, "does not answer in JSON"))

    def test_refusals_that_repeat_what_was_sent(self):
        self.each(["STS", "SSO", "SSO OIDC"], ECHOES, lambda key, host: self.assert_definite(
            key, 77, host, "AccessDeniedException", "of ***"))
        self.each(["Secrets Manager"], ECHOES, lambda key, _: self.assert_definite(
            key, 77, "reading fake was refused", "of ***"))
        self.each(["container"], ["json:403:@ECHO@"], lambda key, host: self.assert_definite(
            key, 77, host, "answers 403: of ***", requests=3))
        self.each(["container"], ["json:400:@ECHO@"], lambda key, host: self.assert_definite(
            key, 78, host, "answers 400: of ***", requests=3))

    def test_of_what_is_sent_a_trace_shows_no_secret(self):
        requests = {"container": 3, "instance": 2}
        self.each(PLACES, ["traced"], lambda key, host: self.assert_definite(
            key, 78 if key[0] == "instance" else 77, "http: ", host, requests=requests.get(key[0], 1)))

    def test_containers_that_say_nothing(self):
        """Two seconds for each of three requests, and a second between them."""
        self.each(["container"], SILENT, lambda key, host: self.assertLess(
            len(self.assert_passing(key, host, "timed out").requests), 15))

    def test_instances(self):
        """Whatever is wrong there, nobody knows whether this machine is an instance at all. Little is asked, and
        no more waited for than the time of one request and a quarter of it."""
        requests = {"refused": 0, "greet": 0, "json:400:@ECHO@": 1}
        self.each(["instance"], FAULTS, lambda key, host: self.assertLess(self.assert_definite(
            key, 78, "there are no AWS credentials", host, requests=requests.get(key[1], 2)).seconds, 1.25 + 4))


class Programs(Case):
    def assert_ended(self, outcome):
        self.assertTrue(outcome.ended)

    def test_that_hang(self):
        for name in ("hangs", "hangs with another"):
            with self.subTest(name):
                self.assert_ended(self.assert_fails(name, 69, "credential_process in", "/.aws/config:2"))

    def test_that_flood(self):
        self.assert_ended(self.assert_definite("floods", 65, "credential_process in", "more than the limit", requests=0))

    def test_that_fail_with_a_secret_in_what_they_say(self):
        self.assert_ended(self.assert_passing("complains", "credential_process in", "3"))

    def test_that_print_something_else(self):
        for name in ("prints no JSON", "prints what is incomplete"):
            with self.subTest(name):
                self.assert_ended(self.assert_definite(name, 65, "credential_process in", requests=0))


if __name__ == "__main__":
    unittest.main()
