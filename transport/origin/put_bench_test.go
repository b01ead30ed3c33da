package origin_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/transport/origin"
	"github.com/venuecast/venuecast/transport/push"
)

// ladderParts are the renditions of a standard ladder with the bytes of a part of 0.32 s of each.
var ladderParts = []struct {
	name string
	size int
}{{"1080p", 240_000}, {"720p", 120_000}, {"480p", 56_000}, {"360p", 32_000}, {"sound", 5_000}}

// BenchmarkPutPart puts the parts of a ladder in turns, from one processor of Go's as a worker has it to an origin that is another
// process, over loopback. It says what processor time a part costs on either side, user's and system's.
func BenchmarkPutPart(b *testing.B) {
	url, used := originProcess(b)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	client, err := push.New(push.Options{URL: url, Token: token})
	require.NoError(b, err)
	defer client.Close()
	epoch := uint64(0)
	for _, c := range []struct {
		name string
		from int
		to   int
	}{{"Ladder", 0, 5}, {"Largest", 0, 1}, {"Sound", 4, 5}} {
		b.Run(c.name, func(b *testing.B) {
			epoch++
			parts := claimLadder(b, client, epoch)[c.from:c.to]
			b.ReportAllocs()
			ours, theirs := processorTime(b), used()
			for n := 0; b.Loop(); n++ {
				p := &parts[n%len(parts)]
				require.NoError(b, client.PutPart(b.Context(), "hall", epoch, *p))
				p.Index = (p.Index + 1) % 6
				p.MSN += int64(1 - min(p.Index, 1))
				p.Independent = p.Index == 0
			}
			b.ReportMetric(perPut(b, processorTime(b)-ours), "worker-us/op")
			b.ReportMetric(perPut(b, used()-theirs), "origin-us/op")
		})
	}
}

func perPut(b *testing.B, d time.Duration) float64 {
	return float64(d.Nanoseconds()) / 1000 / float64(b.N)
}

// claimLadder opens a session, and returns each rendition's first part.
func claimLadder(b *testing.B, client *push.Client, epoch uint64) (parts []pipeline.Part) {
	feed := testFeed(startOfTest)
	feed.Ladder.Video, feed.Ladder.Audio = nil, []ladder.Audio{{Name: "sound", Bitrate: 128_000}}
	for _, p := range ladderParts[:4] {
		feed.Ladder.Video = append(feed.Ladder.Video, ladder.Video{Name: p.name, Width: 960, Height: 540, Bitrate: 1_500_000, Divisor: 1})
	}
	state, err := client.Claim(b.Context(), pipeline.Session{Feed: feed, Epoch: epoch})
	require.NoError(b, err)
	next := int64(firstMSN)
	for _, at := range state {
		next = max(next, at.MSN+1)
	}
	for _, p := range ladderParts {
		require.NoError(b, client.PutInit(b.Context(), "hall", epoch, pipeline.Init{Rendition: p.name, Codecs: "avc1.64001F", Data: []byte("init")}))
		parts = append(parts, pipeline.Part{
			Rendition: p.name, MSN: next, Duration: 28800, Timescale: 90000, Independent: true, Data: bytes.Repeat([]byte{'x'}, p.size),
		})
	}
	return parts
}

// originProcess starts this test as an origin of its own, and returns what tells the processor time that it has used.
func originProcess(b *testing.B) (url string, used func() time.Duration) {
	cmd := exec.CommandContext(b.Context(), os.Args[0], "-test.run=^TestServeBenchmark$") //nolint:gosec // this test itself
	cmd.Env = append(os.Environ(), "VENUECAST_BENCH_ORIGIN=1", "GOGC=25")
	cmd.Stderr = os.Stderr
	ask, err := cmd.StdinPipe()
	require.NoError(b, err)
	out, err := cmd.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, cmd.Start())
	b.Cleanup(func() {
		_ = ask.Close()
		_ = cmd.Wait()
	})
	answers := bufio.NewReader(out)
	url, err = answers.ReadString('\n')
	require.NoError(b, err)
	return strings.TrimSpace(url), func() (used time.Duration) {
		_, err := io.WriteString(ask, "\n")
		require.NoError(b, err)
		_, err = fmt.Fscanln(answers, (*int64)(&used))
		require.NoError(b, err)
		return used
	}
}

// TestServeBenchmark is the origin of BenchmarkPutPart. It answers each line with its processor time.
func TestServeBenchmark(t *testing.T) {
	if os.Getenv("VENUECAST_BENCH_ORIGIN") == "" {
		t.Skip("only as a process of the benchmark")
	}
	url, _ := serveWith(t, "127.0.0.1:0", origin.Options{})
	fmt.Println(url)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fmt.Println(int64(processorTime(t)))
	}
}

// processorTime returns what this process has used so far.
func processorTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	require.NoError(tb, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
