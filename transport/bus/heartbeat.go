package bus

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/venuecast/venuecast/pipeline"
)

const (
	// BeatInterval is how often a worker should beat.
	BeatInterval = 250 * time.Millisecond
	// silence is after how long without a beat a worker is dead.
	silence     = time.Second
	forgetAfter = time.Minute
	maxPeers    = 1024
	peersBuffer = 4096
	maxBeat     = 256 << 10
	beatSubject = "wk.hb."
)

// Heartbeat is what a worker says about itself.
type Heartbeat struct {
	Worker   string     `json:"worker"`   // set by Beat
	Boot     string     `json:"boot"`     // differs from start to start of the worker
	Capacity int        `json:"capacity"` // how many feeds it can take in all
	Load     float64    `json:"load"`     // 0 to 1
	Feeds    []FeedBeat `json:"feeds"`
	// Leaving says that the worker works no more: this is its last beat, and it counts as dead at once.
	Leaving bool `json:"leaving,omitempty"`
}

// FeedBeat is what a worker says about a feed it works on.
type FeedBeat struct {
	ID    string        `json:"id"`
	Epoch uint64        `json:"epoch"`
	Seq   uint64        `json:"seq"` // the last record read
	MSN   int64         `json:"msn"` // the segment being made
	Lag   time.Duration `json:"lag"` // how far behind the source, in nanoseconds
}

// Beat says that a worker is alive. It does not wait for anything but the connection's buffer.
func (c *Conn) Beat(worker string, h Heartbeat) error {
	if !pipeline.ValidID(worker) {
		return fmt.Errorf("worker name %q is not valid", worker)
	}
	h.Worker = worker
	body, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("beating: %w", err)
	}
	if err := c.nc.Publish(beatSubject+worker, body); err != nil {
		return fmt.Errorf("beating: %w", err)
	}
	return nil
}

// Peers knows which workers are alive. It is a pipeline.Stage; its other methods may be called by several goroutines.
type Peers struct {
	conn *Conn
	now  func() time.Time

	mu    sync.Mutex
	since time.Time // since when beats are heard without an interruption; zero: they are not
	peers map[string]peer
}

type peer struct {
	beat  Heartbeat
	heard time.Time
}

// NewPeers returns a set of peers that is empty until its Run runs. now defaults to time.Now.
func (c *Conn) NewPeers(now func() time.Time) *Peers {
	if now == nil {
		now = time.Now
	}
	return &Peers{conn: c, now: now, peers: map[string]peer{}}
}

// Name returns the name of the stage.
func (p *Peers) Name() string { return "peers" }

// Run listens to the workers until ctx ends.
func (p *Peers) Run(ctx context.Context) error {
	beats := make(chan *nats.Msg, peersBuffer)
	status := p.conn.nc.StatusChanged(nats.CONNECTED, nats.RECONNECTING, nats.DISCONNECTED)
	defer p.conn.nc.RemoveStatusListener(status)
	sub, err := p.conn.nc.ChanSubscribe(beatSubject+"*", beats)
	if err != nil {
		return fmt.Errorf("listening to heartbeats: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }() // fails only if the connection is closed, and then it is gone
	p.listening(p.conn.nc.IsConnected())
	defer p.listening(false)
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case s := <-status:
			p.listening(s == nats.CONNECTED)
		case m := <-beats:
			p.hear(strings.TrimPrefix(m.Subject, beatSubject), m.Data)
		}
	}
}

// listening notes that beats are heard from now on, or that they are not.
func (p *Peers) listening(yes bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !yes:
		p.since = time.Time{}
	case p.since.IsZero():
		p.since = p.now()
	}
}

// hear takes a beat. What cannot be read is none.
func (p *Peers) hear(worker string, body []byte) {
	h, ok := readBeat(body)
	if !ok || !pipeline.ValidID(worker) {
		return
	}
	h.Worker = worker
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if _, known := p.peers[worker]; !known {
		p.forget(now)
		if len(p.peers) >= maxPeers {
			return
		}
	}
	p.peers[worker] = peer{h, now}
}

func readBeat(body []byte) (h Heartbeat, ok bool) {
	ok = len(body) <= maxBeat && json.Unmarshal(body, &h) == nil
	return h, ok
}

// forget removes those that have long been dead. p.mu is held.
func (p *Peers) forget(now time.Time) {
	for name, q := range p.peers {
		if now.Sub(q.heard) > forgetAfter {
			delete(p.peers, name)
		}
	}
}

// Alive returns the last beats of the workers that are alive, sorted by name.
func (p *Peers) Alive() []Heartbeat {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	var alive []Heartbeat
	for _, q := range p.peers {
		if now.Sub(q.heard) < silence && !q.beat.Leaving {
			alive = append(alive, q.beat)
		}
	}
	slices.SortFunc(alive, func(a, b Heartbeat) int { return strings.Compare(a.Worker, b.Worker) })
	return alive
}

// Dead reports whether a worker is known to be dead: it has said that it leaves, or one second has passed without a beat
// of it, in which its beats would have been heard. A worker is not dead because this process has lost its own connection,
// or has only begun to listen.
func (p *Peers) Dead(worker string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.since.IsZero() {
		return false
	}
	from := p.since
	q, known := p.peers[worker]
	if known && q.beat.Leaving {
		return true
	}
	if known && q.heard.After(from) {
		from = q.heard
	}
	return p.now().Sub(from) >= silence
}
