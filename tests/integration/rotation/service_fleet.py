"""Replicas of a service whose fields in table t(id, c) are encrypted, at work all the time.

Row 7 holds "fake-7-0" at first and "fake-7-1" after its first edit.
"""
import itertools
import os
import pathlib
import subprocess
import sys
import threading
import time

SERVICE = pathlib.Path(sys.argv.pop(1)).resolve()
BATCH = 200


class Service:
    """field_service.cc with these keys; may be asked from several threads."""

    def __init__(self, directory, key, previous=None):
        env = {"PATH": os.environ["PATH"], "INSTANCE_ENCRYPTION_KEY": key,
               **{name: os.environ[name] for name in os.environ if name.endswith("SAN_OPTIONS")}}
        if previous:
            env["INSTANCE_ENCRYPTION_KEY_PREVIOUS"] = previous
        self.process = subprocess.Popen([SERVICE], env=env, cwd=directory, text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.lock = threading.Lock()

    def ask(self, verb, texts):
        """The answers, in their order: "ok ..." or "failed ..."."""
        with self.lock:
            self.process.stdin.write("".join(f"{verb} {text}\n" for text in texts))
            self.process.stdin.flush()
            return [self.process.stdout.readline().rstrip("\n") for _ in texts]

    def seal(self, text):
        answer = self.ask("seal", [text])[0]
        assert answer.startswith("ok "), answer
        return answer[3:]

    def close(self):
        """Its exit status."""
        self.process.stdin.close()
        status = self.process.wait(30)
        self.process.stdout.close()
        return status


class Fleet:
    """The replicas, and what they agree on: the edits of each row that were begun, and that are done."""

    def __init__(self, rows, connect, place="%s"):
        self.rows = rows
        self.connect = connect  # gives a connection in which each statement is a transaction
        self.place = place      # of a value in a statement
        self.begun, self.done = [0] * (rows + 1), [0] * (rows + 1)
        self.failures = []

    def is_text(self, row, text, least):
        """Whether the row may have it now, if so many edits were done when it was read."""
        return any(text == f"fake-{row}-{edit}" for edit in range(least, self.begun[row] + 1))

    def read_batch(self, cursor, service, first):
        """Reads the rows that follow `first` by the service; returns how many there are."""
        least = self.done[first + 1:first + BATCH + 1]
        cursor.execute(f"SELECT id, c FROM t WHERE id > {first} AND id <= {first + BATCH} ORDER BY id")
        read = cursor.fetchall()
        for (row, _), answer, edits in zip(read, service.ask("open", [token for _, token in read]), least):
            if not (answer.startswith("ok ") and self.is_text(row, answer[3:], edits)):
                self.failures.append(f"row {row} after {edits} edits: {answer}")
        return len(read)


class Replica:
    """Reads the table over and over, and edits every row whose number is `number` modulo 4, in two threads."""

    def __init__(self, fleet, number, service):
        self.fleet, self.number = fleet, number
        self.batches_read = self.edits = 0
        self.start(service)

    def start(self, service):
        self.service = service
        self.is_ending = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(work,)) for work in (self.read, self.write)]
        for thread in self.threads:
            thread.start()

    def run(self, work):
        connection = self.fleet.connect()
        try:
            work(connection.cursor())
        except Exception as error:  # noqa: BLE001: whatever ends a thread is a failure
            self.fleet.failures.append(repr(error))
        finally:
            connection.close()

    def read(self, cursor):
        for first in itertools.cycle(range(0, self.fleet.rows, BATCH)):
            if self.is_ending.is_set():
                return
            self.fleet.read_batch(cursor, self.service, first)
            self.batches_read += 1

    def write(self, cursor):
        fleet = self.fleet
        for row in itertools.cycle(range(self.number or 4, fleet.rows + 1, 4)):
            if self.is_ending.wait(0.005):
                return
            edit = fleet.begun[row] = fleet.begun[row] + 1
            token = self.service.seal(f"fake-{row}-{edit}")
            cursor.execute(f"UPDATE t SET c = {fleet.place} WHERE id = {fleet.place}", [token, row])
            fleet.done[row] = edit
            self.edits += 1

    def stop(self):
        self.is_ending.set()
        for thread in self.threads:
            thread.join()
        if status := self.service.close():
            self.fleet.failures.append(f"a replica ended with {status}")

    def wait_for(self, batches=0, edits=0, seconds=30):
        """Until it has read and written so much more, or nothing will be right any more."""
        wanted = self.batches_read + batches, self.edits + edits
        deadline = time.monotonic() + seconds
        while (self.batches_read < wanted[0] or self.edits < wanted[1]) and not self.fleet.failures:
            if time.monotonic() > deadline:
                raise AssertionError(f"replica {self.number} does not get on")
            time.sleep(0.005)
