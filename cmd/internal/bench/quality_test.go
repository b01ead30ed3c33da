package bench

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What ffmpeg 7 logs.
const logged = `frame=   12 fps=0.0 q=-0.0 size=N/A time=00:00:00.48 bitrate=N/A speed=0.9x
frame=   48 fps= 40 q=-0.0 Lsize=N/A time=00:00:01.92 bitrate=N/A speed=1.6x
[Parsed_ssim_7 @ 0x55] SSIM Y:0.992 (21.1) U:0.99 (20) V:0.99 (20) All:0.991521 (20.717)
[Parsed_psnr_6 @ 0x55] PSNR y:46.1 u:48.0 v:49.9 average:46.812345 min:44.1 max:50.2
[Parsed_libvmaf_8 @ 0x55] VMAF score: 95.428012
`

func TestFiguresAreReadFromTheLog(t *testing.T) {
	r := Rendition{Name: "720p"}
	require.NoError(t, r.read([]meter{psnr, ssim, vmaf}, logged))
	assert.Equal(t, Rendition{Name: "720p", Frames: 48, PSNR: 46.812345, SSIM: 0.991521, VMAF: 95.428012}, r)
}

func TestIdenticalPicturesHaveAFigure(t *testing.T) {
	var r Rendition
	require.NoError(t, r.read([]meter{psnr}, "[x] PSNR y:inf u:inf v:inf average:inf min:inf max:inf"))
	assert.InDelta(t, identical, r.PSNR, 0)
}

func TestAMissingFigureIsAnError(t *testing.T) {
	r := Rendition{Name: "720p"}
	assert.ErrorContains(t, r.read([]meter{psnr, vmaf}, "[x] PSNR y:1 average:40.0 min:1"), "no figure of libvmaf")
}

func TestEachMeterComparesTheRenditionWithTheScaledSource(t *testing.T) {
	graph, maps := comparison([]meter{psnr, ssim}, 640, 360)
	assert.Equal(t, "[0:v]settb=1/1000,setpts=N,split=2[a0][a1];"+
		"[1:v]scale=640:360:flags=bicubic,settb=1/1000,setpts=N,split=2[b0][b1];"+
		"[a0][b0]psnr=shortest=1[o0];[a1][b1]ssim=shortest=1[o1]", graph)
	assert.Equal(t, []string{"-map", "[o0]", "-f", "null", "-", "-map", "[o1]", "-f", "null", "-"}, maps)
}
