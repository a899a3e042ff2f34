#!/usr/bin/env python3
"""differential_test.py CLOUD_CRYPTO_DUMP [SEED]: CRC-32C against its definition and google-crc32c; RS256 against
`cryptography`, RFC 7515, and the keys of Wycheproof, RFC 7520's among them."""
import base64
import json
import os
import pathlib
import random
import subprocess
import sys
import unittest

try:
    import google_crc32c
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
except ImportError as error:
    print(f"{error.name} is not installed: tools/setup.sh test")
    sys.exit(77)

DUMP = pathlib.Path(sys.argv.pop(1)).resolve()
SEED = int(sys.argv.pop(1)) if len(sys.argv) > 1 else random.randrange(2 ** 32)
FORMS = [serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL]

# RFC 7515, A.2.1: "This example uses the RSA key represented in JSON Web Key format below", which is no secret.
RFC7515_JWK = {
    "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZ"
         "S-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2"
         "R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcD"
         "TW9gb54h4FRWyuXpoQ",
    "e": "AQAB",
    "d": "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_G"
         "O-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQl"
         "BjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0"
         "QU91p1DhOVRuOopznQ"}
RFC7515_JWS = (
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
    "fQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr"
    "7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12j"
    "zDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe"
    "77Rw")


def answers(cases):
    lines = "".join("\t".join(field.hex() for field in case) + "\n" for case in cases)
    output = subprocess.run([DUMP], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
    return list(zip(cases, output, strict=True))


def crc32c(data):
    """The definition, bit by bit (RFC 3720, 12.1)."""
    value = 0xffffffff
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82f63b78 if value & 1 else 0)
    return value ^ 0xffffffff


def pem(key, form):
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def number(text):
    return int.from_bytes(base64.urlsafe_b64decode(text + "=="))


def key_of(jwk):
    n, e, d = number(jwk["n"]), number(jwk["e"]), number(jwk["d"])
    p, q = rsa.rsa_recover_prime_factors(n, e, d)
    return rsa.RSAPrivateNumbers(p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q),
                                 rsa.RSAPublicNumbers(e, n)).private_key()


class Crc32c(unittest.TestCase):
    def test_random_bytes(self):
        rng = random.Random(SEED)
        sizes = [rng.randrange(0, 600) for _ in range(300)] + [rng.randrange(6000, 20_000) for _ in range(8)]
        for (_, data), line in answers([(b"crc32c", rng.randbytes(size)) for size in sizes]):
            self.assertEqual(line.split(), 2 * [str(crc32c(data))], f"{len(data)} bytes, seed {SEED}")

    def test_googles_library(self):
        rng = random.Random(SEED)
        sizes = [rng.randrange(0, 100_000) for _ in range(300)]
        for (_, data), line in answers([(b"crc32c", rng.randbytes(size)) for size in sizes]):
            self.assertEqual(line.split(), 2 * [str(google_crc32c.value(data))], f"{len(data)} bytes, seed {SEED}")


class Rs256(unittest.TestCase):
    def expect(self, cases):
        """cases: (key, message, signature)"""
        forms = [(case, form) for case in cases for form in FORMS]
        made = answers([(b"rs256", pem(key, form), message) for (key, message, _), form in forms])
        for ((_, message, signature), form), (_, line) in zip(forms, made, strict=True):
            self.assertEqual(line, signature.hex(), f"{form}, message {message.hex()}, seed {SEED}")

    def expect_jws(self, key, jws):
        message, signature = jws.rsplit(".", 1)
        self.expect([(key, message.encode(), base64.urlsafe_b64decode(signature + "=="))])

    def test_random_messages(self):
        rng = random.Random(SEED)
        for bits, exponent, count in [(2048, 65537, 100), (2048, 3, 10), (2056, 65537, 10), (2058, 65537, 10),
                                      (3072, 65537, 10), (4096, 65537, 5)]:
            with self.subTest(bits=bits, exponent=exponent):
                key = rsa.generate_private_key(public_exponent=exponent, key_size=bits)
                messages = [rng.randbytes(rng.randrange(0, 2000)) for _ in range(count)]
                self.expect([(key, message, key.sign(message, padding.PKCS1v15(), hashes.SHA256()))
                             for message in messages])

    def test_rfc_7515(self):
        self.expect_jws(key_of(RFC7515_JWK), RFC7515_JWS)

    def test_wycheproof(self):
        name = "wycheproof_json_web_signature_test.json"
        root = pathlib.Path(__file__).resolve().parents[2]
        places = [os.environ["QARION_VECTORS"]] if "QARION_VECTORS" in os.environ else [
            "../shared/vectors", root.parent / "shared/vectors"]
        path = next((path for path in (pathlib.Path(place, name) for place in places) if path.exists()), None)
        if path is None:
            raise unittest.SkipTest(f"{name} not found in ../shared/vectors; set QARION_VECTORS")
        comments = set()
        for group in json.loads(path.read_text())["testGroups"]:
            jwk = group.get("private", {})
            if jwk.get("kty") != "RSA" or jwk.get("alg") != "RS256" or number(jwk["n"]).bit_length() < 2048:
                continue
            valid = [test["jws"] for test in group["tests"] if test["result"] == "valid"]
            for jws in valid:
                with self.subTest(group["comment"]):
                    self.expect_jws(key_of(jwk), jws)
                    comments.add(group["comment"])
        self.assertIn("rfc7520", comments)  # 4.1, "RSA v1.5 Signature"


if __name__ == "__main__":
    print(f"seed {SEED}")
    unittest.main()
