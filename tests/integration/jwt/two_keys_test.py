#!/usr/bin/env python3
"""two_keys_test.py TOKEN_SERVICE: what comes of a rotation without SECRET_KEY_NEXT, and what saves most of it."""
import sys
import time
import unittest

from fleet import LIFE, Fleet, new_key, wait_for
from forgeries import key_id, token

PROGRAM = sys.argv.pop(1)

# Once refreshed, it fetches for half a day only what it is made to fetch, however slow the machine is.
QUIET = {"SECRETS_CACHE_TTL": "86400", "VAULT_CLIENT_TIMEOUT": "30s"}


class TwoKeys(unittest.TestCase):
    def fleet(self, *settings):
        fleet = Fleet(PROGRAM, settings)
        self.addCleanup(fleet.close)
        return fleet

    def promote(self, fleet, new, *services):
        """As the brief of many a service has it: the new key signs at once. Returns when it does in these."""
        fleet.put(key=new, key_previous=fleet.key)
        for service in services:
            wait_for(lambda of=service: of.status()["keys"]["current"] == key_id(new), "the promotion")

    def cut_off(self, service):
        """Returns when no answer is under way to it any more."""
        service.cut_off()
        wait_for(lambda: service.network.counts.get("refuse"), "a refused fetch")

    def flood(self, service):
        """With a forged token. Returns when the service has fetched because of it: a verifier waits for a second."""
        began = time.time()
        service.verify("short", token(new_key(), "short+jwt", life=LIFE))
        wait_for(lambda: service.status()["fetched_at"] > began, "a fetch")

    def outcomes(self, signer, verifier):
        """Of tokens that are new."""
        return verifier.verify("short", signer.sign("short", 20))

    def test_who_cannot_fetch_rejects_what_the_others_sign_already(self):
        fleet = self.fleet({"SECRETS_MAX_STALE": "600"}, {}, {})
        lonely, first, second = fleet.services
        self.cut_off(lonely)
        self.promote(fleet, new_key(), first, second)
        self.assertEqual(self.outcomes(first, lonely), {"unknown_key": 20})
        self.assertEqual(self.outcomes(first, second), {"current": 20})

    def test_who_cannot_fetch_accepts_a_key_that_was_announced(self):
        fleet = self.fleet({"SECRETS_MAX_STALE": "600"}, {}, {})
        lonely, first, second = fleet.services
        new = new_key()
        fleet.put(key=fleet.key, key_next=new)
        wait_for(lambda: lonely.status()["keys"].get("next"), "the announcement")
        self.cut_off(lonely)
        self.promote(fleet, new, first, second)
        self.assertEqual(self.outcomes(first, lonely), {"next": 20})
        self.assertEqual(self.outcomes(lonely, first), {"previous": 20})

    def test_forged_tokens_keep_a_service_from_fetching_the_key_it_lacks(self):
        fleet = self.fleet(QUIET, QUIET)
        flooded, signer = fleet.services
        flooded.refresh()
        self.flood(flooded)
        # Ten seconds of none: for as long as it takes to promote.
        self.promote(fleet, new_key())
        signer.refresh()
        self.assertEqual(self.outcomes(signer, flooded), {"unknown_key": 20})

    def test_forged_tokens_do_not_matter_to_a_key_that_was_announced(self):
        fleet = self.fleet(QUIET, QUIET)
        flooded, signer = fleet.services
        new = new_key()
        fleet.put(key=fleet.key, key_next=new)
        flooded.refresh()
        self.flood(flooded)
        self.promote(fleet, new)
        signer.refresh()
        self.assertEqual(self.outcomes(signer, flooded), {"next": 20})

    def test_who_can_fetch_rejects_none(self):
        # The last one fetches nothing but what tokens make it fetch.
        fleet = self.fleet(*[{"VAULT_CLIENT_TIMEOUT": "30s"}] * 7, QUIET)
        fleet.services[-1].refresh()
        fleet.start()
        wait_for(lambda: fleet.failures or fleet.has_all_pairs(), "work")
        self.promote(fleet, new_key(), *fleet.services)
        fleet.stop()
        self.assertEqual((dict(fleet.rejected), fleet.failures), ({}, []))
        if not fleet.starved:  # of which one may have waited for that fetch in vain
            self.assertEqual(fleet.services[-1].status()["short"]["refreshes"], 1)


if __name__ == "__main__":
    unittest.main()
