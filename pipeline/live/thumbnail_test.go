package live_test

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/live"
)

// still returns a JPEG of a segment: each has other bytes.
func still(t testing.TB, msn int64) []byte {
	p := image.NewYCbCr(image.Rect(0, 0, 32, 16), image.YCbCrSubsampleRatio420)
	for i := range p.Y {
		p.Y[i] = byte(msn)
	}
	var out bytes.Buffer
	require.NoError(t, jpeg.Encode(&out, p, nil))
	return out.Bytes()
}

// pictured puts segments [from, to), each with its thumbnail.
func (b *bench) pictured(from, to int64) {
	for msn := from; msn < to; msn++ {
		b.settled(msn, msn+1)
		require.NoError(b, b.feed.PutThumbnail(b.epoch, pipeline.Thumbnail{MSN: msn, Data: still(b, msn)}))
		synctest.Wait()
	}
}

func (b *bench) thumbnail(msn int64) ([]byte, error) {
	media, _, err := b.feed.Thumbnail(msn)
	if err != nil {
		return nil, err
	}
	defer media.Close()
	return io.ReadAll(media)
}

func (s *shelf) pictures() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.files {
		if strings.HasSuffix(name, ".jpg") {
			n++
		}
	}
	return n
}

func TestEachSegmentsThumbnailIsThereForAsLongAsTheSegment(t *testing.T) {
	store := &shelf{files: map[string][]byte{}}
	withStore(t, live.Options{Store: store}, 60*time.Second, func(b *bench) {
		_, err := b.thumbnail(-1)
		require.ErrorIs(t, err, live.ErrGone)
		b.pictured(firstMSN, firstMSN+100)
		newest, err := b.thumbnail(-1)
		require.NoError(t, err)
		require.Equal(t, still(t, firstMSN+99), newest)
		for msn := firstMSN + int64(100-32); msn < firstMSN+100; msn++ { // 60 s are 32 segments
			got, err := b.thumbnail(msn)
			require.NoError(t, err)
			require.Equal(t, still(t, msn), got)
		}
		_, err = b.thumbnail(firstMSN + 49) // before the sprite that the window begins in
		require.ErrorIs(t, err, live.ErrGone)
		require.Equal(t, 50, store.pictures())
	})
}

func TestThumbnailsOutliveARestart(t *testing.T) {
	store := &shelf{files: map[string][]byte{}}
	var board string
	withStore(t, live.Options{Store: store}, 60*time.Second, func(b *bench) {
		b.pictured(firstMSN, firstMSN+40)
		board = string(b.feed.Storyboard().Plain)
	})
	store.files["hall/somewhere/thumbnails.jpeg/1-32x16-00000000.jpg"] = []byte("of other constants")
	withStore(t, live.Options{Store: store}, 60*time.Second, func(b *bench) {
		got, err := b.thumbnail(firstMSN + 20)
		require.NoError(t, err)
		require.Equal(t, still(t, firstMSN+20), got)
		require.Equal(t, board, string(b.feed.Storyboard().Plain))
		synctest.Wait()
		require.NotContains(t, store.files, "hall/somewhere/thumbnails.jpeg/1-32x16-00000000.jpg")
		b.pictured(firstMSN+40, firstMSN+41)
		require.Equal(t, 41, store.pictures())
	})
}

func TestOnlyAWorkersJPEGsAreTaken(t *testing.T) {
	b := newBench(t, live.Options{})
	good := still(t, firstMSN)
	put := func(epoch uint64, msn int64, data []byte) error {
		return b.feed.PutThumbnail(epoch, pipeline.Thumbnail{MSN: msn, Data: data})
	}
	var wide bytes.Buffer
	require.NoError(t, jpeg.Encode(&wide, image.NewGray(image.Rect(0, 0, 700, 2)), nil))
	for name, err := range map[string]error{
		"no JPEG": put(1, firstMSN, []byte("GIF89a")), "nothing": put(1, firstMSN, nil), "large": put(1, firstMSN, wide.Bytes()),
		"many bytes": put(1, firstMSN, append(bytes.Clone(good), make([]byte, live.MaxThumbnailBytes)...)),
		"before all": put(1, -1, good), "future": put(1, firstMSN+1000, good),
	} {
		require.ErrorIs(t, err, live.ErrInvalid, name)
	}
	require.ErrorIs(t, put(0, firstMSN, good), pipeline.ErrFenced)
	require.ErrorIs(t, put(2, firstMSN, good), live.ErrNoSession)
	require.NoError(t, put(1, firstMSN+1, good))
	require.NoError(t, put(1, firstMSN, still(t, 7)), "an old one is taken without effect")
	require.NoError(t, put(1, firstMSN+1, still(t, 7)), "as is the same once more")
	got, err := b.thumbnail(-1)
	require.NoError(t, err)
	require.Equal(t, good, got)
}

func TestAStoryboardShowsEachSegmentInItsPlace(t *testing.T) {
	store := &shelf{files: map[string][]byte{}}
	withStore(t, live.Options{Store: store}, 60*time.Second, func(b *bench) {
		b.pictured(firstMSN, firstMSN+3)
		b.settled(firstMSN+3, firstMSN+4) // without a thumbnail
		b.pictured(firstMSN+4, firstMSN+27)
		board := string(b.feed.Storyboard().Plain)
		require.True(t, strings.HasPrefix(board, "WEBVTT\n\nNOTE Time 0 is "+start.UTC().Format("2006-01-02T15:04:05.000Z")+"\n\n"), board)
		require.Contains(t, board, "\n00:00:00.000 --> 00:00:01.920\nstoryboard.1000-1024.jpg#xywh=0,0,16,8\n")
		require.Contains(t, board, "\n00:00:13.440 --> 00:00:15.360\nstoryboard.1000-1024.jpg#xywh=32,8,16,8\n")
		require.NotContains(t, board, "00:00:05.760 -->")
		require.Contains(t, board, "\n00:00:49.920 --> 00:00:51.840\nstoryboard.1025-1026.jpg#xywh=16,0,16,8\n")
		require.Equal(t, 26, strings.Count(board, " --> "))

		b.pictured(firstMSN+27, firstMSN+40) // the window begins at 1008 now
		moved := string(b.feed.Storyboard().Plain)
		require.Contains(t, moved, "\n00:00:00.000 --> 00:00:01.920\nstoryboard.1000-1024.jpg#xywh=48,8,16,8\n", "the sprite is the same")
		require.Equal(t, 32, strings.Count(moved, " --> "))

		past, err := b.feed.Past(start.Add(20*time.Second), start.Add(24*time.Second))
		require.NoError(t, err)
		require.Contains(t, string(past.Storyboard().Plain),
			"\n00:00:00.000 --> 00:00:01.920\n../../dvr/hall/storyboard.1000-1024.jpg#xywh=0,16,16,8\n")
	})
}

func TestASpriteNeverChanges(t *testing.T) {
	store := &shelf{files: map[string][]byte{}}
	withStore(t, live.Options{Store: store}, 60*time.Second, func(b *bench) {
		seen := map[string]string{}
		addresses := regexp.MustCompile(`storyboard\.(\d+)-(\d+)\.jpg`)
		for msn := int64(firstMSN); msn < firstMSN+90; msn++ {
			b.pictured(msn, msn+1)
			for _, name := range addresses.FindAllStringSubmatch(string(b.feed.Storyboard().Plain), -1) {
				var first, last int64
				_, err := fmt.Sscan(name[1], &first)
				require.NoError(t, err)
				_, err = fmt.Sscan(name[2], &last)
				require.NoError(t, err)
				s, err := b.feed.Sprite(first, last)
				require.NoError(t, err)
				text := s.Tag
				for _, tile := range s.Tiles {
					media, err := tile.Open()
					require.NoError(t, err)
					data, err := io.ReadAll(media)
					require.NoError(t, err)
					text += fmt.Sprintf(" %d.%d:%x", tile.Column, tile.Row, data)
				}
				if old, ok := seen[name[0]]; ok {
					require.Equal(t, old, text, name[0])
				}
				seen[name[0]] = text
			}
		}
		require.Greater(t, len(seen), 80, "the newest has a name of its own with each segment")
		_, err := b.feed.Sprite(firstMSN+75, firstMSN+80)
		require.NoError(t, err, "what a storyboard named a while ago is there")
		for _, place := range [][2]int64{{1025, 1030}, {1076, 1080}, {1075, 1101}, {1, 2}, {1080, 1075}} {
			_, err := b.feed.Sprite(place[0], place[1])
			require.ErrorIs(t, err, live.ErrGone, "%v", place)
		}
	})
}

func TestAStoryboardOfADayHasAThousandTilesAtMost(t *testing.T) {
	store := &shelf{files: map[string][]byte{}}
	withStore(t, live.Options{Store: store}, 2*time.Hour, func(b *bench) { // 3750 segments, four to a tile
		b.pictured(firstMSN, firstMSN+10)
		board := string(b.feed.Storyboard().Plain)
		require.Equal(t, 3, strings.Count(board, " --> "))
		require.Contains(t, board, "\n00:00:00.000 --> 00:00:07.680\nstoryboard.1000-1008.jpg#xywh=0,0,16,8\n")
		require.Contains(t, board, "\n00:00:15.360 --> 00:00:23.040\nstoryboard.1000-1008.jpg#xywh=32,0,16,8\n")
	})
}
