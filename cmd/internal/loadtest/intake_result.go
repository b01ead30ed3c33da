package loadtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Intake is what was measured of an ingest with many cameras.
type Intake struct {
	Cameras  int     `json:"cameras"`
	Seconds  float64 `json:"seconds"`
	AllAfter float64 `json:"all_after_s"` // from the start of the ingest until all cameras were on the bus

	Processors IntakeProcessors `json:"processors"`
	Memory     IntakeMemory     `json:"memory"`

	Pictures float64 `json:"pictures_per_second"` // taken in
	Megabits float64 `json:"mbit_per_second"`     // likewise, sound included
	Messages float64 `json:"messages_per_second"` // stored by the bus
	Stored   int64   `json:"stored_bytes"`        // the files of the bus at the end

	Dropped    map[string]float64 `json:"dropped"`  // units that were taken in and not passed on, by reason
	Repaired   map[string]float64 `json:"repaired"` // units whose time was mended, by reason
	Reconnects float64            `json:"reconnects"`
	Lost       float64            `json:"lost_messages"`
	Recoveries float64            `json:"recoveries"`

	Readers int      `json:"readers"`
	Gaps    int      `json:"reader_gaps"`
	Late    *Latency `json:"late,omitempty"` // of pictures, from their PTS to a reader

	Series       int     `json:"series"`
	ScrapeMillis float64 `json:"scrape_ms"`
}

// IntakeProcessors is how much of one processor each process used. Senders are the cameras: they are no part of what is measured.
type IntakeProcessors struct {
	Ingest  float64 `json:"ingest"`
	Bus     float64 `json:"bus"`
	Senders float64 `json:"cameras"`
}

// IntakeMemory is the resident set of each process, in bytes.
type IntakeMemory struct {
	Ingest int64 `json:"ingest"`
	Bus    int64 `json:"bus"`
}

// count fills in what the ingest counted between two readings.
func (i *Intake) count(before, after series) {
	grown := func(name string) float64 { return after.sum(name) - before.sum(name) }
	i.Pictures = grown("venuecast_ingest_video_units_total") / i.Seconds
	i.Megabits = (grown("venuecast_ingest_video_bytes_total") + grown("venuecast_ingest_audio_bytes_total")) * 8 / 1e6 / i.Seconds
	i.Messages = grown("venuecast_bus_stored_messages_total") / i.Seconds
	i.Reconnects, i.Recoveries = grown("venuecast_ingest_reconnects_total"), grown("venuecast_bus_recoveries_total")
	i.Lost = grown("venuecast_bus_dropped_messages_total")
	i.Dropped = grownByReason(before, after, "venuecast_ingest_drops_total")
	i.Repaired = grownByReason(before, after, "venuecast_timeline_repairs_total")
}

func grownByReason(before, after series, name string) map[string]float64 {
	was, grown := before.byReason(name), map[string]float64{}
	for reason, v := range after.byReason(name) {
		if v > was[reason] {
			grown[reason] = v - was[reason]
		}
	}
	return grown
}

// hear fills in what the readers heard.
func (i *Intake) hear(heard []hearing) {
	var late []time.Duration
	for n := range heard {
		i.Gaps += heard[n].gaps
		late = append(late, heard[n].late...)
	}
	if i.Readers = len(heard); i.Readers > 0 {
		l := latency(late, time.Duration(i.Seconds*float64(time.Second)))
		i.Late = &l
	}
}

// String returns what an operator asks: what a hundred cameras cost, and whether anything was lost.
func (i *Intake) String() string {
	var b strings.Builder
	const mib = 1 << 20
	per := 100 / float64(i.Cameras)
	fmt.Fprintf(&b, "%d cameras for %.0f s: %.0f pictures and %.0f Mbit per second\n", i.Cameras, i.Seconds, i.Pictures, i.Megabits)
	fmt.Fprintf(&b, "all on the bus %.1f s after the start of the ingest\n", i.AllAfter)
	fmt.Fprintf(&b, "processors per 100 cameras: ingest %.2f, NATS server %.2f (the cameras themselves: %.2f)\n",
		i.Processors.Ingest*per, i.Processors.Bus*per, i.Processors.Senders*per)
	fmt.Fprintf(&b, "memory per camera: ingest %.1f MiB, NATS server %.1f MiB (%.0f and %.0f MiB in all)\n",
		float64(i.Memory.Ingest)/float64(i.Cameras)/mib, float64(i.Memory.Bus)/float64(i.Cameras)/mib,
		float64(i.Memory.Ingest)/mib, float64(i.Memory.Bus)/mib)
	fmt.Fprintf(&b, "bus: %.0f messages per second, %.0f MB on disk; %.0f lost, %.0f recoveries\n",
		i.Messages, float64(i.Stored)/1e6, i.Lost, i.Recoveries)
	fmt.Fprintf(&b, "units dropped: %s; times mended: %s; reconnects: %.0f\n", reasons(i.Dropped), reasons(i.Repaired), i.Reconnects)
	if l := i.Late; l != nil {
		fmt.Fprintf(&b, "%d readers: %.0f pictures per second, %.1f ms after their time (p50), %.1f (p99), %.1f (worst); %d gaps\n",
			i.Readers, l.PerSecond, l.P50, l.P99, l.Worst, i.Gaps)
	}
	fmt.Fprintf(&b, "metrics: %d series in %.0f ms\n", i.Series, i.ScrapeMillis)
	return b.String()
}

func reasons(counts map[string]float64) string {
	if len(counts) == 0 {
		return "none"
	}
	var list []string
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, fmt.Sprintf("%s %.0f", reason, counts[reason]))
	}
	return strings.Join(list, ", ")
}
