#!/usr/bin/env python3
"""fleet_test.py TOKEN_SERVICE: keys are changed while eight processes verify each other's tokens."""
import sys
import unittest

from fleet import Fleet, wait_for

PROGRAM = sys.argv.pop(1)


class FleetTest(unittest.TestCase):
    def test_a_rotation_in_three_steps_rejects_no_token_and_leaves_no_old_one_valid(self):
        fleet = Fleet(PROGRAM)
        self.addCleanup(fleet.close)
        fleet.start(fleet.disturb)
        fleet.rotate()
        wait_for(lambda: fleet.failures or (fleet.has_all_pairs() and fleet.partitions and fleet.restarts and
                                            fleet.unserved), "one of everything")
        fleet.stop_all()
        print("\n" + fleet.details() + "\n" + fleet.figures())
        self.assertEqual((dict(fleet.rejected), fleet.failures), ({}, []))
        self.assertGreater(fleet.refused, 0)
        # Where each step is everywhere before the next, there is no unknown key to be fetched.
        self.assertLessEqual(fleet.refetches, fleet.late_unknown)

    def test_who_has_no_keys_left_when_it_first_signs_says_so(self):
        fleet = Fleet(PROGRAM, settings=({},))
        self.addCleanup(fleet.close)
        service, = fleet.services
        service.cut_off()
        wait_for(lambda: not service.sign("short", 1), "running out of keys")
        self.assertEqual(service.ask("sign long 1"), "failed unavailable")
        service.heal()
        self.assertEqual(service.verify("long", service.sign("long", 1)), {"current": 1})


if __name__ == "__main__":
    unittest.main()
