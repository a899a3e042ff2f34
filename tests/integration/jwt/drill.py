#!/usr/bin/env python3
"""drill.py TOKEN_SERVICE MINUTES [KEYS]: rotation after rotation under load, with 3 keys or 2.

The last line has the figures. The exit status is 1 where a token was rejected, one of a retired key was not, or too few
were checked.
"""
import contextlib
import sys
import time

from fleet import Fleet

TOKENS_A_MINUTE = 1_000_000


def main(program, minutes, keys="3"):
    minutes = float(minutes)
    end = time.monotonic() + 60 * minutes
    with contextlib.closing(Fleet(program, batch=200)) as fleet:
        fleet.start(fleet.disturb)
        while time.monotonic() < end and not fleet.failures:
            fleet.rotate(announces=keys != "2")
            print(fleet.figures(), flush=True)
        fleet.stop_all()
        failures = fleet.failures + [f"service {number}: {count} times {reason}"
                                     for (number, reason), count in fleet.rejected.items()]
        if fleet.total() < TOKENS_A_MINUTE * minutes:
            failures.append(f"fewer than {TOKENS_A_MINUTE} tokens a minute were checked: the machine is too busy")
        if not fleet.has_all_pairs():
            failures.append("not every process has verified tokens of every other one")
        print(*failures, fleet.details(), fleet.figures(), sep="\n", flush=True)
        return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
