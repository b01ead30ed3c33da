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
go list ./... | grep -v /cmd | xargs go test -race -timeout 20m
# What runs in real time has the machine to itself: cameras, servers and players nobody here wrote.
echo "test: end to end, in real time" >&2
go test -race -timeout 20m -p 1 ./cmd/...

echo "test: alert rules" >&2
promtool test rules configs/prometheus/alerts_test.yml
