#!/usr/bin/env python3
"""terminal_test.py QSECRETS: `qsecrets exec` on a terminal: its signals, and job control."""
import fcntl
import os
import pty
import shlex
import shutil
import signal
import struct
import termios
import unittest

from support import PYTHON, QSECRETS, ExecCase, Terminal, children_of, process_state, wait_for

# Each delivery counts: Python's own handlers are called once for several, the wakeup descriptor is not.
REPORTER = PYTHON + ["""
import os, signal
deliveries, wakeup = os.pipe()
os.set_blocking(wakeup, False)
signal.set_wakeup_fd(wakeup)
for name in ('SIGINT', 'SIGQUIT', 'SIGWINCH', 'SIGUSR1', 'SIGHUP', 'SIGCONT'):
    signal.signal(getattr(signal, name), lambda *_: None)
os.write(1, b'ready;')
while True:
    os.write(1, b'got %d;' % os.read(deliveries, 1)[0])
"""]


# Does `action` at SIGUSR1 and ends. Not a shell: one that has just called vfork(2) cannot be stopped.
def at_usr1(action):
    return PYTHON + [f"""
import os, signal
def act(*_):
    {action}
    os._exit(0)
signal.signal(signal.SIGUSR1, act)
os.write(1, b'job;')
while True:
    signal.pause()
"""]


class TerminalCase(ExecCase):
    def start_on_terminal(self, *command):
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.directory)
            os.execve(shutil.which(command[0]), command, {**self.environment, "PS1": "shell> "})
        self.addCleanup(self.end, pid, terminal)
        return pid, Terminal(terminal)

    @staticmethod
    def end(pid, terminal):
        # The terminal's end is the end of the session; what is stopped is killed.
        os.close(terminal)
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ChildProcessError, ProcessLookupError):
            pass  # the test has waited for it

    def start_job(self, *command):
        """A job of an interactive shell; returns shell's pid, terminal, qsecrets' and command's pid."""
        shell, terminal = self.start_on_terminal("bash", "--norc", "--noprofile", "-i")
        terminal.expect(b"shell> ")
        # In a file, because the terminal echoes what is typed.
        (self.directory / "job").write_text(
            "exec " + shlex.join([QSECRETS, "exec", "--", *command]) + "\n")
        terminal.type(b"sh job\n")
        terminal.expect(b"job;")
        supervisor, = children_of(shell)
        child, = children_of(supervisor)
        return terminal, supervisor, child


class Signals(TerminalCase):
    def assert_next(self, terminal, number):
        self.assertEqual(terminal.expect(b";").rpartition(b"got ")[2], b"%d;" % number)

    def test_of_the_keyboard_come_once(self):
        pid, terminal = self.start_on_terminal(QSECRETS, "exec", "--", *REPORTER)
        terminal.expect(b"ready;")
        # Often, because two of a kind that meet before the command runs are one.
        for key, number in 20 * ((b"\x03", signal.SIGINT), (b"\x1c", signal.SIGQUIT)):
            terminal.type(key)
            self.assert_next(terminal, number)
            # One that was passed on as well would come before this one.
            os.kill(pid, signal.SIGUSR1)
            self.assert_next(terminal, signal.SIGUSR1)

    def test_change_of_size_comes_once(self):
        pid, terminal = self.start_on_terminal(QSECRETS, "exec", "--", *REPORTER)
        terminal.expect(b"ready;")
        fcntl.ioctl(terminal.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 132, 0, 0))
        self.assert_next(terminal, signal.SIGWINCH)
        os.kill(pid, signal.SIGUSR1)
        self.assert_next(terminal, signal.SIGUSR1)

    def test_hang_up_reaches_the_command_of_a_session_leader(self):
        mark = self.directory / "hung-up"
        pid, terminal = self.start_on_terminal(
            QSECRETS, "exec", "--", "bash", "-c",
            f"trap 'touch {mark}; exit 3' HUP; echo 'ready;'; while :; do sleep 0.05; done")
        terminal.expect(b"ready;")
        # The pump has nothing to do with it: the terminal goes, not a pipe.
        replacement = os.open("/dev/null", os.O_RDWR)
        os.dup2(replacement, terminal.descriptor)
        os.close(replacement)
        wait_for(mark.exists, "the hang-up")
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 3)


class JobControl(TerminalCase):
    def test_stop_and_continue(self):
        terminal, supervisor, child = self.start_job(
            "sh", "-c", "echo 'job;'; read line; echo \"<$line>\"; exit 5")
        terminal.type(b"\x1a")
        terminal.expect(b"Stopped")
        self.assertEqual((process_state(supervisor), process_state(child)), ("T", "T"))
        terminal.expect(b"shell> ")
        terminal.type(b"fg\n")
        wait_for(lambda: process_state(supervisor) == process_state(child) == "S", "fg")
        terminal.type(b"text\n")
        terminal.expect(b"<text>")
        terminal.expect(b"shell> ")
        terminal.type(b"echo status=$?;\n")
        terminal.expect(b"status=5")

    def test_command_that_stops_itself_stops_the_job_once(self):
        terminal, supervisor, child = self.start_job(
            "sh", "-c", "echo 'job;'; sleep 0.3; echo 'last words;'; kill -TSTP 0; echo 'back;'; "
            "read line")
        shown = terminal.expect(b"Stopped")
        self.assertIn(b"last words;", shown)
        terminal.expect(b"shell> ")
        terminal.type(b"fg\n")
        terminal.expect(b"back;")
        wait_for(lambda: process_state(supervisor) == process_state(child) == "S", "fg")

    def test_stop_signal_to_the_supervisor_stops_both(self):
        terminal, supervisor, child = self.start_job(*at_usr1("pass"))
        os.kill(supervisor, signal.SIGTSTP)
        terminal.expect(b"Stopped")
        self.assertEqual((process_state(supervisor), process_state(child)), ("T", "T"))
        os.kill(supervisor, signal.SIGCONT)
        wait_for(lambda: process_state(child) != "T", "the command going on")
        os.kill(supervisor, signal.SIGUSR1)
        wait_for(lambda: process_state(supervisor) == "", "the end")

    def test_reading_in_the_background_stops_the_job(self):
        terminal, supervisor, child = self.start_job(
            *at_usr1("os.write(1, b'<' + os.read(0, 80).strip() + b'>')"))
        terminal.type(b"\x1a")
        terminal.expect(b"Stopped")
        terminal.type(b"bg\n")
        wait_for(lambda: process_state(supervisor) == "S" and process_state(child) == "S", "bg")
        os.kill(supervisor, signal.SIGUSR1)
        wait_for(lambda: process_state(supervisor) == process_state(child) == "T", "the stop")
        terminal.type(b"fg\n")
        wait_for(lambda: process_state(supervisor) == process_state(child) == "S", "fg")
        terminal.type(b"text\n")
        terminal.expect(b"<text>")

    def test_writing_in_the_background_stops_the_job_where_the_terminal_says_so(self):
        terminal, supervisor, child = self.start_job(
            *at_usr1("os.write(1, b'<written>')"))
        terminal.type(b"\x1a")
        terminal.expect(b"Stopped")
        terminal.expect(b"shell> ")
        terminal.type(b"stty tostop; bg\n")
        wait_for(lambda: process_state(supervisor) == "S" and process_state(child) == "S", "bg")
        os.kill(supervisor, signal.SIGUSR1)
        wait_for(lambda: process_state(supervisor) == "T", "the stop")
        terminal.type(b"fg\n")
        terminal.expect(b"<written>")


if __name__ == "__main__":
    unittest.main()
