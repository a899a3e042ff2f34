"""Runs qsecrets in a directory of its own."""
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import unittest

QSECRETS = os.path.abspath(sys.argv.pop(1))


class CommandTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def write_env(self, text, name=".env"):
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def run_command(self, *arguments, env=None, stdin=b"", limits=None, **options):
        """`limits`: of the command, as setrlimit(2) has them."""
        def limit():
            for name, most in limits.items():
                resource.setrlimit(name, (most, most))
        if limits:
            options["preexec_fn"] = limit
        environment = {"PATH": os.environ["PATH"], **(env or {})}
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        return subprocess.run([QSECRETS, *arguments], cwd=self.directory, env=environment, input=stdin,
                              check=False, timeout=60, **options)

    def assert_fails(self, result, status, *words):
        self.assertEqual(result.returncode, status, result.stderr)
        self.assertEqual(result.stdout or b"", b"")
        for word in words:
            self.assertIn(word, result.stderr.decode())
        self.assertIn("to mend it", result.stderr.decode())
