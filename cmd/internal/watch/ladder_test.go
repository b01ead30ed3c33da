package watch

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/aac"
	"github.com/venuecast/venuecast/codecs/cmaf"
	"github.com/venuecast/venuecast/codecs/h264"
	"github.com/venuecast/venuecast/codecs/m3u8"
)

// The grid of the fake ladder: 25 fps, 1.92 s in 6 parts of 0.32 s, in which 48 kHz AAC fits exactly.
const (
	fakeParts   = 6
	fakePart    = 320 * time.Millisecond
	fakeStep    = fakeParts * fakePart
	fakeWindow  = 6
	fakeFirst   = int64(1000)
	videoPart   = 8  // pictures
	audioPart   = 15 // frames
	videoSample = 3600
	audioSample = aac.FrameSamples
)

var fakeEpoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// fake is one rendition of a ladder that is right, but for what its hooks change.
type fake struct {
	kind codecs.Kind
	init []byte

	edit     func(m *m3u8.Media, end place)                       // a playlist before it is served
	fragment func(at place, whole bool, f *cmaf.Fragment)         // a part, alone or in its segment
	serve    func(uri string, asked int, data []byte) []byte      // what an URI gives; nil: status 404
	asked    map[string]int                                       // how often
	tail     func(m *m3u8.Media, end place) (changed *m3u8.Media) // another playlist instead
}

func newFake(t *testing.T, kind codecs.Kind) *fake {
	t.Helper()
	f := &fake{kind: kind, asked: map[string]int{}}
	var err error
	if kind == codecs.Audio {
		config, failed := aac.Config{Type: aac.LC, SampleRate: 48000, Channels: 2}.Marshal()
		require.NoError(t, failed)
		f.init, _, err = cmaf.AudioInit(cmaf.AudioTrack{Timescale: 48000, Config: config})
	} else {
		var sets [][]byte
		for _, s := range []string{"6742c01ed900a02ff97011000003000100000300320f162e48", "68cb8cb2"} {
			set, failed := hex.DecodeString(s)
			require.NoError(t, failed)
			sets = append(sets, set)
		}
		f.init, _, err = cmaf.VideoInit(cmaf.VideoTrack{Codec: codecs.H264, Timescale: 90000, ParameterSets: h264.AnnexB(sets)})
	}
	require.NoError(t, err)
	return f
}

// playlist returns the playlist that ends before a place.
func (f *fake) playlist(end place) *m3u8.Media {
	m := &m3u8.Media{
		TargetDuration: 2, PartTarget: fakePart, MediaSequence: max(end.msn-fakeWindow, fakeFirst),
		ServerControl: m3u8.ServerControl{CanBlockReload: true, HoldBack: 6 * time.Second, PartHoldBack: 3 * fakePart},
		PreloadHints:  []m3u8.PreloadHint{{Type: m3u8.HintPart, URI: partURI(end)}},
	}
	for msn := m.MediaSequence; msn < end.msn; msn++ {
		s := f.listed(msn, 0)
		if msn >= end.msn-2 {
			s = f.listed(msn, fakeParts)
		}
		s.URI, s.Duration = fmt.Sprintf("%d.m4s", msn), fakeStep
		m.Segments = append(m.Segments, s)
	}
	if end.part > 0 {
		m.Segments = append(m.Segments, f.listed(end.msn, end.part))
	}
	if len(m.Segments) > 0 {
		m.Segments[0].Map = "init.mp4"
	}
	if f.edit != nil {
		f.edit(m, end)
	}
	return m
}

func (f *fake) listed(msn int64, parts int) m3u8.Segment {
	s := m3u8.Segment{ProgramDateTime: fakeEpoch.Add(time.Duration(msn) * fakeStep)}
	for i := range parts {
		independent := i == 0 || f.kind == codecs.Audio
		s.Parts = append(s.Parts, m3u8.Part{Duration: fakePart, URI: partURI(place{msn, i}), Independent: independent})
	}
	return s
}

func partURI(p place) string { return fmt.Sprintf("%d.%d.m4s", p.msn, p.part) }

// get returns what an URI gives, nil when there is nothing.
func (f *fake) get(uri string) []byte {
	f.asked[uri]++
	data := f.data(uri)
	if f.serve != nil {
		return f.serve(uri, f.asked[uri], data)
	}
	return data
}

func (f *fake) data(uri string) []byte {
	if uri == "init.mp4" {
		return f.init
	}
	var p place
	if strings.Count(uri, ".") == 2 {
		if _, err := fmt.Sscanf(uri, "%d.%d.m4s", &p.msn, &p.part); err != nil {
			return nil
		}
		return f.part(p, false)
	}
	if _, err := fmt.Sscanf(uri, "%d.m4s", &p.msn); err != nil {
		return nil
	}
	var segment []byte
	for ; p.part < fakeParts; p.part++ {
		segment = append(segment, f.part(p, true)...)
	}
	return segment
}

func (f *fake) part(p place, whole bool) []byte {
	count, duration := videoPart, uint32(videoSample)
	if f.kind == codecs.Audio {
		count, duration = audioPart, audioSample
	}
	index := uint64(p.msn)*fakeParts + uint64(p.part)
	fragment := cmaf.Fragment{Sequence: uint32(index), BaseTime: index * uint64(count) * uint64(duration)}
	for i := range count {
		s := cmaf.Sample{Duration: duration, Key: f.kind == codecs.Audio || p.part == 0 && i == 0}
		s.Data = []byte{0, 0, 0, 5, 0x41, byte(index >> 8), byte(index), byte(i), 1}
		if s.Key {
			s.Data[4] = 0x65 // an IDR slice
		}
		fragment.Samples = append(fragment.Samples, s)
	}
	if f.fragment != nil {
		f.fragment(p, whole, &fragment)
	}
	return fragment.Marshal()
}

// watch feeds tracks with the fake renditions, part by part, and returns the report.
func watchFakes(t *testing.T, segments int64, fakes ...*fake) Report {
	t.Helper()
	align := &alignment{}
	var tracks []*track
	for i := range fakes {
		tracks = append(tracks, newTrack(fmt.Sprintf("fake-%d", i), align, 1<<20))
	}
	for msn := fakeFirst + 3; msn < fakeFirst+3+segments; msn++ {
		for part := range fakeParts {
			for i, f := range fakes {
				feed(tracks[i], f, place{msn, part})
			}
		}
	}
	var r Report
	for _, track := range tracks {
		r.Renditions = append(r.Renditions, track.report())
	}
	return r
}

func feed(t *track, f *fake, end place) {
	at := fakeEpoch.Add(time.Duration(end.msn)*fakeStep + time.Duration(end.part)*fakePart)
	m := f.playlist(end)
	if f.tail != nil {
		m = f.tail(m, end)
	}
	for _, w := range t.playlist(m, at) {
		if data := f.get(w.uri); data != nil {
			t.media(w, data, at)
		} else {
			t.failed(w, statusError(404), at)
		}
	}
}
