package live_test

import (
	"fmt"
	"io"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/live"
)

// inMemory returns which of the segments [from, to) of a rendition are in memory.
func (b *bench) inMemory(rendition string, from, to int64) (msns []int64) {
	for msn := from; msn < to; msn++ {
		media, err := b.feed.Rendition(rendition).Snapshot().Segment(msn)
		require.NoError(b, err)
		if media.Bytes != nil {
			msns = append(msns, msn)
		}
		require.NoError(b, media.Close())
	}
	return msns
}

func TestOnlyTheNewestStoredSegmentsAreInMemory(t *testing.T) {
	for _, rendition := range []string{"540p", "sound"} {
		withStore(t, live.Options{Store: &shelf{files: map[string][]byte{}}}, time.Minute, func(b *bench) {
			b.settled(firstMSN, firstMSN+20)
			require.Equal(b, []int64{firstMSN + 16, firstMSN + 17, firstMSN + 18, firstMSN + 19},
				b.inMemory(rendition, firstMSN, firstMSN+20), "two with parts, and two before them")
			for msn := int64(firstMSN); msn < firstMSN+20; msn++ {
				text, err := b.read(rendition, msn)
				require.NoError(b, err)
				require.Contains(b, text, fmt.Sprintf("%s %d.5;", rendition, msn), "all are served")
			}
		})
	}
}

func TestWithoutAStoreAllThatIsListedIsInMemory(t *testing.T) {
	b := newBench(t, live.Options{})
	b.segments(firstMSN, firstMSN+20)
	require.Len(t, b.inMemory("540p", firstMSN+12, firstMSN+20), 8)
}

func TestASegmentThatIsAskedForInOnePieceIsInMemoryOnce(t *testing.T) {
	b := newBench(t, live.Options{})
	b.segments(firstMSN, firstMSN+3)
	snapshot := b.feed.Rendition("540p").Snapshot()
	segment, err := snapshot.Segment(firstMSN + 1)
	require.NoError(t, err)
	rest := segment.Bytes
	for index := range b.feed.Constants().Grid.Parts() {
		part, err := snapshot.Part(pipeline.Position{MSN: firstMSN + 1, Part: index})
		require.NoError(t, err)
		require.Same(t, &rest[0], &part.Bytes[0], "part %d is a stretch of the segment", index)
		rest = rest[len(part.Bytes):]
	}
	require.Empty(t, rest)
	again, err := snapshot.Segment(firstMSN + 1)
	require.NoError(t, err)
	require.Same(t, &segment.Bytes[0], &again.Bytes[0])
}

func TestWhatIsNotStoredStaysInMemoryUntilItIs(t *testing.T) {
	store := &shelf{files: map[string][]byte{}, full: true}
	withStore(t, live.Options{Store: store}, time.Minute, func(b *bench) {
		b.settled(firstMSN, firstMSN+8)
		require.Len(b, b.inMemory("540p", firstMSN, firstMSN+8), 8)
		store.setFull(false)
		b.settled(firstMSN+8, firstMSN+13)
		require.Equal(b, []int64{firstMSN + 5, firstMSN + 6, firstMSN + 7, firstMSN + 9, firstMSN + 10, firstMSN + 11, firstMSN + 12},
			b.inMemory("540p", firstMSN+5, firstMSN+13), "those that the store refused are still there")
	})
}

func TestPartsOfReleasedSegmentsAreServedFromTheStore(t *testing.T) {
	store := &shelf{files: map[string][]byte{}}
	withStore(t, live.Options{Store: store}, time.Minute, func(b *bench) {
		b.settled(firstMSN, firstMSN+4)
		part := func(index int) (live.Media, error) {
			return b.feed.Rendition("540p").Snapshot().Part(pipeline.Position{MSN: firstMSN, Part: index})
		}
		var tags []string
		for i := range 6 {
			media, err := part(i)
			require.NoError(b, err)
			require.NotNil(b, media.Bytes)
			tags = append(tags, media.Tag)
		}
		b.settled(firstMSN+4, firstMSN+6)
		for i := range 6 {
			media, err := part(i)
			require.NoError(b, err)
			require.Nil(b, media.Bytes)
			require.Equal(b, tags[i], media.Tag)
			require.NoError(b, iotest.TestReader(media, fmt.Appendf(nil, "540p %d.%d;", firstMSN, i)))
			_, err = media.Seek(-1, io.SeekStart)
			require.Error(b, err)
			require.NoError(b, media.Close())
		}
		_, err := part(6)
		require.ErrorIs(b, err, live.ErrGone)

		clear(store.files)
		_, err = part(0)
		require.ErrorIs(b, err, live.ErrGone)
		synctest.Wait()
	})
}
