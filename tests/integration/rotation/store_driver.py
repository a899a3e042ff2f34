"""A store, driven from Python through the program store_driver."""
import json
import os
import subprocess
import urllib.parse


class StoreError(Exception):
    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['reason']} ({error['cure']})")
        self.code = error["code"]
        self.reason = error["reason"]
        self.cure = error["cure"]


def decoded(row):
    """Locator, whether it is selected, and the cells as bytes."""
    return [*row[:2], *(None if cell is None else urllib.parse.unquote_to_bytes(cell) for cell in row[2:])]


class Store:
    """`settings`: variables of its environment."""

    def __init__(self, program, **settings):
        environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
        environment |= {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS") or name in (
            "LLVM_PROFILE_FILE", "QARION_SECRETS_MODULE_DIR")}
        self.process = subprocess.Popen([program], env=environment | settings, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)

    def send(self, *arguments):
        line = "\t".join(urllib.parse.quote(str(argument), safe=" ") if not isinstance(argument, bytes)
                         else urllib.parse.quote_from_bytes(argument) for argument in arguments)
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"the driver ended with {self.process.wait()}")
        return json.loads(line)

    def __call__(self, *arguments):
        self.send(*arguments)
        answer = self.answer()
        if "error" in answer and "outcome" not in answer:
            raise StoreError(answer["error"])
        return answer

    def open(self, address="", password=""):
        return self("open", address, password)["description"]

    def plan(self, table, *columns, schema="", where="", key=()):
        """Adds a table; columns are names, or pairs of name and shape."""
        self("table", schema, table, where, *key)
        for column in columns:
            self("column", *((column, "text") if isinstance(column, str) else column))

    def resolve(self):
        return self("resolve")["targets"]

    def begin(self, lock_timeout_ms=5000, access="write"):
        self("begin", lock_timeout_ms, access)

    def rows(self, command, *arguments):
        return [decoded(row) for row in self(command, *arguments)["rows"]]

    def update(self, target, *rows):
        """Each row: its locator, and values or None."""
        arguments = []
        for locator, *values in rows:
            arguments.append(locator)
            arguments += ["-" if value is None else b"=" + value for value in values]
        self("update", target, *arguments)

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        status = self.process.wait(30)
        return status

    def kill(self):
        self.process.kill()
        return self.close()
