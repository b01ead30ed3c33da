package bus

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
)

func TestAProcessThatHasTheSameNameIsHeard(t *testing.T) {
	for name, c := range map[string]struct {
		beat Heartbeat
		want bool
	}{
		"another":             {Heartbeat{Boot: "other"}, true},
		"itself":              {Heartbeat{Boot: "me"}, false},
		"another that leaves": {Heartbeat{Boot: "other", Leaving: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := local(t)
			ctx, cancel := context.WithCancel(limited(t))
			var beating pipeline.Group
			defer beating.Wait()
			defer cancel()
			beating.Start(ctx, pipeline.Func("beats", func(ctx context.Context) error {
				for pipeline.Sleep(ctx, BeatInterval/5) == nil {
					if err := conn.Beat("ingest-w1", c.beat); err != nil {
						return err
					}
				}
				return nil
			}), func(error) {})
			got, err := conn.Namesake(ctx, "ingest-w1", "me")
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}
