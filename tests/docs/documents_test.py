#!/usr/bin/env python3
"""documents_test.py QSECRETS COMPILER SOURCE_DIRECTORY: what the documents show is what there is."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

from cryptography.fernet import Fernet

SOURCE = pathlib.Path(sys.argv.pop())
COMPILER = sys.argv.pop()
QSECRETS = pathlib.Path(sys.argv.pop()).resolve()

SETTINGS = {"SECRETS_BACKEND": "env", "SECRETS_CACHE_TTL": "60", "SECRETS_MAX_STALE": "60",
            "SECRETS_FIELDS": "FAKE", "SECRETS_ENV_FILE": ".env", "SECRETS_DIR": ".",
            "SECRETS_SCRUB_MIN_LENGTH": "4", "SECRETS_SCRUB_ALLOW": "true,fake",
            "QARION_SECRETS_LOG": "info"}
VALUES = {"INSTANCE_ENCRYPTION_KEY": Fernet.generate_key().decode(),
          "INSTANCE_ENCRYPTION_KEY_PREVIOUS": Fernet.generate_key().decode(),
          "SECRET_KEY": "fake-0123456789-abcdefghijklmnopqrstuvwxyz-fake",
          "POSTGRES_PASSWORD": "fake-database-password",
          "STORAGE_GCS_CREDENTIALS_JSON": '''{"type": "fake", "private_key": "fake-private-key",
          "client_email": "fake@example.com"}'''}

# Stand for the services and clients of the examples: each shows what it was given.
SHOW = '#!/bin/sh\necho "$0 $*"\nenv\n'
STAND_INS = {"service": SHOW, "tui": SHOW, "bin/psql": SHOW, "bin/some-command": SHOW + "cat >/dev/null\n",
             "bin/vault-export": """#!/bin/sh\necho '["fake-exported"]'\n"""}

# What the fragments of C++ take for granted.
CONTEXT = """
#include <iostream>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>
#include <qarion/secrets/field_cipher.h>
#include <qarion/secrets/jwt_signer.h>
#include <qarion/secrets/jwt_verifier.h>
#include <qarion/secrets/rotation.h>
#include <qarion/secrets/runtime.h>
#include <qarion/secrets/scrub_fd.h>
#include <qarion/secrets/scrub_streambuf.h>
namespace secrets = qarion::secrets;
namespace spdlog { template <typename... T> void warn(std::string_view, T&&...) {} }
struct Request { std::string bearer; };
struct Pool { void Reconnect() {} };
[[maybe_unused]] static void Connect(std::string_view) {}
[[maybe_unused]] static void Serve(const Request&) {}
[[maybe_unused]] static void Send(std::string_view) {}
[[maybe_unused]] static void Store(std::string_view) {}
"""
FRAGMENT = """
extern secrets::Result<secrets::Runtime> runtime;
extern secrets::Result<secrets::Secret> password;
extern secrets::Result<secrets::FernetKey> new_key, old_key;
extern std::vector<Request> requests;
extern Pool pool;
extern std::ostream& out;
extern std::string session_token, line, chunk;
int Fragment() {{
  {{
    {text}
  }}
  return 0;
}}
"""


def text_of(path):
    return (SOURCE / path).read_text()


def blocks(path, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text_of(path), re.MULTILINE | re.DOTALL)


def first_column(path, heading):
    """The names in the table that follows the heading, `in code`."""
    table = text_of(path).partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)


def commands(shell, prefix=""):
    """Every command there is, "" first, "fernet" before "fernet keygen", as the help lists them."""
    listed = shell(f"qsecrets {prefix} --help").stdout.partition("Subcommands:\n")[2].partition("\n\n")[0]
    names = re.findall(r"^  ([a-z-]+) ", listed, re.MULTILINE)
    return [prefix, *(command for name in names for command in commands(shell, f"{prefix} {name}".strip()))]


class DocumentTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        (self.directory / "bin").mkdir()
        (self.directory / "bin" / "qsecrets").symlink_to(QSECRETS)
        for name, text in STAND_INS.items():
            stand_in = self.directory / name
            stand_in.write_text(text)
            stand_in.chmod(0o755)
        self.environment = {"PATH": f"{self.directory}/bin:{os.environ['PATH']}",
                            "HOME": directory.name, "DATABASE_URL": "sqlite:app.db"}

    def write_env(self, text):
        path = self.directory / ".env"
        path.touch(mode=0o600)
        path.write_text(text)

    def write_values(self):
        self.write_env("".join(f"{name}='{value}'\n" for name, value in VALUES.items()))

    def shell(self, command, **environment):
        return subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=self.directory,
                              env={**self.environment, **environment}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)


class Readme(DocumentTest):
    def test_the_minute_looks_as_shown(self):
        transcript, = blocks("README.md", "console")
        steps = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", transcript, re.MULTILINE)
        self.assertEqual(steps[0][0], "cat .env")
        self.write_env(steps[0][1].rstrip("\n") + "\n")
        for command, shown in steps[:-1]:
            self.assertEqual(self.shell(command).stdout, shown.rstrip("\n") + "\n", command)
        # The last one shows what psql would do.
        self.assertIn("psql host=db password=s3cret\n", self.shell(steps[-1][0]).stdout)


class Commands(DocumentTest):
    def write_database(self):
        """Where Qarion's plan finds a token that the present key opens."""
        (self.directory / "app.db").unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(self.directory / "app.db")) as database, database:
            database.execute("CREATE TABLE instances (id INTEGER PRIMARY KEY, database_url TEXT)")
            database.execute("CREATE TABLE export_configs (id INTEGER PRIMARY KEY, credentials TEXT)")
            token = Fernet(VALUES["INSTANCE_ENCRYPTION_KEY"]).encrypt(b"fake-value").decode()
            database.execute("INSERT INTO instances VALUES (1, ?)", (token,))

    def assert_works(self, command):
        if "| jq" in command and not shutil.which("jq"):
            command = command.partition("| jq")[0]
        self.write_values()
        (self.directory / "old.log").write_text("fake-exported\n")
        (self.directory / "value").write_text("fake-value")
        (self.directory / "values.json").write_text('["fake-exported"]')
        for name in ("logs", "artifacts"):
            (self.directory / name).mkdir(exist_ok=True)
        (self.directory / "logs" / "old.log").write_text(VALUES["POSTGRES_PASSWORD"])
        self.write_database()
        done = self.shell(command)
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}")
        return done.stdout

    def test_ways_to_run_a_service(self):
        lines = [line for line in blocks("docs/guide/operators.md", "sh")[1].splitlines() if line]
        self.assertEqual(len(lines), 6)
        for line in lines:
            shown = self.assert_works(line)
            if "--no-scrub" not in line:
                self.assertIn("=***\n", shown, line)
                for value in VALUES.values():
                    self.assertNotIn(value, shown, line)

    def test_lines_for_old_logs(self):
        lines = blocks("docs/guide/operators.md", "sh")[-2].splitlines()
        self.assertEqual(len(lines), 5)
        for line in lines:
            self.assertIn("qsecrets scrub", line)
            self.assert_works(line)
            if "--in-place" in line:
                self.assertEqual((self.directory / "logs" / "old.log").read_text(), "***")

    def test_hook_before_a_commit(self):
        if not shutil.which("git"):
            self.skipTest("git is not installed")
        self.write_values()
        self.shell("git init -q")
        hook = self.directory / ".git" / "hooks" / "pre-commit"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(blocks("docs/guide/operators.md", "bash")[0])
        hook.chmod(0o755)
        for text, can_commit in (("clean", True), (VALUES["POSTGRES_PASSWORD"], False)):
            (self.directory / "config").write_text(text + "\n")
            done = self.shell("git add config && git -c user.name=Fake -c user.email=fake@example.com commit -qm x")
            self.assertEqual(done.returncode == 0, can_commit, done.stdout)
        self.assertIn("(standard input):7:2: POSTGRES_PASSWORD\n", done.stdout)
        self.assertNotEqual(self.shell(f"GIT_DIR=nowhere {hook}").returncode, 0)

    def test_lines_for_scripts(self):
        lines = blocks("docs/guide/operators.md", "sh")[-1].splitlines()
        shown = {line.partition(" ")[0]: self.assert_works(line) for line in lines}
        self.assertIn(f"password={VALUES['POSTGRES_PASSWORD']}", shown["psql"])
        self.assertEqual(set(shown), {"psql", "eval", "qsecrets", "some-command"})

    def test_lines_for_encrypting(self):
        lines = blocks("docs/guide/encryption.md", "sh")[0].splitlines()
        shown = {" ".join(line.split()[:4]): self.assert_works(line) for line in lines}
        self.assertEqual(shown["qsecrets fernet decrypt <"], "fake-value")
        self.assertIn("key         INSTANCE_ENCRYPTION_KEY ", shown["qsecrets fernet inspect <"])
        self.assertIn('"key": null', shown["qsecrets fernet inspect --output"])

    def test_examples_of_the_manual_page(self):
        page = text_of("docs/qsecrets.1").replace("\\-", "-").replace("\\&", "")
        lines = page.partition(".SH EXAMPLES\n.nf\n")[2].partition(".fi")[0].splitlines()
        self.assertGreater(len(lines), 4)
        for line in lines:
            self.assert_works(line)


    def test_examples_of_the_help(self):
        run = 0
        for command in commands(self.shell):
            shown = self.shell(f"qsecrets {command} --help").stdout
            examples = re.split("^Examples?:\n", shown, flags=re.MULTILINE)[-1]
            for line in examples.partition("\n\n")[0].splitlines():
                # Behind two spaces the line says what it is for.
                self.assert_works(re.split(" {2,}", line.strip())[0])
                run += 1
        self.assertGreater(run, 10)
        self.assertEqual((self.directory / "clean.log").read_text(), "***\n")


class Reference(DocumentTest):
    def test_tables_list_every_setting(self):
        self.write_env("")
        done = self.shell("qsecrets status -o json", **SETTINGS)
        known = {setting["name"] for setting in json.loads(done.stdout)["settings"]}
        self.assertEqual(known, set(SETTINGS))
        for document in ("README.md", "docs/guide/operators.md"):
            self.assertEqual(set(first_column(document, "Settings")), known, document)
        for name in known:
            self.assertIn(f".B {name}\n", text_of("docs/qsecrets.1"))

    def test_table_lists_every_field(self):
        listed = [row["name"] for row in json.loads(self.shell("qsecrets list -o json").stdout)]
        self.assertEqual(first_column("docs/guide/operators.md", "Managed fields"),
                         listed + ["LLM_API_KEY_*"])

    def test_manual_page_has_the_options_there_are(self):
        page = text_of("docs/qsecrets.1").replace("\\-", "-")
        in_page = set(re.findall(r"--[a-z-]+", page))
        in_help = set()
        for command in commands(self.shell):
            in_help |= set(re.findall(r"--[a-z-]+", self.shell(f"qsecrets {command} --help").stdout))
        in_help.remove("--port")  # of the service in an example
        self.assertEqual(in_page, in_help)


class Cpp(DocumentTest):
    def compile(self, text):
        source = self.directory / "snippet.cc"
        source.write_text(text)
        done = self.shell(f"'{COMPILER}' -std=c++20 -Wall -Wextra -Werror -fsyntax-only "
                          f"-Wno-unused-variable -I'{SOURCE}/include' snippet.cc")
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_every_block_compiles(self):
        for document in ("README.md", "docs/guide/cpp-developers.md", "docs/guide/encryption.md",
                         "docs/guide/jwt.md", "docs/guide/scrubbing.md"):
            for text in blocks(document, "cpp"):
                is_program = "int main()" in text
                self.compile(CONTEXT + (text if is_program else FRAGMENT.format(text=text)))


if __name__ == "__main__":
    unittest.main()
