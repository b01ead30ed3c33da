package origin

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

// Server is an origin. It implements pipeline.Stage.
type Server struct {
	opts    Options
	metrics *metrics
	token   [sha256.Size]byte // of the ingest token: comparing digests takes the same time for tokens of any length
	handler http.Handler
	waiting atomic.Int64
	sprites *made
	muxed   *muxed
	parking parking
	heads   sync.Map // of laneKey to []byte: as many as there are target durations, see lane
}

// New returns a server. It serves when it is run.
func New(opts Options) (*Server, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	m, err := newMetrics(opts.Registerer, opts.Connections)
	if err != nil {
		return nil, err
	}
	if err := opts.Registerer.Register(newStoreMetrics(opts.Feeds, opts.Clips)); err != nil {
		return nil, fmt.Errorf("registering the store's metrics: %w", err)
	}
	muxed, err := newMuxed(opts)
	if err != nil {
		return nil, err
	}
	s := &Server{opts: opts, metrics: m, token: sha256.Sum256([]byte(opts.Token)), sprites: newSprites(), muxed: muxed}
	s.handler = s.routes()
	return s, nil
}

// Handler returns all that the server answers, for use in another HTTP server.
func (s *Server) Handler() http.Handler { return s.handler }

// Name implements pipeline.Stage.
func (s *Server) Name() string { return "origin" }

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /ingest/v1/{feed}/session", s.authorised(s.postSession))
	mux.HandleFunc("GET /ingest/v1/{feed}", s.authorised(s.getState))
	mux.HandleFunc("PUT /ingest/v1/{feed}/{rendition}/init", s.authorised(s.putInit))
	mux.HandleFunc("PUT /ingest/v1/{feed}/{rendition}/{msn}/{part}", s.authorised(s.putPart))
	mux.HandleFunc("GET /live/{feed}/index.m3u8", s.getMultivariant)
	mux.HandleFunc("GET /live/{feed}/{rendition}/{file}", s.getFile)
	mux.HandleFunc("GET /dvr/{feed}/index.m3u8", s.getMultivariant)
	mux.HandleFunc("GET /dvr/{feed}/{rendition}/{file}", s.getDVR)
	mux.HandleFunc("GET /vod/{feed}/index.m3u8", s.getPast)
	mux.HandleFunc("GET /vod/{feed}/{rendition}/{file}", s.getPastPlaylist)
	mux.HandleFunc("GET /api/v1/feeds", s.getFeeds)
	mux.HandleFunc("GET /api/v1/feeds/{feed}/events", s.getEvents)
	mux.HandleFunc("POST /api/v1/feeds/{feed}/events", s.authorised(s.postEvent))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	s.routePictures(mux)
	s.routeTS(mux)
	s.routeClips(mux)
	s.routePage(mux)
	return s.common(mux)
}

// Bounds of a connection.
const (
	idleTimeout  = 75 * time.Second // above that of common proxies, so that they close first
	headerBytes  = 16 << 10
	closeTimeout = 5 * time.Second
)

// Run serves until its context ends. Then waiting requests are answered at once, and answers under way get 5 s.
func (s *Server) Run(ctx context.Context) error {
	stages := s.listen(ctx, s.opts.Listener, s.opts.TLS)
	if s.opts.Plain != nil {
		stages = append(stages, s.listen(ctx, s.opts.Plain, nil)...)
	}
	if s.opts.Clips != nil {
		stages = append(stages, pipeline.Func(s.opts.Clips.Name(), func(ctx context.Context) error {
			if err := s.opts.Clips.Run(ctx); ctx.Err() == nil {
				return err
			}
			return nil
		}))
	}
	defer s.parking.end()
	if s.opts.Demands != nil {
		stages = append(stages, pipeline.Func(s.opts.Demands.Name(), func(ctx context.Context) error {
			s.opts.Demands.Run(ctx, s.opts.Feeds)
			return nil
		}))
	}
	return pipeline.Run(ctx, stages...)
}

// listen returns the stages that serve on one listener.
func (s *Server) listen(ctx context.Context, listener net.Listener, config *tls.Config) []pipeline.Stage {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true) // for a proxy on the same host
	server := &http.Server{
		Handler:           s.handler,
		TLSConfig:         config,
		ReadHeaderTimeout: s.opts.HeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    headerBytes,
		Protocols:         protocols,
		// The limit of an answer ends its stream, but who writes it would wait for ever for a client that reads no more.
		HTTP2:       &http.HTTP2Config{WriteByteTimeout: s.opts.WriteTimeout},
		ConnContext: withConn,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    slog.NewLogLogger(s.opts.Logger.Handler(), slog.LevelDebug),
	}
	fresh := newLimited(listener, s.opts.Connections, s.metrics.connections)
	stages := []pipeline.Stage{
		pipeline.Func("serving", func(context.Context) error { return serve(server, fresh, config != nil) }),
		pipeline.Func("closing", func(ctx context.Context) error {
			<-ctx.Done()
			s.parking.hasten()
			return closeServer(ctx, server)
		}),
	}
	if config == nil { // a tls.Conn's bytes are not ours to write
		fresh.back = newReturned(listener.Addr(), idleTimeout, s.opts.HeaderTimeout)
		s.parking.homes = append(s.parking.homes, fresh.back)
		stages = append(stages,
			pipeline.Func("serving again", func(context.Context) error { return serve(server, fresh.back, false) }),
			pipeline.Func("lanes", func(ctx context.Context) error { return s.resumeAll(ctx, fresh.back.lanes) }))
	}
	return stages
}

func serve(server *http.Server, listener net.Listener, secure bool) error {
	var err error
	if secure {
		err = server.ServeTLS(listener, "", "")
	} else {
		err = server.Serve(listener)
	}
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving HTTP: %w", err)
	}
	return nil
}

func closeServer(ctx context.Context, server *http.Server) error {
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		_ = server.Close() // what is still under way has had its time
	}
	return nil
}
