"""Times whole processes, in turn, so that drift of the machine hits all alike."""
import os
import statistics
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


def measure(commands, rounds, warm_up=3):
    """Runs each `rounds` times, round-robin."""
    for number in range(rounds + warm_up):
        for command in commands:
            wall_ms, peak_kib = command.run()
            if number >= warm_up:
                command.wall_ms.append(wall_ms)
                command.peak_kib = max(command.peak_kib, peak_kib)


def print_table(commands, baseline):
    width = max(len(command.name) for command in commands)
    print(f"  {'':{width}}  median ms     min     max   ratio")
    for command in commands:
        ratio = statistics.median(
            mine / base for mine, base in zip(command.wall_ms, baseline.wall_ms))
        print(f"  {command.name:{width}}  {command.median:9.2f} {min(command.wall_ms):7.2f} "
              f"{max(command.wall_ms):7.2f}  {ratio:5.2f}x")
