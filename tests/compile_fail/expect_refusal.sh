#!/bin/sh
# expect_refusal.sh COMPILER INCLUDE_DIR SOURCE CASE PATTERN
# Passes if the compiler accepts SOURCE as it is and refuses it with -DCASE for the reason PATTERN.
set -u
compiler=$1 include=$2 source=$3 case=$4 pattern=$5
flags="-std=c++20 -fsyntax-only -Wall -Wextra -Werror -DFMT_HEADER_ONLY"
# shellcheck disable=SC2086 # the flags are meant to be split
if ! "$compiler" $flags -I"$include" "$source"; then
  echo "the file does not even compile without a case"
  exit 1
fi
# shellcheck disable=SC2086
if output=$("$compiler" $flags -D"$case" -I"$include" "$source" 2>&1); then
  echo "$case compiles"
  exit 1
fi
if ! printf '%s\n' "$output" | grep -Eq "$pattern"; then
  printf '%s: refused for another reason than /%s/:\n%s\n' "$case" "$pattern" "$output"
  exit 1
fi
