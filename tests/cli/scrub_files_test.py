#!/usr/bin/env python3
"""scrub_files_test.py QSECRETS: `qsecrets scrub` with --find and --in-place."""
import base64
import contextlib
import json
import os
import pathlib
import pty
import random
import resource
import secrets
import select
import signal
import shutil
import stat
import subprocess
import time
import unittest

from support import QSECRETS, CommandTest

NOBODY = 65534
IS_ROOT = os.geteuid() == 0
LARGE = 200_000_000
SANITIZED = "ASAN_OPTIONS" in os.environ or "TSAN_OPTIONS" in os.environ


class FilesTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.value = "fake" + secrets.token_hex(12)
        self.other = "fake" + secrets.token_hex(12)
        (self.directory / "values.json").write_text(json.dumps({"DB": self.value, "MAIL": self.other}))
        self.logs = self.directory / "logs"
        self.logs.mkdir()

    def write(self, name, content):
        path = self.logs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def write_large(self, name="large.log"):
        """Holds a value at its beginning; the rest is a hole."""
        path = self.write(name, f"{self.value}\n")
        os.truncate(path, LARGE)
        return path

    def arguments(self, *arguments):
        return ["scrub", "--secrets-json", str(self.directory / "values.json"), *arguments]

    def scrub(self, *arguments, **options):
        return self.run_command(*self.arguments(*arguments), **options)

    def start(self, *arguments):
        process = subprocess.Popen([QSECRETS, *self.arguments(*arguments)], cwd=self.directory,
                                   env={"PATH": os.environ["PATH"]}, stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def neighbours(self):
        return list(self.logs.glob("*.qsecrets-scrub-*"))

    def wait_for_neighbour(self):
        deadline = time.monotonic() + 30
        while not self.neighbours():
            self.assertLess(time.monotonic(), deadline, "no new file appeared")
            time.sleep(0.001)


class Find(FilesTest):
    def find(self, *arguments, **options):
        return self.scrub("--find", *arguments, **options)

    def assert_finds(self, expected, *arguments, **options):
        done = self.find(*arguments, **options)
        self.assertEqual((done.returncode, done.stderr.decode()), (1 if expected else 0, ""))
        self.assertEqual(done.stdout.decode().splitlines(), expected)

    def test_says_path_line_column_and_field(self):
        self.write("a.log", f"clean\r\n x {self.value} {self.other}\r\nclean\n{self.value}")
        self.assert_finds([f"logs/a.log:2:4: DB", f"logs/a.log:2:33: MAIL", f"logs/a.log:4:1: DB"], "logs/a.log")

    def test_nothing(self):
        self.write("a.log", "clean")
        self.write("empty", "")
        self.assert_finds([], "logs")

    def test_changes_and_prints_nothing_else(self):
        path = self.write("a.log", self.value)
        before = path.stat()
        done = self.find("logs")
        self.assertNotIn(self.value.encode(), done.stdout + done.stderr)
        self.assertEqual((path.stat().st_ino, path.stat().st_mtime_ns), (before.st_ino, before.st_mtime_ns))
        self.assertEqual(os.listdir(self.logs), ["a.log"])

    def test_looks_through_directories_in_order(self):
        for name in ("b/z.log", "b/a.log", "a.log", ".git/logs/HEAD", "c.bin"):
            self.write(name, b"\0\xff\n" + self.value.encode())
        expected = [f"logs/{name}:2:1: DB" for name in (".git/logs/HEAD", "a.log", "b/a.log", "b/z.log", "c.bin")]
        for jobs in ([], ["--jobs", "1"], ["--jobs", "7"]):
            self.assert_finds(expected, "logs", *jobs)

    def test_many_files_stay_in_order(self):
        for number in range(300):
            self.write(f"{number:03}", "x" * random.randrange(30_000) + ("\n" + self.value if number % 3 == 0 else ""))
        self.assert_finds([f"logs/{number:03}:2:1: DB" for number in range(0, 300, 3)], "logs", "--jobs", "8")

    def test_leaves_out_links_pipes_and_sockets_in_directories(self):
        outside = self.directory / "outside"
        outside.mkdir()
        (outside / "x").write_text(self.value)
        (self.logs / "link").symlink_to(outside / "x")
        (self.logs / "directory").symlink_to(outside)
        (self.logs / "loop").symlink_to(self.logs)
        os.mkfifo(self.logs / "pipe")
        self.assert_finds([], "logs")
        self.assert_finds(["logs/link:1:1: DB"], "logs/link")
        self.assert_finds(["logs/directory/x:1:1: DB"], "logs/directory")

    def test_json_has_an_object_for_each(self):
        self.write("ä\n.log", f"\n{self.value}{self.other}")
        done = self.find("--output", "json", "logs")
        self.assertEqual(done.returncode, 1)
        self.assertEqual([json.loads(line) for line in done.stdout.splitlines()],
                         [{"path": "logs/ä .log", "line": 2, "column": 1, "field": "DB"},
                          {"path": "logs/ä .log", "line": 2, "column": 29, "field": "MAIL"}])

    def test_forms(self):
        self.write("a", base64.b64encode(f"xx{self.value}".encode()))
        self.assertEqual(self.find("logs").returncode, 1)
        self.assert_finds([], "logs", "--forms", "raw")

    def test_value_of_several_lines_is_where_it_begins(self):
        several = f"{self.value}\n{self.other}"
        (self.directory / "values.json").write_text(json.dumps({"SEVERAL": several}))
        self.write("a", f"clean\nx {several}\n")
        self.assert_finds(["logs/a:2:3: SEVERAL"], "logs")

    def test_value_that_repeats_itself(self):
        value = "repeats-itself-" * 8
        (self.directory / "values.json").write_text(json.dumps({"REPEATING": value}))
        self.write("a", "x " + value)
        self.assert_finds(["logs/a:1:3: REPEATING"], "logs")

    def test_value_at_every_place_of_a_piece(self):
        piece = 256 * 1024
        places = [piece - len(self.value) + shift for shift in range(0, len(self.value) + 1, 3)] + [3 * piece - 1]
        for place in places:
            self.write(f"{place}", "\n" * place + self.value + "\n" * 5)
        self.assert_finds(sorted(f"logs/{place}:{place + 1}:1: DB" for place in places), "logs")

    def test_large_file(self):
        path = self.write_large()
        with open(path, "r+b") as file:
            file.seek(LARGE - 100)
            file.write(b"\n" + self.other.encode())
        self.assert_finds(["logs/large.log:1:1: DB", "logs/large.log:3:1: MAIL"], "logs")

    def test_standard_input(self):
        self.assert_finds(["(standard input):2:1: DB"], stdin=f"\n{self.value}".encode())
        self.assert_finds(["(standard input):1:1: DB"], "-", stdin=self.value.encode())

    def start_find(self, *arguments, **options):
        options.setdefault("stdout", subprocess.PIPE)
        process = subprocess.Popen([QSECRETS, *self.arguments("--find", *arguments)], cwd=self.directory,
                                   env={"PATH": os.environ["PATH"]}, stdin=subprocess.PIPE, **options)
        for stream in (process.stdin, process.stdout):
            if stream:
                self.addCleanup(stream.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def assert_comes(self, expected, process):
        """What has come on standard output, without its end."""
        shown, deadline = b"", time.monotonic() + 10
        while len(shown) < len(expected) and select.select([process.stdout], [], [], deadline - time.monotonic())[0]:
            shown += os.read(process.stdout.fileno(), 1 << 16)
        self.assertEqual(shown, expected)

    def test_standard_input_is_told_of_while_it_is_open(self):
        self.write("a", self.value)
        for arguments, before in ([], b""), (["logs", "-"], b"logs/a:1:1: DB\n"):
            process = self.start_find(*arguments)
            for line in (1, 2):
                process.stdin.write(f"x {self.value}\n".encode())
                process.stdin.flush()
                self.assert_comes(before + f"(standard input):{line}:3: DB\n".encode(), process)
                before = b""
            process.stdin.close()
            self.assertEqual((process.stdout.read(), process.wait(60)), (b"", 1))

    def test_standard_input_is_read_no_further_where_the_output_is_full(self):
        with open("/dev/full", "wb") as full:
            process = self.start_find(stdout=full, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        with contextlib.suppress(BrokenPipeError):
            while process.poll() is None and time.monotonic() < deadline:
                process.stdin.write(f"{self.value}\n".encode())
                process.stdin.flush()
                time.sleep(0.01)
        self.assertEqual(process.wait(10), 74)

    @unittest.skipIf(SANITIZED, "sanitizers need memory of their own")
    def test_many_occurrences_take_no_memory(self):
        """Nor where they wait for a file before them."""
        count, names = 300_000, ["x" * 200, "y" * 200]
        for name in names:
            self.write(name, self.value * count)
        os.mkfifo(self.directory / "pipe")
        with open(self.directory / "found", "wb") as found:
            process = self.start_find("--jobs", "3", "--forms", "raw", "pipe", "logs", stdout=found)
        with open(self.directory / "pipe", "wb") as pipe:
            time.sleep(0.5)
            pipe.write(self.value.encode())
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 1)
        size = len(self.value)
        expected = ["pipe:1:1: DB"] + [f"logs/{name}:1:{1 + size * number}: DB" for name in names for number in range(count)]
        shown = (self.directory / "found").read_text()
        self.assertEqual(hash(shown), hash("".join(f"{line}\n" for line in expected)))
        self.assertGreater(len(shown), 120_000_000)
        self.assertLess(used.ru_maxrss * 1024, 60_000_000)

    def test_file_that_is_not_there_does_not_stop_the_others(self):
        self.write("a", self.value)
        done = self.find("none", "logs")
        self.assertEqual((done.returncode, done.stdout), (74, b"logs/a:1:1: DB\n"))
        self.assertIn(b"'none': No such file", done.stderr)

    @unittest.skipUnless(IS_ROOT, "becomes another user")
    def test_what_may_not_be_read_is_said(self):
        self.write("closed/a", self.value)
        self.write("open/a", self.value)
        self.write("b", self.value).chmod(0)
        (self.logs / "closed").chmod(0)
        self.directory.chmod(0o755)
        qsecrets = self.directory / "qsecrets"
        shutil.copy(QSECRETS, qsecrets)
        done = subprocess.run([qsecrets, *self.arguments("--find", "logs")], cwd=self.directory, user=NOBODY,
                              group=NOBODY, extra_groups=[], env={}, capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (74, b"logs/open/a:1:1: DB\n"))
        self.assertIn(b"cannot read the directory 'logs/closed'", done.stderr)
        self.assertIn(b"cannot read 'logs/b'", done.stderr)

    def test_path_that_is_too_long_is_said(self):
        self.write("a", self.value)
        deep = os.open(self.logs, os.O_RDONLY)
        for _ in range(21):
            os.mkdir("d" * 200, dir_fd=deep)
            below = os.open("d" * 200, os.O_RDONLY, dir_fd=deep)
            with open(os.open("f" * 200, os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=deep), "w") as file:
                file.write(self.value)
            os.close(deep)
            deep = below
        os.close(deep)
        done = self.find("logs")
        self.assertEqual((done.returncode, done.stdout.count(b": DB")), (74, 20 + 1))
        self.assertIn(b"File name too long", done.stderr)
        self.assertIn(b"to mend it: change to a directory near it", done.stderr)
        done = self.scrub("--in-place", "logs")
        self.assertEqual(done.returncode, 74)
        self.assertIn(b"File name too long", done.stderr)
        self.assertEqual((self.logs / "a").read_bytes(), b"***")

    @unittest.skipUnless(IS_ROOT, "becomes another user")
    def test_directory_that_may_be_listed_but_not_searched_is_said(self):
        self.write("listed/a", self.value)
        (self.logs / "listed").chmod(0o744)
        self.directory.chmod(0o755)
        qsecrets = self.directory / "qsecrets"
        shutil.copy(QSECRETS, qsecrets)
        done = subprocess.run([qsecrets, *self.arguments("--find", "logs")], cwd=self.directory, user=NOBODY,
                              group=NOBODY, extra_groups=[], env={}, capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (74, b""))
        self.assertIn(b"cannot look at 'logs/listed/a': Permission denied", done.stderr)

    def test_before_a_commit(self):
        if not shutil.which("git"):
            self.skipTest("git is not installed")
        # Hooks run in the highest directory, whatever the working directory is.
        hook = ("set -o pipefail\ngit diff --cached --text --no-ext-diff --no-textconv --no-color | "
                f"'{QSECRETS}' scrub --secrets-json ../values.json --find\n")
        git = "git -c user.name=Fake -c user.email=fake@example.com"
        # Or a build that counts coverage writes what it counted into this directory, while `git diff` reads it.
        environment = {name: os.environ[name] for name in ("PATH", "LLVM_PROFILE_FILE") if name in os.environ}

        def commit(add=".", where=self.logs):
            return subprocess.run(["bash", "-c", f"{git} add {add} && {git} commit -qm x"], cwd=where,
                                  capture_output=True, check=False, env=environment)
        subprocess.run(["git", "init", "-q"], cwd=self.logs, check=True)
        path = self.logs / ".git" / "hooks" / "pre-commit"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/bash\n{hook}")
        path.chmod(0o755)
        self.write("-a b.txt", "clean")
        self.write("config/c.txt", "clean")
        self.assertEqual(commit().returncode, 0)
        staged = self.write("config/b.txt", f"first\npassword = {self.value}\n")
        done = commit(where=self.logs / "config")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"(standard input):8:13: DB", done.stdout + done.stderr)
        staged.write_text("clean in the working tree, not in the index")
        self.assertNotEqual(commit(add="config/c.txt").returncode, 0)
        self.write("config/b.txt", b"\0binary " + self.value.encode())
        self.assertNotEqual(commit().returncode, 0)
        self.write("config/b.txt", "clean")
        self.write("config/c.txt", f"not staged {self.value}")
        self.assertEqual(commit(add="config/b.txt").returncode, 0)
        failed = subprocess.run(path, cwd=self.logs, capture_output=True, check=False,
                                env={**environment, "GIT_DIR": "nowhere"})
        self.assertNotEqual(failed.returncode, 0)

    def test_bar_is_on_terminals_only(self):
        os.truncate(self.write_large(), 10 * LARGE)
        ours, theirs = pty.openpty()
        done = self.find("logs", stderr=theirs)
        os.close(theirs)
        shown = b""
        with open(ours, "rb", buffering=0) as terminal, contextlib.suppress(OSError):  # at its end
            while piece := terminal.read(1 << 16):
                shown += piece
        self.assertEqual(done.stdout, b"logs/large.log:1:1: DB\n")
        self.assertRegex(shown, rb"\r\[[#.]{30}\] 0 of 1 files, \d\.\d of 2\.0 GB, \d+\.\d GB/s")
        self.assertTrue(shown.endswith(b"\r\033[K"))
        self.assertEqual(self.find("logs").stderr, b"")

    def test_no_bar_where_nobody_knows_how_much_will_come(self):
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        process = self.start_find(stderr=theirs)
        os.close(theirs)
        time.sleep(0.3)
        process.stdin.close()
        self.assertEqual(process.wait(60), 0)
        with self.assertRaises(OSError):  # its end
            os.read(ours, 1 << 16)

    def test_stats(self):
        self.write("a", self.value * 2)
        self.write("b", self.value)
        done = self.find("logs", "--stats")
        self.assertEqual(done.stderr, b"FIELD  FOUND\nDB         3\n")

    def test_full_output(self):
        self.write("a", self.value)
        with open("/dev/full", "wb") as full:
            self.assertEqual(self.find("logs", stdout=full).returncode, 74)

    def test_options_that_contradict_each_other(self):
        self.assert_fails(self.find("--in-place", "logs"), 64, "--find")
        self.assert_fails(self.find("--jobs", "0", "logs"), 64, "--jobs")
        self.assert_fails(self.find("--jobs", "257", "logs"), 64, "--jobs")
        self.assert_fails(self.find("--jobs", "0x2", "logs"), 64, "--jobs")


class InPlace(FilesTest):
    def scrub_in_place(self, *arguments, **options):
        return self.scrub("--in-place", *arguments, **options)

    def assert_works(self, *arguments):
        done = self.scrub_in_place(*arguments)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
        self.assertEqual(self.neighbours(), [])

    def assert_left(self, path, content, done, status, *words):
        self.assertEqual((done.returncode, done.stdout), (status, b""), done.stderr)
        for word in words:
            self.assertIn(word, done.stderr.decode())
        self.assertIn("to mend it", done.stderr.decode())
        self.assertEqual(path.read_bytes(), content)
        self.assertEqual(self.neighbours(), [])

    def test_masks_what_is_there(self):
        texts = {"a": "x\r\n{} y\r\n", "b": "{}", "d/c": "\0\1{}\xff", "d/.git/e": "{}\n{}", "clean": "text", "empty": ""}
        for name, text in texts.items():
            self.write(name, text.replace("{}", self.value).encode("latin-1"))
        self.assert_works("logs")
        for name, text in texts.items():
            self.assertEqual((self.logs / name).read_bytes(), text.replace("{}", "***").encode("latin-1"), name)

    def test_many_files(self):
        for number in range(200):
            self.write(f"{number}", f"{number} {self.value}\n" * (number * 20))
        self.assert_works("logs", "--jobs", "8")
        for number in range(200):
            self.assertEqual((self.logs / f"{number}").read_text(), f"{number} ***\n" * (number * 20))

    def test_keeps_mode_access_time_and_attributes(self):
        for mode in (0o600, 0o640, 0o444, 0o4755):
            path = self.write("a.log", self.value)
            path.chmod(mode)
            os.utime(path, (1_000_000_000, 1_000_000_000))
            try:
                os.setxattr(path, "user.origin", b"fake")
                attributes = {"user.origin": b"fake"}
            except OSError:
                attributes = {}
            self.assert_works("logs")
            status = path.stat()
            self.assertEqual(stat.S_IMODE(status.st_mode), mode)
            self.assertEqual(status.st_atime, 1_000_000_000)
            self.assertGreater(status.st_mtime, 1_000_000_000)
            self.assertEqual({name: os.getxattr(path, name) for name in attributes}, attributes)
            self.assertEqual(path.read_bytes(), b"***")
            path.unlink()

    @unittest.skipUnless(IS_ROOT, "gives files away")
    def test_keeps_the_owner(self):
        path = self.write("a.log", self.value)
        os.chown(path, NOBODY, 12345)
        self.assert_works("logs")
        self.assertEqual((path.stat().st_uid, path.stat().st_gid), (NOBODY, 12345))

    @unittest.skipUnless(IS_ROOT, "becomes another user")
    def test_leaves_what_would_change_hands(self):
        path = self.write("a.log", self.value)
        self.logs.chmod(0o777)
        self.directory.chmod(0o755)
        qsecrets = self.directory / "qsecrets"
        shutil.copy(QSECRETS, qsecrets)
        done = subprocess.run([qsecrets, *self.arguments("--in-place", "logs")], cwd=self.directory, user=NOBODY,
                              group=NOBODY, extra_groups=[], env={}, capture_output=True, check=False)
        self.assert_left(path, self.value.encode(), done, 77, "'logs/a.log'", "owner")
        self.logs.chmod(0o755)
        done = subprocess.run([qsecrets, *self.arguments("--in-place", "logs")], cwd=self.directory, user=NOBODY,
                              group=NOBODY, extra_groups=[], env={}, capture_output=True, check=False)
        self.assert_left(path, self.value.encode(), done, 74, "'logs/a.log'", "Permission denied")

    def test_does_not_touch_clean_files(self):
        path = self.write("a.log", "clean")
        os.link(path, self.logs / "b.log")
        before = path.stat()
        with open(path, "ab"):
            self.assert_works("logs")
        after = path.stat()
        self.assertEqual((after.st_ino, after.st_mtime_ns, after.st_ctime_ns),
                         (before.st_ino, before.st_mtime_ns, before.st_ctime_ns))

    def test_follows_a_link_that_is_named_and_keeps_it(self):
        path = self.write("real/a.log", self.value)
        link = self.directory / "link"
        link.symlink_to("logs/real/a.log")
        self.assert_works("link", "logs", "link")
        self.assertTrue(link.is_symlink())
        self.assertEqual(path.read_bytes(), b"***")

    def test_leaves_links_that_are_found(self):
        outside = self.directory / "outside"
        outside.write_text(self.value)
        (self.logs / "link").symlink_to(outside)
        self.assert_works("logs")
        self.assertEqual(outside.read_text(), self.value)

    def test_refuses_files_of_several_names(self):
        path = self.write("a.log", self.value)
        os.link(path, self.directory / "other")
        self.assert_left(path, self.value.encode(), self.scrub_in_place("logs"), 74, "hard links")

    def test_refuses_the_file_that_the_values_are_from(self):
        values = self.directory / "values.json"
        content = values.read_bytes()
        (self.directory / "link").symlink_to("values.json")
        for name in ("values.json", "link", "logs/../values.json"):
            self.assert_left(values, content, self.scrub_in_place(name), 74, f"'{name}'", "--secrets-json")
        os.link(values, self.directory / "other")
        self.assert_left(values, content, self.scrub_in_place("other"), 74, "'other'", "--secrets-json")
        path = self.write("a.log", self.value)
        self.assertEqual(self.scrub_in_place("values.json", "logs").returncode, 74)
        self.assertEqual((values.read_bytes(), path.read_bytes()), (content, b"***"))

    def test_refuses_the_file_that_the_values_are_from_behind_a_descriptor(self):
        values = self.directory / "values.json"
        content = values.read_bytes()
        with open(values, "rb") as opened:
            number = opened.fileno()
            done = self.run_command("scrub", "--secrets-json", f"/dev/fd/{number}", "--in-place", "values.json",
                                    pass_fds=[number])
        self.assert_left(values, content, done, 74, "'values.json'", "--secrets-json")

    def test_leaves_out_the_file_that_the_values_are_from_where_it_is_found(self):
        values = self.directory / "values.json"
        content = values.read_bytes()
        path = self.write("a.log", self.value)
        os.link(values, self.logs / "values")
        done = self.scrub_in_place(".")
        self.assertEqual((done.returncode, done.stdout), (0, b""))
        shown = done.stderr.decode()
        for name in ("./values.json", "./logs/values"):
            self.assertRegex(shown, f"warning: '{name}' .*--secrets-json.* left as it is\n")
        self.assertEqual(shown.count("\n"), 2)
        self.assertEqual((values.read_bytes(), path.read_bytes()), (content, b"***"))

    def test_other_files_of_values_are_masked(self):
        path = self.write("values.json", (self.directory / "values.json").read_bytes())
        env = self.write_env(f"SMTP_PASSWORD={self.value}")
        self.assert_works("logs", ".env")
        self.assertEqual(json.loads(path.read_bytes()), {"DB": "***", "MAIL": "***"})
        self.assertEqual(env.read_bytes(), b"SMTP_PASSWORD=***")

    def test_refuses_the_env_file_that_the_values_are_from(self):
        content = f"SMTP_PASSWORD={self.value}\n".encode()
        for name, environment in (".env", {}), ("other.env", {"SECRETS_ENV_FILE": "other.env"}):
            env = self.write_env(content, name)
            path = self.write("a.log", self.value)
            done = self.run_command("scrub", "--in-place", name, env=environment)
            self.assert_left(env, content, done, 74, f"'{name}'", ".env file")
            done = self.run_command("scrub", "--in-place", ".", env=environment)
            self.assertEqual((done.returncode, done.stdout), (0, b""))
            self.assertRegex(done.stderr, f"warning: './{name}' is the .env file.* left as it is\n".encode())
            self.assertEqual((env.read_bytes(), path.read_bytes()), (content, b"***"))

    def test_refuses_what_is_no_file(self):
        os.mkfifo(self.logs / "pipe")
        self.assertEqual(self.scrub_in_place("logs/pipe").returncode, 74)
        self.assert_fails(self.scrub_in_place("-"), 64, "standard input")
        self.assert_fails(self.scrub_in_place(), 64, "there is no file")
        self.assert_fails(self.scrub_in_place("logs/none"), 74, "logs/none")

    def test_goes_on_behind_an_error(self):
        path = self.write("a.log", self.value)
        os.link(path, self.directory / "other")
        self.write("b.log", self.value)
        self.assertEqual(self.scrub_in_place("none", "logs").returncode, 74)
        self.assertEqual((self.logs / "b.log").read_bytes(), b"***")

    def test_refuses_a_file_that_is_being_written(self):
        path = self.write("a.log", self.value)
        with open(path, "ab"):
            done = self.scrub_in_place("logs")
            if done.returncode == 0:
                self.skipTest("this file system knows no leases")
            self.assert_left(path, self.value.encode(), done, 75, "open for writing")
        self.assert_works("logs")

    def test_refuses_a_file_that_changes_meanwhile(self):
        path = self.write_large()
        process = self.start("--in-place", "logs")
        self.wait_for_neighbour()
        os.utime(path, (1, 1))
        self.assertEqual(process.wait(60), 75)
        self.assertIn(b"was changed meanwhile", process.stderr.read())
        self.assertEqual((path.stat().st_size, self.neighbours()), (LARGE, []))

    def test_does_not_keep_a_writer_waiting_for_long(self):
        path = self.write_large()
        os.truncate(path, 20 * LARGE)
        process = self.start("--in-place", "--forms", "raw", "logs")
        self.wait_for_neighbour()
        began = time.monotonic()
        with open(path, "ab") as file:
            self.assertLess(time.monotonic() - began, 1)
            file.write(b"another line\n")
        self.assertEqual(process.wait(60), 75)
        self.assertEqual((path.stat().st_size, self.neighbours()), (20 * LARGE + 13, []))

    def test_name_of_the_greatest_length(self):
        path = self.write("a" * 255, self.value)
        self.assert_works("logs")
        self.assertEqual(path.read_bytes(), b"***")

    def test_limit_on_the_size_of_files(self):
        content = (self.value + "x" * 3_000_000).encode()
        path = self.write("a.log", content)
        done = self.scrub_in_place("logs", limits={resource.RLIMIT_FSIZE: 1 << 20})
        self.assert_left(path, content, done, 74, "'logs/a.log'", "File too large")

    def test_full_disk(self):
        content = self.value + "x" * 700_000
        script = f"""
            mount -t tmpfs -o size=1m none logs 2>/dev/null || exit 99
            printf %s "$CONTENT" > logs/a.log; printf %s "$VALUE" > logs/b.log
            '{QSECRETS}' scrub --secrets-json values.json --in-place --jobs 1 logs; status=$?
            ls logs; cmp logs/a.log <(printf %s "$CONTENT") && cat logs/b.log; exit $status"""
        script = script.replace('"$CONTENT"', '"$(cat content)"')
        (self.directory / "content").write_text(content)
        try:
            done = subprocess.run(["unshare", "-m", "bash", "-c", script], cwd=self.directory, capture_output=True,
                                  env={"PATH": os.environ["PATH"], "VALUE": self.value}, check=False, timeout=60)
        except FileNotFoundError:
            self.skipTest("unshare is not installed")
        if done.returncode in (1, 99):
            self.skipTest("may not mount")
        self.assertEqual((done.returncode, done.stdout), (74, b"a.log\nb.log\n***"), done.stderr)
        self.assertIn(b"'logs/a.log': No space left on device", done.stderr)

    def test_killed_at_any_time_leaves_the_old_or_the_new_file(self):
        lines = "".join(f"line {number} {self.value}\n" for number in range(200_000))
        old, new = lines.encode(), lines.replace(self.value, "***").encode()
        seen = set()
        for attempt in range(30):
            path = self.write("a.log", old)
            process = self.start("--in-place", "logs")
            if attempt % 3 == 0:
                self.wait_for_neighbour()
            time.sleep(random.uniform(0, 0.15))
            process.kill()
            process.wait()
            content = path.read_bytes()
            self.assertIn(content, (old, new))
            seen.add(content == new)
            for left in self.neighbours():
                self.assertTrue(left.name.startswith("a.log.qsecrets-scrub-"))
                self.assertEqual(stat.S_IMODE(left.stat().st_mode) & 0o077 & ~stat.S_IMODE(path.stat().st_mode), 0)
                self.assertNotIn(self.value.encode(), left.read_bytes())
                left.unlink()
        self.assertIn(False, seen)

    def test_signal_ends_it_and_nothing_is_left(self):
        path = self.write_large()
        process = self.start("--in-place", "logs")
        self.wait_for_neighbour()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(60), -signal.SIGTERM)
        self.assertEqual((path.stat().st_size, self.neighbours()), (LARGE, []))

    def test_reader_of_messages_that_goes_away_stops_nothing(self):
        refused = self.write("a.log", self.value)
        os.link(refused, self.directory / "other")
        for number in range(20):
            self.write(f"b{number}.log", f"{self.value}\n" * 1000)
        read_end, write_end = os.pipe()
        os.close(read_end)
        with open(write_end, "wb") as broken:
            self.assertEqual(self.scrub_in_place("logs", stderr=broken).returncode, 74)
            for number in range(20):
                self.assertEqual((self.logs / f"b{number}.log").read_bytes(), b"***\n" * 1000)
            self.assertEqual(self.neighbours(), [])
            refused.unlink()
            self.write("c.log", self.value)
            self.assertEqual(self.scrub_in_place("logs", "--stats", stderr=broken).returncode, 74)
        self.assertEqual((self.logs / "c.log").read_bytes(), b"***")

    def test_stats_count_what_left_the_files(self):
        self.write("a", f"{self.value} {self.other} {self.value}")
        path = self.write("b", self.value)
        os.link(path, self.directory / "other")
        done = self.scrub_in_place("logs", "--stats")
        self.assertIn(b"DB          2\nMAIL        1\n", done.stderr)


if __name__ == "__main__":
    unittest.main()
