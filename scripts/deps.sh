#!/usr/bin/env bash
# Installs the Debian packages that are missing: scripts/deps.sh build | test | players | load
#
#   build   compiler, assembler and codec libraries: what FFmpeg and venuecast are built with
#   test    besides, the players and RTSP servers that the end-to-end tests run against
#   load    nginx, to compare the throughput of segments with, and taskset
#   players besides, the browsers and plugins that make players lets play
set -euo pipefail

build=(build-essential nasm pkg-config xz-utils ca-certificates debian-archive-keyring dpkg-dev
  libx264-dev libx265-dev libnuma-dev libsvtav1enc-dev libdav1d-dev libopus-dev libzimg-dev
  zlib1g-dev libdrm-dev libva-dev libvpl-dev)
test=(chromium curl nodejs npm vlc-bin vlc-plugin-base prometheus
  python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good
  gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly)
players=(firefox-esr libwebkit2gtk-4.1-0 xvfb gstreamer1.0-libav gir1.2-gstreamer-1.0)

load=(nginx-light util-linux)

case "${1:-}" in
  build) wanted=("${build[@]}") ;;
  test) wanted=("${build[@]}" "${test[@]}") ;;
  players) wanted=("${build[@]}" "${test[@]}" "${players[@]}") ;;
  load) wanted=("${load[@]}") ;;
  *) echo "usage: scripts/deps.sh build|test|players|load" >&2; exit 2 ;;
esac

# nodejs and npm may come from elsewhere than Debian: any on the PATH will do.
missing=()
for p in "${wanted[@]}"; do
  if [ "$p" = nodejs ] && command -v node >/dev/null; then continue; fi
  if [ "$p" = npm ] && command -v npm >/dev/null; then continue; fi
  dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
done
[ ${#missing[@]} -eq 0 ] && exit 0

root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "deps: need root or sudo to install: ${missing[*]}" >&2; exit 1; }
  root=(sudo)
fi
echo "deps: installing ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
install() { "${root[@]}" apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 "${missing[@]}" > "$log" 2>&1; }
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The package lists may be absent or old: they are fetched anew only when installing fails without.
install || { "${root[@]}" apt-get update -qq && install; } || { tail -20 "$log" >&2; exit 1; }
