package main

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

// result is what one player did.
type result struct {
	Player     string     `json:"player"`
	Version    string     `json:"version"`
	Start      float64    `json:"start_seconds"` // from the URL to the first moving picture
	Join       []rebuffer `json:"join"`          // rebuffers while it finds its place
	Rebuffers  []rebuffer `json:"rebuffers"`     // all others
	Latency    latency    `json:"latency"`
	Decoded    int        `json:"decoded"`
	Dropped    int        `json:"dropped"`
	Steps      []outcome  `json:"steps"`
	Load       float64    `json:"load"`        // of the machine, at the end: runnable processes, the mean of a minute
	Troubles   []trouble  `json:"troubles"`    // what it complained about
	PlayersOwn []string   `json:"players_own"` // what is not held against us, and why
	Failed     []string   `json:"failed"`      // what is; none: it played well
}

// rebuffer is a time in which the picture should have moved and did not.
type rebuffer struct {
	At      float64 `json:"at"` // seconds from the first picture
	Seconds float64 `json:"seconds"`
	Step    string  `json:"step"` // the last that had been taken
}

// latency is camera to screen, in seconds, before the player is sent back or a fault is injected.
type latency struct {
	Median float64 `json:"median"`
	P95    float64 `json:"p95"`
	End    float64 `json:"end"`  // after all that
	From   string  `json:"from"` // picture, or PROGRAM-DATE-TIME where the player shows us no picture
}

// outcome is what came of a step.
type outcome struct {
	Step    string  `json:"step"`
	OK      bool    `json:"ok"`
	Seconds float64 `json:"seconds"` // until it showed
}

const (
	// joinTime is how long a player may take to find its place: hls.js and Shaka stall then now and then, whatever the server.
	joinTime = 6 * time.Second
	// leastRebuffer is what a viewer notices, and more than sampling is off.
	leastRebuffer = 400 * time.Millisecond
	// seekTime is how long the picture may stand after a seek.
	seekTime = 3 * time.Second
	// bufferTime is how much of the next step may pass until one shows.
	bufferTime = 6 * time.Second
	// backAtLeast is what counts as having gone 20 s back, and liveAtMost as being live again.
	backAtLeast, liveAtMost = 15.0, 6.0
)

// judge makes figures of what was recorded, and says what was not well.
func judge(p *player, version string, r *recorder, heights []int, did []done) result {
	r.mu.Lock()
	defer r.mu.Unlock()
	res := result{Player: p.name, Version: version, Troubles: r.troubles}
	first, ok := started(r.samples)
	if ok {
		res.Start = first.Sub(r.began).Seconds()
		j := judged{p, heights, did, first, after(r.samples, first)}
		j.rebuffers(&res)
		res.Latency = j.latency()
		last := j.samples[len(j.samples)-1]
		res.Decoded, res.Dropped = last.decoded, last.dropped
		res.Steps = j.outcomes()
	} else {
		res.fail("no picture")
	}
	res.blame(p.own)
	return res
}

func (r *result) fail(format string, args ...any) {
	r.Failed = append(r.Failed, fmt.Sprintf(format, args...))
}

// blame says what is held against us.
func (r *result) blame(own []allowance) {
	for _, t := range r.Troubles {
		if a := allowed(own, t.Text, 0); a != "" && !t.Fatal {
			r.PlayersOwn = append(r.PlayersOwn, fmt.Sprintf("%s (%s)", t.Text, a))
			continue
		}
		r.fail("at %.1f s: %s", t.At, t.Text)
	}
	for _, b := range r.Rebuffers {
		if a := allowed(own, "rebuffer "+b.Step, b.Seconds); a != "" {
			r.PlayersOwn = append(r.PlayersOwn, fmt.Sprintf("rebuffered %.1f s at %s (%s)", b.Seconds, b.Step, a))
			continue
		}
		r.fail("rebuffered %.1f s at %.1f s (%s)", b.Seconds, b.At, b.Step)
	}
	for _, o := range r.Steps {
		if o.OK {
			continue
		}
		if a := allowed(own, "step "+o.Step, 0); a != "" {
			r.PlayersOwn = append(r.PlayersOwn, fmt.Sprintf("step %s did not show (%s)", o.Step, a))
			continue
		}
		r.fail("step %s did not show", o.Step)
	}
}

// allowance is something a player does by itself, and how that is known.
type allowance struct {
	pattern *regexp.Regexp
	why     string
	most    float64 // seconds, of a rebuffer; 0: any
}

// allowed returns why a text is the player's own doing, if it is. A rebuffer lasts so many seconds.
func allowed(list []allowance, text string, seconds float64) string {
	for _, a := range list {
		if a.pattern.MatchString(text) && (a.most == 0 || seconds <= a.most) {
			return a.why
		}
	}
	return ""
}

func after(list []sample, at time.Time) []sample {
	return slices.DeleteFunc(slices.Clone(list), func(s sample) bool { return s.at.Before(at) })
}

// judged is one player's record, from the first picture on.
type judged struct {
	player  *player
	heights []int // of the renditions
	did     []done
	first   time.Time
	samples []sample
}

// rebuffers finds the times in which the position fell behind the clock, or no new picture was decoded: sound may go on
// while the picture stands.
func (j *judged) rebuffers(res *result) {
	var begin time.Time
	var lost time.Duration
	end := func() {
		if lost >= leastRebuffer {
			j.rebuffered(res, begin, lost)
		}
		lost = 0
	}
	for i := 1; i < len(j.samples); i++ {
		s, before := j.samples[i], j.samples[i-1]
		wall, media := s.at.Sub(before.at), seconds(s.position-before.position)
		if s.decoded == before.decoded {
			media = min(media, 0)
		}
		if media < 0 || media*10 >= wall*4 { // it moves, or was moved
			end()
			continue
		}
		if lost == 0 {
			begin = before.at
		}
		lost += wall - media
	}
	end()
}

// rebuffered adds one to where it belongs.
func (j *judged) rebuffered(res *result, begin time.Time, lost time.Duration) {
	b := rebuffer{At: begin.Sub(j.first).Seconds(), Seconds: lost.Seconds(), Step: "play"}
	var taken time.Time
	for _, d := range j.did {
		if !d.at.After(begin.Add(sampleTime)) { // a sample may be that old
			b.Step, taken = d.name, d.at
		}
	}
	sought := b.Step == "back" || b.Step == "live"
	switch {
	case begin.Sub(j.first) < joinTime:
		res.Join = append(res.Join, b)
	case sought && begin.Sub(taken) < 2*time.Second && lost <= seekTime:
		// The picture stands while the player fetches what it was sent to.
	default:
		res.Rebuffers = append(res.Rebuffers, b)
	}
}

// sampleTime is how often players say where they are.
const sampleTime = 250 * time.Millisecond

// latency is measured until the first step that changes it.
func (j *judged) latency() latency {
	until := j.samples[len(j.samples)-1].at
	for _, d := range slices.Backward(j.did) {
		if d.name == "back" || d.name == "live" || d.name == "cut" || d.name == "kill" {
			until = d.at
		}
	}
	l := latency{From: "picture"}
	of := func(s sample) time.Time { return s.captured }
	if !slices.ContainsFunc(j.samples, func(s sample) bool { return !s.captured.IsZero() }) {
		l.From = "PROGRAM-DATE-TIME"
		of = func(s sample) time.Time { return s.date }
	}
	l.Median, l.P95 = quantiles(j.samples, j.first.Add(joinTime), until, of)
	end := j.samples[len(j.samples)-1].at
	l.End, _ = quantiles(j.samples, end.Add(-2*time.Second), end, of)
	return l
}

// quantiles returns the median and the 95th percentile of how old the pictures were.
func quantiles(list []sample, from, to time.Time, of func(sample) time.Time) (median, p95 float64) {
	var ages []float64
	for _, s := range list {
		if shown := of(s); !shown.IsZero() && !s.at.Before(from) && !s.at.After(to) {
			ages = append(ages, s.at.Sub(shown).Seconds())
		}
	}
	if len(ages) == 0 {
		return 0, 0
	}
	slices.Sort(ages)
	return ages[len(ages)/2], ages[len(ages)*95/100]
}

// outcomes says what came of each step that a player can show. What is buffered is played first, so it may show after
// the next step has been taken, but not before the step before it has shown.
func (j *judged) outcomes() (list []outcome) {
	var from time.Time
	for i, d := range j.did {
		shown := j.shows(d.name)
		if shown == nil {
			continue
		}
		end := j.samples[len(j.samples)-1].at
		if i+1 < len(j.did) {
			end = j.did[i+1].at.Add(bufferTime)
		}
		o := outcome{Step: d.name}
		for _, s := range j.samples {
			if s.at.After(d.at) && s.at.After(from) && !s.at.After(end) && shown(s) {
				o.OK, o.Seconds, from = true, s.at.Sub(d.at).Seconds(), s.at
				break
			}
		}
		list = append(list, o)
	}
	return list
}

// shows returns how a step shows in a sample, or nil.
func (j *judged) shows(step string) func(sample) bool {
	switch step {
	case "lowest":
		return func(s sample) bool { return s.height == slices.Min(j.heights) }
	case "highest":
		return func(s sample) bool { return s.height == slices.Max(j.heights) }
	case "back":
		return func(s sample) bool { return j.behind(s) >= backAtLeast }
	case "live":
		return func(s sample) bool { return j.behind(s) <= liveAtMost }
	default:
		return nil
	}
}

// behind is how much later a sample is than it would be if the player had played on since it was sent back.
func (j *judged) behind(s sample) float64 {
	i := slices.IndexFunc(j.did, func(d done) bool { return d.name == "back" })
	before := j.samples[0]
	for _, b := range j.samples {
		if b.at.After(j.did[i].at) {
			break
		}
		before = b
	}
	return s.at.Sub(before.at).Seconds() - (s.position - before.position)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
