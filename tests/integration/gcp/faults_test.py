#!/usr/bin/env python3
"""Servers of Google's that fail in every way there is: each failure is told with its host and its cause, ends within
its time and memory, sends nothing elsewhere and shows no secret. Those that may pass go on for as long as a command
may take: all of them fail side by side."""
import concurrent.futures
import contextlib
import itertools
import json
import os
import pathlib
import tempfile
import unittest

from backend_case import FIELDS, QSECRETS
from credential_files import (AWS_TYPE, authorized_user, aws_source, external_account,
                              external_account_authorized_user, impersonated_service_account)
from faults import FaultCase, FaultServer, Ran
from gcp_case import AUDIENCE, MAY_READ, NUMBER, PROJECT, READER, account
from google_proxy import NAMES, GoogleProxy
from identity import Login
from issuers import Authority
from services import Services

SIDE_BY_SIDE = 64  # of those that wait most of the time
FEW = 6  # of the others, which have a machine busy

# Texts that no output may hold, not even in part.
CLIENT_SECRET = "fake-client-secret-of-nobody"
REFRESH_TOKEN = "fake-refresh-token-of-nobody"
SUBJECT_TOKEN = "fake-subject-token-of-nobody"
SOURCE_HEADER = "fake-header-of-a-source-of-nobody"
SENT = (CLIENT_SECRET, REFRESH_TOKEN, SUBJECT_TOKEN, SOURCE_HEADER)

# What a server does, and what is said of it. These may pass.
SILENT = ("hang", "drip", "stall")
CUT = {"read-and-close": "Empty reply", "cut-header": "ended its answer before the headers were complete",
       "cut-body": "transfer closed", "long-length": "transfer closed"}
# These do not.
TOO_MUCH = {"endless-body": "longer than the limit", "endless-headers": "headers longer than the limit",
            "long-header": "headers longer than the limit", "no-http": "does not answer in HTTP",
            "greet": "does not answer in HTTP"}
REDIRECTS = ("answer:307:Location=@ELSEWHERE@", "answer:302:Location=@ELSEWHERE@")
PAGES = ("page:404", "page:403", "page:200")
SERVER_ERRORS = ("page:500", "page:502", "page:504")
BUSY = ("page:503", "page:429")
SAID = json.dumps({"error": {"code": 403, "message": "fake refusal of @SECRETS@", "status": "PERMISSION_DENIED"}})
OAUTH_SAID = json.dumps({"error": "invalid_grant", "error_description": "fake refusal of @SECRETS@"})
ECHOES = ("json:403:" + SAID, "json:400:" + OAUTH_SAID)
FAULTS = ("refused", *SILENT, *CUT, *TOO_MUCH, "compressed", *REDIRECTS, *PAGES, *SERVER_ERRORS, *BUSY, *ECHOES)
# Of those that go on for as long as a command may, the ones that are tried everywhere.
EVERYWHERE = ("refused", "hang", "cut-body", "page:403", "page:200", "page:503", "page:429")
TOKEN_ENDPOINTS = ("login", "workforce login", "grant", "exchange", "IAM", "signing")
SERVICES = ("Secret Manager", *TOKEN_ENDPOINTS)
SOURCES = ("source", "instance of AWS")
PLACES = (*SERVICES, *SOURCES, "metadata")
SENT_TO = {"login": (CLIENT_SECRET, REFRESH_TOKEN), "workforce login": (CLIENT_SECRET, REFRESH_TOKEN),
           "exchange": (SUBJECT_TOKEN,), "source": (SOURCE_HEADER,)}


class World:
    """Google's services for one command, in which one of the endpoints misbehaves. `host`: what it is called."""
    LED_ELSEWHERE = {"login": "oauth2.googleapis.com", "IAM": "iamcredentials.googleapis.com",
                     "signing": "iamcredentials.googleapis.com"}

    def __init__(self, place, url, home):
        self.services = Services()
        self.home = home
        identity = self.services.identity
        self.services.secrets.add_project(PROJECT, NUMBER)
        self.services.secrets.add_secret(PROJECT, "qarion-secrets", json.dumps(FIELDS).encode())
        identity.accounts[READER] = account(READER)
        identity.new_provider(AUDIENCE, tokens={SUBJECT_TOKEN: "fake-subject"})
        provider = identity.providers[AUDIENCE].principal("fake-subject")
        identity.grant(account(READER).principal, f"projects/{NUMBER}", MAY_READ)
        identity.grant(provider, account(READER).resource, "iam.serviceAccounts.getAccessToken")
        self.proxy = GoogleProxy(self.services.address, *Case.certificate)
        self.host = url.removeprefix("http://")
        self.settings = {"SECRETS_BACKEND": "gcp_sm", "GCP_SECRET_PROJECT": PROJECT, "NO_GCE_CHECK": "true",
                         "GCP_SECRET_ENDPOINT": self.services.url, "HTTPS_PROXY": self.proxy.url,
                         "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE": Case.ca}
        if place in self.LED_ELSEWHERE:
            self.proxy.elsewhere[self.LED_ELSEWHERE[place]] = self.host
            self.host = self.LED_ELSEWHERE[place]
        self.credentials(place, url)

    def credentials(self, place, url):
        login = Login("user:someone@example.com", client_secret=CLIENT_SECRET, refresh_token=REFRESH_TOKEN)
        source = {"file": self.write("subject", SUBJECT_TOKEN)}
        file = None
        if place in ("Secret Manager", "nothing"):
            if place == "Secret Manager":
                self.settings["GCP_SECRET_ENDPOINT"] = url
            file = account(READER).key_file(self.services.url + "/token")
        elif place == "login":
            file = authorized_user(login)
        elif place == "grant":
            file = impersonated_service_account(account(READER), account(READER).key_file(url + "/token"))
        elif place == "signing":  # to log in to Vault, which nobody reaches
            self.services.metadata.account = account(READER)
            self.settings |= {"SECRETS_BACKEND": "vault", "VAULT_ADDR": "http://127.0.0.1:1",
                              "VAULT_AUTH_METHOD": "gcp", "VAULT_AUTH_ROLE": "app", "VAULT_GCP_LOGIN_TYPE": "iam",
                              "VAULT_GCP_SERVICE_ACCOUNT": READER, "NO_GCE_CHECK": None,
                              "GCE_METADATA_HOST": self.services.address}
        elif place == "workforce login":
            file = external_account_authorized_user(self.services, AUDIENCE, login, token_url=url + "/v1/oauthtoken")
        elif place == "exchange":
            file = external_account(self.services, AUDIENCE, source, token_url=url + "/v1/token")
        elif place == "IAM":
            file = external_account(self.services, AUDIENCE, source, account(READER))
        elif place == "source":
            file = external_account(self.services, AUDIENCE, {"url": url + "/subject", "headers": {
                "X-Fake": SOURCE_HEADER}})
        elif place == "instance of AWS":
            file = external_account(self.services, AUDIENCE, aws_source(url), subject_token_type=AWS_TYPE)
        else:
            self.settings |= {"NO_GCE_CHECK": None, "GCE_METADATA_HOST": self.host}
        if file:
            self.settings["GOOGLE_APPLICATION_CREDENTIALS"] = self.write("credentials.json", json.dumps(file))

    def write(self, name, text):
        path = pathlib.Path(self.home, name)
        path.touch(mode=0o600)
        path.write_text(text)
        return str(path)

    def close(self):
        self.services.close()
        self.proxy.close()


class Outcome:
    """Of `qsecrets get SECRET_KEY`."""

    def __init__(self, place, step, **settings):
        elsewhere = FaultServer("answer:200") if step and "@ELSEWHERE@" in step else None
        server = step and FaultServer(step.replace("@ELSEWHERE@", f"{elsewhere.url}/" if elsewhere else "").replace(
            "@SECRETS@", " ".join(SENT_TO.get(place, ()))))
        url = server.url if server else "http://127.0.0.1:1"
        with tempfile.TemporaryDirectory() as home, contextlib.closing(World(place, url, home)) as world:
            environment = {"PATH": os.environ["PATH"], "HOME": home, **world.settings, **settings}
            ran = Ran([QSECRETS, "get", "SECRET_KEY"], home,
                      {name: value for name, value in environment.items() if value is not None})
            self.tokens = [*world.services.identity.tokens]
            self.host = world.host
        self.status, self.out, self.error, self.seconds, self.memory_kb = (
            ran.status, ran.out, ran.error, ran.seconds, ran.memory_kb)
        self.requests = server.end() if server else []
        self.elsewhere = elsewhere.end() if elsewhere else []


def runs():
    """What is run, by name."""
    yield "good", ("nothing", None)
    for place, fault in itertools.product(PLACES, FAULTS):
        if place == "Secret Manager" or fault in EVERYWHERE or fault in DEFINITE:
            yield (place, fault), (place, None if fault == "refused" else fault)
    for place in PLACES:
        yield (place, "traced"), (place, ECHOES[0])


DEFINITE = {*TOO_MUCH, "compressed", *REDIRECTS, *ECHOES, "page:404"}


def setUpModule():
    """Those that wait begin together, the others beside them a few at a time."""
    directory = unittest.enterModuleContext(tempfile.TemporaryDirectory())
    authority = Authority(directory, "google")
    Case.ca = authority.path("google.pem")
    Case.certificate = authority.issue("hosts", ",".join("DNS:" + name for name in NAMES))
    account(READER)  # while there is but one thread
    waiting, busy = (concurrent.futures.ThreadPoolExecutor(count) for count in (SIDE_BY_SIDE, FEW))
    unittest.addModuleCleanup(waiting.shutdown)
    unittest.addModuleCleanup(busy.shutdown)
    for name, run in runs():
        pool = busy if name[1] in DEFINITE else waiting
        more = {"QARION_SECRETS_LOG": "debug"} if name[1] == "traced" else {}
        Case.outcomes[name] = pool.submit(Outcome, *run, **more)


class Case(FaultCase):
    ca = certificate = None

    def secrets_of(self, outcome):
        return (*SENT, *outcome.tokens)

    def each(self, places, faults, check):
        for key in itertools.product(places, faults):
            if key in self.outcomes:
                with self.subTest(key):
                    check(key, self.outcomes[key].result().host)


class Servers(Case):
    def test_without_a_fault(self):
        """Else the others would prove nothing."""
        good = self.outcomes["good"].result()
        self.assertEqual((good.status, good.out), (0, FIELDS["SECRET_KEY"]), good.error)

    def test_that_cannot_be_reached(self):
        self.each(PLACES, ["refused"], lambda key, host: self.assertEqual(
            self.assert_passing(key, host).requests, []))

    def test_that_say_nothing(self):
        self.each(PLACES[:-1], SILENT, lambda key, host: self.assertIn(
            len(self.assert_passing(key, host, "Operation timed out").requests), range(1, 12)))

    def test_that_break_off(self):
        self.each(PLACES, CUT, lambda key, host: self.assertGreaterEqual(
            len(self.assert_passing(key, host, CUT[key[1]]).requests), 3))

    def test_that_say_what_nobody_wants(self):
        self.each(PLACES[:-1], TOO_MUCH, lambda key, host: self.assert_definite(
            key, 65, host, TOO_MUCH[key[1]], requests=0 if key[1] == "greet" else 1))

    def test_that_compress_what_they_say(self):
        self.each(SERVICES, ["compressed"], lambda key, host: self.assert_definite(
            key, 65, host, "compressed its answer"))
        self.each(SOURCES, ["compressed"], lambda key, host: self.assert_definite(
            key, 65, host, "longer than the limit"))

    def test_that_redirect(self):
        self.each(PLACES[:-1], REDIRECTS, lambda key, host: self.assert_definite(
            key, 78, host.partition(":")[0], key[1].split(":")[1], "redirects are not followed"))

    def test_pages_of_what_stands_before_them(self):
        self.each(SERVICES, ["page:404", "page:403", *SERVER_ERRORS, "page:503"],
                  lambda key, host: self.assert_passing(key, host.partition(":")[0], "answered " + key[1][-3:]))
        self.each(["source"], ["page:404", "page:403"], lambda key, host: self.assert_definite(
            key, 78, host.partition(":")[0], "answers " + key[1][-3:], "credential_source.headers"))
        self.each(["instance of AWS"], ["page:404", "page:403"], lambda key, host: self.assert_definite(
            key, 78, "credential_source.imdsv2_session_token_url", "answers " + key[1][-3:], "hop limit"))

    def test_pages_that_look_like_success(self):
        self.each(SERVICES, ["page:200"], lambda key, host: self.assert_passing(
            key, host.partition(":")[0], "answered 200, and not as Google does"))
        self.assert_definite(("source", "page:200"), 77, "invalid_grant")  # for the page is taken for a token
        self.assert_definite(("instance of AWS", "page:200"), 65, "credential_source.region_url does not answer with a",
                             requests=2)

    def test_that_ask_for_patience(self):
        self.each(SERVICES, ["page:429"], lambda key, host: self.assert_passing(
            key, host.partition(":")[0], "answered 429", status=75))

    def test_refusals_that_repeat_what_was_sent(self):
        for place in TOKEN_ENDPOINTS:
            hidden = "***" if place in SENT_TO else "fake refusal"
            self.assert_definite((place, ECHOES[0]), 77, "PERMISSION_DENIED", hidden)
            self.assert_definite((place, ECHOES[1]), 77, "invalid_grant", hidden)
        for place in SOURCES:
            self.assert_definite((place, ECHOES[0]), 78, "answers 403")
            self.assert_definite((place, ECHOES[1]), 78, "answers 400: fake refusal of")
        self.assert_definite(("source", ECHOES[1]), 78, "fake refusal of ***")

    def test_of_what_is_sent_a_trace_shows_no_secret(self):
        self.each(PLACES, ["traced"], lambda key, host: self.assert_fails(
            key, 78 if key[0] in (*SOURCES, "metadata") else 77, "http: ", host))


class MetadataServers(Case):
    """One that a variable names is there, whatever is wrong with it at the moment."""

    def test_that_say_nothing(self):
        self.assert_passing(("metadata", "hang"), "timed out after ")

    def test_that_say_what_nobody_wants(self):
        for fault in ("endless-body", "no-http"):
            self.assert_definite(("metadata", fault), 65, TOO_MUCH[fault])

    def test_that_are_busy(self):
        for fault in BUSY:
            self.assert_passing(("metadata", fault), f"metadata server ({fault[-3:]})")

    def test_that_are_none(self):
        """Without the header that says that it is one: its answer is believed in nothing."""
        for fault in ("page:200", "page:404", "page:403", *REDIRECTS):
            with self.subTest(fault):
                self.assert_definite(("metadata", fault), 78, "not Google's metadata server")


if __name__ == "__main__":
    unittest.main()
