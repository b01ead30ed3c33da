#!/usr/bin/env bash
# Builds FFmpeg 7.1 (static libraries, ffmpeg, ffprobe) into a cache outside the checkout and prints where it lies.
#
#   scripts/ffmpeg.sh            build if needed; the last line on stdout is the prefix
#   scripts/ffmpeg.sh --prefix   print the prefix without building
#
# VENUECAST_FFMPEG_TARBALL=/path/ffmpeg_7.1.5.orig.tar.xz   use this source instead of the Debian mirror
# VENUECAST_FFMPEG_SYSTEM=never                             ignore a system FFmpeg 7.1
# VENUECAST_FFMPEG_CUDA=1                                   with scaling on NVIDIA cards too (scale_cuda); wants clang
set -euo pipefail
cd "$(dirname "$0")/.."

version=7.1.5
source_sha256=de668509caf9e35e3cd162473441fdb29538c6d96ed080292b3cf9e6fc5d558f
headers_version=12.1.14.0
suite=trixie
cache="${XDG_CACHE_HOME:-$HOME/.cache}/venuecast"

join() { local IFS=,; echo "$*"; }

decoders=(h264 hevc av1 libdav1d vp8 vp9 mjpeg mpeg1video mpeg2video mpeg4
  aac aac_latm opus libopus ac3 eac3 mp2 mp3float flac vorbis
  pcm_alaw pcm_mulaw pcm_s16be pcm_s16le pcm_s24be pcm_u8 adpcm_g722 adpcm_g726 adpcm_g726le
  rawvideo png wrapped_avframe)
encoders=(libx264 libx265 libsvtav1 aac libopus mjpeg png ac3 mp2 mpeg2video
  pcm_s16le pcm_s16be pcm_alaw pcm_mulaw adpcm_g722 rawvideo wrapped_avframe
  h264_nvenc hevc_nvenc av1_nvenc h264_vaapi hevc_vaapi av1_vaapi mjpeg_vaapi h264_qsv hevc_qsv av1_qsv)
hwaccels=(h264_nvdec hevc_nvdec av1_nvdec vp8_nvdec vp9_nvdec mjpeg_nvdec mpeg2_nvdec
  h264_vaapi hevc_vaapi av1_vaapi vp8_vaapi vp9_vaapi mjpeg_vaapi mpeg2_vaapi)
filters=(scale fps yadif bwdif w3fdif estdif idet format aformat aresample loudnorm ebur128 zscale tonemap overlay
  testsrc testsrc2 smptehdbars color sine aevalsrc anullsrc null anull split asplit crop pad transpose hflip vflip
  setsar setdar setpts asetpts settb asettb setparams setfield trim atrim volume pan amix adelay apad asetnsamples
  astats volumedetect blackdetect freezedetect silencedetect ssim psnr scdet signalstats showinfo ashowinfo
  metadata ametadata sendcmd select thumbnail hqdn3d drawbox noise hwupload hwdownload hwmap hwupload_cuda
  scale_cuda yadif_cuda bwdif_cuda overlay_cuda scale_vaapi deinterlace_vaapi procamp_vaapi tonemap_vaapi
  vpp_qsv scale_qsv deinterlace_qsv)
muxers=(mp4 mov mpegts matroska null rawvideo h264 hevc ivf obu adts ogg opus wav pcm_s16le framemd5 framecrc image2
  mjpeg rtsp rtp hls dash)
demuxers=(mov mpegts matroska h264 hevc ivf obu aac ac3 mp3 ogg wav rawvideo image2 mjpeg hls rtsp sdp rtp)
parsers=(h264 hevc av1 vp8 vp9 aac aac_latm opus ac3 mpegaudio mpegvideo mpeg4video mjpeg png)
bsfs=(h264_mp4toannexb hevc_mp4toannexb extract_extradata h264_metadata hevc_metadata av1_metadata aac_adtstoasc
  av1_frame_split av1_frame_merge vp9_superframe vp9_superframe_split opus_metadata dump_extradata
  remove_extradata filter_units h264_redundant_pps trace_headers null setts dts2pts noise mjpeg2jpeg)
protocols=(file pipe fd udp rtp tcp http data)

configure_line=(
  --pkg-config-flags=--static --enable-static --disable-shared --enable-pic --enable-gpl
  --disable-autodetect --disable-everything --disable-doc --disable-debug --disable-ffplay
  --enable-zlib --disable-postproc --enable-avdevice --enable-indev=lavfi "--extra-libs=-lpthread -lm"
  --enable-libx264 --enable-libx265 --enable-libsvtav1 --enable-libdav1d --enable-libopus --enable-libzimg
  --enable-ffnvcodec --enable-nvenc --enable-nvdec --enable-cuda --enable-cuvid
  --enable-vaapi --enable-libdrm --enable-libvpl
  --enable-decoder="$(join "${decoders[@]}")" --enable-encoder="$(join "${encoders[@]}")"
  --enable-hwaccel="$(join "${hwaccels[@]}")" --enable-filter="$(join "${filters[@]}")"
  --enable-muxer="$(join "${muxers[@]}")" --enable-demuxer="$(join "${demuxers[@]}")"
  --enable-parser="$(join "${parsers[@]}")" --enable-bsf="$(join "${bsfs[@]}")"
  --enable-protocol="$(join "${protocols[@]}")")

# Kernels for cards from 2016 on (Pascal); the driver compiles them further. Off by default: nothing else here wants clang.
if [ "${VENUECAST_FFMPEG_CUDA:-0}" = 1 ]; then
  nvcc=$(compgen -c clang | grep -xE 'clang(-[0-9]+)?' | sort -V | head -1 || true)
  configure_line+=(--enable-cuda-llvm "--nvcc=${nvcc:-clang}" "--nvccflags=--cuda-gpu-arch=sm_60 -O2")
fi

key=$(printf '%s\n' "$version" "$headers_version" "$(. /etc/os-release && echo "$VERSION_CODENAME")" "${configure_line[@]}" \
  | sha256sum | cut -c1-12)
prefix="$cache/ffmpeg-$version-$key"

say() { printf 'ffmpeg: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# Debian 13 brings FFmpeg 7.1 itself: then nothing is built.
system_ffmpeg() {
  [ "${VENUECAST_FFMPEG_SYSTEM:-auto}" != never ] && command -v ffmpeg >/dev/null && command -v ffprobe >/dev/null &&
    pkg-config --exists 'libavcodec >= 61.19' 'libavcodec < 62' libavdevice libavfilter libavformat libswresample libswscale 2>/dev/null
}

# A private apt configuration: the machine's own mirror and keyring, another suite, nothing of the machine's lists touched.
private_apt() {
  local dir=$1 mirror
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
    awk -v c="$(. /etc/os-release && echo "$VERSION_CODENAME")" '$2 == c && $3 == "main" { print $1; exit }')
  [ -n "$mirror" ] || die "no Debian mirror in this machine's apt configuration: run apt-get update, or set VENUECAST_FFMPEG_TARBALL"
  mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
  printf 'deb%s [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' \
    '' "$mirror" "$suite" -src "$mirror" "$suite" > "$dir/sources.list"
  apt_private=(-qq -oDir::Etc::sourcelist="$dir/sources.list" -oDir::Etc::sourceparts=/dev/null -oDir::State::lists="$dir/lists"
    -oDir::Cache="$dir/cache" -oAPT::Sandbox::User=root -oAcquire::Languages=none -oAcquire::IndexTargets::deb::DEP-11::DefaultEnabled=false)
  apt-get "${apt_private[@]}" update >&2
}

fetch() {
  local dir=$1
  private_apt "$dir/apt"
  (cd "$dir" && apt-get "${apt_private[@]}" download libffmpeg-nvenc-dev >&2)
  dpkg-deb -x "$dir"/libffmpeg-nvenc-dev_*.deb "$dir/nv"
  if [ -n "${VENUECAST_FFMPEG_TARBALL:-}" ]; then
    cp "$VENUECAST_FFMPEG_TARBALL" "$dir/ffmpeg.tar.xz"
  else
    (cd "$dir" && apt-get "${apt_private[@]}" source --download-only --only-source "ffmpeg/$suite" >&2)
    mv "$dir"/ffmpeg_*.orig.tar.xz "$dir/ffmpeg.tar.xz"
  fi
  echo "$source_sha256  $dir/ffmpeg.tar.xz" | sha256sum --check --quiet >&2 ||
    die "the source is not FFmpeg $version (SHA-256 differs): set VENUECAST_FFMPEG_TARBALL to ffmpeg_$version.orig.tar.xz"
}

build() {
  local work
  work=$(mktemp -d)
  trap "rm -rf '$work'" EXIT
  say "fetching FFmpeg $version and the NVENC headers"
  fetch "$work"
  mkdir "$work/src" && tar -xJf "$work/ffmpeg.tar.xz" -C "$work/src" --strip-components=1
  # The headers' .pc names /usr: point it at the unpacked copy.
  local pc="$work/nv/usr/lib/pkgconfig"
  [ -d "$pc" ] || pc=$(dirname "$(find "$work/nv" -name ffnvcodec.pc)")
  sed -i "s|^prefix=.*|prefix=$work/nv/usr|" "$pc/ffnvcodec.pc"
  say "configuring"
  (cd "$work/src" && PKG_CONFIG_PATH="$pc" ./configure --prefix="$prefix.new" "${configure_line[@]}" > "$work/configure.log") ||
    { tail -20 "$work/configure.log" "$work/src/ffbuild/config.log" >&2; die "configure failed"; }
  compile "$work"
  rm -rf "$prefix.new" && make -C "$work/src" install > "$work/install.log" 2>&1
  # The prefix is moved into place as the last step, so a build that was cut off is never taken for a whole one.
  sed -i "s|$prefix.new|$prefix|g" "$prefix.new"/lib/pkgconfig/*.pc
  rm -rf "$prefix" && mv "$prefix.new" "$prefix"
}

compile() {
  local work=$1 total pid
  total=$(make -C "$work/src" -n 2>/dev/null | grep -cE 'printf "(CC|X86ASM)' || true)
  make -C "$work/src" -j"$(nproc)" > "$work/make.log" 2>&1 &
  pid=$!
  scripts/progress.sh "$pid" "ffmpeg: compiling, %s of $total files" grep -cE '^(CC|X86ASM)' "$work/make.log"
  wait "$pid" || { tail -20 "$work/make.log" >&2; die "compiling failed"; }
}

if system_ffmpeg; then
  pkg-config --variable=prefix libavcodec
  exit 0
fi
if [ "${1:-}" != --prefix ] && [ ! -x "$prefix/bin/ffmpeg" ]; then
  build
fi
echo "$prefix"
