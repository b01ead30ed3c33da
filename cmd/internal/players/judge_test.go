package main

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// play records a player that is sampled for a time, whose position follows from that of the clock.
func play(length time.Duration, at func(float64) sample) *recorder {
	r := newRecorder()
	for t := sampleTime; t <= length; t += sampleTime {
		s := at(t.Seconds())
		s.at = r.began.Add(t)
		if s.decoded == 0 {
			s.decoded = int(1000 + pictureRate*s.position)
		}
		r.add(s)
	}
	return r
}

func steady(at float64) sample { return sample{position: at, height: 360} }

func taken(r *recorder, steps map[string]float64) (list []done) {
	for _, s := range []string{"play", "lowest", "highest", "back", "live", "cut", "kill"} {
		if at, ok := steps[s]; ok {
			list = append(list, done{s, r.began.Add(seconds(at))})
		}
	}
	return list
}

func TestAPlayerThatNeverStopsPlayedWell(t *testing.T) {
	r := play(time.Minute, steady)
	res := judge(&player{name: "p"}, "1", r, []int{360}, taken(r, map[string]float64{"play": 0, "kill": 40}))
	require.Empty(t, res.Failed)
	require.Empty(t, res.Rebuffers)
	require.InDelta(t, 0.5, res.Start, 0.01)
}

func TestRebuffersBelongToTheStepBefore(t *testing.T) {
	stands := func(from, length float64) func(float64) sample {
		return func(at float64) sample { return steady(at - min(max(at-from, 0), length)) }
	}
	for name, c := range map[string]struct {
		at     func(float64) sample
		step   string
		length float64
		join   bool
	}{
		"while joining":  {stands(3, 2), "play", 2, true},
		"in steady play": {stands(20, 1.5), "play", 1.5, false},
		"after the kill": {stands(41, 2.5), "kill", 2.5, false},
		"too short":      {stands(20, 0.25), "", 0, false},
		"until the end":  {stands(50, 60), "kill", 10, false},
		"half the speed": {func(at float64) sample { return steady(at - 0.7*min(max(at-20, 0), 2)) }, "play", 1.4, false},
		"frozen picture": {func(at float64) sample {
			s := steady(at)
			s.decoded = int(pictureRate * (at - min(max(at-20, 0), 3)))
			return s
		}, "play", 3, false},
		"catching up":     {func(at float64) sample { return steady(at * 1.1) }, "", 0, false},
		"in little steps": {func(at float64) sample { return steady(math.Floor(at*2) / 2) }, "", 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := play(time.Minute, c.at)
			res := judge(&player{}, "", r, []int{360}, taken(r, map[string]float64{"play": 0, "kill": 40}))
			list, other := res.Rebuffers, res.Join
			if c.join {
				list, other = other, list
			}
			require.Empty(t, other)
			if c.step == "" {
				require.Empty(t, list)
				return
			}
			require.Len(t, list, 1)
			require.Equal(t, c.step, list[0].Step)
			require.InDelta(t, c.length, list[0].Seconds, 0.3)
			require.Equal(t, c.join, len(res.Failed) == 0, "%v", res.Failed)
		})
	}
}

func TestStepsShow(t *testing.T) {
	obedient := func(at float64) sample {
		s := steady(at)
		if at > 11 && at < 21 {
			s.height = 180
		}
		if at > 30.5 && at < 40 {
			s.position -= 20
		}
		return s
	}
	steps := map[string]float64{"play": 0, "lowest": 10, "highest": 20, "back": 30, "live": 39.9}
	r := play(time.Minute, obedient)
	res := judge(&player{}, "", r, []int{180, 360}, taken(r, steps))
	require.Empty(t, res.Failed)
	require.Len(t, res.Steps, 4)
	require.InDelta(t, 1.25, res.Steps[0].Seconds, 0.01)

	r = play(time.Minute, steady)
	res = judge(&player{}, "", r, []int{180, 360}, taken(r, steps))
	require.Equal(t, []string{"step lowest did not show", "step back did not show"}, res.Failed)
}

func TestTheWaitAfterASeekIsNoRebuffer(t *testing.T) {
	for length, rebuffers := range map[float64]int{2: 0, 4: 1} {
		r := play(time.Minute, func(at float64) sample {
			if at <= 30 {
				return steady(at)
			}
			return steady(10 + max(at-30-length, 0))
		})
		res := judge(&player{}, "", r, []int{360}, taken(r, map[string]float64{"play": 0, "back": 30}))
		require.Len(t, res.Rebuffers, rebuffers, "%v s", length)
	}
}

func TestLatencyIsThatBeforeFaults(t *testing.T) {
	began := time.Now()
	r := play(time.Minute, func(at float64) sample {
		s := steady(at)
		s.captured = began.Add(seconds(at - 1.5))
		if at > 30 {
			s.captured = began.Add(seconds(at - 9))
		}
		return s
	})
	res := judge(&player{}, "", r, []int{360}, taken(r, map[string]float64{"play": 0, "cut": 30}))
	require.Equal(t, "picture", res.Latency.From)
	require.InDelta(t, 1.5, res.Latency.P95, 0.1)
	require.InDelta(t, 9, res.Latency.End, 0.1)
}

func TestWhatIsThePlayersOwnIsSaidButNotHeldAgainstUs(t *testing.T) {
	r := play(time.Minute, steady)
	r.trouble("known oddity", false)
	r.trouble("another", false)
	p := &player{own: []allowance{{pattern: regexp.MustCompile("^known"), why: "reported upstream"}}}
	res := judge(p, "", r, []int{360}, nil)
	require.Equal(t, []string{"known oddity (reported upstream)"}, res.PlayersOwn)
	require.Len(t, res.Failed, 1)

	r.trouble("known oddity", true)
	require.Len(t, judge(p, "", r, []int{360}, nil).Failed, 2, "a player that gives up is always held against us")
}

func TestARebufferThatIsThePlayersOwnMayLastSoLong(t *testing.T) {
	for _, c := range []struct {
		most   float64
		failed int
	}{{0, 0}, {1, 0}, {0.5, 1}} {
		own := []allowance{{pattern: regexp.MustCompile("^rebuffer highest$"), why: "its way to switch", most: c.most}}
		r := &result{Rebuffers: []rebuffer{{Seconds: 0.8, Step: "highest"}}}
		r.blame(own)
		require.Len(t, r.Failed, c.failed, "%v s at most", c.most)
		require.Len(t, r.PlayersOwn, 1-c.failed)
	}
}

func TestRebuffersAreAPlayersOwnOnlyForSoLong(t *testing.T) {
	for _, p := range players(options{}) {
		for _, s := range steps {
			require.Empty(t, allowed(p.own, "rebuffer "+s.name, 3), "%s, %s", p.name, s.name)
			if slices.Contains([]string{"hls.js", "firefox", "webkit", "shaka", "shaka-ll", "ffmpeg", "gstreamer", "vlc"}, p.name) {
				require.Empty(t, allowed(p.own, "rebuffer "+s.name, leastRebuffer.Seconds()), "%s, %s", p.name, s.name)
			}
		}
	}
}

func TestAPlayerWithoutAPictureFails(t *testing.T) {
	r := play(time.Minute, func(float64) sample { return sample{decoded: 1} })
	require.Equal(t, []string{"no picture"}, judge(&player{}, "", r, []int{360}, nil).Failed)
}

func TestVLCsPicturesAreReadAtAnySize(t *testing.T) {
	var stream bytes.Buffer
	for _, size := range []struct{ w, h int }{{320, 180}, {640, 360}} {
		fmt.Fprintf(&stream, "YUV4MPEG2 W%d H%d F25:1\n", size.w, size.h)
		for range 2 {
			stream.WriteString("FRAME\n")
			stream.Write(make([]byte, size.w*size.h*3/2))
		}
	}
	s := &screen{}
	require.NoError(t, s.takeY4M(&stream))
	require.Equal(t, 4, s.last.Load().decoded)
	require.Equal(t, 360, s.last.Load().height)
}

func FuzzY4MHeaderNeverGivesAnAbsurdSize(f *testing.F) {
	for _, s := range []string{"YUV4MPEG2 W320 H180 F25:1\n", "I420 W320 H180", "W-1 H3", "W99999999999999999999 H1", "", "W H"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		w, h, err := y4mSize(header)
		if err == nil {
			require.True(t, w > 0 && h > 0 && w*h <= 8192*8192)
		}
	})
}

func TestCommandsAreTakenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		r.command("lowest")
		r.command("back")
		<-r.wake
		require.Equal(t, []string{"lowest", "back"}, r.commands())
		require.Empty(t, r.commands())
	})
}
