#!/usr/bin/env python3
"""`qsecrets jwt rotation` and `jwt drill`: what they print, how they end, and that what is printed works."""
import calendar
import hmac
import json
import os
import pathlib
import resource
import secrets
import subprocess
import time
import unittest

from support import QSECRETS, CommandTest


def new_key():
    return secrets.token_urlsafe(32)


def key_id(key):
    return hmac.digest(b"qarion-secrets jwt key", key.encode(), "sha256").hex()[:16]


def unix(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


class RotationTest(CommandTest):
    def write_keys(self, **keys):
        self.write_env("OTHER=1\n" + "\n".join(f"{name}={key}" for name, key in keys.items()))

    def rotation(self, *options, status=0, env=None):
        result = self.run_command("jwt", "rotation", "-o", "json", *options, env=env)
        self.assertEqual((result.returncode, result.stderr), (status, b""), result.stdout)
        return json.loads(result.stdout)

    def do(self, commands, has_qsecrets=True):
        """As a user would who pastes them. Whether they succeed."""
        path = f"{pathlib.Path(QSECRETS).parent}:" * has_qsecrets + "/usr/bin:/bin"
        done = subprocess.run(["bash"], input="\n".join(commands), text=True, check=False, capture_output=True,
                              cwd=self.directory, env={"PATH": path}, timeout=60)
        return done.returncode == 0

    def keys(self):
        lines = (self.directory / ".env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if line.startswith("SECRET_KEY"))


class Steps(RotationTest):
    def test_what_is_printed_makes_a_whole_rotation(self):
        old = new_key()
        self.write_keys(SECRET_KEY=old)
        advice = self.rotation()
        self.assertEqual((advice["step"], advice["name"]), (0, "idle"))
        self.assertTrue(self.do(advice["commands"]))
        new = self.keys()["SECRET_KEY_NEXT"]
        self.assertEqual(self.keys(), {"SECRET_KEY": old, "SECRET_KEY_NEXT": new})

        advice = self.rotation()
        self.assertEqual((advice["step"], advice["name"]), (1, "announced"))
        self.assertEqual(advice["keys"], {"current": key_id(old), "previous": None, "next": key_id(new)})
        self.assertEqual(advice["set"], {"SECRET_KEY_PREVIOUS": "SECRET_KEY", "SECRET_KEY": "SECRET_KEY_NEXT",
                                         "SECRET_KEY_NEXT": None})
        self.assertTrue(self.do(advice["commands"]))
        self.assertEqual(self.keys(), {"SECRET_KEY": new, "SECRET_KEY_PREVIOUS": old})

        advice = self.rotation()
        self.assertEqual((advice["step"], advice["name"]), (2, "promoted"))
        self.assertTrue(self.do(advice["commands"]))
        self.assertEqual(self.keys(), {"SECRET_KEY": new})
        self.assertIn("OTHER=1\n", (self.directory / ".env").read_text())
        self.assertEqual((self.directory / ".env").stat().st_mode & 0o777, 0o600)

    def test_what_is_printed_after_a_leak(self):
        keys = {"SECRET_KEY": new_key(), "SECRET_KEY_PREVIOUS": new_key(), "SECRET_KEY_NEXT": new_key()}
        self.write_keys(**keys)
        advice = self.rotation("--leaked")
        self.assertEqual(advice["safe_in_seconds"], 0)
        self.assertTrue(self.do(advice["commands"]))
        self.assertEqual(list(self.keys()), ["SECRET_KEY"])
        self.assertNotIn(self.keys()["SECRET_KEY"], keys.values())

    def test_a_new_key_fits_the_algorithm(self):
        self.write_keys(SECRET_KEY=secrets.token_urlsafe(64))
        self.assertTrue(self.do(self.rotation("--algorithm", "HS512")["commands"]))
        self.assertEqual(len(self.keys()["SECRET_KEY_NEXT"]), 86)

    def test_lines_that_sed_would_miss_are_for_an_editor(self):
        old, new = new_key(), new_key()
        for text in (f"export SECRET_KEY={old}\nSECRET_KEY_NEXT={new}\n",
                     f"SECRET_KEY={old}\n  SECRET_KEY_NEXT={new}\n",
                     f"'SECRET_KEY'={old}\nSECRET_KEY_NEXT={new}\n",
                     f"SECRET_KEY ={old}\nSECRET_KEY_NEXT={new}\n",
                     f"export SECRET_KEY={new_key()}\nSECRET_KEY={old}\nSECRET_KEY_NEXT={new}\n"):
            self.write_env(text)
            commands = self.rotation()["commands"]
            self.assertTrue(all(line.startswith("# ") for line in commands), commands)
            self.assertIn("with an editor", commands[0])
            self.assertNotIn("keygen", "".join(commands))
        self.write_env(f"export SECRET_KEY={old}\n")
        self.assertEqual(self.rotation()["commands"][-1], "# a new key: qsecrets jwt keygen")

    def test_empty_lines_of_a_template_go(self):
        old = new_key()
        self.write_env(f"SECRET_KEY={old}\nSECRET_KEY_PREVIOUS=\nSECRET_KEY_NEXT=\n")
        self.assertTrue(self.do(self.rotation()["commands"]))
        new = self.keys()["SECRET_KEY_NEXT"]
        self.assertTrue(self.do(self.rotation()["commands"]))
        self.assertEqual(self.keys(), {"SECRET_KEY": new, "SECRET_KEY_PREVIOUS": old})

    def test_without_a_new_key_nothing_is_written(self):
        self.write_keys(SECRET_KEY=new_key())
        before = self.keys()
        for options in ((), ("--leaked",)):
            self.assertFalse(self.do(self.rotation(*options)["commands"], has_qsecrets=False))
            self.assertEqual(self.keys(), before)

    def test_promoting_twice_promotes_once(self):
        old, new = new_key(), new_key()
        self.write_keys(SECRET_KEY=old, SECRET_KEY_NEXT=new)
        commands = self.rotation()["commands"]
        self.assertTrue(self.do(commands))
        self.assertFalse(self.do(commands))
        self.assertEqual(self.keys(), {"SECRET_KEY": new, "SECRET_KEY_PREVIOUS": old})

    def test_a_link_to_the_file_stays_one(self):
        old = new_key()
        self.write_keys(SECRET_KEY=old)
        (self.directory / ".env").rename(self.directory / "real")
        (self.directory / ".env").symlink_to("real")
        self.assertTrue(self.do(self.rotation()["commands"]))
        self.assertTrue((self.directory / ".env").is_symlink())
        self.assertEqual(set(self.keys()), {"SECRET_KEY", "SECRET_KEY_NEXT"})

    def test_text_for_people(self):
        old, new = new_key(), new_key()
        self.write_keys(SECRET_KEY=new, SECRET_KEY_PREVIOUS=old)
        made = int(time.time()) - 3600
        text = self.run_command("jwt", "rotation", "--since", str(made)).stdout.decode()
        self.assertIn("step        2 of 3, promoted\n", text)
        self.assertIn(f"keys        current {key_id(new)}, previous {key_id(old)}, next none\n", text)
        self.assertIn("next        remove SECRET_KEY_PREVIOUS\n", text)
        self.assertRegex(text, r"\nsafe        in 37 min \d+ s, at 20")
        self.assertIn("\n# not before 20", text)
        self.assertNotIn(old, text)
        self.assertNotIn(new, text)


class Times(RotationTest):
    MADE = 1767225600  # 2026-01-01T00:00:00Z

    def safe_after(self, *options, **settings):
        return unix(self.rotation("--since", str(self.MADE), *options, env=settings)["safe_at"]) - self.MADE

    def test_of_promoting(self):
        self.write_keys(SECRET_KEY=new_key(), SECRET_KEY_NEXT=new_key())
        self.assertEqual(self.safe_after(), 300 + 3600 + 30)
        self.assertEqual(self.safe_after(SECRETS_CACHE_TTL="60", SECRETS_MAX_STALE="0"), 60 + 30)
        self.assertEqual(self.safe_after(SECRETS_CACHE_TTL="0"), 30)

    def test_that_no_clock_can_say_are_refused(self):
        self.write_keys(SECRET_KEY=new_key(), SECRET_KEY_NEXT=new_key())
        for option, value, words in (("--ttl", "31622401", "366 days"), ("--leeway", "9223372036", "366 days"),
                                     ("--since", "9223372036", "in the future")):
            self.assert_fails(self.run_command("jwt", "rotation", option, value), 64, option, words)

    def test_of_retiring(self):
        self.write_keys(SECRET_KEY=new_key(), SECRET_KEY_PREVIOUS=new_key())
        self.assertEqual(self.safe_after(), 300 + 3600 + 30 + 1800 + 60 + 60)
        self.assertEqual(self.safe_after("--ttl", "100", "--leeway", "5"), 300 + 3600 + 30 + 100 + 5 + 60)

    def test_settings_of_the_env_file_count(self):
        self.write_env(f"SECRETS_CACHE_TTL=10\nSECRETS_MAX_STALE=5\nSECRET_KEY={new_key()}\n"
                       f"SECRET_KEY_NEXT={new_key()}\n")
        self.assertEqual(self.safe_after(), 10 + 5 + 30)

    def test_without_since_it_is_counted_from_now(self):
        self.write_keys(SECRET_KEY=new_key(), SECRET_KEY_NEXT=new_key())
        advice = self.rotation()
        self.assertEqual(advice["safe_in_seconds"], 3930)
        self.assertIn("does not tell", advice["because"])

    def test_variables_of_processes_need_restarts(self):
        keys = {"SECRET_KEY": new_key(), "SECRET_KEY_PREVIOUS": new_key()}
        advice = self.rotation(env=keys)
        self.assertIsNone(advice["safe_at"])
        self.assertIn("restarted", advice["because"])
        self.assertIn("restart", "\n".join(advice["commands"]))
        self.assertEqual(self.safe_after(**keys), 1800 + 60 + 60)


class Mistakes(RotationTest):
    def assert_finds(self, severity, subject, *words, options=(), **keys):
        self.write_keys(**keys)
        advice = self.rotation(*options, status=78 if severity == "error" else 0)
        finding, = advice["findings"]
        self.assertEqual((finding["severity"], finding["subject"]), (severity, subject))
        self.assertNotEqual(finding["cure"], "")
        for word in words:
            self.assertIn(word, finding["problem"])
        for key in keys.values():
            self.assertNotIn(key, json.dumps(advice))

    def test_each(self):
        a, b, c = new_key(), new_key(), new_key()
        self.assert_finds("error", "SECRET_KEY_PREVIOUS", "same key as SECRET_KEY", SECRET_KEY=a,
                          SECRET_KEY_PREVIOUS=a)
        self.assert_finds("error", "SECRET_KEY_NEXT", "same key as SECRET_KEY", SECRET_KEY=a, SECRET_KEY_NEXT=a)
        self.assert_finds("error", "SECRET_KEY_NEXT", "same key as SECRET_KEY_PREVIOUS", SECRET_KEY=a,
                          SECRET_KEY_PREVIOUS=b, SECRET_KEY_NEXT=b)
        self.assert_finds("error", "SECRET_KEY_NEXT", SECRET_KEY=a, SECRET_KEY_NEXT="fake-short")
        self.assert_finds("error", "SECRET_KEY", SECRET_KEY="fake-short")
        self.assert_finds("warning", "SECRET_KEY_PREVIOUS", SECRET_KEY=a, SECRET_KEY_PREVIOUS="fake-short")
        self.assert_finds("error", "SECRET_KEY_NEXT", "SECRET_KEY is not", SECRET_KEY_NEXT=a)
        self.assert_finds("error", "SECRET_KEY_PREVIOUS", "SECRET_KEY is not", SECRET_KEY_PREVIOUS=a)
        self.assert_finds("error", "SECRET_KEY", "is not set")
        self.assert_finds("error", "SECRET_KEY_NEXT", "before the last one", SECRET_KEY=a,
                          SECRET_KEY_PREVIOUS=b, SECRET_KEY_NEXT=c)
        self.assert_finds("warning", "SECRET_KEY_NEXT", "before the last one", options=("--since", "1767225600"),
                          SECRET_KEY=a, SECRET_KEY_PREVIOUS=b, SECRET_KEY_NEXT=c)
        self.assert_finds("warning", "SECRET_KEY_PREVIOUS", "is still set", options=("--since", "1767225600"),
                          SECRET_KEY=a, SECRET_KEY_PREVIOUS=b)

    def test_after_a_leak(self):
        self.assert_finds("error", "SECRET_KEY", options=("--leaked",), SECRET_KEY="fake-short")

    def test_a_short_key_of_another_algorithm(self):
        self.assert_finds("error", "SECRET_KEY", options=("--algorithm", "HS512"), SECRET_KEY=new_key())


class Drill(RotationTest):
    def drill(self, *options, env=None):
        result = self.run_command("jwt", "drill", "-o", "json", *options, env=env)
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        return json.loads(result.stdout)

    @staticmethod
    def rejected(order):
        return sum(step["rejected"] for step in order["steps"])

    def test_two_keys_reject_and_three_steps_do_not(self):
        two, fetching, three = self.drill("--partitioned", "1")["orders"]
        self.assertGreater(self.rejected(two), 0)
        self.assertGreater(self.rejected(fetching), 0)
        self.assertEqual([step["step"] for step in three["steps"]], ["before", "announce", "promote", "retire"])
        self.assertEqual(self.rejected(three), 0)
        self.assertGreater(three["late"], 0)
        self.assertEqual(three["late_accepted"], 0)

    def test_takes_the_settings_and_no_secret(self):
        shown = self.drill(env={"SECRETS_CACHE_TTL": "0", "SECRETS_BACKEND": "vault", "VAULT_ADDR": "http://127.0.0.1:1"})
        self.assertEqual((shown["cache_ttl"], shown["max_stale"]), (0, 3600))
        self.assertEqual([self.rejected(order) for order in shown["orders"]], [0, 0, 0])
        self.assertEqual(self.drill("--cache-ttl", "7", env={"SECRETS_CACHE_TTL": "0"})["cache_ttl"], 7)

    def test_the_seed_decides(self):
        self.assertEqual(self.drill(), self.drill("--seed", "1"))
        self.assertNotEqual(self.drill()["orders"], self.drill("--seed", "2")["orders"])

    def test_haste(self):
        self.assertGreater(self.rejected(self.drill("--hasty")["orders"][2]), 0)

    def test_limits(self):
        for options in (("--replicas", "65"), ("--replicas", "0"), ("--ttl", "0"), ("--leeway", "3601"),
                        ("--cache-ttl", "86401"), ("--max-stale", "604801"), ("--partitioned", "9")):
            self.assert_fails(self.run_command("jwt", "drill", *options), 64)
        self.assert_fails(self.run_command("jwt", "drill", env={"SECRETS_CACHE_TTL": "x"}), 78, "SECRETS_CACHE_TTL")

    @staticmethod
    def processor_seconds():
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    def test_is_over_soon(self):
        begun = self.processor_seconds()
        self.drill("--replicas", "64", "--cache-ttl", "1", "--max-stale", "604800", "--ttl", "31622400")
        if "ASAN_OPTIONS" not in os.environ and "TSAN_OPTIONS" not in os.environ:
            self.assertLess(self.processor_seconds() - begun, 5)


if __name__ == "__main__":
    unittest.main()
