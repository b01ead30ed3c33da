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
go test -race -timeout 30m ./...

echo "test: alert rules" >&2
promtool test rules configs/prometheus/alerts_test.yml
