#!/usr/bin/env python3
"""Writes logs as services write them, or text made to be hard to scrub, to standard output. The same seed gives the
same bytes.

make_logs.py SIZE [--formats NAME,...] [--seed N] [--values FILE --share 0.01]
make_logs.py SIZE --hostile run|broken-runs|prefixes|fibonacci [--values FILE]

SIZE is in bytes, or with K, M or G. FILE has a value on each line. `--share` is of the lines that get a value.
"""
import argparse
import base64
import json
import random
import sys

WORDS = ("connection released opened closed pool primary replica worker queue job order invoice user session cache hit "
         "miss retry timeout backoff shard index commit rollback upload download render started finished accepted "
         "rejected scheduled expired refreshed handshake upstream payload checksum batch cursor page tenant").split()
SERVICES = ("api", "billing", "search", "worker", "gateway", "auth", "mailer", "ledger", "indexer", "scheduler")
PATHS = ("/api/v1/orders", "/api/v2/users", "/login", "/healthz", "/static/app.js", "/search", "/api/v1/invoices",
         "/graphql", "/oauth/callback", "/metrics")
AGENTS = ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "curl/7.88.1", "kube-probe/1.29",
          "Go-http-client/2.0", "python-requests/2.32.3")
TABLES = ("orders", "users", "invoices", "sessions", "audit_events", "llm_models")
CLASSES = ("com.example.billing.InvoiceService", "com.example.http.RequestPipeline", "com.example.db.PooledConnection",
           "org.springframework.web.servlet.FrameworkServlet", "java.util.concurrent.ThreadPoolExecutor")
MODULES = ("app/server/api.py", "app/db/session.py", "app/tasks/sync.py", "site-packages/sqlalchemy/engine/base.py",
           "site-packages/starlette/routing.py")
LEVELS = ("DEBUG", "INFO", "INFO", "INFO", "INFO", "WARN", "ERROR")


class Logs:
    """One method a format; each returns an entry of one line or more, without the last line break."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.second = 0

    def below(self, limit):
        return int(self.random.random() * limit)

    def choice(self, things):
        return things[int(self.random.random() * len(things))]

    def hex(self, digits):
        return f"{self.random.getrandbits(4 * digits):0{digits}x}"

    def uuid(self):
        text = self.hex(32)
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"

    def base64(self, size):
        return base64.b64encode(self.random.randbytes(size)).decode()

    def base64url(self, size):
        return base64.urlsafe_b64encode(self.random.randbytes(size)).decode().rstrip("=")

    def words(self, count):
        return " ".join(self.choice(WORDS) for _ in range(count))

    def address(self):
        return f"10.{self.below(256)}.{self.below(256)}.{self.below(256)}"

    def time(self):
        self.second += self.random.random() < 0.02
        seconds = self.second % 86400
        return (f"2026-03-{10 + self.second // 86400 % 20}T{seconds // 3600:02}:{seconds // 60 % 60:02}:"
                f"{seconds % 60:02}.{self.below(1000):03}")

    def query(self):
        return f"?page={self.below(90)}&q={self.choice(WORDS)}%20{self.choice(WORDS)}&cursor={self.base64url(9)}"

    def nginx(self):
        path = self.choice(PATHS) + (self.query() if self.random.random() < 0.4 else "")
        return (f'{self.address()} - - [{self.time()[8:10]}/Mar/2026:{self.time()[11:19]} +0000] "GET {path} HTTP/1.1" '
                f'{self.choice((200, 200, 200, 204, 302, 404, 500))} {self.below(90000)} "-" "{self.choice(AGENTS)}"')

    def json(self):
        return json.dumps({"ts": self.time() + "Z", "level": self.choice(LEVELS).lower(),
                           "logger": f"{self.choice(SERVICES)}.{self.choice(WORDS)}", "msg": self.words(4),
                           "trace_id": self.hex(32), "duration_ms": self.below(2000)}, separators=(",", ":"))

    def logfmt(self):
        return (f"ts={self.time()}Z level={self.choice(LEVELS).lower()} caller={self.choice(WORDS)}.go:{self.below(900)} "
                f'msg="{self.words(3)}" request_id={self.uuid()} took={self.below(900)}ms rows={self.below(500)}')

    def java(self):
        head = (f"{self.time().replace('T', ' ')} {self.choice(LEVELS):5} [{self.choice(SERVICES)}-{self.below(16)}] "
                f"{self.choice(CLASSES)} - {self.words(6)} id={self.below(10 ** 6)}")
        if self.random.random() < 0.95:
            return head
        trace = [f"\tat {self.choice(CLASSES)}.{self.choice(WORDS)}{self.choice(WORDS).title()}("
                 f"{self.choice(WORDS).title()}.java:{self.below(900)})" for _ in range(4 + self.below(12))]
        return "\n".join([head, f"java.lang.IllegalStateException: {self.words(4)}", *trace])

    def python(self):
        head = (f"{self.time().replace('T', ' ').replace('.', ',')} - {self.choice(SERVICES)}.{self.choice(WORDS)} - "
                f"{self.choice(LEVELS)} - {self.words(5)} for user {self.below(10 ** 5)} ({self.uuid()})")
        if self.random.random() < 0.95:
            return head
        frames = [f'  File "/srv/{self.choice(MODULES)}", line {self.below(900)}, in {self.choice(WORDS)}\n'
                  f"    return self.{self.choice(WORDS)}({self.choice(WORDS)}, timeout={self.below(60)})"
                  for _ in range(3 + self.below(6))]
        return "\n".join([head, "Traceback (most recent call last):", *frames, f"ValueError: {self.words(4)}"])

    def syslog(self):
        return (f"Mar {self.below(28) + 1:2} {self.time()[11:19]} node-{self.below(40)} {self.choice(SERVICES)}"
                f"[{self.below(65536)}]: {self.words(7)} from {self.address()}:{self.below(65536)} code={self.below(600)}")

    def kubernetes(self):
        pod = f"{self.choice(SERVICES)}-{self.hex(10)}-{self.hex(5)}"
        return (f"{self.time()}{self.below(10 ** 6):06}Z stdout F [pod/{pod}/{self.choice(SERVICES)}] "
                f"I0314 {self.choice(WORDS)}.go:{self.below(900)}] {self.words(6)} uid={self.uuid()}")

    def sql(self):
        return (f"{self.time()} LOG:  duration: {self.below(90000) / 1000} ms  statement: SELECT id, name, created_at FROM "
                f"{self.choice(TABLES)} WHERE tenant_id = {self.below(5000)} AND state IN ('{self.choice(WORDS)}', "
                f"'{self.choice(WORDS)}') ORDER BY id LIMIT {self.below(200)}")

    def blob(self):
        return f"{self.time()} DEBUG {self.choice(SERVICES)}: payload={self.base64(48 + self.below(96))} sha256={self.hex(64)}"

    def token(self):
        # The head is that of a JSON Web Token; what follows is noise.
        return (f"{self.time()}Z INFO {self.choice(SERVICES)}: token eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
                f"{self.base64url(60)}.{self.base64url(32)} accepted for {self.choice(PATHS)}")

    def url(self):
        return (f"{self.time()}Z INFO {self.choice(SERVICES)}: POST https://{self.choice(SERVICES)}.example.com"
                f"{self.choice(PATHS)}{self.query()}&sig={self.hex(16)} -> {self.choice((200, 201, 409))} in {self.below(900)} ms")


# How often each stands in a mixed log.
WEIGHTS = {"nginx": 20, "json": 20, "logfmt": 12, "java": 10, "python": 8, "syslog": 6, "kubernetes": 8, "sql": 6,
           "blob": 4, "token": 4, "url": 5}


def clean(size, formats=tuple(WEIGHTS), seed=11):
    """Returns lines, the last one cut so that all have `size` bytes."""
    logs = Logs(seed)
    entries = [getattr(logs, name) for name in formats for _ in range(WEIGHTS[name])]
    lines = []
    written = 0
    while written < size:
        entry = logs.choice(entries)()
        lines.append(entry)
        written += len(entry) + 1
    return "\n".join(lines).encode()[:size - 1] + b"\n"


def plant(text, values, share, seed=13):
    """Puts a value into that share of the lines, at a space or at the end."""
    chance = random.Random(seed)
    lines = text.split(b"\n")
    for number in chance.sample(range(len(lines)), int(len(lines) * share)):
        line = lines[number]
        at = line.find(b" ", chance.randrange(len(line) + 1))
        at = len(line) if at < 0 else at
        lines[number] = line[:at] + b" password=" + chance.choice(values) + line[at:]
    return b"\n".join(lines)


def fibonacci_word(size):
    """Of a and b; every part of it turns up again and again, and often twice overlapping."""
    shorter, word = b"b", b"a"
    while len(word) < size:
        shorter, word = word, word + shorter
    return word[:size]


def hostile(kind, size, values=(), seed=17):
    if kind == "run":
        return b"a" * size
    if kind == "broken-runs":
        return (b"a" * 999 + b"b") * (size // 1000) + b"a" * (size % 1000)
    if kind == "fibonacci":
        return fibonacci_word(size)
    chance = random.Random(seed)
    pieces = []
    written = 0
    while written < size:
        pieces.append(chance.choice(values)[:-1])
        written += len(pieces[-1])
    return b"".join(pieces)[:size]


def size_in_bytes(text):
    factor = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}.get(text[-1:])
    return int(text[:-1]) * factor if factor else int(text)


def format_names(text):
    names = text.split(",")
    unknown = set(names) - set(WEIGHTS)
    if unknown:
        raise argparse.ArgumentTypeError(f"no such format: {', '.join(sorted(unknown))}; there are {', '.join(WEIGHTS)}")
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", type=size_in_bytes)
    parser.add_argument("--formats", type=format_names, default=list(WEIGHTS))
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--values", type=argparse.FileType("rb"))
    parser.add_argument("--share", type=float, default=0)
    parser.add_argument("--hostile", choices=("run", "broken-runs", "prefixes", "fibonacci"))
    arguments = parser.parse_args()
    values = arguments.values.read().split(b"\n") if arguments.values else []
    values = [value for value in values if value]
    if not values and (arguments.share or arguments.hostile == "prefixes"):
        parser.error("--share and --hostile prefixes need --values")
    if arguments.hostile:
        text = hostile(arguments.hostile, arguments.size, values, arguments.seed)
    else:
        text = clean(arguments.size, arguments.formats, arguments.seed)
        if arguments.share:
            text = plant(text, values, arguments.share, arguments.seed)
    sys.stdout.buffer.write(text)


if __name__ == "__main__":
    main()
