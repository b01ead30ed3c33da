package bus

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
)

func TestEmbeddedTakesItsCredentialOnly(t *testing.T) {
	e := startEmbedded(t, EmbeddedOptions{})
	_, err := nats.Connect(e.Redacted())
	require.ErrorIs(t, err, nats.ErrAuthorization)
	c := connect(t, Options{URL: e.URL()})
	require.True(t, c.nc.IsConnected())
	require.NotContains(t, e.Redacted(), e.credential)
	require.Equal(t, int64(maxPayload), c.nc.MaxPayload())
}

func TestCredentialsDifferFromStartToStart(t *testing.T) {
	require.NotEqual(t, startEmbedded(t, EmbeddedOptions{}).credential, startEmbedded(t, EmbeddedOptions{}).credential)
}

func TestEmbeddedSaysWhatIsWrong(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer busy.Close()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	used := startEmbedded(t, EmbeddedOptions{Dir: filepath.Join(t.TempDir(), "used")})
	cases := map[string]EmbeddedOptions{
		"no directory":         {},
		"making store":         {Dir: filepath.Join(file, "below")},
		"another process uses": {Dir: filepath.Dir(used.lock.Name())},
		"listening on port":    {Dir: filepath.Join(t.TempDir(), "x"), Port: busy.Addr().(*net.TCPAddr).Port},
	}
	for want, o := range cases {
		t.Run(want, func(t *testing.T) {
			_, err := StartEmbedded(o)
			require.ErrorContains(t, err, want)
		})
	}
}

func TestAStoreThatIsNotWritableIsSaid(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "lock"), 0o700)) // so that nobody, not even root, can open it
	_, err := StartEmbedded(EmbeddedOptions{Dir: dir})
	require.ErrorContains(t, err, "not writable")
}

func TestAFullDiskIsSaid(t *testing.T) {
	require.ErrorContains(t, checkRoom("/data", 1<<20), "disk full: 1 MiB free for store /data, want at least 16")
	require.NoError(t, checkRoom("/data", 1<<30))
}

func TestCloseLetsGoOfTheStore(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		e, err := StartEmbedded(EmbeddedOptions{Dir: dir, MaxStoreBytes: 1 << 30})
		require.NoError(t, err)
		require.NoError(t, e.Close())
	}
}

func TestConnectKeepsTryingAndSaysSoOnce(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	require.NoError(t, l.Close())

	var log bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), 4*dialPause)
	defer cancel()
	o := Options{URL: "nats://user:secret@" + l.Addr().String(), Name: "test", Logger: slog.New(slog.NewTextHandler(&log, nil))}
	_, err = Connect(ctx, o)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, 1, bytes.Count(log.Bytes(), []byte("unreachable")))
	require.NotContains(t, log.String()+err.Error(), "secret")

	connected := make(chan error, 1)
	go func() {
		c, err := Connect(limited(t), Options{URL: "nats://venuecast:late@" + l.Addr().String(), Name: "test"})
		if err == nil {
			err = c.Close()
		}
		connected <- err
	}()
	startEmbedded(t, EmbeddedOptions{Port: port, Credential: "late"})
	select {
	case err := <-connected:
		require.NoError(t, err)
	case <-time.After(patience):
		t.Fatal("not connected")
	}
}

func TestConnectRefusesWhatCannotWork(t *testing.T) {
	for want, o := range map[string]Options{
		"connection name": {URL: "nats://localhost", Name: "a.b"},
		"NATS URL 1":      {Name: "test"},
		"NATS URL 2":      {URL: "nats://localhost,nats://user:pa%ss@x", Name: "test"},
	} {
		_, err := Connect(t.Context(), o)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "pa%ss")
	}
}

func TestRedactTakesPasswordsOutOfEveryURL(t *testing.T) {
	s, err := redact("nats://a:b@one:4222, tls://c:d@two,three:4222")
	require.NoError(t, err)
	require.Equal(t, "nats://one:4222,tls://two,nats://three:4222", s)
}
