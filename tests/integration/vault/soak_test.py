#!/usr/bin/env python3
"""A service with tokens of five seconds behind a network that fails all the time.

QARION_SOAK_SECONDS (30) says for how long. No cached read fails, and neither memory nor descriptors nor
threads grow.
"""
import os
import pathlib
import random
import time
import unittest

from faulty_network import FaultyNetwork
from support import FIELDS, VaultCase

SECONDS = int(os.environ.get("QARION_SOAK_SECONDS", "30"))


def usage(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return {"resident_kib": int(fields["VmRSS"].split()[0]), "threads": int(fields["Threads"]),
            "descriptors": len(os.listdir(f"/proc/{pid}/fd"))}


class Soak(VaultCase):
    def test_nothing_fails_and_nothing_grows(self):
        network = FaultyNetwork(self.server.port)
        settings = self.approle("soak", token_ttl="5s", token_max_ttl="12s")
        self.server.must("POST", "sys/auth/approle/tune",
                         {"user_lockout_config": {"lockout_disable": True}})
        settings["VAULT_ADDR"] = f"http://127.0.0.1:{network.port}"
        settings["VAULT_CLIENT_TIMEOUT"] = "2s"
        reader = self.reader(1, **settings, SECRETS_CACHE_TTL="1", SECRETS_MAX_STALE="60")
        reader.expect(event="value")
        time.sleep(min(5, SECONDS / 5))
        samples = [usage(reader.process.pid)]
        chance = random.Random(4)
        end = time.monotonic() + SECONDS
        version = 0
        while time.monotonic() < end:
            network.fault = chance.choice(FaultyNetwork.FAULTS)
            time.sleep(chance.uniform(0.2, 2))
            network.fault = None
            if chance.random() < 0.2:
                accessor = reader.status().get("token accessor")
                self.server.call("POST", "auth/token/revoke-accessor", {"accessor": accessor})
            if chance.random() < 0.3:
                version += 1
                self.server.put({**FIELDS, "SECRET_KEY": f"fake-signing-key-{version:015}"})
            time.sleep(chance.uniform(0.2, 2))
            samples.append(usage(reader.process.pid))
        # What was written last arrives, whatever went wrong before.
        self.server.put({**FIELDS, "SECRET_KEY": "fake-the-last"})
        reader.expect(event="value", value="fake-the-last")
        samples.append(usage(reader.process.pid))
        summary = reader.end()
        print(f"\n{SECONDS} s: {summary['reads']} reads, {summary['failures']} failed, slowest "
              f"{summary['slowest_ms']:.1f} ms; faults {network.counts}; first {samples[0]}, last {samples[-1]}")
        self.assertEqual(summary["failures"], 0)
        late = samples[len(samples) // 2:]
        for name, tolerated in (("resident_kib", 1024), ("threads", 0), ("descriptors", 6)):
            self.assertLessEqual(late[-1][name] - late[0][name], tolerated, samples)
            self.assertLessEqual(max(sample[name] for sample in late) - samples[0][name],
                                 4096 if name == "resident_kib" else 8, samples)


if __name__ == "__main__":
    unittest.main()
