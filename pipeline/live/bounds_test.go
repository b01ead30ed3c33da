package live_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/live"
)

// volume is a shelf of so many bytes, of which others take some.
type volume struct {
	shelf
	size    int
	taken   int
	refusal int // of the next so many writes
}

func newVolume(size int) *volume {
	return &volume{shelf: shelf{files: map[string][]byte{}}, size: size}
}

func (v *volume) Space() (free, size int64, err error) {
	used := v.shelf.size()
	v.mu.Lock()
	defer v.mu.Unlock()
	return int64(max(0, v.size-v.taken-used)), int64(v.size), nil
}

func (v *volume) Put(name string, pieces ...[]byte) error {
	free, _, _ := v.Space()
	v.mu.Lock()
	refused := v.refusal > 0
	v.refusal = max(0, v.refusal-1)
	v.mu.Unlock()
	if refused || int64(len(bytes.Join(pieces, nil))) > free {
		return fmt.Errorf("putting %s: %w", name, live.ErrNoSpace)
	}
	return v.shelf.Put(name, pieces...)
}

func (v *volume) set(taken, refusal int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.taken, v.refusal = taken, refusal
}

// counted returns the bytes of the segments and thumbnails in a shelf.
func (s *shelf) counted() (bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, data := range s.files {
		if ext := path.Ext(name); ext == ".m4s" || ext == ".jpg" {
			bytes += int64(len(data))
		}
	}
	return bytes
}

// oldest returns the first segment of a feed in a shelf.
func (s *shelf) oldest(feed string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	oldest := int64(1 << 40)
	for name := range s.files {
		if !strings.HasPrefix(name, feed+"/") || path.Ext(name) != ".m4s" {
			continue
		}
		number, _, _ := strings.Cut(path.Base(name), "-")
		if msn, err := strconv.ParseInt(number, 10, 64); err == nil {
			oldest = min(oldest, msn)
		}
	}
	return oldest
}

// tally counts what a store's callbacks are told.
type tally struct {
	mu     sync.Mutex
	counts map[string]int
}

func (c *tally) add(_, reason string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[reason] += n
}

func (c *tally) of(reason string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts[reason]
}

func bounded(store live.Store, bytes int64) (live.Options, *tally, *tally) {
	removed, failed := &tally{counts: map[string]int{}}, &tally{counts: map[string]int{}}
	return live.Options{
		Store: store, StoreBytes: bytes, StoreFree: 1, StoreRemoved: removed.add,
		StoreFailed: func(feed, reason string) { failed.add(feed, reason, 1) },
	}, removed, failed
}

// another claims one more feed, whose segments have numbers that are that much lower.
func (b *bench) another(id string, dvr time.Duration, lower int64) *bench {
	feed := dvrFeed(dvr)
	feed.ID = id
	feed.Grid.Epoch += feed.Grid.SegmentTime(lower) - feed.Grid.SegmentTime(0)
	o := &bench{T: b.T, feeds: b.feeds, epoch: 1}
	o.claim(feed)
	return o
}

// whole puts a segment of each rendition, of which each part has at least so many bytes.
func (b *bench) whole(msn int64, size int) {
	for i := range 6 {
		for _, r := range b.feed.Renditions() {
			p := newPart(r.Name(), msn, i)
			p.Data = append(p.Data, make([]byte, size)...)
			require.NoError(b, b.feed.PutPart(b.epoch, p))
		}
	}
}

func (b *bench) setClock(to time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = to
}

var segmentURI = regexp.MustCompile(`(\d+)\.m4s`)

// requireListedIsThere reads all that the DVR's playlists list.
func (b *bench) requireListedIsThere() {
	b.Helper()
	for _, r := range b.feed.Renditions() {
		list := requireReadable(b.T, b.dvr(r.Name(), live.Plain))
		for _, s := range list.GetAllSegments() {
			if s.Gap {
				continue
			}
			msn, err := strconv.ParseInt(segmentURI.FindStringSubmatch(s.URI)[1], 10, 64)
			require.NoError(b, err)
			_, err = b.read(r.Name(), msn)
			require.NoError(b, err, "%s/%s: segment %d is listed", b.feed.ID(), r.Name(), msn)
		}
	}
}

func TestTheOldestOfAllFeedsGoFirst(t *testing.T) {
	store := &shelf{files: map[string][]byte{}}
	opts, removed, failed := bounded(store, 40_000)
	const lower = 700
	withStore(t, opts, time.Hour, func(b *bench) {
		b.settled(firstMSN, firstMSN+60)
		yard := b.another("yard", time.Hour, lower)
		for msn := int64(firstMSN + 60); msn < firstMSN+200; msn++ {
			b.segments(msn, msn+1)
			yard.whole(msn-lower, 0)
			synctest.Wait()
			require.LessOrEqual(b, store.counted(), int64(40_000))
			require.Equal(b, store.counted(), b.feeds.StoreState().Bytes)
			hall, other := store.oldest("hall"), store.oldest("yard")+lower
			if hall < firstMSN+59 {
				require.EqualValues(b, firstMSN+60, other, "the other is younger")
			} else {
				require.InDelta(b, hall, other, 1)
			}
			if msn%10 == 0 {
				b.requireListedIsThere()
				yard.requireListedIsThere()
			}
		}
		require.Greater(b, store.oldest("hall"), int64(firstMSN+100))
		require.NotZero(b, removed.of("bytes"))
		require.Zero(b, removed.of("age"))
		require.Empty(b, failed.counts)
	})
}

func TestAFeedThatHasStoppedGivesWay(t *testing.T) {
	store := &shelf{files: map[string][]byte{}}
	opts, _, _ := bounded(store, 60_000)
	withStore(t, opts, time.Hour, func(b *bench) {
		b.pictured(firstMSN, firstMSN+60)
		snap, board := b.feed.Rendition("540p").Snapshot(), string(b.feed.Storyboard().Plain)
		yard := b.another("yard", time.Hour, 0)
		for msn := int64(firstMSN + 60); msn < firstMSN+400; msn++ {
			b.setClock(start.Add(time.Duration(msn-firstMSN) * 1920 * time.Millisecond))
			yard.whole(msn, 0)
			synctest.Wait()
			if msn%10 == 0 {
				b.requireListedIsThere()
			}
		}
		require.EqualValues(b, 8, requireReadable(b.T, b.dvr("540p", live.Plain)).Count(), "its last live window stays")
		require.EqualValues(b, firstMSN+60-16, store.oldest("hall"), "and what was in the one before")
		select {
		case <-snap.Changed():
		default:
			b.Error("nobody was told")
		}
		require.NotEqual(b, board, string(b.feed.Storyboard().Plain))
		require.Equal(b, 10, store.pictures(), "those of the sprite that the window begins in")
		require.Equal(b, store.counted(), b.feeds.StoreState().Bytes)
		reach, full := b.feed.DVR()
		require.Equal(b, 8*1920*time.Millisecond, reach)
		require.Equal(b, 1875*1920*time.Millisecond, full)
	})
}

func TestSpaceIsLeftFree(t *testing.T) {
	store := newVolume(100_000)
	opts, removed, failed := bounded(store, 0)
	opts.StoreFree = 40_000
	withStore(t, opts, time.Hour, func(b *bench) {
		for msn := int64(firstMSN); msn < firstMSN+300; msn++ {
			if msn == firstMSN+150 {
				store.set(30_000, 0) // something else grows
				b.setClock(b.clock().Add(time.Second))
			}
			b.segments(msn, msn+1)
			synctest.Wait()
			free, _, _ := store.Space()
			require.Greater(b, free, int64(40_000-1000), "a segment, and the session")
			if msn%10 == 0 {
				b.requireListedIsThere()
			}
		}
		state := b.feeds.StoreState()
		require.EqualValues(b, 40_000, state.FreeLimit)
		require.InDelta(b, 40_000, state.Free, 1000)
		require.NotZero(b, removed.of("space"))
		require.Empty(b, failed.counts)
		short := b.dvrCount()
		store.set(0, 0)
		b.settled(firstMSN+300, firstMSN+340)
		require.Equal(b, short+40, b.dvrCount(), "it grows again")
	})
}

func (b *bench) dvrCount() int {
	return int(requireReadable(b.T, b.dvr("540p", live.Plain)).Count())
}

func TestSpaceIsLeftFreeWhenNothingIsWritten(t *testing.T) {
	store := newVolume(100_000)
	opts, removed, _ := bounded(store, 0)
	opts.StoreFree = 40_000
	withStore(t, opts, time.Hour, func(b *bench) {
		b.settled(firstMSN, firstMSN+80)
		require.Zero(b, removed.of("space"))
		store.set(50_000, 0)
		b.setClock(b.clock().Add(time.Second))
		time.Sleep(2 * time.Second) // of the store's own time
		synctest.Wait()
		free, _, _ := store.Space()
		require.GreaterOrEqual(b, free, int64(40_000-1000))
		require.NotZero(b, removed.of("space"))
	})
}

func TestAVolumeIsLeftFreeToATwentieth(t *testing.T) {
	for size, want := range map[int]int64{1000_000: 50_000, 1 << 40: 5_000_000_000} {
		opts, _, _ := bounded(newVolume(size), 0)
		opts.StoreFree = 0
		withStore(t, opts, time.Hour, func(b *bench) {
			b.settled(firstMSN, firstMSN+1)
			require.Equal(b, want, b.feeds.StoreState().FreeLimit)
		})
	}
}

func TestAWriteThatFindsNoSpaceIsTriedAgainWithoutTheOldest(t *testing.T) {
	store := newVolume(1 << 30)
	opts, removed, failed := bounded(store, 0)
	withStore(t, opts, time.Hour, func(b *bench) {
		b.settled(firstMSN, firstMSN+40)
		for msn := int64(firstMSN + 40); msn < firstMSN+60; msn++ {
			store.set(0, 1)
			b.settled(msn, msn+1)
			b.requireListedIsThere()
		}
		require.Empty(b, failed.counts)
		require.Equal(b, 3*20, removed.of("space"), "a segment of each rendition makes room for one")
		require.EqualValues(b, firstMSN+20, store.oldest("hall"))
	})
}

func TestADiskThatStaysFullKeepsThePast(t *testing.T) {
	store := newVolume(1 << 30)
	opts, removed, failed := bounded(store, 0)
	withStore(t, opts, time.Hour, func(b *bench) {
		b.settled(firstMSN, firstMSN+100)
		store.set(0, 1<<30)
		for msn := int64(firstMSN + 100); msn < firstMSN+104; msn++ {
			b.settled(msn, msn+1)
			b.requireListedIsThere()
		}
		require.Equal(b, 3*4, failed.of("write"))
		require.LessOrEqual(b, removed.of("space"), 3*8, "once a second at most something is removed for nothing")
		b.settled(firstMSN+104, firstMSN+140)
		require.Equal(b, 8, b.dvrCount(), "live goes on from memory")
		b.requireListedIsThere()
		store.set(0, 0)
		b.settled(firstMSN+140, firstMSN+170)
		require.Equal(b, 30, b.dvrCount())
		require.Equal(b, store.counted(), b.feeds.StoreState().Bytes)
	})
}

func TestSmallerBoundsHoldFromTheStart(t *testing.T) {
	store := newVolume(1 << 30)
	opts, _, _ := bounded(store, 0)
	withStore(t, opts, time.Hour, func(b *bench) {
		yard := b.another("yard", time.Hour, 0)
		for msn := int64(firstMSN); msn < firstMSN+150; msn++ {
			b.segments(msn, msn+1)
			yard.whole(msn, 0)
			synctest.Wait()
		}
	})
	before := store.counted()
	for _, opts := range []live.Options{
		{Store: store, StoreBytes: before / 2},
		{Store: store, StoreFree: 1<<30 - before/3},
	} {
		opts.Window = 15 * time.Second
		feeds := live.New(opts)
		require.NoError(t, feeds.Restore())
		require.Equal(t, store.counted(), feeds.StoreState().Bytes)
		require.InDelta(t, store.oldest("hall"), store.oldest("yard"), 1)
		for _, f := range feeds.All() {
			b := &bench{T: t, feeds: feeds, feed: f}
			b.requireListedIsThere()
		}
	}
	require.LessOrEqual(t, store.counted(), before/3)
	require.Greater(t, store.counted(), before/3-2000)
}

// TestBoundsHoldWhateverComes: feeds come, stop, begin anew and go, with segments of any size.
func TestBoundsHoldWhateverComes(t *testing.T) {
	for seed := range uint64(3) {
		random := rand.New(rand.NewPCG(seed, 1))
		const limit = 150_000
		store := newVolume(1 << 30)
		opts, _, failed := bounded(store, limit)
		opts.Keep = time.Hour
		withStore(t, opts, time.Hour, func(b *bench) {
			feeds := []*bench{b, b.another("yard", 10*time.Minute, 100), b.another("roof", time.Hour, 900)}
			for at := int64(firstMSN); at < firstMSN+300; at++ {
				b.setClock(start.Add(time.Duration(at-firstMSN) * 1920 * time.Millisecond))
				for i, o := range feeds {
					if random.IntN(100) < 5 {
						continue // a gap
					}
					msn := at - []int64{0, 100, 900}[i]
					o.whole(msn, random.IntN(100))
					require.NoError(b, o.feed.PutThumbnail(1, pipeline.Thumbnail{MSN: msn, Data: still(b, msn)}))
				}
				if random.IntN(100) == 0 {
					yard := dvrFeed(time.Duration(5+random.IntN(10)) * time.Minute)
					yard.ID, yard.Grid = "yard", feeds[1].feed.Constants().Grid
					feeds[1].claim(yard)
				}
				synctest.Wait()
				require.LessOrEqual(b, store.counted(), int64(limit), "seed %d", seed)
				require.Equal(b, store.counted(), b.feeds.StoreState().Bytes, "seed %d", seed)
				for _, o := range feeds {
					if at%20 == 0 {
						o.requireListedIsThere()
					}
				}
			}
			require.Empty(b, failed.counts)
		})
	}
}

// slow is a shelf that takes no segment until its gate opens.
type slow struct {
	shelf
	gate   chan struct{}
	writes int
}

func (s *slow) Put(name string, pieces ...[]byte) error {
	if path.Ext(name) == ".m4s" {
		<-s.gate
		s.writes++
	}
	return s.shelf.Put(name, pieces...)
}

func TestWhatNobodyWantsAnyMoreIsNotWritten(t *testing.T) {
	store := &slow{shelf: shelf{files: map[string][]byte{}}}
	opts, _, _ := bounded(store, 0)
	withStore(t, opts, time.Hour, func(b *bench) {
		store.gate = make(chan struct{}) // within the bubble
		b.settled(firstMSN, firstMSN+60)
		close(store.gate)
		synctest.Wait()
		require.Equal(b, 1+3*16, store.writes, "the one that was held up, and those that can still be fetched")
		require.Equal(b, store.counted(), b.feeds.StoreState().Bytes)
		b.requireListedIsThere()
	})
}
