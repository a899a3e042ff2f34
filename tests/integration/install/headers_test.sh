#!/bin/bash
# Each public header compiles alone, in C++20, with both compilers; the C interface also in C11.
#
# Usage: headers_test.sh SOURCE_DIRECTORY
set -euo pipefail

cd "$1/include"
flags=(-Wall -Wextra -Wpedantic -Werror -fsyntax-only -I.)
for header in qarion/secrets/*.h; do
  for compiler in g++ clang++-19; do
    command -v "$compiler" >/dev/null || {
      echo "headers_test: $compiler is not installed, skipped"
      continue
    }
    "$compiler" -std=c++20 "${flags[@]}" -x c++ - <<<"#include <$header>" || {
      echo "headers_test: $header does not compile alone with $compiler" >&2
      exit 1
    }
  done
done
for header in provider_abi.h scrub_abi.h; do
  cc -std=c11 "${flags[@]}" -x c - <<<"#include <qarion/secrets/$header>"
done
echo "headers_test: all is well"
