package bench

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/venuecast/venuecast/pipeline"
)

// FFmpeg is the folder of the ffmpeg and ffprobe to compare with.
type FFmpeg string

func (f FFmpeg) command(args ...string) *exec.Cmd {
	//nolint:noctx // it ends with its input; who runs it kills it with the bench's context
	return exec.Command(filepath.Join(string(f), "ffmpeg"), append([]string{"-hide_banner", "-nostdin"}, args...)...)
}

// Ladder returns the command that makes the same ladder as the feed, with the same settings, of that many seconds of a file in
// a loop: one filter graph that splits and scales, x264 with as many threads as it chooses, AAC, fragmented MP4 in HLS.
func (f FFmpeg) Ladder(feed pipeline.Feed, file string, seconds float64, dir string) *exec.Cmd {
	args := []string{"-v", "error", "-stream_loop", "-1", "-t", decimal(seconds), "-i", file, "-filter_complex", graph(feed)}
	var streams []string
	for i, v := range feed.Ladder.Video {
		n := strconv.Itoa(i)
		args = append(args, "-map", "[v"+n+"]", "-b:v:"+n, strconv.FormatInt(v.Bitrate, 10),
			"-maxrate:v:"+n, strconv.FormatInt(v.Bitrate*11/10, 10), "-bufsize:v:"+n, strconv.FormatInt(v.Bitrate*11/10, 10),
			"-preset:v:"+n, v.Preset)
		streams = append(streams, "v:"+n+",agroup:sound,name:"+v.Name)
	}
	key := strconv.FormatInt(feed.Grid.StepFrames, 10)
	args = append(args, "-c:v", "libx264", "-g", key, "-keyint_min", key, "-sc_threshold", "0", "-flags", "+cgop")
	for i, a := range feed.Ladder.Audio {
		n := strconv.Itoa(i)
		args = append(args, "-map", "0:a", "-b:a:"+n, strconv.FormatInt(a.Bitrate, 10))
		streams = append(streams, "a:"+n+",agroup:sound,name:"+a.Name)
	}
	if len(feed.Ladder.Audio) > 0 {
		args = append(args, "-c:a", "aac", "-ar", "48000", "-ac", "2")
	} else {
		for i := range streams {
			streams[i] = strings.Replace(streams[i], "agroup:sound,", "", 1)
		}
	}
	return f.command(append(args,
		"-f", "hls", "-hls_segment_type", "fmp4", "-hls_time", decimal(feed.Grid.Step().Seconds()), "-hls_list_size", "0",
		"-var_stream_map", strings.Join(streams, " "), "-master_pl_name", "index.m3u8",
		"-hls_fmp4_init_filename", "init.mp4", "-hls_segment_filename", filepath.Join(dir, "%v", "%05d.m4s"),
		filepath.Join(dir, "%v", "index.m3u8"))...)
}

// graph splits the source and scales it to each rendition's size, with the scaler's default, bicubic.
func graph(feed pipeline.Feed) string {
	video := feed.Ladder.Video
	split, scale := fmt.Sprintf("[0:v]split=%d", len(video)), ""
	for i, v := range video {
		split += fmt.Sprintf("[s%d]", i)
		scale += fmt.Sprintf(";[s%d]scale=%d:%d[v%d]", i, v.Width, v.Height, i)
	}
	return split + scale
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
