#!/usr/bin/env bash
# All tests: the pure parts without C first (they need no FFmpeg), then everything with the race detector.
set -euo pipefail
cd "$(dirname "$0")/.."

echo "test: building the static edge binary and testing pipeline and transport without C" >&2
CGO_ENABLED=0 go build -o /dev/null ./cmd/venuecast
CGO_ENABLED=0 go test ./pipeline/... ./transport/...

source scripts/env.sh
echo "test: everything, with the race detector" >&2
go vet ./...
# Two processors that run timers of one synctest bubble share its race context, and may crash in it (golang/go#78156): with the
# race detector, packages that have bubbles get one processor. cmd/venuecast has few of them, and needs its processors.
bubbles=$(grep -rlE --include='*_test.go' '^\s"testing/synctest"' . | xargs -n1 dirname | sort -u | grep -v '^./cmd/venuecast$' | xargs go list)
others() { go list "$1" | grep -vxF "$bubbles"; }
others ./... | grep -v /cmd | xargs go test -race -timeout 20m
xargs go test -race -timeout 20m -cpu 1 <<< "$bubbles"
# What runs in real time has the machine to itself: cameras, servers and players nobody here wrote.
echo "test: end to end, in real time" >&2
others ./cmd/... | xargs go test -race -timeout 20m -p 1

echo "test: alert rules" >&2
promtool test rules configs/prometheus/alerts_test.yml
