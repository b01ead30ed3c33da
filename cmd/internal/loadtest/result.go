package loadtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Result is what was measured. Latencies are in milliseconds.
type Result struct {
	URL      string         `json:"url"`
	Clients  int            `json:"clients"`
	Seconds  float64        `json:"seconds"`
	Exact    bool           `json:"exact"` // the source's clock says when a part exists
	Playlist Latency        `json:"playlist"`
	Media    *Latency       `json:"media,omitempty"`
	Errors   map[string]int `json:"errors"`
	Memory   *Memory        `json:"memory,omitempty"`
	// Processors says whose limit was met: latencies mean nothing when this tool needs a whole processor.
	Processors Processors `json:"processors"`
}

// Processors is how much of one processor was used while all viewers were there. That of an origin elsewhere is 0.
type Processors struct {
	Origin float64 `json:"origin"`
	Tool   float64 `json:"tool"`
}

// Latency is from when a part exists to when the answer is complete.
type Latency struct {
	Answers   int     `json:"answers"`
	PerSecond float64 `json:"per_second"`
	P50       float64 `json:"p50_ms"`
	P95       float64 `json:"p95_ms"`
	P99       float64 `json:"p99_ms"`
	Worst     float64 `json:"worst_ms"`
}

// Memory is that of the origin's process, in bytes.
type Memory struct {
	Before    int64 `json:"before"`
	During    int64 `json:"during"` // the median while all viewers are there
	PerClient int64 `json:"per_client"`
}

func (o *Options) result(viewers []*viewer, m *meter, from time.Time) *Result {
	r := &Result{URL: o.URL, Clients: o.Clients, Seconds: o.During.Seconds(), Exact: o.Source != nil, Errors: map[string]int{}}
	exists := o.existence(viewers)
	var playlists, media []time.Duration
	for _, v := range viewers {
		for reason, n := range v.errors {
			r.Errors[reason] += n
		}
		for _, s := range v.samples {
			at, ok := exists(s.place)
			switch {
			case !ok || at.Before(from): // viewers were still coming
			case s.media:
				media = append(media, s.done.Sub(at))
			default:
				playlists = append(playlists, s.done.Sub(at))
			}
		}
	}
	r.Processors = m.processors()
	r.Playlist = latency(playlists, o.During)
	if !o.PlaylistsOnly {
		l := latency(media, o.During)
		r.Media = &l
	}
	if during := m.during(); during > 0 && m.before > 0 {
		r.Memory = &Memory{m.before, during, (during - m.before) / int64(o.Clients)}
	}
	return r
}

// existence returns when a part exists: when it was put, or when the first answer that has it began.
func (o *Options) existence(viewers []*viewer) func(place) (time.Time, bool) {
	if o.Source != nil {
		return o.Source.existsAt
	}
	first := map[place]time.Time{}
	for _, v := range viewers {
		for _, s := range v.samples {
			if at, ok := first[s.place]; !s.media && (!ok || s.began.Before(at)) {
				first[s.place] = s.began
			}
		}
	}
	return func(p place) (time.Time, bool) {
		at, ok := first[p]
		return at, ok
	}
}

func latency(list []time.Duration, during time.Duration) Latency {
	if len(list) == 0 {
		return Latency{}
	}
	slices.Sort(list)
	at := func(q float64) float64 { return list[int(q*float64(len(list)-1))].Seconds() * 1000 }
	return Latency{len(list), float64(len(list)) / during.Seconds(), at(.5), at(.95), at(.99), at(1)}
}

// String returns a table.
func (r *Result) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d viewers of %s for %v\n", r.Clients, r.URL, time.Duration(r.Seconds*float64(time.Second)))
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\tANSWERS\tPER SECOND\tP50 ms\tP95 ms\tP99 ms\tWORST ms\t")
	row := func(name string, l *Latency) {
		fmt.Fprintf(table, "%s\t%d\t%.0f\t%.1f\t%.1f\t%.1f\t%.1f\t\n", name, l.Answers, l.PerSecond, l.P50, l.P95, l.P99, l.Worst)
	}
	row("playlist", &r.Playlist)
	if r.Media != nil {
		row("part", r.Media)
	}
	_ = table.Flush() // a strings.Builder takes every write
	since := "the first viewer's playlist answer began"
	if r.Exact {
		since = "its request to the origin was sent"
	}
	fmt.Fprintf(&b, "A part exists from when %s.\n", since)
	if m := r.Memory; m != nil {
		const kib = 1 << 10
		fmt.Fprintf(&b, "memory: %d KiB before, %d KiB with all viewers, %.1f KiB per viewer\n",
			m.Before/kib, m.During/kib, float64(m.PerClient)/kib)
	}
	fmt.Fprintf(&b, "processor: origin %.2f, this tool %.2f\n", r.Processors.Origin, r.Processors.Tool)
	if len(r.Errors) == 0 {
		b.WriteString("no errors\n")
	}
	for _, reason := range slices.Sorted(maps.Keys(r.Errors)) {
		fmt.Fprintf(&b, "error: %s: %d times\n", reason, r.Errors[reason])
	}
	return b.String()
}
