#!/usr/bin/env python3
"""What commands that show no value hand to the kernel contains none.

strace_test.py QSECRETS
"""
import base64
import os
import pathlib
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import unittest

QSECRETS = os.path.abspath(sys.argv.pop(1))
# The Fernet specification's.
TOKEN = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA=="
# System calls through which bytes leave the process. Reading the file shows the values, of course.
LEAVING = re.compile(r"\b(write|writev|pwrite64|sendto|sendmsg|execve|openat|prctl|mmap)\(")


class Strace(unittest.TestCase):
    def test_no_value_leaves_the_process(self):
        if not shutil.which("strace"):
            self.skipTest("strace is not installed")
        with tempfile.TemporaryDirectory() as directory:
            values = {name: secrets.token_urlsafe(24) for name in (
                "SECRET_KEY", "POSTGRES_PASSWORD", "SMTP_PASSWORD", "LLM_API_KEY_FAKE")}
            values["INSTANCE_ENCRYPTION_KEY"] = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
            values["SECRET_KEY_PREVIOUS"] = values["SECRET_KEY"]  # something for check to say
            env_file = pathlib.Path(directory, ".env")
            env_file.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
            for command in (["check"], ["list"], ["status"], ["check", "--output", "json"],
                            ["list", "--output", "json"], ["status", "--output", "json"],
                            ["fernet", "encrypt"], ["fernet", "inspect", TOKEN]):
                trace = os.path.join(directory, "trace")
                subprocess.run(["strace", "-f", "-s", "4096", "-o", trace, QSECRETS, *command],
                               cwd=directory, env={"PATH": os.environ["PATH"]},
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
                lines = pathlib.Path(trace).read_text().splitlines()
                if not any("execve" in line for line in lines):
                    self.skipTest("strace may not trace here")
                leaving = [line for line in lines if LEAVING.search(line)]
                reading = [line for line in lines if "read(" in line]
                shows_bytes = any(values["SMTP_PASSWORD"] in line for line in reading)
                if not shows_bytes and os.geteuid() != 0:
                    self.skipTest("only root may look into a process that made itself undumpable")
                self.assertTrue(shows_bytes,
                                "the trace does not show the file being read")
                for name, value in values.items():
                    for line in leaving:
                        self.assertFalse(value in line, f"{command}: {name} leaves the process")


if __name__ == "__main__":
    unittest.main()
