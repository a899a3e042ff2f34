#!/usr/bin/env python3
"""A core dump of a process that holds secrets contains none of them.

core_dump_test.py HOLDER: takes a dump of the running program with gcore, then one of its crash.
"""
import base64
import os
import pathlib
import resource
import secrets
import shutil
import subprocess
import sys
import tempfile
import unittest

HOLDER = os.path.abspath(sys.argv.pop(1))
# In the dump of any process that holds the control string; shows that the search finds what is there.
CONTROL = "control-" + secrets.token_hex(16)


def start(directory):
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
    process = subprocess.Popen(
        [HOLDER], cwd=directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={"PATH": os.environ["PATH"], "CONTROL": CONTROL})
    assert process.stdout.readline() == "ready\n"
    return process


class CoreDump(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.values = {name: secrets.token_urlsafe(36) for name in (
            "SECRET_KEY", "POSTGRES_PASSWORD", "SENDGRID_API_KEY", "LLM_API_KEY_FAKE")}
        self.values["INSTANCE_ENCRYPTION_KEY"] = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        path = pathlib.Path(self.directory.name, ".env")
        path.touch(mode=0o600)
        path.write_text("".join(f"{name}='{value}'\n" for name, value in self.values.items()))

    def assert_clean(self, core):
        dump = pathlib.Path(core).read_bytes()
        self.assertTrue(CONTROL.encode() in dump, "the dump is not of the process")
        for name, value in self.values.items():
            # A quarter of a value would already be a leak.
            for start_at in range(0, len(value) - 12, 12):
                part = value[start_at:start_at + 12].encode()
                for form in (part, part.hex().encode(), part.hex().upper().encode(),
                             base64.b64encode(part), part.decode().encode("utf-16-le"),
                             "".join(f"%{byte:02X}" for byte in part).encode()):
                    self.assertFalse(form in dump, f"a part of {name} is in the dump")

    def test_dump_of_the_running_process(self):
        if not shutil.which("gcore"):
            self.skipTest("gcore is not installed")
        process = start(self.directory.name)
        prefix = os.path.join(self.directory.name, "core")
        made = subprocess.run(["gcore", "-o", prefix, str(process.pid)], capture_output=True)
        process.communicate("end\n")
        core = f"{prefix}.{process.pid}"
        if not os.path.exists(core):
            self.skipTest("gcore may not attach here: " + made.stderr.decode()[:200])
        self.assert_clean(core)

    def test_dump_of_a_crash(self):
        pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text().strip()
        if pattern.startswith("|") or "/" in pattern or "%" in pattern:
            self.skipTest("the kernel sends core dumps elsewhere: " + pattern)
        process = start(self.directory.name)
        process.communicate("crash\n")
        cores = list(pathlib.Path(self.directory.name).glob(pattern + "*"))
        if not cores:
            self.skipTest("the kernel wrote no core dump")
        self.assert_clean(cores[0])


if __name__ == "__main__":
    unittest.main()
