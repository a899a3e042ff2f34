#!/usr/bin/env bash
# bench.sh: builds and runs every measurement. Each figure stands beside what it is compared with; nothing is
# asserted, because times belong to the machine they were taken on.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset bench >build/bench.log 2>&1 || { cat build/bench.log; exit 1; }
cmake --build build/bench --target qsecrets cache_bench scrub_bench sigv4_bench \
  cloud_crypto_bench fernet_bench jwt_bench libjwt_bench fleet_simulation vault_bench qarion_secrets_vault aws_bench qarion_secrets_aws_sm gcp_bench \
  qarion_secrets_gcp_sm qarion_rotation_postgres qarion_rotation_sqlite empty_program pipe_ends

bin=build/bench/bench
qsecrets=build/bench/bin/qsecrets
python=build/venv/bin/python
echo "machine: $(nproc) cores, $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs), Linux $(uname -r)"

echo; echo "== cached read of a field; target <= 15 ns =="
"$bin"/cache_bench --benchmark_min_time=0.3 2>/dev/null
echo; echo "== scrubber, beside Hyperscan in memory and beside cat in a pipe =="
$python bench/scrub_bench.py "$bin"/scrub_bench "$bin"/pipe_ends $qsecrets
echo; echo "== a fleet's refreshes =="
"$bin"/fleet_simulation
echo; echo "== signatures of AWS requests, beside botocore's =="
$python bench/sigv4_bench.py "$bin"/sigv4_bench
echo; echo "== CRC-32C and RS256, beside google-crc32c's and cryptography's =="
$python bench/cloud_crypto_bench.py "$bin"/cloud_crypto_bench
echo; echo "== Fernet of 80 bytes, beside cryptography's; targets: 2 M, 2 M and 1.2 M/s, >= 30x =="
$python bench/fernet_bench.py "$bin"/fernet_bench
echo; echo "== JSON Web Tokens of 8 claims, beside PyJWT's and libjwt's; target: 1 M/s a core =="
$python bench/jwt_bench.py "$bin"/jwt_bench "$bin"/libjwt_bench
echo; echo "== start-up; target <= 2x an empty program =="
$python bench/start_up_bench.py $qsecrets "$bin"/empty_program $python
echo; echo "== exec beside other supervisors; targets: --no-scrub <= 1.5x envdir, scrubbed <= +3 ms and 8 MB =="
$python bench/exec_bench.py $qsecrets --python $python
echo; echo "== vault, against one local server =="
$python bench/vault_bench.py $qsecrets "$bin"/vault_bench
echo; echo "== aws_sm, against local servers =="
$python bench/aws_bench.py $qsecrets "$bin"/aws_bench build/bench/lib/qarion-secrets/qarion_secrets_aws_sm.so --aws build/awscli
echo; echo "== gcp_sm, against local servers =="
$python bench/gcp_bench.py $qsecrets "$bin"/gcp_bench build/bench/lib/qarion-secrets/qarion_secrets_gcp_sm.so
echo; echo "== rotation of the encryption key, beside the databases' own updates =="
$python bench/rotation_bench.py $qsecrets
