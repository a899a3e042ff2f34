#!/usr/bin/env python3
"""signal_test.py QSECRETS: exit statuses, signals and processes under `qsecrets exec`."""
import os
import pathlib
import signal
import subprocess
import time
import unittest

from support import PYTHON, QSECRETS, ExecCase, process_state, read_until, wait_for

FORWARDED = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1,
             signal.SIGUSR2, signal.SIGWINCH, signal.SIGALRM, signal.SIGPIPE, signal.SIGABRT,
             signal.SIGRTMIN + 3]
# Says the number of each signal; ends with status 9 at the end of its input.
REPORTER = PYTHON + [f"""
import os, signal, sys
for number in {[int(number) for number in FORWARDED]}:
    signal.signal(number, lambda n, _: os.write(1, b'got %d\\n' % n))
print('ready')
sys.stdin.read()
sys.exit(9)
"""]


class ExitStatus(ExecCase):
    def status(self, *command):
        scrubbed = self.exec("--", *command)
        self.assert_no_value_in(scrubbed.stderr)
        if scrubbed.returncode in (126, 127):
            self.assertRegex(scrubbed.stderr.decode(),
                             r"^qsecrets: error: cannot run '.*': .*\n  to mend it: .*\n$")
        replaced = self.exec("--no-scrub", "--", *command).returncode
        # A replaced process dies of the signal itself.
        self.assertEqual(replaced if replaced >= 0 else 128 - replaced, scrubbed.returncode)
        return scrubbed.returncode

    def test_is_that_of_the_command(self):
        for status in (0, 3, 125, 255):
            self.assertEqual(self.status("sh", "-c", f"exit {status}"), status)

    def test_is_128_and_the_signal_that_ended_it(self):
        self.assertEqual(self.status("sh", "-c", "kill -TERM $$"), 143)
        self.assertEqual(self.status("sh", "-c", "kill -KILL $$"), 137)

    def test_is_127_where_there_is_no_such_command(self):
        self.assertEqual(self.status("fake-command-that-does-not-exist"), 127)
        self.assertEqual(self.status("./missing"), 127)

    def test_tells_a_missing_interpreter_from_a_missing_command(self):
        script = self.directory / "script"
        script.write_text("#!/fake/interpreter\n")
        script.chmod(0o755)
        done = self.exec("--", "./script")
        self.assertEqual(done.returncode, 127)
        self.assertIn(b"interpreter", done.stderr)

    def test_is_126_where_it_cannot_be_run(self):
        (self.directory / "data").write_text("not a program\n")
        self.assertEqual(self.status("./data"), 126)
        self.assertEqual(self.status("/"), 126)

    def test_script_without_interpreter_line_runs_in_the_shell(self):
        script = self.directory / "script"
        script.write_text("exit 4\n")
        script.chmod(0o755)
        self.assertEqual(self.status("./script"), 4)

    def test_is_125_where_qsecrets_fails(self):
        for arguments in ([], ["--"], ["--onyl", "SECRET_KEY", "true"], ["-x", "true"], [""],
                          ["--only"], ["--strict=maybe", "true"]):
            done = self.exec(*arguments)
            self.assertEqual((done.returncode, done.stdout), (125, b""), arguments)
            self.assertNotEqual(done.stderr, b"", arguments)
        self.environment["SECRETS_BACKEND"] = "fake-backend"
        self.assertEqual(self.exec("--", "true").returncode, 125)

    def test_options_after_the_command_are_its_own(self):
        for arguments in (["sh", "-c", "echo --only $1 $2", "sh", "--strict", "--"],
                          ["--", "sh", "-c", "echo --only $1 $2", "sh", "--strict", "--"],
                          ["--strict", "sh", "-c", "echo --only $1 $2", "sh", "--strict", "--"]):
            self.assertEqual(self.exec(*arguments).stdout, b"--only --strict --\n")

    def test_arguments_arrive_byte_for_byte(self):
        arguments = ["[0-9]", "[a,b]", "", " ", "{}", "%%", "++", "--", "list", "-h", "\n", "é"]
        done = self.exec("printf", "<%s>", *arguments)
        self.assertEqual(done.stdout.decode(), "".join(f"<{one}>" for one in arguments))


class Signals(ExecCase):
    def test_each_is_passed_on_once(self):
        process = self.start("--", *REPORTER, stdin=subprocess.PIPE)
        output = process.stdout.fileno()
        read_until(output, b"ready\n")
        for number in FORWARDED:
            os.kill(process.pid, number)
            # The next line would show a signal that came twice.
            self.assertEqual(read_until(output, b"\n"), b"got %d\n" % number)
        process.stdin.close()
        self.assertEqual((process.wait(), process.stdout.read()), (9, b""))

    def test_command_has_its_time_to_clean_up(self):
        process = self.start("--", "sh", "-c",
                             "trap 'sleep 0.7; echo clean; exit 5' TERM; echo ready; "
                             "while :; do sleep 0.05; done")
        read_until(process.stdout.fileno(), b"ready\n")
        process.terminate()
        self.assertEqual((process.stdout.read(), process.wait()), (b"clean\n", 5))

    def test_kill_of_the_supervisor_ends_the_command(self):
        process = self.start("--", "sh", "-c", "echo $$; exec sleep 60")
        child = int(read_until(process.stdout.fileno(), b"\n"))
        process.kill()
        wait_for(lambda: process_state(child) in ("", "Z"), "the command's end")

    def test_status_is_known_where_ends_of_children_are_ignored(self):
        done = self.exec("--", "sh", "-c", "exit 6", restore_signals=False,
                         preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        self.assertEqual(done.returncode, 6)

    def test_stop_by_another_process_does_not_stop_the_supervisor(self):
        process = self.start("--", "sh", "-c", "echo $$; exec sleep 60")
        child = int(read_until(process.stdout.fileno(), b"\n"))
        os.kill(child, signal.SIGSTOP)
        wait_for(lambda: process_state(child) == "T", "the stop")
        time.sleep(0.2)
        self.assertEqual(process_state(process.pid), "S")
        os.kill(process.pid, signal.SIGTERM)  # waits for the command
        os.kill(process.pid, signal.SIGCONT)  # is passed on, since the command is stopped
        self.assertEqual(process.wait(timeout=10), 143)

    def test_command_after_closed_reader_dies_of_sigpipe_as_it_would_alone(self):
        done = subprocess.run(
            ["bash", "-c", '"$@" -- yes | head -1; echo ${PIPESTATUS[0]}', "bash", QSECRETS,
             "exec"], cwd=self.directory, env=self.environment, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=20)
        self.assertEqual((done.stdout, done.stderr), (b"y\n141\n", b""))
        done = self.exec("--", "sh", "-c", "yes | head -1")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"y\n", b""))


class Grandchildren(ExecCase):
    def test_one_that_keeps_the_pipe_does_not_hold_us_up(self):
        begin = time.monotonic()
        process = self.start("--", "sh", "-c", "sleep 60 & echo $!; exit 7")
        output = process.stdout.read()
        self.assertEqual(process.wait(), 7)
        os.kill(int(output), signal.SIGKILL)
        self.assertLess(time.monotonic() - begin, 5)

    def test_what_one_says_shortly_after_the_end_is_passed_on(self):
        process = self.start("--", "sh", "-c", "(sleep 0.05; echo late) & echo early")
        self.assertEqual((process.stdout.read(), process.wait()), (b"early\nlate\n", 0))

    def test_signal_after_the_end_of_the_command_ends_the_drain(self):
        process = self.start("--", "sh", "-c", "echo $$; head -c 300000 /dev/zero")
        child = int(os.read(process.stdout.fileno(), 16).partition(b"\n")[0])
        wait_for(lambda: process_state(child) == "", "the command's end")
        time.sleep(0.4)  # longer than what others get; the unread bytes must still keep us
        self.assertIsNone(process.poll())
        process.terminate()
        self.assertEqual(process.wait(timeout=5), 143)


class FirstProcess(ExecCase):
    """As the first process of a container."""

    UNSHARE = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]

    def setUp(self):
        super().setUp()
        if os.geteuid() == 0:
            self.UNSHARE = ["unshare", "--pid", "--fork", "--mount-proc"]
        if subprocess.run([*self.UNSHARE, "true"], stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("PID namespaces are not permitted here")

    def run_first(self, script):
        return subprocess.run([*self.UNSHARE, QSECRETS, "exec", "--", "sh", "-c", script],
                              cwd=self.directory, env=self.environment, stdout=subprocess.PIPE,
                              timeout=20)

    def test_reaps_orphans(self):
        # The inner shell ends first; its children end as children of the first process.
        done = self.run_first(
            "sh -c 'sleep 0.1 & sleep 0.1 &'; sleep 0.5; "
            "grep -l '^PPid:.1$' /proc/[0-9]*/status | wc -l; "
            "grep -c '^State:.Z' /proc/[0-9]*/status | grep -c ':1$'; exit 8")
        # The command alone is left of our children, and nothing is a zombie.
        self.assertEqual((done.returncode, done.stdout.split()), (8, [b"1", b"0"]))

    def test_passes_signals_on(self):
        done = self.run_first("trap 'echo stopping; exit 9' TERM; kill -TERM 1; sleep 5")
        self.assertEqual((done.returncode, done.stdout), (9, b"stopping\n"))


if __name__ == "__main__":
    unittest.main()
