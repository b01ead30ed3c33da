package loadtest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

// HostileOptions says what is done to an origin on this machine.
type HostileOptions struct {
	// Address is the origin's host and port.
	Address string
	// Path is a playlist that a good client fetches all the while.
	Path string
	// PID is the origin's process.
	PID int
	// Slow is the number of connections whose request header comes byte by byte. It defaults to 1000.
	Slow int
	// Idle is the number of connections that have had an answer and ask nothing more. It defaults to 10000.
	Idle int
	// During is how long each is kept up. It defaults to 10 s.
	During time.Duration
}

// Attack is what was seen during one of them.
type Attack struct {
	Name        string
	Connections int
	Resident    int64 // of the origin, in bytes
	Good        Latency
	Failed      int // answers that the good client did not get
}

// Hostile lets a good client fetch a playlist: alone, beside each kind of hostile client, and when they have gone.
func Hostile(ctx context.Context, o HostileOptions) ([]Attack, error) {
	if o.Slow <= 0 {
		o.Slow = 1000
	}
	if o.Idle <= 0 {
		o.Idle = 10000
	}
	if o.During <= 0 {
		o.During = 10 * time.Second
	}
	var seen []Attack
	for _, step := range []struct {
		name        string
		connections int
		keepUp      func(context.Context, []net.Conn)
	}{
		{"alone", 0, nil},
		{"header byte by byte", o.Slow, o.trickle},
		{"idle connections", o.Idle, nil},
		{"1 MB headers", 8, o.largeHeaders},
		{"after them", 0, nil},
	} {
		a, err := o.attack(ctx, step.connections, step.keepUp)
		if err != nil {
			return seen, fmt.Errorf("%s: %w", step.name, err)
		}
		a.Name = step.name
		seen = append(seen, a)
	}
	return seen, nil
}

// attack opens connections, uses them, and watches a good client.
func (o HostileOptions) attack(ctx context.Context, connections int, keepUp func(context.Context, []net.Conn)) (Attack, error) {
	conns := make([]net.Conn, 0, connections)
	defer func() {
		for _, c := range conns {
			_ = c.Close() // nothing more is wanted of it
		}
	}()
	for range connections {
		c, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "tcp", o.Address)
		if err != nil {
			return Attack{}, fmt.Errorf("connecting: %w", err)
		}
		conns = append(conns, c)
		if keepUp == nil {
			if err := askOnce(c); err != nil {
				return Attack{}, err
			}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, o.During)
	defer cancel()
	good := &goodClient{o: &o}
	stages := []pipeline.Stage{pipeline.Func("good client", good.run)}
	if keepUp != nil {
		stages = append(stages, pipeline.Func("hostile clients", func(ctx context.Context) error {
			keepUp(ctx, conns)
			return nil
		}))
	}
	if err := pipeline.Run(ctx, stages...); err != nil {
		return Attack{}, err
	}
	return Attack{Connections: connections, Resident: residentBytes(o.PID), Good: latency(good.took, o.During), Failed: good.failed}, nil
}

// askOnce has one request answered, so that the connection counts as idle.
func askOnce(c net.Conn) error {
	var r reader
	r.conn, r.buffer = c, make([]byte, 1024)
	if _, err := io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return fmt.Errorf("asking: %w", err)
	}
	_, err := r.read()
	return err
}

// trickle sends one byte per second on each connection, and connects anew where the origin has hung up.
func (o HostileOptions) trickle(ctx context.Context, conns []net.Conn) {
	header := "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: " + strings.Repeat("a", 100)
	for n := 0; ; n++ {
		for i := range conns {
			if _, err := io.WriteString(conns[i], header[n%len(header):n%len(header)+1]); err != nil {
				_ = conns[i].Close() // it has been cut off
				if c, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", o.Address); err == nil {
					conns[i] = c
				}
			}
		}
		if !pause(ctx, time.Second) {
			return
		}
	}
}

// largeHeaders sends a header of 1 MB on each connection, again and again.
func (o HostileOptions) largeHeaders(ctx context.Context, conns []net.Conn) {
	request := "GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("a", 1<<20) + "\r\n\r\n"
	for n := 0; ctx.Err() == nil; n++ {
		i := n % len(conns)
		_ = conns[i].SetDeadline(deadline(ctx))  // a connection that cannot have one fails below
		_, _ = io.WriteString(conns[i], request) // the origin hangs up before the end of it
		_, _ = io.Copy(io.Discard, conns[i])     // what it said matters to the tests
		_ = conns[i].Close()                     // for the next one
		if c, err := (&net.Dialer{}).DialContext(ctx, "tcp", o.Address); err == nil {
			conns[i] = c
		}
		if !pause(ctx, 10*time.Millisecond) {
			return
		}
	}
}

// goodClient fetches a playlist fifty times a second, on a connection of its own each time.
type goodClient struct {
	o      *HostileOptions
	took   []time.Duration
	failed int
}

func (g *goodClient) run(ctx context.Context) error {
	r := reader{buffer: make([]byte, readerBytes)}
	for pause(ctx, 20*time.Millisecond) {
		began := time.Now()
		if err := g.fetch(ctx, &r); err == nil {
			g.took = append(g.took, time.Since(began))
		} else if !over(ctx) {
			g.failed++
		}
	}
	return nil
}

func (g *goodClient) fetch(ctx context.Context, r *reader) error {
	c, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", g.o.Address)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer func() { _ = c.Close() }() // nothing more is wanted of it
	_ = c.SetDeadline(deadline(ctx)) // a connection that cannot have one fails below
	r.conn = c
	if _, err := io.WriteString(c, "GET "+g.o.Path+" HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n"); err != nil {
		return fmt.Errorf("asking: %w", err)
	}
	a, err := r.read()
	if err == nil && a.status != http.StatusOK {
		err = fmt.Errorf("status %d", a.status)
	}
	return err
}
