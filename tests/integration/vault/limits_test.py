#!/usr/bin/env python3
"""Rate limit quotas whose answers say how long to wait, of reads and of logins."""
import re
import unittest
import urllib.error
import urllib.request

from support import Audited, VaultCase, wait_for


class Quotas(Audited, VaultCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.must("POST", "sys/quotas/config", {
            "enable_rate_limit_response_headers": True, "rate_limit_exempt_paths": ["sys/health"]})

    def quota(self, path, rate, interval):
        self.server.must("POST", "sys/quotas/rate-limit/q", {"path": path, "rate": rate, "interval": interval})
        self.addCleanup(self.server.call, "DELETE", "sys/quotas/rate-limit/q")

    def use_up(self, path, method="GET"):
        """Asks until the quota is used up; returns what Retry-After then says."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        for _ in range(20):
            request = urllib.request.Request(f"{self.server.address}/v1/{path}", method=method,
                                             data=b"{}" if method == "POST" else None)
            try:
                opener.open(request, timeout=10).close()
            except urllib.error.HTTPError as error:
                with error:
                    if error.code == 429:
                        return error.headers["Retry-After"]
        raise AssertionError("the quota has no effect")

    def start(self, path, **settings):
        """Starts a service; returns the answers to what it asked of `path`: (milliseconds, status)."""
        reader = self.reader(1000, QARION_SECRETS_LOG="debug", SECRETS_CACHE_TTL="3600", **settings)
        reader.expect(event="value")
        found = []

        def ends_well():  # what it logs comes by another way than what it tells
            found[:] = re.findall(rf"^(\d+) .*http: \w+ \S+ /v1/{path} -> (\d+),", "".join(reader.errors),
                                  re.MULTILINE)
            return found and found[-1][1] == "200"

        wait_for(ends_well, "an answer of 200", 5)
        return [(int(ms), int(status)) for ms, status in found]

    def test_a_quota_says_how_long_to_wait_and_is_asked_no_sooner(self):
        self.quota("secret/", 1, "3s")
        self.assertEqual(self.use_up("secret/data/qarion"), "2")
        (first, status), (second, _), *more = self.start("secret/data/qarion", VAULT_TOKEN="root")
        self.assertEqual(status, 429)
        # Without that word it would have asked after half a second at most.
        self.assertGreaterEqual(second - first, 1950)
        self.assertLess(len(more), 8)  # in the last second, for which it says 0

    def test_a_quota_that_says_to_wait_for_nothing_is_not_hammered(self):
        """Whole seconds, rounded down: of a window of one second the rest is always none."""
        self.quota("secret/", 1, "1s")
        self.assertEqual(self.use_up("secret/data/qarion"), "0")
        answers = self.start("secret/data/qarion", VAULT_TOKEN="root")
        self.assertIn([status for _, status in answers].count(429), range(1, 8))

    def test_a_login_waits_for_its_quota(self):
        settings = self.approle("patient")
        self.quota("auth/approle/login", 1, "3s")
        self.assertEqual(self.use_up("auth/approle/login", "POST"), "2")
        logins = self.count("update auth/approle/login ")
        (first, status), (second, _), *more = self.start("auth/approle/login", **settings)
        self.assertEqual(status, 429)
        self.assertGreaterEqual(second - first, 1950)
        self.assertLess(len(more), 8)  # in the last second, for which it says 0
        self.assertEqual(self.count("update auth/approle/login ") - logins, 1)

    def test_a_login_that_is_put_off_for_long_ends_no_service(self):
        settings = self.approle("long", token_ttl="1h")
        reader = self.reader(10, **settings, SECRETS_CACHE_TTL="1", SECRETS_MAX_STALE="60")
        reader.expect(event="value")
        accessor = reader.status()["token accessor"]
        self.quota("auth/approle/login", 1, "100s")
        self.use_up("auth/approle/login", "POST")
        self.server.must("POST", "auth/token/revoke-accessor", {"accessor": accessor})
        error = reader.ask("refresh")["error"]
        self.assertIn("the login by approle at auth/approle/ was put off (429", error)
        self.assertNotIn(settings["VAULT_SECRET_ID"], error)
        self.server.must("DELETE", "sys/quotas/rate-limit/q")
        self.assertEqual(reader.ask("refresh")["error"], "")
        self.assertNotEqual(reader.status()["token accessor"], accessor)
        self.assertEqual(reader.end()["failures"], 0)


if __name__ == "__main__":
    unittest.main()
