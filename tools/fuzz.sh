#!/usr/bin/env bash
# fuzz.sh SECONDS SEED [TARGET...]: runs each fuzz target for SECONDS, one on each core, from the committed inputs. What
# it finds beyond them stays in build/fuzz/corpus and is the start of the next run. SEED is that of the random numbers; 0
# is another one each time. The targets stand on the library of `make asan`.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=$1
seed=$2
shift 2
cmake --preset asan >build/asan.log 2>&1 || { cat build/asan.log; exit 1; }
cmake --build build/asan --target fuzz_targets
export LLVM_PROFILE_FILE=/dev/null # that library counts lines, which here nobody reads

targets=("$@")
if ((${#targets[@]} == 0)); then
  for program in build/asan/fuzz/*_fuzz; do targets+=("$(basename "$program" _fuzz)"); done
fi

run() {
  local target=$1
  local found=build/fuzz/corpus/$target
  local log=build/fuzz/$target.log
  mkdir -p "$found"
  if ! "build/asan/fuzz/${target}_fuzz" -max_total_time="$seconds" -seed="$seed" -timeout=10 -rss_limit_mb=2048 \
    -artifact_prefix="build/fuzz/$target-" -print_final_stats=1 "$found" "fuzz/corpus/$target" \
    >"$log" 2>&1; then
    tail -n 40 "$log"
    echo "fuzz: $target failed; the input is in build/fuzz/" >&2
    return 1
  fi
  echo "fuzz: $target for $seconds s$(sed -n -E 's/^stat::(number_of_executed_units|new_units_added): +/, \1 /p' "$log" |
    tr -d '\n' | tr _ ' ')"
}
export -f run
export seconds seed
# shellcheck disable=SC2016 # the inner shell expands it
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I '{}' bash -c 'run "$1"' _ '{}'
