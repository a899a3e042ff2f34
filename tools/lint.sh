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

# In trees of their own: tests may run in the others meanwhile.
alone=build/lint/alone
together=build/lint/together
# shellcheck disable=SC2317 # called through step
configure() {
  rm -rf "$together" # or units would stay that are none any more
  cmake --preset release -B "$alone" -DQARION_COMPILE_TOGETHER=OFF &&
    cmake --preset release -B "$together"
}

# tidy TREE CHECKS OPTIONS...: looks at the sources that are listed in its input. They are compiled by g++, with options
# that clang does not know.
# shellcheck disable=SC2317 # called through step
tidy() {
  local tree=$1 checks=$2
  shift 2
  xargs -P "$(nproc)" -n 1 clang-tidy-19 -p "$tree" --checks="$checks" --quiet --warnings-as-errors='*' \
    --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-unused-command-line-argument "$@" 2>/dev/null
}

# Each source by itself, so that it includes what it uses, and sees no names of another. The analyzer does not look into
# the standard library: it would give up more of our functions half way.
# shellcheck disable=SC2317 # called through step
analyze() {
  local checks='-*,clang-analyzer-*,-clang-analyzer-optin.performance.Padding,clang-diagnostic-*'
  checks+=',misc-unused-using-decls,bugprone-suspicious-include'
  printf '%s\n' "${sources[@]}" |
    tidy "$alone" "$checks" --extra-arg=-Wreserved-identifier --extra-arg=-Wreserved-macro-identifier \
      --extra-arg=-Xclang --extra-arg=-analyzer-config --extra-arg=-Xclang --extra-arg=c++-stdlib-inlining=false
}

# The other checks' time goes on what headers bring, so all sources of a target are looked at at once.
# shellcheck disable=SC2317 # called through step
check() {
  local units
  mapfile -t units < <(find "$together/src" -path '*/Unity/*.cxx' -not -path '*_test.dir/*' -printf '%s %p\n' |
    sort -rn | cut -d ' ' -f 2) # the largest first, which take longest
  {
    printf '%s\n' "${units[@]}"
    printf '%s\n' "${sources[@]/#/$PWD/}" |
      { grep -vxFf <(sed -n -E 's/^#include "(.*)"$/\1/p' "${units[@]}" </dev/null) || true; }
  } | tidy "$together" '-clang-analyzer-*,-clang-diagnostic-*,-misc-unused-using-decls,-bugprone-suspicious-include'
}

step "format" clang-format-19 --dry-run --Werror "${code[@]}"
step "include directions" tools/check_includes.py
step "bans" tools/check_bans.py
step "shell scripts" shellcheck "${scripts[@]}"
step "configuring" configure
step "clang's analyzer" analyze
step "clang-tidy's other checks" check
exit "$failed"
