#!/usr/bin/env bash
# lint.sh: everything that is checked without running the product. Reports all, fails at the end.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
failed=0

step() {
  local name=$1
  shift
  if output=$("$@" 2>&1); then
    echo "lint: $name ok"
  else
    echo "lint: $name FAILED"
    printf '%s\n' "$output" | tail -n 200
    failed=1
  fi
}

mapfile -t code < <(git ls-files '*.cc' '*.h' '*.c')
# The largest first, so that none is alone at the end.
mapfile -t sources < <(git ls-files 'src/*.cc' | grep -v '_test\.cc$' | xargs ls -S)
mapfile -t scripts < <(git ls-files '*.sh' .ci/run)

# shellcheck disable=SC2317 # called through step
tidy() {
  # In a tree of its own: tests may run in the others meanwhile.
  cmake --preset release -B build/lint -DQARION_COMPILE_TOGETHER=OFF >/dev/null || return 1
  printf '%s\n' "${sources[@]}" |
    xargs -P "$(nproc)" -n 1 clang-tidy-19 -p build/lint --quiet --warnings-as-errors='*' \
      --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wreserved-identifier \
      --extra-arg=-Wreserved-macro-identifier 2>/dev/null
}

step "format" clang-format-19 --dry-run --Werror "${code[@]}"
step "include directions" tools/check_includes.py
step "bans" tools/check_bans.py
step "shell scripts" shellcheck "${scripts[@]}"
step "clang-tidy" tidy
exit "$failed"
