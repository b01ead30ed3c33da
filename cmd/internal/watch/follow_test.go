package watch

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/m3u8"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server is an origin without sockets: a part of each fake is there every 320 ms of the bubble's clock.
type server struct {
	began time.Time
	mu    sync.Mutex // guards fakes
	fakes map[string]*fake
	down  func(time.Duration) bool // reports whether nobody answers at this time
	plain bool                     // no blocking reload
	// codecs is what the multivariant playlist says.
	codecs string
}

func newServer(fakes map[string]*fake) *server {
	return &server{began: time.Now(), fakes: fakes, codecs: "avc1.42C01E,mp4a.40.2"}
}

func (s *server) edge() place {
	n := int(time.Since(s.began) / fakePart)
	return place{fakeFirst + 4 + int64(n/fakeParts), n % fakeParts}
}

func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.down != nil && s.down(time.Since(s.began)) {
		return nil, io.ErrUnexpectedEOF
	}
	dir, file := path.Split(strings.TrimPrefix(r.URL.Path, "/live/"))
	f := s.fakes[strings.TrimSuffix(dir, "/")]
	switch {
	case file == "index.m3u8" && f == nil:
		return s.answer(200, s.multivariant())
	case file == "index.m3u8":
		s.block(r)
		s.mu.Lock()
		defer s.mu.Unlock()
		m := f.playlist(s.edge())
		m.ServerControl.CanBlockReload = !s.plain
		return s.answer(200, m.Append(nil))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if data := f.get(file); data != nil {
		return s.answer(200, data)
	}
	return s.answer(404, nil)
}

// block holds a request until what it asks for is there.
func (s *server) block(r *http.Request) {
	msn, err := strconv.ParseInt(r.URL.Query().Get("_HLS_msn"), 10, 64)
	if err != nil || s.plain {
		return
	}
	part, _ := strconv.Atoi(r.URL.Query().Get("_HLS_part"))
	for !(place{msn, part}).before(s.edge()) {
		time.Sleep(fakePart / 8)
	}
}

func (s *server) multivariant() []byte {
	m := m3u8.Multivariant{}
	for _, name := range []string{"720p", "360p"} {
		if s.fakes[name] != nil {
			m.Variants = append(m.Variants, m3u8.Variant{Bandwidth: 1, Codecs: s.codecs, Audio: "audio", URI: name + "/index.m3u8"})
		}
	}
	m.Renditions = []m3u8.Rendition{{Type: m3u8.TypeAudio, GroupID: "audio", Name: "stereo", URI: "stereo/index.m3u8"}}
	return m.Append(nil)
}

func (s *server) answer(status int, body []byte) (*http.Response, error) {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body))}, nil
}

// follow watches a ladder for a time of the bubble's clock.
func follow(t *testing.T, s *server, d time.Duration) *Watcher {
	t.Helper()
	w := New(Options{URL: "http://origin/live/index.m3u8", Client: &http.Client{Transport: s}, Keep: 1 << 20})
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	require.NoError(t, w.Run(ctx))
	return w
}

func ladder(t *testing.T) map[string]*fake {
	return map[string]*fake{
		"720p": newFake(t, codecs.Video), "360p": newFake(t, codecs.Video), "stereo": newFake(t, codecs.Audio),
	}
}

func TestFollowerSeesEveryPartOfALadderThatIsRight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := follow(t, newServer(ladder(t)), 30*time.Second)
		report := w.Report()

		require.Zero(t, report.Total(), report.String())
		require.Len(t, report.Renditions, 3)
		require.Equal(t, "720p", report.Renditions[0].Name)
		for _, r := range report.Renditions {
			require.GreaterOrEqual(t, r.Segments, int64(30*time.Second/fakeStep))
			require.GreaterOrEqual(t, r.Parts, int64(30*time.Second/fakePart))
			require.LessOrEqual(t, r.LongestWait, 1.2*fakePart.Seconds())
		}
		recording, err := w.Recording("360p")
		require.NoError(t, err)
		require.Len(t, recording, int(report.Renditions[1].Segments))
		_, err = w.Recording("1080p")
		require.ErrorIs(t, err, ErrUnknown)
	})
}

func TestFollowerPollsWhereTheServerDoesNotBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(ladder(t))
		s.plain = true
		report := follow(t, s, 30*time.Second).Report()

		require.Zero(t, report.Total(), report.String())
		require.LessOrEqual(t, report.Renditions[0].LongestWait, 2.0+fakePart.Seconds())
	})
}

func TestServerThatIsAwayForAWhileCostsRequestsButNoMedia(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(ladder(t))
		s.down = func(d time.Duration) bool { return d > 10*time.Second && d < 13*time.Second }
		report := follow(t, s, 30*time.Second).Report()

		require.Positive(t, report.Count(HTTP))
		require.Equal(t, report.Count(HTTP), report.Total(), report.String())
		require.InDelta(t, 3, report.Renditions[0].LongestWait, 0.7)
	})
}

func TestListedMediaThatIsNotThereIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fakes := ladder(t)
		serveNothing("1007.m4s")(fakes["360p"])
		report := follow(t, newServer(fakes), 30*time.Second).Report()

		require.Equal(t, map[Rule]int{Missing: 1, HTTP: 1}, report.Renditions[1].Faults, report.String())
		require.Empty(t, report.Renditions[0].Faults)
	})
}

func TestUnchangedAnswerToABlockingRequestIsAFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fakes := ladder(t)
		s := newServer(fakes)
		lie := &lying{server: s}
		w := New(Options{URL: "http://origin/live/index.m3u8", Client: &http.Client{Transport: lie}})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		require.NoError(t, w.Run(ctx))

		require.Positive(t, w.Report().Count(Reload))
		require.Equal(t, w.Report().Count(Reload), w.Report().Total(), w.Report().String())
	})
}

// lying is a server that says it blocks and does not.
type lying struct{ *server }

func (l *lying) RoundTrip(r *http.Request) (*http.Response, error) {
	r.URL.RawQuery = ""
	return l.server.RoundTrip(r)
}

func TestCodecsAreHeldAgainstTheInitSection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(ladder(t))
		s.codecs = "avc1.640028,mp4a.40.2"
		report := follow(t, s, 4*time.Second).Report()

		require.Equal(t, map[Rule]int{Codecs: 1}, report.Renditions[0].Faults)
		require.Empty(t, report.Renditions[2].Faults) // sound is as it says
	})
}

func TestWatcherSaysWhyItCannotBegin(t *testing.T) {
	nobody := New(Options{URL: "http://origin/live/index.m3u8", Client: &http.Client{Transport: &server{
		down: func(time.Duration) bool { return true },
	}}})
	require.ErrorContains(t, nobody.Run(t.Context()), "http://origin/live/index.m3u8")
	require.Error(t, New(Options{URL: "::"}).Run(t.Context()))
	require.Empty(t, nobody.Report().Renditions)
}

func TestRenditionsAreNamedByTheirPath(t *testing.T) {
	for uri, name := range map[string]string{
		"720p/index.m3u8": "720p", "hi.m3u8?token=a/b": "hi", "../x/low.m3u8": "low", "index.m3u8": "index",
	} {
		require.Equal(t, name, renditionName(uri))
	}
}
