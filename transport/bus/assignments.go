package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"github.com/venuecast/venuecast/pipeline"
)

// askedAtOnce bounds the keys of one request. The server answers up to 1024.
const askedAtOnce = 256

// Assignments returns who works on each of these feeds, in one request for hundreds; a feed that nobody has had is not among
// them. Any replica answers, which may lack the newest changes: before a feed is taken over, Assignment must say the same.
func (r *Registry) Assignments(ctx context.Context, feeds []string) (map[string]Assignment, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	all := make(map[string]Assignment, len(feeds))
	for some := range slices.Chunk(feeds, askedAtOnce) {
		if err := r.assignments(ctx, some, all); err != nil {
			return nil, fmt.Errorf("reading %d assignments: %w", len(feeds), err)
		}
	}
	return all, nil
}

func (r *Registry) assignments(ctx context.Context, feeds []string, into map[string]Assignment) error {
	if !r.conn.nc.IsConnected() {
		return nats.ErrDisconnected // the request would leave a subscription behind
	}
	prefix := "$KV." + r.assign.Bucket() + "."
	keys := make([]string, len(feeds))
	for i, feed := range feeds {
		if !pipeline.ValidID(feed) {
			return fmt.Errorf("feed id %q is not valid", feed)
		}
		keys[i] = prefix + feed
	}
	found, err := jetstreamext.GetLastMsgsFor(ctx, r.conn.js, "KV_"+r.assign.Bucket(), keys)
	if err != nil {
		return err
	}
	for m, err := range found {
		if errors.Is(err, jetstreamext.ErrNoMessages) {
			return nil
		}
		if err != nil {
			return err
		}
		feed := strings.TrimPrefix(m.Subject, prefix)
		if into[feed], err = valueOf(m.Header, m.Data, m.Sequence).assignment(feed); err != nil {
			return err
		}
	}
	if ctx.Err() != nil { // the iteration ends without a word when its time is up
		return context.Cause(ctx)
	}
	return nil
}
