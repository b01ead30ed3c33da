package overload_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline/overload"
	"github.com/venuecast/venuecast/pipeline/transcode"
)

func TestAThreefoldOverloadLeavesTheHighestPriorityWholeAndGoesAgain(t *testing.T) {
	for _, v := range []struct{ blind, fair bool }{{false, false}, {true, false}, {false, true}, {true, true}} {
		t.Run(fmt.Sprintf("blind=%v fair=%v", v.blind, v.fair), func(t *testing.T) {
			m := newMachine(720, feedOf("high", 2), feedOf("mid", 1), feedOf("a", 0), feedOf("b", 0), feedOf("c", 0), feedOf("d", 0))
			m.blind = v.blind
			if v.fair { // the kernel does not know of priorities
				for _, f := range m.feeds {
					f.weight = 1
				}
			}
			m.run(time.Minute)
			require.Empty(t, m.steps, "nothing is taken while all fits")

			m.capacity = 200
			m.run(3 * time.Minute)
			high := m.feed("high")
			require.False(t, high.lowered)
			require.Less(t, high.worst, 7*time.Second)
			require.Less(t, high.Lag, time.Second)
			for _, f := range m.feeds {
				require.Less(t, f.worst, 30*time.Second, f.ID)
				require.NotEqual(t, transcode.RateOff, m.c.Plan(f.ID)["360p"], f.ID)
			}
			require.Len(t, m.feeds, 6, "all fit when only small renditions are left")
			during := len(m.steps)
			t.Log(during, "decisions; worst of high", high.worst)
			require.Less(t, during, 25)

			m.capacity = 720
			m.run(10 * time.Minute)
			require.False(t, m.c.Degraded(), "%v", m.steps[during:])
			require.False(t, high.lowered)
		})
	}
}

func TestNothingFlapsWhileTheLoadStays(t *testing.T) {
	for _, blind := range []bool{false, true} {
		t.Run(fmt.Sprintf("blind=%v", blind), func(t *testing.T) {
			m := newMachine(150, feedOf("a", 0), feedOf("b", 0), feedOf("c", 0))
			m.blind = blind
			m.run(10 * time.Minute)
			before := len(m.steps)
			m.run(20 * time.Minute)
			changes := 0
			for _, d := range m.steps[before:] {
				changes += len(d.Changes)
				require.Empty(t, d.Release)
			}
			t.Log(before, "decisions at first,", changes, "changes in the next 20 minutes")
			most := 0
			if blind { // it tries, every five minutes at last
				most = 16
			}
			require.LessOrEqual(t, changes, most)
		})
	}
}

func TestAFeedIsGivenUpOnlyWhenNothingElseIsLeft(t *testing.T) {
	m := newMachine(120, feedOf("high", 1), feedOf("low", 0), feedOf("spare", 0))
	m.run(5 * time.Minute)
	require.NotNil(t, m.feed("high"))
	require.False(t, m.feed("high").lowered)
	require.Less(t, m.feed("high").Lag, time.Second)
	require.Len(t, m.feeds, 2)
	for i, d := range m.steps {
		if d.Release != "" {
			require.Equal(t, "low", d.Release)
			require.Positive(t, i)
		}
	}
}

func TestTheLastFeedStaysHoweverLate(t *testing.T) {
	m := newMachine(5, feedOf("only", 0))
	m.run(5 * time.Minute)
	require.Len(t, m.feeds, 1)
	require.Equal(t, transcode.Plan{
		"1080p": transcode.RateOff, "720p": transcode.RateOff, "480p": transcode.RateOff, "360p": transcode.RateHalf,
	}, m.c.Plan("only"))
}

func TestStepsAreTakenInOrder(t *testing.T) {
	c := overload.New(overload.Options{})
	feeds := []overload.Feed{feedOf("top", 5), feedOf("b", 0), feedOf("a", 0)}
	feeds[1].Renditions[1].Halves = false
	feeds[2].Renditions[0].Asleep = true
	var order []string
	l := overload.Look{At: start, Feeds: feeds, Busy: 1, Used: 1}
	for range 400 {
		l.At = l.At.Add(time.Second)
		for i := range l.Feeds {
			l.Feeds[i].Lag = l.At.Sub(start) * 3 / 100 // just too slow, so that steps come one by one
		}
		d := c.Look(l)
		for _, ch := range d.Changes {
			order = append(order, fmt.Sprint(ch.Feed, " ", ch.Rendition, " ", ch.To))
		}
		if d.Release != "" {
			order = append(order, "release "+d.Release)
			break
		}
	}
	require.Equal(t, []string{
		"b 1080p half", "a 720p half", "a 480p half", "b 480p half", "a 360p half", "b 360p half",
		"b 1080p off", "a 720p off", "b 720p off", "a 480p off", "b 480p off",
		"release a",
	}, order)
}

func TestASlowBusIsNotOverload(t *testing.T) {
	c := overload.New(overload.Options{})
	l := overload.Look{At: start, Feeds: []overload.Feed{feedOf("a", 0)}, Busy: 0.2, Used: 0.2}
	for range 300 {
		l.At = l.At.Add(time.Second)
		l.Feeds[0].Lag, l.Feeds[0].Idle = l.At.Sub(start), 0.9
		require.Empty(t, c.Look(l))
	}
}

func TestAnOriginThatIsAwayIsNotOverload(t *testing.T) {
	c := overload.New(overload.Options{})
	l := overload.Look{At: start, Feeds: []overload.Feed{feedOf("a", 0), feedOf("b", 0)}, Busy: 0.3, Used: 0.1}
	for range 300 {
		l.At = l.At.Add(time.Second)
		l.Feeds[0].Lag, l.Feeds[1].Lag = l.At.Sub(start), l.At.Sub(start)
		require.Empty(t, c.Look(l))
	}
}

func TestAFeedThatCatchesUpIsLeftAlone(t *testing.T) {
	c := overload.New(overload.Options{})
	l := overload.Look{At: start, Feeds: []overload.Feed{feedOf("a", 0)}, Busy: 1, Used: 1}
	for i := range 40 {
		l.At = l.At.Add(time.Second)
		l.Feeds[0].Lag = 20*time.Second - time.Duration(i)*500*time.Millisecond
		require.Empty(t, c.Look(l))
	}
}

func TestNothingComesBackWithoutRoom(t *testing.T) {
	m := newMachine(60, feedOf("a", 0))
	m.run(time.Minute)
	taken := len(m.steps)
	require.Positive(t, taken)
	m.run(10 * time.Minute)
	require.Len(t, m.steps, taken)
	m.capacity = 130
	m.run(3 * time.Minute)
	require.False(t, m.c.Degraded())
}

func TestWhatOthersUseIsTriedSeldom(t *testing.T) {
	m := newMachine(60, feedOf("a", 0))
	m.run(time.Minute)
	taken := len(m.steps)
	m.capacity, m.others = 300, 0.9
	m.run(30 * time.Second)
	require.LessOrEqual(t, len(m.steps), taken+1)
	m.run(6 * time.Minute)
	require.False(t, m.c.Degraded())
}

func TestWhoeverIsLessImportantIsNicer(t *testing.T) {
	for _, c := range []struct {
		priority int
		all      []int
		nice     int
	}{
		{0, []int{0, 0}, 0},
		{0, []int{0, 3, 3}, 5},
		{-7, []int{-7, 0, 3, 3}, 10},
		{-9, []int{-9, 1, 2, 3, 4, 5, 6}, 19},
		{9, []int{-9, 1}, 0},
	} {
		require.Equal(t, c.nice, overload.Nice(c.priority, c.all), c)
	}
}
