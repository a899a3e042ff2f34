#!/usr/bin/env bash
# fuzz.sh SECONDS [TARGET...]: runs each fuzz target for SECONDS, from the committed seeds. What it finds beyond
# them stays in build/fuzz/corpus and is the start of the next run.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=$1
shift
cmake --preset fuzz >build/fuzz.log 2>&1 || { cat build/fuzz.log; exit 1; }
cmake --build build/fuzz --target fuzz_targets

targets=("$@")
if ((${#targets[@]} == 0)); then
  for program in build/fuzz/fuzz/*_fuzz; do targets+=("$(basename "$program" _fuzz)"); done
fi
for target in "${targets[@]}"; do
  found=build/fuzz/corpus/$target
  mkdir -p "$found"
  echo "fuzz: $target for $seconds s"
  log=build/fuzz/$target.log
  if ! "build/fuzz/fuzz/${target}_fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -artifact_prefix="build/fuzz/$target-" -print_final_stats=1 "$found" "fuzz/corpus/$target" \
    >"$log" 2>&1; then
    tail -n 40 "$log"
    echo "fuzz: $target failed; the input is in build/fuzz/" >&2
    exit 1
  fi
  grep -E 'number_of_executed_units|new_units_added' "$log" | sed 's/^stat::/  /'
done
