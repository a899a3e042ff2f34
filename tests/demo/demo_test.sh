#!/usr/bin/env bash
# demo_test.sh DEMO QSECRETS: what `make demo` shows: commands that work, masks where secrets were, nothing left.
set -euo pipefail
output=$("$1" "$2" 2>&1)
require() {
  grep -qF -- "$1" <<<"$output" || { printf 'missing: %s\n%s\n' "$1" "$output"; exit 1; }
}
require 'backend env, 4 fields set: 0 errors, 0 warnings'
require 'POSTGRES_PASSWORD                 yes  .env:3'
require 'service: config database=postgres://app:***@db:5432/app'
require 'service: config signing_key=***'
require 'service: mail sent with key ***'
require 'has 24 characters, so it did arrive'
directory=$(grep -oE '/[^ ]*tmp\.[A-Za-z0-9]+' <<<"$output" | head -n 1)
[[ ! -e $directory ]] || { echo "the demo left $directory"; exit 1; }
