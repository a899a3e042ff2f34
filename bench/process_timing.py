"""Times whole processes, in turn, so that drift of the machine hits all alike."""
import os
import statistics
import subprocess
import time


class Timed:
    """What is timed: `run` returns milliseconds and the peak of memory in KiB, or 0."""

    def __init__(self, name):
        self.name = name
        self.wall_ms = []
        self.peak_kib = 0

    def run(self):
        raise NotImplementedError

    @property
    def median(self):
        return statistics.median(self.wall_ms)


class Command(Timed):
    def __init__(self, name, argv, env=None):
        super().__init__(name)
        self.argv = argv
        self.env = dict(os.environ) if env is None else env

    def run(self):
        null = os.open(os.devnull, os.O_RDWR)
        actions = [(os.POSIX_SPAWN_DUP2, null, fd) for fd in (0, 1, 2)]
        begin = time.perf_counter()
        pid = os.posix_spawnp(self.argv[0], self.argv, self.env, file_actions=actions)
        _, status, usage = os.wait4(pid, 0)
        elapsed = time.perf_counter() - begin
        os.close(null)
        if status != 0:
            raise RuntimeError(f"{self.name}: ended with status {status}")
        return elapsed * 1000, usage.ru_maxrss


class Finding(Timed):
    """A process that finds credentials and prints how many milliseconds that took it, besides its start and end."""

    def __init__(self, name, argv, env):
        super().__init__(name)
        self.argv = argv
        self.env = env
        self.inner_ms = []

    def run(self):
        begin = time.perf_counter()
        printed = subprocess.run(self.argv, env=self.env, check=True, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE).stdout
        elapsed = time.perf_counter() - begin
        self.inner_ms.append(float(printed))
        return elapsed * 1000, 0


def measure(commands, rounds, warm_up=3):
    """Runs each `rounds` times, round-robin."""
    for number in range(rounds + warm_up):
        for command in commands:
            wall_ms, peak_kib = command.run()
            if number >= warm_up:
                command.wall_ms.append(wall_ms)
                command.peak_kib = max(command.peak_kib, peak_kib)


def measure_findings(findings, services, prepare, rounds):
    """Runs each `rounds` times, in turn and each after `prepare`. Returns how many requests each made of `services` in
    a run before those, which warms up."""
    requests = []
    for number in range(rounds + 1):
        for finding in findings:
            prepare()
            if number == 0:
                finding.run()
                finding.inner_ms.clear()
                requests.append(len(services.lines()))
            else:
                measure([finding], rounds=1, warm_up=0)
    return requests


def ratio(mine, others):
    return statistics.median(one / other for one, other in zip(mine, others))


def print_findings_head(other):
    print(f"  {'':24}   ours ms  {other:>11} ms   ratio | whole  ours ms  {other:>11} ms   ratio | requests  ours "
          f"{other}")


def print_findings(name, findings, requests):
    """Of ours and of another, in this order."""
    ours, theirs = findings
    inner, whole = [tuple(statistics.median(times(finding)) for finding in findings)
                    for times in (lambda finding: finding.inner_ms, lambda finding: finding.wall_ms)]
    print(f"  {name:24} {inner[0]:9.2f} {inner[1]:14.2f} {ratio(ours.inner_ms, theirs.inner_ms):6.3f}x"
          f" |       {whole[0]:9.2f} {whole[1]:14.2f} {ratio(ours.wall_ms, theirs.wall_ms):6.3f}x"
          f" | {requests[0]:14} {requests[1]:{len(theirs.name)}}")


def print_table(commands, baseline):
    width = max(len(command.name) for command in commands)
    print(f"  {'':{width}}  median ms     min     max   ratio")
    for command in commands:
        print(f"  {command.name:{width}}  {command.median:9.2f} {min(command.wall_ms):7.2f} "
              f"{max(command.wall_ms):7.2f}  {ratio(command.wall_ms, baseline.wall_ms):5.2f}x")
