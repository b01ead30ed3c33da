# Source this to build venuecast by hand: it points cgo and PATH to the FFmpeg that scripts/ffmpeg.sh built.
#
#   . scripts/env.sh && go test ./codecs/libav
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
prefix=$("$root/scripts/ffmpeg.sh")
if [ -d "$prefix/lib/pkgconfig" ] && [ "$prefix" != /usr ]; then
  export PKG_CONFIG="$root/scripts/pkg-config-static" PKG_CONFIG_PATH="$prefix/lib/pkgconfig"
fi
# Go's build cache does not see what pkg-config says, but sees this: so it keeps the two builds of FFmpeg apart.
if [ "${VENUECAST_FFMPEG_CUDA:-0}" = 1 ]; then
  export CGO_LDFLAGS="-L$prefix/lib ${CGO_LDFLAGS:-}"
fi
export VENUECAST_FFMPEG="$prefix/bin" CGO_ENABLED=1
