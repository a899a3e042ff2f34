#!/usr/bin/env python3
"""`qsecrets exec` beside what else starts a command with secrets in its environment.

exec_bench.py QSECRETS [--python PYTHON] [--rounds N] [--megabytes N]

PYTHON is an interpreter with python-dotenv. Tools that are not installed are left out.
Targets: --no-scrub at most 1.5x envdir; scrubbed at most 3 ms more than no wrapper, 8 MB resident.
"""
import argparse
import os
import pathlib
import secrets
import shutil
import statistics
import subprocess
import tempfile
import time

import process_timing

FIELDS = (["SECRET_KEY", "POSTGRES_PASSWORD", "SMTP_PASSWORD", "SCIM_BEARER_TOKEN"]
          + [f"LLM_API_KEY_{number}" for number in range(7)])
# A log without secrets, from memory.
PRODUCER = ("import os, sys\n"
            "piece = (b'2026-01-01T00:00:00Z INFO request handled in 12 ms\\n' * 1300)[:65536]\n"
            "for _ in range(int(sys.argv[1]) * 16): os.write(1, piece)")


def write_stores(directory):
    os.chdir(directory)
    values = {name: secrets.token_urlsafe(32) for name in FIELDS}
    env_file = pathlib.Path(".env")
    env_file.touch(mode=0o600)
    env_file.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    pathlib.Path("envdir").mkdir()
    for name, value in values.items():
        pathlib.Path("envdir", name).write_text(value + "\n")
    # A file that was changed in the last seconds is read twice, because its time stamp cannot tell.
    time.sleep(4)


def start_commands(qsecrets, python):
    command = ["/bin/true"]
    candidates = [("no wrapper", []), ("envdir", ["envdir", "envdir"]),
                  ("chpst -e", ["chpst", "-e", "envdir"]), ("tini", ["tini", "-s", "--"]),
                  ("qsecrets exec --no-scrub", [qsecrets, "exec", "--no-scrub", "--"]),
                  ("qsecrets exec", [qsecrets, "exec", "--"])]
    if python:
        candidates.append(("dotenv run", [python, "-m", "dotenv", "run", "--"]))
    return [process_timing.Command(name, prefix + command) for name, prefix in candidates
            if not prefix or shutil.which(prefix[0])]


def report_start(commands, rounds):
    process_timing.measure(commands, rounds)
    named = {command.name: command for command in commands}
    baseline = named["no wrapper"]
    print("start and end of /bin/true with 11 secrets:")
    process_timing.print_table(commands, baseline)
    scrubbed = named["qsecrets exec"]
    print(f"  added by scrubbed exec: {scrubbed.median - baseline.median:.2f} ms (target <= 3)")
    if "envdir" in named:
        ratio = named["qsecrets exec --no-scrub"].median / named["envdir"].median
        print(f"  --no-scrub / envdir: {ratio:.2f}x (target <= 1.5)")


def report_memory(qsecrets):
    # ru_maxrss would count this process, from before execve(2).
    peak = int(subprocess.check_output(
        [qsecrets, "exec", "--", "sh", "-c",
         "head -c 20000000 /dev/zero >&2; sed -n 's/^VmHWM:[^0-9]*\\([0-9]*\\).*/\\1/p' "
         "/proc/$PPID/status"], stderr=subprocess.DEVNULL))
    print(f"  peak resident memory of scrubbed exec: {peak / 1024:.1f} MB (target <= 8)")


def time_pipe(argv, through_cat):
    """Seconds from the start to the end of the stream, read by `wc -c`."""
    begin = time.perf_counter()
    chain = [subprocess.Popen(argv, stdout=subprocess.PIPE)]
    if through_cat:
        chain.append(subprocess.Popen(["cat"], stdin=chain[-1].stdout, stdout=subprocess.PIPE))
    chain.append(subprocess.Popen(["wc", "-c"], stdin=chain[-1].stdout, stdout=subprocess.PIPE))
    for process in chain[:-1]:
        process.stdout.close()
    size = int(chain[-1].communicate()[0])
    for process in chain[:-1]:
        process.wait()
    return time.perf_counter() - begin, size


def report_throughput(qsecrets, python, megabytes, rounds):
    producer = [python or shutil.which("python3"), "-I", "-S", "-c", PRODUCER, str(megabytes)]
    ways = {"producer | cat": (producer, True),
            "qsecrets exec -- producer": ([qsecrets, "exec", "--", *producer], False),
            "producer alone": (producer, False)}
    seconds = {name: [] for name in ways}
    for _ in range(rounds):
        for name, (argv, through_cat) in ways.items():
            elapsed, size = time_pipe(argv, through_cat)
            assert size == megabytes * 1024 * 1024, f"{name}: {size} bytes arrived"
            seconds[name].append(elapsed)
    print(f"{megabytes} MiB into `wc -c`, 11 secrets, none in the text:")
    base = statistics.median(seconds["producer | cat"])
    for name, values in seconds.items():
        median = statistics.median(values)
        print(f"  {name:26} {megabytes / median:7.0f} MiB/s  {base / median:5.2f}x of cat")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("qsecrets", type=os.path.abspath)
    parser.add_argument("--python", type=os.path.abspath)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--megabytes", type=int, default=1024)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        write_stores(directory)
        report_start(start_commands(arguments.qsecrets, arguments.python), arguments.rounds)
        report_memory(arguments.qsecrets)
        report_throughput(arguments.qsecrets, arguments.python, arguments.megabytes, rounds=5)


if __name__ == "__main__":
    main()
