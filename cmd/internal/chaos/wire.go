//go:build cgo

package main

import (
	"context"
	"errors"
	"net"
	"sync"

	"github.com/venuecast/venuecast/pipeline"
)

// wire is the network between ingests and the camera. It can be cut, in the middle of whatever it carries.
type wire struct {
	target   string // the camera
	listener net.Listener
	udp      bool // media go over UDP, through a bad network

	mu    sync.Mutex // guards the fields below
	down  bool
	conns map[net.Conn]struct{}
}

func newWire(target string, udp bool) (*wire, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &wire{target: target, listener: l, udp: udp, conns: map[net.Conn]struct{}{}}, nil
}

func (w *wire) addr() string { return w.listener.Addr().String() }

// Name names the stage.
func (w *wire) Name() string { return "wire" }

// Run carries connections until ctx ends.
func (w *wire) Run(ctx context.Context) error {
	var group pipeline.Group
	defer group.Wait()
	stop := context.AfterFunc(ctx, func() {
		_ = w.listener.Close() // that is how Accept is told
		w.cut()
	})
	defer stop()
	for {
		c, err := w.listener.Accept()
		if err != nil {
			return err
		}
		group.Start(ctx, pipeline.Func("connection", func(ctx context.Context) error { return w.carry(ctx, c) }), func(error) {})
	}
}

// cut ends all connections in the middle of what they carry, and lets none through until mend.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = true
	for c := range w.conns {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // what is on its way is lost, too
		}
		_ = c.Close()
	}
}

// mend lets connections through again.
func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = false
}

// add takes a connection into what a cut ends.
func (w *wire) add(c net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.down {
		_ = c.Close() // as a cable that is out does
		return false
	}
	w.conns[c] = struct{}{}
	return true
}

func (w *wire) remove(c net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.conns, c)
	_ = c.Close() // it may be closed already
}

var errDown = errors.New("the wire is cut")

// carry carries one connection, both ways.
func (w *wire) carry(ctx context.Context, client net.Conn) error {
	if !w.add(client) {
		return errDown
	}
	defer w.remove(client)
	camera, err := (&net.Dialer{}).DialContext(ctx, "tcp", w.target)
	if err != nil {
		return err
	}
	if !w.add(camera) {
		return errDown
	}
	defer w.remove(camera)
	relay := &relay{}
	defer relay.close()
	up, down := plain, plain
	if w.udp {
		up, down = relay.request, relay.response
	}
	return pipeline.Run(ctx,
		pipeline.Func("up", func(ctx context.Context) error { return w.copy(ctx, camera, client, up) }),
		pipeline.Func("down", func(ctx context.Context) error { return w.copy(ctx, client, camera, down) }),
	)
}

func plain(_ context.Context, data []byte) ([]byte, error) { return data, nil }

// copy carries one way, through change.
func (w *wire) copy(ctx context.Context, to, from net.Conn, change func(context.Context, []byte) ([]byte, error)) error {
	defer to.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return err
		}
		data, err := change(ctx, buffer[:n])
		if err != nil {
			return err
		}
		if _, err := to.Write(data); err != nil {
			return err
		}
	}
}
