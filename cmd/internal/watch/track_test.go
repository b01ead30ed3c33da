package watch

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
	"github.com/venuecast/venuecast/codecs/m3u8"
)

const watched = 12 // segments: two windows

func TestLadderThatIsRightHasNoFault(t *testing.T) {
	report := watchFakes(t, watched, newFake(t, codecs.Video), newFake(t, codecs.Video), newFake(t, codecs.Audio))

	require.Zero(t, report.Total(), report.String())
	for _, r := range report.Renditions {
		require.EqualValues(t, watched, r.Segments)
		require.EqualValues(t, watched*fakeParts+fakeParts-1, r.Parts)
		require.Equal(t, fakePart.Seconds(), r.LongestWait)
	}
	require.Equal(t, "avc1.42C01E", report.Renditions[0].Codecs)
	require.Equal(t, "audio", report.Renditions[2].Kind)
}

// A fault begins with this segment.
const bad = fakeFirst + 7

func TestSeededFaultBreaksItsRule(t *testing.T) {
	cases := []struct {
		name string
		seed func(f *fake)
		want []Rule // all the rules that break
	}{
		{"a segment is not there", serveNothing("1007.m4s"), []Rule{Missing}},
		{"a part is not there", serveNothing("1007.2.m4s"), []Rule{Missing}},
		{"the init section is not there", serveNothing("init.mp4"), []Rule{Missing}},
		{"two segments are passed over", func(f *fake) { f.tail = jump(40) }, []Rule{Missing}},
		{"the numbers start again", func(f *fake) { f.tail = renumber(-5) }, []Rule{Sequence}},
		{"the end goes back", func(f *fake) { f.tail = stale }, []Rule{Sequence}},
		{"a segment has its neighbour's bytes", func(f *fake) { f.serve = other("1007.m4s", f, "1006.m4s") }, []Rule{Doubled, Hole, Overlap, Parts, Alignment}},
		{"two segments have one URI", edit(func(m *m3u8.Media) { rename(m, bad, "1006.m4s") }), []Rule{Doubled, Hole, Overlap, Parts, Alignment}},
		{"bytes change after they were served", func(f *fake) { f.serve = laterOther("1007.m4s", f) }, []Rule{Changed}},
		{"EXTINF changes afterwards", editAfter(func(m *m3u8.Media) { at(m, bad, func(s *m3u8.Segment) { s.Duration += 2 * time.Millisecond }) }), []Rule{Changed}},
		{"the date changes afterwards", editAfter(func(m *m3u8.Media) {
			at(m, bad, func(s *m3u8.Segment) { s.ProgramDateTime = s.ProgramDateTime.Add(time.Millisecond) })
		}), []Rule{Changed}},
		{"DISCONTINUITY-SEQUENCE steps without a tag", editAfter(func(m *m3u8.Media) { m.DiscontinuitySequence++ }), []Rule{Discontinuity}},
		{"decoding times leave a hole", shift(bad, 1), []Rule{Hole, Alignment}},
		{"decoding times overlap", shift(bad, -1), []Rule{Overlap, Alignment}},
		{"a part has another sample than its segment", func(f *fake) {
			f.fragment = func(p place, whole bool, g *cmaf.Fragment) {
				if p == (place{bad, 2}) && whole {
					g.Samples[3].Data[8] = 7
				}
			}
		}, []Rule{Parts}},
		{"a segment does not begin with a key", func(f *fake) {
			f.fragment = func(p place, _ bool, g *cmaf.Fragment) {
				if p == (place{bad, 0}) {
					g.Samples[0].Key = false
				}
			}
		}, []Rule{Key}},
		{"a sync sample is not an IDR picture", func(f *fake) {
			f.fragment = func(p place, _ bool, g *cmaf.Fragment) {
				if p == (place{bad, 0}) {
					g.Samples[0].Data[4] = 0x41
				}
			}
		}, []Rule{Key}},
		{"a part is independent and not marked", func(f *fake) {
			f.fragment = func(p place, _ bool, g *cmaf.Fragment) {
				if p == (place{bad, 3}) {
					g.Samples[0].Key, g.Samples[0].Data[4] = true, 0x65
				}
			}
		}, []Rule{Key}},
		{"EXTINF is not that of the samples", edit(func(m *m3u8.Media) { at(m, bad, func(s *m3u8.Segment) { s.Duration += 3 * time.Millisecond }) }), []Rule{Duration}},
		{"DURATION is not that of the samples", edit(func(m *m3u8.Media) {
			at(m, bad, func(s *m3u8.Segment) { editPart(s, 1, func(p *m3u8.Part) { p.Duration -= 2 * time.Millisecond }) })
		}), []Rule{Duration}},
		{"a segment is longer than the target", edit(func(m *m3u8.Media) { at(m, bad, func(s *m3u8.Segment) { s.Duration = 2600 * time.Millisecond }) }), []Rule{Duration, DateTime}},
		{"a part is listed longer than PART-TARGET", edit(func(m *m3u8.Media) {
			at(m, bad, func(s *m3u8.Segment) { editPart(s, 1, func(p *m3u8.Part) { p.Duration += time.Microsecond }) })
		}), []Rule{PartTarget}},
		{"a part's samples are longer than PART-TARGET", func(f *fake) {
			f.fragment = func(p place, _ bool, g *cmaf.Fragment) {
				if p == (place{bad, 5}) {
					g.Samples[7].Duration++
				}
			}
		}, []Rule{PartTarget, Overlap}},
		{"TARGETDURATION changes", editAfter(func(m *m3u8.Media) { m.TargetDuration = 3 }), []Rule{Constant}},
		{"PART-TARGET changes", editAfter(func(m *m3u8.Media) { m.PartTarget += time.Millisecond }), []Rule{Constant}},
		{"PART-HOLD-BACK changes", editAfter(func(m *m3u8.Media) { m.ServerControl.PartHoldBack += time.Millisecond }), []Rule{Constant}},
		{"HOLD-BACK is too short", edit(func(m *m3u8.Media) { m.ServerControl.HoldBack = 5760 * time.Millisecond }), []Rule{Constant}},
		{"a date is missing", edit(func(m *m3u8.Media) { at(m, bad, func(s *m3u8.Segment) { s.ProgramDateTime = time.Time{} }) }), []Rule{DateTime, Alignment}},
		{"dates jump", edit(func(m *m3u8.Media) {
			for msn := bad; msn < bad+watched; msn++ {
				at(m, msn, func(s *m3u8.Segment) { s.ProgramDateTime = s.ProgramDateTime.Add(time.Second) })
			}
		}), []Rule{DateTime, Alignment}},
		{"another part comes than was hinted", edit(func(m *m3u8.Media) { m.PreloadHints[0].URI = "next.m4s" }), []Rule{Hint}},
		{"a segment is cut off", func(f *fake) {
			f.serve = func(uri string, _ int, data []byte) []byte {
				if uri == "1007.m4s" {
					return data[:len(data)-20]
				}
				return data
			}
		}, []Rule{Media}},
		{"the init section is another file", func(f *fake) {
			f.serve = func(uri string, _ int, data []byte) []byte {
				if uri == "init.mp4" {
					return []byte("<html>")
				}
				return data
			}
		}, []Rule{Media}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			bad := newFake(t, codecs.Video)
			c.seed(bad)
			report := watchFakes(t, watched, newFake(t, codecs.Video), bad)

			require.Empty(t, report.Renditions[0].Faults)
			broken := slices.Collect(maps.Keys(report.Renditions[1].Faults))
			require.ElementsMatch(t, c.want, broken, report.String())
		})
	}
}

func TestDiscontinuityThatIsTaggedIsNoFault(t *testing.T) {
	jumps := func(f *fake) {
		f.fragment = func(p place, _ bool, g *cmaf.Fragment) {
			if p.msn >= bad {
				g.BaseTime += 90000
			}
		}
		f.edit = func(m *m3u8.Media, _ place) {
			if m.MediaSequence > bad {
				m.DiscontinuitySequence = 1
			}
			at(m, bad, func(s *m3u8.Segment) { s.Discontinuity = true })
		}
	}
	f := newFake(t, codecs.Video)
	jumps(f)
	report := watchFakes(t, watched, f)

	require.Zero(t, report.Total(), report.String())
	require.EqualValues(t, 1, report.Renditions[0].Discontinuities)
}

func TestGapsAreCountedAndNotFetched(t *testing.T) {
	f := newFake(t, codecs.Video)
	edit(func(m *m3u8.Media) {
		at(m, bad, func(s *m3u8.Segment) {
			for i := range s.Parts {
				editPart(s, i, func(p *m3u8.Part) { p.Gap = true })
			}
			s.Gap = s.URI != ""
		})
	})(f)
	report := watchFakes(t, watched, f)

	require.EqualValues(t, fakeParts+1, report.Renditions[0].Gaps)
	require.Zero(t, f.asked["1007.m4s"])
	require.Zero(t, report.Total(), report.String())
}

func TestTicksOfHolesAndOverlapsAreSummed(t *testing.T) {
	f := newFake(t, codecs.Video)
	f.fragment = func(p place, _ bool, g *cmaf.Fragment) {
		if p.msn == bad { // 7 late, and so the next 7 early
			g.BaseTime += 7
		}
	}
	report := watchFakes(t, watched, f)

	require.EqualValues(t, 7, report.Renditions[0].HoleTicks)
	require.EqualValues(t, 7, report.Renditions[0].OverlapTicks)
}

func TestAudioMustBeginWithTheFirstFrameAtOrAfterTheVideo(t *testing.T) {
	for _, c := range []struct {
		late  int64
		wrong bool
	}{{0, false}, {1000, false}, {1024, true}, {-100, true}} {
		audio := newFake(t, codecs.Audio)
		audio.fragment = func(_ place, _ bool, g *cmaf.Fragment) { g.BaseTime += uint64(c.late) }
		report := watchFakes(t, watched, newFake(t, codecs.Video), audio)
		require.Equal(t, c.wrong, report.Count(Alignment) > 0, "%d samples late", c.late)
	}
}

func TestRecordingKeepsTheNewestSegmentsWithinItsLimit(t *testing.T) {
	r := recorder{limit: 100}
	for msn := range int64(10) {
		r.add(Piece{Init: []byte("init"), MSN: msn, Data: make([]byte, 30)})
	}
	require.Len(t, r.pieces, 3)
	require.EqualValues(t, 7, r.pieces[0].MSN)
	require.Len(t, r.pieces.File(), len("init")+90)
	require.Empty(t, Recording(nil).File())
}

func TestReportIsATableAndJSON(t *testing.T) {
	f := newFake(t, codecs.Video)
	serveNothing("1007.m4s")(f)
	report := watchFakes(t, watched, newFake(t, codecs.Audio), f)

	lines := strings.Split(report.String(), "\n")
	require.Contains(t, lines[0], "MISSING")
	require.NotContains(t, lines[0], "OVERLAP")
	require.Contains(t, lines[3], "1007.m4s")
	data, err := json.Marshal(report)
	require.NoError(t, err)
	var back Report
	require.NoError(t, json.Unmarshal(data, &back))
	require.Equal(t, report, back)
}

// What follows seeds faults.

func at(m *m3u8.Media, msn int64, change func(*m3u8.Segment)) {
	if i := msn - m.MediaSequence; i >= 0 && i < int64(len(m.Segments)) {
		change(&m.Segments[i])
	}
}

func editPart(s *m3u8.Segment, i int, change func(*m3u8.Part)) {
	if i < len(s.Parts) {
		change(&s.Parts[i])
	}
}

func edit(change func(*m3u8.Media)) func(*fake) {
	return func(f *fake) { f.edit = func(m *m3u8.Media, _ place) { change(m) } }
}

// editAfter changes playlists once the bad segment was listed as it should be.
func editAfter(change func(*m3u8.Media)) func(*fake) {
	return func(f *fake) {
		f.edit = func(m *m3u8.Media, end place) {
			if end.msn > bad+1 {
				change(m)
			}
		}
	}
}

func rename(m *m3u8.Media, msn int64, uri string) {
	at(m, msn, func(s *m3u8.Segment) {
		if s.URI != "" {
			s.URI = uri
		}
	})
}

func serveNothing(name string) func(*fake) {
	return func(f *fake) {
		f.serve = func(uri string, _ int, data []byte) []byte {
			if uri == name {
				return nil
			}
			return data
		}
	}
}

func other(name string, f *fake, instead string) func(string, int, []byte) []byte {
	return func(uri string, _ int, data []byte) []byte {
		if uri == name {
			return f.data(instead)
		}
		return data
	}
}

func laterOther(name string, f *fake) func(string, int, []byte) []byte {
	return func(uri string, asked int, data []byte) []byte {
		if uri == name && asked > 1 {
			return append(bytes.Clone(data), f.data("1006.0.m4s")...)
		}
		return data
	}
}

// shift moves the decoding times of a segment and all later ones.
func shift(from, ticks int64) func(*fake) {
	return func(f *fake) {
		f.fragment = func(p place, _ bool, g *cmaf.Fragment) {
			if p.msn >= from {
				g.BaseTime += uint64(ticks)
			}
		}
	}
}

// jump leaves playlists out, as if the watcher had been kept from them: then the window has moved by more than it holds.
func jump(after int64) func(*m3u8.Media, place) *m3u8.Media {
	return func(m *m3u8.Media, end place) *m3u8.Media {
		if end.msn <= bad {
			return m
		}
		return newer(m, after)
	}
}

func newer(m *m3u8.Media, by int64) *m3u8.Media {
	f := &fake{kind: codecs.Video}
	return f.playlist(place{m.MediaSequence + int64(len(m.Segments)) + by, 0})
}

// renumber is an origin that begins anew with other numbers.
func renumber(by int64) func(*m3u8.Media, place) *m3u8.Media {
	return func(m *m3u8.Media, end place) *m3u8.Media {
		if end.msn == bad+1 {
			m.MediaSequence += by
		}
		return m
	}
}

// stale is a server that once answers with an old playlist.
func stale(m *m3u8.Media, end place) *m3u8.Media {
	if end != (place{bad, 3}) {
		return m
	}
	f := &fake{kind: codecs.Video}
	return f.playlist(place{bad, 1})
}
