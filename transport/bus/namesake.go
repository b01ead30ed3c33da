package bus

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// namesakeWait is for how long another process of the same name is listened for: some beats.
const namesakeWait = silence + 2*BeatInterval

// Namesake reports whether another process beats under a worker's name: one that says another boot. It listens for 1.5 s.
func (c *Conn) Namesake(ctx context.Context, worker, boot string) (bool, error) {
	beats := make(chan *nats.Msg, 64)
	sub, err := c.nc.ChanSubscribe(beatSubject+worker, beats)
	if err != nil {
		return false, fmt.Errorf("listening for another %s: %w", worker, err)
	}
	defer func() { _ = sub.Unsubscribe() }() // fails only if the connection is closed, and then it is gone
	enough := time.NewTimer(namesakeWait)
	defer enough.Stop()
	for {
		select {
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-enough.C:
			return false, nil
		case m := <-beats:
			if h, ok := readBeat(m.Data); ok && h.Boot != boot && !h.Leaving {
				return true, nil
			}
		}
	}
}
