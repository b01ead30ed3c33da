package lint

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/aac"
	"github.com/venuecast/venuecast/codecs/cmaf"
	"github.com/venuecast/venuecast/codecs/h264"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/pipeline/live"
	"github.com/venuecast/venuecast/pipeline/rules"
	"github.com/venuecast/venuecast/transport/origin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The renditions of the test ladder, and the place from which on faults are seeded.
const (
	large, small, sound = "large", "small", "sound"

	window    = 14 * time.Second
	firstMSN  = 1000
	faultyMSN = firstMSN + 12
)

// house is our own origin, without a socket, and a worker that fills it in time with media that cost no encoder.
// It is right but for what its hooks change.
type house struct {
	under   string // where its playlists lie
	feeds   *live.Feeds
	feed    pipeline.Feed
	handler http.Handler
	inits   map[string][]byte
	codecs  map[string]string

	fragment func(rendition string, msn int64, part int, f *cmaf.Fragment) // a part before it is put
	init     func(rendition string, msn int64) ([]byte, string)            // nil: no other init section
	skip     func(rendition string, msn int64, part int) bool              // never put
	begin    func(feed *live.Feed) error                                   // before the first part
	request  func(req *http.Request)                                       // what a client asks for
	answer   func(a *answer)                                               // what it gets

	mu     sync.Mutex // guards asked and zipper
	asked  map[string]int
	zipper *gzip.Writer
	seen   Seen
}

// answer is what the origin is about to send.
type answer struct {
	rendition, file, query string
	status                 int
	header                 http.Header
	body                   string
	newest                 int64 // segment in progress
	times                  int   // how often this was asked for
}

func (a *answer) playlist() bool {
	return a.rendition != "" && a.file == "index.m3u8" && a.status == 200
}

func (a *answer) replace(old, replacement string) {
	a.body = strings.ReplaceAll(a.body, old, replacement)
}

func newHouse(t *testing.T) *house {
	t.Helper()
	g := grid.Grid{FrameRate: codecs.Rational{Num: 25, Den: 1}, StepFrames: 48, PartFrames: 8}
	g.Epoch = codecs.TicksAt(time.Now().Truncate(time.Second)) - codecs.TicksIn(firstMSN*g.Step())
	h := &house{
		under: "live", feeds: live.New(live.Options{Window: window}), inits: map[string][]byte{}, codecs: map[string]string{}, asked: map[string]int{},
		feed: pipeline.Feed{ID: "hall", Grid: g, Ladder: ladder.Ladder{
			Video: []ladder.Video{
				{Name: large, Width: 640, Height: 368, Bitrate: 500_000, Divisor: 1},
				{Name: small, Width: 320, Height: 176, Bitrate: 50_000, Divisor: 1},
			},
			Audio: []ladder.Audio{{Name: sound, Bitrate: 32_000, Language: "en"}},
		}},
	}
	h.zipper, _ = gzip.NewWriterLevel(nil, gzip.NoCompression) // there is such a level
	server, err := origin.New(origin.Options{Feeds: h.feeds, Token: "a token of the test"})
	require.NoError(t, err)
	h.handler = server.Handler()
	h.inits[large], h.codecs[large] = videoInit(t, 640, 368)
	h.inits[small], h.codecs[small] = videoInit(t, 320, 176)
	config, err := aac.Config{Type: aac.LC, SampleRate: 48000, Channels: 2}.Marshal()
	require.NoError(t, err)
	h.inits[sound], h.codecs[sound], err = cmaf.AudioInit(cmaf.AudioTrack{Timescale: 48000, Config: config})
	require.NoError(t, err)
	return h
}

// videoInit returns the init section of a picture of the given size, in multiples of 16.
func videoInit(t *testing.T, width, height int) (data []byte, codec string) {
	t.Helper()
	var b bitWriter
	b.put(8, 0x67, 8, 66, 8, 0xc0, 8, 30) // sequence parameter set, Baseline profile, level 3
	// seq_parameter_set_id, log2_max_frame_num_minus4, pic_order_cnt_type, max_num_ref_frames (ITU-T H.264 §7.3.2.1.1)
	b.golomb(0, 0, 2, 1)
	b.put(1, 0)
	b.golomb(width/16-1, height/16-1)
	b.put(1, 1, 1, 1, 1, 0, 1, 0, 1, 1) // frames only, direct 8×8, no cropping, no VUI, stop bit
	data, codec, err := cmaf.VideoInit(cmaf.VideoTrack{
		Codec: codecs.H264, Timescale: 90000, ParameterSets: h264.AnnexB([][]byte{b.bytes(), {0x68, 0xcb, 0x8c, 0xb2}}),
	})
	require.NoError(t, err)
	return data, codec
}

// bitWriter writes bits, the first into the highest place.
type bitWriter struct{ text strings.Builder }

// put takes pairs of a number of bits and a value.
func (b *bitWriter) put(pairs ...int) {
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b.text, "%0*b", pairs[i], pairs[i+1])
	}
}

// golomb writes ue(v).
func (b *bitWriter) golomb(values ...int) {
	for _, v := range values {
		n := len(strconv.FormatInt(int64(v+1), 2))
		b.put(2*n-1, v+1)
	}
}

func (b *bitWriter) bytes() []byte {
	s := b.text.String()
	s += strings.Repeat("0", (8-len(s)%8)%8)
	out := make([]byte, len(s)/8)
	for i := range out {
		v, _ := strconv.ParseUint(s[8*i:8*i+8], 2, 8) // digits of two only
		out[i] = byte(v)
	}
	return out
}

// work fills the origin until the context ends: each part is there when its time is over.
func (h *house) work(ctx context.Context) error {
	if _, err := h.feeds.Claim(pipeline.Session{Feed: h.feed, Epoch: 1}); err != nil {
		return err
	}
	for name := range h.inits {
		if err := h.feeds.Feed("hall").PutInit(1, pipeline.Init{Rendition: name, Codecs: h.codecs[name], Data: h.inits[name]}); err != nil {
			return err
		}
	}
	if h.begin != nil {
		if err := h.begin(h.feeds.Feed("hall")); err != nil {
			return err
		}
	}
	for k := int64(0); ; k++ {
		msn, part := firstMSN+k/6, int(k%6)
		over := h.feed.Grid.FrameTime(h.feed.Grid.PartFrame(msn, part) + h.feed.Grid.PartFrames).Time()
		if !pause(ctx, time.Until(over)) {
			return nil
		}
		if err := h.newInits(msn, part); err != nil {
			return err
		}
		for _, name := range []string{large, small, sound} {
			if err := h.put(name, msn, part); err != nil {
				return err
			}
		}
	}
}

func (h *house) newInits(msn int64, part int) error {
	if h.init == nil || part > 0 {
		return nil
	}
	for _, name := range []string{large, small, sound} {
		if data, codec := h.init(name, msn); data != nil {
			if err := h.feeds.Feed("hall").PutInit(1, pipeline.Init{Rendition: name, Codecs: codec, Data: data}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *house) put(name string, msn int64, part int) error {
	feed := h.feeds.Feed("hall")
	if h.skip != nil && h.skip(name, msn, part) {
		return nil
	}
	kind, count, duration, timescale := codecs.Video, 8, uint32(3600), int64(90000)
	if name == sound {
		kind, count, duration, timescale = codecs.Audio, 15, uint32(1024), 48000
	}
	f := fragment(kind, count, duration, uint64(msn*6+int64(part)))
	if h.fragment != nil {
		h.fragment(name, msn, part, &f)
	}
	return feed.PutPart(1, pipeline.Part{
		Rendition: name, Kind: kind, MSN: msn, Index: part, Duration: int64(count) * int64(duration), Timescale: timescale,
		Independent: part == 0 || kind == codecs.Audio, Data: f.Marshal(),
	})
}

func fragment(kind codecs.Kind, count int, duration uint32, index uint64) cmaf.Fragment {
	f := cmaf.Fragment{Sequence: uint32(index), BaseTime: index * uint64(count) * uint64(duration)}
	for i := range count {
		s := cmaf.Sample{Duration: duration, Key: kind == codecs.Audio || index%6 == 0 && i == 0}
		s.Data = []byte{0, 0, 0, 6, 0x41, byte(index >> 8), byte(index), byte(i), byte(kind), 1}
		if s.Key {
			s.Data[4] = 0x65 // an IDR slice
		}
		f.Samples = append(f.Samples, s)
	}
	return f
}

// ServeHTTP serves what the origin does, through the answer hook.
func (h *house) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	plain := req.Clone(req.Context())
	plain.Header.Del("Accept-Encoding")
	if h.request != nil {
		h.request(plain)
	}
	inner := &recorder{header: http.Header{}}
	h.handler.ServeHTTP(inner, plain)
	inner.WriteHeader(http.StatusOK)
	a := &answer{query: req.URL.RawQuery, status: inner.status, header: inner.header, body: inner.body.String()}
	elements := strings.Split(strings.TrimPrefix(req.URL.Path, "/"+h.under+"/hall/"), "/")
	a.file = elements[len(elements)-1]
	if len(elements) == 2 {
		a.rendition = elements[0]
	}
	if feed := h.feeds.Feed("hall"); feed != nil {
		a.newest = feed.Renditions()[0].Snapshot().Next().MSN
	}
	h.mu.Lock()
	h.asked[req.URL.Path]++
	a.times = h.asked[req.URL.Path]
	if h.answer != nil {
		h.answer(a)
	}
	h.send(w, a)
	h.mu.Unlock()
}

// zip makes gzip of a text, as fast as that can be.
func (h *house) zip(text []byte) []byte {
	var zipped bytes.Buffer
	h.zipper.Reset(&zipped)
	_, _ = h.zipper.Write(text) // a bytes.Buffer takes every write
	_ = h.zipper.Close()
	return zipped.Bytes()
}

func (h *house) send(w http.ResponseWriter, a *answer) {
	body := []byte(a.body)
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.Header().Del("Content-Length")
	if strings.HasPrefix(a.body, "#EXTM3U") && a.header.Get("Vary") != "" {
		body = h.zip(body)
		w.Header().Set("Content-Encoding", "gzip")
	}
	w.WriteHeader(a.status)
	_, _ = io.Copy(w, bytes.NewReader(body)) // likewise
}

// watched watches the house for a time of the bubble's clock, from when it is full, and returns what was found, by rule.
func watched(t *testing.T, h *house, during time.Duration) map[string][]rules.Violation {
	t.Helper()
	found := map[string][]rules.Violation{}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	require.NoError(t, pipeline.Run(ctx,
		pipeline.Func("worker", h.work),
		pipeline.Func("lint", func(ctx context.Context) error {
			defer cancel()
			if !pause(ctx, (faultyMSN-firstMSN-3)*h.feed.Grid.Step()) {
				return nil
			}
			ctx, stop := context.WithTimeout(ctx, during)
			defer stop()
			seen, err := Watch(ctx, Options{
				URL: "http://origin/" + h.under + "/hall/index.m3u8", Client: &http.Client{Transport: Local{h}},
				Report: func(v rules.Violation) { found[v.ID] = append(found[v.ID], v) },
			})
			h.seen = seen
			return err
		})))
	return found
}
