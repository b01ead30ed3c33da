package push

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/venuecast/venuecast/pipeline"
)

// PutThumbnail puts a segment's thumbnail; it is tried again until its context ends. Putting it again changes nothing.
// pipeline.ErrFenced and ErrNoSession say what became of the session.
func (c *Client) PutThumbnail(ctx context.Context, feed string, epoch uint64, t pipeline.Thumbnail) error {
	header := []field{{"Content-Type", "image/jpeg"}, {"Venuecast-Epoch", strconv.FormatUint(epoch, 10)}}
	path := c.path(feed, strconv.FormatInt(t.MSN, 10), "thumbnail")
	if _, err := c.send(ctx, request{http.MethodPut, feed, path, header, t.Data, nil}); err != nil {
		return fmt.Errorf("putting thumbnail %d of %s: %w", t.MSN, feed, err)
	}
	return nil
}
