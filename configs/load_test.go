package configs_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/configs"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	password = "p@ss/w#rd%1"
	token    = "t0ken-of-the-test"
)

func env(name string) (string, bool) {
	v, ok := map[string]string{"PW": password, "CAMERA_PASSWORD": password, "PUSH_TOKEN": token}[name]
	return v, ok
}

func files(t testing.TB, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, found)
	return found
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func TestGoodFilesLoad(t *testing.T) {
	for _, path := range append(files(t, "testdata/*.good.yaml"), "example.yaml") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			c, err := configs.Load(path, env)
			require.NoError(t, err)
			require.NoError(t, c.For(configs.Serve))
			require.Equal(t, path, c.File)
		})
	}
}

func TestDemoTakesItsAddresses(t *testing.T) {
	c, err := configs.Demo{Data: "/tmp/demo", Origin: "127.0.0.1:1", Metrics: "127.0.0.1:2", Camera: "rtsp://127.0.0.1:3/x"}.Config()
	require.NoError(t, err)
	require.NoError(t, c.For(configs.Serve))
	require.Equal(t, "/tmp/demo", c.Data)
	require.Equal(t, "127.0.0.1:1", c.Origin.Listen)
	require.Equal(t, "127.0.0.1:2", c.Metrics.Listen)
	require.Equal(t, "rtsp://127.0.0.1:3/x", c.Feeds[0].Source.Reveal())
}

func TestEveryMistakeIsReportedWithItsPlaceAndWhatIsRight(t *testing.T) {
	for _, path := range files(t, "testdata/*.bad.yaml") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			_, err := configs.Load(path, env)
			var all configs.Errors
			require.ErrorAs(t, err, &all)
			golden(t, strings.TrimSuffix(filepath.Base(path), ".yaml")+".txt", filepath.ToSlash(err.Error())+"\n")
			var one configs.Error
			require.ErrorAs(t, errors.Join(all.Unwrap()...), &one)
		})
	}
}

func TestDefaultsAreFilledIn(t *testing.T) {
	c, err := configs.Load("testdata/minimal.good.yaml", env)
	require.NoError(t, err)
	require.Equal(t, "./data", c.Data)
	require.Equal(t, 1, c.NATS.Replicas)
	require.True(t, c.NATS.URL.IsZero())
	require.Equal(t, "127.0.0.1:8080", c.Origin.Listen)
	require.Equal(t, configs.Disk{Clips: 64_000_000_000}, c.Origin.Disk)
	require.Equal(t, "127.0.0.1:9090", c.Metrics.Listen)
	require.Equal(t, configs.Log{Level: "info", Format: "text"}, c.Log)
	require.NotEmpty(t, c.Worker.Name)
	require.Equal(t, "auto", c.Worker.Hardware)
	require.Equal(t, "tcp", c.Feeds[0].Transport)
	hd := c.Ladders[c.Feeds[0].Ladder].Pipeline()
	require.Len(t, hd.Video, 4)
	require.Equal(t, 2*time.Second, hd.Segment)
	require.Equal(t, []ladder.Audio{{Name: "stereo", Bitrate: 128_000}}, hd.Audio)
}

func TestValuesAreReadAsWritten(t *testing.T) {
	c, err := configs.Load("testdata/full.good.yaml", env)
	require.NoError(t, err)
	require.Equal(t, "hd", c.Feeds[1].Ladder, "a key without a value means its default")
	require.Equal(t, -3, c.Feeds[0].Priority)
	require.EqualValues(t, 1_500_000, c.Worker.Capacity)
	require.Equal(t, "never", c.Worker.Hardware)
	require.Equal(t, configs.Disk{DVR: 1_500_000_000_000, Clips: 200_000_000, Free: 5_000_000}, c.Origin.Disk)
	require.Empty(t, c.Ladders["silent"].Pipeline().Audio)
	require.True(t, c.Ladders["silent"].Pipeline().Captions.Off)
	require.Zero(t, c.Ladders["hd"].Pipeline().Captions, "auto")
	require.False(t, c.Ladders["silent"].Pipeline().Passthrough)
	require.Equal(t, ladder.Ladder{
		Segment: 4 * time.Second, Part: 500 * time.Millisecond, DVR: 2 * time.Hour,
		FrameRate: codecs.Rational{Num: 30000, Den: 1001}, Latency: ladder.LatencyLow, Passthrough: true, Container: ladder.MPEGTS,
		Video: []ladder.Video{
			{Name: "l", Height: 1080, Bitrate: 6_500_000, Codec: codecs.H265, Preset: "p4", Encoder: "hevc_nvenc", Divisor: 1},
			{Name: "m", Height: 720, Bitrate: 3_000_000, CRF: 21.5, Codec: codecs.H264, Preset: "fast", Divisor: 1},
			{Name: "s", Height: 360, Bitrate: 800_000, Codec: codecs.H264, Preset: "veryfast", Divisor: 2},
		},
		Audio: []ladder.Audio{{Name: "de", Bitrate: 96_000, Language: "de"}, {Name: "en", Bitrate: 128_000, Language: "en-GB"}},
		Captions: ladder.Captions{Channels: []ladder.Caption{
			{Channel: "CC1", Language: "en", Name: "English"}, {Channel: "SERVICE63", Name: "SERVICE63"},
		}},
	}, c.Ladders["tv"].Pipeline())
}

func TestExplainPrintsTheGridOfEachLadder(t *testing.T) {
	c, err := configs.Load("example.yaml", env)
	require.NoError(t, err)
	golden(t, "explain.txt", configs.Explain(c))
}

func TestAConfigurationWithoutFeedsIsExplained(t *testing.T) {
	c, err := configs.Parse("f.yaml", []byte("venue: a\n"), env)
	require.NoError(t, err)
	require.Contains(t, configs.Explain(c), "no feeds")
}

func TestARoleAloneSaysWhatItNeeds(t *testing.T) {
	c, err := configs.Parse("f.yaml", []byte("venue: a\n"), env)
	require.NoError(t, err)
	require.EqualError(t, c.For(configs.Serve), "f.yaml: there are no feeds: want at least one under feeds")
	require.ErrorContains(t, c.For(configs.Ingest), "f.yaml: nats.url is empty: ingest alone needs")
	require.ErrorContains(t, c.For(configs.Transcode), "f.yaml: origin.url is empty")
	require.ErrorContains(t, c.For(configs.Publish), "f.yaml: origin.push_token is empty: origin alone")
	full, err := configs.Load("testdata/full.good.yaml", env)
	require.NoError(t, err)
	for _, r := range []configs.Role{configs.Serve, configs.Ingest, configs.Transcode, configs.Publish} {
		require.NoError(t, full.For(r))
	}
}

func TestTLSIsOfFilesOrSelfSigned(t *testing.T) {
	c, err := configs.Load("testdata/tls.good.yaml", env)
	require.NoError(t, err)
	require.Equal(t, configs.TLS{Cert: "/etc/venuecast/fullchain.pem", Key: "/etc/venuecast/key.pem"}, c.Origin.TLS)
	c, err = configs.Parse("trial.yaml", []byte("origin: {tls: {self_signed: true}}"), env)
	require.NoError(t, err)
	require.True(t, c.Origin.TLS.SelfSigned)
	c, err = configs.Parse("plain.yaml", []byte("origin: {}"), env)
	require.NoError(t, err)
	require.True(t, c.Origin.TLS.IsZero())
}

func TestAMissingOrEndlessFileIsOneClearError(t *testing.T) {
	_, err := configs.Load(filepath.Join(t.TempDir(), "none.yaml"), env)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = configs.Load("/dev/zero", env)
	require.EqualError(t, err, "reading the configuration: /dev/zero is larger than 1048576 bytes")
}
