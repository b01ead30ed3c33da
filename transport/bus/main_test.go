package bus

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
)

// patience bounds every wait of these tests.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	dir, node := os.Getenv(serverDirEnv), os.Getenv(nodeNameEnv)
	switch {
	case node != "":
		serveNode(node, dir)
		return
	case dir != "":
		serve(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// limited returns a context that ends with the test, or when the test has waited for too long.
func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func testLog(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}

func startEmbedded(t *testing.T, o EmbeddedOptions) *Embedded {
	t.Helper()
	if o.Dir == "" {
		o.Dir = filepath.Join(t.TempDir(), "store")
	}
	if o.MaxStoreBytes == 0 {
		o.MaxStoreBytes = 2 << 30
	}
	e, err := StartEmbedded(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e
}

func connect(t *testing.T, o Options) *Conn {
	t.Helper()
	if o.Name == "" {
		o.Name = "test"
	}
	o.Logger = testLog(t)
	c, err := Connect(limited(t), o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() }) // fails where the test took the server away
	return c
}

// local returns a connection to a server of its own.
func local(t *testing.T) *Conn {
	t.Helper()
	return connect(t, Options{Embedded: startEmbedded(t, EmbeddedOptions{})})
}

// running is a writer whose Run runs.
type running struct {
	*Writer
	done chan error
}

func startWriter(t *testing.T, c *Conn, o WriterOptions) running {
	t.Helper()
	o.Feed = "lobby"
	w, err := c.NewWriter(o)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	r := running{w, make(chan error, 1)}
	go func() { r.done <- w.Run(ctx); close(r.done) }()
	t.Cleanup(func() {
		cancel()
		if err := <-r.done; err != nil { // a test that cares has taken it
			t.Logf("the writer has ended: %v", err)
		}
	})
	return r
}

// wait returns how Run ended.
func (r running) wait(t *testing.T) error {
	t.Helper()
	select {
	case err := <-r.done:
		return err
	case <-time.After(patience):
		t.Fatal("the writer does not end")
		return nil
	}
}

// claimed waits until the writer may write.
func (r running) claimed(t *testing.T) {
	t.Helper()
	until(t, "the claim", func() bool { return r.Stats().Epoch > 0 })
}

// stored waits until the stream has everything.
func (r running) stored(t *testing.T) {
	t.Helper()
	until(t, "the last acknowledgement", func() bool { s := r.Stats(); return s.Epoch > 0 && s.Pending == 0 })
}

func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, patience, time.Millisecond, what)
}

// picture returns the record of picture n at 25 pictures per second; every tenth is a random access picture.
func picture(n int) pipeline.Record {
	return pipeline.Record{Bundle: &codecs.Bundle{
		Format: codecs.Format{Codec: codecs.H264},
		Units:  []codecs.AccessUnit{{PTS: codecs.Ticks(3600 * n), RandomAccess: n%10 == 0, Data: fmt.Appendf(nil, "picture %d", n)}},
	}}
}

// number returns which picture a record is.
func number(t *testing.T, r pipeline.Record) int {
	t.Helper()
	require.NotNil(t, r.Bundle, "record %d", r.Seq)
	return int(r.Bundle.Units[0].PTS) / 3600
}

func publish(t *testing.T, w running, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		require.NoError(t, w.Publish(picture(n)))
	}
}

func startReader(t *testing.T, c *Conn, from uint64) *Reader {
	t.Helper()
	r, err := c.NewReader("lobby", ReaderOptions{From: from})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return r
}

func next(t *testing.T, r *Reader) pipeline.Record {
	t.Helper()
	record, err := r.Next(limited(t))
	require.NoError(t, err)
	return record
}

// expectClaim takes a claim and returns it.
func expectClaim(t *testing.T, r *Reader) pipeline.Record {
	t.Helper()
	record := next(t, r)
	require.True(t, record.Claim, "record %d", record.Seq)
	return record
}

// expectPictures takes the pictures from and up to, not including, to.
func expectPictures(t *testing.T, r *Reader, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		require.Equal(t, n, number(t, next(t, r)))
	}
}
