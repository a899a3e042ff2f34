#!/usr/bin/env python3
"""stream_test.py QSECRETS: what becomes of the output of a command under `qsecrets exec`."""
import fcntl
import hashlib
import os
import subprocess
import time
import unittest

from support import MULTI_LINE, PYTHON, ExecCase, read_until

MEGABYTE = 1024 * 1024
# Written by the command in one go, then cut and timed as the test says.
PIECES = """
import os, sys, time
value = os.environb[sys.argv[1].encode()]
pause, size = float(sys.argv[2]), int(sys.argv[3])
os.write(1, b'<')
for start in range(0, len(value), size):
    os.write(1, value[start:start + size])
    time.sleep(pause)
os.write(1, b'>')
"""


class Masking(ExecCase):
    def test_covers_every_value_on_both_streams(self):
        done = self.exec("--", "sh", "-c", "".join(
            f'printf "{n}=%s." "${n}"; printf "{n}:%s." "${n}" >&2; ' for n in self.values))
        self.assertEqual(done.stdout.decode(), "".join(f"{n}=***." for n in self.values))
        self.assertEqual(done.stderr.decode(), "".join(f"{n}:***." for n in self.values))

    def test_covers_a_value_that_comes_in_pieces(self):
        for name, pause, size in (("SECRET_KEY", 0.4, 20), ("SECRET_KEY", 0.002, 1),
                                  (MULTI_LINE, 0.002, 7)):
            done = self.exec("--", *PYTHON, PIECES, name, str(pause), str(size))
            self.assertEqual(done.stdout, b"<***>")

    def test_part_of_a_value_is_no_value(self):
        begin = self.values["SECRET_KEY"][:20]
        done = self.exec("--", "sh", "-c", 'printf "%.20s" "$SECRET_KEY"')
        self.assertEqual(done.stdout.decode(), begin)

    def test_covers_fields_that_the_command_was_not_given(self):
        done = self.exec("--only", "SECRET_KEY", "--", "cat", ".env")
        self.assertEqual(done.stdout.decode(), "".join(f"{n}='***'\n" for n in self.values))

    def test_is_off_with_no_scrub(self):
        done = self.exec("--no-scrub", "--", "sh", "-c", 'printf %s "$SECRET_KEY"')
        self.assertEqual(done.stdout.decode(), self.values["SECRET_KEY"])


class Passage(ExecCase):
    def test_is_byte_exact(self):
        every_byte = bytes(range(256)) * 40 + os.urandom(100_000)
        (self.directory / "bytes").write_bytes(every_byte)
        self.assertEqual(self.exec("--", "cat", "bytes").stdout, every_byte)

    def test_keeps_characters_that_come_in_two_writes(self):
        done = self.exec("--", "sh", "-c", r"printf '\303'; sleep 0.1; printf '\251'")
        self.assertEqual(done.stdout.decode(), "é")

    def test_prompt_without_a_newline_appears_at_once(self):
        process = self.start("--", "sh", "-c", "printf 'Name: '; read name; printf '[%s]' $name",
                             stdin=subprocess.PIPE)
        self.assertEqual(read_until(process.stdout.fileno(), b"Name: ", seconds=5), b"Name: ")
        process.stdin.write(b"fake\n")
        self.assertEqual((process.stdout.read(), process.wait()), (b"[fake]", 0))

    def test_carries_a_gigabyte_in_order(self):
        zeros = 128
        process = self.start("--", "sh", "-c", f"for i in 1 2 3 4 5 6 7 8; do head -c "
                             f'{zeros * MEGABYTE} /dev/zero; printf %s "$SECRET_KEY"; done')
        found, expected = hashlib.sha256(), hashlib.sha256()
        total = 0
        while piece := process.stdout.read(MEGABYTE):
            found.update(piece)
            total += len(piece)
        for _ in range(8):
            for _ in range(zeros):
                expected.update(bytes(MEGABYTE))
            expected.update(b"***")
        self.assertEqual(total, 8 * (zeros * MEGABYTE + 3))
        self.assertEqual((found.hexdigest(), process.wait()), (expected.hexdigest(), 0))

    def test_slow_reader_loses_nothing(self):
        size = 600_000  # fits into the pipes, so the command ends long before it is read
        process = self.start("--", "sh", "-c", f"head -c {size} /dev/zero; printf %s \"$SECRET_KEY\"")
        time.sleep(1)
        self.assertIsNone(process.poll())
        data = b""
        while piece := process.stdout.read(50_000):
            data += piece
            time.sleep(0.05)
        self.assertEqual((len(data), data[-3:], process.wait()), (size + 3, b"***", 0))

    def test_slow_reader_slows_the_command(self):
        process = self.start("--", "sh", "-c", "head -c 50000000 /dev/zero; echo done >&2",
                             stderr=subprocess.PIPE)
        time.sleep(0.5)
        os.set_blocking(process.stderr.fileno(), False)
        self.assertIsNone(process.stderr.read())
        self.assertEqual(len(process.stdout.read()), 50_000_000)
        self.assertEqual(process.wait(), 0)

    def test_descriptor_that_does_not_block_loses_nothing(self):
        read_end, write_end = os.pipe()
        os.set_blocking(write_end, False)
        fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, 4096)
        process = self.start("--", "head", "-c", "1000000", "/dev/zero", stdout=write_end)
        os.close(write_end)
        with os.fdopen(read_end, "rb") as output:
            time.sleep(0.2)
            self.assertEqual((len(output.read()), process.wait()), (1_000_000, 0))


class Ends(ExecCase):
    def test_stream_that_the_command_closes_ends_while_it_goes_on(self):
        process = self.start("--", "sh", "-c", "echo out; exec >&-; read line; echo err >&2; exit 6",
                             stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(process.stdout.read(), b"out\n")
        self.assertIsNone(process.poll())
        process.stdin.write(b"\n")
        self.assertEqual((process.stderr.read(), process.wait()), (b"err\n", 6))

    def test_standard_error_ends_with_both_streams(self):
        process = self.start("--", "sh", "-c", "exec >&- 2>&-; read line; exit 6",
                             stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual((process.stdout.read(), process.stderr.read()), (b"", b""))
        self.assertIsNone(process.poll())
        process.stdin.write(b"\n")
        self.assertEqual(process.wait(), 6)

    def test_reader_that_leaves_ends_a_command_that_writes_on(self):
        read_end, write_end = os.pipe()
        process = self.start("--", "sh", "-c", "exec yes", stdout=write_end)
        os.close(write_end)
        read_until(read_end, b"y\n")
        os.close(read_end)
        self.assertEqual(process.wait(timeout=10), 141)

    def test_first_write_after_the_reader_left_fails(self):
        read_end, write_end = os.pipe()
        process = self.start("--", "sh", "-c",
                             "trap '' PIPE; echo first; read line; echo second || exit 11",
                             stdin=subprocess.PIPE, stdout=write_end, stderr=subprocess.DEVNULL)
        os.close(write_end)
        read_until(read_end, b"first\n")
        os.close(read_end)
        time.sleep(1)  # for the supervisor to notice, on a busy machine too
        process.stdin.write(b"\n")
        self.assertEqual(process.wait(timeout=10), 11)

    def test_full_disk_is_status_74(self):
        with open("/dev/full", "wb") as full:
            done = self.exec("--", "echo", "text", stdout=full)
        self.assertEqual(done.returncode, 74)
        self.assertEqual(done.stderr.count(b"standard output: No space left on device"), 1)
        self.assertIn(b"74 where its output cannot be written", b" ".join(self.exec("--help").stdout.split()))

    def test_full_disk_is_said_though_the_command_left_standard_error(self):
        with open("/dev/full", "wb") as full:
            done = self.exec("--", "sh", "-c", "exec 2>&-; sleep 0.3; echo text", stdout=full)
        self.assertEqual(done.stderr.count(b"standard output: No space left on device"), 1)

    def test_status_of_the_command_goes_before_that_of_a_full_disk(self):
        with open("/dev/full", "wb") as full:
            done = self.exec("--", "sh", "-c", "echo text; exit 3", stdout=full)
        self.assertEqual(done.returncode, 3)

    def test_reader_that_leaves_is_no_failure(self):
        process = self.start("--", "sh", "-c", "trap '' PIPE; read line; echo text; exit 0",
                             stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.close()
        process.stdin.write(b"\n")
        self.assertEqual((process.wait(timeout=10), process.stderr.read().count(b"qsecrets")),
                         (0, 0))


if __name__ == "__main__":
    unittest.main()
