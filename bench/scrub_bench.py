#!/usr/bin/env python3
"""The scrubber beside Hyperscan in memory, and beside `cat` in a pipe.

scrub_bench.py SCRUB_BENCH PIPE_ENDS QSECRETS [--only TEXT] [--seconds N] [--megabytes N] [--pipe-gigabytes N]

Values and texts are made here, from seeds. Both search the same text for the same literals, in turn and in one process; a
ratio is the median of those of single rounds, Hyperscan's time that of its fastest way: hs_compile_multi or
hs_compile_lit_multi, block mode over the whole text or streaming mode in pieces of 64 KiB. It only counts what it finds,
we mask it. Figures are medians, with the least and the greatest.
"""
import argparse
import fcntl
import json
import os
import pathlib
import platform
import random
import re
import statistics
import string
import subprocess
import tempfile

import make_logs

LETTERS = string.ascii_letters + string.digits
PIPE_BYTES = 1 << 20
PIPE_ROUNDS = 7


def make_values(count, least=8, most=64, seed=7):
    """Letters and digits, every fifth with punctuation."""
    chance = random.Random(seed)
    values = set()
    while len(values) < count:
        alphabet = LETTERS + (string.punctuation if len(values) % 5 == 0 else "")
        values.add("".join(chance.choices(alphabet, k=chance.randint(least, most))))
    return [value.encode() for value in sorted(values, key=lambda value: chance.random())]


class Bench:
    def __init__(self, program, directory, megabytes, seconds, only):
        self.program = program
        self.directory = pathlib.Path(directory)
        self.seconds = seconds
        self.only = only
        self.text = make_logs.clean(megabytes << 20)
        self.hostile_bytes = min(megabytes, 8) << 20

    def file(self, name, content):
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_bytes(content)
        return str(path)

    def wants(self, name):
        return re.search(self.only, name) is not None

    def run(self, what, values, text=None, all_forms=False):
        """Returns the figures of all rounds by name, and what is counted once."""
        argv = [self.program, what]
        if text is not None:
            argv.append(self.file("text", text))
        argv.append(self.file("values", b"\n".join(values) + b"\n"))
        if all_forms:
            argv.append("--forms")
        output = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True,
                                env={**os.environ, "BENCH_SECONDS": str(self.seconds)}).stdout
        rounds, once = {}, {}
        for line in output.splitlines():
            name, *figures = line.split("\t")
            if name.startswith("="):
                once[name[1:]] = float(figures[0])
            else:
                rounds[name] = [float(figure) for figure in figures]
        return rounds, once


def spread(figures, form):
    median = statistics.median(figures)
    return f"{median:{form}} ({min(figures):{form}}-{max(figures):{form}})"


def fastest_hyperscan(rounds, better):
    names = [name for name in rounds if name.startswith("Hyperscan ")]
    return better(names, key=lambda name: statistics.median(rounds[name]))


def median_ratio(mine, others):
    return statistics.median(one / other for one, other in zip(mine, others))


def verdict(is_met):
    return "met" if is_met else "MISSED"


def report_scans(bench):
    clean = bench.text
    of_1000 = make_values(1000)
    size = bench.hostile_bytes
    word = make_logs.fibonacci_word(64)
    almost_words = [word[:length - 1] + (b"b" if word[length - 1:length] == b"a" else b"a") for length in range(8, 65)]
    numbered = [f"id={number:08}".encode() for number in range(1600)]
    rows = [  # name, text, values, all forms, least ratio, least GB/s
        ("100 values", lambda: clean, make_values(100), False, 2, 0),
        ("1,000 values", lambda: clean, of_1000, False, 2, 0),
        ("10,000 values", lambda: clean, make_values(10000), False, 1.5, 0),
        ("1,000 values, all forms", lambda: clean, of_1000, True, 2, 0),
        ("100 values, in the cache", lambda: clean[:1 << 20], make_values(100), False, 0, 0),
        ("1,000 values, in the cache", lambda: clean[:1 << 20], of_1000, False, 0, 0),
        ("1,000 values, all forms, in the cache", lambda: clean[:1 << 20], of_1000, True, 0, 0),
        ("20 values, all forms", lambda: clean, make_values(20), True, 0, 0),  # as many as a service has
        ("1,000, a value on 1 % of lines", lambda: make_logs.plant(clean, of_1000, 0.01), of_1000, False, 1, 0.2),
        ("1,000, a value on 10 % of lines", lambda: make_logs.plant(clean, of_1000, 0.1), of_1000, False, 1, 0.2),
        ("a run of a, value a^1000 b", lambda: make_logs.hostile("run", size), [b"a" * 1000 + b"b"], False, 1, 0.2),
        ("runs of a^999 b, value a^1000 b", lambda: make_logs.hostile("broken-runs", size), [b"a" * 1000 + b"b"], False, 1,
         0.2),
        ("a run of a, values a^8 to a^64", lambda: make_logs.hostile("run", size // 4),
         [b"a" * length for length in range(8, 65)], False, 1, 0.2),
        ("Fibonacci word, values almost in it", lambda: make_logs.hostile("fibonacci", size), almost_words, False, 1, 0.2),
        ("beginnings of the values alone", lambda: make_logs.hostile("prefixes", size, of_1000), of_1000, False, 1, 0.2),
        ("beginnings of 1,600 numbered values", lambda: make_logs.hostile("prefixes", size, numbered), numbered, False, 0, 0),
        ("1,000 values of 4 to 8 bytes", lambda: clean, make_values(1000, 4, 8), False, 0, 0),
    ]
    rows = [row for row in rows if bench.wants(row[0])]
    if not rows:
        return
    print(f"  {len(clean) >> 20} MiB of log, lines of {len(clean) / clean.count(10):.0f} bytes, values of 8 to 64 bytes; in the "
          "cache: the first MiB again and again; GB/s:")
    print(f"  {'':38} {'StreamScrubber':>24} {'Scrub':>6} {'Hyperscan':>24}  {'ratio':>7}  target")
    for name, text, values, all_forms, least_ratio, least_rate in rows:
        rounds, once = bench.run("scan", values, text(), all_forms)
        best = fastest_hyperscan(rounds, max)
        ratio = median_ratio(rounds["stream"], rounds[best])
        rate = statistics.median(rounds["stream"])
        target = f">= {least_ratio}x" + (f", >= {least_rate} GB/s" if least_rate else "") if least_ratio else "-"
        if least_ratio:
            target += ": " + verdict(ratio >= least_ratio and rate >= least_rate)
        ways = ", ".join(f"{way.removeprefix('Hyperscan ')} {statistics.median(figures):.3g}"
                         for way, figures in rounds.items() if way.startswith("Hyperscan "))
        print(f"  {name:38} {spread(rounds['stream'], '.3g'):>24} {statistics.median(rounds['Scrub']):6.3g} "
              f"{spread(rounds[best], '.3g'):>24} {ratio:7.3g}x  {target}")
        print(f"  {'':38}   {once['literals']:,.0f} literals, {once['matches']:,.0f} matches; Hyperscan {ways}", flush=True)


def report_lines(bench):
    rows = [(f"line, {count:,} values", "line", count, False) for count in (100, 1000, 10000)]
    rows += [("line, 1,000 values, all forms", "line", 1000, True),
             ("cut anywhere, 1,000 values, all forms", "cut", 1000, True)]
    rows = [row for row in rows if bench.wants(row[0])]
    if not rows:
        return
    print("\n  a line of 156 bytes without a value, state kept; ns:")
    print(f"  {'':37} {'Write':>24} {'Write, Finish':>14} {'Scrub':>6} {'Hyperscan':>24}  {'ratio':>7}  target")
    for name, what, count, all_forms in rows:
        rounds, once = bench.run(what, make_values(count), bench.text, all_forms)
        best = fastest_hyperscan(rounds, min)
        median = statistics.median(rounds["stream"])
        print(f"  {name:37} {spread(rounds['stream'], '.1f'):>24} {statistics.median(rounds['stream, ended']):14.1f} "
              f"{statistics.median(rounds['Scrub']):6.1f} {spread(rounds[best], '.1f'):>24} "
              f"{median_ratio(rounds['stream'], rounds[best]):7.2f}x  <= 40 ns: {verdict(median <= 40)}; "
              f"{once['allocations of a line']:g} allocations", flush=True)


def report_sets(bench):
    rows = {f"set of {count:,}" + (", all forms" if all_forms else ""): (count, all_forms)
            for count in (1000, 10000) for all_forms in (False, True)}
    rows = {name: row for name, row in rows.items() if bench.wants(name)}
    if not rows:
        return
    print("\n  a set; ms until the value added is masked, ms until all are, locked memory:")
    print(f"  {'':38} {'change':>22} {'first':>6} {'build':>24} {'a value':>11} {'Hyperscan compiles':>24}")
    for name, (count, all_forms) in rows.items():
        rounds, once = bench.run("set", make_values(count), all_forms=all_forms)
        print(f"  {name:38} {spread(rounds['change'], '.2f'):>22} {max(rounds['first change']):6.2f} "
              f"{spread(rounds['build'], '.1f'):>24} "
              f"{once['secret bytes of a value']:9.0f} B {spread(rounds['Hyperscan build'], '.1f'):>24}"
              f"  {once['literals']:,.0f} literals")
        targets = []
        if count == 10000:
            targets += [f"change <= 10 ms: {verdict(max(rounds['change'] + rounds['first change']) <= 10)}",
                        f"build <= 100 ms: {verdict(statistics.median(rounds['build']) <= 100)}"]
        if all_forms:
            targets.append(f"<= 2 KiB a value: {verdict(once['secret bytes of a value'] <= 2048)}")
        if targets:
            print(f"  {'':38} {'; '.join(targets)}", flush=True)


def gigabytes_a_second(producer, filters, consumer, expected):
    """Of the consumer, from its first byte to its last."""
    processes = []
    source = subprocess.DEVNULL
    for argv in (producer, *filters):
        read_end, write_end = os.pipe()
        fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        processes.append(subprocess.Popen(argv, stdin=source, stdout=write_end, env={**os.environ, "LC_ALL": "C"}))
        os.close(write_end)
        if source != subprocess.DEVNULL:
            os.close(source)
        source = read_end
    printed = subprocess.run([*consumer, "consume"], stdin=source, check=True, stdout=subprocess.PIPE, text=True).stdout
    os.close(source)
    for process in processes:
        if process.wait() != 0:
            raise RuntimeError(f"{process.args[0]} ended with status {process.returncode}")
    size, seconds = printed.split()
    if int(size) != expected:
        raise RuntimeError(f"{size} bytes arrived in place of {expected}")
    return expected / 1e9 / float(seconds)


def report_pipe(bench, pipe_ends, qsecrets, gigabytes):
    if not bench.wants("pipe"):
        return
    # As many cores as those that the figures of docs/measurements.md are from.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    values = make_values(1000)
    text = bench.file("text", bench.text)
    as_lines = bench.file("values", b"\n".join(values) + b"\n")
    as_json = bench.file("values.json", json.dumps([value.decode() for value in values]).encode())
    times = max(1, round(gigabytes * 1e9 / len(bench.text)))
    ways = {"nothing in its place": ([], times),
            "cat": ([["cat"]], times),
            "qsecrets scrub, 1,000 values": ([[qsecrets, "scrub", "--secrets-json", as_json]], times),
            # Leaves lines out, so less than masking.
            "grep -vFf, 1,000 values": ([["grep", "-avFf", as_lines]], max(1, times // 10))}
    rates = {name: [] for name in ways}
    for number in range(PIPE_ROUNDS + 1):
        for name, (filters, repeats) in ways.items():
            rate = gigabytes_a_second([pipe_ends, "produce", text, str(repeats)], filters, [pipe_ends],
                                      repeats * len(bench.text))
            if number > 0:
                rates[name].append(rate)
    print(f"\n  producer | filter | consumer on 2 cores, {times * len(bench.text) / 1e9:.1f} GB, blocks of 256 KiB, "
          "pipes of 1 MiB; GB/s:")
    for name, figures in rates.items():
        ratio = median_ratio(figures, rates["cat"])
        target = f"  >= 0.9x: {verdict(ratio >= 0.9)}" if name.startswith("qsecrets") else ""
        print(f"  {name:38} {spread(figures, '.2f'):>24} {ratio:7.2f}x of cat{target}", flush=True)


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def hyperscan_version():
    printed = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "libhyperscan5"], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True).stdout
    return printed or "of unknown version"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scrub_bench", type=os.path.abspath)
    parser.add_argument("pipe_ends", type=os.path.abspath)
    parser.add_argument("qsecrets", type=os.path.abspath)
    parser.add_argument("--only", default="", help="rows whose name this expression finds")
    parser.add_argument("--seconds", type=float, default=5, help="for all rounds of a row; at least five rounds run")
    parser.add_argument("--megabytes", type=int, default=64, help="size of the log")
    parser.add_argument("--pipe-gigabytes", type=float, default=4)
    arguments = parser.parse_args()
    print(f"  {processor()}, {os.cpu_count()} cores; Hyperscan {hyperscan_version()}")
    with tempfile.TemporaryDirectory() as directory:
        bench = Bench(arguments.scrub_bench, directory, arguments.megabytes, arguments.seconds, arguments.only)
        report_scans(bench)
        report_lines(bench)
        report_sets(bench)
        report_pipe(bench, arguments.pipe_ends, arguments.qsecrets, arguments.pipe_gigabytes)


if __name__ == "__main__":
    main()
