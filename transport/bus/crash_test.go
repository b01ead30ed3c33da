package bus

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// This test binary is a NATS server when these are set.
const (
	serverDirEnv  = "BUS_TEST_SERVER_DIR"
	serverPortEnv = "BUS_TEST_SERVER_PORT"
	credential    = "test"
)

// serve runs a server until the process is told to end.
func serve(dir string) {
	port, _ := strconv.Atoi(os.Getenv(serverPortEnv))
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt)
	e, err := StartEmbedded(EmbeddedOptions{Dir: dir, Port: port, Credential: credential, MaxStoreBytes: 2 << 30})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(e.URL())
	<-stop
	_ = e.Close()
}

// serverProcess is a server that can be killed and started again on the same port with the same files.
type serverProcess struct {
	t    *testing.T
	dir  string
	url  string
	port string
	cmd  *exec.Cmd
}

func startServerProcess(t *testing.T) *serverProcess {
	t.Helper()
	p := &serverProcess{t: t, dir: filepath.Join(t.TempDir(), "store"), port: "0"}
	p.start()
	_, p.port, _ = strings.Cut(strings.TrimPrefix(p.url, "nats://venuecast:test@"), ":")
	t.Cleanup(func() {
		if p.cmd != nil {
			p.kill()
		}
	})
	return p
}

func (p *serverProcess) start() {
	p.t.Helper()
	p.cmd = exec.Command(os.Args[0])
	p.cmd.Env = append(os.Environ(), serverDirEnv+"="+p.dir, serverPortEnv+"="+p.port)
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	require.NoError(p.t, err)
	require.NoError(p.t, p.cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(p.t, err, "the server did not start")
	p.url = strings.TrimSpace(line)
}

func (p *serverProcess) kill() {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Kill())
	_ = p.cmd.Wait() // it was killed
	p.cmd = nil
}

func TestWriterAndReaderOutliveAKilledServer(t *testing.T) {
	server := startServerProcess(t)
	c := connect(t, Options{URL: server.url})
	w := startWriter(t, c, WriterOptions{})
	r := startReader(t, c, 1)
	publish(t, w, 0, 50)
	expectClaim(t, r)
	expectPictures(t, r, 0, 20)
	for round := 1; round <= 3; round++ {
		from := round * 50
		server.kill()
		publish(t, w, from, from+50)
		server.start()
		w.stored(t)
	}
	expectPictures(t, r, 20, 200)
	require.Equal(t, uint64(1), w.Stats().Claims, "what was acknowledged was still there")
	requireNoInterleaving(t, c, w.Stats().Seq)
}

func TestAnOutageLongerThanTheRingIsANewEpoch(t *testing.T) {
	server, k := startServerProcess(t), &clock{}
	c := connect(t, Options{URL: server.url})
	w := startWriter(t, c, WriterOptions{Now: k.now})
	publish(t, w, 0, 10)
	w.stored(t)
	epoch := w.Stats().Epoch
	server.kill()
	publish(t, w, 10, 13)
	k.advance(defaultRingAge + time.Second)
	publish(t, w, 13, 15) // need 10, which goes now
	server.start()
	until(t, "a new epoch", func() bool { return w.Stats().Epoch > epoch })
	require.ErrorIs(t, w.Publish(picture(15)), ErrOverflow)
	publish(t, w, 20, 25)
	w.stored(t)
	require.Equal(t, uint64(6), w.Stats().Dropped)
	r := startReader(t, c, 1)
	expectClaim(t, r)
	expectPictures(t, r, 0, 10)
	require.Equal(t, w.Stats().Epoch, expectClaim(t, r).Epoch)
	expectPictures(t, r, 20, 25)
}

func TestAFrozenServerDoesNotBlockPublish(t *testing.T) {
	server := startServerProcess(t)
	c := connect(t, Options{URL: server.url})
	w := startWriter(t, c, WriterOptions{})
	publish(t, w, 0, 1)
	w.stored(t)
	require.NoError(t, server.cmd.Process.Signal(syscall.SIGSTOP))
	large := picture(10)
	large.Bundle.Units[0].Data = make([]byte, 200_000)
	for range 300 { // more than any socket buffer holds, less than the ring
		require.NoError(t, w.Publish(large))
	}
	require.Equal(t, 300, w.Stats().Pending)
	require.NoError(t, server.cmd.Process.Signal(syscall.SIGCONT))
	w.stored(t)
	require.Zero(t, w.Stats().Dropped)
	requireNoDuplicates(t, c, w)
}

// requireNoDuplicates counts what the stream has.
func requireNoDuplicates(t *testing.T, c *Conn, w running) {
	t.Helper()
	last, err := c.lastSequence(limited(t), streamName("lobby"))
	require.NoError(t, err)
	require.Equal(t, window*w.Stats().Claims+w.Stats().Stored, last)
}
