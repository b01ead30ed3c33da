#!/usr/bin/env bash
# Builds bin/venuecast and shows how far it is: scripts/build.sh VERSION
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/env.sh

total=$(go list -deps ./cmd/venuecast | wc -l)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
go build -v -trimpath -ldflags "-X main.version=${1:-unknown}" -o bin/venuecast ./cmd/venuecast 2> "$log" &
build=$!
scripts/progress.sh "$build" "go: building, %s packages of at most $total" grep -c . "$log"
# Beside errors the log has a line for each package, which is a single word.
wait "$build" || { grep ' ' "$log" >&2; exit 1; }
