#!/usr/bin/env bash
# Makes the bundled test media, testdata/media, anew with the built ffmpeg: `make media`, or . scripts/env.sh first.
#
# The same ffmpeg gives the same bytes: one thread, no dates, no version strings. All of it is smaller than 2 MB.
#
#   h264-aac-25.mp4          640x360, 25 fps, no B-pictures, a key frame each second; stereo AAC. 4 s
#   h264-bframes-2997.mp4    640x360, 30000/1001 fps, B-pyramid, closed groups of 2 s; stereo AAC. 2 s
#   h265-aac-25.mp4          640x360, 25 fps, B-pictures; stereo AAC. 2 s
#   silent-25.mp4            320x180, 25 fps, no sound. 2 s
#   pcma-25.mkv pcmu-25.mkv  320x180, 25 fps; G.711 at 8 kHz, mono, as most cameras send. 2 s
#   g722-25.mkv              320x180, 25 fps; G.722 at 16 kHz, mono. 2 s
#   opus-25.mkv              320x180, 25 fps; Opus, stereo. 2 s
#   mp2-25.ts ac3-25.ts      320x180, 25 fps; MPEG layer II or AC-3, stereo. 2 s
#
# The picture is FFmpeg's testsrc2. The sound is 1 kHz for the first tenth of each second, else silence.
set -euo pipefail
cd "$(dirname "$0")"
: "${VENUECAST_FFMPEG:?is not set: . scripts/env.sh, or run make media}"
mkdir -p media

# picture SIZE RATE SECONDS: the options of a video input.
picture() { echo "-f lavfi -i testsrc2=size=$1:rate=$2:duration=$3"; }

# sound RATE CHANNELS SECONDS: the options of an audio input.
sound() {
  local tone='0.25*sin(2000*PI*t)*lt(mod(t\,1)\,0.1)' layout=mono
  local sides=$tone
  if [ "$2" -eq 2 ]; then sides="$tone|$tone" layout=stereo; fi
  echo "-f lavfi -i aevalsrc=exprs=$sides:sample_rate=$1:channel_layout=$layout:duration=$3,aformat=sample_fmts=s16"
}

# make FILE OPTION...: runs ffmpeg with what makes its output repeatable.
make() {
  local file=$1
  shift
  "$VENUECAST_FFMPEG/ffmpeg" -v error -nostdin -y -filter_threads 1 "$@" -threads 1 -pix_fmt yuv420p \
    -map_metadata -1 -fflags +bitexact -flags:v +bitexact -flags:a +bitexact "media/$file"
}

x264="-c:v libx264 -preset veryfast -crf 32"
small="$(picture 320x180 25 2) $x264 -bf 0 -g 25"

# The inputs are lists of words without spaces in them.
# shellcheck disable=SC2046,SC2086
{
  make h264-aac-25.mp4 $(picture 640x360 25 4) $(sound 48000 2 4) $x264 -bf 0 -g 25 -c:a aac -b:a 96k
  make h264-bframes-2997.mp4 $(picture 640x360 30000/1001 2) $(sound 48000 2 2) $x264 -bf 3 -b_strategy 0 -g 60 -c:a aac -b:a 96k
  make h265-aac-25.mp4 $(picture 640x360 25 2) $(sound 48000 2 2) -c:v libx265 -preset fast -crf 34 -tag:v hvc1 \
    -x265-params log-level=none:pools=none:frame-threads=1:keyint=50:info=0 -c:a aac -b:a 96k
  make silent-25.mp4 $small
}
# shellcheck disable=SC2046,SC2086
with_sound() { # FILE RATE CHANNELS OPTION...
  local file=$1 rate=$2 channels=$3
  shift 3
  make "$file" $(picture 320x180 25 2) $(sound "$rate" "$channels" 2) $x264 -bf 0 -g 25 "$@"
}
with_sound pcma-25.mkv 8000 1 -c:a pcm_alaw
with_sound pcmu-25.mkv 8000 1 -c:a pcm_mulaw
with_sound g722-25.mkv 16000 1 -c:a g722
with_sound opus-25.mkv 48000 2 -c:a libopus -b:a 64k
with_sound mp2-25.ts 48000 2 -c:a mp2 -b:a 128k
with_sound ac3-25.ts 48000 2 -c:a ac3 -b:a 128k

du -cb media/* | tail -1 | awk '$1 > 2000000 { print "generate: media are larger than 2 MB" > "/dev/stderr"; exit 1 }'
