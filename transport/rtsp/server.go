package rtsp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/description"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
)

// ServerTrack is one track of the test camera.
type ServerTrack struct {
	Format codecs.Format
	// ParameterSets are NAL units for the session description. It defaults to none: the stream carries them anyway.
	ParameterSets [][]byte
}

// ServerOptions describe the test camera. Tracks is required.
type ServerOptions struct {
	// Listen is the TCP address. It defaults to "127.0.0.1:0".
	Listen string
	// Path of the stream. It defaults to "camera".
	Path string
	// User and Password must be given by viewers (Basic or Digest). An empty user lets everyone in.
	User, Password string
	Tracks         []ServerTrack
	// Logger takes what readers get wrong. It defaults to none.
	Logger *slog.Logger
}

// Server is the test camera: many readers, TCP and UDP, and sender reports each second.
type Server struct {
	options  ServerOptions
	listener net.Listener
	tracks   []*serverTrack
	desc     *description.Session

	mu       sync.Mutex // guards the fields below
	stream   *gortsplib.ServerStream
	conns    map[*gortsplib.ServerConn]struct{}
	sessions map[*gortsplib.ServerSession]struct{}
}

// NewServer listens. Run must be called once, also to close the listener.
func NewServer(o ServerOptions) (*Server, error) {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Path = strings.Trim(o.Path, "/"); o.Path == "" {
		o.Path = "camera"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{
		options:  o,
		desc:     &description.Session{Title: o.Path},
		conns:    make(map[*gortsplib.ServerConn]struct{}),
		sessions: make(map[*gortsplib.ServerSession]struct{}),
	}
	for i, t := range o.Tracks {
		track, err := newServerTrack(t)
		if err != nil {
			return nil, fmt.Errorf("track %d of the test camera: %w", i, err)
		}
		s.tracks = append(s.tracks, track)
		s.desc.Medias = append(s.desc.Medias, track.media)
	}
	if len(s.tracks) == 0 {
		return nil, errors.New("the test camera has no track")
	}
	var err error
	if s.listener, err = net.Listen("tcp", o.Listen); err != nil {
		return nil, fmt.Errorf("listening for RTSP: %w", err)
	}
	return s, nil
}

// Addr returns the TCP address that is listened on.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// URL returns the address of the stream, with user and password.
func (s *Server) URL() string {
	u := url.URL{Scheme: "rtsp", Host: s.Addr().String(), Path: "/" + s.options.Path}
	if s.options.User != "" {
		u.User = url.UserPassword(s.options.User, s.options.Password)
	}
	return u.String()
}

// writeQueue is how many packets a reader may be behind: some 5 MB, a large random access picture at once.
const writeQueue = 4096

// Run serves until ctx ends, which is not an error.
func (s *Server) Run(ctx context.Context) error {
	defer s.listener.Close()
	udp, err := listenUDPPair(s.listener.Addr().(*net.TCPAddr).IP)
	if err != nil {
		return fmt.Errorf("test camera: %w", err)
	}
	defer udp.close()
	server := &gortsplib.Server{
		Handler:                  &handler{s},
		RTSPAddress:              s.listener.Addr().String(),
		Listen:                   func(string, string) (net.Listener, error) { return s.listener, nil },
		UDPRTPAddress:            udp.rtp.LocalAddr().String(),
		UDPRTCPAddress:           udp.rtcp.LocalAddr().String(),
		ListenPacket:             udp.listen,
		WriteQueueSize:           writeQueue,
		DisableRTCPSenderReports: true, // the first of the library's own comes after 10 s
	}
	stream, err := s.open(server)
	if err != nil {
		return fmt.Errorf("starting the test camera: %w", err)
	}
	// Wait ends when Close has been called, or for an error of the listener.
	err = pipeline.Run(ctx,
		pipeline.Func("test camera", func(context.Context) error { return server.Wait() }),
		pipeline.Func("closing the test camera", func(ctx context.Context) error {
			<-ctx.Done()
			s.setStream(nil)
			stream.Close()
			server.Close()
			return nil
		}))
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// open starts the server and its stream. Readers may be waiting already: they are answered when both are there.
func (s *Server) open(server *gortsplib.Server) (*gortsplib.ServerStream, error) {
	s.mu.Lock()
	if err := server.Start(); err != nil {
		s.mu.Unlock()
		return nil, err
	}
	stream := &gortsplib.ServerStream{Server: server, Desc: s.desc}
	err := stream.Initialize()
	if err == nil {
		s.stream = stream
	}
	s.mu.Unlock()
	if err != nil {
		server.Close() // waits for readers, which wait for the lock
		return nil, err
	}
	return stream, nil
}

func (s *Server) setStream(stream *gortsplib.ServerStream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stream = stream
}

// Write sends one access unit of a track to all who watch: rtp is its time in units of the track's RTP clock, ntp the
// same time by the wall clock, for sender reports. Both are sent as they are, so a caller can be a bad camera.
// When nobody watches, or the server does not run, the unit is dropped. Writes to one track come one after the other.
func (s *Server) Write(track int, au codecs.AccessUnit, rtp uint32, ntp time.Time) error {
	s.mu.Lock()
	stream := s.stream
	s.mu.Unlock()
	if stream == nil {
		return nil
	}
	return s.tracks[track].write(stream, au.Data, rtp, ntp)
}

// Disconnect drops all readers at once, as a camera does that is switched off and on. New ones may come.
func (s *Server) Disconnect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.sessions {
		c.Close()
	}
	for c := range s.conns {
		c.Close()
	}
}

// Readers returns the number of sessions.
func (s *Server) Readers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}
