#!/usr/bin/env bash
# Shows on standard error how far a process is until it ends: scripts/progress.sh PID FORMAT COMMAND...
#
# COMMAND prints the number that stands for %s in FORMAT. A terminal sees one line that changes, a log a line every 20 s.
set -uo pipefail
pid=$1 format=$2
shift 2
for ((seconds = 1; ; seconds++)); do
  sleep 1
  kill -0 "$pid" 2>/dev/null || break
  if [ -t 2 ]; then
    # shellcheck disable=SC2059 # the format is the caller's
    printf "\\r$format " "$("$@")" >&2
  elif ((seconds % 20 == 0)); then
    printf "$format\\n" "$("$@")" >&2
  fi
done
if [ -t 2 ] && ((seconds > 1)); then echo >&2; fi
