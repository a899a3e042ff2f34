#!/usr/bin/env python3
"""refetch_test.py QSECRETS TOKEN_SERVICE: when tokens make a service fetch, as the server counts it."""
import time
import unittest

from backend_case import READER as PROGRAM
from fleet import LIFE, PATIENCE, Service, new_key
from forgeries import encoded, key_id, token
from support import Audited, VaultCase

PAUSE = 10  # between two fetches because of tokens
FLOOD = 10_000


class Refetch(Audited, VaultCase):
    def setUp(self):
        super().setUp()
        self.key = new_key()
        self.server.put({"SECRET_KEY": self.key})
        self.service = self.start()
        self.at_start = self.fetches()

    def start(self):
        service = Service(PROGRAM, self.environment(VAULT_TOKEN="root", SECRETS_CACHE_TTL="3600"), self.directory)
        self.addCleanup(service.kill)
        service.refresh()  # the next time by itself is half an hour later at least
        return service

    def fetches(self):
        return self.count("read secret/data/qarion ")

    def refreshes(self):
        return self.service.status()["short"]["refreshes"]

    def verify(self, *tokens):
        return self.service.verify("short", b"".join(tokens))

    def signed(self, key, **more):
        return token(key, "short+jwt", LIFE, **more)

    def assert_fetches_once(self, wanted, tokens_of):
        """To verify tokens of a key that is new. Where the machine is too slow for its patience, it has a second go."""
        for is_last in (False, True):
            new = new_key()
            self.server.put({"SECRET_KEY": new, "SECRET_KEY_PREVIOUS": self.key})
            tokens = tokens_of(new)
            fetches, refreshes = self.fetches(), self.refreshes()
            began = time.monotonic()
            outcomes = self.verify(*tokens)
            if is_last or time.monotonic() - began < PATIENCE:
                break
            time.sleep(PAUSE)
        self.assertEqual(outcomes, wanted)
        self.assertEqual((self.fetches() - fetches, self.refreshes() - refreshes), (1, 1))

    def test_a_key_that_was_promoted_elsewhere_is_accepted_at_once_by_one_fetch(self):
        self.assert_fetches_once({"current": 100}, lambda _: [self.start().sign("short", 100)])

    def test_tokens_without_a_key_id_do_so_too(self):
        self.assert_fetches_once({"current": 1, "previous": 1},
                                 lambda new: [self.signed(new), self.signed(self.key)])

    def test_a_flood_of_forged_tokens_causes_one_fetch_in_ten_seconds_at_most(self):
        forger = new_key()
        flood = {"unknown_key": self.signed(forger, kid=key_id(forger)), "bad_signature": self.signed(forger),
                 "known": self.signed(forger, kid=key_id(self.key))}
        began = time.monotonic()
        outcomes = self.verify(b"".join(flood.values()) * FLOOD)
        for _ in range(20):
            self.verify(*flood.values())
            time.sleep(0.1)
        seconds = time.monotonic() - began
        self.assertEqual(outcomes, {"unknown_key": FLOOD, "bad_signature": 2 * FLOOD})
        fetches = self.fetches() - self.at_start
        self.assertGreaterEqual(fetches, 1)
        self.assertLessEqual(fetches, 1 + seconds // PAUSE)

    def test_a_wrong_signature_under_a_known_key_causes_none(self):
        self.assertEqual(self.verify(self.signed(new_key(), kid=key_id(self.key)) * FLOOD), {"bad_signature": FLOOD})
        self.assertEqual(self.fetches(), self.at_start)

    def test_tokens_that_are_malformed_or_out_of_their_time_cause_none(self):
        now = int(time.time())
        good = self.signed(self.key).rstrip(b"\n")
        header, payload, signature = good.split(b".")
        wanted = {
            "expired": self.signed(self.key, issued_at=now - 60),
            "issued_in_future": self.signed(self.key, issued_at=now + 600),
            "wrong_type": token(self.key, "other+jwt", LIFE),
            "lives_too_long": token(self.key, "short+jwt", LIFE + 60),
            "not_compact": good + b".more.parts\n",
            "bad_base64": good + b"=\n",
            "bad_header": encoded(b"{") + b"." + payload + b"." + signature + b"\n",
            "wrong_algorithm": self.signed(new_key(), alg="none"),
            "unsupported_header": self.signed(new_key(), crit=["exp"]),
            "bad_signature": good[:-3] + b"\n",
            "too_large": b"x" * 9000 + b"\n",
        }
        for reason, rejected in wanted.items():
            with self.subTest(reason):
                self.assertEqual(self.verify(rejected * 10), {reason: 10})
        self.assertEqual(self.fetches(), self.at_start)
        self.assertEqual(self.refreshes(), 0)


if __name__ == "__main__":
    unittest.main()
