#!/usr/bin/env python3
"""Compares our readers of AWS's files with botocore itself on many generated files.

differential_test.py AWS_FILES_DUMP [COUNT [SEED]]

Compared are botocore.configloader.raw_config_parse, the profiles of Session.full_config and shlex.split: what is
refused and what is read. Not generated, because it is different on purpose: letters outside ASCII in upper
case (Python puts them into lower case in names) and files with more than 10,000 lines.
"""
import json
import os
import random
import shlex
import struct
import subprocess
import sys
import tempfile

try:
    import botocore.configloader
    import botocore.exceptions
    import botocore.session
except ImportError:
    print("skipped: botocore is not installed for", sys.executable)
    sys.exit(77)

# Pieces that mean something to the grammar, and characters that are white space or the end of a line to one
# reader or another.
PIECES = [
    "a", "b", "Region", "aws_access_key_id", " ", "  ", "\t", "=", ":", " = ", " : ", "[", "]", "[a]", "[DEFAULT]", "[default]",
    "[profile a]", "#", ";", " #", " ;", "\n", "\n", "\n ", "\n  ", "\n\t", "\r\n", "\r", "\n\n", "\u00e9", "\u00a0", "\u0085",
    "\u2028", "\u3000", "\u200b", "\x0b", "\x0c", "\x1c", "\x1f", "\0", "\ufeff", "\"", "'", "\\", "x=y", "k = v", "%(a)s", "$HOME",
    "\U0001f511",
]
SECTIONS = [
    "default", "DEFAULT", "DEFAULT", "Default", "a", "b", "dev", "profile a", "profile b", "profile dev", "profile default",
    'profile "a b"', "profile 'a'", 'profile "a', "profile", "profile  a", "profile a b", "profilex y", "profiles", "profile ''",
    "sso-session a", "sso-session", "services a", "services", "preview", "profile\ta", "profile a\\ b", "[a]", "a]b", "profile [a]",
    "\u00e9", " a ",
]
NAMES = ["a", "b", "A", "region", "REGION", "aws_access_key_id", "aws_secret_access_key", "s3", "a b", "k\u00e9y", ""]
VALUES = ["1", "x y", "a=b", "a:b", "", "", "# c", "x # c", "x ; c", "[v]", "'q'", '"q"', "\u00e9", "%(a)s", " pad ", "\u00a0", "\x1cz"]
NESTED = ["k = v", "k=v=w", "K =", "no delimiter", "=v", "# c", "k = v\x0bl = w", "k = v\u2028nothing", "  deep = 1", "addressing_style = path"]
INDENTS = ["", " ", "  ", "    ", "\t", "\u00a0", "\u3000", "\x0b"]
ENDS = ["\n", "\n", "\n", "\n", "\n", "\r\n", "\r", "\n\n", "\n \n", "\n# c\n", "\n  ; c\n", ""]


def random_ini(source, damage=0.15):
    kind = source.random()
    if kind < 0.1:
        return "".join(source.choice(PIECES) for _ in range(source.randint(0, 14)))
    lines = []
    for _ in range(source.randint(0, 4)):
        indent = source.choice(INDENTS) if source.random() < 0.1 else ""
        lines.append(f"{indent}[{source.choice(SECTIONS)}]" + ("" if source.random() < 0.9 else source.choice(PIECES)))
        for name in source.sample(NAMES[:8], source.randint(0, 4)) if source.random() < 0.9 else source.choices(NAMES, k=3):
            indent = source.choice(INDENTS) if source.random() < 0.15 else ""
            delimiter = source.choice(["=", " = ", ":", " : ", "\t=\t", "\u00a0=\u00a0"])
            if source.random() < 0.25:
                lines.append(indent + name + delimiter.rstrip(" \t\u00a0"))
                lines += [source.choice(INDENTS[1:]) + indent + source.choice(NESTED[:3] if source.random() < 0.8 else NESTED)
                          for _ in range(source.randint(1, 3))]
            else:
                lines.append(indent + name + delimiter + source.choice(VALUES))
                if source.random() < 0.1:
                    lines.append(source.choice(INDENTS[1:]) + source.choice(VALUES + NESTED))
    text = "".join(line + source.choice(ENDS[:8] if source.random() < 0.5 else ENDS) for line in lines)
    if source.random() < damage:
        for _ in range(source.randint(1, 2)):
            at = source.randint(0, len(text))
            end = min(len(text), at + source.choice([0, 0, 1, 2]))
            text = text[:at] + source.choice(PIECES) + text[end:]
    return text


def encoded(source, text):
    """Now and then not UTF-8: a stray byte, a surrogate, an overlong form, a character cut short."""
    data = text.encode()
    if source.random() < 0.01:
        at = source.randint(0, len(data))
        data = data[:at] + source.choice([b"\xff", b"\xed\xa0\x80", b"\xc0\xaf", b"\xe2\x80", b"\xf4\x90\x80\x80"]) + data[at:]
    return data


def random_words(source):
    return "".join(source.choice(["a", "b", " ", "\t", "\n", "\r", '"', "'", "\\", '\\"', "\\\\", "$x", "#", "\u00e9", "''", "\x0b", "\0"])
                   for _ in range(source.randint(0, 10)))


def hexed(value):
    if isinstance(value, dict):
        return {hexed(name): hexed(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [hexed(inner) for inner in value]
    return value.encode().hex()


class Theirs:
    def __init__(self, directory):
        self.config = os.path.join(directory, "config")
        self.credentials = os.path.join(directory, "credentials")
        os.environ["AWS_CONFIG_FILE"] = self.config
        os.environ["AWS_SHARED_CREDENTIALS_FILE"] = self.credentials
        self.session = botocore.session.Session()

    @staticmethod
    def _read(function):
        try:
            return hexed(function())
        except (botocore.exceptions.ConfigParseError, ValueError):
            return None

    def _profiles(self):
        self.session._config = None
        return self.session.full_config["profiles"]

    def read(self, config, credentials, words):
        for path, data in ((self.config, config), (self.credentials, credentials)):
            with open(path, "wb") as file:
                file.write(data)
        return [self._read(lambda: botocore.configloader.raw_config_parse(self.config)), self._read(self._profiles),
                self._read(lambda: shlex.split(words.decode()))]


def main():
    dump = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 6000
    source = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    triples = [(encoded(source, random_ini(source)), encoded(source, random_ini(source, 0.02)), random_words(source).encode())
               for _ in range(count)]
    with tempfile.TemporaryDirectory() as directory:
        sent = b"".join(struct.pack("<I", len(data)) + data for triple in triples for data in triple)
        output = subprocess.run([dump, directory], input=sent, stdout=subprocess.PIPE, check=True).stdout
        lines = output.decode().splitlines()
        assert len(lines) == count, f"{len(lines)} answers for {count} triples"
        theirs = Theirs(directory)
        differences = 0
        refused = [0, 0, 0]
        for triple, line in zip(triples, lines):
            ours = json.loads(line)
            for i, (one, other) in enumerate(zip(theirs.read(*triple), ours)):
                refused[i] += one is None
                if one != other:
                    differences += 1
                    if differences <= 10:
                        print(f"{triple!r}, {['file', 'profiles', 'words'][i]}\n  botocore: {one}\n  ours:     {other}")
    print(f"{count} triples, refused by botocore: {refused}, {differences} differences")
    # Both kinds have to occur, or the comparison shows nothing.
    assert all(count // 20 < number < count * 19 // 20 for number in refused), "the generator is out of balance"
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
