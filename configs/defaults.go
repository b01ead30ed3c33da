package configs

import (
	"os"
	"strings"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

const (
	defaultLadder    = "hd"
	defaultTransport = "tcp"
	defaultStandby   = "cold"
	defaultPreset    = "veryfast"
	defaultAV1Preset = "10"
)

// What the words of the file mean.
var (
	videoCodecs = map[string]codecs.Codec{"h264": codecs.H264, "h265": codecs.H265, "av1": codecs.AV1}
	divisors    = map[string]int64{"full": 1, "half": 2}
	containers  = map[string]ladder.Container{"cmaf": ladder.CMAF, "ts": ladder.MPEGTS}
	defaultCRF  = map[codecs.Codec]float64{codecs.H264: 23, codecs.H265: 28, codecs.AV1: 35} // those of x264, x265 and SVT-AV1
	encodes     = map[string]ladder.Encode{"always": ladder.EncodeAlways, "on_demand": ladder.EncodeOnDemand}

	audioCodecs          = map[string]codecs.Codec{"aac": 0, "opus": codecs.Opus} // AAC is not written: see ladder.Audio
	defaultAudioBitrates = map[codecs.Codec]int64{codecs.AAC: 128_000, codecs.Opus: 96_000}

	encoders = map[codecs.Codec][]string{
		codecs.H264: {"libx264", "h264_nvenc", "h264_vaapi", "h264_qsv"},
		codecs.H265: {"libx265", "hevc_nvenc", "hevc_vaapi", "hevc_qsv"},
		codecs.AV1:  {"libsvtav1", "av1_nvenc", "av1_vaapi", "av1_qsv"},
	}
	presets = []string{
		"ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo",
	}
	av1Presets = []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13"} // of SVT-AV1
)

func defaults() *Config {
	return &Config{
		Venue:   "venue",
		Data:    "./data",
		NATS:    NATS{Replicas: 1},
		Origin:  Origin{Listen: "127.0.0.1:8080", Disk: Disk{Clips: 64e9}},
		Metrics: Metrics{Listen: "127.0.0.1:9090"},
		Log:     Log{Level: "info", Format: "text"},
		Worker:  Worker{Name: hostName(), Hardware: "auto"},
		Ladders: map[string]Ladder{defaultLadder: {defaultLadder, hd()}},
	}
}

// emptyLadder returns what a ladder has when the file says nothing but its video renditions.
func emptyLadder() ladder.Ladder {
	return ladder.Ladder{
		Segment: 2 * time.Second,
		Part:    320 * time.Millisecond,
		DVR:     30 * time.Minute,
		Latency: ladder.LatencyNormal,
		Audio:   []ladder.Audio{{Name: "stereo", Bitrate: defaultAudioBitrates[codecs.AAC]}},
	}
}

// hd returns the ladder that is there when the file describes none of that name.
func hd() ladder.Ladder {
	l := emptyLadder()
	for _, v := range []ladder.Video{
		{Name: "1080p", Height: 1080, Bitrate: 6_000_000},
		{Name: "720p", Height: 720, Bitrate: 3_000_000},
		{Name: "480p", Height: 480, Bitrate: 1_400_000},
		{Name: "360p", Height: 360, Bitrate: 800_000},
	} {
		v.Codec, v.Preset, v.Divisor = codecs.H264, defaultPreset, 1
		l.Video = append(l.Video, v)
	}
	return l
}

// hostName returns the machine's name up to its first dot, "worker" when that cannot name a bus subject.
func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		return "worker"
	}
	name, _, _ = strings.Cut(name, ".")
	if !pipeline.ValidID(name) {
		return "worker"
	}
	return name
}
