#!/usr/bin/env python3
"""environment_test.py QSECRETS: what a command started by `qsecrets exec` finds in its environment."""
import json
import os
import pathlib
import signal
import subprocess
import unittest

from support import MULTI_LINE, PYTHON, ExecCase, QSECRETS, read_until, wait_for

# Hexadecimal and backwards, or the output would be masked.
DUMP = PYTHON + ["import json, os; print(json.dumps("
                 "{k.decode(): v[::-1].hex() for k, v in os.environb.items()}))"]


class Environment(ExecCase):
    def environment_of_child(self, *options, **others):
        done = self.exec(*options, "--", *DUMP, **others)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        found = {name: bytes.fromhex(value)[::-1].decode() for name, value in
                 json.loads(done.stdout).items()}
        found.pop("LC_CTYPE", None)  # Python's own
        found.pop("__LLVM_PROFILE_RT_INIT_ONCE", None)  # of a build that counts coverage
        return found

    def test_has_the_fields_beside_what_was_inherited(self):
        self.assertEqual(self.environment_of_child(), {**self.environment, **self.values})

    def test_is_the_same_without_scrubbing(self):
        self.assertEqual(self.environment_of_child("--no-scrub"),
                         {**self.environment, **self.values})

    def test_process_environment_wins_over_the_file(self):
        self.environment["SECRET_KEY"] = "fake-from-the-process-environment-32"
        self.assertEqual(self.environment_of_child()["SECRET_KEY"],
                         self.environment["SECRET_KEY"])

    def test_pristine_has_the_fields_alone(self):
        self.assertEqual(self.environment_of_child("--pristine"), self.values)

    def test_only_leaves_the_other_fields_out(self):
        self.environment["LLM_API_KEY_FAKE"] = "fake-inherited-key"
        found = self.environment_of_child("--only", f"SECRET_KEY,{MULTI_LINE}", "--pristine")
        self.assertEqual(set(found), {"SECRET_KEY", MULTI_LINE})
        found = self.environment_of_child("--only", "SECRET_KEY")
        self.assertEqual(set(found), {"SECRET_KEY", *self.environment} - {"LLM_API_KEY_FAKE"})

    def test_only_takes_slash_references(self):
        found = self.environment_of_child("--only", "llm_api_key/fake", "--pristine")
        self.assertEqual(set(found), {"LLM_API_KEY_FAKE"})

    def test_rename_and_prefix(self):
        found = self.environment_of_child("--rename", "POSTGRES_PASSWORD=PGPASSWORD", "--prefix",
                                          "APP_", "--pristine")
        self.assertEqual(found, {
            "PGPASSWORD": self.values["POSTGRES_PASSWORD"],
            "APP_SECRET_KEY": self.values["SECRET_KEY"],
            "APP_LLM_API_KEY_FAKE": self.values["LLM_API_KEY_FAKE"],
            "APP_" + MULTI_LINE: self.values[MULTI_LINE]})

    def test_renamed_field_is_not_inherited_by_its_old_name(self):
        self.environment["POSTGRES_PASSWORD"] = "fake-inherited-password"
        self.environment["PGPASSWORD"] = "fake-older-password"
        found = self.environment_of_child("--rename", "POSTGRES_PASSWORD=PGPASSWORD")
        self.assertNotIn("POSTGRES_PASSWORD", found)
        self.assertEqual(found["PGPASSWORD"], "fake-inherited-password")

    def test_all_passes_every_key_of_the_file(self):
        self.write_env_file({**self.values, "UNMANAGED": "fake-unmanaged-value"})
        self.assertNotIn("UNMANAGED", self.environment_of_child())
        self.assertEqual(self.environment_of_child("--all"),
                         {**self.environment, **self.values, "UNMANAGED": "fake-unmanaged-value"})

    def test_file_variable_of_a_field_is_dropped(self):
        path = self.directory / "password"
        path.touch(mode=0o600)
        path.write_text("fake-password-in-a-file")
        self.write_env_file({"SECRET_KEY": self.values["SECRET_KEY"]})
        self.environment.update(POSTGRES_PASSWORD_FILE=str(path), OTHER_FILE="/elsewhere")
        found = self.environment_of_child()
        self.assertEqual(found["POSTGRES_PASSWORD"], "fake-password-in-a-file")
        self.assertNotIn("POSTGRES_PASSWORD_FILE", found)
        self.assertEqual(found["OTHER_FILE"], "/elsewhere")

    def assert_refused(self, *options, message):
        done = self.exec(*options, "--", "echo", "started")
        self.assertEqual((done.returncode, done.stdout), (125, b""))
        self.assertIn(message, done.stderr.decode())
        self.assert_no_value_in(done.stderr)

    def test_impossible_selections_are_refused(self):
        self.assert_refused("--only", "SECRET_KEYS", message="did you mean SECRET_KEY?")
        self.assert_refused("--only", "SMTP_PASSWORD", message="SMTP_PASSWORD is not set")
        self.assert_refused("--rename", "SMTP_PASSWORD=X", message="SMTP_PASSWORD is not set")
        self.assert_refused("--rename", "SECRET_KEY", message="OLD=NEW")
        self.assert_refused("--rename", "SECRET_KEY=A B", message="not a variable's name")
        self.assert_refused("--rename", "SECRET_KEY=", message="not a variable's name")
        self.assert_refused("--prefix", "1", message="--prefix")
        self.assert_refused("--rename", "SECRET_KEY=POSTGRES_PASSWORD",
                            message="both be passed as POSTGRES_PASSWORD")
        self.assert_refused("--only", "SECRET_KEY", "--rename", "POSTGRES_PASSWORD=X",
                            message="--only")

    def test_a_zero_byte_is_refused(self):
        (self.directory / "SMTP_PASSWORD").write_bytes(b"fake\0value")
        self.environment["SECRETS_DIR"] = str(self.directory)
        self.assert_refused(message="SMTP_PASSWORD")
        self.assert_refused("--no-scrub", message="SMTP_PASSWORD")
        self.assertEqual(self.exec("--only", "SECRET_KEY", "--", "true").returncode, 0)

    def test_a_value_that_is_too_large_is_named(self):
        self.write_env_file({**self.values, "SMTP_PASSWORD": "fake" * 40000})
        for options in ([], ["--no-scrub"]):
            done = self.exec(*options, "--", "true")
            self.assertEqual(done.returncode, 126)
            self.assertIn(b"SMTP_PASSWORD", done.stderr)
            self.assertLess(len(done.stderr), 1000)

    def test_findings_are_reported_and_strict_refuses_them(self):
        self.values["SECRET_KEY"] = "fake-short"
        self.write_env_file(self.values)
        done = self.exec("--", "echo", "started")
        self.assertEqual((done.returncode, done.stdout), (0, b"started\n"))
        self.assertRegex(done.stderr, rb"^qsecrets: warning: SECRET_KEY: [^\n]+\n$")
        self.assert_refused("--strict", message="SECRET_KEY")


class SupervisorInProc(ExecCase):
    def test_shows_no_value(self):
        self.environment["SECRET_KEY"] = self.values["SECRET_KEY"]
        process = self.start("--", "sh", "-c", "echo ready; exec sleep 60")
        read_until(process.stdout.fileno(), b"ready")
        proc = pathlib.Path("/proc", str(process.pid))
        value = self.values["SECRET_KEY"].encode()
        try:
            # The child may be faster than its supervisor.
            wait_for(lambda: value not in (proc / "environ").read_bytes(), "wiping the environment")
            environment = (proc / "environ").read_bytes()
        except PermissionError:
            self.skipTest("the supervisor's environment is hidden from this user altogether")
        self.assertIn(b"AMBIENT=kept", environment)
        self.assert_no_value_in(environment)
        self.assert_no_value_in((proc / "cmdline").read_bytes())

    @unittest.skipIf("QARION_SANITIZED" in os.environ, "sanitizers need memory of their own")
    def test_holds_eight_megabytes_at_most(self):
        process = self.start("--", "sh", "-c", "head -c 20000000 /dev/zero; echo ready; exec sleep 60")
        read_until(process.stdout.fileno(), b"ready")
        for line in pathlib.Path("/proc", str(process.pid), "status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                self.assertLessEqual(int(line.split()[1]), 8192)

    def test_command_has_the_standard_descriptors_alone(self):
        listing = PYTHON + ["import os; print(sorted(os.listdir('/proc/self/fd'))[:-1])"]
        for options in ([], ["--no-scrub"]):
            done = self.exec(*options, "--", *listing)
            self.assertEqual(done.stdout, b"['0', '1', '2']\n")

    def test_closed_streams_stay_closed(self):
        script = f'exec "{QSECRETS}" exec "$@" -- sh -c \'ls /proc/$$/fd\' 0<&- 2>&-'
        for options in ([], ["--no-scrub"]):
            done = subprocess.run(["sh", "-c", script, "sh", *options], cwd=self.directory,
                                  env=self.environment, stdout=subprocess.PIPE)
            # ls opens the directory in a process of its own.
            self.assertEqual(done.stdout.split(), [b"1"])

    def test_no_scrub_keeps_the_process(self):
        process = self.start("--no-scrub", "--", "sh", "-c", "echo $$")
        self.assertEqual(process.stdout.read(), b"%d\n" % process.pid)

    def test_signal_state_is_inherited_unchanged(self):
        show = ["grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"]

        def prepare():
            for number in (signal.SIGHUP, signal.SIGCHLD, signal.SIGUSR1):
                signal.signal(number, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])

        def masks(output):
            # Without 32 and 33, which belong to the C library: a program with threads takes them over.
            return [int(line.split()[1], 16) & ~(3 << 31) for line in output.splitlines()]

        plain = masks(subprocess.run(show, stdout=subprocess.PIPE, preexec_fn=prepare).stdout)
        self.assertEqual(plain[0], 1 << (signal.SIGUSR2 - 1))
        for options in ([], ["--no-scrub"]):
            done = self.exec(*options, "--", *show, preexec_fn=prepare)
            self.assertEqual((done.returncode, masks(done.stdout)), (0, plain))


if __name__ == "__main__":
    unittest.main()
