package origin

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline/live"
)

// A sprite is kept for good, by caches, too: black may be only what has gone.
func TestASpriteIsMadeOfAllThumbnailsThatThereAre(t *testing.T) {
	s, err := New(Options{Feeds: live.New(live.Options{}), Token: "x"})
	require.NoError(t, err)
	var still bytes.Buffer
	require.NoError(t, jpeg.Encode(&still, image.NewYCbCr(image.Rect(0, 0, 64, 32), image.YCbCrSubsampleRatio420), nil))
	there := func() (live.Media, error) {
		return live.Media{ReadSeekCloser: onShelf{bytes.NewReader(still.Bytes())}}, nil
	}
	full := errors.New("too many open files")
	sheet := func(err error) live.Sprite {
		missing := func() (live.Media, error) { return live.Media{}, err }
		return live.Sprite{TileWidth: 32, TileHeight: 16, Tiles: []live.Tile{{Open: there}, {Column: 1, Open: missing}}}
	}
	_, err = s.join(sheet(live.ErrGone))
	require.NoError(t, err)
	_, err = s.join(sheet(full))
	require.ErrorIs(t, err, full)
}

type onShelf struct{ io.ReadSeeker }

func (onShelf) Close() error { return nil }
