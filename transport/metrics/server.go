package metrics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/venuecast/venuecast/pipeline"
)

// Options is what a Server needs.
type Options struct {
	Listen   string              // host:port
	Gatherer prometheus.Gatherer // of /metrics
	Healthy  func() error        // what /healthz says. It defaults to always healthy
}

// Server serves /metrics, /healthz and /debug/pprof. It is a pipeline.Stage.
type Server struct {
	listener net.Listener
	http     http.Server
}

// The time limits of the server. A CPU profile takes 30 s by default.
const (
	readTimeout     = 5 * time.Second
	writeTimeout    = 2 * time.Minute
	shutdownTimeout = 2 * time.Second
)

// NewServer listens at once, so that a port that is taken is an error here. Run must be called, or Close.
func NewServer(o Options) (*Server, error) {
	listener, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("listening for metrics on %s: %w", o.Listen, err)
	}
	return &Server{listener: listener, http: http.Server{
		Handler:           handler(o),
		ReadHeaderTimeout: readTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		MaxHeaderBytes:    16 << 10,
	}}, nil
}

func handler(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(o.Gatherer, promhttp.HandlerOpts{
		// One child's bad snapshot must not hide the rest.
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: 8,
	}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if o.Healthy != nil {
			if err := o.Healthy(); err != nil {
				http.Error(w, err.Error(), http.StatusServiceUnavailable)
				return
			}
		}
		_, _ = io.WriteString(w, "ok\n") // a client that has gone needs no answer
	})
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

// Addr returns the address it listens on.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Name returns "metrics".
func (s *Server) Name() string { return "metrics" }

// Run serves until the context ends, and returns its error.
func (s *Server) Run(ctx context.Context) error {
	serve := pipeline.Func("serving", func(context.Context) error {
		if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	stop := pipeline.Func("stopping", func(ctx context.Context) error {
		<-ctx.Done()
		return errors.Join(context.Cause(ctx), s.shutdown(context.WithoutCancel(ctx)))
	})
	return pipeline.Run(ctx, serve, stop)
}

// shutdown lets requests end for a moment, then closes their connections.
func (s *Server) shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, shutdownTimeout)
	defer cancel()
	if s.http.Shutdown(ctx) == nil {
		return nil
	}
	return s.http.Close()
}

// Close ends a server that was never run.
func (s *Server) Close() error { return s.listener.Close() }
