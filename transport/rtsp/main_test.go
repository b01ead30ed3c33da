package rtsp

import (
	"context"
	"encoding/hex"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/venuecast/venuecast/codecs/nal"
	"github.com/venuecast/venuecast/pipeline/ingest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds each wait of a test.
const patience = 20 * time.Second

// NAL units: parameter sets as encoders write them, and pictures of which only the header is real.
var (
	sps360 = unhex("6742c01ed900a02ff97011000003000100000300320f162e48") // 640×360, 25
	pps    = unhex("68ef8fcb")
	sei    = unhex("0605ff")
	idr    = append(unhex("6588"), filled(3000)...) // several packets
	slice  = append(unhex("419a"), filled(200)...)
	second = append(unhex("4140"), filled(200)...) // not the first slice of its picture

	vps265 = unhex("40010c01ffff01600000030090000003000003007b959409")
	sps265 = unhex("42010101600000030090000003000003007ba003c0801107cb965654a4c2f0168080000003008000001904") // 1920×1080, 50
	pps265 = unhex("4401c073c189")
	idr265 = append(unhex("2601af"), filled(3000)...)
	tra265 = append(unhex("0201d0"), filled(200)...)
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// filled returns bytes that cannot be taken for a start code.
func filled(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i%200) + 7
	}
	return b
}

func annexB(nalus ...[]byte) []byte { return nal.AnnexB(nalus) }

// recorder is a sink that keeps what it gets.
type recorder struct {
	mu      sync.Mutex
	begun   [][]ingest.Track
	units   []ingest.Unit
	lost    map[int]uint64
	onUnit  func(ingest.Unit)
	changed chan struct{}
}

func newRecorder() *recorder {
	return &recorder{lost: make(map[int]uint64), changed: make(chan struct{}, 1)}
}

func (r *recorder) Begin(tracks []ingest.Track) {
	r.update(func() { r.begun = append(r.begun, tracks) })
}

func (r *recorder) Unit(u ingest.Unit) {
	if r.onUnit != nil {
		r.onUnit(u)
	}
	r.update(func() { r.units = append(r.units, u) })
}

func (r *recorder) Lost(track int, packets uint64) {
	r.update(func() { r.lost[track] += packets })
}

func (r *recorder) update(f func()) {
	r.mu.Lock()
	f()
	r.mu.Unlock()
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

func (r *recorder) lostOf(track int) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lost[track]
}

func (r *recorder) of(track int) []ingest.Unit {
	r.mu.Lock()
	defer r.mu.Unlock()
	var units []ingest.Unit
	for _, u := range r.units {
		if u.Track == track {
			units = append(units, u)
		}
	}
	return units
}

// wait returns when done reports true.
func (r *recorder) wait(t *testing.T, what string, done func() bool) {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for !done() {
		select {
		case <-r.changed:
		case <-limit.C:
			require.FailNow(t, "timed out", what)
		}
	}
}

// running is something with Run that goes on beside the test.
type running struct {
	cancel context.CancelFunc
	done   chan error
}

func start(t *testing.T, run func(ctx context.Context) error) *running {
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{cancel: cancel, done: make(chan error, 1)}
	go func() { r.done <- run(ctx) }()
	t.Cleanup(func() { cancel(); _ = r.end(t) })
	return r
}

// end returns what Run has returned.
func (r *running) end(t *testing.T) error {
	t.Helper()
	select {
	case err := <-r.done:
		r.done <- err
		return err
	case <-time.After(patience):
		require.FailNow(t, "Run does not return")
		return nil
	}
}
