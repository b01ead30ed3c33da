#!/usr/bin/env bash
# Runs golangci-lint on the whole tree, or with the arguments given: scripts/lint.sh fmt
#
# It is built once from the Go module proxy into the cache outside the checkout, keyed by its version.
set -euo pipefail
cd "$(dirname "$0")/.."

version=v2.15.0
dir="${XDG_CACHE_HOME:-$HOME/.cache}/venuecast/bin/golangci-lint-$version-$(go env GOVERSION)"

if [ ! -x "$dir/golangci-lint" ]; then
  echo "lint: building golangci-lint $version" >&2
  # Moved into place as the last step, so that a build that was cut off is never taken for a whole one.
  trap 'rm -rf "$dir.new"' EXIT
  (cd / && GOFLAGS='' GOBIN="$dir.new" CGO_ENABLED=0 go install "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$version")
  rm -rf "$dir" && mv "$dir.new" "$dir"
fi

# Packages with cgo are type-checked as they are built: with the FFmpeg of scripts/ffmpeg.sh.
if [ "${1:-run}" = run ]; then
  . scripts/env.sh
fi
if [ $# -eq 0 ]; then
  set -- run
fi
exec "$dir/golangci-lint" "$@"
