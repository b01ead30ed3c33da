package loadtest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

// SegmentOptions says what is fetched, as fast as it comes.
type SegmentOptions struct {
	// URLs are of segments. Connections take turns with them.
	URLs []string
	// Connections defaults to 16.
	Connections int
	// During defaults to 3 s.
	During time.Duration
	// PID is the server's process on this machine.
	PID int
}

// Throughput is what one server gave.
type Throughput struct {
	PerSecond  float64    `json:"segments_per_second"`
	Bytes      float64    `json:"bytes_per_second"`
	Processors Processors `json:"processors"`
}

// Segments fetches segments over a few connections, one after the other on each, and throws them away.
func Segments(ctx context.Context, o SegmentOptions) (Throughput, error) {
	if o.Connections <= 0 {
		o.Connections = 16
	}
	if o.During <= 0 {
		o.During = 3 * time.Second
	}
	fetchers := make([]*fetcher, o.Connections)
	stages := make([]pipeline.Stage, 0, o.Connections)
	end := time.Now().Add(o.During)
	for i := range fetchers {
		f := &fetcher{urls: o.URLs, next: i, end: end}
		fetchers[i] = f
		stages = append(stages, pipeline.Func("fetcher", f.run))
	}
	began, origin, own := time.Now(), processorTime(o.PID), processorTime(os.Getpid())
	if err := pipeline.Run(ctx, stages...); err != nil {
		return Throughput{}, fmt.Errorf("fetching segments: %w", err)
	}
	during := time.Since(began)
	t := Throughput{Processors: Processors{
		share(origin, processorTime(o.PID), during), share(own, processorTime(os.Getpid()), during),
	}}
	for _, f := range fetchers {
		t.PerSecond += float64(f.segments) / during.Seconds()
		t.Bytes += float64(f.bytes) / during.Seconds()
	}
	return t, nil
}

// fetcher is one connection.
type fetcher struct {
	urls            []string
	next            int
	end             time.Time
	conn            *net.TCPConn
	segments, bytes int64
}

func (f *fetcher) run(ctx context.Context) error {
	host, _, _ := strings.Cut(strings.TrimPrefix(f.urls[0], "http://"), "/")
	conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "tcp", host)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer func() { _ = conn.Close() }() // nothing more is wanted of it
	f.conn = conn.(*net.TCPConn)        //nolint:forcetypeassert // it was dialled so
	if err := conn.SetDeadline(f.end.Add(10 * time.Second)); err != nil {
		return fmt.Errorf("setting a deadline: %w", err)
	}
	head := make([]byte, 4<<10)
	for time.Now().Before(f.end) && ctx.Err() == nil {
		if err := f.fetch(host, head); err != nil {
			return err
		}
	}
	return nil
}

func (f *fetcher) fetch(host string, head []byte) error {
	target := strings.TrimPrefix(f.urls[f.next%len(f.urls)], "http://"+host)
	f.next++
	if _, err := io.WriteString(f.conn, "GET "+target+" HTTP/1.1\r\nHost: "+host+"\r\n\r\n"); err != nil {
		return fmt.Errorf("asking for %s: %w", target, err)
	}
	have, end := 0, -1
	for end < 0 {
		n, err := f.conn.Read(head[have:])
		if err != nil {
			return fmt.Errorf("reading the header of %s: %w", target, err)
		}
		have += n
		end = strings.Index(string(head[:have]), "\r\n\r\n")
	}
	status, size, err := parseHead(string(head[:end]))
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("status %d", status)
	}
	if err != nil {
		return fmt.Errorf("fetching %s: %w", target, err)
	}
	if err := discard(f.conn, size-int64(have-end-4)); err != nil {
		return fmt.Errorf("reading %s: %w", target, err)
	}
	f.segments++
	f.bytes += size
	return nil
}

// discardBytes is how much is taken out of a socket at once.
const discardBytes = 1 << 20

// discard takes n bytes out of a connection without copying them (MSG_TRUNC, tcp(7)): the server is to be the one who works.
func discard(conn *net.TCPConn, n int64) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return fmt.Errorf("opening the socket: %w", err)
	}
	scratch := make([]byte, 1)
	for n > 0 {
		var got int
		var recvErr error
		err := raw.Read(func(fd uintptr) bool {
			got, recvErr = truncate(int(fd), scratch, min(n, discardBytes))
			return recvErr != syscall.EAGAIN //nolint:errorlint // it is a number
		})
		if err == nil {
			err = recvErr
		}
		if err == nil && got == 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return fmt.Errorf("discarding: %w", err)
		}
		n -= int64(got)
	}
	return nil
}
