#!/usr/bin/env python3
"""boto3_test.py CREDENTIALS_DUMP [--random=COUNT[,SEED]]: boto3 beside us, in identical sandboxes: both pick the same
credentials, region and endpoint, or the difference and its reason are listed with the configuration.

All addresses are of a network that this process has for itself.
"""
import json
import os
import random
import shutil
import sys
import tempfile
import unittest

import private_network
from configurations import ALL
from lookers import Boto3, Ourselves
from random_configurations import Maker
from scripted_services import Services

OURSELVES = Ourselves(os.path.abspath(sys.argv.pop(1)))
RANDOM = next((sys.argv.pop(i) for i, word in enumerate(sys.argv) if word.startswith("--random=")), None)


def is_complete(found):
    """A secret can be read: there are credentials and a place to send them to."""
    return bool(found.get("credentials") and found.get("region") and found.get("endpoint"))


def picked(found):
    credentials = found.get("credentials")
    if credentials:
        credentials = {name: value for name, value in credentials.items() if name != "origin"}
    return {"credentials": credentials, "region": found.get("region") or None, "endpoint": found.get("endpoint"),
            "signing_region": found.get("signing_region")}


class Beside(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        has_v6 = private_network.enter()
        addresses = [("127.0.0.1", 0)] + [(address, 80) for address in (
            private_network.INSTANCE, private_network.CONTAINER, private_network.POD)]
        if has_v6:
            addresses += [(private_network.INSTANCE_V6, 80), (private_network.POD_V6, 80)]
        cls.services = Services(addresses)
        cls.addClassCleanup(cls.services.close)
        cls.boto3 = Boto3()
        cls.addClassCleanup(cls.boto3.close)
        cls.root = tempfile.mkdtemp(prefix="qarion-boto3-")
        cls.addClassCleanup(shutil.rmtree, cls.root)

    def look(self, looker, configuration):
        self.services.reset(configuration.answers)
        environment = configuration.sandbox(self.home, self.services)
        found = looker(self.home, environment)
        found["requests"] = self.services.lines()
        return found

    def compare(self, configuration):
        self.home = os.path.join(self.root, "home")
        theirs = self.look(self.boto3.look, configuration)
        ours = self.look(OURSELVES.look, configuration)
        if not is_complete(theirs) and not is_complete(ours):
            # Each refuses what it needs; as far as both have something, it is the same.
            both = [name for name in ("credentials", "region", "endpoint") if theirs.get(name) and ours.get(name)]
        else:
            both = ["credentials", "region", "endpoint", "signing_region"]
        theirs_picked, ours_picked = picked(theirs), picked(ours)
        differs = any(theirs_picked[name] != ours_picked[name] for name in both)
        if configuration.difference:
            self.assertTrue(differs, f"no longer differs: {configuration.difference}")
        elif differs:
            self.fail(json.dumps({"boto3": theirs, "ours": ours, "environment": configuration.environment,
                                  "files": configuration.files}, indent=1).replace("\\n", "\n      "))
        return is_complete(theirs)

    def compare_all(self, configurations):
        complete = 0
        for configuration in configurations:
            with self.subTest(configuration.name):
                complete += self.compare(configuration)
        return complete

    @unittest.skipIf(RANDOM, "the others are asked for")
    def test_configurations_written_by_hand(self):
        self.assertGreater(len(ALL), 60)
        self.assertEqual(len(ALL), len({configuration.name for configuration in ALL}))
        self.assertGreater(self.compare_all(ALL), len(ALL) / 3)

    @unittest.skipUnless(RANDOM, "not asked for")
    def test_configurations_made_by_chance(self):
        count, _, seed = RANDOM.removeprefix("--random=").partition(",")
        seed = int(seed or random.SystemRandom().randrange(2**32))
        print(f"seed {seed}", file=sys.stderr)
        made = random.Random(seed)
        configurations = [Maker(made).configuration(f"number {number} of seed {seed}") for number in range(int(count))]
        self.assertGreater(self.compare_all(configurations), int(count) / 5)


if __name__ == "__main__":
    unittest.main()
