#!/usr/bin/env python3
"""postgres_memory_test.py QSECRETS: a rotation's memory does not grow with the table of PostgreSQL."""
import json
import resource
import subprocess
import sys
import unittest

from postgres_rotation_case import PostgresRotationCase

# What the operating system says of a process counts what it was before it became the command: a small one, here.
LAUNCHER = "import os, sys; pid = os.fork() or os.execv(sys.argv[1], sys.argv[1:]); print(os.wait4(pid, 0)[2].ru_maxrss)"
MIB = 1024
# Of which a process that has loaded the libraries and rotates nothing has most.
LIMIT = 18 * MIB
LARGE_VALUE_MIB = 20


class Memory(PostgresRotationCase):
    def peak_kib(self, *arguments, plan):
        """The report of a rotation that succeeds, and the most memory that it had."""
        measured = subprocess.run(
            [sys.executable, "-I", "-S", "-c", LAUNCHER,
             *self.command(*arguments, "--output", "json", "--plan", self.write("plan.toml", plan))],
            env=self.environment(), cwd=self.directory, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=True, timeout=300)
        report, _, peak = measured.stdout.rstrip().rpartition("\n")
        return json.loads(report), int(peak)

    def rotated_rows(self, count):
        self.database.execute("INSERT INTO t SELECT i, %s FROM generate_series(1, %s) i; ANALYZE t",
                              [self.token("postgresql://app:fake-password@db.example.com:5432/app?sslmode=require"), count])
        report, peak = self.peak_kib("--yes", plan=self.plan)
        self.assertEqual(self.counts(report, "t.c")["rotated"], count)
        self.database.execute("TRUNCATE t")
        return peak

    def test_a_hundred_times_as_many_rows_need_as_much(self):
        self.plan = self.text_table([])
        few, many = self.rotated_rows(2_000), self.rotated_rows(200_000)
        self.assertLess(many, LIMIT)
        self.assertLess(many - few, 2 * MIB)

    def test_large_values_do_not_add_up(self):
        """300 MiB in all: about twelve times one of them is needed, as threads meet, and not fifteen and more."""
        plan = self.text_table([])
        self.database.execute("ALTER TABLE t ALTER c SET STORAGE EXTERNAL")
        token = self.token("x" * (LARGE_VALUE_MIB * MIB * 1024 * 3 // 4))
        self.database.execute("INSERT INTO t SELECT i, %s FROM generate_series(1, 15) i", [token])
        report, peak = self.peak_kib("--yes", plan=plan)
        self.assertEqual(self.counts(report, "t.c")["rotated"], 15)
        self.assertLess(peak, LIMIT + 14 * LARGE_VALUE_MIB * MIB)

    def test_with_too_little_memory_it_ends_and_nothing_is_changed(self):
        """Wherever the memory runs out: in this project's code, in libpq's or when a thread begins."""
        plan = self.text_table([])
        token = self.token("x" * MIB * 1024)
        self.database.execute("INSERT INTO t SELECT i, %s FROM generate_series(1, 8) i", [token])
        before = self.database.rows("SELECT * FROM t ORDER BY id")
        command = self.command("--yes", "--plan", self.write("plan.toml", plan))
        statuses = set()
        for limit in range(40, 400, 10):
            def allow(limit=limit):
                resource.setrlimit(resource.RLIMIT_AS, (limit * MIB * 1024, limit * MIB * 1024))
            result = subprocess.run(command, env=self.environment(), cwd=self.directory, stdin=subprocess.DEVNULL,
                                    capture_output=True, text=True, timeout=60, preexec_fn=allow)
            statuses.add(result.returncode)
            if result.returncode == 0:
                break
            self.assertGreater(result.returncode, 0, f"{limit} MiB: {result.stderr}")
            self.assertEqual(self.database.rows("SELECT * FROM t ORDER BY id"), before, f"{limit} MiB")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertGreater(len(statuses), 1)
        self.assertLessEqual(statuses, {0, 69, 74})


if __name__ == "__main__":
    unittest.main()
