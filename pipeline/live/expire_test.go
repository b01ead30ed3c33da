package live_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline/live"
)

func TestAFeedThatHasStoppedForLongIsForgotten(t *testing.T) {
	store := &shelf{files: map[string][]byte{}}
	withStore(t, live.Options{Store: store, Keep: time.Hour}, 96*time.Second, func(b *bench) {
		b.settled(firstMSN, firstMSN+12)
		old := b.feed
		pass := func(d time.Duration) {
			b.mu.Lock()
			b.now = b.now.Add(d)
			b.mu.Unlock()
			time.Sleep(2 * time.Minute) // of the ticker's time, which is not that of the media
			synctest.Wait()
		}
		pass(59 * time.Minute)
		require.NotNil(b, b.feeds.Feed("hall"))
		pass(2 * time.Minute)
		require.Nil(b, b.feeds.Feed("hall"))
		require.Empty(b, store.files)
		_, err := old.Rendition("540p").Snapshot().Segment(firstMSN)
		require.ErrorIs(b, err, live.ErrGone)

		b.claim(dvrFeed(96 * time.Second))
		b.settled(firstMSN+2000, firstMSN+2002)
		require.NotSame(b, old, b.feed)
		require.EqualValues(b, 2, requireReadable(b.T, b.dvr("540p", live.Plain)).Count())
	})
}

// slowShelf is a store in which something happens, once, before it is listed or something of 540p is removed.
type slowShelf struct {
	shelf
	beforeList, beforeRemove func()
}

func (s *slowShelf) List(prefix string) ([]live.Object, error) {
	once(&s.beforeList)
	return s.shelf.List(prefix)
}

func (s *slowShelf) Remove(name string) error {
	if strings.Contains(name, "/540p/") {
		once(&s.beforeRemove)
	}
	return s.shelf.Remove(name)
}

func once(f *func()) {
	if do := *f; do != nil {
		*f = nil
		do()
	}
}

func TestWhatComesWhileAFeedIsForgottenStays(t *testing.T) {
	for name, when := range map[string]func(*slowShelf, func()){
		"before it is gone":      func(s *slowShelf, meanwhile func()) { s.beforeList = meanwhile },
		"while it is cleared up": func(s *slowShelf, meanwhile func()) { s.beforeRemove = meanwhile },
	} {
		t.Run(name, func(t *testing.T) {
			store := &slowShelf{shelf: shelf{files: map[string][]byte{}}}
			withStore(t, live.Options{Store: store, Keep: time.Hour}, 96*time.Second, func(b *bench) {
				b.settled(firstMSN, firstMSN+12)
				when(store, func() {
					b.claim(dvrFeed(96 * time.Second))
					b.segments(firstMSN+2000, firstMSN+2002)
					time.Sleep(time.Second) // until they are stored, if they can be
				})
				b.mu.Lock()
				b.now = b.now.Add(2 * time.Hour)
				b.mu.Unlock()
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				b.feed = b.feeds.Feed("hall")
				require.NotNil(b, b.feed)
				b.settled(firstMSN+2002, firstMSN+2020)
				_, err := b.read("540p", firstMSN+2001)
				require.NoError(b, err)

				started := live.New(live.Options{Store: store})
				require.NoError(b, started.Restore())
				require.NotNil(b, started.Feed("hall"), "its session is there")
				media, err := started.Feed("hall").Rendition("540p").Snapshot().Segment(firstMSN + 2001)
				require.NoError(b, err, "its init section is there")
				require.NoError(b, media.Close())
			})
		})
	}
}

// The clocks of a venue need not agree: an ingest without NTP has begun the feed's timeline days ago.
func TestAFeedThatIsWrittenIsNotForgottenWhateverTheTimeOfItsMedia(t *testing.T) {
	withStore(t, live.Options{Store: &shelf{files: map[string][]byte{}}, Keep: time.Hour}, 96*time.Second, func(b *bench) {
		b.mu.Lock()
		b.now = b.now.Add(48 * time.Hour)
		b.mu.Unlock()
		for i := range 6 {
			require.NoError(b, b.feed.PutPart(1, newPart("540p", firstMSN, i)))
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		require.NotNil(b, b.feeds.Feed("hall"))
		_, err := b.read("540p", firstMSN)
		require.NoError(b, err)
	})
}

func TestASmallNumberIsASegmentAsAnyOther(t *testing.T) {
	withStore(t, live.Options{Store: &shelf{files: map[string][]byte{}}}, 10*time.Minute, func(b *bench) {
		b.settled(1, 30)
		require.EqualValues(b, 29, requireReadable(b.T, b.dvr("540p", live.Plain)).Count())
	})
}
