package transcode

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
)

// notes is an origin that notes what it is given.
type notes struct{ got []string }

func (n *notes) PutInit(_ context.Context, i pipeline.Init) error {
	n.got = append(n.got, i.Rendition)
	return nil
}

func (n *notes) PutPart(_ context.Context, p pipeline.Part) error {
	n.got = append(n.got, fmt.Sprintf("%s %d.%d", p.Rendition, p.MSN, p.Index))
	return nil
}

func TestWhatAnOriginHasLostIsSentAgain(t *testing.T) {
	out := &notes{}
	r := NewResender(out, 4)
	require.NoError(t, r.PutInit(t.Context(), pipeline.Init{Rendition: "a"}))
	for i := range 6 {
		require.NoError(t, r.PutPart(t.Context(), pipeline.Part{Rendition: "a", MSN: int64(7 + i/3), Index: i % 3}))
	}
	for _, c := range []struct {
		name   string
		wanted pipeline.Position
		sent   []string
		after  pipeline.Position
	}{
		{"the segment in progress", pipeline.Position{MSN: 8}, []string{"a", "a 8.0", "a 8.1", "a 8.2"}, pipeline.Position{MSN: 9}},
		{"as far back as is remembered", pipeline.Position{MSN: 7, Part: 2}, []string{"a", "a 7.2", "a 8.0", "a 8.1", "a 8.2"}, pipeline.Position{MSN: 9}},
		{"nothing where it is not", pipeline.Position{MSN: 7, Part: 1}, nil, pipeline.Position{MSN: 7, Part: 1}},
		{"nothing when nothing is lost", pipeline.Position{MSN: 9}, nil, pipeline.Position{MSN: 9}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out.got = nil
			state := pipeline.State{"a": c.wanted, "b": {MSN: 1}}
			after, err := r.Resend(t.Context(), state, 3)
			require.NoError(t, err)
			require.Equal(t, c.sent, out.got)
			require.Equal(t, pipeline.State{"a": c.after, "b": {MSN: 1}}, after)
		})
	}
}

func TestOnlyConsecutivePartsAreRemembered(t *testing.T) {
	out := &notes{}
	r := NewResender(out, 4)
	for _, p := range []pipeline.Part{{MSN: 7, Index: 2}, {MSN: 8, Index: 0}, {MSN: 10, Index: 1}} {
		require.NoError(t, r.PutPart(t.Context(), p))
	}
	out.got = nil
	_, err := r.Resend(t.Context(), pipeline.State{"": {MSN: 8}}, 3)
	require.NoError(t, err)
	require.Empty(t, out.got)
}
