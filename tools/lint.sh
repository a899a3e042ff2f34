#!/usr/bin/env bash
# lint.sh: everything that is checked without running the product. Reports all, fails at the end.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
failed=0

step() {
  local name=$1
  shift
  local begin=$SECONDS
  if output=$("$@" 2>&1); then
    echo "lint: $name ok ($((SECONDS - begin)) s)"
  else
    echo "lint: $name FAILED"
    printf '%s\n' "$output" | tail -n 200
    failed=1
  fi
}

mapfile -t code < <(git ls-files '*.cc' '*.h' '*.c')
mapfile -t sources < <(git ls-files 'src/*.cc' | grep -v '_test\.cc$')
mapfile -t scripts < <(git ls-files '*.sh' .ci/run)

# In trees of their own: tests may run in the others meanwhile. Most of clang-tidy's time goes on what headers bring, so it
# looks at several sources at once. clang's analyzer does so where what includes them is called UnifiedSource.
alone=build/lint/alone
together=build/lint/UnifiedSource
# shellcheck disable=SC2317 # called through step
configure() {
  cmake --preset release -B "$alone" -DQARION_BUILD_TESTS=OFF -DQARION_COMPILE_TOGETHER=OFF &&
    cmake --preset release -B "$together" -DQARION_BUILD_TESTS=OFF
}

# tidy TREE OPTIONS...: looks at the sources that are listed in its input.
# shellcheck disable=SC2317 # called through step
tidy() {
  local tree=$1
  shift
  xargs -P "$(nproc)" -n 1 clang-tidy-19 -p "$tree" --quiet --warnings-as-errors='*' \
    --extra-arg=-Wno-unknown-warning-option "$@" 2>/dev/null
}

# Each includes what it uses, and sees no names of another. One quick check, as clang-tidy wants one.
# shellcheck disable=SC2317 # called through step
compile_alone() {
  printf '%s\n' "${sources[@]}" | tidy "$alone" --checks='-*,modernize-use-nullptr'
}

# shellcheck disable=SC2317 # called through step
tidy_together() {
  local units
  mapfile -t units < <(find "$together" -name '*.cxx' -path '*/Unity/*')
  {
    printf '%s\n' "${units[@]}"
    printf '%s\n' "${sources[@]/#/$PWD/}" |
      grep -vxFf <(sed -n -E 's/^#include "(.*)"$/\1/p' "${units[@]}" </dev/null)
  } | tidy "$together" --checks='-bugprone-suspicious-include' --extra-arg=-Wreserved-identifier \
    --extra-arg=-Wreserved-macro-identifier
}

step "format" clang-format-19 --dry-run --Werror "${code[@]}"
step "include directions" tools/check_includes.py
step "bans" tools/check_bans.py
step "shell scripts" shellcheck "${scripts[@]}"
step "configuring" configure
step "sources by themselves" compile_alone
step "clang-tidy" tidy_together
exit "$failed"
