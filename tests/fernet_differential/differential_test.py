#!/usr/bin/env python3
"""differential_test.py FERNET_DUMP [SEED]: Fernet in both directions against the Fernet and MultiFernet of Python's
`cryptography`, on random keys, values, times and damages."""
import pathlib
import random
import subprocess
import sys
import unittest

try:
    from cryptography.fernet import Fernet, InvalidToken, MultiFernet
except ImportError as error:
    print(f"{error.name} is not installed: tools/setup.sh test")
    sys.exit(77)

DUMP = pathlib.Path(sys.argv.pop(1)).resolve()
SEED = int(sys.argv.pop(1)) if len(sys.argv) > 1 else random.randrange(2 ** 32)
CASES = 1000
ERROR = "ERR\tthe token is not valid: it was changed, is too old, or was made with another key"


def answers(cases):
    lines = "".join("\t".join(field.hex() for field in case) + "\n" for case in cases)
    output = subprocess.run([DUMP], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
    return list(zip(cases, output, strict=True))


def size(rng):
    """Mostly around the ends of blocks, sometimes long."""
    return rng.choice([rng.randrange(0, 100), rng.randrange(0, 100), rng.randrange(0, 10_000)])


def time(rng):
    return rng.choice([0, 2 ** 31, 2 ** 32, rng.randrange(0, 2 ** 33)])


def decrypt_case(keys, token, reading=b"strict", ttl=None, now=None):
    age = (b"", b"") if ttl is None else (str(ttl).encode(), str(now).encode())
    return b"decrypt", b" ".join(keys), token, reading, *age


def opened_by_python(key, token, ttl=None, now=None):
    try:
        if ttl is None:
            return Fernet(key).decrypt(token)
        return Fernet(key).decrypt_at_time(token, ttl, now)
    except InvalidToken:
        return None


class Differential(unittest.TestCase):
    def setUp(self):
        self.rng = random.Random(SEED)

    def keys(self, count):
        return [Fernet.generate_key() for _ in range(count)]

    def test_python_decrypts_ours(self):
        cases = []
        for _ in range(CASES):
            cases.append((b"encrypt", self.keys(1)[0], self.rng.randbytes(size(self.rng)), str(time(self.rng)).encode()))
        for (_, key, value, when), token in answers(cases):
            self.assertEqual(Fernet(key).decrypt(token), value)
            self.assertEqual(Fernet(key).extract_timestamp(token), int(when))

    def test_ours_decrypts_pythons(self):
        expected, cases = [], []
        for _ in range(CASES):
            keys = self.keys(self.rng.randrange(1, 4))
            at = self.rng.randrange(len(keys))
            value, when = self.rng.randbytes(size(self.rng)), time(self.rng)
            cases.append(decrypt_case(keys, Fernet(keys[at]).encrypt_at_time(value, when)))
            expected.append(f"{at} strict {when} {value.hex()}")
        self.assertEqual([line for _, line in answers(cases)], expected)

    def test_rotation_is_that_of_multifernet(self):
        cases, values = [], []
        for _ in range(CASES):
            keys = self.keys(2)
            values.append(self.rng.randbytes(size(self.rng)))
            token = Fernet(self.rng.choice(keys)).encrypt_at_time(values[-1], time(self.rng))
            cases.append((b"rotate", b" ".join(keys), token))
        for value, ((_, texts, old), new) in zip(values, answers(cases), strict=True):
            keys = texts.split()
            theirs = MultiFernet([Fernet(key) for key in keys]).rotate(old)
            self.assertEqual(Fernet(keys[0]).decrypt(new), value)
            self.assertEqual(len(new), len(theirs))
            self.assertEqual(Fernet(keys[0]).extract_timestamp(new), Fernet(keys[0]).extract_timestamp(theirs))
            self.assertIsNone(opened_by_python(keys[1], new))

    def test_ages_are_judged_alike(self):
        cases = []
        for _ in range(CASES):
            key, when, ttl = self.keys(1)[0], self.rng.randrange(100, 2 ** 33), self.rng.randrange(0, 100)
            now = when + self.rng.choice([ttl, ttl + 1, ttl - 1, -60, -61, -59, self.rng.randrange(-100, 200)])
            cases.append(decrypt_case([key], Fernet(key).encrypt_at_time(b"fake-value", when), ttl=ttl, now=now))
        accepted = 0
        for (_, key, token, _, ttl, now), line in answers(cases):
            theirs = opened_by_python(key, token, int(ttl), int(now))
            self.assertEqual(line != ERROR, theirs is not None, f"seed {SEED}: {token} {ttl} {now}")
            accepted += line != ERROR
        self.assertTrue(CASES / 10 < accepted < CASES, accepted)

    def damaged(self, token):
        """What `cryptography` may still read, and what nobody should."""
        at = self.rng.randrange(len(token) + 1)
        junk = self.rng.choice([b"\n", b"\r\n", b" ", b"\0", b"%", b"=", b"==", b"A", b"AAAA", b"-", b"\xc3\xa4"])
        return self.rng.choice([
            lambda: token[:at] + junk + token[at:],
            lambda: token + junk,
            lambda: token + self.rng.randbytes(5),
            lambda: token.rstrip(b"="),
            lambda: token.replace(b"-", b"+").replace(b"_", b"/"),
            lambda: token[:at] + token[at + 1:],
            lambda: token[:at] + self.rng.randbytes(1) + token[at + 1:],
            lambda: b" ".join(token[i:i + 64] for i in range(0, len(token), 64)),
            lambda: self.with_unused_bits(token),
        ])()

    def with_unused_bits(self, token):
        digits = token.rstrip(b"=")
        alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        last = alphabet[alphabet.index(digits[-1]) | self.rng.randrange(4)]
        return digits[:-1] + bytes([last]) + token[len(digits):]

    def test_damaged_tokens(self):
        """Read leniently, whatever `cryptography` reads, and beyond that only tokens that lack padding; strictly, only
        what is byte for byte what an encryptor writes."""
        tokens, cases = [], []
        for _ in range(3 * CASES):
            key = self.keys(1)[0]
            value = self.rng.randbytes(self.rng.randrange(0, 60))
            token = Fernet(key).encrypt(value)
            tokens.append((token, value))
            damaged = self.damaged(token)
            cases += [decrypt_case([key], damaged), decrypt_case([key], damaged, b"lenient")]
        lines = answers(cases)
        lenient_count = 0
        for (token, value), (case, strict), (_, lenient) in zip(tokens, lines[::2], lines[1::2], strict=True):
            _, key, damaged, *_ = case
            message = f"seed {SEED}: {key} {damaged}"
            self.assertEqual(strict != ERROR, damaged == token, message)
            theirs = opened_by_python(key, damaged)
            if theirs is not None:
                self.assertEqual(theirs, value)
                self.assertNotEqual(lenient, ERROR, message)
            if lenient == ERROR:
                continue
            self.assertTrue(lenient.endswith(f" {value.hex()}"), message)
            self.assertEqual(" lenient " in lenient, damaged != token, message)
            if theirs is None:
                self.assertLess(damaged.count(b"="), token.count(b"=") or 1, message)
            lenient_count += damaged != token
        self.assertGreater(lenient_count, CASES / 2)


if __name__ == "__main__":
    print(f"seed {SEED}")
    unittest.main()
