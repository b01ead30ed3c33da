package timeline_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/timeline"
)

// lipSync returns by how much audio is ahead of video, at most, among the units from the given time on.
func lipSync(units []stamped, from codecs.Ticks) (worst time.Duration) {
	var video time.Duration
	for _, u := range units {
		switch {
		case u.track == 0:
			video = u.off()
		case u.captured >= from:
			if d := video - u.off(); d.Abs() > worst.Abs() {
				worst = d
			}
		}
	}
	return worst
}

// report gives units the capture time that their sender reports, one every five seconds, tell.
func report(units []unit, clock func(codecs.Ticks) codecs.Ticks) []unit {
	var wrong codecs.Ticks
	next := units[0].captured
	for i, u := range units {
		if u.captured >= next {
			wrong, next = clock(u.captured)-u.captured, next+5*second
		}
		units[i].ntp = u.captured + wrong
	}
	return units
}

func TestSlowAudioClockKeepsLipSyncForHalfAnHour(t *testing.T) {
	const minutes = 30
	for _, reports := range []bool{false, true} {
		v, a := video(25*60*minutes), audio(48000*60*minutes/1024)
		a.ppm = -200
		v.jitter, a.jitter = 20*milli, 20*milli
		vu, au := v.play(start, noise()), a.play(start, noise())
		if reports {
			exact := func(t codecs.Ticks) codecs.Ticks { return t }
			vu, au = report(vu, exact), report(au, exact)
		}
		got := stampAll(timeline.New(timeline.Options{}).Session(tracks), merge(vu, au))
		require.LessOrEqual(t, lipSync(got, start).Abs(), 40*time.Millisecond, "with reports: %v", reports)
		require.Len(t, got, len(vu)+len(au))
	}
}

// TestSenderReportsAreAHint plays a camera whose video comes 80 ms later than its audio of the same moment.
func TestSenderReportsAreAHint(t *testing.T) {
	const hour = 3600 * second
	exact := func(t codecs.Ticks) codecs.Ticks { return t }
	since := func(by, from codecs.Ticks) func(codecs.Ticks) codecs.Ticks {
		return func(t codecs.Ticks) codecs.Ticks {
			if t >= start+from {
				return t + by
			}
			return t
		}
	}
	for _, c := range []struct {
		name         string
		video, audio func(codecs.Ticks) codecs.Ticks
		off          time.Duration // audio against video, at most, after the first second
	}{
		{"missing", nil, nil, 81 * time.Millisecond},
		{"of video only", exact, nil, 81 * time.Millisecond},
		{"right", exact, exact, time.Millisecond},
		{"of a camera that believes it is 1970", since(-start, 0), since(-start, 0), time.Millisecond},
		{"an hour apart", since(hour, 0), exact, 81 * time.Millisecond},
		{"stepped by an hour", since(hour, 60*second), since(hour, 62*second), time.Millisecond},
		{"stepped back by an hour", since(-hour, 62*second), since(-hour, 60*second), time.Millisecond},
		{"stepped by half a second", since(second/2, 60*second), since(second/2, 64*second), time.Millisecond},
		{"stepped by 60 ms for good, on one track", since(60*milli, 60*second), exact, 61 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, a := video(25*300), audio(48000*300/1024)
			v.delay += 80 * milli
			vu, au := v.play(start, noise()), a.play(start, noise())
			if c.video != nil {
				vu = report(vu, c.video)
			}
			if c.audio != nil {
				au = report(au, c.audio)
			}
			repairs := counts{}
			got := stampAll(timeline.New(timeline.Options{Repaired: repairs.count}).Session(tracks), merge(vu, au))
			require.LessOrEqual(t, lipSync(got, start+second).Abs(), c.off)
			require.Empty(t, repairs)
		})
	}
}

// TestTheFirstReportsAreFollowedAtOnceAndBySoundOnly plays cameras whose first sender reports come after five seconds.
func TestTheFirstReportsAreFollowedAtOnceAndBySoundOnly(t *testing.T) {
	exact := func(t codecs.Ticks) codecs.Ticks { return t }
	silent := func(units []unit) []unit {
		for i, u := range units {
			if u.captured < start+5*second {
				units[i].ntp = 0
			}
		}
		return units
	}
	for name, delay := range map[string][2]codecs.Ticks{
		"sound comes later":   {10 * milli, 70 * milli},
		"pictures come later": {150 * milli, 10 * milli},
	} {
		t.Run(name, func(t *testing.T) {
			v, a := video(25*60), audio(48000*60/1024)
			v.delay, a.delay = delay[0], delay[1]
			vu, au := silent(report(v.play(start, noise()), exact)), silent(report(a.play(start, noise()), exact))
			got := stampAll(timeline.New(timeline.Options{}).Session(tracks), merge(vu, au))
			require.LessOrEqual(t, lipSync(got, start+6*second).Abs(), time.Millisecond)
			var last codecs.Ticks
			for _, u := range got {
				if u.track == 0 && last > 0 {
					require.InDelta(t, int64(40*milli), int64(u.pts-last), 100, "pictures keep their time")
				}
				if u.track == 0 {
					last = u.pts
				}
			}
		})
	}
}
