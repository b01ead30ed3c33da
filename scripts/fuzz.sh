#!/usr/bin/env bash
# Runs every fuzz target of the repository for a while: scripts/fuzz.sh 10s
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/env.sh
for_time=${1:-10s}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

fuzz() {
  go test "$1" -run '^$' -fuzz "^$2\$" -fuzztime "$for_time" -fuzzminimizetime 1x < /dev/null 2>&1 | tee "$log" >&2
}

# Before Go 1.27 the end of the time itself may be reported as the failure, with no input that fails (golang/go#75804).
ended_badly() {
  grep -qx ' *context deadline exceeded' "$log" && ! grep -qE 'Failing input written|panic:|fatal error:' "$log"
}

grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u | while read -r dir; do
  grep -ho '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go | cut -c6- | while read -r target; do
    echo "fuzz: $dir $target" >&2
    for try in 1 2 3 4 5; do
      fuzz "$dir" "$target" && break
      ended_badly && [ "$try" -lt 5 ] || exit 1
      echo "fuzz: again: the time ended badly (golang/go#75804), no input failed" >&2
    done
  done
done
