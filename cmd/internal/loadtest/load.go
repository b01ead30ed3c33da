package loadtest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/venuecast/venuecast/codecs/m3u8"
	"github.com/venuecast/venuecast/pipeline"
)

// Options says how much load there is.
type Options struct {
	// URL is that of a media playlist with parts, or of a multivariant playlist: then its first variant is taken.
	URL string
	// Clients is the number of viewers. It defaults to 2000.
	Clients int
	// During is how long they watch, once all are there. It defaults to 60 s.
	During time.Duration
	// Ramp is the time in which viewers come. It defaults to 5 s. What they see in it is not counted.
	Ramp time.Duration
	// PlaylistsOnly leaves out the parts.
	PlaylistsOnly bool
	// PID, if not 0, is the origin's process on this machine, whose memory is read.
	PID int
	// Source, if not nil, is what puts the parts, and so knows when each exists.
	Source *Source
	// RoundTrip is how long after an answer a viewer's next request reaches the origin: the time of the network between them, which
	// a test on one machine lacks. With none the tool is busy with asking while answers come, and measures itself.
	RoundTrip time.Duration
	// Insecure takes any certificate.
	Insecure bool

	perSegment int
}

func (o *Options) withDefaults() {
	if o.Clients <= 0 {
		o.Clients = 2000
	}
	if o.During <= 0 {
		o.During = time.Minute
	}
	if o.Ramp <= 0 {
		o.Ramp = 5 * time.Second
	}
}

// Run puts the load on and returns what was measured. Ending the context early ends the measurement with what there is.
func Run(ctx context.Context, o Options) (*Result, error) {
	o.withDefaults()
	if o.Source != nil {
		if err := o.Source.Ready(ctx); err != nil {
			return nil, fmt.Errorf("load: waiting for the first parts: %w", err)
		}
	}
	u, err := o.resolve(ctx)
	if err != nil {
		return nil, err
	}
	start, err := o.learn(ctx, u)
	if err != nil {
		return nil, err
	}
	before := residentBytes(o.PID)
	viewers := make([]*viewer, o.Clients)
	stages := make([]pipeline.Stage, 0, o.Clients+1)
	ctx, cancel := context.WithTimeout(ctx, o.Ramp+o.During)
	defer cancel()
	began := time.Now()
	for i := range viewers {
		v := newViewer(&o, u, i%100 == 0)
		viewers[i] = v
		stages = append(stages, pipeline.Func("viewer", func(ctx context.Context) error {
			if pause(ctx, o.Ramp*time.Duration(i)/time.Duration(o.Clients)) {
				v.run(ctx, start.after(time.Since(began), o.perSegment))
			}
			return nil
		}))
	}
	meter := &meter{pid: o.PID, before: before}
	stages = append(stages, pipeline.Func("meter", func(ctx context.Context) error {
		meter.watch(ctx, o.Ramp)
		return nil
	}))
	if err := pipeline.Run(ctx, stages...); err != nil {
		return nil, fmt.Errorf("putting load on %s: %w", o.URL, err)
	}
	return o.result(viewers, meter, began.Add(o.Ramp)), nil
}

// edge is where a stream was at the beginning.
type edge struct {
	place
	part time.Duration
}

// after returns the part that comes next after a time. A viewer that asks for one that is there already is answered at once.
func (e edge) after(passed time.Duration, perSegment int) place {
	n := int64(passed/e.part) + int64(e.place.part)
	return place{e.msn + n/int64(perSegment), int(n % int64(perSegment))}
}

// resolve returns the URL of the media playlist.
func (o *Options) resolve(ctx context.Context) (*url.URL, error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	body, err := o.fetch(ctx, u.String())
	if err != nil {
		return nil, err
	}
	if !strings.Contains(string(body), "#EXT-X-STREAM-INF") {
		return u, nil
	}
	m, err := m3u8.ParseMultivariant(body)
	if err != nil || len(m.Variants) == 0 {
		return nil, fmt.Errorf("load: %s has no variants: %w", u, err)
	}
	if u, err = u.Parse(m.Variants[0].URI); err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	return u, nil
}

// learn reads the playlist: how many parts a segment has, how long they are, and which comes next.
func (o *Options) learn(ctx context.Context, u *url.URL) (edge, error) {
	body, err := o.fetch(ctx, u.String())
	if err != nil {
		return edge{}, err
	}
	m, err := m3u8.ParseMedia(body)
	if err != nil {
		return edge{}, fmt.Errorf("load: %s: %w", u, err)
	}
	if !m.ServerControl.CanBlockReload || m.PartTarget == 0 {
		return edge{}, fmt.Errorf("load: %s has no parts, or cannot block", u)
	}
	e := edge{place{m.MediaSequence + int64(len(m.Segments)), 0}, m.PartTarget}
	for i := range m.Segments {
		s := &m.Segments[i]
		if s.URI == "" {
			e.place = place{m.MediaSequence + int64(i), len(s.Parts)}
		} else {
			o.perSegment = max(o.perSegment, len(s.Parts))
		}
	}
	if o.perSegment == 0 {
		return edge{}, fmt.Errorf("load: %s lists no complete segment with parts", u)
	}
	return e, nil
}

func (o *Options) fetch(ctx context.Context, target string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	response, err := o.client().Do(request)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	defer func() { _ = response.Body.Close() }() // it is read to its end
	body, err := io.ReadAll(io.LimitReader(response.Body, 16<<20))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", response.StatusCode)
	}
	if err != nil {
		return nil, fmt.Errorf("load: reading %s: %w", target, err)
	}
	return body, nil
}

func (o *Options) client() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone() // that is its type
	transport.DisableKeepAlives = true
	if o.Insecure {
		transport.TLSClientConfig.InsecureSkipVerify = true //nolint:gosec // the user asked for it
	}
	return &http.Client{Transport: transport, Timeout: answerWithin}
}

func hostPort(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	if u.Scheme == "https" {
		return net.JoinHostPort(u.Hostname(), "443")
	}
	return net.JoinHostPort(u.Hostname(), "80")
}
