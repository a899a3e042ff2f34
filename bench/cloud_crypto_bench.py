#!/usr/bin/env python3
"""cloud_crypto_bench.py CLOUD_CRYPTO_BENCH: CRC-32C in GB/s and RS256 signatures a second with a key of 2048 bits,
beside google-crc32c's and cryptography's where this Python has them. Ours hand OpenSSL the key for each signature, so
that it is in ordinary memory no longer than that; cryptography keeps it there."""
import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
import time

SECONDS = 1


def calls_a_second(function):
    count = 0
    begin = time.perf_counter()
    while time.perf_counter() - begin < SECONDS:
        function()
        count += 1
    return count / (time.perf_counter() - begin)


def ours(program, key_file):
    output = subprocess.run([program, "--benchmark_format=json", "--benchmark_min_time=0.5"], check=True,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            env={**os.environ, "RSA_KEY_FILE": key_file}).stdout
    return {row["name"]: row for row in json.loads(output)["benchmarks"]}


def googles():
    """GB/s by the number of bytes."""
    try:
        import google_crc32c
    except ImportError:
        print("  google-crc32c is not installed")
        return {}
    name = f"google-crc32c {importlib.metadata.version('google-crc32c')}, in {google_crc32c.implementation}"
    rates = {}
    for size in (256, 65536):
        payload = b"x" * size
        rates[size] = calls_a_second(lambda data=payload: google_crc32c.value(data)) * size / 1e9
        print(f"  {name}, {size:5} bytes  {rates[size]:7.2f} GB/s")
    return rates


def cryptographys(pem):
    try:
        import cryptography
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import padding
    except ImportError:
        print("  cryptography is not installed")
        return None
    key = serialization.load_pem_private_key(pem, password=None)
    message = b"x" * 400
    rate = calls_a_second(lambda: key.sign(message, padding.PKCS1v15(), hashes.SHA256()))
    print(f"  cryptography {cryptography.__version__}, 1 thread    {rate:7,.0f} signatures/s")
    return rate


def main():
    with tempfile.NamedTemporaryFile() as file:
        subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", file.name],
                       check=True, stderr=subprocess.DEVNULL)
        rows = ours(sys.argv[1], file.name)
        pem = file.read()
    reference = googles()
    for name, row in rows.items():
        if not name.startswith("crc32c"):
            continue
        kind, size = name.split("/")
        rate = row["bytes_per_second"] / 1e9
        ratio = f"  {rate / reference[int(size)]:.1f}x" if reference else ""
        print(f"  ours, {kind}, {int(size):5} bytes  {rate:7.2f} GB/s{ratio}")
    reference = cryptographys(pem)
    for name, row in rows.items():
        if not name.startswith("rs256"):
            continue
        ratio = f"  {row['items_per_second'] / reference:.1f}x" if reference else ""
        print(f"  ours, {row['threads']} thread{'s' if row['threads'] > 1 else ''}         "
              f"{row['items_per_second']:7,.0f} signatures/s{ratio}")


if __name__ == "__main__":
    main()
