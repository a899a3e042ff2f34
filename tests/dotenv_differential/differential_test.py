#!/usr/bin/env python3
"""Compares our reader of `.env` with python-dotenv itself on many generated files.

differential_test.py DOTENV_DUMP [FILES [SEED]]

The only difference that is wanted: where python-dotenv drops a line with a warning, we refuse the file. So
a warning there must be an error here and the other way round; no other difference is accepted. Files
with a zero byte are not generated: we refuse them, python-dotenv passes the byte on.
"""
import io
import logging
import os
import random
import struct
import subprocess
import sys

try:
    from dotenv.main import DotEnv
except ImportError:
    print("skipped: python-dotenv is not installed for", sys.executable)
    sys.exit(77)

# Pieces that mean something to the grammar, and characters that are white space to one reader or another.
PIECES = [
    "A", "B", "AMB", "KEY_1", "export ", "export", "=", " = ", '"', "'", "\\", "\\n", '\\"', "\\'", "#", " #c", "\n",
    "\r\n", "\r", " ", "\t", "${A}", "${B:-d}", "${AMB}", "${", "}", ":-", ":", "$A", "val", "x y", "\u00e9", "\u00a0",
    "\u2028", "\u0085", "\u3000", "\u200b", "\x0b", "\x0c", "\x1c", "\x1f", '"q"', "'s'", "a=b", "`", "\ufeff", "-", ".", "1",
    "\\\\", "\\x", "\U0001f511",
]
KEYS = ["A", "B", "AMB", "C-D", "'q k'", "export E", "1A", "\u00c9"]


class WarningCounter(logging.Handler):
    count = 0

    def emit(self, record):
        WarningCounter.count += 1


def random_file(source):
    if source.random() < 0.4:
        return "".join(source.choice(PIECES) for _ in range(source.randint(0, 14)))
    lines = []
    for _ in range(source.randint(1, 5)):
        value = "".join(source.choice(PIECES) for _ in range(source.randint(0, 6)))
        quote = source.choice(["", "", '"', "'"])
        lines.append(source.choice(KEYS) + source.choice(["=", "=", " = ", "= ", ""]) + quote + value
                     + quote + source.choice(["", "", " # c", "  ", "#c"])
                     + source.choice(["\n", "\n", "\n", "\r\n", "\r", ""]))
    return "".join(lines)


def what_python_reads(text):
    WarningCounter.count = 0
    # As open() gives it: universal newlines.
    decoded = io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8").read()
    values = DotEnv(None, stream=io.StringIO(decoded), override=False).dict()
    return "ERR" if WarningCounter.count else dict(values)


def what_we_read(line):
    if line == "ERR":
        return "ERR"
    values = {}
    for item in line.split(" ")[1:]:
        key, value = item.split("=")
        values[bytes.fromhex(key).decode()] = (
            None if value == "-" else bytes.fromhex(value[1:]).decode())
    return values


def main():
    dump = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 60_000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    os.environ.clear()
    os.environ["AMB"] = "env"
    logger = logging.getLogger("dotenv.main")
    logger.addHandler(WarningCounter())
    logger.propagate = False

    source = random.Random(seed)
    files = [random_file(source) for _ in range(count)]
    encoded = b"".join(struct.pack("<I", len(text.encode())) + text.encode() for text in files)
    output = subprocess.run([dump], input=encoded, stdout=subprocess.PIPE, check=True).stdout
    lines = output.decode().splitlines()
    assert len(lines) == count, f"{len(lines)} answers for {count} files"

    differences = refused = 0
    for text, line in zip(files, lines):
        theirs, ours = what_python_reads(text), what_we_read(line)
        refused += ours == "ERR"
        if theirs != ours:
            differences += 1
            if differences <= 10:
                print(f"{text!r}\n  python-dotenv: {theirs}\n  ours:          {ours}")
    print(f"{count} files, {refused} refused by both, {differences} differences")
    # Both kinds have to occur, or the comparison shows nothing.
    assert count // 20 < refused < count * 19 // 20, "the generator is out of balance"
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
