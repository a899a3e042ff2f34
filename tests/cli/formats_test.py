#!/usr/bin/env python3
"""Each format, read by its own reader, gives back the exact bytes."""
import io
import json
import random
import subprocess
import unittest

import dotenv
import yaml

from support import CommandTest

HOSTILE = [
    b"", b"plain", b" leading and trailing ", b"'", b'"', b"\\", b"\\\\n", b"it's \"quoted\"", b"$HOME ${HOME} $(id) `id`",
    b"${X}", b"${X:-y}", b"$${X}", b"${:-$}{X}", b"$", b"${", b"#no comment", b"a #b", b"a=b=c", b"line\nline", b"line\r\nline\r",
    b"\ttab\t", b"\a\b\f\v\x1b\x7f\x01", b"!history", b"%n*?[a]~", b"-n", b"null", b"true", b"1e3", b"{a: b}", b"- a", b"&a *b",
    "é \u0085 \u2028 \u2029 \ufeff \u00a0 \U0001f511 \u200b".encode(), b"\xff\xfe invalid", b"\xed\xa0\x80", b"x" * 102_400,
]


def shell(text, name):
    script = text + b"\nprintf %s \"$" + name.encode() + b"\""
    return subprocess.run(["bash", "-u"], input=script, stdout=subprocess.PIPE, check=True).stdout


def from_dotenv(text, name):
    # Without a name: what python-dotenv expands must not come from elsewhere.
    values = dotenv.dotenv_values(stream=io.StringIO(text.decode()))
    return values[name].encode()


def from_yaml(text, name):
    value = yaml.safe_load(text)[name]
    return value if isinstance(value, bytes) else value.encode()


def from_env(text, name):
    assert text.startswith(name.encode() + b"=") and text.endswith(b"\n")
    return text[len(name) + 1:-1]


READERS = {
    "shell": shell,
    "dotenv": from_dotenv,
    "yaml": from_yaml,
    "json": lambda text, name: json.loads(text)[name].encode(),
    "env": from_env,
}


def is_utf8(value):
    try:
        value.decode()
        return True
    except UnicodeDecodeError:
        return False


# Which values a format cannot hold, by its reader's own rules.
CANNOT = {
    "shell": lambda value: b"\0" in value,
    "dotenv": lambda value: b"\0" in value or not is_utf8(value),
    "yaml": lambda value: False,
    "json": lambda value: not is_utf8(value),
    "env": lambda value: any(byte in value for byte in b"\0\n\r"),
}


class Formats(CommandTest):
    def write_value(self, value):
        # One line break at the end, LF or CRLF, is not part of the value.
        (self.directory / "value").write_bytes(value + b"\n" * (not value.endswith(b"\r"))
                                               + b"\r\n" * value.endswith(b"\r"))

    def round_trip(self, value):
        self.write_value(value)
        for name, reader in READERS.items():
            result = self.run_command("get", "SMTP_PASSWORD", "--output", name,
                                      env={"SMTP_PASSWORD_FILE": "value"})
            if CANNOT[name](value):
                self.assert_fails(result, 65, "SMTP_PASSWORD", name)
            else:
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertEqual(reader(result.stdout, "SMTP_PASSWORD"), value, name)

    def test_hostile_values(self):
        for value in HOSTILE + [b"zero\0byte"]:
            self.round_trip(value)

    def test_random_values(self):
        source = random.Random(1)
        alphabet = b"ab'\"\\$ {}:-#\n\r\t=`!\xc3\xa9\xff"
        for number in range(60):
            length = source.randrange(24)
            if number % 2:
                self.round_trip(bytes(source.randrange(256) for _ in range(length)))
            else:
                self.round_trip(bytes(source.choice(alphabet) for _ in range(length)))

    def test_what_it_writes_as_dotenv_it_reads_as_env_file(self):
        for value in HOSTILE:
            if CANNOT["dotenv"](value):
                continue
            self.write_value(value)
            written = self.run_command("get", "SMTP_PASSWORD", "-o", "dotenv",
                                       env={"SMTP_PASSWORD_FILE": "value"}).stdout
            self.write_env(written, "written.env")
            read = self.run_command("get", "SMTP_PASSWORD", env={"SECRETS_ENV_FILE": "written.env"})
            self.assertEqual(read.stdout, value)

    def test_writes_all_or_nothing(self):
        self.write_env("SECRET_KEY=fake\nSMTP_PASSWORD='two\nlines'\n")
        result = self.run_command("list", "--reveal", "-o", "env")
        self.assert_fails(result, 65, "SMTP_PASSWORD", "dotenv")

    def test_lists_several(self):
        self.write_env("SECRET_KEY=fake-1\nSMTP_PASSWORD=fake-2\nNO=fake-3\n")
        expected = {"SECRET_KEY": "fake-1", "SMTP_PASSWORD": "fake-2", "NO": "fake-3"}
        for name, read in (("json", json.loads), ("yaml", yaml.safe_load),
                           ("dotenv", lambda text: dict(dotenv.dotenv_values(stream=io.StringIO(text.decode()))))):
            result = self.run_command("list", "--all", "--reveal", "-o", name)
            self.assertEqual(read(result.stdout), expected)

    def test_refuses_a_name_that_no_shell_has(self):
        self.write_env("MY-KEY=fake\n")
        self.assert_fails(self.run_command("list", "--all", "--reveal", "-o", "shell"), 65, "MY-KEY")


if __name__ == "__main__":
    unittest.main()
