package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/venuecast/venuecast/codecs/testcard"
)

// sample is where a player is at a moment.
type sample struct {
	at       time.Time
	position float64   // in seconds of media, from any zero
	height   int       // of the picture; 0 when unknown
	decoded  int       // pictures so far, dropped ones included
	dropped  int       // pictures that came too late to be shown
	date     time.Time // PROGRAM-DATE-TIME of the picture; zero: the player does not tell
	captured time.Time // when the camera took the picture that is on the screen; zero: unreadable, or the slate
}

// trouble is what a player complains about.
type trouble struct {
	At    float64 `json:"at"` // seconds since it began to load
	Text  string  `json:"text"`
	Fatal bool    `json:"fatal"` // it gave up
}

// recorder gathers what a player does, and hands it its commands. It is safe for concurrent use.
type recorder struct {
	mu       sync.Mutex // guards the fields below
	began    time.Time  // when the player was given the URL
	samples  []sample
	troubles []trouble
	pending  []string
	wake     chan struct{} // has room for one; for who takes commands
}

// maxTroubles bounds what one player may complain about.
const maxTroubles = 200

func newRecorder() *recorder { return &recorder{began: time.Now(), wake: make(chan struct{}, 1)} }

// loading says that the player gets the URL only now: its start does not count.
func (r *recorder) loading() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.began = time.Now()
}

func (r *recorder) add(s sample) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.samples = append(r.samples, s)
}

func (r *recorder) trouble(text string, fatal bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.troubles) < maxTroubles {
		r.troubles = append(r.troubles, trouble{time.Since(r.began).Seconds(), text, fatal})
	}
}

// command gives the player something to do.
func (r *recorder) command(c string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pending = append(r.pending, c)
	select {
	case r.wake <- struct{}{}:
	default: // it is awake
	}
}

// commands takes what there is to do.
func (r *recorder) commands() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.pending
	r.pending = nil
	return list
}

// started says when the first picture moved.
func (r *recorder) started() (time.Time, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return started(r.samples)
}

func (r *recorder) gaveUp() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.troubles {
		if t.Fatal {
			return true
		}
	}
	return false
}

// write keeps the samples in a file, a line each, for who wants to know more than the table says.
func (r *recorder) write(file string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	fmt.Fprintln(&b, "seconds\tposition\theight\tdecoded\tdropped\tlatency\tPROGRAM-DATE-TIME latency")
	age := func(s sample, of time.Time) string {
		if of.IsZero() {
			return "-"
		}
		return fmt.Sprintf("%.2f", s.at.Sub(of).Seconds())
	}
	for _, s := range r.samples {
		fmt.Fprintf(&b, "%.2f\t%.2f\t%d\t%d\t%d\t%s\t%s\n", s.at.Sub(r.began).Seconds(), s.position, s.height, s.decoded, s.dropped,
			age(s, s.captured), age(s, s.date))
	}
	return os.WriteFile(file, []byte(b.String()), 0o644) //nolint:gosec // figures for everyone
}

// started returns the first sample's time after which the position grows.
func started(list []sample) (time.Time, bool) {
	for i := 1; i < len(list); i++ {
		if list[i].position > list[i-1].position && list[i].decoded > 0 {
			return list[i].at, true
		}
	}
	return time.Time{}, false
}

// The test card as it is read: at this size, of which the bar is these rows.
const (
	cardWidth, cardHeight = 320, 180
	barFrom, barTo        = 25 * 5, 33 * 5
)

// captured reads when the camera took a picture, from the luma of its bar. It is zero when that cannot be read.
func captured(bar []byte) time.Time {
	img := testcard.NewYUV(cardWidth, cardHeight)
	if len(bar) != cardWidth*(barTo-barFrom) {
		return time.Time{}
	}
	copy(img.Y[barFrom*cardWidth:], bar)
	_, at, err := testcard.Read(*img)
	if err != nil {
		return time.Time{}
	}
	return at
}

// copyBounded copies at most 4 MiB.
func copyBounded(w io.Writer, r io.Reader) (int64, error) {
	const limit = 4 << 20
	return io.Copy(w, io.LimitReader(r, limit))
}

// untilDone waits for the end of a trial.
func untilDone(ctx context.Context) error {
	<-ctx.Done()
	return nil
}
