#!/usr/bin/env python3
"""jwt_bench.py JWT_BENCH LIBJWT_BENCH: tokens of 8 claims signed and verified a second, on one core and on two, beside
PyJWT (a process for each core) and libjwt; what a token that is refused costs, and a change of keys. Target: 1 M/s a
core."""
import json
import multiprocessing
import subprocess
import sys
import time

ROUNDS = 15
SECONDS = 0.1
KEY = "q7Vn2xJ0Yw4cZtLr8sKfPbMdGhTaEuIo3v6y9B1XkCs"


def programs(program):
    """Calls a second by name and number of threads; the best of several rounds, because whatever else the machine does
    only takes away."""
    output = subprocess.run([program, "--benchmark_format=json", f"--benchmark_min_time={SECONDS}",
                             f"--benchmark_repetitions={ROUNDS}"], check=True,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    best = {}
    for row in json.loads(output)["benchmarks"]:
        if row["run_type"] != "iteration":
            continue
        name = row["run_name"].partition("/")[0], row["threads"]
        best[name] = max(best.get(name, 0), row.get("items_per_second", 1e9 / row["cpu_time"]))
    return best


def signed():
    import jwt
    now = int(time.time())
    claims = {"iss": "https://auth.example.com/", "sub": "user-0123456789", "aud": "api", "jti": "5f3a9c1e7b2d4806",
              "scope": "read write", "roles": ["reader", "editor"], "iat": now, "exp": now + 1800}
    return jwt.encode(claims, KEY, algorithm="HS256", headers={"kid": "0123456789abcdef"})


def pyjwts_rate(name, clock):
    import jwt
    token = signed()

    def verify():
        jwt.decode(token, KEY, algorithms=["HS256"], audience="api", issuer="https://auth.example.com/")

    function = signed if name == "sign" else verify
    best = 0
    for _ in range(ROUNDS):
        count = 0
        begin = clock()
        while clock() - begin < SECONDS:
            for _ in range(100):
                function()
            count += 100
        best = max(best, count / (clock() - begin))
    return best


def pyjwts():
    try:
        import jwt
    except ImportError:
        print("  PyJWT is not installed")
        return {}
    print(f"  PyJWT {jwt.__version__}, a token of {len(signed())} bytes")
    # Of the processor's time on one core, as in the programs.
    rates = {(name, 1): pyjwts_rate(name, time.thread_time) for name in ("sign", "verify")}
    with multiprocessing.Pool(2) as pool:
        for name in ("sign", "verify"):
            rates[name, 2] = sum(pool.starmap(pyjwts_rate, [(name, time.perf_counter)] * 2, chunksize=1))
    return rates


def main():
    references = {"PyJWT": pyjwts(), "libjwt": programs(sys.argv[2])}
    for name, rates in references.items():
        print(f"  {name}:")
        for (what, cores), rate in rates.items():
            print(f"    {what + ', cores: ' + str(cores):44} {rate:11,.0f}/s")
    print("  ours:")
    for (what, cores), rate in programs(sys.argv[1]).items():
        label = f"{what}, cores: {cores}" if cores > 1 or what in ("sign", "verify") else what
        ratios = "".join(f"  {rate / rates[what, cores]:6.1f}x {name}" for name, rates in references.items()
                         if (what, cores) in rates)
        print(f"    {label:44} {rate:11,.0f}/s {1e9 / rate:8,.0f} ns{ratios}")


if __name__ == "__main__":
    main()
