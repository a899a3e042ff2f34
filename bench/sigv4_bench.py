#!/usr/bin/env python3
"""sigv4_bench.py SIGV4_BENCH: signatures a second, beside botocore's where this Python has it."""
import json
import subprocess
import sys
import time

SECONDS = 2


def ours(program):
    output = subprocess.run([program, "--benchmark_format=json", "--benchmark_min_time=0.5"], check=True,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return {row["threads"]: row["items_per_second"] for row in json.loads(output)["benchmarks"]}


def botocores():
    try:
        import botocore
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials
    except ImportError:
        return None, None
    signer = SigV4Auth(Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                                   "AQoDYXdzEJr//+tok=="), "secretsmanager", "eu-central-1")
    count = 0
    begin = time.perf_counter()
    while time.perf_counter() - begin < SECONDS:
        signer.add_auth(AWSRequest(
            "POST", "https://secretsmanager.eu-central-1.amazonaws.com/", data=b'{"SecretId":"app/db"}',
            headers={"Content-Type": "application/x-amz-json-1.1",
                     "X-Amz-Target": "secretsmanager.GetSecretValue"}))
        count += 1
    return botocore.__version__, count / (time.perf_counter() - begin)


def main():
    rates = ours(sys.argv[1])
    version, reference = botocores()
    if reference is None:
        print("  botocore is not installed")
    else:
        print(f"  botocore {version}, 1 thread  {reference:9,.0f}/s")
    for threads, rate in rates.items():
        ratio = f"  {rate / reference:.0f}x" if reference else ""
        print(f"  ours, {threads} thread{'s' if threads > 1 else ''}             {rate:9,.0f}/s{ratio}")


if __name__ == "__main__":
    main()
