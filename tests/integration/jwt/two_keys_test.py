#!/usr/bin/env python3
"""two_keys_test.py TOKEN_SERVICE: what comes of a rotation without SECRET_KEY_NEXT, and what saves most of it."""
import sys
import unittest

from fleet import LIFE, Fleet, new_key, wait_for
from forgeries import key_id, token

PROGRAM = sys.argv.pop(1)


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

    def outcomes(self, signer, verifier):
        """Of tokens that are new."""
        return verifier.verify("short", signer.sign("short", 20))

    def test_who_cannot_fetch_rejects_what_the_others_sign_already(self):
        fleet = self.fleet({"SECRETS_MAX_STALE": "600"}, {}, {})
        lonely, first, second = fleet.services
        lonely.cut_off()
        self.promote(fleet, new_key(), first, second)
        self.assertEqual(self.outcomes(first, lonely), {"unknown_key": 20})
        self.assertEqual(self.outcomes(first, second), {"current": 20})

    def test_who_cannot_fetch_accepts_a_key_that_was_announced(self):
        fleet = self.fleet({"SECRETS_MAX_STALE": "600"}, {}, {})
        lonely, first, second = fleet.services
        new = new_key()
        fleet.put(key=fleet.key, key_next=new)
        wait_for(lambda: lonely.status()["keys"].get("next"), "the announcement")
        lonely.cut_off()
        self.promote(fleet, new, first, second)
        self.assertEqual(self.outcomes(first, lonely), {"next": 20})
        self.assertEqual(self.outcomes(lonely, first), {"previous": 20})

    def test_forged_tokens_keep_a_service_from_fetching_the_key_it_lacks(self):
        fleet = self.fleet({"SECRETS_CACHE_TTL": "300"}, {"SECRETS_CACHE_TTL": "300"})
        flooded, signer = fleet.services
        new = new_key()
        # A second of waiting for a fetch, ten of none: for as long as it takes to promote.
        flooded.verify("short", token(new_key(), "short+jwt", life=LIFE))
        self.promote(fleet, new)
        signer.refresh()
        self.assertEqual(self.outcomes(signer, flooded), {"unknown_key": 20})

    def test_forged_tokens_do_not_matter_to_a_key_that_was_announced(self):
        fleet = self.fleet({"SECRETS_CACHE_TTL": "300"}, {"SECRETS_CACHE_TTL": "300"})
        flooded, signer = fleet.services
        new = new_key()
        fleet.put(key=fleet.key, key_next=new)
        flooded.refresh()
        flooded.verify("short", token(new_key(), "short+jwt", life=LIFE))
        self.promote(fleet, new)
        signer.refresh()
        self.assertEqual(self.outcomes(signer, flooded), {"next": 20})

    def test_who_can_fetch_rejects_none(self):
        # The last one fetches nothing but what tokens make it fetch.
        fleet = self.fleet(*[{}] * 7, {"SECRETS_CACHE_TTL": "300"})
        fleet.start()
        wait_for(lambda: fleet.failures or fleet.has_all_pairs(), "work")
        self.promote(fleet, new_key(), *fleet.services)
        fleet.stop()
        self.assertEqual((dict(fleet.rejected), fleet.failures), ({}, []))
        self.assertEqual(fleet.services[-1].status()["short"]["refreshes"], 1)


if __name__ == "__main__":
    unittest.main()
