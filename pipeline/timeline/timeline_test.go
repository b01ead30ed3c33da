package timeline_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/timeline"
)

// TestQuirksAreRepairedAndCounted plays a minute of a 25 fps camera with one quirk each, from unit 500 on.
func TestQuirksAreRepairedAndCounted(t *testing.T) {
	const at = 500
	plain := video(1500)
	from := func(first int, change func(i int, u *unit)) func([]unit) []unit {
		return func(units []unit) []unit {
			for i := first; i < len(units); i++ {
				change(i, &units[i])
			}
			return units
		}
	}
	shift := func(by time.Duration) func([]unit) []unit {
		return from(at, func(_ int, u *unit) { u.rtp += uint32(codecs.TicksIn(by)) })
	}
	for _, c := range []struct {
		name    string
		source  source
		quirk   func([]unit) []unit
		repairs counts
		off     time.Duration // PTS against the truth, at most
		lost    uint64        // frames doubled or skipped, at most
	}{
		{"none", plain, nil, counts{}, 11 * time.Millisecond, 0},
		{
			"RTP time wraps",
			source{rate: 90000, period: 1.0 / 25, first: 1<<32 - 90000, delay: milli, units: 1500},
			nil,
			counts{timeline.Wrap: 1},
			2 * time.Millisecond, 0,
		},
		{"jump ahead by seconds", plain, shift(3 * time.Second), counts{timeline.Jump: 2, timeline.Reset: 1}, 11 * time.Millisecond, 0},
		{"jump back by seconds", plain, shift(-3 * time.Second), counts{timeline.Reorder: 2, timeline.Reset: 1}, 11 * time.Millisecond, 0},
		{"jump ahead by hours", plain, shift(5 * time.Hour), counts{timeline.Jump: 2, timeline.Reset: 1}, 11 * time.Millisecond, 0},
		{"jump back by hours", plain, shift(-5 * time.Hour), counts{timeline.Jump: 2, timeline.Reset: 1}, 11 * time.Millisecond, 0},
		{
			"RTP time starts from 0", plain, from(at, func(i int, u *unit) { u.rtp = uint32(i-at) * 3600 }),
			counts{timeline.Jump: 2, timeline.Reset: 1},
			11 * time.Millisecond, 0,
		},
		{"one frame hours off every two seconds", plain, from(at, func(i int, u *unit) {
			if i%100 == 0 {
				u.rtp -= 9800 * 90000
			} else if i%50 == 0 {
				u.rtp += 37600 * 90000 % (1 << 32)
			}
		}), counts{timeline.Jump: 20}, 11 * time.Millisecond, 0},
		{"a timestamp repeated", plain, from(at, func(i int, u *unit) {
			if i == at {
				u.rtp -= 3600
			}
		}), counts{timeline.Repeat: 1}, 31 * time.Millisecond, 2},
		{"a frame seconds late", plain, from(at, func(i int, u *unit) {
			if i == at {
				u.rtp -= 2 * 90000
			}
		}), counts{timeline.Reorder: 1}, 11 * time.Millisecond, 0},
		{"the source is silent for ten seconds", plain, func(units []unit) []unit {
			return append(units[:at], units[at+250:]...)
		}, counts{timeline.Gap: 1}, 11 * time.Millisecond, 249 + 1},
		{
			"the RTP clock stands for ten seconds", plain, from(at, func(_ int, u *unit) { u.captured += 10 * second; u.arrival += 10 * second }),
			counts{timeline.Gap: 1},
			11 * time.Millisecond, 250,
		},
		{"the network stalls for eight seconds", plain, func(units []unit) []unit {
			return inOrder(from(at, func(i int, u *unit) {
				if i < at+200 {
					u.arrival = units[at+200].arrival
				}
			})(units))
		}, counts{timeline.Gap: 1}, 8100 * time.Millisecond, 201 + 201},
		{
			"the RTP clock stands for two seconds", plain, from(at, func(_ int, u *unit) { u.captured += 2 * second; u.arrival += 2 * second }),
			counts{timeline.Drift: 1},
			2 * time.Second, 50,
		},
		{
			"400 ppm fast",
			source{rate: 90000, period: 1.0 / 25, ppm: 400, delay: 10 * milli, units: 1500},
			nil,
			counts{},
			15 * time.Millisecond, 1,
		},
		{
			"400 ppm slow",
			source{rate: 90000, period: 1.0 / 25, ppm: -400, delay: 10 * milli, units: 1500},
			nil,
			counts{},
			15 * time.Millisecond, 1,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			units := c.source.play(start, noise())
			if c.quirk != nil {
				units = c.quirk(units)
			}
			repairs := counts{}
			got := stampAll(timeline.New(timeline.Options{Repaired: repairs.count}).Session(tracks), units)

			require.Len(t, got, len(units), "video is never dropped")
			require.Equal(t, c.repairs, repairs)
			snapper := timeline.NewSnapper(grid25)
			for i, u := range got {
				require.LessOrEqual(t, u.off().Abs(), c.off, "unit %d", i)
				snapper.Snap(u.pts)
			}
			stats := snapper.Stats()
			require.LessOrEqual(t, stats.Doubled+stats.Skipped, c.lost, "%+v", stats)
		})
	}
}

func TestArrivalJitterNeitherDoublesNorSkipsFrames(t *testing.T) {
	for _, c := range []struct {
		name   string
		jitter codecs.Ticks
		stalls codecs.Ticks
	}{
		{"±60 ms with stalls of 300 ms", 60 * milli, 300 * milli},
		{"Wi-Fi bursts of 200 ms", 5 * milli, 200 * milli},
		{"none", 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := video(25 * 600)
			s.jitter = c.jitter
			r := noise()
			units := s.play(start+7*milli, r)
			for i := range units {
				if r.IntN(250) == 0 {
					units[i].arrival += c.stalls
				}
			}
			units = inOrder(units)
			got := stampAll(timeline.New(timeline.Options{}).Session(tracks), units)

			settled := got[50:]
			snapper := timeline.NewSnapper(grid25)
			first := snapper.Snap(settled[0].pts)
			for i, u := range settled {
				require.Less(t, u.off().Abs(), 50*time.Millisecond)
				if i > 0 {
					require.Equal(t, first+int64(i), snapper.Snap(u.pts), "unit %d", i)
				}
			}
			require.Zero(t, snapper.Stats())
		})
	}
}

func TestGroupOfPicturesSentAtOnceDoesNotDelayTheTimeline(t *testing.T) {
	units := video(500).play(start-4*second, noise())
	for i := range units {
		units[i].arrival = max(units[i].arrival, start+codecs.Ticks(i)*milli)
	}
	got := stampAll(timeline.New(timeline.Options{}).Session(tracks), units)
	for i, u := range got {
		require.LessOrEqual(t, u.pts, u.arrival, "unit %d: nothing is shown before it came", i)
		if u.captured > start+second {
			require.InDelta(t, 0, u.off().Milliseconds(), 11)
		}
	}
}

func TestTimelineGoesOnInUTCAfterAReconnect(t *testing.T) {
	for _, c := range []struct {
		name  string
		pause codecs.Ticks // from the last capture to the first of the new session
		off   time.Duration
	}{
		{"after a pause", 30 * second, 11 * time.Millisecond},
		{"at once", second / 25, 11 * time.Millisecond},
		{"with pictures that came before", -2 * second, 2100 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			line := timeline.New(timeline.Options{})
			before := stampAll(line.Session(tracks), merge(video(250).play(start, noise()), audio(468).play(start, noise())))
			last := before[len(before)-1]

			v, a := video(250), audio(468)
			v.first, a.first = 0, 0 // the camera has restarted its clocks
			again := merge(v.play(last.captured+c.pause, noise()), a.play(last.captured+c.pause, noise()))
			for i := range again {
				again[i].arrival = max(again[i].arrival, last.arrival+codecs.Ticks(i))
			}
			after := stampAll(line.Session(tracks), again)
			for track := range tracks {
				end := only(track, before)
				for _, u := range only(track, after) {
					require.Greater(t, u.pts, end[len(end)-1].pts)
					require.LessOrEqual(t, u.off().Abs(), c.off)
				}
			}
			final := after[len(after)-1]
			require.LessOrEqual(t, final.off().Abs(), 11*time.Millisecond)
		})
	}
}

func TestBPicturesAreLeftInTheirOrder(t *testing.T) {
	repairs := counts{}
	units := video(1000).play(start, noise())
	var coded []unit // each P-picture comes before the two B-pictures that are shown before it
	for i := 0; i+4 <= len(units); i += 3 {
		for j, k := range []int{i + 3, i + 1, i + 2} {
			u := units[k]
			u.arrival = units[i+j].arrival + 120*milli
			coded = append(coded, u)
		}
	}
	got := stampAll(timeline.New(timeline.Options{Repaired: repairs.count}).Session(tracks), coded)
	require.Empty(t, repairs)

	snapper := timeline.NewSnapper(grid25)
	seen := map[int64]bool{}
	for i, u := range got {
		frame := snapper.Snap(u.pts)
		require.False(t, seen[frame], "unit %d", i)
		seen[frame] = true
		require.InDelta(t, got[0].off().Seconds(), u.off().Seconds(), 1e-4, "all units keep their distance to each other")
	}
	require.Equal(t, timeline.SnapStats{}, snapper.Stats())
}

func TestNothingIsStampedBeforeWhatTheFeedHas(t *testing.T) {
	floor := start + 400*milli
	line := timeline.New(timeline.Options{NotBefore: floor})
	for _, u := range stampAll(line.Session(tracks), merge(video(50).play(start, noise()), audio(90).play(start, noise()))) {
		require.Greater(t, u.pts, floor)
	}
}

func TestClockFarFromRateIsFollowedByRepairs(t *testing.T) {
	s := video(25 * 1800)
	for _, ppm := range []float64{-3000, 3000} {
		s.ppm = ppm
		repairs := counts{}
		for _, u := range stampAll(timeline.New(timeline.Options{Repaired: repairs.count}).Session(tracks), s.play(start, noise())) {
			require.LessOrEqual(t, u.off().Abs(), 1200*time.Millisecond)
		}
		require.Positive(t, repairs[timeline.Drift])
	}
}

func TestPictureGoesOnWhenTheHostsClockIsSetBack(t *testing.T) {
	units := video(1000).play(start, noise())
	for i := 500; i < len(units); i++ {
		units[i].arrival -= 3600 * second
	}
	got := stampAll(timeline.New(timeline.Options{}).Session(tracks), units)
	for i := 1; i < len(got); i++ {
		require.Greater(t, got[i].pts, got[i-1].pts)
		require.Less(t, got[i].off().Abs(), time.Second)
	}
}

func TestUnknownTrackHasNoPlace(t *testing.T) {
	s := timeline.New(timeline.Options{}).Session(tracks)
	for _, i := range []int{-1, 2} {
		_, ok := s.Stamp(i, 0, start, 0)
		require.False(t, ok)
	}
}
