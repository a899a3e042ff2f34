#!/usr/bin/env python3
"""differential_test.py SIGNING_DUMP [COUNT [SEED]]: signs generated requests as botocore does, and compares the
canonical requests and signatures. What botocore leaves to its callers is generated as they leave it: queries are
encoded as they have to be, and presigned requests have no body, which botocore would move into the query."""
import datetime
import pathlib
import random
import subprocess
import sys
import urllib.parse

try:
    import botocore.auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
except ImportError:
    print("botocore is not installed: tools/setup.sh test")
    sys.exit(77)

DUMP = pathlib.Path(sys.argv[1]).resolve()
COUNT = int(sys.argv[2]) if len(sys.argv) > 2 else 5000
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(2 ** 32)

UNRESERVED = "abcXYZ019-._~"
NAMES = ["X-Amz-Target", "x-fake", "X-FAKE-b", "X-Fake-B-c", "Content-Type", "Accept", "zebra", "a", "X-Amz-Meta-1",
         "User-Agent", "Expect", "X-Amzn-Trace-Id", "Content-Length"]
WHITE = [" ", "  ", "\t", " \t "]


def some(rng, letters, most, least=0):
    return "".join(rng.choice(letters) for _ in range(rng.randint(least, most)))


def encoded(rng, most, least=0):
    text = "".join(rng.choice(UNRESERVED) if rng.random() < 0.7 else chr(rng.choice([*range(128), 0xe9, 0x20ac, 0x1f511]))
                   for _ in range(rng.randint(least, most)))
    return urllib.parse.quote(text, safe="~")


def path(rng):
    segments = []
    for _ in range(rng.randint(0, 5)):
        segments.append(rng.choice(["", ".", "..", "a", "b c".replace(" ", "%20"), encoded(rng, 6)]))
    return "/" + "/".join(segments)


def query(rng):
    return "&".join(f"{encoded(rng, 4, 1)}{i}={encoded(rng, 6)}" for i in range(rng.randint(0, 4)))


def value(rng):
    words = [some(rng, "abcXYZ019,;=/\"'()!~%é", 6, 1) for _ in range(rng.randint(1, 4))]
    text = words[0]
    for word in words[1:]:
        text += rng.choice(WHITE) + word
    return text


def request(rng):
    names = rng.sample(NAMES, rng.randint(0, 5))
    form = rng.choice(["header", "header", "query"])
    return {"form": form,
            "time": rng.randrange(0, 4_000_000_000),
            "region": rng.choice(["eu-central-1", "us-east-1", "aws-global", "x"]),
            "service": rng.choice(["secretsmanager", "sts", "service"]),
            "token": rng.choice(["", "AQoDYXdzEJr//+tok==", some(rng, UNRESERVED + "+/=", 40)]),
            "method": rng.choice(["GET", "POST", "PUT", "DELETE"]),
            "path": path(rng), "query": query(rng),
            "payload": some(rng, "{}:\"aé\n\0 ", 30) if form == "header" else "",
            "host": rng.choice(["sts.amazonaws.com", "127.0.0.1:5599", "[::1]:80"]),
            "headers": [(name, value(rng)) for name in names]}


def line_of(case):
    headers = [("Host", case["host"]), *case["headers"]]
    fields = [case["form"], str(case["time"]), case["region"], case["service"], case["token"], case["method"],
              case["path"], case["query"], case["payload"], *(part for header in headers for part in header)]
    return "\t".join(field.encode().hex() for field in fields)


def by_botocore(case):
    now = datetime.datetime.fromtimestamp(case["time"], datetime.timezone.utc).replace(tzinfo=None)
    botocore.auth.get_current_datetime = lambda *_, **__: now
    headers = {"Host": case["host"], **dict(case["headers"])}
    url = f"https://{case['host']}{case['path']}" + ("?" + case["query"] if case["query"] else "")
    made = AWSRequest(case["method"], url, headers=headers, data=case["payload"].encode())
    credentials = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", case["token"] or None)
    kind = botocore.auth.SigV4QueryAuth if case["form"] == "query" else botocore.auth.SigV4Auth
    signer = kind(credentials, case["service"], case["region"])
    seen = []
    plain = signer.canonical_request

    def canonical_request(subject):
        seen.append(plain(subject))
        return seen[-1]

    signer.canonical_request = canonical_request
    signature = []
    sign = signer.signature

    def keep(text, subject):
        signature.append(sign(text, subject))
        return signature[-1]

    signer.signature = keep
    signer.add_auth(made)
    return seen[0].encode(), signature[0]


def main():
    print(f"seed {SEED}")
    rng = random.Random(SEED)
    cases = [request(rng) for _ in range(COUNT)]
    output = subprocess.run([DUMP], input="\n".join(map(line_of, cases)) + "\n", capture_output=True, text=True, check=True)
    different = 0
    for case, line in zip(cases, output.stdout.splitlines(), strict=True):
        first, second = line.split("\t", 1)
        ours = (line,) if first == "ERR" else (bytes.fromhex(first), second)
        theirs = by_botocore(case)
        if ours != theirs:
            different += 1
            if different <= 5:
                print(case, "\nours:    ", *ours, "\nbotocore:", *theirs)
    print(f"{COUNT} requests, {different} differences")
    sys.exit(different != 0)


if __name__ == "__main__":
    main()
