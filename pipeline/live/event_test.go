package live_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs/m3u8"
	"github.com/venuecast/venuecast/pipeline/live"
)

func (b *bench) event(d m3u8.DateRange) live.Event {
	e, err := b.feed.AddEvent(d)
	require.NoError(b, err)
	return e
}

func (b *bench) dates(rendition string, mode live.Mode) (ids, removed []string) {
	p, err := m3u8.ParseMedia([]byte(b.playlist(rendition, mode)))
	require.NoError(b, err)
	for _, d := range p.DateRanges {
		ids = append(ids, d.ID)
	}
	if p.Skip != nil {
		removed = p.Skip.RemovedDateRanges
	}
	return ids, removed
}

func TestEventsLeaveThePlaylistWithTheirTime(t *testing.T) {
	b := newBench(t, live.Options{})
	b.segments(firstMSN, firstMSN+3)
	b.event(m3u8.DateRange{ID: "short", StartDate: start.Add(step)})
	b.event(m3u8.DateRange{ID: "long", StartDate: start.Add(step), Duration: 4 * step})
	b.event(m3u8.DateRange{ID: "later", StartDate: start.Add(time.Hour)})
	list := func(msn int64) []string {
		b.segments(b.feed.State()["540p"].MSN, msn)
		ids, _ := b.dates("540p", live.Full)
		return ids
	}
	require.Equal(t, []string{"short", "long", "later"}, list(firstMSN+9), "the window of 8 segments begins with the short one")
	require.Equal(t, []string{"long", "later"}, list(firstMSN+10))
	require.Equal(t, []string{"long", "later"}, list(firstMSN+13))
	require.Equal(t, []string{"later"}, list(firstMSN+14))
	require.Len(t, b.feed.Events(), 3, "a delta update has still to tell")
	list(firstMSN + 40)
	require.Len(t, b.feed.Events(), 1)
}

func TestDeltaUpdatesSkipWhatClientsHave(t *testing.T) {
	b := newBench(t, live.Options{})
	b.segments(firstMSN, firstMSN+10)
	b.event(m3u8.DateRange{ID: "a", StartDate: start.Add(4 * step), Duration: time.Second})
	b.event(m3u8.DateRange{ID: "b", StartDate: start.Add(time.Hour)})
	ids, removed := b.dates("540p", live.DeltaDates)
	require.Equal(t, []string{"a", "b"}, ids)
	require.Equal(t, []string{}, removed)

	b.segments(firstMSN+10, firstMSN+17) // 13.4 s later: the first segment listed is 1009
	b.event(m3u8.DateRange{ID: "c", StartDate: start.Add(2 * time.Hour)})
	ids, removed = b.dates("540p", live.DeltaDates)
	require.Equal(t, []string{"c"}, ids)
	require.Equal(t, []string{"a"}, removed)
	ids, removed = b.dates("540p", live.Delta)
	require.Equal(t, []string{"b", "c"}, ids, "_HLS_skip=YES skips no date ranges")
	require.Nil(t, removed)
	require.Contains(t, b.playlist("540p", live.DeltaDates), "#EXT-X-VERSION:10\n")

	b.segments(firstMSN+17, firstMSN+30)
	_, removed = b.dates("540p", live.DeltaDates)
	require.Empty(t, removed, "it was long ago")
}

func TestAnEventNeverChanges(t *testing.T) {
	b := newBench(t, live.Options{})
	b.segments(firstMSN, firstMSN+3)
	first := b.event(m3u8.DateRange{StartDate: start, Class: "goal"})
	require.NotEmpty(t, first.ID)
	require.Equal(t, first.ID, b.event(m3u8.DateRange{StartDate: start, Class: "goal"}).ID, "sent again")
	require.Equal(t, first.ID, b.event(m3u8.DateRange{ID: first.ID, StartDate: start, Class: "goal"}).ID)
	require.Len(t, b.feed.Events(), 1)

	_, err := b.feed.AddEvent(m3u8.DateRange{ID: first.ID, StartDate: start, Class: "foul"})
	require.ErrorIs(t, err, live.ErrConflict)
	_, err = b.feed.AddEvent(m3u8.DateRange{ID: first.ID, StartDate: start.Add(time.Second)})
	require.ErrorIs(t, err, live.ErrConflict)
	b.event(m3u8.DateRange{ID: first.ID, StartDate: start, Duration: time.Second})
	ids, _ := b.dates("sound", live.Full)
	require.Equal(t, []string{first.ID, first.ID}, ids, "attributes may be added")
	require.Contains(t, b.playlist("540p", live.Full), first.ID)
}

func TestEventsAreBounded(t *testing.T) {
	b := newBench(t, live.Options{})
	b.segments(firstMSN, firstMSN+3)
	for i := range 1000 {
		b.event(m3u8.DateRange{ID: fmt.Sprint(i), StartDate: start.Add(time.Hour)})
	}
	_, err := b.feed.AddEvent(m3u8.DateRange{ID: "one more", StartDate: start})
	require.ErrorIs(t, err, live.ErrTooManyEvents)
}

func TestEventsOutliveARestart(t *testing.T) {
	store := &shelf{files: map[string][]byte{}}
	withStore(t, live.Options{Store: store}, 40*time.Second, func(b *bench) {
		b.settled(firstMSN, firstMSN+4)
		b.event(m3u8.DateRange{ID: "goal", StartDate: start.Add(step), Client: []m3u8.Attribute{{Name: "X-TEAM", Value: "Lions"}}})
		b.event(m3u8.DateRange{ID: "half time", StartDate: start.Add(time.Hour)})
		synctest.Wait()
	})
	withStore(t, live.Options{Store: store}, 40*time.Second, func(b *bench) {
		require.Len(b, b.feed.Events(), 2)
		require.Contains(b, b.dvr("sound", live.Plain), `X-TEAM="Lions"`)
		b.settled(firstMSN+4, firstMSN+60)
		require.Len(b, b.feed.Events(), 1)
		names := 0
		for name := range store.files {
			if strings.HasPrefix(name, "hall/events/") {
				names++
			}
		}
		require.Equal(b, 1, names)
	})
}
