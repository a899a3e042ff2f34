#!/usr/bin/env python3
"""What each command prints and how it ends."""
import json
import os
import pathlib
import pty
import secrets
import subprocess
import unittest

from support import QSECRETS, CommandTest

NAMES = ["SECRET_KEY", "POSTGRES_PASSWORD", "SMTP_PASSWORD", "SENDGRID_API_KEY", "LLM_API_KEY_FAKE"]


class Get(CommandTest):
    def test_gives_the_exact_bytes(self):
        for value in (b"fake", b"", b"two\nlines\n", b" blanks ", b"\xff\x01bytes"):
            (self.directory / "value").write_bytes(value + b"\n")
            result = self.run_command("get", "SECRET_KEY", env={"SECRET_KEY_FILE": "value"})
            self.assertEqual((result.returncode, result.stdout), (0, value))

    def test_adds_a_newline_on_a_terminal(self):
        self.write_env("SECRET_KEY=fake")
        parent, child = pty.openpty()
        self.run_command("get", "SECRET_KEY", stdout=child)
        os.close(child)
        self.assertEqual(os.read(parent, 100), b"fake\r\n")
        os.close(parent)

    def test_takes_a_path(self):
        self.write_env("LLM_API_KEY_CONTROL_PLANE=fake")
        self.assertEqual(self.run_command("get", "llm_api_key/control_plane").stdout, b"fake")

    def test_tells_unknown_from_unset(self):
        self.assert_fails(self.run_command("get", "SMPT_PASSWORD"), 64, "did you mean SMTP_PASSWORD")
        self.assert_fails(self.run_command("get", "SMTP_PASSWORD"), 78, "SMTP_PASSWORD is not set")
        self.assert_fails(self.run_command("get", "a//b"), 64)
        self.assert_fails(self.run_command("get"), 64)


class Quiet(CommandTest):
    """No value in any output but where values were asked for."""

    def test_no_value_in_check_list_and_status(self):
        values = {name: secrets.token_urlsafe(12) for name in NAMES}
        self.write_env("".join(f"{name}={value}\n" for name, value in values.items())
                       + f"SECRET_KEY_PREVIOUS={values['SECRET_KEY']}\n")
        for command in (["check"], ["check", "--strict", "-o", "json"], ["list"], ["list", "-o", "json"],
                        ["status"], ["status", "-o", "json"], ["version"]):
            result = self.run_command(*command)
            output = (result.stdout + result.stderr).decode()
            self.assertTrue(output)
            for name, value in values.items():
                self.assertNotIn(value, output, f"{command} shows {name}")

    def test_no_value_in_the_message_of_a_broken_file(self):
        for broken in ('A="{}', "A='x' {}", "{} {}", "={}", "'{}"):
            value = secrets.token_urlsafe(12)
            self.write_env("SMTP_PASSWORD=1\n" + broken.replace("{}", value) + "\n")
            for command in (["check"], ["list"], ["get", "SMTP_PASSWORD"], ["exec", "--", "true"]):
                result = self.run_command(*command)
                self.assertNotEqual(result.returncode, 0)
                output = (result.stdout + result.stderr).decode()
                self.assertIn(".env:2:", output)
                self.assertNotIn(value, output)


class List(CommandTest):
    def test_shows_every_field_and_where_it_comes_from(self):
        self.write_env("# c\nSMTP_PASSWORD=fake\nLLM_API_KEY_X=fake\n")
        (self.directory / "key").write_text("fake")
        rows = json.loads(self.run_command("list", "--output", "json", env={
            "SECRET_KEY": "fake", "SENDGRID_API_KEY_FILE": "key"}).stdout)
        found = {row["name"]: row["origin"] for row in rows if row["set"]}
        self.assertEqual(found, {"SECRET_KEY": "process environment", "SMTP_PASSWORD": ".env:2",
                                 "LLM_API_KEY_X": ".env:3",
                                 "SENDGRID_API_KEY": "key (from SENDGRID_API_KEY_FILE)"})
        unset = [row["name"] for row in rows if not row["set"]]
        self.assertIn("POSTGRES_PASSWORD", unset)
        self.assertEqual([row["purpose"] for row in rows if row["name"] == "SECRET_KEY"],
                         ["JWT signing key"])

    def test_manages_what_it_is_told_to(self):
        self.write_env("MINE=fake\nOTHERS_A=fake\nREST=fake\n")

        def names(*arguments, **env):
            rows = json.loads(self.run_command("list", "-o", "json", *arguments, env=env).stdout)
            return {row["name"] for row in rows if row["set"]}

        self.assertEqual(names(), set())
        self.assertEqual(names(SECRETS_FIELDS="MINE, OTHERS_*"), {"MINE", "OTHERS_A"})
        self.assertEqual(names(SECRETS_FIELDS="*"), {"MINE", "OTHERS_A", "REST"})
        self.assertEqual(names("--all"), {"MINE", "OTHERS_A", "REST"})

    def test_colours_on_a_terminal_only_and_not_with_no_color(self):
        self.write_env("SMTP_PASSWORD=fake")
        self.assertNotIn(b"\033", self.run_command("list").stdout)
        for env, coloured in (({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True)):
            parent, child = pty.openpty()
            self.run_command("list", stdout=child, env=env)
            os.close(child)
            self.assertEqual(b"\033[32m" in os.read(parent, 10_000), coloured, env)
            os.close(parent)

    def test_wants_reveal_before_it_writes_values(self):
        self.write_env("SMTP_PASSWORD=fake-pass")
        for name in ("env", "dotenv", "yaml", "shell"):
            self.assert_fails(self.run_command("list", "-o", name), 64, "--reveal")
        self.assertIn(b"fake-pass", self.run_command("list", "--reveal").stdout)


class Check(CommandTest):
    def test_says_what_is_wrong_and_fails_on_errors(self):
        self.write_env("SECRET_KEY=short-key\n")
        result = self.run_command("check")
        self.assertEqual(result.returncode, 78)
        self.assertIn("error    SECRET_KEY: has 9 bytes", result.stdout.decode())
        self.assertIn("to mend it: generate one", result.stdout.decode())
        self.assertIn("backend env, 1 field set: 1 error, 0 warnings", result.stdout.decode())

    def test_fails_on_warnings_only_when_strict(self):
        self.write_env("SMTP_PASSWORD=short\n")
        self.assertEqual(self.run_command("check").returncode, 0)
        self.assertEqual(self.run_command("check", "--strict").returncode, 78)

    def test_passes_good_values(self):
        self.write_env(f"SECRET_KEY={secrets.token_urlsafe(36)}\n")
        result = self.run_command("check", "--strict", "--output", "json")
        self.assertEqual((result.returncode, json.loads(result.stdout)),
                         (0, {"findings": [], "details": {}, "errors": 0, "warnings": 0}))

    def test_warns_of_a_file_that_others_can_read(self):
        self.write_env(f"SECRET_KEY={secrets.token_urlsafe(36)}\n").chmod(0o644)
        findings = json.loads(self.run_command("check", "-o", "json").stdout)["findings"]
        self.assertEqual([(f["severity"], f["subject"]) for f in findings], [("warning", ".env")])

    def test_reports_what_keeps_it_from_checking(self):
        self.write_env('SECRET_KEY="open\n')
        result = self.run_command("check")
        self.assertEqual(result.returncode, 78)
        self.assertIn("error    .env:1:12: a quote is opened here and never closed\n",
                      result.stdout.decode())

    def test_names_what_is_wrong_once(self):
        for name, value, shown in (
                ("SECRETS_BACKEND", "vualt", "SECRETS_BACKEND: names the unknown backend 'vualt'; "),
                ("SECRETS_FIELDS", "9A", "SECRETS_FIELDS: '9A' is not a possible field name\n"),
                ("SECRETS_FIELDS", "", "SECRETS_FIELDS: is empty\n"),
                ("SECRETS_ENV_FILE", "gone", "SECRETS_ENV_FILE: cannot read 'gone': ")):
            result = self.run_command("check", env={name: value})
            self.assertTrue(result.stdout.decode().startswith("error    " + shown), result.stdout)


class BadSettings(CommandTest):
    def test_unknown_backend(self):
        self.assert_fails(self.run_command("list", env={"SECRETS_BACKEND": "vualt"}), 78,
                          "SECRETS_BACKEND", "env", "vault")

    def test_wrong_ttl(self):
        for ttl in ("5m", "-1", "1e3", "", "86401", "9" * 30):
            self.assert_fails(self.run_command("list", env={"SECRETS_CACHE_TTL": ttl}), 78,
                              "SECRETS_CACHE_TTL", "0 to 86400")

    def test_says_in_which_line_of_the_env_file_it_stands(self):
        self.write_env("A=1\nSECRETS_CACHE_TTL=5m\n")
        self.assert_fails(self.run_command("list"), 78, "SECRETS_CACHE_TTL is '5m'", "in .env:2 write")

    def test_env_file_that_is_none(self):
        (self.directory / "dir").mkdir()
        (self.directory / "large").write_bytes(b"#" * (1024 * 1024 + 1))
        for path, status, word in (("dir", 78, "a directory"), ("missing", 78, "No such file"),
                                   ("large", 65, "limit"), ("", 78, "is empty")):
            self.assert_fails(self.run_command("list", env={"SECRETS_ENV_FILE": path}), status,
                              "SECRETS_ENV_FILE", word)

    def test_default_env_file_that_is_a_directory(self):
        (self.directory / ".env").mkdir()
        self.assert_fails(self.run_command("list"), 78, ".env", "a directory")

    def test_unreadable_env_file(self):
        self.write_env("SMTP_PASSWORD=fake").chmod(0)
        self.directory.chmod(0o755)
        become = ["setpriv", "--reuid=65534", "--clear-groups"] if os.geteuid() == 0 else []
        result = subprocess.run([*become, QSECRETS, "list"], cwd=self.directory, capture_output=True,
                                env={"PATH": os.environ["PATH"]}, check=False)
        if become and b"setpriv" in result.stderr:
            self.skipTest("setpriv may not change the user here")
        self.assert_fails(result, 78, "Permission denied", "SECRETS_ENV_FILE")

    def test_zero_bytes_and_invalid_utf8(self):
        for text, word in ((b"A=1\nB=\0x", "zero byte"), (b"A=1\nB=\xffx", "not UTF-8")):
            self.write_env(text)
            self.assert_fails(self.run_command("list"), 65, ".env:2:3", word)

    def test_settings_from_the_env_file(self):
        self.write_env("SECRETS_CACHE_TTL=60\n")
        settings = json.loads(self.run_command("status", "-o", "json").stdout)["settings"]
        self.assertEqual(settings, [{"name": "SECRETS_CACHE_TTL", "value": "60", "source": ".env:1"}])


class Output(CommandTest):
    def test_full_disk_is_an_error(self):
        self.write_env("SMTP_PASSWORD=fake")
        for command in (["list"], ["check"], ["status"], ["version"], ["get", "SMTP_PASSWORD"], ["--help"]):
            with open("/dev/full", "wb") as full:
                result = self.run_command(*command, stdout=full)
            self.assertEqual(result.returncode, 74, command)
            self.assertIn(b"No space left", result.stderr)

    def test_closed_output_is_an_error_and_nothing_lands_elsewhere(self):
        env_file = self.write_env("SMTP_PASSWORD=fake")
        before = env_file.read_bytes()
        for command in ("list", "get SMTP_PASSWORD", "status", "version"):
            result = subprocess.run(["sh", "-c", f"'{QSECRETS}' {command} >&-"], cwd=self.directory,
                                    stderr=subprocess.PIPE, check=False)
            self.assertEqual(result.returncode, 74, command)
        self.assertEqual(env_file.read_bytes(), before)

    def test_closed_stderr_does_not_change_the_status(self):
        result = subprocess.run(["sh", "-c", f"'{QSECRETS}' get SMTP_PASSWORD 2>&-"], cwd=self.directory,
                                check=False)
        self.assertEqual(result.returncode, 78)

    def test_reader_that_leaves_ends_it_as_any_filter(self):
        result = subprocess.run(["bash", "-c", f"'{QSECRETS}' list | true; exit ${{PIPESTATUS[0]}}"],
                                cwd=self.directory, stderr=subprocess.PIPE, check=False)
        self.assertIn(result.returncode, (0, 141))
        self.assertEqual(result.stderr, b"")


class Scrub(CommandTest):
    def test_masks_the_values_of_the_backend(self):
        self.write_env("SMTP_PASSWORD=fake-pass\nUNMANAGED=fake-other\n")
        result = self.run_command("scrub", stdin=b"a fake-pass b\0\xff fake-other")
        self.assertEqual((result.returncode, result.stdout), (0, b"a *** b\0\xff ***"))

    def test_leaves_the_settings_that_stand_beside_the_values(self):
        self.write_env("SECRETS_CACHE_TTL=300\nSECRETS_OF_THE_SERVICE=fake-pass\n")
        result = self.run_command("scrub", stdin=b"300 fake-pass")
        self.assertEqual((result.returncode, result.stdout), (0, b"300 ***"))
        listed = self.run_command("list", "--all", "-o", "json").stdout
        self.assertIn(b"SECRETS_OF_THE_SERVICE", listed)
        self.assertNotIn(b"SECRETS_CACHE_TTL", listed)

    def test_masks_the_strings_of_a_json_array(self):
        (self.directory / "s.json").write_text('["fake-pass", "", "\\u00e4\\n"]')
        result = self.run_command("scrub", "--secrets-json", "s.json", stdin="fake-pass ä\n.".encode())
        self.assertEqual(result.stdout, b"*** ***.")

    def test_warns_where_there_is_nothing_to_mask(self):
        (self.directory / "s.json").write_text("[]")
        result = self.run_command("scrub", "--secrets-json", "s.json", stdin=b"text")
        self.assertEqual((result.returncode, result.stdout), (0, b"text"))
        self.assertIn(b"nothing is masked", result.stderr)

    def test_takes_the_json_from_a_pipe_of_bash(self):
        result = subprocess.run(
            ["bash", "-c", f"echo fake-pass. | '{QSECRETS}' scrub --secrets-json <(echo '[\"fake-pass\"]')"],
            cwd=self.directory, capture_output=True, check=False)
        self.assertEqual(result.stdout, b"***.\n")

    def test_refuses_what_is_no_array_of_strings(self):
        for text in ("[1]", '["fake-secret"', "x"):
            (self.directory / "s.json").write_text(text)
            result = self.run_command("scrub", "--secrets-json", "s.json", stdin=b"text")
            self.assert_fails(result, 65, "--secrets-json: 's.json', line 1, column ")
            self.assertNotIn(b"fake-secret", result.stderr)
        self.assert_fails(self.run_command("scrub", "--secrets-json", "-"), 64)

    def test_full_disk(self):
        with open("/dev/full", "wb") as full:
            self.assertEqual(self.run_command("scrub", stdin=b"text", stdout=full).returncode, 74)


class Help(CommandTest):
    def test_help_of_everything(self):
        for command in ([], ["get"], ["list"], ["check"], ["exec"], ["scrub"], ["status"], ["version"]):
            result = self.run_command(*command, "--help")
            self.assertEqual((result.returncode, result.stderr), (0, b""), command)
            self.assertIn(b"Usage: qsecrets", result.stdout)

    def test_no_command_is_wrong_usage(self):
        result = self.run_command()
        self.assertEqual((result.returncode, result.stdout), (64, b""))
        self.assertIn(b"exec", result.stderr)

    def test_unknown_command_and_option(self):
        self.assert_fails(self.run_command("lits"), 64, "there is no command 'lits'", "list?")
        self.assert_fails(self.run_command("status", "fake"), 64)
        result = self.run_command("fake-password")
        self.assert_fails(result, 64, "the first argument is not a command")
        self.assertNotIn(b"fake-password", result.stderr)
        self.assert_fails(self.run_command("list", "--bogus"), 64)
        self.assert_fails(self.run_command("list", "--output", "xml"), 64, "json")

    def test_version(self):
        described = json.loads(self.run_command("version", "--output", "json").stdout)
        self.assertEqual(described["compiled_in"], ["env"])
        self.assertEqual(described["module_abi"], 1)
        self.assertEqual(self.run_command("--version").stdout.decode(),
                         f"qsecrets {described['version']}\n")


if __name__ == "__main__":
    unittest.main()
