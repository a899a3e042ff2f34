#!/usr/bin/env bash
# sanitize.sh asan|tsan: builds with clang's sanitizers and runs the tests. asan also prints coverage.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
tree=build/$preset

cmake --preset "$preset" >build/"$preset".log 2>&1 || { cat build/"$preset".log; exit 1; }
cmake --build "$tree"

export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
export LLVM_PROFILE_FILE=$PWD/$tree/coverage/%m-%p.profraw
rm -rf "$tree/coverage"

selection=()
# What ThreadSanitizer has to see: the unit tests hold every thread of the library, the others those
# of the command.
[[ $preset == tsan ]] && selection=(-L 'unit|threads')
ctest --test-dir "$tree" --output-on-failure --no-tests=error -j "$(nproc)" "${selection[@]}"

if [[ $preset == asan ]]; then
  mapfile -t profiles < <(find "$tree/coverage" -name '*.profraw')
  # A program that a test killed may leave half a profile.
  llvm-profdata-19 merge -sparse --failure-mode=all "${profiles[@]}" -o "$tree/coverage.profdata"
  rm -rf "$tree/coverage"
  objects=()
  for program in "$tree"/tests/*_test "$tree"/bin/qsecrets; do objects+=(-object "$program"); done
  echo "coverage of src/ and include/ (lines executed by the tests):"
  llvm-cov-19 report "${objects[@]}" -instr-profile="$tree/coverage.profdata" \
    -ignore-filename-regex='(_test\.cc|/usr/|/tests/|/fuzz/|fake_clock)' -show-region-summary=false \
    -show-branch-summary=false | awk '/^Filename|^TOTAL|\.(cc|h) /{printf "%-45s %s\n", $1, $(NF)}'
fi
