#!/usr/bin/env python3
"""A service reads every 10 ms for a minute while the leader of a three-node cluster is stopped, steps
down and is killed. Prints the timeline."""
import json
import os
import signal
import threading
import time
import unittest

import bao
from support import FIELDS, READ_POLICY, VaultCase

MINUTE = 60


class Probe:
    """Reads the secret itself, from whichever node answers, to know when the cluster is well."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.outages = []  # (begin, end)
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def serves(self):
        for node in self.cluster.nodes:
            try:
                if node.call("GET", "secret/data/qarion", timeout=0.15)[0] == 200:
                    return True
            except OSError:
                pass
        return False

    def run(self):
        since = None
        while not self.ends.wait(0.02):
            before = time.monotonic()
            if self.serves():
                if since:
                    self.outages.append((since, time.monotonic()))
                since = None
            else:
                since = since or before

    def close(self):
        self.ends.set()
        self.thread.join()


class LeaderChanges(VaultCase):
    LISTENER = ""

    @classmethod
    def setUpClass(cls):
        cls.cluster = bao.Cluster(cls.LISTENER)
        cls.addClassCleanup(cls.cluster.close)
        cls.server = cls.cluster.nodes[0]
        cls.server.must("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
        cls.server.must("PUT", "sys/policies/acl/app-read", {"policy": READ_POLICY})
        bao.Cluster.wait(lambda: cls.server.call("POST", "secret/data/qarion", {"data": FIELDS})[0] == 200,
                         "writing")
        time.sleep(1)  # the standbys upgrade their view of the mount

    def setUp(self):
        super().setUp()
        self.begin = time.monotonic()
        self.events = []

    def note(self, what):
        self.events.append((time.monotonic(), what))

    def leader(self):
        bao.Cluster.wait(self.cluster.leader, "a leader")
        return self.cluster.leader()

    def stop_leader(self):
        leader = self.leader()
        self.note("SIGSTOP to the leader")
        os.kill(leader.process.pid, signal.SIGSTOP)
        time.sleep(12)
        self.note("SIGCONT to it")
        os.kill(leader.process.pid, signal.SIGCONT)

    def step_down(self):
        self.note("the leader steps down")
        self.leader().must("PUT", "sys/step-down")

    def kill_leader(self):
        leader = self.leader()
        self.note("SIGKILL to the leader")
        leader.process.kill()
        leader.process.wait()
        time.sleep(10)
        leader.start()
        leader.wait_until_ready((503,))
        self.cluster.unseal(leader)
        self.note("it is back")

    def test_for_a_minute(self):
        settings = self.approle("raft", token_ttl="20s", token_max_ttl="40s")
        settings["VAULT_ADDR"] = ",".join(node.address for node in self.cluster.nodes)
        cached = self.reader(10, **settings, SECRETS_CACHE_TTL="2", SECRETS_MAX_STALE="60")
        uncached = self.reader(10, **settings, SECRETS_CACHE_TTL="0")
        probe = Probe(self.cluster)
        self.addCleanup(probe.close)
        time.sleep(2)
        self.stop_leader()
        time.sleep(6)
        self.step_down()
        time.sleep(10)
        self.kill_leader()
        time.sleep(max(0, self.begin + MINUTE - time.monotonic()))
        probe.close()
        ends = {}
        for name, reader in (("cached", cached), ("uncached", uncached)):
            reader.process.stdin.close()
            while (event := reader.next())["event"] != "end":
                more = event.get("error", "")[:90] or f'{event.get("took_ms", "")}'
                self.events.append((event["at"], f'{name}: {event["event"]} {more}'))
            ends[name] = event
        for since, until in probe.outages:
            self.events.append((until, f"the cluster serves again after {until - since:.2f} s"))
        print(f"\n{type(self).__name__}")
        for at, what in sorted(self.events):
            print(f"  {at - self.begin:7.2f} s  {what}")
        print(f"  {ends}")
        self.assertEqual(ends["cached"]["failures"], 0)
        self.assertLess(ends["cached"]["slowest_ms"], 1000)  # a read that waited for a server takes longer
        self.judge(ends["uncached"], probe.outages)

    def test_check_tells_standbys_from_the_leader(self):
        settings = self.approle("raft-check")
        self.leader()
        settings["VAULT_ADDR"] = ",".join(node.address for node in self.cluster.nodes)
        details = json.loads(self.run_command("check", "-o", "json", **settings).stdout)["details"]
        states = sorted(text.partition(",")[0] for name, text in details.items() if name.startswith("server "))
        self.assertEqual(states, ["active", "standby", "standby"])

    def judge(self, end, _outages):
        """Standbys serve reads: none fails."""
        self.assertEqual(end["failures"], 0)


class WithoutStandbyReads(LeaderChanges):
    LISTENER = "disable_standby_reads = true"

    def judge(self, _end, outages):
        """It waits or fails within outages of the cluster itself, and one second more."""
        for at, what in self.events:
            if not what.startswith(("uncached: slow", "uncached: failure")):
                continue
            self.assertTrue(any(since - 0.1 <= at <= until + 1 for since, until in outages),
                            f"{at - self.begin:.2f} s {what}")


if __name__ == "__main__":
    unittest.main()
