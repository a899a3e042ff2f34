"""Processes of a service (token_service.cc) that verify each other's tokens while their keys are changed."""
import collections
import contextlib
import heapq
import itertools
import json
import os
import pathlib
import random
import secrets
import subprocess
import tempfile
import threading
import time

import bao
from faulty_network import FaultyNetwork

SERVICES, CLIENTS = 8, 4
LIFE = 4  # of a short token
PATIENCE = 1  # of a verifier that waits for a fetch
TTL, STALE, TIMEOUT = 2, 2, 2  # refreshes come at any moment of the second half of a TTL, and not sooner than 1 s
# Then every process has a change, or serves nothing. What a fetch brings is as old as the fetch took, at most.
EVERYWHERE = TTL + STALE + TIMEOUT

# What a service answers that could not fetch for so long that it serves no keys any more.
UNSERVED = {"failed:unavailable", "failed:try_again"}

Batch = collections.namedtuple("Batch", "signer tokens count valid_until")


def new_key():
    return secrets.token_urlsafe(32)


class Service:
    """One process. Its requests are made one at a time, under `lock`."""

    def __init__(self, program, environment, directory):
        self.program, self.environment, self.directory = program, environment, directory
        self.lock = threading.RLock()
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen([self.program, str(LIFE)], env=self.environment, cwd=self.directory,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, request, more=b""):
        with self.lock:
            self.process.stdin.write(request.encode() + b"\n" + more)
            self.process.stdin.flush()
            answer = self.process.stdout.readline().decode()
            if not answer.endswith("\n"):
                raise AssertionError(f"the service ended with {self.process.wait()} at {request}")
            return answer[:-1]

    def sign(self, kind, count):
        """The tokens, each with a newline; none where it has no key now."""
        with self.lock:
            answer = self.ask(f"sign {kind} {count}")
            return b"" if answer.startswith("failed ") else self.process.stdout.read(int(answer))

    def verify(self, kind, tokens):
        """How often there was which outcome."""
        return json.loads(self.ask(f"verify {kind} {len(tokens)}", tokens))

    def status(self):
        return json.loads(self.ask("status"))

    def refresh(self):
        error = self.ask("refresh")
        assert not error, error

    def end(self):
        """Its exit status."""
        with self.lock:
            self.process.stdin.close()
            status = self.process.wait(60)
            self.process.stdout.close()
            return status

    def kill(self):
        with self.lock:
            self.process.kill()
            self.process.wait()
            for stream in (self.process.stdin, self.process.stdout):
                with contextlib.suppress(OSError):
                    stream.close()


class Replica(Service):
    """One of a fleet, with its own way to the server."""

    def __init__(self, number, fleet, **settings):
        self.number = number
        self.network = FaultyNetwork(fleet.server.port)
        self.is_cut_off = False  # so that it may have no keys
        self.unserved = 0  # tokens that it had no key for
        environment = {"PATH": os.environ["PATH"], "HOME": fleet.directory, "SECRETS_BACKEND": "vault",
                       "VAULT_ADDR": f"http://127.0.0.1:{self.network.port}", "VAULT_TOKEN": "root",
                       "VAULT_CLIENT_TIMEOUT": f"{TIMEOUT}s", "SECRETS_CACHE_TTL": str(TTL),
                       "SECRETS_MAX_STALE": str(STALE), **settings,
                       **{name: os.environ[name] for name in os.environ if name.endswith("SAN_OPTIONS")}}
        super().__init__(fleet.program, environment, fleet.directory)

    def cut_off(self, fault="refuse"):
        self.is_cut_off = True
        self.network.fault = fault

    def heal(self):
        """Returns when it has fetched again."""
        self.network.fault = None
        healed_at = time.time()
        wait_for(lambda: self.status()["fetched_at"] > healed_at, "a fetch")
        self.is_cut_off = False


def wait_for(condition, what, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(what + " did not happen")
        time.sleep(0.02)


class Fleet:
    """A server and the replicas.

    `checked` counts tokens by signer and verifier, `rejected` by verifier and reason. Not among them are those that
    came `late`, after their end, or to a replica that was cut off for long (`unserved`) or slow (`starved`): without
    keys, or without the fetch that a token waited for. `refused` counts those of retired keys, which must be, and
    `refetches` the fetches that tokens caused: not more than `late_unknown` batches, whose keys had gone. Whatever else
    there must not be is in `failures`.

    `most_waiting` deliveries of `batch` tokens each wait at each client for their moment.
    """

    def __init__(self, program, settings=({},) * SERVICES, batch=50, most_waiting=60):
        self.program = pathlib.Path(program).resolve()
        self.batch, self.most_waiting = batch, most_waiting
        self.checked, self.rejected = collections.Counter(), collections.Counter()
        self.late = self.unserved = self.starved = self.refused = self.refetches = self.late_unknown = 0
        self.rotations = self.restarts = self.partitions = 0
        self.failures = []
        self.mutex = threading.Lock()  # of these figures
        self.retired = collections.deque(maxlen=5)  # tokens that live on, though their keys were taken away
        self.is_ending = threading.Event()
        self.threads = []
        self.services = []
        with contextlib.ExitStack() as stack:
            self.directory = stack.enter_context(tempfile.TemporaryDirectory())
            self.server = bao.dev_server()
            stack.callback(self.server.close)
            self.key = new_key()
            self.server.put({"SECRET_KEY": self.key})
            stack.callback(lambda: [service.kill() for service in self.services])
            for number, more in enumerate(settings):
                self.services.append(Replica(number, self, **more))
            for service in self.services:
                service.status()
            self.resources = stack.pop_all()

    def close(self):
        self.stop()
        self.resources.close()

    def figures(self):
        return (f"{self.total()} tokens checked, {sum(self.rejected.values())} rejected, {self.rotations} rotations, "
                f"{self.restarts} restarts, {self.partitions} partitions")

    def details(self):
        return (f"{self.refused} tokens of retired keys refused; {self.unserved} brought to a process without keys, as "
                f"it was cut off for long, {self.starved} as it was slow, {self.late} after their end; "
                f"{self.refetches} fetches because of tokens")

    # Tokens

    def take(self, signer):
        """A batch, or None where the signer has no key now or is being started."""
        if not signer.lock.acquire(timeout=0.01):
            return None
        try:
            valid_until = int(time.time()) + LIFE
            tokens = signer.sign("short", self.batch)
        finally:
            signer.lock.release()
        return Batch(signer.number, tokens, self.batch, valid_until) if tokens else None

    def offer(self, batch, verifier):
        """Whether it had time for it."""
        if not verifier.lock.acquire(timeout=0.01):
            return False
        try:
            was_cut_off = verifier.is_cut_off
            began = time.monotonic()
            outcomes = verifier.verify("short", batch.tokens)
            is_slow = time.monotonic() - began >= PATIENCE and not was_cut_off
            # A machine that is busy brings them when they are over, and even their key.
            is_late = time.time() >= batch.valid_until
        finally:
            verifier.lock.release()
        with self.mutex:
            for outcome, count in outcomes.items():
                if outcome in ("current", "previous", "next"):
                    self.checked[batch.signer, verifier.number] += count
                elif outcome in ("expired", "unknown_key") and is_late:
                    self.late += count
                    self.late_unknown += outcome == "unknown_key"
                elif outcome == "unknown_key" and is_slow:
                    self.starved += count
                elif outcome in UNSERVED:
                    verifier.unserved += count
                    self.unserved += count if was_cut_off else 0
                    self.starved += 0 if was_cut_off else count
                else:
                    self.checked[batch.signer, verifier.number] += count
                    self.rejected[verifier.number, outcome] += count
        return True

    def total(self):
        with self.mutex:
            return sum(self.checked.values())

    def has_all_pairs(self):
        with self.mutex:
            return all(self.checked[pair] for pair in itertools.permutations(range(len(self.services)), 2))

    # Work

    def start(self, *more):
        """The clients, and other work."""
        for work in (self.deliver,) * CLIENTS + more:
            self.threads.append(threading.Thread(target=self.run, args=(work,)))
            self.threads[-1].start()

    def run(self, work):
        try:
            work()
        except Exception as error:  # noqa: BLE001: whatever ends a thread is a failure
            self.failures.append(repr(error))

    def stop(self):
        self.is_ending.set()
        while self.threads:
            self.threads.pop().join()

    def deliver(self):
        """A client: takes tokens of one service, and gives them to each other at some moment of their lives."""
        chance = random.Random()
        waiting, order = [], itertools.count()
        while not self.is_ending.is_set():
            if len(waiting) < self.most_waiting:
                batch = self.take(chance.choice(self.services))
                for verifier in self.services if batch else ():
                    if verifier.number != batch.signer:
                        pause = chance.choice((0, chance.uniform(0, LIFE - 1)))
                        heapq.heappush(waiting, (time.monotonic() + pause, next(order), batch, verifier))
            if waiting and waiting[0][0] <= time.monotonic():
                _, _, batch, verifier = heapq.heappop(waiting)
                if time.time() >= batch.valid_until:
                    with self.mutex:
                        self.late += batch.count
                elif not self.offer(batch, verifier):
                    heapq.heappush(waiting, (time.monotonic() + 0.05, next(order), batch, verifier))
            elif len(waiting) >= self.most_waiting:
                time.sleep(0.005)

    def disturb(self):
        """Now and then one is cut off, for moments or until it has no keys left, and one is started anew."""
        chance = random.Random()
        for turn in itertools.count():
            service = chance.choice(self.services)
            if turn % 2 == 0:
                is_long = turn % 4 == 0
                service.cut_off(chance.choice(("refuse", "hang")))
                before = service.unserved
                if is_long:
                    wait_for(lambda: service.unserved > before or self.is_ending.is_set(), "running out of keys")
                else:
                    self.is_ending.wait(chance.uniform(0.2, TTL + STALE))
                service.heal()
                self.partitions += 1
            else:
                with service.lock:
                    self.end(service, by_force=turn % 4 == 1)
                    service.start()
                    service.status()
                self.restarts += 1
            if self.is_ending.wait(chance.uniform(0.2, 2)):
                return

    def end(self, service, by_force=False):
        self.refetches += service.status()["short"]["refreshes"]
        if by_force:
            service.kill()
        elif status := service.end():
            self.failures.append(f"service {service.number} ended with {status}")

    def stop_all(self):
        """Clients first, then the services, to have all figures."""
        self.stop()
        for service in self.services:
            self.end(service)

    # Keys

    def put(self, **keys):
        self.server.put({"SECRET_" + name.upper(): key for name, key in keys.items()})

    def rotate(self, announces=True):
        """One rotation in three steps, as the guide has it; or in the two of the order that knows no next key."""
        old, new = self.key, new_key()
        if announces:
            self.put(key=old, key_next=new)
            time.sleep(EVERYWHERE)
        long_lived = b"".join(service.sign("long", self.batch) for service in self.services)
        self.put(key=new, key_previous=old)
        time.sleep(EVERYWHERE + LIFE)
        self.offer_long(long_lived, "previous")
        self.put(key=new)
        time.sleep(EVERYWHERE)
        self.retired.append(long_lived)
        self.refused += self.offer_long(b"".join(self.retired), "unknown_key")
        self.key = new
        self.rotations += 1

    def offer_long(self, tokens, wanted):
        """To all: each that has keys has that outcome of each token. How many there were."""
        sum_of_all = 0
        for service in self.services:
            outcomes = service.verify("long", tokens)
            sum_of_all += outcomes.pop(wanted, 0)
            if not UNSERVED.issuperset(outcomes):
                self.failures.append(f"service {service.number}, tokens that should be {wanted}: {outcomes}")
        return sum_of_all
