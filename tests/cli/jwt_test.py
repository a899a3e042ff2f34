#!/usr/bin/env python3
"""`qsecrets jwt`: what it signs, accepts, refuses and shows, and how it ends. What is expected is calculated here."""
import base64
import hashlib
import hmac
import json
import os
import pathlib
import pty
import re
import secrets
import stat
import unittest

from support import CommandTest

NOW = 1_700_000_000
# RFC 7515, A.1: the key, and what was signed with it, line breaks in its JSON included.
RFC_KEY = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
RFC_TOKEN = ("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
             ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
             ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
HASHES = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def new_key(size=32):
    return encode(secrets.token_bytes(size))


def sign_text(key, header, payload, algorithm="HS256"):
    """A token of these two texts, whatever they are."""
    signed = f"{encode(header.encode())}.{encode(payload.encode())}"
    return f"{signed}.{encode(hmac.digest(key.encode(), signed.encode(), HASHES[algorithm]))}"


def sign(key, claims, header=None, algorithm="HS256"):
    return sign_text(key, json.dumps(header or {"alg": algorithm, "typ": "JWT"}), json.dumps(claims), algorithm)


def claims_of(lifetime=600, **more):
    return {"iat": NOW, "exp": NOW + lifetime, **more}


def split(token):
    """The header, the claims."""
    header, payload, _ = token.split(".")
    return json.loads(decode(header)), json.loads(decode(payload))


class JwtTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.key = new_key()
        self.write_env(f"SECRET_KEY={self.key}\n")

    def jwt(self, *arguments, **options):
        return self.run_command("jwt", *arguments, **options)

    def write_file(self, content, name="key"):
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    def sign(self, *arguments, **options):
        """The token that it prints."""
        result = self.jwt("sign", "--now", str(NOW), *arguments, **options)
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        return result.stdout.decode().removesuffix("\n")

    def verify(self, token, *arguments, now=NOW, **options):
        return self.jwt("verify", "--now", str(now), *arguments, stdin=token.encode(), **options)

    def assert_silent(self, result, *kept):
        """Nothing of 8 characters of what is not to be seen stands in any output."""
        shown = (result.stdout or b"") + result.stderr
        for text in kept:
            for i in range(max(1, len(text) - 7)):
                self.assertNotIn(text[i:i + 8].encode(), shown)

    def assert_refused(self, result, reason, *kept):
        self.assert_fails(result, 65, f"qsecrets: error: the token is refused: {reason}\n")
        self.assertEqual(result.stderr.count(b"\n"), 2, result.stderr)
        self.assert_silent(result, *kept)

    def assert_accepted(self, result, claims, role="current", key=None):
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(json.loads(result.stdout), claims)
        self.assertRegex(result.stderr.decode(), rf"qsecrets: verified with the {role} key [0-9a-f]{{16}}\n$")
        self.assert_silent(result, key or self.key)


class Keygen(JwtTest):
    def test_prints_as_many_random_bytes_as_the_hash_has(self):
        for arguments, characters, size in (((), 43, 32), (("--algorithm", "HS256"), 43, 32),
                                            (("--algorithm", "HS384"), 64, 48), (("--algorithm", "HS512"), 86, 64)):
            keys = {self.jwt("keygen", *arguments).stdout.decode() for _ in range(3)}
            self.assertEqual(len(keys), 3)
            for key in keys:
                self.assertRegex(key, rf"^[A-Za-z0-9_-]{{{characters}}}$")
                self.assertEqual(len(decode(key)), size)

    def test_adds_a_newline_on_a_terminal(self):
        parent, child = pty.openpty()
        self.jwt("keygen", stdout=child)
        self.assertRegex(os.read(parent, 1000), rb"^[A-Za-z0-9_-]{43}\r\n$")
        os.close(child)
        os.close(parent)

    def test_writes_a_file_that_nobody_else_may_read(self):
        result = self.jwt("keygen", "--out", "new.key")
        path = self.directory / "new.key"
        kid = split(self.sign("--key-file", "new.key"))[0]["kid"]
        self.assertEqual(result.stdout.decode(), f"key {kid} is in new.key\n")
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertRegex(path.read_text(), r"^[A-Za-z0-9_-]{43}$")

    def test_overwrites_nothing(self):
        self.write_file("fake-content")
        self.assert_fails(self.jwt("keygen", "--out", "key"), 74, "--out: cannot write 'key': File exists")
        self.assertEqual((self.directory / "key").read_text(), "fake-content")
        self.assert_fails(self.jwt("keygen", "--out", ""), 64, "--out", "is empty")

    def test_calls_no_file_like_a_key(self):
        for size in (32, 48, 64):
            key = new_key(size)
            result = self.jwt("keygen", "--out", key)
            self.assert_fails(result, 78, "--out is a key where the path of a file is expected")
            self.assert_silent(result, key)

    def test_knows_three_algorithms(self):
        self.assert_fails(self.jwt("keygen", "--algorithm", "hs256"), 64, "--algorithm", "HS256, HS384, HS512")


class Sign(JwtTest):
    def test_writes_a_token_that_anybody_with_the_key_can_check(self):
        for algorithm, size in (("HS256", 32), ("HS384", 48), ("HS512", 64)):
            key = new_key(size)
            self.write_env(f"SECRET_KEY={key}\n")
            token = self.sign("--subject", "alice", "--algorithm", algorithm)
            signed, _, signature = token.rpartition(".")
            self.assertEqual(signature, encode(hmac.digest(key.encode(), signed.encode(), HASHES[algorithm])))
            header, claims = split(token)
            self.assertEqual((header["alg"], header["typ"], set(header)), (algorithm, "JWT", {"alg", "typ", "kid"}))
            self.assertRegex(header["kid"], r"^[0-9a-f]{16}$")
            self.assertEqual(claims, {"sub": "alice", "iat": NOW, "exp": NOW + 1800})

    def test_ends_the_token_with_one_newline(self):
        self.assertRegex(self.jwt("sign").stdout, rb"^[\w-]+\.[\w-]+\.[\w-]+\n$")

    def test_puts_each_option_where_it_belongs(self):
        token = self.sign("--issuer", "api", "--subject", "alice", "--audience", "one", "--id", "7", "--not-before",
                          str(NOW + 5), "--ttl", "60", "--typ", "at+jwt", "--no-kid", "--claim", 'roles=["a","b"]',
                          "--claim", "admin=true", "--claim", 'deep={"a":{"b":null}}', "--claim", 'name="A = B"',
                          "--claim", "größe=-1.5e3")
        self.assertEqual(split(token), ({"alg": "HS256", "typ": "at+jwt"}, {
            "iss": "api", "sub": "alice", "aud": "one", "jti": "7", "nbf": NOW + 5, "iat": NOW, "exp": NOW + 60,
            "roles": ["a", "b"], "admin": True, "deep": {"a": {"b": None}}, "name": "A = B", "größe": -1500.0}))

    def test_takes_several_audiences(self):
        claims = split(self.sign("--audience", "one", "--audience", "two"))[1]
        self.assertEqual(claims["aud"], ["one", "two"])

    def test_takes_claims_of_an_object(self):
        given = {"sub": "alice", "aud": ["one"], "exp": NOW + 5, "iat": NOW - 5, "n": [1, {"ü": "\u2028"}]}
        self.write_file(json.dumps(given), "claims.json")
        self.assertEqual(split(self.sign("--claims-json", "claims.json"))[1], given)
        self.assertEqual(split(self.sign("--claims-json", "-", stdin=json.dumps(given).encode() + b"\n"))[1], given)
        both = split(self.sign("--claims-json", "claims.json", "--issuer", "api", "--claim", "x=1"))[1]
        self.assertEqual(both, {**given, "iss": "api", "x": 1})

    def test_takes_the_key_of_a_file(self):
        key = new_key()
        for end in ("", "\n", "\r\n"):
            self.write_file(key + end)
            signed, _, signature = self.sign("--key-file", "key").rpartition(".")
            self.assertEqual(decode(signature), hmac.digest(key.encode(), signed.encode(), "sha256"))

    def test_refuses_a_claim_that_is_given_twice(self):
        self.write_file('{"sub":"alice","exp":1800000000}', "claims.json")
        for arguments, name, first, second in (
                (("--subject", "a", "--claim", 'sub="b"'), "sub", "--subject", "--claim"),
                (("--subject", "a", "--claims-json", "claims.json"), "sub", "--subject", "--claims-json"),
                (("--claim", 'sub="b"', "--claims-json", "claims.json"), "sub", "--claims-json", "--claim"),
                (("--claim", "x=1", "--claim", "x=1"), "x", "--claim", "--claim"),
                (("--ttl", "60", "--claims-json", "claims.json"), "exp", "--ttl", "--claims-json"),
                (("--audience", "a", "--claim", 'aud="b"'), "aud", "--audience", "--claim"),
                (("--not-before", "1", "--claim", "nbf=1"), "nbf", "--not-before", "--claim")):
            self.assert_fails(self.jwt("sign", *arguments), 64,
                              f"the claim '{name}' is given twice, with {first} and {second}")

    def test_refuses_what_is_not_json(self):
        for value in ("admin", "", "'a'", "tru", "1 2", '1,"sub":"x"', '1},{"a":1', "01", '{"a":1,"a":2}', '"\\ud800"',
                      "[" * 20 + "]" * 20):
            result = self.jwt("sign", "--claim", f"role={value}")
            self.assert_fails(result, 64, "--claim: the value of 'role' is not JSON", "quote strings")
        for claim in ("fake-value", "=1"):
            result = self.jwt("sign", "--claim", claim)
            self.assert_fails(result, 64, "--claim is no NAME=JSON")
            self.assertNotIn(b"fake-value", result.stderr)

    def test_refuses_claims_that_are_no_object(self):
        for text in ("", "[]", "1", '{"a":1', '{"a":1,"a":2}', '{"a":1} x', '\ufeff{"a":1}', '{"a":NaN}'):
            for arguments, stdin in ((("--claims-json", "claims.json"), ""), (("--claims-json", "-"), text)):
                self.write_file(text, "claims.json")
                result = self.jwt("sign", *arguments, stdin=stdin.encode())
                self.assert_fails(result, 65, "--claims-json: ", "one JSON object")
        self.assert_fails(self.jwt("sign", "--claims-json", "gone"), 78, "--claims-json: cannot read 'gone'")

    def test_refuses_claims_that_every_verifier_refuses(self):
        for claim in ("iss=1", "sub=null", "jti=[]", "aud=1", 'aud=["a",1]', 'exp="1"', "nbf=-1", "iat=true"):
            self.assert_fails(self.jwt("sign", "--claim", claim), 64, f"the claim {claim[:3]} is of a wrong type")
        self.assert_fails(self.jwt("sign", "--claim", f"exp={NOW}"), 64, "it would end before it begins")
        self.assert_fails(self.jwt("sign", "--ttl", "0"), 64, "it would end before it begins")

    def test_lasts_as_long_as_it_may_be_told_to(self):
        self.assertEqual(split(self.sign("--ttl", "9223372036"))[1]["exp"], NOW + 9223372036)

    def test_wants_text_that_is_utf8(self):
        self.assert_fails(self.jwt("sign", "--subject", b"a\xff"), 64, "not UTF-8")


class Verify(JwtTest):
    def test_shows_claims_and_key_of_a_token_that_is_in_order(self):
        claims = claims_of(sub="alice", list=[1, {"a": []}, {}], name="größe")
        self.assert_accepted(self.verify(sign(self.key, claims)), claims)
        self.assert_accepted(self.verify(self.sign("--subject", "a")), {"sub": "a", "iat": NOW, "exp": NOW + 1800})

    def test_names_key_header_and_claims_in_json(self):
        token = self.sign("--subject", "alice")
        header, claims = split(token)
        result = self.verify(token, "-o", "json")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.assertEqual(json.loads(result.stdout), {"valid": True, "key": "current", "kid": header["kid"],
                                                     "header": header, "claims": claims})

    def test_reads_the_token_of_the_standard(self):
        """Its key is bytes that are no text."""
        self.write_file(decode(RFC_KEY))
        result = self.verify(RFC_TOKEN, "--key-file", "key", "--issuer", "joe", now=1300819380 - 1)
        self.assert_accepted(result, {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True})
        self.assert_refused(self.verify(RFC_TOKEN, "--key-file", "key", now=1300819380), "expired")

    def test_takes_the_token_from_wherever_it_is(self):
        claims = claims_of()
        token = sign(self.key, claims)
        for arguments, stdin in (((token,), ""), (("-",), token), ((), token), ((), token + "\n"), ((), token + "\r\n")):
            result = self.jwt("verify", "--now", str(NOW), *arguments, stdin=stdin.encode())
            self.assert_accepted(result, claims)
        for end in ("\n\n", " ", "\r", "\n "):
            self.assert_refused(self.verify(token + end), "bad_base64", token[-8:])
        self.assert_refused(self.verify(" " + token), "bad_base64", token[-8:])
        self.assert_refused(self.verify(""), "not_compact")

    def test_looks_at_all_keys_of_the_backend(self):
        keys = {role: new_key() for role in ("current", "previous", "next")}
        self.write_env(f"SECRET_KEY={keys['current']}\nSECRET_KEY_PREVIOUS={keys['previous']}\n"
                       f"SECRET_KEY_NEXT={keys['next']}\n")
        for role, key in keys.items():
            self.assert_accepted(self.verify(sign(key, claims_of())), claims_of(), role, key)
        self.write_env(f"SECRET_KEY={keys['current']}\nSECRET_KEY_PREVIOUS=\n")
        self.assert_refused(self.verify(sign(keys["previous"], claims_of())), "bad_signature", *keys.values())

    def test_looks_at_the_keys_of_files_and_at_no_other(self):
        current, previous, following = new_key(), new_key(), new_key()
        files = ["--key-file", self.write_file(current, "a"), "--previous-key-file", self.write_file(previous, "b"),
                 "--next-key-file", self.write_file(following + "\r\n", "c")]
        for role, key in (("current", current), ("previous", previous), ("next", following)):
            self.assert_accepted(self.verify(sign(key, claims_of()), *files), claims_of(), role, key)
        self.assert_refused(self.verify(sign(self.key, claims_of()), *files), "bad_signature", self.key)
        # A backend that cannot be opened is not looked at either.
        self.assert_accepted(self.verify(sign(current, claims_of()), *files, env={"SECRETS_BACKEND": "none"}),
                             claims_of())
        for option in ("--previous-key-file", "--next-key-file"):
            self.assert_fails(self.verify("x", option, "b"), 64, option, "--key-file")

    def test_demands_what_it_is_told_to(self):
        right = claims_of(iss="api", sub="alice", aud=["one", "two"])
        token = sign(self.key, right, {"alg": "HS256", "typ": "at+jwt"})
        demands = {"--issuer": "api", "--subject": "alice", "--audience": "two", "--typ": "at+jwt"}
        everything = [text for pair in demands.items() for text in pair]
        self.assert_accepted(self.verify(token, *everything), right)
        for option, reason in (("--issuer", "wrong_issuer"), ("--subject", "wrong_subject"),
                               ("--audience", "wrong_audience"), ("--typ", "wrong_type")):
            result = self.verify(token, *[text for pair in {**demands, option: "other"}.items() for text in pair])
            self.assert_refused(result, reason, token[:60])

    def test_refuses_by_default_what_is_not_told_to_be_there(self):
        for claims, header, reason, relaxed in (
                (claims_of(aud="other"), None, "wrong_audience", "--any-audience"),
                (claims_of(), {"alg": "HS256", "typ": "refresh+jwt"}, "wrong_type", "--any-type"),
                ({"iat": NOW}, None, "missing_expiry", "--allow-missing-expiry"),
                (claims_of(1801), None, "lives_too_long", "--any-lifetime"),
                (claims_of(250 * 365 * 86400), None, "lives_too_long", "--any-lifetime")):
            token = sign(self.key, claims, header)
            self.assert_refused(self.verify(token), reason, token[-60:])
            self.assert_accepted(self.verify(token, relaxed), claims)

    def test_judges_times(self):
        for claims, now, reason in ((claims_of(60), NOW + 59, None), (claims_of(60), NOW + 60, "expired"),
                                    (claims_of(nbf=NOW + 10), NOW + 10, None),
                                    (claims_of(nbf=NOW + 10), NOW + 9, "not_yet_valid"),
                                    (claims_of(), NOW - 60, None), (claims_of(), NOW - 61, "issued_in_future")):
            result = self.verify(sign(self.key, claims), now=now)
            self.assert_refused(result, reason) if reason else self.assert_accepted(result, claims)
        late = sign(self.key, claims_of(60))
        self.assert_accepted(self.verify(late, "--leeway", "30", now=NOW + 89), claims_of(60))
        self.assert_refused(self.verify(late, "--leeway", "30", now=NOW + 90), "expired")
        self.assert_refused(self.jwt("verify", late), "expired")
        for most, is_accepted in ((599, False), (600, True)):
            result = self.verify(sign(self.key, claims_of(600)), "--max-lifetime", str(most))
            self.assert_accepted(result, claims_of(600)) if is_accepted else self.assert_refused(result, "lives_too_long")

    def test_says_why_a_token_is_refused_and_nothing_of_it(self):
        header, payload = '{"alg":"HS256"}', json.dumps(claims_of())
        good = sign(self.key, claims_of())
        kid = {"alg": "HS256", "kid": "0123456789abcdef"}
        for token, reason in (
                (good + "A" * 9000, "too_large"), ("fake-token", "not_compact"), ("Bearer " + good, "bad_base64"),
                (good + "=", "bad_base64"), (good.replace(".", "!.", 1), "bad_base64"),
                (sign_text(self.key, '{"alg":"HS256","alg":"HS256"}', payload), "bad_header"),
                (sign_text(self.key, '{"alg":"HS256","kid":1}', payload), "bad_header"),
                (sign_text(self.key, '{"alg":"none"}', payload), "wrong_algorithm"),
                (sign_text(self.key, '{"alg":"HS384"}', payload, "HS384"), "wrong_algorithm"),
                (sign_text(self.key, '{"alg":"HS256","crit":["exp"]}', payload), "unsupported_header"),
                (sign(new_key(), claims_of(), kid), "unknown_key"), (sign(new_key(), claims_of()), "bad_signature"),
                (sign_text(self.key, header, "[]"), "bad_payload"),
                (sign_text(self.key, header, '{"exp":1,"exp":2}'), "bad_payload"),
                (sign(self.key, {"exp": "1"}), "bad_claim")):
            result = self.verify(token)
            self.assert_refused(result, reason, token, self.key)
            result = self.verify(token, "-o", "json")
            self.assertEqual((result.returncode, json.loads(result.stdout)), (65, {"valid": False, "reason": reason}))
            self.assert_silent(result, token, self.key)

    def test_takes_one_algorithm(self):
        for algorithm, size in (("HS384", 48), ("HS512", 64)):
            key = new_key(size)
            self.write_env(f"SECRET_KEY={key}\n")
            token = sign(key, claims_of(), algorithm=algorithm)
            self.assert_accepted(self.verify(token, "--algorithm", algorithm), claims_of(), key=key)
            self.assert_refused(self.verify(token), "wrong_algorithm")

    def test_shows_nothing_that_a_terminal_obeys(self):
        claims = claims_of(text="a\u009b31m\u202eb\x1b\x7f\ufeff", **{"\u2028": "ü"})
        for ascii_only in (True, False):
            token = sign_text(self.key, '{"alg":"HS256"}', json.dumps(claims, ensure_ascii=ascii_only))
            for command in ("verify", "inspect"):
                shown = self.jwt(command, "--now", str(NOW), stdin=token.encode()).stdout.decode()
                self.assertIn("ü" if not ascii_only else "\\u00fc", shown)
                self.assertFalse(set(shown) & set("\u009b\u202e\x1b\x7f\ufeff\u2028"), shown)
        self.assertEqual(json.loads(self.verify(token).stdout), claims)

    def test_notices_that_its_output_goes_nowhere(self):
        with open("/dev/full", "wb") as full:
            self.assertEqual(self.verify(sign(self.key, claims_of()), stdout=full).returncode, 74)
            self.assertEqual(self.jwt("sign", stdout=full).returncode, 74)


class Keys(JwtTest):
    COMMANDS = (("sign",), ("verify", RFC_TOKEN), ("inspect", "--verify", RFC_TOKEN))

    def test_are_missing(self):
        self.write_env("")
        for command in self.COMMANDS:
            self.assert_fails(self.jwt(*command), 78, "SECRET_KEY is not set in the backend 'env'")
            self.assert_fails(self.jwt(*command, "--key-file", "gone"), 78, "--key-file: cannot read 'gone'")
            self.assert_fails(self.jwt(*command, "--key-file", ""), 64, "--key-file", "is empty")
            self.assert_fails(self.jwt(*command, "--key-file", "."), 78, "--key-file", "a directory")
        self.write_env("SECRET_KEY=\n")
        for command in self.COMMANDS:
            self.assertEqual(self.jwt(*command).returncode, 78)

    def test_are_refused_where_their_file_is_not_right(self):
        key = new_key()
        for content, words in ((b"", "is empty"), (b"\n", "is empty"), (b"\r\n", "is empty"),
                               (f" {key}", "white space"), (f"{key} \n", "white space"), (f"{key}\n\n", "white space"),
                               (f"\n{key}", "white space"), (f"{key}\r", "white space"), (f"\t{key}", "white space"),
                               (key * 2000, "larger than the limit of 65536 bytes")):
            self.write_file(content)
            for command in self.COMMANDS:
                result = self.jwt(*command, "--key-file", "key")
                self.assert_fails(result, 78, "--key-file", "'key'", words)
                self.assert_silent(result, key)
        self.write_file(self.key, "good")
        for option in ("--previous-key-file", "--next-key-file"):
            result = self.verify("x", "--key-file", "good", option, "key")
            self.assert_fails(result, 78, f"{option}: 'key' is larger")

    def test_come_through_a_descriptor(self):
        read_end, write_end = os.pipe()
        os.write(write_end, self.key.encode() + b"\n")
        os.close(write_end)
        token = self.sign("--key-file", f"/dev/fd/{read_end}", pass_fds=(read_end,))
        os.close(read_end)
        self.assertEqual(self.verify(token).returncode, 0)

    def test_are_refused_where_they_are_weak(self):
        published = "a-string-secret-at-least-256-bits-long"
        for weak in ("fake-short", "x" * 40, published, "changeme"):
            self.write_file(weak)
            token = sign(weak, claims_of())
            for command in (("sign",), ("verify", token), ("inspect", "--verify", token)):
                result = self.jwt(*command, "--key-file", "key")
                self.assert_fails(result, 78, "--key-file 'key' ", "qsecrets jwt keygen")
                self.assert_silent(result, weak if weak != "changeme" else "fake-none")
                self.write_env(f"SECRET_KEY={weak}\n")
                self.assert_fails(self.jwt(*command), 78, "SECRET_KEY ", "qsecrets jwt keygen")
                self.write_env(f"SECRET_KEY={self.key}\nSECRET_KEY_PREVIOUS={weak}\n")
                if command[0] != "sign":
                    self.assert_fails(self.jwt(*command), 78, "SECRET_KEY_PREVIOUS ", "--allow-weak-key")

    def test_are_as_long_as_the_hash(self):
        self.assert_fails(self.jwt("sign", "--algorithm", "HS512"), 78, "SECRET_KEY has 43 bytes", "64")
        self.assert_fails(self.jwt("verify", "--algorithm", "HS384", "x"), 78, "SECRET_KEY has 43 bytes", "48")

    def test_are_trusted_all_the_same_where_one_says_so_loudly(self):
        weak = "fake-short"
        self.write_env(f"SECRET_KEY={weak}\n")
        result = self.verify(sign(weak, claims_of()), "--allow-weak-key")
        self.assert_accepted(result, claims_of(), key=weak)
        warning, said = result.stderr.decode().splitlines()
        self.assertRegex(warning, r"^qsecrets: WARNING: SECRET_KEY has 10 bytes.*--allow-weak-key$")
        self.assertIn("verified with the current key", said)
        self.assert_fails(self.jwt("sign", "--allow-weak-key"), 64, "no option '--allow-weak-key'")

    def test_differ(self):
        self.write_env(f"SECRET_KEY={self.key}\nSECRET_KEY_NEXT={self.key}\n")
        self.assert_fails(self.jwt("verify", "x"), 78, "SECRET_KEY_NEXT is the same key as SECRET_KEY")
        self.write_file(self.key)
        result = self.jwt("verify", "x", "--key-file", "key", "--previous-key-file", "key")
        self.assert_fails(result, 78, "--previous-key-file 'key' is the same key as --key-file 'key'")

    def test_are_not_shown_where_a_path_is_expected(self):
        for key in (new_key(), new_key(48), "fake " * 8, base64.b64encode(secrets.token_bytes(32)).decode()):
            for command in self.COMMANDS:
                result = self.jwt(*command, f"--key-file={key}")
                self.assertEqual(result.returncode, 78)
                if not key.startswith("/"):
                    self.assert_fails(result, 78, "--key-file is a key where the path of a file is expected")
                    self.assert_silent(result, key)


class Inspect(JwtTest):
    def inspect(self, token, *arguments, now=NOW, **options):
        return self.jwt("inspect", "--now", str(now), *arguments, stdin=token.encode(), **options)

    def test_shows_any_token_without_a_key(self):
        self.write_env("")
        claims = claims_of(sub="alice", nbf=NOW - 7200)
        token = sign(new_key(), claims, {"alg": "HS256", "kid": "fake-kid"})
        result = self.inspect(token, now=NOW + 1320)
        self.assertEqual((result.returncode, result.stderr),
                         (0, b"qsecrets: UNVERIFIED: anybody may have written this\n"))
        self.assertEqual(result.stdout.decode(), f"""\
verified    no
kid         fake-kid
issued      2023-11-14T22:13:20Z ({NOW}), 22 min ago
not before  2023-11-14T20:13:20Z ({NOW - 7200}), 2 h ago
expires     2023-11-14T22:23:20Z ({NOW + 600}), expired 12 min ago
header {{
  "alg": "HS256",
  "kid": "fake-kid"
}}
claims {{
  "iat": {NOW},
  "exp": {NOW + 600},
  "sub": "alice",
  "nbf": {NOW - 7200}
}}
""")
        self.assertIn(", in 10 min\n", self.inspect(token).stdout.decode())

    def test_shows_it_in_json(self):
        header, claims = {"alg": "none"}, claims_of(sub="alice")
        result = self.inspect(sign(new_key(), claims, header), "-o", "json", now=NOW + 60)
        self.assertEqual(json.loads(result.stdout), {
            "verified": False, "reason": None, "signed_by": None, "kid": None, "kid_names": None, "times": {
                "iat": {"time": "2023-11-14T22:13:20Z", "distance": "60 s ago"},
                "exp": {"time": "2023-11-14T22:23:20Z", "distance": "in 9 min"}},
            "header": header, "claims": claims})
        self.assertIn(b"UNVERIFIED", result.stderr)

    def test_says_which_key_signed_it(self):
        old = new_key()
        self.write_file(old)
        token = self.sign("--key-file", "key", "--audience", "any", "--typ", "any", "--ttl", "99999")
        kid = split(token)[0]["kid"]
        self.write_env(f"SECRET_KEY={self.key}\nSECRET_KEY_PREVIOUS={old}\n")
        result = self.inspect(token, "--verify")
        self.assertEqual(result.stderr.decode(), f"qsecrets: verified with the previous key {kid}\n")
        self.assertIn(f"verified    yes, signed with the previous key\nkid         {kid}, the previous key\n",
                      result.stdout.decode())
        shown = json.loads(self.inspect(token, "-o", "json", "--key-file", "key").stdout)
        self.assertEqual((shown["verified"], shown["signed_by"], shown["kid_names"]), (True, "current", "current"))

    def test_says_why_the_keys_do_not_verify_it(self):
        late, other = sign(self.key, claims_of()), sign(new_key(), claims_of(), {"alg": "HS256", "kid": "x"})
        result = self.inspect(late, "--verify", now=NOW + 600)
        self.assertEqual((result.returncode, result.stderr), (0, b"qsecrets: REFUSED: expired\n"))
        self.assertIn(b"verified    no, expired, signed with the current key\nkid         none\n", result.stdout)
        result = self.inspect(other, "--verify")
        self.assertEqual(result.stderr, b"qsecrets: UNVERIFIED: anybody may have written this\n")
        self.assertIn(b"verified    no, unknown_key\nkid         x, none of the keys\n", result.stdout)
        shown = json.loads(self.inspect(late, "--verify", "-o", "json", now=NOW + 600).stdout)
        self.assertEqual((shown["verified"], shown["reason"], shown["signed_by"]), (False, "expired", "current"))

    def test_shows_times_that_no_clock_reaches(self):
        token = sign(self.key, {"exp": 100_000_000_000, "iat": "x", "nbf": 1e300})
        shown = self.inspect(token).stdout.decode()
        self.assertIn("expires     after the year 2261 (100000000000), in ", shown)
        self.assertNotIn("issued", shown)
        self.assertNotIn("not before", shown)

    def test_refuses_what_is_no_token(self):
        payload = json.dumps(claims_of())
        for text, reason in (("fake-token", "not_compact"), ("a.b.c.d", "not_compact"), ("!.a.a", "bad_base64"),
                             (sign_text(self.key, "x", payload), "bad_header"),
                             (sign_text(self.key, '{"alg":"HS256"}', "x"), "bad_payload")):
            self.assert_refused(self.inspect(text), reason, text)

    def test_obeys_no_kid(self):
        token = sign(self.key, claims_of(), {"alg": "HS256", "kid": "a\nverified    yes\x1b[2J"})
        shown = self.inspect(token).stdout.decode()
        self.assertIn("\nkid         a verified    yes [2J\n", shown)
        self.assertNotIn("\x1b", shown)


class AttackCases(JwtTest):
    def test_end_as_a_strict_verifier_has_them_end(self):
        places = [os.environ["QARION_VECTORS"]] if "QARION_VECTORS" in os.environ else [
            parent / "shared" / "vectors" for parent in pathlib.Path(__file__).resolve().parents]
        found = [path for place in places if (path := pathlib.Path(place) / "jwt_hs256_attack_cases.json").exists()]
        if not found:
            self.skipTest("jwt_hs256_attack_cases.json not found in ../shared/vectors; set QARION_VECTORS")
        vectors = json.loads(found[0].read_text())
        self.write_file(vectors["key_utf8"], "a")
        self.write_file(vectors["previous_key_utf8"], "b")
        self.assertGreaterEqual(len(vectors["cases"]), 60)
        for case in vectors["cases"]:
            with self.subTest(case["name"]):
                result = self.verify(case["token"] + "\n", "--key-file", "a", "--previous-key-file", "b",
                                     "--allow-weak-key", "--max-lifetime", str(4102444800 - NOW))
                expected = case["expect"]
                if expected.startswith("accept-with") or expected == "accept":
                    self.assertEqual(result.returncode, 0, result.stderr)
                    role = "previous" if expected == "accept-with-previous" else "current"
                    self.assertIn(f"verified with the {role} key", result.stderr.decode())
                elif expected == "accept-or-reject":
                    self.assertIn(result.returncode, (0, 65), result.stderr)
                else:
                    self.assertEqual((result.returncode, result.stdout), (65, b""), result.stderr)
                    self.assertRegex(result.stderr.decode(), r"the token is refused: [a-z0-9_]+\n")


class CommandLine(JwtTest):
    def test_help_of_everything(self):
        for command in ((), ("keygen",), ("sign",), ("verify",), ("inspect",)):
            result = self.jwt(*command, "--help")
            self.assertEqual((result.returncode, result.stderr), (0, b""), command)
            self.assertIn(" ".join(("Usage: qsecrets jwt", *command)).encode(), result.stdout)
        for command in ("verify", "inspect"):
            self.assertIn(b"Prefer standard input", self.jwt(command, "--help").stdout)
        self.assertIn(b"\n  jwt ", self.run_command("--help").stdout)

    def test_wrong_usage(self):
        self.assertEqual(self.jwt().returncode, 64)
        self.assert_fails(self.jwt("verfy"), 64, "there is no command 'jwt verfy'", "verify?")
        for command, options in (("sign", ("--ttl", "--now", "--not-before")), ("inspect", ("--now",)),
                                 ("verify", ("--leeway", "--now", "--max-lifetime"))):
            for option in options:
                for value in ("x", "-1", "1.5", "", "30m", "99999999999", " 1", "0x1", "1e3"):
                    self.assert_fails(self.jwt(command, f"{option}={value}"), 64, option, f"jwt {command} --help")
        for option in ("--issuer", "--subject", "--audience", "--typ"):
            for command in ("sign", "verify"):
                self.assert_fails(self.jwt(command, option, ""), 64, option, "is empty")
        self.assert_fails(self.jwt("verify", "-o", "yaml"), 64, "--output", "text, json")
        for first, second in (("--any-lifetime", "--max-lifetime=1"), ("--any-audience", "--audience=x"),
                              ("--any-type", "--typ=x")):
            self.assert_fails(self.jwt("verify", first, second), 64, first, second.partition("=")[0])

    def test_shows_no_argument_that_nobody_expects(self):
        token = sign(self.key, claims_of())
        for command in ("sign", "keygen"):
            result = self.jwt(command, token)
            self.assert_fails(result, 64, "an argument too many")
            self.assert_silent(result, token)
        result = self.jwt("verify", "fake-first", token)
        self.assert_fails(result, 64, "an argument too many")
        self.assert_silent(result, token)
        result = self.jwt(token)
        self.assertEqual(result.returncode, 64)
        self.assert_silent(result, token)

    def test_shows_no_value_that_is_written_like_an_option(self):
        token = sign(self.key, claims_of())
        for arguments in (("verify", f"--{token}"), ("verify", f"-{token}"), (f"--{token}",), ("verify", f"-k{token}"),
                          ("sign", f"--no-kid={token}"), ("verify", f"--allow-weak-key={token}"),
                          ("drill", "--seed", token), ("drill", "--replicas", token)):
            result = self.jwt(*arguments)
            self.assertEqual(result.returncode, 64, arguments)
            self.assert_silent(result, token)
        self.assert_fails(self.jwt("verify", "--isuer=x"), 64, "there is no option '--isuer'")

    def test_numbers_are_decimal(self):
        header, claims = split(self.sign("--ttl", "010"))
        self.assertEqual(claims["exp"] - claims["iat"], 10)
        self.assert_accepted(self.verify(self.sign(), "--leeway", "0009"), claims_of(1800))

    def test_an_empty_argument_is_no_standard_input(self):
        self.assert_fails(self.jwt("verify", "", stdin=self.sign().encode()), 64, "TOKEN is empty")

    def test_reads_no_more_of_a_token_than_any_could_have(self):
        result = self.jwt("verify", stdin=b"A" * (2 << 20))
        self.assert_fails(result, 65, "more than")
        self.assertEqual(self.jwt("verify", stdin=b"A" * (1 << 20)).returncode, 65)

    def test_has_a_limit_of_claims(self):
        claims = json.dumps({f"c{i}": 0 for i in range(1001)})
        self.assert_fails(self.jwt("sign", "--claims-json", "-", stdin=claims.encode()), 64, "1000 claims")


if __name__ == "__main__":
    unittest.main()
