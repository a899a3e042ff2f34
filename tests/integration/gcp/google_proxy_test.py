#!/usr/bin/env python3
"""The proxy by which tests lead clients to the fake that ask Google's own hosts: curl and Google's library go that way
by nothing but their settings."""
import json
import os
import shutil
import subprocess
import unittest

from credential_files import authorized_user, impersonated_service_account
from google_proxy import NAMES, GoogleProxy
from issuers import Authority
from support import ACCESS, ACCESSED, LOCATION, REGIONAL, GoogleCase

CURL = shutil.which("curl")
PATH = os.environ["PATH"]  # before tests have an environment of their own


class Proxy(GoogleCase):
    def setUp(self):
        super().setUp()
        self.environment(PATH=PATH)
        self.authority = Authority(self.home, "google")
        names = ",".join("DNS:" + name for name in NAMES)
        self.proxy = GoogleProxy(self.services.address, *self.authority.issue("hosts", names))
        self.addCleanup(self.proxy.close)

    def curl(self, *arguments):
        """Exit status, status and body."""
        done = subprocess.run([CURL, "--silent", "--max-time", "10", "--proxy", self.proxy.url, "--write-out",
                               "\n%{http_code}", *arguments], env={}, check=False, capture_output=True, text=True)
        body, _, status = done.stdout.rpartition("\n")
        return done.returncode, int(status), body

    def ask(self, url, *arguments):
        return self.curl("--cacert", self.authority.path("google.pem"), *arguments, url)

    def bearer(self):
        return "Authorization: Bearer " + self.identity.issue(self.reader.principal)

    def test_leads_to_the_fake_by_the_host_that_was_asked(self):
        status, code, body = self.ask("https://secretmanager.googleapis.com" + ACCESS, "--header", self.bearer())
        self.assertEqual((status, code, json.loads(body)["name"].rpartition("/")[2]), (0, 200, "3"))
        host = f"secretmanager.{LOCATION}.rep.googleapis.com"
        status, code, body = self.ask(f"https://{host}/v1/{REGIONAL}/versions/1:access", "--header", self.bearer())
        self.assertEqual((status, code), (0, 200), body)
        self.assertEqual([request.host for request in self.services.requests], self.proxy.asked)
        self.assertEqual(self.proxy.asked, ["secretmanager.googleapis.com", host])

    def test_is_believed_by_the_authority_that_is_named_and_nobody_else(self):
        self.assertEqual(self.curl("https://oauth2.googleapis.com/token")[:2], (60, 0))
        self.assertEqual(self.services.requests, [])

    def test_knows_no_other_host(self):
        for url in ("https://secretmanager.googleapis.com.fake.test/", "https://a.b.googleapis.com/",
                    "https://oauth2.googleapis.com:8443/", "https://googleapis.com/"):
            self.assertEqual(self.ask(url)[0], 56)
        self.assertEqual(self.ask("http://oauth2.googleapis.com/")[1], 403)
        self.assertEqual((len(self.proxy.refused), self.proxy.asked, self.services.requests), (5, [], []))

    def test_passes_on_what_is_large(self):
        self.services.reset({"GET /large": (200, b"x" * 3_000_000)})
        self.assertEqual(len(self.ask("https://oauth2.googleapis.com/large")[2]), 3_000_000)

    def test_leads_some_hosts_elsewhere(self):
        self.proxy.elsewhere["oauth2.googleapis.com"] = "127.0.0.1:1"
        self.assertNotEqual(self.ask("https://oauth2.googleapis.com/token")[0], 0)
        self.assertEqual(self.ask("https://sts.googleapis.com/v1/token")[1], 405)

    def test_google_s_library_goes_that_way(self):
        self.environment(HTTPS_PROXY=self.proxy.url, NO_PROXY="127.0.0.1",
                         REQUESTS_CA_BUNDLE=self.authority.path("google.pem"))
        login = self.identity.new_login("user:someone@example.com")
        self.identity.grant(login.principal, self.reader.resource, "iam.serviceAccounts.getAccessToken")
        self.use(impersonated_service_account(self.reader, authorized_user(login)))
        self.assert_reads(self.client(endpoint="https://secretmanager.googleapis.com"))
        self.assertEqual(self.requests(), [
            "POST /token", f"POST /v1/{self.reader.resource}:generateAccessToken", ACCESSED])
        self.assertEqual(set(self.proxy.asked), {"oauth2.googleapis.com", "iamcredentials.googleapis.com",
                                                 "secretmanager.googleapis.com"})
        self.assertEqual(self.proxy.refused, [])


if __name__ == "__main__":
    unittest.main()
