package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

// feed is what the players play.
type feed struct {
	url   string // of the multivariant playlist
	venue *venue // nil: not ours, no faults
}

// The heights of the venue's renditions, small enough for two cores and a browser.
const lowest, highest = 180, 360

// venue is a synthetic camera and a venuecast serve.
type venue struct {
	ctx     context.Context //nolint:containedctx // of the processes, which come and go while the venue lives
	stop    context.CancelFunc
	camera  *process
	serve   *process
	source  program
	origin  string
	metrics string // address
	data    string
	ready   int // how many segments are listed when it is ready
}

// ladder is what may differ between venues.
type ladder struct {
	segment time.Duration // 0: 2 s
	part    string
	preset  string // empty: veryfast, as ladders have it unless they say otherwise. It looks ahead; superfast does not
	latency string // empty: normal
}

// leastWindow is how far back the live playlist must reach, so that a player can go 20 s back.
const leastWindow = 30 * time.Second

// readyWithin is how long a venue may take until it plays, and then until its playlist is full.
const readyWithin = 60 * time.Second

// newVenue starts a venue and returns when its live playlist lists so many segments.
func newVenue(ctx context.Context, binary, dir string, l ladder, segments int) (*venue, error) {
	ports, err := freeAddresses(3)
	if err != nil {
		return nil, err
	}
	origin, metrics, camera := ports[0], ports[1], ports[2]
	ctx, stop := context.WithCancel(ctx)
	v := &venue{ctx: ctx, stop: stop, origin: origin, metrics: metrics, data: filepath.Join(dir, "data"), ready: segments}
	config := filepath.Join(dir, "venue.yaml")
	if err := os.WriteFile(config, []byte(configuration(v, camera, l)), 0o600); err != nil {
		return nil, err
	}
	v.source = program{name: "camera", dir: dir, args: []string{
		binary, "camera", "--listen", camera, "--size", "640x360", "--fps", "25", "--bitrate", "1500000",
	}}
	serve := program{name: "venuecast", dir: dir, args: []string{binary, "serve", "-c", config}}
	if err := v.open(serve); err != nil { //nolint:contextcheck // its own: it outlives the call
		v.close()
		return nil, err
	}
	return v, nil
}

func configuration(v *venue, camera string, l ladder) string {
	preset, latency, segment := cmp.Or(l.preset, "veryfast"), cmp.Or(l.latency, "normal"), cmp.Or(l.segment, 2*time.Second)
	return fmt.Sprintf(`venue: players
data: %q
origin: {listen: %q}
metrics: {listen: %q}
feeds: [{id: cam, source: "rtsp://%s/camera", ladder: players}]
ladders:
  players:
    segment: %s
    part: %s
    latency: %s
    dvr: 10m
    video:
      - {name: 360p, height: %d, bitrate: 600k, preset: %s}
      - {name: 180p, height: %d, bitrate: 200k, preset: %s}
    audio: [{name: stereo, bitrate: 96k}]
`, v.data, v.origin, v.metrics, camera, segment, l.part, latency, highest, preset, lowest, preset)
}

func (v *venue) url() string { return "http://" + v.origin + "/live/cam/index.m3u8" }

func (v *venue) open(serve program) (err error) {
	if v.camera, err = v.source.start(v.ctx); err != nil {
		return err
	}
	if v.serve, err = serve.start(v.ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(v.ctx, readyWithin)
	defer cancel()
	for {
		if v.full(ctx) {
			return nil
		}
		select {
		case <-v.serve.ended:
			return fmt.Errorf("venuecast ended (%w), see %s", v.serve.err, v.serve.log.Name())
		default:
		}
		if err := pipeline.Sleep(ctx, time.Second); err != nil {
			return fmt.Errorf("the feed does not play, see %s: %w", v.serve.log.Name(), err)
		}
	}
}

// full says whether the live playlist reaches as far back as it must.
func (v *venue) full(ctx context.Context) bool {
	body, err := get(ctx, "http://"+v.origin+"/live/cam/360p/index.m3u8")
	return err == nil && strings.Count(body, "#EXTINF") >= v.ready
}

// cut ends the camera, mend starts it anew.
func (v *venue) cut() { v.camera.kill() }

func (v *venue) mend() (err error) {
	v.camera, err = v.source.start(v.ctx)
	return err
}

// killWorker kills the process that transcodes the feed.
func (v *venue) killWorker() error {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", v.serve.cmd.Process.Pid))
	if err != nil {
		return err
	}
	for _, t := range tasks {
		list, err := os.ReadFile(t)
		if err != nil {
			continue // that thread has ended
		}
		for f := range strings.FieldsSeq(string(list)) {
			pid, err := strconv.Atoi(f)
			if err != nil {
				return err
			}
			return syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	return errors.New("venuecast serve has no child")
}

func (v *venue) close() {
	v.stop()
	v.serve.kill()
	v.camera.kill()
	_ = os.RemoveAll(v.data) // logs stay, media do not
}

// freeAddresses returns addresses of this machine that nobody listens on. All are held until the last is found.
func freeAddresses(n int) ([]string, error) {
	if n == 0 {
		return nil, nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("looking for a free port: %w", err)
	}
	rest, err := freeAddresses(n - 1)
	return append(rest, l.Addr().String()), errors.Join(err, l.Close())
}

// get returns what is at a URL, a playlist at most.
func get(ctx context.Context, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close() // it was only read
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s", url, response.Status)
	}
	var body strings.Builder
	_, err = copyBounded(&body, response.Body)
	return body.String(), err
}

// settle brings the venue back to order between two players.
func (v *venue) settle() error {
	select {
	case <-v.camera.ended:
		if err := v.mend(); err != nil {
			return err
		}
	default:
	}
	return pipeline.Sleep(v.ctx, restTime)
}

// restTime lets a new worker catch up, and the last player's last requests end.
const restTime = 10 * time.Second
