#!/usr/bin/env python3
"""A service reads every 10 ms for a minute while the leader of a three-node cluster is stopped, steps
down and is killed. Prints the timeline."""
import http.server
import json
import os
import signal
import threading
import time
import unittest
import urllib.error
import urllib.request

import bao
from support import FIELDS, READ_POLICY, VaultCase, wait_for

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


class Keep(urllib.request.HTTPRedirectHandler):
    """Follows nothing."""

    def redirect_request(self, *_):
        return None


class Gateway:
    """Stands before one node; lets it redirect instead of forwarding, once it is told so."""

    def __init__(self, node):
        self.redirects = False
        self.answers = []  # (path, status)
        gateway = self
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), Keep())

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                request = urllib.request.Request(node.address + self.path, method=self.command, data=body or None)
                for name, value in self.headers.items():
                    if name.lower().startswith("x-vault-"):
                        request.add_header(name, value)
                if gateway.redirects:
                    request.add_header("X-Vault-No-Request-Forwarding", "1")
                try:
                    answer = opener.open(request, timeout=10)
                except urllib.error.HTTPError as error:
                    answer = error
                with answer:
                    text = answer.read()
                gateway.answers.append((self.path, answer.status))
                self.send_response(answer.status)
                for name in ("Content-Type", "Location"):
                    if name in answer.headers:
                        self.send_header(name, answer.headers[name])
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


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
        self.streaks = []  # of failures: (name, first, last)
        for name, reader in (("cached", cached), ("uncached", uncached)):
            reader.process.stdin.close()
            while (event := reader.next())["event"] != "end":
                more = event.get("error", "")[:90] or f'{event.get("took_ms", "")}'
                if event["event"] == "ended":
                    self.streaks.append((name, event["first_at"], event["last_at"]))
                    more = f'{event["failures"]} failed, from {event["first_at"] - self.begin:.2f} s on'
                    event["at"] = event["last_at"]
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
        self.assertEqual(sum(name == "uncached" for name, _, _ in self.streaks) > 0,
                         ends["uncached"]["failures"] > 0)
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
        """It waits or fails within outages of the cluster itself and one second more; then all succeed."""
        windows = []
        for since, until in sorted(outages):
            if windows and since - 0.1 <= windows[-1][1]:
                windows[-1][1] = max(windows[-1][1], until + 1)
            else:
                windows.append([since - 0.1, until + 1])
        slow = [("uncached: " + what, at, at) for at, what in self.events if what.startswith("uncached: slow")]
        for what, first, last in self.streaks + slow:
            self.assertTrue(any(since <= first and last <= until for since, until in windows),
                            f"{first - self.begin:.2f} to {last - self.begin:.2f} s {what}")

    def test_one_address_whose_server_redirects_to_the_leader_it_named(self):
        """A node redirects reads where it is asked not to forward them: here a gateway asks for that."""
        leader = self.leader()
        standby = next(node for node in self.cluster.nodes if node is not leader)
        gateway = Gateway(standby)
        self.addCleanup(gateway.close)
        settings = {**self.approle("gateway"), "VAULT_ADDR": gateway.address}
        reader = self.reader(10, **settings, SECRETS_CACHE_TTL="0")
        reader.expect(event="value", value=FIELDS["SECRET_KEY"])
        wait_for(lambda: ("/v1/sys/leader", 200) in gateway.answers, "asking for the leader", 5)
        time.sleep(0.2)
        gateway.redirects = True
        wait_for(lambda: gateway.answers.count(("/v1/secret/data/qarion", 307)) >= 20, "redirecting", 10)
        gateway.redirects = False
        end = reader.end()
        self.assertEqual(end["failures"], 0)


if __name__ == "__main__":
    unittest.main()
