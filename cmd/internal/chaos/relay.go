//go:build cgo

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

const (
	// lost is the part of UDP packets that a bad network loses, jitter the longest time by which it delays one.
	lost   = 0.02
	jitter = 200 * time.Millisecond
)

var (
	clientPorts = regexp.MustCompile(`client_port=(\d+)-(\d+)`)
	serverPorts = regexp.MustCompile(`server_port=(\d+)-(\d+)`)
)

// relay puts itself between the UDP ports that client and camera agree on over RTSP (RFC 2326 §12.39).
type relay struct {
	group pipeline.Group

	mu    sync.Mutex // guards the field below
	pairs []*pair    // one for each SETUP, in order
}

// pair is the way of one track: RTP and RTCP.
type pair struct {
	toClient, toCamera [2]*net.UDPConn // the ports that the client and the camera see
	client, camera     [2]int          // the ports that they use
}

// request puts our ports in the place of the client's.
func (r *relay) request(_ context.Context, data []byte) ([]byte, error) {
	var err error
	out := clientPorts.ReplaceAllFunc(data, func(m []byte) []byte {
		var p *pair
		if p, err = newPair(ports(clientPorts, m)); err != nil {
			return m
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.pairs = append(r.pairs, p)
		return []byte("client_port=" + portsOf(p.toCamera))
	})
	return out, err
}

// response puts our ports in the place of the camera's, and begins to carry.
func (r *relay) response(ctx context.Context, data []byte) ([]byte, error) {
	found := serverPorts.Find(data)
	if found == nil {
		return data, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.pairs) == 0 {
		return nil, errors.New("the camera answered a SETUP that nobody made")
	}
	p := r.pairs[len(r.pairs)-1]
	p.camera = ports(serverPorts, found)
	for i := range 2 {
		r.group.Start(ctx, pipeline.Func("to client", func(context.Context) error {
			return r.carry(p.toCamera[i], p.toClient[i], p.client[i])
		}), func(error) {})
		r.group.Start(ctx, pipeline.Func("to camera", func(context.Context) error {
			return r.carry(p.toClient[i], p.toCamera[i], p.camera[i])
		}), func(error) {})
	}
	data = clientPorts.ReplaceAll(data, fmt.Appendf(nil, "client_port=%d-%d", p.client[0], p.client[1]))
	return serverPorts.ReplaceAll(data, []byte("server_port="+portsOf(p.toClient))), nil
}

// carry loses and delays packets. Each is delayed by itself, so they also overtake each other.
func (r *relay) carry(from, by *net.UDPConn, port int) error {
	to := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}
	buffer := make([]byte, 64<<10)
	for {
		n, _, err := from.ReadFromUDP(buffer)
		if err != nil {
			return err
		}
		if rand.Float64() < lost {
			continue
		}
		packet := append([]byte(nil), buffer[:n]...)
		time.AfterFunc(rand.N(jitter), func() { _, _ = by.WriteToUDP(packet, to) }) // a network tells nobody what it loses
	}
}

// close ends what is carried.
func (r *relay) close() {
	r.mu.Lock()
	for _, p := range r.pairs {
		for i := range 2 {
			_ = p.toClient[i].Close() // that is how carry is told
			_ = p.toCamera[i].Close()
		}
	}
	r.mu.Unlock()
	r.group.Wait()
}

func newPair(client [2]int) (*pair, error) {
	p := &pair{client: client}
	for _, side := range []*[2]*net.UDPConn{&p.toClient, &p.toCamera} {
		for i := range side {
			c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
			if err != nil {
				return nil, err
			}
			side[i] = c
		}
	}
	return p, nil
}

func ports(e *regexp.Regexp, text []byte) (out [2]int) {
	for i, m := range e.FindSubmatch(text)[1:] {
		out[i], _ = strconv.Atoi(string(m)) // the expression lets only digits through
	}
	return out
}

func portsOf(side [2]*net.UDPConn) string {
	port := func(c *net.UDPConn) int { return c.LocalAddr().(*net.UDPAddr).Port }
	return fmt.Sprintf("%d-%d", port(side[0]), port(side[1]))
}
