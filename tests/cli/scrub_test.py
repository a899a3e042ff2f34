#!/usr/bin/env python3
"""scrub_test.py QSECRETS: `qsecrets scrub` as a filter."""
import base64
import json
import os
import pathlib
import platform
import re
import resource
import secrets
import select
import socket
import subprocess
import time
import unittest

from support import QSECRETS, CommandTest

VECTORS = pathlib.Path(os.environ.get("QARION_VECTORS", pathlib.Path(__file__).parents[3] / "shared" / "vectors"))
FORMS = "all raw lines parts base64 hex percent json shell xml c utf16".split()


def fake(length=24):
    return "fake" + secrets.token_hex(length // 2)[:length - 4]


class ScrubTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.value = fake()
        self.write_values({"DATABASE_PASSWORD": self.value})

    def write_values(self, values):
        (self.directory / "values.json").write_text(json.dumps(values))

    def scrub(self, *arguments, stdin=b"", **options):
        stdin = stdin if isinstance(stdin, bytes) else stdin.encode()
        return self.run_command("scrub", "--secrets-json", "values.json", *arguments, stdin=stdin, **options)

    def assert_scrubs(self, text, expected, *arguments):
        done = self.scrub(*arguments, stdin=text)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual(done.stdout, expected if isinstance(expected, bytes) else expected.encode())

    def start(self, *arguments):
        process = subprocess.Popen([QSECRETS, "scrub", "--secrets-json", "values.json", *arguments],
                                   cwd=self.directory, env={"PATH": os.environ["PATH"]}, bufsize=0,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(self.put_away, process)
        return process

    @staticmethod
    def put_away(process):
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()

    def read_for(self, process, seconds):
        """What comes within that time."""
        deadline = time.monotonic() + seconds
        data = b""
        while select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))[0]:
            piece = os.read(process.stdout.fileno(), 1 << 20)
            if not piece:
                break
            data += piece
        return data

    def expect(self, process, wanted):
        data = b""
        deadline = time.monotonic() + 20
        while len(data) < len(wanted) and time.monotonic() < deadline:
            if select.select([process.stdout], [], [], 1)[0]:
                data += os.read(process.stdout.fileno(), len(wanted) - len(data))
        self.assertEqual(data, wanted)


class Values(ScrubTest):
    def test_of_an_object_are_strings_and_compact_json(self):
        nested = {"user": fake(), "hosts": ["a", {"b": None}]}
        self.write_values({"PLAIN": self.value, "NESTED": nested, "NOT_SET": None, "NUMBER": 1234567})
        compact = json.dumps(nested, separators=(",", ":"))
        self.assert_scrubs(f"{self.value} {compact} 1234567 null", "*** *** *** null", "--forms", "raw")

    def test_of_a_nested_object_are_masked_alone_too(self):
        inner = fake()
        self.write_values({"NESTED": {"password": inner}})
        self.assert_scrubs(f"x {inner}", "x ***")

    def test_of_an_array_have_numbers_for_names(self):
        self.write_values([fake(), self.value])
        done = self.scrub("--stats", stdin=self.value)
        self.assertEqual(done.stdout, b"***")
        self.assertRegex(done.stderr.decode(), r"(?m)^value 2 +1$")

    def test_of_the_backend_have_the_names_of_fields(self):
        self.write_env(f"SMTP_PASSWORD={self.value}\n")
        done = self.run_command("scrub", "--stats", stdin=self.value.encode())
        self.assertRegex(done.stderr.decode(), r"(?m)^SMTP_PASSWORD +1$")

    def test_refused_where_they_are_neither(self):
        for text, at in (('{"A B": "x"}', "column 6"), ('{"A": "x"', "column 10"), ("1", "column 2"),
                         ('{"A": "fake-secret", "A": "y"}', "occurs twice"), ('["a", {}]', "not a string")):
            (self.directory / "values.json").write_text(text)
            done = self.scrub(stdin=b"text")
            self.assert_fails(done, 65, "--secrets-json: 'values.json'")
            self.assertNotIn(b"fake-secret", done.stderr)
        self.assertIn("names and values", done.stderr.decode())

    def test_of_more_than_1_mib_are_refused(self):
        self.write_values([self.value, "x" * ((1 << 20) - len(self.value) - 8)])
        self.assertEqual((self.directory / "values.json").stat().st_size, 1 << 20)
        self.assert_scrubs(f"x {self.value}", "x ***")
        self.write_values([self.value, "x" * (1 << 20)])
        self.assert_fails(self.scrub(stdin=b"text"), 65, "--secrets-json", "1048576")
        self.assertIn(b"of 1 MiB at most", self.run_command("scrub", "--help").stdout)

    def test_none(self):
        for nothing in ({}, [], [""], {"A": None}, ["postgres", ""], ["ab"], [" \n"]):
            self.write_values(nothing)
            settings = {"SECRETS_SCRUB_ALLOW": "postgres", "SECRETS_SCRUB_MIN_LENGTH": "3"}
            for how, expected in (([], b"text"), (["--find"], b""), (["--in-place", "values.json"], b"")):
                done = self.scrub(*how, stdin=b"text", env=settings)
                self.assertEqual((done.returncode, done.stdout), (0, expected))
                self.assertIn(b"warning: --secrets-json: 'values.json' holds no value", done.stderr)
                self.assertIn(b"nothing is masked", done.stderr)

    def test_none_in_the_store(self):
        done = self.run_command("scrub", stdin=b"text")
        self.assertEqual((done.returncode, done.stdout), (0, b"text"))
        self.assertIn(b"warning: the store holds no value", done.stderr)
        self.assertIn(b"nothing is masked", done.stderr)


class Forms(ScrubTest):
    def setUp(self):
        super().setUp()
        self.value = fake() + '"\\ä'
        self.write_values({"DATABASE_PASSWORD": self.value})
        raw = self.value.encode()
        self.spelled = {"base64": base64.b64encode(raw), "hex": raw.hex().encode(),
                        "json": json.dumps(self.value)[1:-1].encode(), "utf16": self.value.encode("utf-16-le")}

    def test_are_all_masked_without_an_option(self):
        for text in (self.value.encode(), *self.spelled.values()):
            done = self.scrub(stdin=b"x " + text + b" y")
            self.assertEqual(done.stdout, b"x *** y")

    def test_of_a_list_are_masked_and_no_others(self):
        for names in ("raw", "hex", "base64,hex", "raw, json"):
            for form, text in self.spelled.items():
                done = self.scrub("--forms", names, stdin=b"x " + text + b" y")
                masked = form in [name.strip() for name in names.split(",")]
                self.assertEqual(done.stdout == b"x *** y", masked, (names, form))

    def test_each_has_a_name(self):
        for name in FORMS:
            self.assertEqual(self.scrub("--forms", name, stdin=b"text").stdout, b"text")

    def test_all_may_stand_beside_others(self):
        for names in ("all,raw", "raw, all"):
            self.assertEqual(self.scrub("--forms", names, stdin=self.spelled["base64"]).stdout, b"***")

    def test_unknown_one(self):
        self.assert_fails(self.scrub("--forms", "raw,hexx"), 64, "there is no form 'hexx'", "did you mean hex?", *FORMS)
        self.assert_fails(self.scrub("--forms", "raw,"), 64, "--forms", *FORMS)
        self.assert_fails(self.scrub("--forms", "raw,fake-secret-value,hex"), 64, "--forms: item 2 is not")
        done = self.scrub("--forms", "fake-secret-value")
        self.assert_fails(done, 64, "--forms")
        self.assertNotIn(b"fake-secret", done.stderr)


class MinLengthAndAllow(ScrubTest):
    def setUp(self):
        super().setUp()
        self.write_values(["q", "no1", "seven77", self.value])
        self.text = f"quick no1 xno1x xseven77x {self.value}"

    def test_without_an_option_short_values_are_words(self):
        self.assert_scrubs(self.text, "quick *** xno1x x***x ***")

    def test_least_length(self):
        self.assert_scrubs(self.text, "***uick *** x***x x***x ***", "--min-length", "1")
        self.assert_scrubs(self.text, "quick no1 xno1x x***x ***", "--min-length", "4")
        self.assert_scrubs(self.text, "quick no1 xno1x xseven77x ***", "--min-length", "8")

    def test_least_length_is_a_setting_and_the_option_wins(self):
        for extra, expected in (([], "xseven77x ***"), (["--min-length", "7"], "x***x ***")):
            done = self.scrub(*extra, stdin=f"xseven77x {self.value}", env={"SECRETS_SCRUB_MIN_LENGTH": "8"})
            self.assertEqual(done.stdout.decode(), expected)

    def test_setting_may_stand_in_the_env_file(self):
        self.write_env(f"SECRETS_SCRUB_ALLOW=seven77\nSMTP_PASSWORD=seven77\nSECRET_KEY={self.value}\n")
        self.assert_scrubs(f"seven77 {self.value}", "seven77 ***")
        done = self.run_command("scrub", stdin=f"seven77 {self.value}".encode())
        self.assertEqual(done.stdout, b"seven77 ***")

    def test_harmless_values_are_let_through(self):
        done = self.scrub(stdin=self.text, env={"SECRETS_SCRUB_ALLOW": "no1, seven77"})
        self.assertEqual(done.stdout, b"quick no1 xno1x xseven77x ***")

    def test_settings_hold_for_exec(self):
        self.write_env("SMTP_PASSWORD=postgres\nSECRETS_SCRUB_ALLOW=postgres\n")
        done = self.run_command("exec", "--", "sh", "-c", "echo $SMTP_PASSWORD")
        self.assertEqual(done.stdout, b"postgres\n")

    def test_numbers_are_decimal(self):
        text = "x1234567 x123456789 x1234567890"
        self.write_values(["123456789", "1234567890"])
        for extra, env in ((["--min-length", "010"], {}), ([], {"SECRETS_SCRUB_MIN_LENGTH": "010"})):
            done = self.scrub(*extra, stdin=text, env=env)
            self.assertEqual((done.returncode, done.stdout), (0, b"x1234567 x123456789 x***"))

    def test_wrong_numbers(self):
        for wrong in ("0", "1025", "-1", "four", "", "0x10", "+4", " 4", "4 ", "4.0", "1'000", "99999999999999999999"):
            self.assert_fails(self.scrub(f"--min-length={wrong}"), 64, "--min-length")
            done = self.scrub(env={"SECRETS_SCRUB_MIN_LENGTH": wrong})
            self.assert_fails(done, 78, "SECRETS_SCRUB_MIN_LENGTH", "1 to 1024")
        self.assert_fails(self.scrub(env={"SECRETS_SCRUB_ALLOW": "a,,b"}), 78, "SECRETS_SCRUB_ALLOW")

    def test_status_shows_the_settings_but_no_value(self):
        self.write_env("SMTP_PASSWORD=postgres\n")
        shown = self.run_command("status", env={"SECRETS_SCRUB_ALLOW": "postgres", "SECRETS_SCRUB_MIN_LENGTH": "7"})
        self.assertRegex(shown.stdout.decode(), r"SECRETS_SCRUB_ALLOW +set ")
        self.assertRegex(shown.stdout.decode(), r"SECRETS_SCRUB_MIN_LENGTH +7 ")
        self.assertNotIn(b"postgres", shown.stdout)


def instruction_sets():
    """What the kernel tells of this processor."""
    names = {"plain"}
    if platform.machine() == "x86_64":
        flags = set(re.search(r"^flags\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)[1].split())
        for name, needed in (("sse4.2", "sse4_2 popcnt"), ("avx2", "avx2 bmi2 popcnt"),
                             ("avx512", "avx512bw avx512vl avx2 bmi2 popcnt")):
            if flags.issuperset(needed.split()):
                names.add(name)
    return names


class InstructionSet(ScrubTest):
    def run_both(self, name):
        """What scrub and exec say on standard error."""
        settings = {"QARION_SECRETS_ISA": name}
        done = self.scrub(stdin=f"x {self.value}", env=settings)
        self.assertEqual((done.returncode, done.stdout), (0, b"x ***"))
        settings["SMTP_PASSWORD"] = self.value
        executed = self.run_command("exec", "--", "sh", "-c", f"echo x {self.value}", env=settings)
        self.assertEqual((executed.returncode, executed.stdout), (0, b"x ***\n"))
        self.assertEqual(executed.stderr, done.stderr)
        return done.stderr.decode()

    def test_that_is_unknown_is_warned_of(self):
        for name in {"avx1024", "AVX2", "fake-secret", "sse4.2", "avx2", "avx512"} - instruction_sets():
            warning = self.run_both(name)
            self.assertRegex(warning, r"^qsecrets: warning: QARION_SECRETS_ISA [^\n]+ there are [^\n]+\n$")
            self.assertEqual(set(warning.rpartition("there are ")[2].strip().split(", ")), instruction_sets())
            self.assertNotIn("fake-secret", warning)

    def test_that_there_is_needs_no_warning(self):
        for name in {"", *instruction_sets()}:
            self.assertEqual(self.run_both(name), "")

    def test_is_of_no_interest_where_nothing_is_scrubbed(self):
        settings = {"QARION_SECRETS_ISA": "avx1024", "SMTP_PASSWORD": self.value}
        for command in (["get", "SMTP_PASSWORD"], ["exec", "--no-scrub", "true"]):
            self.assertEqual(self.run_command(*command, env=settings).stderr, b"")


class Mask(ScrubTest):
    def test_stands_in_the_values_place(self):
        self.assert_scrubs(f"a {self.value}{self.value} b", "a [gone] b", "--mask", "[gone]")

    def test_that_cannot_be_one(self):
        for mask in ("", "a\nb", "a\x1bb"):
            self.assert_fails(self.scrub("--mask", mask), 64, "--mask")

    def test_that_holds_a_value(self):
        for mask in (self.value, f"<{self.value}>", base64.b64encode(self.value.encode()).decode()):
            done = self.scrub("--mask", mask)
            self.assert_fails(done, 64, "--mask", "DATABASE_PASSWORD")
            self.assertNotIn(self.value.encode(), done.stderr)


class Stats(ScrubTest):
    def setUp(self):
        super().setUp()
        self.other = fake()
        self.write_values({"ONE": self.value, "OTHER": self.other, "NEVER": fake()})
        self.text = f"{self.value} {self.other} {self.value.encode().hex()}"

    def test_table(self):
        done = self.scrub("--stats", stdin=self.text)
        self.assertEqual(done.stdout, b"*** *** ***")
        self.assertEqual(done.stderr.decode(), "FIELD  MASKED\nONE         2\nOTHER       1\n")

    def test_json(self):
        done = self.scrub("--stats", "--output", "json", stdin=self.text)
        self.assertEqual(json.loads(done.stderr), [{"field": "ONE", "count": 2}, {"field": "OTHER", "count": 1}])

    def test_count_overlaps_and_cut_values(self):
        self.write_values({"LEFT": "fake-abcdef", "RIGHT": "abcdef-fake"})
        done = self.scrub("--stats", "--forms", "raw", stdin="x fake-abcdef-fake y")
        self.assertEqual(done.stdout, b"x *** y")
        self.assertEqual(done.stderr.decode(), "FIELD  MASKED\nLEFT        1\nRIGHT       1\n")


class Stream(ScrubTest):
    def test_bytes_are_kept(self):
        data = secrets.token_bytes(3 << 20) + b"\r\nno newline at the end"
        self.assert_scrubs(data, data)
        self.assert_scrubs(data, data, "--line-buffered")
        self.assert_scrubs(b"", b"")

    def test_much_text_with_many_values(self):
        lines = [f"line {number} of the log" + (f" with {self.value} in it" if number % 7 == 0 else "")
                 for number in range(60_000)]
        text = "\r\n".join(lines)
        for extra in ([], ["--line-buffered"], ["--stats"]):
            self.assertEqual(self.scrub(*extra, stdin=text).stdout.decode(), text.replace(self.value, "***"))

    def test_a_prompt_is_seen_at_once(self):
        for extra in ([], ["--line-buffered"]):
            process = self.start(*extra)
            process.stdin.write(b"password? ")
            self.expect(process, b"password? ")
            process.stdin.write(f"{self.value} ok".encode())
            self.expect(process, b"*** ok")

    def test_no_clock_lets_the_beginning_of_a_value_go(self):
        process = self.start()
        process.stdin.write(b"x " + self.value[:-1].encode())
        self.assertEqual(self.read_for(process, 1.5), b"x ")
        process.stdin.write(b"?")
        self.expect(process, self.value[:-1].encode() + b"?")
        process.stdin.write(self.value[:10].encode())
        process.stdin.close()
        self.expect(process, self.value[:10].encode())

    def test_line_buffered_writes_each_line_by_itself(self):
        lines = b"".join(b"line %d\n" % number for number in range(50))
        for extra, most in ((["--line-buffered"], 50), ([], 1)):
            # What a packet socket gets in one write is read in one piece.
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            done = self.scrub(*extra, stdin=lines, stdout=theirs)
            theirs.close()
            pieces = []
            while piece := ours.recv(1 << 16):
                pieces.append(piece)
            ours.close()
            self.assertEqual((done.returncode, b"".join(pieces), len(pieces)), (0, lines, most))

    def test_reader_that_goes_away_ends_it_quietly(self):
        (self.directory / "big").write_bytes(b"text\n" * 1_000_000)
        done = subprocess.run(
            ["bash", "-c", f"'{QSECRETS}' scrub --secrets-json values.json big | head -1; exit ${{PIPESTATUS[0]}}"],
            cwd=self.directory, capture_output=True, check=False, timeout=60)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (141, b"text\n", b""))

    def test_closed_and_full_output(self):
        with open("/dev/full", "wb") as full:
            self.assertEqual(self.scrub(stdin=b"text", stdout=full).returncode, 74)
        self.assert_fails(self.scrub("--stats", stdin=b"text", preexec_fn=lambda: os.close(1)), 74, "standard output")

    def test_input_that_cannot_be_read(self):
        with open(os.devnull, "wb") as write_only:
            done = subprocess.run([QSECRETS, "scrub", "--secrets-json", "values.json"], cwd=self.directory,
                                  stdin=write_only, capture_output=True, check=False)
        self.assert_fails(done, 74, "cannot read standard input")


class Files(ScrubTest):
    def test_come_in_their_order(self):
        (self.directory / "a").write_text(f"a {self.value}")
        (self.directory / "b").write_text("b\n")
        done = self.scrub("b", "-", "a", stdin=f"- {self.value}\n")
        self.assertEqual((done.returncode, done.stdout), (0, b"b\n- ***\na ***"))

    def test_are_one_stream(self):
        (self.directory / "a").write_text("x " + self.value[:9])
        (self.directory / "b").write_text(self.value[9:] + " y")
        self.assertEqual(self.scrub("a", "b").stdout, b"x *** y")

    def test_that_are_not_there_do_not_stop_the_others(self):
        (self.directory / "a").write_text("a\n")
        done = self.scrub("none", "a")
        self.assertEqual((done.returncode, done.stdout), (74, b"a\n"))
        self.assertIn(b"'none'", done.stderr)

    def test_may_be_pipes(self):
        done = subprocess.run(
            ["bash", "-c", f"'{QSECRETS}' scrub --secrets-json values.json <(echo {self.value})"],
            cwd=self.directory, capture_output=True, check=False, timeout=60)
        self.assertEqual(done.stdout, b"***\n")

    def test_that_is_the_output_is_refused(self):
        log = self.directory / "log"
        log.write_text(f"{self.value}\n")
        (self.directory / "other").write_text("other\n")
        for command, mode in (([str(log)], "ab"), (["-"], "ab"), ([], "ab"), ([], "r+b")):
            before = log.read_bytes()
            with open(log, mode) as output, open(log, "rb") as given:
                done = subprocess.run([QSECRETS, "scrub", "--secrets-json", "values.json", *command],
                                      cwd=self.directory, stdin=given, stdout=output, stderr=subprocess.PIPE,
                                      check=False, timeout=20, env={},
                                      preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)))
            self.assert_fails(done, 74, "is the output too", "--in-place")
            self.assertEqual(log.read_bytes(), before)
        with open(log, "ab") as output:
            self.assertEqual(self.scrub("log", "other", stdout=output).returncode, 74)
        self.assertEqual(log.read_text(), f"{self.value}\nother\n")

    def test_that_is_the_output_and_empty_is_no_harm(self):
        with open(self.directory / "log", "wb") as output:
            self.assertEqual(self.scrub("log", "values.json", stdout=output).returncode, 0)

    def test_directory_needs_to_be_meant(self):
        self.assert_fails(self.scrub("values.json", "."), 64, "'.' is a directory", "--find")
        self.assert_fails(self.scrub(""), 64, "empty")


class Cases(ScrubTest):
    """Those collected from other maskers, through the command itself."""

    def test_literal_ones_whole_and_cut(self):
        path = VECTORS / "scrub_cases.json"
        if not path.exists():
            self.skipTest(f"{path} is not there")
        count = 0
        for case in json.loads(path.read_text()):
            expected = case.get("union_with_adjacent_merge")
            # JSON cannot hold values that are not UTF-8.
            if expected is None or "raw" in case:
                continue
            self.write_values(case["secrets"])
            chunks = [chunk.encode() for chunk in case["chunks"]]
            with self.subTest(case["id"]):
                done = self.scrub("--forms", "raw", "--min-length", "1", stdin=b"".join(chunks))
                self.assertEqual(done.stdout, expected.encode())
                process = self.start("--forms", "raw", "--min-length", "1")
                for chunk in chunks:
                    process.stdin.write(chunk)
                    time.sleep(0.002)
                process.stdin.close()
                self.assertEqual(process.stdout.read(), expected.encode())
            count += 1
        self.assertGreaterEqual(count, 60)


if __name__ == "__main__":
    unittest.main()
