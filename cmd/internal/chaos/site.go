//go:build cgo

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/venuecast/venuecast/pipeline"
)

// The feed of the site, and its pictures per second.
const (
	feedID    = "cam"
	frameRate = 25
)

// site is a venue in processes of its own: camera, wire to the camera, NATS, two ingests, two workers, an origin.
type site struct {
	dir      string
	binaries binaries
	ctx      context.Context //nolint:containedctx // of the processes, which come and go while the site lives
	stop     context.CancelFunc

	wire      *wire
	wires     pipeline.Group
	camera    *program
	nats      []*program
	natsURLs  []string
	monitors  []string // where each NATS server tells who leads
	ingests   []*program
	workers   []*program
	origin    *program
	originURL string
	disk      *disk
}

// layout says what kind of site it is.
type layout struct {
	servers int  // of NATS: 0, 1, or 3; without any, one process has all roles and embeds NATS
	udp     bool // between camera and ingest
	warm    bool // the second ingest is connected to the camera, too
}

// newSite starts all that the layout names, and returns when everything is ready.
func newSite(ctx context.Context, dir string, b binaries, l layout) (*site, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	s := &site{dir: dir, binaries: b, ctx: ctx, stop: stop}
	if err := s.open(l); err != nil { //nolint:contextcheck // the site's own context ends all that it has started
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *site) open(l layout) error {
	if err := s.openNATS(l.servers); err != nil {
		return err
	}
	if err := s.openCamera(l.udp); err != nil {
		return err
	}
	var err error
	if s.disk, err = newDisk(filepath.Join(s.dir, "origin")); err != nil {
		return err
	}
	originAddr, err := freeAddress()
	if err != nil {
		return err
	}
	s.originURL = "http://" + originAddr
	if l.servers == 0 {
		s.origin, err = s.role("serve", "serve", originAddr, l)
		return err
	}
	if s.origin, err = s.role("origin", "origin", originAddr, l); err != nil {
		return err
	}
	for _, name := range []string{"a", "b"} {
		in, err := s.role("ingest", "ingest-"+name, originAddr, l)
		if err != nil {
			return err
		}
		w, err := s.role("transcode", "transcode-"+name, originAddr, l)
		if err != nil {
			return err
		}
		s.ingests, s.workers = append(s.ingests, in), append(s.workers, w)
	}
	return nil
}

// openCamera starts a camera and the wire to it.
func (s *site) openCamera(udp bool) error {
	addr, err := freeAddress()
	if err != nil {
		return err
	}
	if s.wire, err = newWire(addr, udp); err != nil {
		return err
	}
	s.wires.Start(s.ctx, s.wire, func(error) {})
	return s.startCamera(cameraOptions{size: "640x360"})
}

// cameraOptions is how a camera differs from the one before.
type cameraOptions struct {
	size          string
	clockFromZero bool // its RTP times count from its start
}

func (s *site) startCamera(o cameraOptions) error {
	args := []string{s.binaries.venuecast, "camera", "--listen", s.wire.target, "--size", o.size, "--fps", "25", "--bitrate", "1500000"}
	if o.clockFromZero {
		args = append(args, "--clock-from-zero")
	}
	if s.camera == nil {
		var err error
		if s.camera, err = newProgram(s.dir, "camera"); err != nil {
			return err
		}
	}
	s.camera.args = args
	if err := s.camera.start(s.ctx); err != nil {
		return err
	}
	return s.camera.await(s.ctx)
}

// role starts a process of venuecast and waits until it is ready.
func (s *site) role(role, name, originAddr string, l layout) (*program, error) {
	metrics, err := freeAddress()
	if err != nil {
		return nil, err
	}
	config := filepath.Join(s.dir, name+".yaml")
	text := s.config(name, originAddr, metrics, l)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	p, err := newProgram(s.dir, name, s.binaries.venuecast, role, "-c", config)
	if err != nil {
		return nil, err
	}
	if err := p.start(s.ctx); err != nil {
		return nil, err
	}
	return p, p.await(s.ctx)
}

func (s *site) config(name, originAddr, metrics string, l layout) string {
	transport := "tcp"
	if l.udp {
		transport = "udp"
	}
	standby := "cold"
	if l.warm {
		standby = "warm"
	}
	return fmt.Sprintf(`venue: chaos
data: %q
nats: {url: %q, replicas: %d}
origin: {listen: %q, push_token: chaos, url: "http://%s"}
metrics: {listen: %q}
log: {level: debug}
worker: {name: %s}
feeds: [{id: %s, source: %q, transport: %s, standby: %s, ladder: chaos}]
ladders:
  chaos:
    segment: 2s
    part: 320ms
    dvr: 10m
    video:
      - {name: 360p, height: 360, bitrate: 600k, preset: superfast}
      - {name: 180p, height: 180, bitrate: 200k, preset: superfast}
    audio: [{name: stereo, bitrate: 96k, language: en}]
`, s.data(name), strings.Join(s.natsURLs, ","), max(l.servers, 1), originAddr, originAddr, metrics, name,
		feedID, "rtsp://"+s.wire.addr()+"/camera", transport, standby)
}

// data returns the folder of a role. That of the origin can be filled.
func (s *site) data(name string) string {
	if name == "origin" {
		return s.disk.dir
	}
	return filepath.Join(s.dir, "data-"+name)
}

// owner returns which of several processes has the feed.
func owner(list []*program) (who *program) {
	for _, p := range list {
		if who == nil || p.claimedAt().After(who.claimedAt()) {
			who = p
		}
	}
	return who
}

// restart starts a program that was killed.
func (s *site) restart(p *program) error {
	p.group.Wait()
	return p.start(s.ctx)
}

func (s *site) liveURL() string { return s.originURL + "/live/" + feedID + "/index.m3u8" }

// close ends everything. It may be called for no site.
func (s *site) close() {
	if s == nil {
		return
	}
	s.stop()
	for _, p := range s.programs() {
		p.close()
	}
	s.wires.Wait()
	if s.disk != nil {
		s.disk.close()
	}
}

func (s *site) programs() (list []*program) {
	all := append(append(append([]*program{s.camera, s.origin}, s.nats...), s.ingests...), s.workers...)
	for _, p := range all {
		if p != nil {
			list = append(list, p)
		}
	}
	return list
}

// freeAddress returns an address of this machine that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}
