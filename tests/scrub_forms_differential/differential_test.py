#!/usr/bin/env python3
"""differential_test.py SCRUB_FORMS_DUMP [SEED]: what encoders make of a value is found by its forms, down to the last
byte. The encoders are those of Python's standard library, and bash, base64, xxd and node, as far as they are there."""
import base64
import html
import json
import pathlib
import random
import re
import shlex
import shutil
import string
import subprocess
import sys
import unicodedata
import unittest
import urllib.parse
import xml.etree.ElementTree
import xml.sax.saxutils

DUMP = pathlib.Path(sys.argv.pop(1)).resolve()
SEED = int(sys.argv.pop(1)) if len(sys.argv) > 1 else random.randrange(2 ** 32)
COUNT = 2000

PRINTABLE = string.ascii_letters + string.digits + string.punctuation + " "
# Letters of one to four bytes, and those beyond ASCII that no program prints as they are.
BEYOND_ASCII = "äöüßéñøΩжשعกあ漢字€—😀🔑𝄞"
HIDDEN = "\u0085\u00a0\u200b\u2028\u2029\ufeff\ue000"


def random_value(rng):
    length = rng.randint(4, 80)

    def of(letters):
        return "".join(rng.choices(letters, k=length)).encode()

    kind = rng.randrange(8)
    if kind == 0:
        return of(string.ascii_letters + string.digits)
    if kind == 1:
        return of(string.ascii_letters + "'\"\\$`&<>%")
    if kind == 2:
        return of(PRINTABLE + BEYOND_ASCII)
    if kind == 3:
        return of(PRINTABLE + "\t\n\r\x01\x1b\x7f" + BEYOND_ASCII + HIDDEN)
    if kind == 4:  # lines
        lines = ["".join(rng.choices(PRINTABLE, k=rng.randint(0, 20))) for _ in range(rng.randint(2, 5))]
        return rng.choice(["\n", "\r\n"]).join(["first", *lines, "last"]).encode()
    if kind == 5:
        return bytes(rng.choices(range(1, 256), k=length))
    return of(PRINTABLE)


class Values:
    """Random values, and a few that are not random, with their forms."""

    def __init__(self):
        rng = random.Random(SEED)
        self.values = [b"''''", b"'ab'", b"ab''", b"\\\\\\\\", b'a"b\'c', b"a\nb\nc", b"\xff\xfe\xfd\xfc"]
        # Line breaks around a value are no secret.
        self.values += [value for value in (random_value(rng).strip(b"\r\n") for _ in range(COUNT))
                        if len(value) >= 4]
        lines = "".join(value.hex() + "\n" for value in self.values)
        output = subprocess.run([DUMP], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
        self.forms = []
        self.base64 = []
        for line in output:
            fields = [field.split(",") for field in line.split("\t")]
            self.forms.append([bytes.fromhex(field[0]) for field in fields])
            self.base64.append({bytes.fromhex(field[0]): tuple(map(int, field[1:])) for field in fields if field[1:]})


VALUES = Values()


def text_of(value):
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def has_unassigned(value):
    """Whether characters that no version of Unicode knows are in it: programs differ in what they print of them."""
    return any(unicodedata.category(c) == "Cn" for c in value.decode(errors="surrogateescape"))


def uncovered(text, forms):
    """The text with what forms cover left out."""
    covered = bytearray(len(text))
    for form in forms:
        at = text.find(form)
        while at >= 0:
            covered[at:at + len(form)] = b"\1" * len(form)
            at = text.find(form, at + 1)
    return bytes(byte for byte, is_covered in zip(text, covered) if not is_covered)


class EncoderTest(unittest.TestCase):
    def expect_covered(self, name, index, encoded):
        if isinstance(encoded, str):
            encoded = encoded.encode()
        left = uncovered(encoded, VALUES.forms[index])
        self.assertFalse(left, f"{name} of {VALUES.values[index]!r} is {encoded!r}, seed {SEED}")

    def expect_all(self, name, encode, strings=True):
        """encode(value) gives what must be covered, or None. With strings it gets values that are UTF-8 only."""
        count = 0
        for index, value in enumerate(VALUES.values):
            given = text_of(value) if strings else value
            encoded = None if given is None else encode(given)
            if encoded is not None:
                self.expect_covered(name, index, encoded)
                count += 1
        self.assertGreater(count, COUNT / 4, name)


class Python(EncoderTest):
    def test_bytes(self):
        self.expect_all("the value", lambda value: value, strings=False)
        self.expect_all("hex", bytes.hex, strings=False)
        self.expect_all("HEX", lambda value: value.hex().upper(), strings=False)
        self.expect_all("hex with colons", lambda value: value.hex(":"), strings=False)
        self.expect_all("UTF-16LE", lambda text: text.encode("utf-16-le"))
        self.expect_all("UTF-16BE", lambda text: text.encode("utf-16-be"))

    def test_percent_encodings(self):
        for name, encode in [
                ("quote", urllib.parse.quote),
                ("quote, no safe", lambda value: urllib.parse.quote(value, safe="")),
                ("quote_plus", urllib.parse.quote_plus),
                ("urlencode", lambda value: urllib.parse.urlencode({"": value})[1:])]:
            self.expect_all(name, encode, strings=False)
            self.expect_all(name + " in lower case", lambda value: lower_digits(encode(value)), strings=False)
        self.expect_all("all", lambda value: "".join(f"%{byte:02X}" for byte in value), strings=False)

    def test_json(self):
        for ascii_only in (False, True):
            def dumps(value):
                return json.dumps(value, ensure_ascii=ascii_only)
            self.expect_all("JSON", lambda text: dumps(text)[1:-1])
            self.expect_all("JSON of PHP", lambda text: dumps(text)[1:-1].replace("/", "\\/").replace("\\u007f", "\x7f")
                            .replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))
            self.expect_all("JSON in JSON", lambda text: dumps(dumps(text))[3:-3])
            self.expect_all("lines in JSON", lambda text: "".join(dumps(line)[1:-1] for line in lines_of(text)))

    def test_python(self):
        self.expect_all("repr", lambda text: repr(text)[1:-1])
        self.expect_all("ascii", lambda text: ascii(text)[1:-1])
        self.expect_all("repr of bytes", lambda value: repr(value)[2:-1], strings=False)

    def test_xml(self):
        self.expect_all("escape", xml.sax.saxutils.escape)
        self.expect_all("escape with apostrophes", lambda text: xml.sax.saxutils.escape(text, {"'": "&apos;"}))
        self.expect_all("an attribute of Canonical XML", canonical_attribute)
        self.expect_all("quoteattr", lambda text: xml.sax.saxutils.quoteattr(text)[1:-1])
        self.expect_all("html.escape", html.escape)
        self.expect_all("xmlcharrefreplace",
                        lambda text: xml.sax.saxutils.escape(text).encode("ascii", "xmlcharrefreplace"))

    def test_quoting(self):
        self.expect_all("shlex.quote", lambda text: shlex.quote(text).removeprefix("'").removesuffix("'")
                        if not text.endswith("'") and not text.startswith("'") else None)
        self.expect_all("SQL", lambda text: text.replace("'", "''"))
        self.expect_all("CSV", lambda text: text.replace('"', '""'))

    def test_line_breaks(self):
        def lines(text):
            return text.replace("\r\n", "\n").replace("\r", "\n")
        self.expect_all("LF", lines)
        self.expect_all("CRLF", lambda text: lines(text).replace("\n", "\r\n"))
        self.expect_all("spaces", lambda text: lines(text).replace("\n", " "))
        self.expect_all("\\n", lambda text: lines(text).replace("\n", "\\n"))
        self.expect_all("JSON of CRLF", lambda text: json.dumps(lines(text).replace("\n", "\r\n"))[1:-1])

    def test_base64(self):
        """By the definition: what is the same whatever stands before and after is what the value determines."""
        rng = random.Random(SEED)
        for index, value in enumerate(VALUES.values):
            before = rng.randrange(0, 60)
            for alphabet in (base64.b64encode, base64.urlsafe_b64encode):
                # Bits of the neighbours all 0, and all 1.
                zeros, ones = (alphabet(byte * before + value + byte * 3).rstrip(b"=") for byte in (b"\0", b"\xff"))
                first = next(i for i, (a, b) in enumerate(zip(zeros, ones)) if a == b and 6 * i >= 8 * before)
                last = first
                while last < len(zeros) and zeros[last] == ones[last]:
                    last += 1
                text = zeros[first:last]
                self.assertIn(text, VALUES.base64[index], f"of {value!r}, seed {SEED}")
                lead_bits, lead, trail_bits, trail = VALUES.base64[index][text]
                bits = "".join(f"{byte:08b}" for byte in value)
                self.assertEqual(lead_bits + 6 * len(text) + trail_bits, len(bits))
                self.assertEqual(lead_bits, 6 * first - 8 * before)
                self.assertEqual(f"{lead:0{lead_bits}b}" if lead_bits else "", bits[:lead_bits])
                self.assertEqual(f"{trail:0{trail_bits}b}" if trail_bits else "", bits[len(bits) - trail_bits:])

    def test_programs(self):
        for command, left_over in [(["base64", "-w", "0"], 1), (["xxd", "-p", "-c", "256"], 0)]:
            if not shutil.which(command[0]):
                continue
            for index in random.Random(SEED).sample(range(len(VALUES.values)), 50):
                output = subprocess.run(command, input=VALUES.values[index], capture_output=True, check=True).stdout
                left = uncovered(output.strip(b"\n="), VALUES.forms[index])
                self.assertLessEqual(len(left), left_over, f"{command} of {VALUES.values[index]!r}, seed {SEED}")


def lines_of(text):
    lines = [line.strip(" \t\v\f") for line in re.split("[\r\n]", text)]
    return [line for line in lines if len(line.encode()) >= 4]


def canonical_attribute(text):
    """None where XML has no such characters."""
    if any(ord(c) < 32 and c not in "\t\n\r" or c in "\ufffe\uffff" for c in text):
        return None
    element = xml.etree.ElementTree.Element("e", v=text)
    return xml.etree.ElementTree.canonicalize(xml.etree.ElementTree.tostring(element, "unicode"))[6:-6]


def lower_digits(encoded):
    parts = encoded.split("%")
    return parts[0] + "".join("%" + part[:2].lower() + part[2:] for part in parts[1:])


@unittest.skipUnless(shutil.which("bash"), "bash is not installed")
class Bash(EncoderTest):
    """Bash knows characters beyond ASCII in one locale, and not in the other."""

    def run_bash(self, script, locale):
        """Runs the script with each value in $v."""
        given = "".join("".join(f"\\x{byte:02x}" for byte in value) + "\n" for value in VALUES.values)
        loop = f"while read -r escapes; do printf -v v %b \"$escapes\"; {script}; done"
        return subprocess.run(["bash", "-c", loop], input=given.encode(), capture_output=True, check=True,
                              env={"LC_ALL": locale})

    def expect_outputs(self, script):
        for locale in ("C", "C.UTF-8"):
            outputs = self.run_bash(script, locale).stdout.split(b"\0")[:-1]
            self.assertEqual(len(outputs), len(VALUES.values))
            for index, output in enumerate(outputs):
                self.expect_quoted(f"{script} ({locale})", index, output)

    def expect_quoted(self, name, index, output):
        if has_unassigned(VALUES.values[index]):
            return
        for opening, closing in [(b"$'", b"'"), (b"'", b"'"), (b'"', b'"')]:
            if output.startswith(opening) and output.endswith(closing) and len(output) > 3:
                output = output[len(opening):-len(closing)]
                break
        self.expect_covered(name, index, output)

    def test_printf(self):
        for locale in ("C", "C.UTF-8"):
            outputs = self.run_bash(r"""printf '%q\0' "$v" """, locale).stdout.split(b"\0")[:-1]
            self.assertEqual(len(outputs), len(VALUES.values))
            for index, output in enumerate(outputs):
                if output.startswith(b"$'"):
                    self.expect_quoted(f"printf %q ({locale})", index, output)
                else:
                    self.expect_covered(f"printf %q ({locale})", index, output)

    def test_declare(self):
        self.expect_outputs(r"""text=$(declare -p v; echo x); text=${text#declare -- v=}; printf '%s\0' "${text%?x}" """)

    def test_xtrace(self):
        for locale in ("C", "C.UTF-8"):
            trace = self.run_bash('set -x; : BEGIN@ "$v" @END; set +x', locale).stderr
            words = [part.split(b" @END\n")[0] for part in trace.split(b"+ : BEGIN@ ")[1:]]
            self.assertEqual(len(words), len(VALUES.values))
            for index, word in enumerate(words):
                self.expect_quoted(f"set -x ({locale})", index, word)

    def test_xtrace_of_conditions(self):
        for operator in ("==", "=~"):
            for locale in ("C", "C.UTF-8"):
                trace = self.run_bash(f'set -x; [[ BEGIN@ {operator} "$v" ]]; : @END; set +x', locale).stderr
                words = [part.split(b" ]]\n+ : @END\n")[0] for part in trace.split(f"+ [[ BEGIN@ {operator} ".encode())[1:]]
                self.assertEqual(len(words), len(VALUES.values))
                for index, word in enumerate(words):  # of what is beyond Unicode bash makes characters, too
                    if locale == "C" or text_of(VALUES.values[index]) is not None:
                        self.expect_covered(f"[[ {operator} ]] ({locale})", index, word)

    def test_echo_without_quotes(self):
        words = self.run_bash(r"set -f; IFS=$' \t\n'; printf '%s\0' "
                              r'"$(echo -n $v)"', "C.UTF-8").stdout.split(b"\0")[:-1]
        for index, word in enumerate(words):
            value = VALUES.values[index]
            if b"\n" in value and b"\r" not in value and not value.startswith(b"-"):
                self.expect_covered("echo $v", index, word)


@unittest.skipUnless(shutil.which("node"), "node is not installed")
class Node(EncoderTest):
    def test_encoders(self):
        script = """
const lines = require('fs').readFileSync(0, 'utf8').trim().split('\\n');
const encoders = {
  encodeURI, encodeURIComponent,
  'URLSearchParams': (text) => new URLSearchParams({k: text}).toString().slice(2),
  'the password of a URL': (text) => { const url = new URL('http://h/'); url.username = 'u'; url.password = text; return url.password; },
  'JSON.stringify': (text) => JSON.stringify(text).slice(1, -1),
};
console.log(JSON.stringify(lines.map(JSON.parse).map(
  (text) => Object.entries(encoders).map(([name, encode]) => [name, encode(text)]))));
"""
        indexes = [index for index, value in enumerate(VALUES.values) if text_of(value) is not None]
        given = "".join(json.dumps(text_of(VALUES.values[index])) + "\n" for index in indexes)
        output = subprocess.run(["node", "-e", script], input=given, capture_output=True, text=True, check=True).stdout
        for index, encoded in zip(indexes, json.loads(output), strict=True):
            for name, text in encoded:
                self.expect_covered(name, index, text)


if __name__ == "__main__":
    print(f"seed {SEED}")
    unittest.main()
