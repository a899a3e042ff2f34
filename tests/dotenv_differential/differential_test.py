#!/usr/bin/env python3
"""Compares our reader of `.env` with python-dotenv itself on many generated files.

differential_test.py DOTENV_DUMP [FILES [SEED]]

The only difference that is wanted: where python-dotenv drops a line with a warning, we refuse the file. So
a warning there must be an error here and the other way round; no other difference is accepted. What is not
UTF-8 both refuse. Not generated, because we refuse them on purpose and python-dotenv does not: files with a zero
byte (no environment can hold it), with more than 10,000 assignments or over 1 MiB, before or after expansion.
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
# One line each for every point on which readers of this format are known to differ.
POINTS = [
    "A=plain", "A = spaced  ", "export A=exp", 'A="dq # not comment"', "A='sq # not comment'", "A=val # comment", "A=val#tail",
    "A=#lead", 'A="l1\\nl2\\tx"', "A='l1\\nl2'", "A=l1\\nl2", 'A="l1\nl2"', "A='l1\nl2'", "B=base\nA=${B}/x",
    "B=base\nA=$B/x", 'B=base\nA="${B}/x"', "B=base\nA='${B}/x'", "A=${UNDEF:-dflt}", "A=x${UNDEF}y", "A=pa$word",
    'A="pa$word"', "A=pa$$word", 'B=base\nA="x\\$B"', "A=", 'A=""', "A", "A=1\nA=2", "A=crlf\r\nC=2\r", "\ufeffA=bom",
    "A=h\u00e9llo\u2713 w", 'A="h\\u00e9"', 'A="C:\\dir\\new"', "A=C:\\dir\\new", 'A="a \\"q\\" b"', "A='it\\'s'", 'A="open\nC=2',
    "MY-KEY=1", "MY.KEY=1", "1A=1", 'A="val" junk\nC=2', 'A="val"#c', "A: yaml", "A=a b c", "A=`bt`", "A=\"a\"'b'",
    "A=$(echo hi)", "\tA=tab", "B=base\nA=${B", "A=1\nA=${A}2", "A=${C}\nC=2", "AMB=file", "A=${AMB}", "A=1\n= bad\nC=2",
    'A=a=b"c"d',
]
KEYS = ["A", "B", "AMB", "C-D", "'q k'", "export E", "1A", "\u00c9"]


class WarningCounter(logging.Handler):
    count = 0

    def emit(self, record):
        WarningCounter.count += 1


def mutated(source, text):
    for _ in range(source.randint(1, 3)):
        at = source.randint(0, len(text))
        end = min(len(text), at + source.choice([0, 0, 1, 1, 2, 5]))
        text = text[:at] + source.choice(PIECES + ["", ""]) + text[end:]
    return text


def random_file(source):
    kind = source.random()
    if kind < 0.35:
        rows = source.choices(POINTS, k=source.randint(1, 3))
        return mutated(source, source.choice(["\n", "\r\n", "\r"]).join(rows))
    if kind < 0.6:
        return "".join(source.choice(PIECES) for _ in range(source.randint(0, 14)))
    lines = []
    for _ in range(source.randint(1, 5)):
        value = "".join(source.choice(PIECES) for _ in range(source.randint(0, 6)))
        quote = source.choice(["", "", '"', "'"])
        lines.append(source.choice(KEYS) + source.choice(["=", "=", " = ", "= ", ""]) + quote + value
                     + quote + source.choice(["", "", " # c", "  ", "#c"])
                     + source.choice(["\n", "\n", "\n", "\r\n", "\r", ""]))
    return "".join(lines)


def encoded(source, text):
    """Now and then not UTF-8: a stray byte, a surrogate, an overlong form, a character cut short."""
    data = text.encode()
    if source.random() < 0.01:
        at = source.randint(0, len(data))
        data = data[:at] + source.choice([b"\xff", b"\xed\xa0\x80", b"\xc0\xaf", b"\xe2\x80", b"\xf4\x90\x80\x80"]) + data[at:]
    return data


def what_python_reads(data):
    WarningCounter.count = 0
    try:  # as open() gives it: universal newlines
        decoded = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8").read()
    except UnicodeDecodeError:
        return "ERR"
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
    files = [encoded(source, text) for text in POINTS + [random_file(source) for _ in range(count)]]
    count = len(files)
    sent = b"".join(struct.pack("<I", len(data)) + data for data in files)
    output = subprocess.run([dump], input=sent, stdout=subprocess.PIPE, check=True).stdout
    lines = output.decode().splitlines()
    assert len(lines) == count, f"{len(lines)} answers for {count} files"

    differences = refused = 0
    for data, line in zip(files, lines):
        theirs, ours = what_python_reads(data), what_we_read(line)
        refused += ours == "ERR"
        if theirs != ours:
            differences += 1
            if differences <= 10:
                print(f"{data!r}\n  python-dotenv: {theirs}\n  ours:          {ours}")
    print(f"{count} files, {refused} refused by both, {differences} differences")
    # Both kinds have to occur, or the comparison shows nothing.
    assert count // 20 < refused < count * 19 // 20, "the generator is out of balance"
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
