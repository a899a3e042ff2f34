#!/usr/bin/env python3
"""The address at which machines of Google's find their metadata server when no variable names another, for real: in a
network of this test's own. What comes from there is checked by the fake of Google's services."""
import concurrent.futures
import json
import socket
import time
import unittest

import private_network
from backend_case import QSECRETS
from faults import Ran
from gcp_case import ACCESSED, METADATA, METADATA_TOKEN, PROXIES, GcpCase, wait_for
from private_network import INSTANCE
from recorder import Recorder

TOKEN_LINE = "GET " + METADATA_TOKEN
NAMED = ("metadata.test.invalid", "127.0.0.1:1")
named = {}  # what comes of them


def setUpModule():
    private_network.enter()
    pool = concurrent.futures.ThreadPoolExecutor(len(NAMED))
    unittest.addModuleCleanup(pool.shutdown)
    for host in NAMED:
        named[host] = pool.submit(Ran, [QSECRETS, "get", "SECRET_KEY"], "/", {
            "SECRETS_BACKEND": "gcp_sm", "GCP_SECRET_PROJECT": "fake-project", "GCE_METADATA_HOST": host,
            "HOME": "/nowhere", "GCP_SECRET_ENDPOINT": "http://127.0.0.1:1"})


class Machine(GcpCase):
    """Whose account may read, and which has no file."""
    addresses = (("127.0.0.1", 0), (INSTANCE, 80))

    def setUp(self):
        super().setUp()
        self.machine()
        del self.settings["GCE_METADATA_HOST"]

    def asked_there(self):
        """Paths, of the requests to the metadata server."""
        return [request.path for request in self.services.seen() if request.host == INSTANCE]

    def test_reads(self):
        self.assert_gets()
        self.assert_asked(TOKEN_LINE, ACCESSED)
        self.assertEqual(self.asked_there(), [METADATA_TOKEN])
        self.assert_asked_by(self.reader_account.principal)

    def test_tells_the_project(self):
        self.assert_gets(GCP_SECRET_PROJECT=None)
        self.assertEqual(set(self.asked_there()), {METADATA_TOKEN, METADATA + "project/project-id"})

    def test_is_not_asked_where_that_is_forbidden(self):
        self.assert_fails(78, NO_GCE_CHECK="true")
        self.assertEqual(self.services.requests, [])

    def test_is_not_asked_where_there_is_a_file(self):
        self.assert_gets(GOOGLE_APPLICATION_CREDENTIALS=self.write("key.json", json.dumps(self.key_file())))
        self.assert_asked(ACCESSED)

    def test_is_not_asked_where_there_is_a_file_that_cannot_be_used(self):
        self.assert_fails(78, "/nowhere", GOOGLE_APPLICATION_CREDENTIALS="/nowhere")
        self.assertEqual(self.services.requests, [])

    def test_another_address_takes_its_place(self):
        self.assert_gets(GCE_METADATA_HOST=self.services.address)
        self.assertEqual(self.asked_there(), [])

    def test_what_answers_there_is_not_always_a_metadata_server(self):
        for mode in ("no flavour", "missing"):
            with self.subTest(mode):
                self.services.metadata.mode = mode
                begin = time.monotonic()
                self.assert_fails(78, INSTANCE, "GOOGLE_APPLICATION_CREDENTIALS")
                self.assertLess(time.monotonic() - begin, 5)

    def test_one_that_answered_before_is_asked_more_often(self):
        flavour = {"Metadata-Flavor": "Google"}
        reader = self.reader(1000, SECRETS_CACHE_TTL="3600")
        reader.expect(event="value")
        self.identity.end_tokens()
        self.services.reset({TOKEN_LINE: [(503, "fake page", flavour), (None, ""), None]})
        self.assertEqual(reader.ask("refresh")["error"], "")
        self.assertEqual(self.asked_there(), [METADATA_TOKEN] * 3)

    def test_no_proxy_is_asked(self):
        proxy = Recorder()
        self.addCleanup(proxy.close)
        for name in ("NO_PROXY", "no_proxy"):
            self.services.reset()
            self.assert_gets(**dict.fromkeys(PROXIES, proxy.url), **{name: "127.0.0.1"})
            self.assertEqual(self.asked_there(), [METADATA_TOKEN])
        self.assertEqual(proxy.lines, [])

    def test_no_proxy_is_asked_for_names_of_it(self):
        """Which nobody knows here."""
        proxy = Recorder()
        self.addCleanup(proxy.close)
        for host in ("metadata.google.internal", "metadata.test.invalid"):
            reader = self.reader(100, GCE_METADATA_HOST=host, **dict.fromkeys(PROXIES, proxy.url))
            wait_for(lambda reader=reader, host=host: host in "".join(reader.errors), "a line about it")
        self.assertEqual(proxy.lines, [])

    def test_a_proxy_is_asked_for_the_service_alone(self):
        """What this proves too: the test above would have seen a request."""
        proxy = Recorder()
        self.addCleanup(proxy.close)
        self.reader(100, GCP_SECRET_ENDPOINT=None, **dict.fromkeys(PROXIES, proxy.url))
        wait_for(lambda: proxy.lines, "a request")
        self.assertEqual(set(proxy.lines), {"CONNECT secretmanager.googleapis.com:443 HTTP/1.1"})


class Nobody(GcpCase):
    """Most machines are none of Google's: what the way to credentials costs there that has nothing before."""

    def setUp(self):
        super().setUp()
        self.settings = {"NO_GCE_CHECK": None}

    def seconds_without(self, *words, **settings):
        begin = time.monotonic()
        self.assert_fails(78, "GOOGLE_APPLICATION_CREDENTIALS", *words, **settings)
        return time.monotonic() - begin

    def seconds_to_start(self):
        return self.seconds_without(NO_GCE_CHECK="true")

    def test_an_address_where_nobody_listens_costs_nothing(self):
        self.assertLess(self.seconds_without(INSTANCE) - self.seconds_to_start(), 2.5)

    def test_an_address_from_where_nothing_comes_back_costs_what_the_setting_says(self):
        with private_network.full_listener(INSTANCE):
            start = self.seconds_to_start()
            cost = self.seconds_without("timed out after ") - start
            self.assertTrue(2.5 < cost < 8, cost)
            cost = self.seconds_without("timed out after ", GCE_METADATA_TIMEOUT="500ms") - start
            self.assertTrue(0.3 < cost < 2.5, cost)
            cost = self.seconds_without("timed out after ", GCE_METADATA_TIMEOUT="500ms",
                                        GCE_METADATA_DETECT_RETRIES="2") - start
            self.assertTrue(0.7 < cost < 5, cost)

    def test_a_server_that_hangs_costs_no_more(self):
        with socket.create_server((INSTANCE, 80)):
            cost = self.seconds_without("timed out after ") - self.seconds_to_start()
        self.assertTrue(2.5 < cost < 8, cost)

    def test_a_server_that_is_named_is_waited_for_as_long_as_a_command_may(self):
        """A name that does not resolve yet, an address where nobody listens yet: as while a container starts."""
        for host in NAMED:
            ran = named[host].result()
            self.assertEqual(ran.status, 69, ran.error)
            self.assertIn(host, ran.error)
            self.assertIn("gave up after 30000 ms", ran.error)
            self.assertLess(ran.seconds, 45)


if __name__ == "__main__":
    unittest.main()
