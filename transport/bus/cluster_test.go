package bus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
)

// This test binary is a node of a cluster when these are set, too.
const (
	nodeNameEnv   = "BUS_TEST_NODE"
	nodeRouteEnv  = "BUS_TEST_ROUTE_PORT"
	nodeRoutesEnv = "BUS_TEST_ROUTES"
)

// serveNode runs a node until its standard input ends, which is when the test does.
func serveNode(name, dir string) {
	port, _ := strconv.Atoi(os.Getenv(serverPortEnv))
	route, _ := strconv.Atoi(os.Getenv(nodeRouteEnv))
	s, err := server.NewServer(&server.Options{
		ServerName: name, Host: "127.0.0.1", Port: port, NoSigs: true, MaxPayload: maxPayload,
		JetStream: true, StoreDir: dir, JetStreamMaxStore: 2 << 30, JetStreamMaxMemory: 64 << 20,
		Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: route},
		Routes:  server.RoutesFromStr(os.Getenv(nodeRoutesEnv)),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	s.Start()
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

// node is a NATS server process of a cluster of three.
type node struct {
	t           *testing.T
	name, dir   string
	port, route int
	routes      string
	cmd         *exec.Cmd
	stdin       io.Closer
}

type cluster map[string]*node

func startCluster(t *testing.T) cluster {
	t.Helper()
	nodes, ports := cluster{}, freePorts(t, 6)
	var routes []string
	for _, p := range ports[3:] {
		routes = append(routes, fmt.Sprintf("nats://127.0.0.1:%d", p))
	}
	for i := range 3 {
		name := fmt.Sprintf("node-%d", i+1)
		n := &node{t: t, name: name, dir: filepath.Join(t.TempDir(), name), port: ports[i], route: ports[3+i], routes: strings.Join(routes, ",")}
		n.start()
		t.Cleanup(n.kill)
		nodes[name] = n
	}
	return nodes
}

func freePorts(t *testing.T, n int) (ports []int) {
	t.Helper()
	var listeners []net.Listener // open together, so that no port comes twice
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		listeners = append(listeners, l)
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	for _, l := range listeners {
		require.NoError(t, l.Close())
	}
	return ports
}

func (n *node) url() string { return fmt.Sprintf("nats://127.0.0.1:%d", n.port) }

func (n *node) start() {
	n.t.Helper()
	n.cmd = exec.Command(os.Args[0])
	n.cmd.Env = append(os.Environ(), nodeNameEnv+"="+n.name, serverDirEnv+"="+n.dir,
		serverPortEnv+"="+strconv.Itoa(n.port), nodeRouteEnv+"="+strconv.Itoa(n.route), nodeRoutesEnv+"="+n.routes)
	n.cmd.Stderr = os.Stderr
	var err error
	n.stdin, err = n.cmd.StdinPipe()
	require.NoError(n.t, err)
	require.NoError(n.t, n.cmd.Start())
}

func (n *node) kill() {
	if n.cmd == nil {
		return
	}
	_ = n.cmd.Process.Kill()
	_ = n.cmd.Wait() // it was killed
	n.cmd = nil
}

// replicas of a stream, as its leader sees them.
type replicas struct {
	Leader   string `json:"leader"`
	Replicas []struct {
		Name    string `json:"name"`
		Current bool   `json:"current"`
	} `json:"replicas"`
}

func replicasOf(t *testing.T, c *Conn, stream string) (replicas, error) {
	t.Helper()
	var info struct {
		Cluster replicas `json:"cluster"`
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	err := c.api(ctx, "$JS.API.STREAM.INFO."+stream, nil, &info)
	return info.Cluster, err
}

// settled waits until every replica of a stream has all of it, and returns the leader.
func settled(t *testing.T, c *Conn, stream string) (leader string) {
	t.Helper()
	until(t, "the replicas of "+stream, func() bool {
		r, err := replicasOf(t, c, stream)
		current := err == nil && r.Leader != "" && len(r.Replicas) == 2
		for _, p := range r.Replicas {
			current = current && p.Current
		}
		leader = r.Leader
		return current
	})
	return leader
}

// lead has a node lead a stream.
func lead(t *testing.T, c *Conn, stream, name string) {
	t.Helper()
	until(t, name+" to lead "+stream, func() bool {
		if settled(t, c, stream) == name {
			return true
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		body := []byte(`{"placement":{"preferred":"` + name + `"}}`)
		_, _ = c.nc.RequestWithContext(ctx, "$JS.API.STREAM.LEADER.STEPDOWN."+stream, body) // the next look tells
		return false
	})
}

// viewer reads pictures, and notes what is wrong with their order and how long it ever waited for one.
type viewer struct {
	mu      sync.Mutex
	next    int
	at      time.Time
	longest time.Duration
	faults  []string
}

func startViewer(t *testing.T, r *Reader) *viewer {
	t.Helper()
	v := &viewer{}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			v.take(r.Next(ctx))
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		require.NoError(t, r.Close())
	})
	return v
}

func (v *viewer) take(r pipeline.Record, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case errors.Is(err, context.Canceled), r.Claim:
		return
	case err != nil:
		v.faults = append(v.faults, err.Error())
		return
	}
	if n := int(r.Bundle.Units[0].PTS) / 3600; n != v.next {
		v.faults = append(v.faults, fmt.Sprintf("picture %d came instead of %d", n, v.next))
		v.next = n
	}
	now := time.Now()
	v.longest = max(v.longest, now.Sub(v.at))
	v.next, v.at = v.next+1, now
}

// reset forgets how long it has waited.
func (v *viewer) reset() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.longest, v.at = 0, time.Now()
}

func (v *viewer) seen() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.next
}

// result returns the longest wait, that which has not ended included, and all faults.
func (v *viewer) result() (time.Duration, []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return max(v.longest, time.Since(v.at)), v.faults
}

// publishSteadily publishes 50 pictures a second of 5 Mbit/s until the test ends.
func publishSteadily(t *testing.T, w running) {
	t.Helper()
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for n := 0; ; n++ {
			r := picture(n)
			r.Bundle.Units[0].Data = bytes.Repeat([]byte{byte(n)}, 12_500)
			if err := w.Publish(r); err != nil {
				done <- err
				return
			}
			select {
			case <-tick.C:
			case <-stop:
				done <- nil
				return
			}
		}
	}()
	t.Cleanup(func() { close(stop); require.NoError(t, <-done) })
}

func TestReadersOfAClusterDoNotNoticeTheDeathOfANode(t *testing.T) {
	nodes := startCluster(t)
	connectTo := func(name, node string) *Conn {
		return connect(t, Options{URL: nodes[node].url(), Name: name, Replicas: 3})
	}
	observer := connectTo("observer", "node-1")
	registry, err := observer.OpenRegistry(limited(t), nil) // while the cluster elects its first leaders
	require.NoError(t, err)
	require.NoError(t, observer.EnsureFeed(limited(t), "lobby", 0))
	const stream, bucket = "FEED_lobby", "KV_assign"

	writer := connectTo("writer", "node-2")
	// A busy machine can take longer to elect than the ring holds by default.
	w := startWriter(t, writer, WriterOptions{RingAge: patience})
	w.claimed(t)
	one, other := connectTo("one", "node-1"), connectTo("other", "node-3")
	viewers := map[*Conn]*viewer{one: startViewer(t, newReader(t, one)), other: startViewer(t, newReader(t, other))}
	publishSteadily(t, w)
	for _, v := range viewers {
		until(t, "the first pictures", func() bool { return v.seen() > 10 })
	}

	follower := func() string { // one with a reader
		r, err := replicasOf(t, observer, stream)
		require.NoError(t, err)
		for _, c := range []*Conn{one, other} {
			if name := c.nc.ConnectedServerName(); name != r.Leader {
				return name
			}
		}
		return r.Replicas[0].Name
	}
	for _, c := range []struct {
		name   string
		victim func() string
		leads  bool
	}{
		{"follower", follower, false},
		{"leader that the writer is connected to", writer.nc.ConnectedServerName, true},
		{"leader that a reader is connected to", one.nc.ConnectedServerName, true},
	} {
		victim := c.victim()
		if c.leads {
			lead(t, observer, stream, victim)
			lead(t, observer, bucket, victim)
		}
		where := map[*Conn]string{}
		for conn, v := range viewers {
			where[conn] = conn.nc.ConnectedServerName()
			v.reset()
		}
		killed, from := time.Now(), w.Stats().Seq
		nodes[victim].kill()
		unavailable := false
		until(t, "the registry", func() bool {
			_, err := registry.Assignment(limited(t), "lobby")
			unavailable = unavailable || err != nil
			return err == nil
		})
		t.Logf("%s killed: %s; the registry answers after %v", c.name, victim, time.Since(killed))
		require.True(t, unavailable || !c.leads, "the registry was not away")
		until(t, "the stream", func() bool { s := w.Stats(); return s.Seq > from+100 && s.Pending < window })
		t.Logf("  the stream stores all again after %v", time.Since(killed))
		published := int(w.Stats().Stored)
		for conn, v := range viewers {
			until(t, "the reader", func() bool { return v.seen() >= published })
			longest, faults := v.result()
			t.Logf("  the reader at %s waited for %v at most", where[conn], longest)
			require.Empty(t, faults)
			require.LessOrEqual(t, longest, 2*time.Second)
		}
		nodes[victim].start()
	}
	require.Equal(t, uint64(1), w.Stats().Claims)
	require.Zero(t, w.Stats().Dropped)
}

// newReader returns a reader that its viewer closes.
func newReader(t *testing.T, c *Conn) *Reader {
	t.Helper()
	r, err := c.NewReader("lobby", ReaderOptions{From: 1})
	require.NoError(t, err)
	return r
}
