package live_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/live"
)

// shelf is a store in memory.
type shelf struct {
	mu    sync.Mutex
	files map[string][]byte
	full  bool
	fails error // of Open
}

var errFull = errors.New("no space left")

func (s *shelf) List(prefix string) ([]live.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var objects []live.Object
	for name, data := range s.files {
		if strings.HasPrefix(name, prefix) {
			objects = append(objects, live.Object{Name: name, Size: int64(len(data))})
		}
	}
	return objects, nil
}

func (s *shelf) Put(name string, pieces ...[]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full {
		return errFull
	}
	s.files[name] = bytes.Join(pieces, nil)
	return nil
}

func (s *shelf) Open(name string) (live.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails != nil {
		return nil, s.fails
	}
	data, ok := s.files[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return book{bytes.NewReader(data)}, nil
}

func (s *shelf) Remove(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.files, name)
	return nil
}

func (s *shelf) setFull(full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.full = full
}

func (s *shelf) setBroken(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails = err
}

func (s *shelf) size() (bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, data := range s.files {
		bytes += len(data)
	}
	return bytes
}

type book struct{ *bytes.Reader }

func (book) Close() error { return nil }

func dvrFeed(dvr time.Duration) pipeline.Feed {
	feed := testFeed()
	feed.Ladder.DVR = dvr
	return feed
}

// withStore runs a test with a bench whose store is being filled.
func withStore(t *testing.T, opts live.Options, dvr time.Duration, test func(b *bench)) {
	t.Helper()
	withInits(t, opts, dvr, nil, test)
}

func withInits(t *testing.T, opts live.Options, dvr time.Duration, inits map[string]string, test func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t, epoch: 1, now: start, inits: inits}
		opts.Now, opts.Window = b.clock, cmp.Or(opts.Window, 15*time.Second)
		b.feeds = live.New(opts)
		ended := make(chan error)
		go func() { ended <- b.feeds.Run(t.Context()) }()
		t.Cleanup(func() { require.ErrorIs(t, <-ended, context.Canceled) })
		b.claim(dvrFeed(dvr))
		test(b)
		synctest.Wait()
	})
}

// settled puts segments one by one, letting the store catch up.
func (b *bench) settled(from, to int64) {
	for msn := from; msn < to; msn++ {
		b.segments(msn, msn+1)
		synctest.Wait()
	}
}

func (b *bench) read(rendition string, msn int64) (string, error) {
	media, err := b.feed.Rendition(rendition).Snapshot().Segment(msn)
	if err != nil {
		return "", err
	}
	defer media.Close()
	data, err := io.ReadAll(media)
	return string(data), err
}

func TestASegmentThatCanNotBeReadNowIsNotSaidToBeGone(t *testing.T) {
	store := &shelf{files: map[string][]byte{}}
	withStore(t, live.Options{Store: store}, 96*time.Second, func(b *bench) {
		b.settled(firstMSN, firstMSN+20)
		store.setBroken(errors.New("too many open files"))
		_, err := b.read("540p", firstMSN)
		require.ErrorContains(b, err, "too many open files")
		require.NotErrorIs(b, err, live.ErrGone)
		store.setBroken(nil)
		_, err = b.read("540p", firstMSN)
		require.NoError(b, err)
	})
}

func TestAnInitSectionThatFoundTheStoreFullIsStoredWithASegment(t *testing.T) {
	store := &shelf{files: map[string][]byte{}, full: true}
	withStore(t, live.Options{Store: store}, 96*time.Second, func(b *bench) {
		synctest.Wait()
		store.setFull(false)
		b.settled(firstMSN, firstMSN+3)
		started := live.New(live.Options{Store: store})
		_, err := started.Claim(pipeline.Session{Feed: dvrFeed(96 * time.Second), Epoch: 2})
		require.NoError(b, err)
		for _, r := range started.Feed("hall").Renditions() {
			media, err := r.Snapshot().Segment(firstMSN + 1)
			require.NoError(b, err)
			require.NoError(b, media.Close())
		}
	})
}

func TestTheStoreLengthensThePlaylist(t *testing.T) {
	store := &shelf{files: map[string][]byte{}}
	withStore(t, live.Options{Store: store}, 96*time.Second, func(b *bench) {
		b.settled(firstMSN, firstMSN+80)
		p := requireReadable(b.T, b.dvr("540p", live.Full))
		require.EqualValues(b, 50, p.Count())
		require.EqualValues(b, firstMSN+30, p.SeqNo)
		text, err := b.read("540p", firstMSN+30)
		require.NoError(b, err)
		require.Contains(b, text, fmt.Sprintf("540p %d.5;", firstMSN+30))
		objects, err := store.List("")
		require.NoError(b, err)
		require.Len(b, objects, 3*(50+8)+3+1, "segments, init sections and the session: what has been removed from the playlist for long is removed from the store")
	})
}

func TestARestartGoesOnFromTheStore(t *testing.T) {
	store := &shelf{files: map[string][]byte{}}
	var before string
	withStore(t, live.Options{Store: store}, 96*time.Second, func(b *bench) {
		b.settled(firstMSN, firstMSN+4)
		b.init("540p", "two")
		b.settled(firstMSN+4, firstMSN+20)
		before = b.dvr("540p", live.Plain)
	})
	withInits(t, live.Options{Store: store}, 96*time.Second, map[string]string{"540p": "two"}, func(b *bench) {
		require.Equal(b, pipeline.State{"1080p": {MSN: firstMSN + 20}, "540p": {MSN: firstMSN + 20}, "sound": {MSN: firstMSN + 20}}, b.feed.State())
		require.Equal(b, before, b.dvr("540p", live.Plain))
		require.ErrorIs(b, b.feed.Rendition("540p").Snapshot().Err(start), live.ErrStale, "nothing new has come yet")
		b.settled(firstMSN+20, firstMSN+21)
		playlist := b.dvr("540p", live.Plain)
		require.Contains(b, playlist, "#EXT-X-MEDIA-SEQUENCE:1000\n")
		require.Equal(b, 1, strings.Count(playlist, "EXT-X-DISCONTINUITY\n"))
		text, err := b.read("540p", firstMSN+7)
		require.NoError(b, err)
		require.Contains(b, text, fmt.Sprintf("540p %d.0;", firstMSN+7))
	})
}

func TestHolesInTheStoreAreGaps(t *testing.T) {
	store := &shelf{files: map[string][]byte{}}
	withStore(t, live.Options{Store: store}, 96*time.Second, func(b *bench) { b.settled(firstMSN, firstMSN+6) })
	for name := range store.files {
		if strings.Contains(name, fmt.Sprintf("/540p/%d-", firstMSN+3)) {
			delete(store.files, name)
		}
	}
	for name := range store.files {
		if dir, ok := strings.CutSuffix(name, path.Base(name)); ok && strings.Contains(name, "/540p/") {
			store.files[dir+"what is this"] = []byte("?")
			break
		}
	}
	store.files["hall/"+strings.Repeat("0", 16)+"/540p/5-1-1-0c-x-00000000.m4s"] = []byte("of other constants")
	withStore(t, live.Options{Store: store}, 96*time.Second, func(b *bench) {
		segments := requireReadable(b.T, b.dvr("540p", live.Plain)).GetAllSegments()
		require.Len(b, segments, 6)
		require.True(b, segments[3].Gap)
		require.InDelta(b, 1.92, segments[3].Duration, 1e-6)
		synctest.Wait()
		for name := range store.files {
			require.NotContains(b, name, "0000000000000000", "what is of other constants is removed")
			require.NotContains(b, name, "what is this", "and what can not be read")
		}
	})
}

func TestAFullStoreDoesNotStopTheLiveWindow(t *testing.T) {
	store := &shelf{files: map[string][]byte{}}
	var failed atomic.Int64
	opts := live.Options{Store: store, StoreFailed: func(string, string) { failed.Add(1) }}
	withStore(t, opts, 96*time.Second, func(b *bench) {
		b.settled(firstMSN, firstMSN+20)
		store.setFull(true)
		b.settled(firstMSN+20, firstMSN+40)
		require.EqualValues(b, 60, failed.Load())
		list := requireReadable(b.T, b.dvr("540p", live.Plain))
		require.EqualValues(b, firstMSN+32, list.SeqNo, "nothing is listed that is not there")
		for msn := int64(firstMSN + 32); msn < firstMSN+40; msn++ {
			_, err := b.read("540p", msn)
			require.NoError(b, err)
		}
		store.setFull(false)
		b.settled(firstMSN+40, firstMSN+60)
		require.EqualValues(b, firstMSN+40, requireReadable(b.T, b.dvr("540p", live.Plain)).SeqNo)
	})
}

func TestTheStoreIsBoundedInBytes(t *testing.T) {
	store := &shelf{files: map[string][]byte{}}
	const limit = 10_000
	withStore(t, live.Options{Store: store, StoreBytes: limit}, time.Hour, func(b *bench) {
		b.settled(firstMSN, firstMSN+200)
		require.Less(b, store.size(), limit+1000, "three segments more, and the session")
		p := requireReadable(b.T, b.dvr("540p", live.Full))
		require.GreaterOrEqual(b, p.Count(), uint(8))
		for _, s := range p.GetAllSegments() {
			var msn int64
			_, err := fmt.Sscanf(s.URI, "../../../live/hall/540p/%d.m4s", &msn)
			require.NoError(b, err)
			_, err = b.read("540p", msn)
			require.NoError(b, err)
		}
	})
}

func TestTheStoreIsBoundedWhenTheBitRateRises(t *testing.T) {
	store := &shelf{files: map[string][]byte{}}
	const limit = 100_000
	withStore(t, live.Options{Store: store, StoreBytes: limit}, time.Hour, func(b *bench) {
		b.settled(firstMSN, firstMSN+100)
		for msn := int64(firstMSN + 100); msn < firstMSN+120; msn++ {
			for i := range 6 {
				for _, r := range b.feed.Renditions() {
					p := newPart(r.Name(), msn, i)
					p.Data = make([]byte, 200) // 15 times as many as before
					require.NoError(b, b.feed.PutPart(1, p))
				}
			}
			synctest.Wait()
			require.Less(b, store.size(), limit+5000)
		}
	})
}

func TestAnOldWorkerCanNotComeBackAfterARestart(t *testing.T) {
	store := &shelf{files: map[string][]byte{}}
	withStore(t, live.Options{Store: store}, 96*time.Second, func(b *bench) {
		b.epoch = 7
		b.claim(dvrFeed(96 * time.Second))
		b.settled(firstMSN, firstMSN+2)
	})
	feeds := live.New(live.Options{Store: store})
	_, err := feeds.Claim(pipeline.Session{Feed: dvrFeed(96 * time.Second), Epoch: 6})
	require.ErrorIs(t, err, pipeline.ErrFenced)
	_, err = feeds.Claim(pipeline.Session{Feed: dvrFeed(96 * time.Second), Epoch: 7})
	require.NoError(t, err)
}

func TestRecordedFeedsAreThereBeforeAnyWorker(t *testing.T) {
	store := &shelf{files: map[string][]byte{}}
	withStore(t, live.Options{Store: store}, 96*time.Second, func(b *bench) { b.settled(firstMSN, firstMSN+12) })
	store.files["yard/session.json"] = []byte("{")
	feeds := live.New(live.Options{Store: store})
	require.NoError(t, feeds.Restore())
	require.Nil(t, feeds.Feed("yard"))
	feed := feeds.Feed("hall")
	require.EqualValues(t, 1, feed.Epoch())
	snap := feed.Rendition("540p").Snapshot()
	require.ErrorIs(t, snap.Err(start), live.ErrNotReady, "there is nothing live")
	require.EqualValues(t, 12, requireReadable(t, string(snap.Playlist(live.Form{Mode: live.Plain, DVR: true}).Plain)).Count())
	require.ErrorIs(t, feed.PutPart(1, newPart("540p", firstMSN+12, 1)), live.ErrNoSession, "the worker has to say what it has")
}

func TestWhatIsStoredComesFromTheStoreWhenThatIsPreferred(t *testing.T) {
	store := &shelf{files: map[string][]byte{}}
	withStore(t, live.Options{Store: store, PreferStore: true}, time.Minute, func(b *bench) {
		b.segments(firstMSN, firstMSN+3)
		synctest.Wait()
		snap := b.feed.Rendition("540p").Snapshot()
		stored, err := snap.Segment(firstMSN)
		require.NoError(t, err)
		require.Nil(t, stored.Bytes, "it is a file")
		fromStore, err := io.ReadAll(stored)
		require.NoError(t, err)
		require.NoError(t, stored.Close())

		clear(store.files)
		held, err := snap.Segment(firstMSN)
		require.NoError(t, err, "what the store has lost is in memory")
		require.Equal(t, fromStore, held.Bytes)
		require.Equal(t, stored.Tag, held.Tag)
	})
}
