package bus

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

const (
	readyTimeout = 10 * time.Second
	// minFree is the least room on disk to begin with: below it the first writes would freeze the streams.
	minFree       = 16 << 20
	embeddedUser  = "venuecast"
	syncInterval  = 5 * time.Second // what a power failure may cost; a crash of the process costs nothing
	maxMemoryByte = 256 << 20       // of memory-backed streams, of which there are none
)

// EmbeddedOptions configures a server within this process.
type EmbeddedOptions struct {
	// Dir holds the streams. It is made if it does not exist, and belongs to one process at a time.
	Dir string
	// Port on 127.0.0.1. It defaults to any free one.
	Port int
	// MaxStoreBytes bounds what the streams may reserve on disk. It defaults to three quarters of the free room.
	MaxStoreBytes int64
	// Credential is the password of clients. It defaults to a random one made at start.
	Credential string
	// Logger defaults to none.
	Logger *slog.Logger
}

// Embedded is a NATS server with JetStream within this process. It listens on the loopback interface only.
// Close must be called once, after all connections of this process are closed.
type Embedded struct {
	server     *server.Server
	lock       *os.File
	credential string
}

// StartEmbedded starts a server and returns when it takes connections.
func StartEmbedded(o EmbeddedOptions) (*Embedded, error) {
	if o.Credential == "" {
		o.Credential = rand.Text()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	lock, err := takeStore(o.Dir)
	if err != nil {
		return nil, err
	}
	s, err := startServer(o)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting the embedded NATS server: %w", err), lock.Close())
	}
	return &Embedded{server: s, lock: lock, credential: o.Credential}, nil
}

// takeStore makes dir if it does not exist, locks it, and looks whether there is room.
func takeStore(dir string) (*os.File, error) {
	if dir == "" {
		return nil, errors.New("no directory given for the store of the embedded NATS server")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making store %s: %w", dir, err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	free, err := freeBytes(dir)
	if err == nil {
		err = checkRoom(dir, free)
	}
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

func checkRoom(dir string, free int64) error {
	if free < minFree {
		return fmt.Errorf("disk full: %d MiB free for store %s, want at least %d", free>>20, dir, int64(minFree)>>20)
	}
	return nil
}

func startServer(o EmbeddedOptions) (*server.Server, error) {
	port := o.Port
	if port == 0 {
		port = server.RANDOM_PORT
	}
	s, err := server.NewServer(&server.Options{
		ServerName: "venuecast", Host: "127.0.0.1", Port: port,
		Username: embeddedUser, Password: o.Credential,
		JetStream: true, StoreDir: o.Dir, JetStreamMaxMemory: maxMemoryByte, JetStreamMaxStore: o.MaxStoreBytes,
		SyncInterval: syncInterval, MaxPayload: maxPayload,
		NoSigs: true, DisableJetStreamBanner: true,
	})
	if err != nil {
		return nil, err
	}
	log := &serverLog{logger: o.Logger}
	s.SetLoggerV2(log, false, false, false)
	s.Start()
	ready := log.fatal() == nil && s.ReadyForConnections(readyTimeout)
	if err := log.fatal(); err != nil {
		stopServer(s)
		return nil, err
	}
	if !ready {
		stopServer(s)
		return nil, fmt.Errorf("not ready after %v", readyTimeout)
	}
	return s, nil
}

func stopServer(s *server.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}

// URL returns the address with the credential in it, for processes of this machine. It must not be logged.
func (e *Embedded) URL() string {
	u := url.URL{Scheme: "nats", User: url.UserPassword(embeddedUser, e.credential), Host: e.server.Addr().String()}
	return u.String()
}

// Redacted returns the address without the credential, for logs.
func (e *Embedded) Redacted() string { return "nats://" + e.server.Addr().String() }

// Close stops the server, writes out what it holds, and lets go of the store. Stages that write come first: end them,
// then their connections, then the server.
func (e *Embedded) Close() error {
	stopServer(e.server)
	if err := e.lock.Close(); err != nil {
		return fmt.Errorf("unlocking the store: %w", err)
	}
	return nil
}
