package rtsp

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/h264"
	"github.com/venuecast/venuecast/codecs/h265"
	"github.com/venuecast/venuecast/codecs/nal"
	"github.com/venuecast/venuecast/pipeline/ingest"
)

// Report says what a camera sends.
type Report struct {
	URL      string        `json:"url"` // redacted
	Tracks   []TrackReport `json:"tracks"`
	Problems []string      `json:"problems"` // one line each: what is wrong, and what to do
}

// TrackReport says what one track of a camera is like. What is not known is zero.
type TrackReport struct {
	Kind        string  `json:"kind"`
	Codec       string  `json:"codec"`
	Units       int     `json:"units"`
	LostPackets uint64  `json:"lost_packets"`
	Kbps        float64 `json:"kbps"`

	Profile           string  `json:"profile,omitempty"`
	Width             int     `json:"width,omitempty"`
	Height            int     `json:"height,omitempty"`
	Interlaced        bool    `json:"interlaced,omitempty"`
	SetsInDescription bool    `json:"sets_in_description,omitempty"` // parameter sets in the session description
	SetsSeen          bool    `json:"sets_seen,omitempty"`           // a random access picture with its parameter sets came
	DeclaredRate      string  `json:"declared_frame_rate,omitempty"`
	MeasuredRate      float64 `json:"measured_frame_rate,omitempty"` // by RTP time
	GOP               int     `json:"gop,omitempty"`                 // pictures from one random access picture to the next, the longest seen
	Reordered         bool    `json:"reordered,omitempty"`           // RTP times go back: B-pictures

	SampleRate int `json:"sample_rate,omitempty"`
	Channels   int `json:"channels,omitempty"`

	SenderReports bool    `json:"sender_reports"`
	ClockOffset   float64 `json:"clock_offset_seconds"` // camera's clock less this host's, delay of the way included
}

func (o *observation) report() TrackReport {
	f := o.track.Format
	r := TrackReport{
		Kind: f.Codec.Kind().String(), Codec: f.Codec.String(), Units: o.units, LostPackets: o.lost,
		SampleRate: f.SampleRate, Channels: f.Channels,
		SenderReports: len(o.offsets) > 0, ClockOffset: median(o.offsets).Seconds(),
	}
	if span := o.last.Arrival.Sub(o.first.Arrival).Seconds(); span > 0 {
		r.Kbps = round(float64(o.bytes)*8/1000/span, 1)
	}
	if f.Codec.Kind() == codecs.Video {
		o.reportVideo(&r)
	}
	return r
}

func (o *observation) reportVideo(r *TrackReport) {
	p := o.picture
	if p == (ingest.Picture{}) {
		p = o.track.Picture
	}
	r.Width, r.Height = p.Width, p.Height
	r.SetsInDescription, r.SetsSeen = o.track.Picture != (ingest.Picture{}), len(o.keys) > 0
	if p.FrameRate.Valid() {
		r.DeclaredRate = p.FrameRate.String()
	}
	if o.furthest > 0 {
		r.MeasuredRate = round(float64(o.units-1)*float64(o.track.ClockRate)/float64(o.furthest), 3)
	}
	for i := 1; i < len(o.keys); i++ {
		r.GOP = max(r.GOP, o.keys[i]-o.keys[i-1])
	}
	r.Reordered = o.backward > 0
	if info, name, ok := profile(o.track.Format.Codec, o.key); ok {
		r.Profile, r.Interlaced = name, info.Interlaced
	}
}

// profileNames are those of ITU-T H.264 Annex A and H.265 Annex A.
var profileNames = map[codecs.Codec]map[int]string{
	codecs.H264: {66: "Baseline", 77: "Main", 88: "Extended", 100: "High", 110: "High 10", 122: "High 4:2:2", 244: "High 4:4:4"},
	codecs.H265: {1: "Main", 2: "Main 10", 3: "Main Still Picture", 4: "Range Extensions"},
}

// profile reads the first SPS of a random access unit.
func profile(codec codecs.Codec, unit []byte) (info nal.Info, name string, ok bool) {
	for n := range nal.Units(unit) {
		var err error
		var level float64
		if codec == codecs.H264 {
			info, err = h264.ParseSPS(n)
			level = float64(info.Level) / 10
		} else {
			info, err = h265.ParseSPS(n)
			level = float64(info.Level) / 30
		}
		if err != nil {
			continue
		}
		name, known := profileNames[codec][info.Profile]
		if !known {
			name = fmt.Sprintf("profile %d", info.Profile)
		}
		return info, fmt.Sprintf("%s, level %.1f", name, level), true
	}
	return nal.Info{}, "", false
}

// problems says what to mend at the camera.
func problems(tracks []TrackReport) []string {
	list := []string{}
	say := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	for _, t := range tracks {
		if t.LostPackets > 0 {
			say("%s: %d packets were lost: use tcp, or look for the bottleneck", t.Kind, t.LostPackets)
		}
		switch {
		case t.Units == 0:
			say("%s: nothing came", t.Kind)
		case !t.SenderReports:
			say("%s: no RTCP sender reports: picture and sound are aligned by their arrival", t.Kind)
		case math.Abs(t.ClockOffset) > 1:
			say("%s: the camera's clock is off by %.1f s: give it an NTP server", t.Kind, t.ClockOffset)
		}
	}
	if len(tracks) > 0 {
		list = append(list, videoProblems(tracks[0])...)
	}
	if len(tracks) == 1 {
		say("no supported audio: the output will be silent")
	}
	return list
}

// longestGOP is in seconds.
const longestGOP = 4

func videoProblems(t TrackReport) []string {
	var list []string
	say := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	switch {
	case t.Units > 0 && !t.SetsSeen:
		say("no random access picture came: shorten the key frame interval to 1 or 2 s")
	case t.MeasuredRate > 0 && float64(t.GOP) > longestGOP*t.MeasuredRate:
		say("a key frame each %.1f s: after a loss the picture is away that long; 1 or 2 s are better", float64(t.GOP)/t.MeasuredRate)
	}
	declared, err := codecs.ParseRational(t.DeclaredRate)
	if err == nil && t.MeasuredRate > 0 && math.Abs(t.MeasuredRate/declared.Float()-1) > 0.05 {
		say("the stream says %s pictures a second, %.2f come", t.DeclaredRate, t.MeasuredRate)
	}
	if t.Interlaced {
		say("interlaced: set the camera to progressive")
	}
	return list
}

// String returns the report for people.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", r.URL)
	for _, t := range r.Tracks {
		fmt.Fprintf(&b, "  %s: %s\n", t.Kind, t.describe())
	}
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "  ! %s\n", p)
	}
	return b.String()
}

func (t TrackReport) describe() string {
	parts := []string{t.Codec}
	add := func(is bool, format string, args ...any) {
		if is {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	add(t.Profile != "", "%s", t.Profile)
	add(t.Width > 0, "%d×%d", t.Width, t.Height)
	add(t.MeasuredRate > 0, "%.2f pictures/s", t.MeasuredRate)
	add(t.DeclaredRate != "", "says %s", t.DeclaredRate)
	add(t.GOP > 0, "key frame each %d pictures", t.GOP)
	add(t.Reordered, "B-pictures")
	add(t.SampleRate > 0, "%d Hz", t.SampleRate)
	add(t.Channels > 0, "%d channels", t.Channels)
	add(true, "%.0f kbit/s", t.Kbps)
	add(t.SenderReports, "clock %+.3f s", t.ClockOffset)
	add(t.Kind == codecs.Video.String() && t.SetsInDescription, "parameter sets in the description")
	add(t.Kind == codecs.Video.String() && !t.SetsInDescription && t.SetsSeen, "parameter sets in the stream only")
	return strings.Join(parts, ", ")
}

func median(list []time.Duration) time.Duration {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

func round(v float64, digits int) float64 {
	scale := math.Pow10(digits)
	return math.Round(v*scale) / scale
}
