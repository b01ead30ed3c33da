package bus

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHundredsOfAssignmentsAreThoseOfTheirFeeds(t *testing.T) {
	r := openRegistry(t, local(t), nil)
	none, err := r.Assignments(limited(t), []string{"lobby"})
	require.NoError(t, err)
	require.Empty(t, none)

	var feeds []string
	want := map[string]Assignment{}
	for i := range askedAtOnce + 10 {
		feed := fmt.Sprintf("camera-%d", i)
		feeds = append(feeds, feed)
		if i%2 == 0 { // the others are nobody's
			want[feed], err = r.TakeOver(limited(t), feed, fmt.Sprintf("worker-%d", i%3), 0)
			require.NoError(t, err)
		}
	}
	require.NoError(t, r.assign.Delete(limited(t), "camera-0"))
	got, err := r.Assignments(limited(t), feeds)
	require.NoError(t, err)
	gone, err := r.Assignment(limited(t), "camera-0")
	require.NoError(t, err)
	want["camera-0"] = gone
	require.Equal(t, want, got)

	_, err = r.Assignments(limited(t), []string{"a.b"})
	require.ErrorContains(t, err, "not valid")
}

// What it costs to look whether each of 300 feeds has a living owner: every standby and every worker does so once a second.
func BenchmarkLookingAtThreeHundredFeeds(b *testing.B) {
	server, err := StartEmbedded(EmbeddedOptions{Dir: b.TempDir(), MaxStoreBytes: 1 << 30})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, server.Close()) })
	c, err := Connect(b.Context(), Options{Embedded: server, Name: "bench"})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, c.Close()) })
	r, err := c.OpenRegistry(b.Context(), nil)
	require.NoError(b, err)
	var feeds []string
	for i := range 300 {
		feeds = append(feeds, fmt.Sprintf("camera-%d", i))
		_, err := r.TakeOver(b.Context(), feeds[i], "worker", 0)
		require.NoError(b, err)
	}
	b.Run("OneByOne", func(b *testing.B) {
		for b.Loop() {
			for _, f := range feeds {
				_, err := r.Assignment(b.Context(), f)
				require.NoError(b, err)
			}
		}
	})
	b.Run("AtOnce", func(b *testing.B) {
		for b.Loop() {
			_, err := r.Assignments(b.Context(), feeds)
			require.NoError(b, err)
		}
	})
}
