#!/usr/bin/env python3
"""postgres_disk_test.py QSECRETS: a full disk, on the server's side or on ours, changes nothing and loses no key."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from postgres_rotation_case import PostgresRotationCase
from postgres_server import unprivileged_user
from rotation_case import PLAN, Fernet

GENERATING = ("--yes", "--generate")


def small_disk(case, size, directory=None):
    """A file system of that size, where this user may mount one."""
    path = tempfile.mkdtemp(dir=directory)
    case.addCleanup(shutil.rmtree, path, ignore_errors=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", path], check=False,
                             capture_output=True, text=True)
    if mounted.returncode:
        case.skipTest("no file system can be mounted: " + mounted.stderr)
    case.addCleanup(subprocess.run, ["umount", "-l", path], check=True)
    return pathlib.Path(path)


class Disks(PostgresRotationCase):
    def backend(self):
        """As it is where the new key is made by the rotation."""
        return {"INSTANCE_ENCRYPTION_KEY": self.old, "INSTANCE_ENCRYPTION_KEY_PREVIOUS": None}

    def test_the_server_s_disk_is_full(self):
        disk = small_disk(self, "4m", self.server.directory)
        if user := unprivileged_user():
            os.chown(disk, user.pw_uid, user.pw_gid)
        self.make_tables()
        self.server.sql(f"CREATE TABLESPACE small LOCATION '{disk}'")
        self.addCleanup(lambda: (self.database.execute("DROP TABLE instances"), self.server.sql("DROP TABLESPACE small")))
        self.database.execute("ALTER TABLE instances SET TABLESPACE small")
        self.database.execute("INSERT INTO instances SELECT i, 'filler', %s FROM generate_series(100, 15000) i",
                              [self.token("fake")])
        key = self.directory / "new.key"
        result = self.assert_fails(69, "No space left on device", "make room on the disk of the database's server",
                                   arguments=(*GENERATING, key), **self.backend())
        self.assertIn("rolled back: nothing was changed", result.stdout)
        # The key is there, and nothing was encrypted with it.
        Fernet(key.read_text().strip())

    def test_the_disk_of_the_key_s_file_is_full(self):
        disk = small_disk(self, "64k")
        self.make_tables()
        with open(disk / "filler", "wb", buffering=0) as file, self.assertRaises(OSError):
            while True:
                file.write(b"x" * 4096)
        key = disk / "new.key"
        self.assert_fails(78, "new.key", "No space left on device", arguments=(*GENERATING, key), **self.backend())
        self.assertFalse(key.exists())

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed: tools/setup.sh test")
    def test_a_key_that_does_not_get_onto_the_disk_is_not_used(self):
        """Where the file itself, or its name in its directory, cannot be made to stay."""
        self.make_tables()
        for number, what in ((1, "the file"), (2, "its directory")):
            key = self.directory / f"{number}.key"
            result = subprocess.run(
                ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e",
                 f"inject=fsync:error=EIO:when={number}", *self.command(*GENERATING, key, "--plan", self.write("plan.toml", PLAN))],
                env=self.environment(**self.backend()), cwd=self.directory, capture_output=True, text=True,
                stdin=subprocess.DEVNULL, timeout=60, check=False)
            self.assertEqual(result.returncode, 78, what + result.stderr)
            self.assertFalse(key.exists(), what)
            self.assert_as_it_was()

    def test_a_report_that_cannot_be_written_loses_nothing(self):
        self.make_tables()
        for form in ("text", "json"):
            key = self.directory / f"{form}.key"
            with open("/dev/full", "w") as full:
                result = subprocess.run(
                    self.command(*GENERATING, key, "--output", form, "--plan", self.write("plan.toml", PLAN)), stdout=full,
                    stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, cwd=self.directory, check=False,
                    env=self.environment(**self.backend()))
            self.assertEqual(result.returncode, 74, result.stderr)
            self.assert_rotated(key.read_text().strip())
            self.database.execute("DROP TABLE instances, export_configs")
            self.make_tables()

    def test_errors_that_cannot_be_written_lose_nothing(self):
        self.make_tables()
        key = self.directory / "new.key"
        with open("/dev/full", "w") as full:
            result = subprocess.run(
                self.command(*GENERATING, key, "--plan", self.write("plan.toml", PLAN)), stdout=full, stderr=full,
                stdin=subprocess.DEVNULL, cwd=self.directory, env=self.environment(**self.backend()), check=False)
        self.assertEqual(result.returncode, 74)
        self.assert_rotated(key.read_text().strip())

    def test_a_reader_of_the_report_that_goes_away_loses_nothing(self):
        self.make_tables()
        key = self.directory / "new.key"
        read, write = os.pipe()
        os.close(read)
        try:
            result = subprocess.run(
                self.command(*GENERATING, key, "--plan", self.write("plan.toml", PLAN)), stdout=write, stderr=write,
                stdin=subprocess.DEVNULL, cwd=self.directory, env=self.environment(**self.backend()), check=False)
        finally:
            os.close(write)
        self.assertNotEqual(result.returncode, 0)
        if self.url_tokens() != self.tokens:
            self.assert_rotated(key.read_text().strip())


if __name__ == "__main__":
    unittest.main()
