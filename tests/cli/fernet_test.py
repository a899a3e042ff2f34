#!/usr/bin/env python3
"""`qsecrets fernet`: what it prints, how it ends, and that Python's `cryptography` understands it."""
import base64
import hashlib
import json
import os
import pty
import re
import resource
import secrets
import shutil
import stat
import subprocess
import unittest

from support import QSECRETS, CommandTest

try:
    from cryptography.fernet import Fernet
except ImportError:
    Fernet = None

SANITIZED = "ASAN_OPTIONS" in os.environ or "TSAN_OPTIONS" in os.environ
# The specification's token of "hello" and its key, which everybody has.
TOKEN = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA=="
PUBLISHED = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="
INVALID = b"qsecrets: error: the token is not valid: it was changed, is too old, or was made with another key\n"
CURRENT, PREVIOUS = "INSTANCE_ENCRYPTION_KEY", "INSTANCE_ENCRYPTION_KEY_PREVIOUS"


def new_key():
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def fingerprint(key):
    return hashlib.sha256(b"qarion-secrets fernet key" + base64.urlsafe_b64decode(key)).hexdigest()[:16]


class FernetTest(CommandTest):
    def fernet(self, *arguments, **options):
        return self.run_command("fernet", *arguments, **options)

    def write_key(self, *keys, name="key", end="\n"):
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_bytes("".join(key + end for key in keys).encode())
        return name

    def on_a_terminal(self, *arguments):
        """What is shown there, up to the first line break."""
        parent, child = pty.openpty()
        self.fernet(*arguments, stdout=child)
        shown = b""
        while not shown.endswith(b"\n"):
            shown += os.read(parent, 1000)
        os.close(child)
        os.close(parent)
        return shown

    def assert_prints(self, result, output):
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, output, b""))

    def assert_invalid(self, result):
        self.assertEqual((result.returncode, result.stdout, result.stderr), (65, b"", INVALID))


class Keygen(FernetTest):
    def test_prints_44_characters_and_nothing_else(self):
        keys = {self.fernet("keygen").stdout for _ in range(3)}
        self.assertEqual(len(keys), 3)
        for key in keys:
            self.assertRegex(key, rb"^[A-Za-z0-9_-]{43}=$")
            self.assertEqual(len(base64.urlsafe_b64decode(key)), 32)

    def test_adds_a_newline_on_a_terminal(self):
        self.assertRegex(self.on_a_terminal("keygen"), rb"^[A-Za-z0-9_-]{43}=\r\n$")

    def test_writes_a_file_that_nobody_else_may_read(self):
        result = self.fernet("keygen", "--out", "new.key")
        self.assertRegex(result.stdout, rb"^key [0-9a-f]{16} is in new.key\n$")
        path = self.directory / "new.key"
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertRegex(path.read_bytes(), rb"^[A-Za-z0-9_-]{43}=$")
        self.assertNotIn(path.read_bytes(), result.stdout)

    def test_overwrites_nothing(self):
        self.write_key("fake-content")
        self.assert_fails(self.fernet("keygen", "--out", "key"), 74, "cannot write 'key': File exists")
        self.assertEqual((self.directory / "key").read_text(), "fake-content\n")

    def test_keeps_the_key_where_its_output_cannot_be_written(self):
        with open("/dev/full", "wb") as full:
            told = self.fernet("keygen", "--out", "key", stdout=full)
            self.assertEqual(self.fernet("keygen", stdout=full).returncode, 74)
        key = (self.directory / "key").read_text()
        self.assert_fails(told, 74, f"No space left on device; the key {fingerprint(key)} is in key all the same")

    @unittest.skipIf(SANITIZED, "sanitizers write files of their own")
    def test_leaves_no_file_where_none_may_grow(self):
        result = self.fernet("keygen", "--out", "key", limits={resource.RLIMIT_FSIZE: 10})
        self.assert_fails(result, 74, "cannot write 'key': File too large", "ulimit -f")
        self.assertFalse((self.directory / "key").exists())

    def test_prints_no_key_where_the_name_of_its_file_is_empty(self):
        self.assert_fails(self.fernet("keygen", "--out", ""), 64, "--out", "is empty")
        self.assert_fails(self.fernet("keygen", "--out=", "--help"), 64, "--out", "what follows is an option")


class EncryptAndDecrypt(FernetTest):
    def test_every_byte_comes_back(self):
        self.write_env(f"{CURRENT}={new_key()}\n")
        for value in (b"", b"fake-value", b"two\nlines\n", bytes(range(256)), secrets.token_bytes(100_000)):
            token = self.fernet("encrypt", stdin=value).stdout
            self.assertRegex(token, rb"^gAAAAA[A-Za-z0-9_-]+=*$")
            self.assert_prints(self.fernet("decrypt", stdin=token), value)
            if len(token) < 100_000:
                self.assert_prints(self.fernet("decrypt", token.decode()), value)

    @unittest.skipUnless(Fernet, "cryptography is not installed")
    def test_python_and_we_understand_each_other(self):
        key = new_key()
        self.write_key(key)
        token = self.fernet("encrypt", "--key-file", "key", "--now", "499162800", stdin=b"fake-value").stdout
        self.assertEqual(Fernet(key).decrypt(token), b"fake-value")
        self.assertEqual(Fernet(key).extract_timestamp(token), 499162800)
        theirs = Fernet(key).encrypt(b"fake-other")
        self.assert_prints(self.fernet("decrypt", "--key-file", "key", stdin=theirs), b"fake-other")

    def test_reads_the_token_of_the_specification(self):
        self.write_key(PUBLISHED)
        self.assert_prints(self.fernet("decrypt", "--key-file", "key", TOKEN), b"hello")
        self.assert_prints(self.fernet("decrypt", "--key-file", "key", "-", stdin=TOKEN.encode()), b"hello")

    def test_one_line_break_does_not_belong_to_a_token(self):
        self.write_key(PUBLISHED)
        for end in (b"\n", b"\r\n"):
            self.assert_prints(self.fernet("decrypt", "--key-file", "key", stdin=TOKEN.encode() + end), b"hello")
        for end in (b"\n\n", b" ", b"\r"):
            self.assert_invalid(self.fernet("decrypt", "--key-file", "key", stdin=TOKEN.encode() + end))
            self.assert_prints(
                self.fernet("decrypt", "--lenient", "--key-file", "key", stdin=TOKEN.encode() + end), b"hello")

    def test_says_one_line_of_a_bad_token_whatever_is_wrong(self):
        self.write_key(new_key())
        for token in (TOKEN, "fake-token", TOKEN[:-4], "A" + TOKEN):
            self.assert_invalid(self.fernet("decrypt", "--key-file", "key", token))
        self.assert_invalid(self.fernet("decrypt", "--key-file", "key"))

    def test_judges_ages(self):
        self.write_key(PUBLISHED)
        for now, ttl, is_valid in ((499162860, 60, True), (499162861, 60, False), (499162740, 60, True),
                                   (499162739, 60, False), (499162800, 0, True)):
            result = self.fernet("decrypt", "--key-file", "key", "--ttl", str(ttl), "--now", str(now), TOKEN)
            if is_valid:
                self.assert_prints(result, b"hello")
            else:
                self.assert_invalid(result)
        self.assert_invalid(self.fernet("decrypt", "--key-file", "key", "--ttl", "60", TOKEN))

    def test_adds_a_newline_on_a_terminal(self):
        self.write_env(f"{CURRENT}={new_key()}\n{PREVIOUS}={PUBLISHED}\n")
        self.assertEqual(self.on_a_terminal("decrypt", TOKEN), b"hello\r\n")
        self.assertRegex(self.on_a_terminal("encrypt"), rb"^gAAAAA.*=\r\n$")

    def test_full_disk_is_an_error(self):
        self.write_key(new_key())
        with open("/dev/full", "wb") as full:
            result = self.fernet("encrypt", "--key-file", "key", stdin=b"fake-value", stdout=full)
        self.assertEqual(result.returncode, 74)
        self.assertIn(b"No space left", result.stderr)


@unittest.skipIf(SANITIZED, "sanitizers take terabytes of addresses")
class Memory(FernetTest):
    def test_its_want_is_said_whatever_is_done(self):
        """Whether the value, its token or something small is what there is no room for."""
        self.write_key(new_key())
        value = bytes(40 << 20)
        token = self.fernet("encrypt", "--key-file", "key", stdin=value).stdout
        for command, stdin in (("encrypt", value), ("decrypt", token), ("inspect", token)):
            for mebibytes in (20, 50, 100, 130):
                result = self.fernet(command, "--key-file", "key", stdin=stdin,
                                     limits={resource.RLIMIT_AS: mebibytes << 20})
                self.assert_fails(result, 69, "memory ran out", "give this process more memory")

    def test_it_ends_in_order_at_every_limit(self):
        self.write_key(new_key())
        statuses = set()
        for kibibytes in range(11_000, 16_000, 100):
            result = self.fernet("encrypt", "--key-file", "key", stdin=b"fake-value",
                                 limits={resource.RLIMIT_AS: kibibytes << 10})
            statuses.add(result.returncode)
            # The dynamic linker ends with 127; OpenSSL does not say what it lacks.
            self.assertIn(result.returncode, (0, 69, 70, 127), result.stderr)
            self.assertEqual(b"please report it" in result.stderr, False, result.stderr)
        self.assertLessEqual({0, 69}, statuses)


class Keys(FernetTest):
    def test_are_the_backends_current_and_previous(self):
        old, new = new_key(), new_key()
        self.write_env(f"{CURRENT}={old}\n")
        old_token = self.fernet("encrypt", stdin=b"fake-value").stdout
        self.write_env(f"{CURRENT}={new}\n{PREVIOUS}={old}\n")
        new_token = self.fernet("encrypt", stdin=b"fake-value").stdout
        for token in (old_token, new_token):
            self.assert_prints(self.fernet("decrypt", stdin=token), b"fake-value")
        self.write_env(f"{CURRENT}={new}\n{PREVIOUS}=\n")
        self.assert_prints(self.fernet("decrypt", stdin=new_token), b"fake-value")
        self.assert_invalid(self.fernet("decrypt", stdin=old_token))

    def test_are_those_of_files_in_their_order(self):
        first, second, third = new_key(), new_key(), new_key()
        self.write_key(first, name="one")
        self.write_key(second, third, name="two", end="\r\n")
        files = ("--key-file", "one", "--key-file", "two")
        token = self.fernet("encrypt", *files, stdin=b"fake-value").stdout
        self.assert_prints(self.fernet("decrypt", "--key-file", "one", stdin=token), b"fake-value")
        self.write_key(third, name="three", end="")
        token = self.fernet("encrypt", "--key-file", "three", stdin=b"fake-value").stdout
        self.assert_prints(self.fernet("decrypt", *files, stdin=token), b"fake-value")

    def test_come_through_a_descriptor(self):
        key = new_key()
        token = subprocess.run(
            ["bash", "-c", f"printf fake-value | '{QSECRETS}' fernet encrypt --key-file <(printf {key})"],
            capture_output=True, check=True).stdout
        read_end, write_end = os.pipe()
        os.write(write_end, key.encode() + b"\n")
        os.close(write_end)
        result = self.fernet("decrypt", "--key-file", f"/dev/fd/{read_end}", stdin=token, pass_fds=(read_end,))
        os.close(read_end)
        self.assert_prints(result, b"fake-value")

    def test_are_missing(self):
        for arguments in (("encrypt",), ("decrypt", TOKEN), ("inspect", TOKEN)):
            self.assert_fails(self.fernet(*arguments), 78, f"{CURRENT} is not set in the backend 'env'")
            self.assert_fails(self.fernet(*arguments, "--key-file", "gone"), 78, "--key-file", "'gone'")

    def test_are_refused_where_they_cannot_be_any(self):
        key = new_key()
        for text, words in ((key + " ", "white space"), ("\n" + key, "line 1 of 'key' has 0 characters"),
                            (key + "\n" + key[1:], "line 2 of 'key' has 43 characters"), ("", "is empty")):
            self.write_key(text, end="")
            result = self.fernet("decrypt", "--key-file", "key", TOKEN)
            self.assert_fails(result, 78, "--key-file", words)
            self.assertNotIn(key[1:10], result.stderr.decode())
        self.write_env(f"{CURRENT}=fake-key\n")
        self.assert_fails(self.fernet("decrypt", TOKEN), 78, f"{CURRENT} has 8 characters")

    def test_are_put_back_where_their_file_is_damaged(self):
        """A new one would open nothing that there is."""
        for text in ("", "fake-key", new_key()[1:]):
            self.write_key(text, end="")
            self.assert_fails(self.fernet("decrypt", "--key-file", "key", TOKEN), 78, "put the right key there")

    def test_are_not_in_a_file_of_any_size(self):
        self.write_env(f"{CURRENT}={new_key()}\n")
        self.write_key(*[new_key()] * 2000)
        self.assert_fails(self.fernet("decrypt", "--key-file", "key", TOKEN), 78, "larger than the limit of 65536 bytes")
        self.assert_fails(self.run_command("rotate", "encryption-key", "--old-key-file", "key"), 78, "65536")

    def test_are_not_of_the_backend_where_the_name_of_their_file_is_empty(self):
        self.write_env(f"{CURRENT}={new_key()}\n")
        for command in ("encrypt", "decrypt", "inspect"):
            self.assert_fails(self.fernet(command, "--key-file", ""), 64, "--key-file", "is empty")

    def test_are_named_once(self):
        self.write_key(new_key())
        self.assert_fails(self.fernet("decrypt", "--key-file", "key", "--key-file", "key", TOKEN), 64, "given twice")

    def test_encrypt_nothing_where_everybody_has_them(self):
        for key in (PUBLISHED, "A" * 43 + "="):
            self.write_key(key)
            self.assert_fails(self.fernet("encrypt", "--key-file", "key", stdin=b"x"), 78, "key")
            self.write_env(f"{CURRENT}={key}\n")
            self.assert_fails(self.fernet("encrypt", stdin=b"x"), 78, CURRENT)

    def test_are_not_shown_where_a_path_is_expected(self):
        key = new_key()
        for arguments in (("decrypt", "--key-file", key, TOKEN), ("keygen", "--out", key)):
            result = self.fernet(*arguments)
            self.assert_fails(result, 78, "is a key where the path")
            self.assertNotIn(key, result.stderr.decode())
        # A build that counts lines leaves its counts.
        self.assertEqual([name for name in os.listdir(self.directory) if not name.endswith(".profraw")], [])


class Inspect(FernetTest):
    def test_shows_which_key_opens_a_token(self):
        self.write_key(new_key(), PUBLISHED)
        shown = json.loads(self.fernet("inspect", "-o", "json", "--key-file", "key", TOKEN).stdout)["key"]
        self.assertEqual(shown["name"], "key line 2")
        self.assertEqual(shown["fingerprint"], fingerprint(PUBLISHED))
        self.assert_prints(self.fernet("inspect", "--key-file", "key", TOKEN), (
            "time        1985-10-26T08:20:00Z (499162800)\n"
            "token       100 characters, canonical\n"
            "ciphertext  16 bytes\n"
            "plaintext   5 bytes\n"
            "key         key line 2 bf356a7a6c234d62\n").encode())

    def test_shows_what_there_is_to_see_without_the_key(self):
        self.write_env(f"{CURRENT}={new_key()}\n")
        shown = self.fernet("inspect", TOKEN).stdout.decode()
        self.assertIn("1985-10-26T08:20:00Z (499162800), not verified\n", shown)
        self.assertIn("key         none\n", shown)
        self.assertEqual(json.loads(self.fernet("inspect", "-o", "json", TOKEN).stdout), {
            "time": "1985-10-26T08:20:00Z", "unix_time": 499162800, "is_verified": False, "token_characters": 100,
            "is_canonical": True, "ciphertext_bytes": 16, "plaintext_bytes": None, "key": None})

    def test_names_the_setting_that_the_key_is_from(self):
        self.write_env(f"{CURRENT}={new_key()}\n{PREVIOUS}={PUBLISHED}\n")
        self.assertIn(f"key         {PREVIOUS} bf356a7a6c234d62\n".encode(), self.fernet("inspect", TOKEN).stdout)

    def test_says_what_has_to_be_read_leniently(self):
        self.write_key(PUBLISHED)
        token = TOKEN.replace("_", "/").replace("-", "+")
        shown = self.fernet("inspect", "--key-file", "key", token).stdout.decode()
        self.assertIn("token       100 characters, to be read with --lenient\n", shown)
        self.assertIn("plaintext   5 bytes\n", shown)

    def test_shows_times_that_nobody_can_write(self):
        """The vectors' token that is dated 2^64-1."""
        token = ("gP__________AAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLKzZbl-yQSBnTVqvaMmzCAMSONBGqIRpqe8qU2JUFw0"
                 "iw==")
        self.write_key(PUBLISHED)
        shown = self.fernet("inspect", "--key-file", "key", token).stdout.decode()
        self.assertIn("time        after the year 9999 (18446744073709551615)\n", shown)
        self.assertIn("plaintext   5 bytes\n", shown)
        described = json.loads(self.fernet("inspect", "-o", "json", "--key-file", "key", token).stdout)
        self.assertEqual((described["time"], described["unix_time"]), (None, 2 ** 64 - 1))

    def test_says_one_line_of_what_is_no_token(self):
        self.write_key(PUBLISHED)
        for text in ("fake-token", TOKEN[4:], "gAAA", "="):
            result = self.fernet("inspect", "--key-file", "key", text)
            self.assertEqual((result.returncode, result.stdout, result.stderr.count(b"\n")), (65, b"", 1), text)
            self.assertIn(b"qsecrets: error: this is no token", result.stderr)


class CommandLine(FernetTest):
    def test_help_of_everything(self):
        for command in ((), ("keygen",), ("encrypt",), ("decrypt",), ("inspect",)):
            result = self.fernet(*command, "--help")
            self.assertEqual((result.returncode, result.stderr), (0, b""), command)
            self.assertIn(" ".join(("Usage: qsecrets fernet", *command)).encode(), result.stdout)

    def test_wrong_usage(self):
        self.assertEqual(self.fernet().returncode, 64)
        self.assert_fails(self.fernet("keygne"), 64, "there is no command 'fernet keygne'", "keygen?")
        self.assert_fails(self.fernet("decrypt", "--ttll=3", TOKEN), 64, "no option '--ttll'", "fernet decrypt --help")
        for value in ("x", "-1", "1.5", "", "99999999999"):
            self.assert_fails(self.fernet("decrypt", f"--ttl={value}", TOKEN), 64, "--ttl")
        result = self.fernet("encrypt", "fake-plaintext")
        self.assert_fails(result, 64, "an argument too many")
        self.assertNotIn(b"fake-plaintext", result.stderr)


class SecondProgram(FernetTest):
    """`qsecrets` becomes another program for this (docs/adr/0010)."""

    def loaded(self, *arguments):
        """The names of the libraries that the dynamic linker loads."""
        shown = self.run_command(*arguments, env={"LD_DEBUG": "files", "SMTP_PASSWORD": "fake-password"}).stderr
        if b"calling init" not in shown:
            self.skipTest("the dynamic linker does not say what it loads")
        return set(re.findall(r"calling init: \S*/(lib[a-z+]+)", shown.decode()))

    def test_nothing_else_maps_libcrypto(self):
        for arguments in (("get", "SMTP_PASSWORD"), ("list",), ("check",), ("--help",), ("exec", "--", "true")):
            self.assertNotIn("libcrypto", self.loaded(*arguments), arguments)
        self.assertIn("libcrypto", self.loaded("fernet", "keygen"))

    def install(self):
        """A copy in a directory of modules."""
        program = os.path.join(os.path.dirname(QSECRETS), "../lib/qarion-secrets/qsecrets-keys")
        if not os.path.exists(program):
            self.skipTest("the second program is elsewhere")
        modules = self.directory / "modules"
        modules.mkdir(mode=0o755)
        copy = modules / "qsecrets-keys"
        shutil.copy(program, copy)
        copy.chmod(0o755)
        return copy

    def test_is_only_run_where_nobody_else_can_change_it(self):
        copy = self.install()
        env = {"QARION_SECRETS_MODULE_DIR": str(copy.parent)}
        self.assertEqual(self.fernet("keygen", env=env).returncode, 0)
        copy.chmod(0o757)
        self.assert_fails(self.fernet("keygen", env=env), 78, "can be changed by every user")
        copy.chmod(0o644)
        self.assert_fails(self.fernet("keygen", env=env), 74, "cannot run", "Permission denied")
        copy.unlink()
        self.assert_fails(self.fernet("keygen", env=env), 78, "qsecrets-keys cannot be opened: No such file",
                          "install the program qsecrets-keys there")

    def test_finds_the_modules_that_it_is_installed_among(self):
        copy = self.install()
        result = subprocess.run([copy, "fernet", "encrypt"], capture_output=True, check=False,
                                env={"SECRETS_BACKEND": "vault"})
        self.assert_fails(result, 78, f"{copy.parent}/qarion_secrets_vault.so does not exist")


if __name__ == "__main__":
    unittest.main()
