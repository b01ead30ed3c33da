#!/usr/bin/env bash
# Runs the demo for some minutes and watches lag and memory: scripts/soak.sh [MINUTES]
#
# Fails when the lag grows by more than 0.2 s, or resident memory by more than a tenth, between the third minute and the last:
# the stream and the origin keep two minutes of media, so until then memory grows.
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=${1:-10}

log=$(mktemp)
bin/venuecast demo --origin 127.0.0.1:0 --metrics 127.0.0.1:0 > "$log" 2>&1 &
demo=$!
trap 'kill -INT "$demo" 2>/dev/null; wait "$demo" || true; rm -f "$log" "$log.samples"' EXIT
metrics=
for _ in {1..50}; do
  metrics=$(sed -n 's/.*metrics=\(http[^ ]*\).*/\1/p' "$log" | head -1)
  [ -n "$metrics" ] && break
  sleep 0.2
done
[ -n "$metrics" ] || { cat "$log" >&2; exit 1; }

# One line for each sample: minute, the longest lag of any rendition, MiB of the roles' process and of the child.
sample() {
  curl -sf "$metrics" | awk -v minute="$1" '
    /^venuecast_transcode_lag_seconds/ && $2 > lag { lag = $2 }
    /^process_resident_memory_bytes{feed/ { child = $2 / 1048576 }
    /^process_resident_memory_bytes / { roles = $2 / 1048576 }
    /^venuecast_transcode_irregular_frames_total/ { irregular += $2 }
    END { printf "%6.1f  %8.3f  %11.0f  %11.0f  %9d\n", minute, lag, roles, child, irregular }'
}

echo "minute   lag (s)  roles (MiB)  child (MiB)  irregular"
for ((i = 1; i <= minutes * 4; i++)); do
  sleep 15
  sample "$(awk "BEGIN { print $i / 4 }")"
done | tee "$log.samples"

awk '
  $1 > 2 && $1 <= 3 { lag0 += $2; roles0 += $3; child0 += $4; n0++ }
  { for (k = 4; k > 1; k--) { l[k] = l[k-1]; r[k] = r[k-1]; c[k] = c[k-1] } l[1] = $2; r[1] = $3; c[1] = $4 }
  END {
    lag = (l[1] + l[2] + l[3] + l[4]) / 4 - lag0 / n0
    roles = (r[1] + r[2] + r[3] + r[4]) / 4 / (roles0 / n0)
    child = (c[1] + c[2] + c[3] + c[4]) / 4 / (child0 / n0)
    printf "from the third minute to the last: lag %+.3f s, memory of the roles × %.3f, of the child × %.3f\n", lag, roles, child
    exit !(lag <= 0.2 && roles <= 1.1 && child <= 1.1)
  }' "$log.samples"
