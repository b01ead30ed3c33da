package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// What is asked for at a time. The server holds what does not fit. The bytes must exceed the largest message, or it would never come.
const (
	fetchMessages = 64
	fetchBytes    = 2 * maxPayload
	fetchBeat     = 500 * time.Millisecond // twice as long without a word, and the consumer is in doubt
)

// errBack means that the connection was lost and is back: what was asked for before is not answered any more.
var errBack = errors.New("the connection is back")

// pull takes a consumer's messages, a batch after the other.
//
// The library's continuous way, Consumer.Messages, gives its subscription room for as many messages as it asks for. Heartbeats and the
// ends of requests need room, too, so while nobody took any for a while the client dropped records ("slow consumer"). A batch has
// a goroutine of the library's that looks at them as they come. In exchange a round trip lies between two batches.
type pull struct {
	nc       *nats.Conn
	consumer jetstream.Consumer
	back     chan nats.Status
	batch    jetstream.MessageBatch // nil between two
	stop     context.CancelFunc     // of the batch
}

func newPull(nc *nats.Conn, consumer jetstream.Consumer) *pull {
	return &pull{nc: nc, consumer: consumer, back: nc.StatusChanged(nats.CONNECTED)}
}

// next returns the next message, waiting for one. After an error that is not the context's the pull is of no use any more.
func (p *pull) next(ctx context.Context) (jetstream.Msg, error) {
	for {
		if err := p.ask(ctx); err != nil {
			return nil, err
		}
		select {
		case m, ok := <-p.batch.Messages():
			if ok {
				return m, nil
			}
			err := p.batch.Error()
			p.forget()
			if err != nil {
				return nil, fmt.Errorf("taking records: %w", err)
			}
		case <-p.back:
			return nil, errBack
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// ask asks for a batch if none is being taken.
func (p *pull) ask(ctx context.Context) (err error) {
	if p.batch != nil {
		return nil
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx)) // the batch outlives this call
	p.batch, err = p.consumer.Fetch(fetchMessages,
		jetstream.FetchMaxBytes(fetchBytes), jetstream.FetchHeartbeat(fetchBeat), jetstream.FetchContext(ctx))
	if err != nil {
		stop()
		p.batch = nil
		return fmt.Errorf("asking for records: %w", err)
	}
	p.stop = stop
	return nil
}

// forget ends the batch.
func (p *pull) forget() {
	if p.batch != nil {
		p.stop()
		p.batch = nil
	}
}

// close ends the pull. The server knows the consumer still.
func (p *pull) close() {
	p.forget()
	p.nc.RemoveStatusListener(p.back)
}
