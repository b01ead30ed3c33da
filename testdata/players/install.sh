#!/usr/bin/env bash
# Installs the players of package-lock.json into a cache outside the checkout and prints the folder.
set -euo pipefail
cd "$(dirname "$0")"

for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "players: $tool is missing: scripts/deps.sh test installs it" >&2; exit 1; }
done
hash=$(cat package.json package-lock.json | sha256sum | cut -c1-12)
prefix=${XDG_CACHE_HOME:-$HOME/.cache}/venuecast/players-$hash

if [ ! -e "$prefix/.complete" ]; then
  # Installed aside and renamed: an interrupted run leaves nothing half done, two at a time do no harm.
  mkdir -p "$(dirname "$prefix")"
  aside=$(mktemp -d "$prefix.XXXXXX")
  trap 'rm -rf "$aside"' EXIT
  cp package.json package-lock.json "$aside"
  (cd "$aside" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
  touch "$aside/.complete"
  mv -T "$aside" "$prefix" 2>/dev/null || [ -e "$prefix/.complete" ]
fi
echo "$prefix"
