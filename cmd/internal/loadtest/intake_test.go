package loadtest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/h264"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/ingest"
	"github.com/venuecast/venuecast/transport/rtsp"
)

func TestAGeneratedCameraKeepsItsBitrateAndGrid(t *testing.T) {
	media, err := Generated(2_000_000)
	require.NoError(t, err)
	var bytes, pictures int
	before := codecs.Ticks(0)
	for _, u := range media.Units {
		require.GreaterOrEqual(t, u.DTS, before)
		require.Less(t, u.DTS, media.Length)
		before = u.DTS
		if u.Track == 0 {
			bytes, pictures = bytes+len(u.Data), pictures+1
		}
	}
	seconds := media.Length.Duration().Seconds()
	require.InDelta(t, 25, float64(pictures)/seconds, 1e-9)
	require.InEpsilon(t, 2_000_000, float64(bytes*8)/seconds, 0.01)
	require.True(t, media.Units[0].RandomAccess)

	info, err := h264.ParseSPS(unhex(generatedSPS))
	require.NoError(t, err)
	require.Equal(t, [2]int{640, 360}, [2]int{info.Width, info.Height})
}

// watcher is an ingest.Sink that waits for a keyframe and sound.
type watcher struct {
	got  map[codecs.Kind]bool
	all  context.CancelFunc
	kind []codecs.Kind
}

func (w *watcher) Begin(tracks []ingest.Track) {
	for _, t := range tracks {
		w.kind = append(w.kind, t.Format.Codec.Kind())
	}
}

func (w *watcher) Unit(u ingest.Unit) {
	if kind := w.kind[u.Track]; kind == codecs.Audio || u.RandomAccess && u.Picture.Width == 640 {
		w.got[kind] = true
	}
	if len(w.got) == 2 {
		w.all()
	}
}

func (w *watcher) Lost(int, uint64) {}

func TestCamerasPlayAtSeveralPlacesOfTheMedia(t *testing.T) {
	media, err := Generated(500_000)
	require.NoError(t, err)
	listen, err := Addresses(t.Context(), 2)
	require.NoError(t, err)
	require.Equal(t, CameraURL(listen, 0), CameraURL(listen, 2))
	cameras, err := NewCameras(media, listen)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	seen := &watcher{got: map[codecs.Kind]bool{}, all: cancel}
	source, err := rtsp.NewSource(rtsp.SourceOptions{URL: CameraURL(listen, 1)})
	require.NoError(t, err)

	err = pipeline.Run(ctx, cameras, pipeline.Func("reader", func(ctx context.Context) error { return source.Run(ctx, seen) }))
	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, seen.got, 2, "a keyframe and sound")
}

const exposition = `# HELP venuecast_source_up 1 while the camera delivers, else 0.
venuecast_source_up{feed="a"} 1
venuecast_source_up{feed="b"} 0
venuecast_source_upwards{feed="b"} 7
venuecast_ingest_drops_total{feed="a",reason="bus"} 2
venuecast_ingest_drops_total{feed="b",reason="bus"} 3
venuecast_ingest_drops_total{feed="b",reason="queue_full"} 0
go_goroutines 12
`

func TestSeriesAreSummedByTheirNames(t *testing.T) {
	s := parseSeries(exposition)
	require.InDelta(t, 1, s.sum("venuecast_source_up"), 0)
	require.Equal(t, 1, s.positive("venuecast_source_up"))
	require.InDelta(t, 12, s.sum("go_goroutines"), 0)
	require.Equal(t, map[string]float64{"bus": 5, "queue_full": 0}, s.byReason("venuecast_ingest_drops_total"))
}

// records is a reader of a feed that has a gap and then a picture now and then.
type records struct{ n int }

func (r *records) Next(ctx context.Context) (pipeline.Record, error) {
	r.n++
	if r.n == 1 {
		return pipeline.Record{}, pipeline.ErrGap
	}
	if !pause(ctx, 10*time.Millisecond) {
		return pipeline.Record{}, ctx.Err()
	}
	unit := codecs.AccessUnit{PTS: codecs.TicksAt(time.Now().Add(-time.Second))}
	return pipeline.Record{Bundle: &codecs.Bundle{Format: codecs.Format{Codec: codecs.H264}, Units: []codecs.AccessUnit{unit}}}, nil
}

func TestAnIngestIsMeasuredWhenAllCamerasAreOnTheBus(t *testing.T) {
	answers := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answers++
		text := strings.Replace(exposition, `up{feed="b"} 0`, `up{feed="b"} 1`, min(answers-1, 1)) +
			`venuecast_bus_stored_messages_total{feed="a"} 5` + "\n" + `venuecast_bus_stored_messages_total{feed="b"} 6` + "\n"
		_, err := w.Write([]byte(text))
		require.NoError(t, err)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	o := IntakeOptions{
		Cameras: 2, Within: 10 * time.Second, During: 600 * time.Millisecond, Began: time.Now(), Ingest: os.Getpid(), Bus: os.Getpid(),
		Metrics: strings.TrimPrefix(server.URL, "http://"), Store: t.TempDir(), Readers: []RecordReader{&records{}},
	}

	i, err := MeasureIntake(t.Context(), o)
	require.NoError(t, err)
	require.GreaterOrEqual(t, answers, 4, "one camera was not there at first")
	require.Positive(t, i.Memory.Ingest)
	require.GreaterOrEqual(t, i.Late.P50, 1000.0)
	require.Empty(t, i.Dropped)
	require.Contains(t, i.String(), "processors per 100 cameras")

	o.Cameras, o.Within = 3, 300*time.Millisecond
	_, err = MeasureIntake(t.Context(), o)
	require.ErrorContains(t, err, "2 of 3 cameras deliver")
	require.NotErrorIs(t, err, context.Canceled)
}
