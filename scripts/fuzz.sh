#!/usr/bin/env bash
# Runs every fuzz target of the repository for a while: scripts/fuzz.sh 10s
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/env.sh
for_time=${1:-10s}
grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u | while read -r dir; do
  grep -ho '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go | cut -c6- | while read -r target; do
    echo "fuzz: $dir $target" >&2
    go test "$dir" -run '^$' -fuzz "^$target\$" -fuzztime "$for_time" -fuzzminimizetime 1x < /dev/null
  done
done
