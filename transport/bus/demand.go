package bus

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/venuecast/venuecast/pipeline"
)

const (
	// demandSubject is followed by a feed. It is no subject of a stream: what is lost is said again in a second.
	demandSubject = "demand."
	demandBuffer  = 64
	maxDemand     = 64 << 10
)

// Demand says what viewers ask for of a feed. It does not wait for anything but the connection's buffer.
func (c *Conn) Demand(feed string, d pipeline.Demand) error {
	if !pipeline.ValidID(feed) {
		return fmt.Errorf("feed id %q is not valid", feed)
	}
	body, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("saying what is asked for: %w", err)
	}
	if err := c.nc.Publish(demandSubject+feed, body); err != nil {
		return fmt.Errorf("saying what is asked for: %w", err)
	}
	return nil
}

// HearDemand calls hear with what is said of a feed's demand until ctx ends. What cannot be read is left out.
func (c *Conn) HearDemand(ctx context.Context, feed string, hear func(pipeline.Demand) error) error {
	if !pipeline.ValidID(feed) {
		return fmt.Errorf("feed id %q is not valid", feed)
	}
	messages := make(chan *nats.Msg, demandBuffer)
	sub, err := c.nc.ChanSubscribe(demandSubject+feed, messages)
	if err != nil {
		return fmt.Errorf("listening to demand: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }() // fails only if the connection is closed, and then it is gone
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case m := <-messages:
			var d pipeline.Demand
			if len(m.Data) > maxDemand || json.Unmarshal(m.Data, &d) != nil {
				continue
			}
			if err := hear(d); err != nil {
				return err
			}
		}
	}
}
