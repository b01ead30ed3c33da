package live_test

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Eyevinn/hls-m3u8/m3u8"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/pipeline/live"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start is a round instant: its segment has MSN 1000 on the test grid.
var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const firstMSN = 1000

// testFeed has segments of 1.92 s in 6 parts, two video renditions and a sound.
func testFeed() pipeline.Feed {
	g := grid.Grid{FrameRate: codecs.Rational{Num: 25, Den: 1}, StepFrames: 48, PartFrames: 8}
	g.Epoch = codecs.TicksAt(start) - codecs.TicksIn(firstMSN*g.Step())
	return pipeline.Feed{ID: "hall", Grid: g, Ladder: ladder.Ladder{
		Video: []ladder.Video{
			{Name: "1080p", Width: 1920, Height: 1080, Bitrate: 5_000_000, Divisor: 1},
			{Name: "540p", Width: 960, Height: 540, Bitrate: 1_500_000, Divisor: 2},
		},
		Audio: []ladder.Audio{{Name: "sound", Bitrate: 128_000, Language: "en"}},
	}}
}

// bench is a feed with a worker and a clock that the test moves.
type bench struct {
	*testing.T
	feeds *live.Feeds
	feed  *live.Feed
	epoch uint64
	now   time.Time // written under mu: the store reads it, too
	mu    sync.Mutex
	inits map[string]string // the version that the worker has; "one" unless said
}

func newBench(t *testing.T, opts live.Options) *bench {
	b := &bench{T: t, epoch: 1, now: start}
	opts.Now, opts.Window = b.clock, cmp.Or(opts.Window, 15*time.Second)
	b.feeds = live.New(opts)
	b.claim(testFeed())
	return b
}

func (b *bench) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *bench) claim(feed pipeline.Feed) pipeline.State {
	state, err := b.feeds.Claim(pipeline.Session{Feed: feed, Epoch: b.epoch})
	require.NoError(b, err)
	b.feed = b.feeds.Feed(feed.ID)
	for _, r := range b.feed.Renditions() {
		b.init(r.Name(), cmp.Or(b.inits[r.Name()], "one"))
	}
	return state
}

func (b *bench) init(rendition, version string) {
	name := "avc1.64001F"
	if rendition == "sound" {
		name = "mp4a.40.2"
	}
	require.NoError(b, b.feed.PutInit(b.epoch, pipeline.Init{Rendition: rendition, Codecs: name, Data: []byte("init of " + rendition + " " + version)}))
}

func newPart(rendition string, msn int64, index int) pipeline.Part {
	p := pipeline.Part{Rendition: rendition, Kind: codecs.Video, MSN: msn, Index: index, Duration: 28800, Timescale: 90000, Independent: index == 0}
	if rendition == "sound" {
		p.Kind, p.Duration, p.Timescale, p.Independent = codecs.Audio, 15*1024, 48000, true
	}
	p.Data = fmt.Appendf(nil, "%s %d.%d;", rendition, msn, index)
	return p
}

// part puts one part at the end of its time.
func (b *bench) part(rendition string, msn int64, index int) {
	b.mu.Lock()
	b.now = testFeed().Grid.FrameTime(testFeed().Grid.PartFrame(msn, index+1)).Time()
	b.mu.Unlock()
	require.NoError(b, b.feed.PutPart(b.epoch, newPart(rendition, msn, index)))
}

// segments puts whole segments [from, to) of all renditions.
func (b *bench) segments(from, to int64) {
	for msn := from; msn < to; msn++ {
		for i := range 6 {
			for _, r := range b.feed.Renditions() {
				b.part(r.Name(), msn, i)
			}
		}
	}
}

func (b *bench) playlist(rendition string, mode live.Mode) string {
	return string(b.feed.Rendition(rendition).Snapshot().Playlist(live.Form{Mode: mode}).Plain)
}

func (b *bench) dvr(rendition string, mode live.Mode) string {
	return string(b.feed.Rendition(rendition).Snapshot().Playlist(live.Form{Mode: mode, DVR: true}).Plain)
}

func requireGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// requireReadable checks a media playlist with a reader that is not ours.
func requireReadable(t *testing.T, playlist string) *m3u8.MediaPlaylist {
	t.Helper()
	p, kind, err := m3u8.DecodeFrom(strings.NewReader(playlist), true)
	require.NoError(t, err)
	require.Equal(t, m3u8.MEDIA, kind)
	return p.(*m3u8.MediaPlaylist)
}

func TestPlaylistsAreTheGoldenOnes(t *testing.T) {
	b := newBench(t, live.Options{})
	b.segments(firstMSN, firstMSN+10)
	b.part("1080p", firstMSN+10, 0)
	b.part("sound", firstMSN+10, 0)
	b.part("sound", firstMSN+10, 1)
	requireGolden(t, "full.m3u8", b.playlist("1080p", live.Full))
	requireGolden(t, "delta.m3u8", b.playlist("1080p", live.Delta))
	requireGolden(t, "plain.m3u8", b.playlist("1080p", live.Plain))
	requireGolden(t, "sound.m3u8", b.playlist("sound", live.Full))
	for _, plain := range []bool{false, true} {
		text, err := b.feed.Multivariant(b.now, plain)
		require.NoError(t, err)
		requireGolden(t, fmt.Sprintf("multivariant-plain-%v.m3u8", plain), string(text.Plain))
	}
}

func TestAnotherReaderUnderstandsThePlaylists(t *testing.T) {
	b := newBench(t, live.Options{})
	b.segments(firstMSN, firstMSN+20)
	b.part("540p", firstMSN+20, 0)
	p := requireReadable(t, b.playlist("540p", live.Full))
	require.EqualValues(t, 2, p.TargetDuration)
	require.EqualValues(t, firstMSN+12, p.SeqNo)
	require.EqualValues(t, 8, p.Count(), "15 s of 1.92 s segments")
	require.Equal(t, fmt.Sprintf("%d.1.m4s", firstMSN+20), p.PreloadHints.URI)
	for i, s := range p.GetAllSegments() {
		require.Equal(t, fmt.Sprintf("%d.m4s", firstMSN+12+i), s.URI)
		require.InDelta(t, 1.92, s.Duration, 1e-6)
		at := start.Add(time.Duration(12+i) * 1920 * time.Millisecond).Format("2006-01-02T15:04:05.000Z")
		require.Contains(t, b.playlist("540p", live.Full), "#EXT-X-PROGRAM-DATE-TIME:"+at+"\n")
	}
	text, err := b.feed.Multivariant(b.now, false)
	require.NoError(t, err)
	decoded, kind, err := m3u8.DecodeFrom(bytes.NewReader(text.Plain), true)
	require.NoError(t, err)
	require.Equal(t, m3u8.MASTER, kind)
	variants := decoded.(*m3u8.MasterPlaylist).Variants
	require.Equal(t, "540p/index.m3u8", variants[0].URI, "the first variant is where a player begins")
	require.Equal(t, "avc1.64001F,mp4a.40.2", variants[0].Codecs)
	require.Equal(t, "960x540", variants[0].Resolution)
	require.InDelta(t, 12.5, variants[0].FrameRate, 1e-9)
}

func TestASessionOfALowerEpochIsFenced(t *testing.T) {
	b := newBench(t, live.Options{})
	b.epoch = 7
	b.claim(testFeed())
	_, err := b.feeds.Claim(pipeline.Session{Feed: testFeed(), Epoch: 6})
	require.ErrorIs(t, err, pipeline.ErrFenced)
	require.ErrorIs(t, b.feed.PutPart(6, newPart("540p", firstMSN, 0)), pipeline.ErrFenced)
	require.ErrorIs(t, b.feed.PutInit(6, pipeline.Init{Rendition: "540p", Codecs: "x", Data: []byte("x")}), pipeline.ErrFenced)
	require.ErrorIs(t, b.feed.PutPart(8, newPart("540p", firstMSN, 0)), live.ErrNoSession)
	require.NoError(t, b.feed.PutPart(7, newPart("540p", firstMSN, 0)))
}

func TestATakeoverGoesOnWithoutADiscontinuity(t *testing.T) {
	b := newBench(t, live.Options{})
	b.segments(firstMSN, firstMSN+3)
	b.part("540p", firstMSN+3, 0)
	b.part("540p", firstMSN+3, 1)
	b.epoch = 2
	state := b.claim(testFeed())
	require.Equal(t, pipeline.State{
		"1080p": {MSN: firstMSN + 3}, "540p": {MSN: firstMSN + 3, Part: 2}, "sound": {MSN: firstMSN + 3},
	}, state)
	b.part("540p", firstMSN+3, 1) // sent again
	b.part("540p", firstMSN+3, 2)
	playlist := b.playlist("540p", live.Full)
	require.NotContains(t, playlist, "DISCONTINUITY\n")
	require.NotContains(t, playlist, "GAP")
	require.Equal(t, 1, strings.Count(playlist, "EXT-X-MAP"))
	require.Equal(t, 1, strings.Count(playlist, fmt.Sprintf("%d.1.m4s", firstMSN+3)))
}

func TestSkippedMediaIsListedAsMissing(t *testing.T) {
	b := newBench(t, live.Options{})
	b.segments(firstMSN, firstMSN+3)
	b.part("540p", firstMSN+3, 0)
	p := newPart("540p", firstMSN+5, 2)
	p.Independent = true // a resumed encoder begins with one
	require.NoError(t, b.feed.PutPart(1, p))
	for i := 3; i < 6; i++ {
		b.part("540p", firstMSN+5, i)
	}
	playlist := b.playlist("540p", live.Full)
	list := requireReadable(t, playlist)
	segments := list.GetAllSegments()
	require.Len(t, segments, 6)
	require.False(t, segments[3].Gap, "its first part is there")
	require.True(t, segments[4].Gap)
	require.False(t, segments[5].Gap)
	require.InDelta(t, 1.92, segments[3].Duration, 1e-6, "the timeline stays whole")
	require.InDelta(t, 1.92, segments[4].Duration, 1e-6)
	require.Contains(t, playlist, fmt.Sprintf("#EXT-X-PART:DURATION=0.32,URI=\"%d.1.m4s\",GAP=YES", firstMSN+5))
	_, err := b.feed.Rendition("540p").Snapshot().Segment(firstMSN + 4)
	require.ErrorIs(t, err, live.ErrGone)
	_, err = b.feed.Rendition("540p").Snapshot().Part(pipeline.Position{MSN: firstMSN + 5, Part: 1})
	require.ErrorIs(t, err, live.ErrGone)
}

func TestASegmentThatCanNotBeDecodedIsAGap(t *testing.T) {
	b := newBench(t, live.Options{})
	b.segments(firstMSN, firstMSN+3)
	for i := 1; i < 6; i++ { // its random access picture is missing
		b.part("540p", firstMSN+3, i)
	}
	segments := requireReadable(t, b.playlist("540p", live.Full)).GetAllSegments()
	require.True(t, segments[3].Gap)
}

func TestALongAbsenceBeginsANewWindow(t *testing.T) {
	b := newBench(t, live.Options{})
	b.segments(firstMSN, firstMSN+8)
	b.segments(firstMSN+100_000, firstMSN+100_001)
	p := requireReadable(t, b.playlist("540p", live.Plain))
	require.EqualValues(t, firstMSN+100_000, p.SeqNo)
	require.EqualValues(t, 1, p.Count())
}

func TestANewInitSectionIsADiscontinuityInAllRenditions(t *testing.T) {
	b := newBench(t, live.Options{})
	b.segments(firstMSN, firstMSN+4)
	b.part("sound", firstMSN+4, 0) // sound is ahead: 1004 can not get the tag any more
	b.init("540p", "two")
	b.segments(firstMSN+4, firstMSN+7)
	for _, r := range b.feed.Renditions() {
		playlist := b.playlist(r.Name(), live.Full)
		segments := requireReadable(t, playlist).GetAllSegments()
		require.Len(t, segments, 7)
		for i, s := range segments {
			require.Equal(t, i == 5, s.Discontinuity, "%s %s", r.Name(), s.URI)
			require.Equal(t, i == 4 && r.Name() == "540p", s.Gap, "%s %s", r.Name(), s.URI)
		}
		require.Contains(t, playlist, "#EXT-X-DISCONTINUITY-SEQUENCE:0\n")
		require.Equal(t, map[bool]int{true: 2, false: 1}[r.Name() == "540p"], strings.Count(playlist, "EXT-X-MAP"))
	}
	b.segments(firstMSN+7, firstMSN+13) // the window begins with the tagged segment
	playlist := b.playlist("sound", live.Full)
	require.Contains(t, playlist, "#EXT-X-DISCONTINUITY-SEQUENCE:0\n")
	require.Contains(t, playlist, "#EXT-X-DISCONTINUITY\n")
	b.segments(firstMSN+13, firstMSN+40)
	playlist = b.playlist("sound", live.Full)
	require.Contains(t, playlist, "#EXT-X-DISCONTINUITY-SEQUENCE:1\n", "it never goes back")
	require.NotContains(t, playlist, "#EXT-X-DISCONTINUITY\n")
	require.Equal(t, 1, strings.Count(b.playlist("540p", live.Full), "EXT-X-MAP"))
}

func TestOtherConstantsBeginANewWindow(t *testing.T) {
	b := newBench(t, live.Options{})
	b.segments(firstMSN, firstMSN+3)
	old := b.feed.Rendition("540p")
	changed := testFeed()
	changed.Ladder.Video = changed.Ladder.Video[1:]
	b.epoch = 2
	require.Empty(t, b.claim(changed))
	_, err := old.Wait(context.Background(), pipeline.Position{MSN: firstMSN + 3})
	require.ErrorIs(t, err, live.ErrGone)
	b.segments(firstMSN+3, firstMSN+5)
	playlist := b.playlist("540p", live.Plain)
	require.EqualValues(t, firstMSN+3, requireReadable(t, playlist).SeqNo)
	require.Contains(t, playlist, "#EXT-X-DISCONTINUITY-SEQUENCE:1\n")
}

func TestTheMultivariantPlaylistIsNeverHalf(t *testing.T) {
	b := newBench(t, live.Options{})
	for i := range 6 {
		b.part("1080p", firstMSN, i)
		b.part("sound", firstMSN, i)
		_, err := b.feed.Multivariant(b.now, false)
		require.ErrorIs(t, err, live.ErrNotReady)
	}
	for i := range 6 {
		b.part("540p", firstMSN, i)
	}
	_, err := b.feed.Multivariant(b.now, false)
	require.NoError(t, err)
}

func TestAStoppedFeedSaysSo(t *testing.T) {
	b := newBench(t, live.Options{})
	require.ErrorIs(t, b.feed.Rendition("540p").Snapshot().Err(b.now), live.ErrNotReady)
	b.segments(firstMSN, firstMSN+3)
	snap := b.feed.Rendition("540p").Snapshot()
	require.NoError(t, snap.Err(b.now.Add(6*time.Second)))
	require.ErrorIs(t, snap.Err(b.now.Add(7*time.Second)), live.ErrStale)
	_, err := b.feed.Multivariant(b.now.Add(7*time.Second), false)
	require.ErrorIs(t, err, live.ErrStale)
	b.part("540p", firstMSN+3, 0)
	require.NoError(t, b.feed.Rendition("540p").Snapshot().Err(b.now))
}

func TestWhatCanNotBeInTheFeedIsRefused(t *testing.T) {
	b := newBench(t, live.Options{})
	for name, change := range map[string]func(*pipeline.Part){
		"longer than the part target": func(p *pipeline.Part) { p.Duration = 28801 },
		"no duration":                 func(p *pipeline.Part) { p.Duration = 0 },
		"no timescale":                func(p *pipeline.Part) { p.Timescale = 0 },
		"part beyond the segment":     func(p *pipeline.Part) { p.Index = 6 },
		"negative part":               func(p *pipeline.Part) { p.Index = -1 },
		"negative number":             func(p *pipeline.Part) { p.MSN = -1 },
		"absurd number":               func(p *pipeline.Part) { p.MSN = 1 << 41 },
		"no bytes":                    func(p *pipeline.Part) { p.Data = nil },
		"unknown rendition":           func(p *pipeline.Part) { p.Rendition = "240p" },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPart("540p", firstMSN, 0)
			change(&p)
			require.ErrorIs(t, b.feed.PutPart(1, p), live.ErrInvalid)
		})
	}
	require.ErrorIs(t, b.feed.PutInit(1, pipeline.Init{Rendition: "540p", Codecs: "a\"\nb", Data: []byte("x")}), live.ErrInvalid)
}

func TestRemovedSegmentsCanStillBeFetchedForAWhile(t *testing.T) {
	b := newBench(t, live.Options{})
	b.segments(firstMSN, firstMSN+16) // 8 listed, 8 removed
	snap := b.feed.Rendition("540p").Snapshot()
	media, err := snap.Segment(firstMSN)
	require.NoError(t, err)
	data, err := io.ReadAll(media)
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("540p %[1]d.0;540p %[1]d.1;540p %[1]d.2;540p %[1]d.3;540p %[1]d.4;540p %[1]d.5;", firstMSN), string(data))
	b.segments(firstMSN+16, firstMSN+17)
	_, err = b.feed.Rendition("540p").Snapshot().Segment(firstMSN)
	require.ErrorIs(t, err, live.ErrGone)
}

func TestDeclaredRatesHoldWhatWasMeasured(t *testing.T) {
	b := newBench(t, live.Options{})
	for msn := int64(firstMSN); msn < firstMSN+12; msn++ {
		for i := range 6 {
			for _, r := range b.feed.Renditions() {
				p := newPart(r.Name(), msn, i)
				p.Data = make([]byte, 400_000) // 10 Mbit/s
				require.NoError(t, b.feed.PutPart(1, p))
			}
		}
	}
	text, err := b.feed.Multivariant(b.now, false)
	require.NoError(t, err)
	require.Contains(t, string(text.Plain), "BANDWIDTH=20000000,AVERAGE-BANDWIDTH=20000000", "picture and sound")
}

func TestAbsurdFeedsAreRefused(t *testing.T) {
	for name, change := range map[string]func(*pipeline.Feed){
		"id":              func(f *pipeline.Feed) { f.ID = "../hall" },
		"no renditions":   func(f *pipeline.Feed) { f.Ladder.Video, f.Ladder.Audio = nil, nil },
		"a name twice":    func(f *pipeline.Feed) { f.Ladder.Audio[0].Name = "540p" },
		"a name's path":   func(f *pipeline.Feed) { f.Ladder.Audio[0].Name = "a/b" },
		"endless DVR":     func(f *pipeline.Feed) { f.Ladder.DVR = 1 << 62 },
		"tiny segments":   func(f *pipeline.Feed) { f.Grid.StepFrames, f.Grid.PartFrames = 1, 1 },
		"too many parts":  func(f *pipeline.Feed) { f.Grid.StepFrames, f.Grid.PartFrames = 600, 1 },
		"many renditions": func(f *pipeline.Feed) { f.Ladder.Video = make([]ladder.Video, 40) },
	} {
		t.Run(name, func(t *testing.T) {
			feed := testFeed()
			change(&feed)
			_, err := live.New(live.Options{}).Claim(pipeline.Session{Feed: feed, Epoch: 1})
			require.ErrorIs(t, err, live.ErrInvalid)
		})
	}
}

func TestFeedsAreBounded(t *testing.T) {
	feeds := live.New(live.Options{MaxFeeds: 1})
	_, err := feeds.Claim(pipeline.Session{Feed: testFeed(), Epoch: 1})
	require.NoError(t, err)
	other := testFeed()
	other.ID = "yard"
	_, err = feeds.Claim(pipeline.Session{Feed: other, Epoch: 1})
	require.ErrorIs(t, err, live.ErrTooManyFeeds)
	require.ErrorContains(t, err, "claiming feed yard: too many feeds: the origin has 1")
	require.Nil(t, feeds.Feed("yard"))
	require.Len(t, feeds.All(), 1)
}

func TestAnOriginTakesAsManyFeedsAsAConfigurationMayHave(t *testing.T) {
	feeds := live.New(live.Options{})
	for i := range 1000 {
		f := testFeed()
		f.ID = fmt.Sprintf("camera-%d", i)
		_, err := feeds.Claim(pipeline.Session{Feed: f, Epoch: 1})
		require.NoError(t, err)
	}
	_, err := feeds.Claim(pipeline.Session{Feed: testFeed(), Epoch: 1})
	require.ErrorIs(t, err, live.ErrTooManyFeeds)
}

func TestSoundOnEveryGridKeepsItsTimelineOverGaps(t *testing.T) {
	for _, rate := range []codecs.Rational{{Num: 25, Den: 1}, {Num: 30000, Den: 1001}, {Num: 60000, Den: 1001}, {Num: 24, Den: 1}} {
		g, err := grid.New(rate, 2*time.Second, 320*time.Millisecond, codecs.TicksAt(start))
		require.NoError(t, err)
		feed := pipeline.Feed{ID: "hall", Grid: g, Ladder: ladder.Ladder{Audio: []ladder.Audio{{Name: "sound", Bitrate: 128_000}}}}
		b := &bench{T: t, epoch: 1, now: start, feeds: live.New(live.Options{})}
		b.claim(feed)
		msn := g.Segment(g.FrameAt(codecs.TicksAt(start)))
		for place := msn; place < msn+20; place++ {
			for i := range g.Parts() {
				if (place-msn)*7%5 == 1 && i > 2 {
					continue // now and then some do not come
				}
				samples := (g.AudioFrame(grid.AudioSamples, place, i+1) - g.AudioFrame(grid.AudioSamples, place, i)) * grid.AudioSamples
				p := pipeline.Part{Rendition: "sound", MSN: place, Index: i, Duration: samples, Timescale: grid.SampleRate, Independent: true, Data: []byte("x")}
				require.NoError(t, b.feed.PutPart(1, p))
			}
		}
		list := requireReadable(t, b.playlist("sound", live.Plain))
		first := int64(list.SeqNo)
		var sum float64
		for i, s := range list.GetAllSegments() {
			require.LessOrEqual(t, s.Duration, float64(g.TargetDuration())+.5)
			sum += s.Duration
			want := float64((g.AudioFrame(grid.AudioSamples, first+int64(i)+1, 0)-g.AudioFrame(grid.AudioSamples, first, 0))*grid.AudioSamples) / grid.SampleRate
			require.InDelta(t, want, sum, 1e-6)
		}
	}
}
