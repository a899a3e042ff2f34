#!/usr/bin/env python3
"""differential_test.py JWT_DUMP GUIDE [SEED]: JSON Web Tokens in both directions against PyJWT and libjwt, on random
keys, claims and damages. What they accept and we refuse has to be what the table in GUIDE says."""
import base64
import collections
import ctypes
import datetime
import hashlib
import hmac
import json
import pathlib
import random
import re
import subprocess
import sys
import unittest
import warnings

try:
    import jwt
    from jwt import api_jwt
    LIBJWT = ctypes.CDLL("libjwt.so.0")
except (ImportError, OSError) as error:
    print(f"{error}: tools/setup.sh test")
    sys.exit(77)

DUMP = pathlib.Path(sys.argv.pop(1)).resolve()
GUIDE = pathlib.Path(sys.argv.pop(1))
SEED = int(sys.argv.pop(1)) if len(sys.argv) > 1 else random.randrange(2 ** 32)
CASES = 1000
NOW = 1_800_000_000
ALGORITHMS = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}
warnings.simplefilter("ignore")


class StoppedClock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.fromtimestamp(NOW, tz)


api_jwt.datetime = StoppedClock
for function, result in (("jwt_encode_str", ctypes.c_void_p), ("jwt_get_grants_json", ctypes.c_void_p)):
    getattr(LIBJWT, function).restype = result
FREE = ctypes.CDLL(None).free
FREE.argtypes = [ctypes.c_void_p]


def answers(cases):
    lines = "".join("\t".join(field.hex() for field in case) + "\n" for case in cases)
    output = subprocess.run([DUMP], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
    return [line.partition("\t") for line in output]


def verify_case(algorithm, key, token, audience):
    return b"verify", algorithm.encode(), key, str(NOW).encode(), token, (audience or "").encode()


def plain(value):
    """Equal where values and their types are: True == 1 == 1.0 in Python."""
    return json.dumps(value, sort_keys=True)


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def signed_text(algorithm, key, text):
    return text + b"." + encoded(hmac.digest(key, text, ALGORITHMS[algorithm]))


def signed(algorithm, key, header, payload):
    return signed_text(algorithm, key, encoded(header) + b"." + encoded(payload))


class PyJwt:
    name = "PyJWT"

    @staticmethod
    def sign(algorithm, key, claims):
        return jwt.encode(claims, key, algorithm=algorithm).encode()

    @staticmethod
    def verify(algorithm, key, token, audience):
        try:
            return jwt.decode(token, key, algorithms=[algorithm], audience=audience)
        except Exception:  # OverflowError and RecursionError too
            return None

    @staticmethod
    def may_refuse(claims):
        """What we accept: `iat` that is as far ahead as clocks may differ."""
        return NOW < claims.get("iat", 0) <= NOW + 60


class LibJwt:
    """It looks at the signature and at no claim."""
    name = "libjwt"

    @staticmethod
    def text_of(pointer):
        text = ctypes.string_at(pointer)
        FREE(pointer)
        return text

    @classmethod
    def sign(cls, algorithm, key, claims):
        token = ctypes.c_void_p()
        assert LIBJWT.jwt_new(ctypes.byref(token)) == 0
        assert LIBJWT.jwt_set_alg(token, list(ALGORITHMS).index(algorithm) + 1, key, len(key)) == 0
        assert LIBJWT.jwt_add_grants_json(token, json.dumps(claims).encode()) == 0
        text = cls.text_of(LIBJWT.jwt_encode_str(token))
        LIBJWT.jwt_free(token)
        return text

    @classmethod
    def verify(cls, algorithm, key, text, _):
        token = ctypes.c_void_p()
        if LIBJWT.jwt_decode(ctypes.byref(token), text, key, len(key)) != 0:
            return None
        claims = None
        if LIBJWT.jwt_get_alg(token) == list(ALGORITHMS).index(algorithm) + 1:
            claims = json.loads(cls.text_of(LIBJWT.jwt_get_grants_json(token, None)))
        LIBJWT.jwt_free(token)
        return claims

    @staticmethod
    def may_refuse(claims):
        """What we accept: U+0000 in a text, and numbers too large for its types."""
        text = json.dumps(claims)
        return "\\u0000" in text or "Infinity" in text or any(
            len(digits) > 18 for digits in re.findall(r"\d+", text))


class Differential(unittest.TestCase):
    def setUp(self):
        self.rng = random.Random(SEED)

    def algorithm_and_key(self):
        algorithm = self.rng.choice(list(ALGORITHMS))
        key = self.rng.randbytes(self.rng.randrange(ALGORITHMS[algorithm]().digest_size, 201))
        return algorithm, key

    def text(self, has_nul=False):
        letters = ['abc0 .,:{}[]"\\/\b\f\n\r\t\x01\x1f\x7f', "\u00e4\u03c9\u4e2d\ufeff\ufffd\u2028\ud7ff\ue000",
                   "\U0001f511\U0010ffff\U00010000", "<script>&'%+=-_"]
        if has_nul:
            letters.append("\0")
        return "".join(self.rng.choice(self.rng.choice(letters)) for _ in range(self.rng.randrange(20)))

    def value(self, depth, is_large=False):
        rng = self.rng
        makers = [
            lambda: self.text(is_large), lambda: rng.choice([True, False, None]), lambda: rng.randrange(-10, 10),
            lambda: rng.choice([2 ** 31, 2 ** 53 + 1, 2 ** 63 - 1, -2 ** 63, -2 ** 53]),
            lambda: rng.choice([0.5, -0.0, 1e300, 5e-324, 1.0, 0.1, rng.random(), -rng.expovariate(1e-9)]),
            lambda: [self.text() for _ in range(rng.randrange(4))],
        ]
        if is_large:
            makers.append(lambda: rng.choice([2 ** 63, 2 ** 64, -2 ** 63 - 1, 10 ** 40]))
        if depth:
            makers += [lambda: [self.value(depth - 1, is_large) for _ in range(rng.randrange(4))],
                       lambda: {self.text(): self.value(depth - 1, is_large) for _ in range(rng.randrange(4))}] * 2
        return rng.choice(makers)()

    def claims(self, is_large=False):
        """With times that are in order, and the audience that is to be expected."""
        rng = self.rng
        claims = {self.text(): self.value(rng.randrange(8), is_large) for _ in range(rng.randrange(6))}
        issued_at = NOW - rng.randrange(100)
        claims.update({"iat": issued_at, "exp": rng.randrange(NOW + 1, issued_at + 1800)})
        audience = None
        if rng.randrange(2):
            audience = self.text() or "a"
            claims["aud"] = rng.choice([audience, [self.text(), audience], [audience]])
        for name in rng.sample(["iss", "sub", "jti"], rng.randrange(4)):
            claims[name] = self.text()
        if rng.randrange(2):
            claims["nbf"] = rng.choice([NOW, NOW - 1, 0, NOW - 0.5])
        names = list(claims)
        rng.shuffle(names)
        return {name: claims[name] for name in names}, audience

    def test_they_accept_ours(self):
        cases, given = [], []
        for number in range(CASES):
            algorithm, key = self.algorithm_and_key()
            claims, audience = self.claims(is_large=number % 2 == 0)
            claims["nbf"] = int(claims.get("nbf", 0))  # what we sign has whole seconds
            text = json.dumps(claims, ensure_ascii=bool(self.rng.randrange(2)))
            cases.append((b"sign", algorithm.encode(), key, str(NOW).encode(), text.encode()))
            given.append((algorithm, key, claims, audience))
        accepted = 0
        for (algorithm, key, claims, audience), (token, _, reason) in zip(given, answers(cases), strict=True):
            self.assertEqual(reason, "", f"seed {SEED}: {claims}")
            for other in (PyJwt, LibJwt):
                if other is LibJwt and other.may_refuse(claims):
                    continue
                theirs = other.verify(algorithm, key, token.encode(), audience)
                self.assertEqual(plain(theirs), plain(claims), f"seed {SEED}: {other.name} {token}")
                accepted += 1
        self.assertGreater(accepted, CASES * 3 / 2)

    def test_ours_accepts_theirs(self):
        for other in (PyJwt, LibJwt):
            cases, given = [], []
            for number in range(CASES):
                algorithm, key = self.algorithm_and_key()
                claims, audience = self.claims(is_large=other is PyJwt and number % 2 == 0)
                given.append(claims)
                cases.append(verify_case(algorithm, key, other.sign(algorithm, key, claims), audience))
            for case, claims, (verdict, _, text) in zip(cases, given, answers(cases), strict=True):
                message = f"seed {SEED}: {other.name} {case} {text}"
                self.assertEqual(verdict, "OK", message)
                self.assertEqual(plain(json.loads(bytes.fromhex(text))), plain(claims), message)

    def damaged(self, kind, token):
        rng = self.rng
        at = rng.randrange(len(token))
        header, payload, signature = token.split(b".")
        alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

        def with_unused_bits(part):
            return part[:-1] + bytes([alphabet[alphabet.index(part[-1]) | rng.randrange(4)]])

        return [
            lambda: token[:at] + bytes([token[at] ^ 1 << rng.randrange(8)]) + token[at + 1:],
            lambda: token[:at],
            lambda: token[:at] + token[at + 1:],
            lambda: token[:at] + rng.choice([b"\n", b" ", b"%", b"=", b".", b"A", b"\xc3\xa4"]) + token[at:],
            lambda: token + rng.choice([b"=", b"==", b"\n", b" ", b".", b"AAAA", b"."]),
            lambda: token.rstrip(b"=") + b"." + signature,
            lambda: token.replace(b"-", b"+").replace(b"_", b"/"),
            lambda: header + b"." + payload + b"." + with_unused_bits(signature),
            lambda: header + b"." + payload + b"." + b"\n".join(signature[i:i + 10] for i in range(0, 90, 10)),
            lambda: header + b"." + payload + b".",
            lambda: b"Bearer " + token,
            lambda: json.dumps({"protected": header.decode(), "payload": payload.decode(),
                                "signature": signature.decode()}).encode(),
        ][kind % 12]()

    def in_other_base64(self, kind, header, payload):
        """Another form of the two parts, signed as it stands."""
        header, payload = base64.urlsafe_b64encode(header), base64.urlsafe_b64encode(payload)
        junk = self.rng.choice([b"\n", b" ", b"%", b"\r\n"])
        bare = header.rstrip(b"="), payload.rstrip(b"=")
        return b".".join([
            lambda: (bare[0], payload + b"=" * (-len(payload) % 4) + b"="),
            lambda: (header, payload),
            lambda: (bare[0], bare[1][:8] + junk + bare[1][8:]),
            lambda: (bare[0][:8] + junk + bare[0][8:], bare[1]),
            lambda: tuple(part.replace(b"-", b"+").replace(b"_", b"/") for part in bare),
            lambda: (bare[0], bare[1] + b"A"),
        ][kind % 6]())

    def header(self, kind, algorithm):
        others = [name for name in ALGORITHMS if name != algorithm]
        changes = [
            {}, {"typ": None}, {"typ": "jwt"}, {"typ": "at+jwt"}, {"typ": 1}, {"typ": "JOSE"},
            {"alg": algorithm.lower()}, {"alg": "none"}, {"alg": "None"}, {"alg": ""}, {"alg": [algorithm]},
            {"alg": self.rng.choice(others)}, {"kid": "x"}, {"kid": ""}, {"kid": 7}, {"kid": "../../dev/null"},
            {"jku": "http://127.0.0.1/"}, {"x5u": "http://127.0.0.1/"}, {"jwk": {"kty": "oct", "k": ""}},
            {"crit": ["exp"]}, {"crit": []}, {"crit": ["b64"], "b64": True}, {"b64": True}, {"b64": False},
            {"zip": "DEF"}, {"cty": "JWT"}, {"cty": "json"}, {"x": self.value(3)}, {"alg": 1},
        ]
        texts = ['{"alg":"none","alg":"%s"}', '{"alg":"%s","al\\u0067":"none"}', '{"alg":"%s"} ', '{"alg":"%s"}x',
                 '\ufeff{"alg":"%s"}', '["%s"]', '{"alg":"%s","x":NaN}', '{"alg":"%s",}', '{"alg":"%s","x":"\\ud800"}',
                 '{"alg":"%s","x":{"a":1,"a":2}}', '{"x":' + "[" * 20 + "]" * 20 + ',"alg":"%s"}']
        kind %= len(changes) + len(texts)
        if kind >= len(changes):
            return texts[kind - len(changes)].replace("%s", algorithm).encode()
        header = {"alg": algorithm, "typ": "JWT"} | changes[kind]
        return json.dumps({name: value for name, value in header.items() if value is not None}).encode()

    def payload(self, kind, claims):
        rng = self.rng
        values = ["x", "", 1, -1, 0, 0.5, True, None, [], ["a", 1], {}, {"a": "b"}, str(NOW + 60), NOW + 60,
                  NOW - 60, NOW, NOW + 30, NOW + 0.5, NOW + 1e6, 2 ** 53 + 2, 2 ** 64, 1e300, [["a"]], NOW + 1799, NOW + 1801, -0.0]
        names = ["exp", "nbf", "iat", "iss", "sub", "jti", "aud"]
        text = json.dumps(claims)
        texts = [
            text[:-1] + ',"exp":%d}' % (NOW + 600), text[:-1] + ',"x":1,"x":2}', text[:-1] + ',"x":1,"\\u0078":2}',
            text[:-1] + ',"x":{"a":1,"a":1}}', text[:-1] + ',"x":NaN}', text[:-1] + ',"x":Infinity}',
            text[:-1] + ',"x":"\\ud800"}', text[:-1] + ',"x":"\\udc00\\ud800"}', text + " ", "\n" + text, text + "x",
            "\ufeff" + text, text[:-1], text[:-1] + ",}", "[" + text + "]", "1", '"x"', "null", "", text + text,
            text[:-1] + ',"x":' + "[" * 20 + "]" * 20 + "}", text[:-1] + ',"x":01}', text[:-1] + ',"x":1e400}',
            text[:-1] + ',"x":"\t"}', text[:-1] + ',"x":"\\x"}', text[:-1] + ',"x":[1,2,]}',
            text[:-1] + ',"x":"' + "a" * 9000 + '"}', text.replace("1800", "18.00e2", 1), text[:-1] + ',"x":"\\u0000"}',
        ]
        raw = [text.encode("utf-16"), text[:-1].encode() + b',"x":"\xff"}',
               text[:-1].encode() + b',"x":"\xed\xa0\x80"}', text.encode() + b"\0", text.encode("utf-16-le")]
        kind %= len(names) * (len(values) + 1) + len(texts) + len(raw)
        if kind < len(texts):
            return texts[kind].encode()
        kind -= len(texts)
        if kind < len(raw):
            return raw[kind]
        name, value = names[(kind - len(raw)) % len(names)], (kind - len(raw)) // len(names)
        changed = {other: given for other, given in claims.items() if other != name}
        if value < len(values):
            changed[name] = values[value]
        if name == "iat" and rng.randrange(2):
            changed["exp"] = NOW + 600
        return json.dumps(changed).encode()

    def mutated_cases(self):
        cases = []
        for kind in range(4 * CASES):
            algorithm, key = self.algorithm_and_key()
            claims, audience = self.claims()
            payload = json.dumps(claims).encode()
            header = json.dumps({"alg": algorithm, "typ": "JWT"}).encode()
            other_header, other_payload = self.header(kind, algorithm), self.payload(kind, claims)
            tokens = [
                self.damaged(kind, signed(algorithm, key, header, payload)),
                signed_text(algorithm, key, self.in_other_base64(kind, header, payload)),
                signed(algorithm, key, other_header, payload),
                signed(algorithm, key, header, other_payload),
                signed(self.rng.choice(list(ALGORITHMS)), key, other_header, other_payload),
            ]
            others = [audience, audience, audience, audience, self.rng.choice([audience, None, "other"])]
            cases += [verify_case(algorithm, key, token, wanted) for token, wanted in zip(tokens, others, strict=True)]
        return cases

    def test_mutated_tokens(self):
        cases = self.mutated_cases()
        refused = {other: collections.Counter() for other in (PyJwt, LibJwt)}
        accepted = collections.Counter()
        for (_, algorithm, key, _, token, audience), (verdict, _, text) in zip(cases, answers(cases), strict=True):
            for other, codes in refused.items():
                theirs = other.verify(algorithm.decode(), key, token, audience.decode() or None)
                message = f"seed {SEED}: {other.name} {algorithm} {key.hex()} {token} {audience} {text} {theirs}"
                if verdict != "OK":
                    if theirs is not None:
                        codes[text] += 1
                    continue
                ours = json.loads(bytes.fromhex(text))
                if theirs is None:
                    self.assertTrue(other.may_refuse(ours), message)
                else:
                    self.assertEqual(plain(theirs), plain(ours), message)
                    accepted[other.name] += 1
        self.assertGreater(min(accepted.values()), CASES)
        rows = re.findall(r"^\| `(\w+)` \| (yes)? ?\| (yes)? ?\|", GUIDE.read_text(), re.MULTILINE)
        for column, (other, codes) in enumerate(refused.items(), 1):
            counts = ", ".join(f"{code} {count}" for code, count in sorted(codes.items()))
            print(f"{other.name} accepts, and we refuse: {counts}")
            self.assertEqual({row[0] for row in rows if row[column]}, set(codes), f"seed {SEED}: {other.name}")


if __name__ == "__main__":
    print(f"seed {SEED}", flush=True)
    unittest.main()
