package live

import (
	"hash/crc32"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/grid"
)

// Rendition is one rendition's window. Its exported methods may be called by any goroutine.
type Rendition struct {
	name      string
	kind      codecs.Kind
	bitrate   int64 // as declared by the ladder
	onDemand  bool  // it is listed as the feed's reference is, whether it is made or not
	demand    demand
	unmade    bool // the worker has said that it does not make it now; guarded by feed.mu
	parts     int  // per segment
	feed      *Feed
	view      *view
	elsewhere string // what the addresses of its media begin with in playlists that do not lie with them
	snap      atomic.Pointer[Snapshot]
	muxed     muxedNow

	// The writer's side, guarded by feed.mu.
	started   bool
	next      pipeline.Position // the part that is wanted
	codecs    string
	init      string // version of the init section in force from initFrom on
	oldInit   string // and before
	initFrom  int64
	inits     map[string]initSection // by version; replaced, never written
	timescale int64
	samples   int64           // of an audio frame
	open      []part          // of segment next.MSN; shared with snapshots, only ever appended to
	kept      []*segment      // without holes, shared likewise: those listed, and before them those just removed
	first     int64           // the first segment listed
	pages     map[int64]*page // by their first segment; replaced, never written
	rates     rates
	iframes   rates
	lastPart  time.Time
	edition   int64 // grows with every change of what is listed, parts aside
}

func newRendition(f *Feed, v *view, name string, kind codecs.Kind, bitrate int64) *Rendition {
	r := &Rendition{name: name, kind: kind, bitrate: bitrate, parts: v.feed.Grid.Parts(), feed: f, view: v, timescale: codecs.TicksPerSecond}
	if kind == codecs.Audio {
		r.timescale = grid.SampleRate
	}
	r.elsewhere = "../../../live/" + f.id + "/" + name + "/"
	r.snap.Store(&Snapshot{rendition: r, changed: make(chan struct{}), partial: &renderings{}, whole: &renderings{}})
	return r
}

// Name returns the rendition's name.
func (r *Rendition) Name() string { return r.name }

// Kind returns whether it is video or audio.
func (r *Rendition) Kind() codecs.Kind { return r.kind }

// add takes a checked part.
func (r *Rendition) add(p pipeline.Part) { // feed.mu is held
	at := p.Position()
	if p.MSN < r.initFrom {
		return
	}
	r.unmade = p.Gap
	if r.started && at.Less(r.next) {
		r.supply(p)
		return
	}
	if r.started && p.MSN-r.next.MSN >= r.view.longestGap() {
		r.reset() // a playlist of nothing but gaps helps nobody
	}
	if !r.started {
		if p.Index != 0 || !r.mayBegin(p) {
			return // a window begins with a whole segment
		}
		r.started, r.next, r.first = true, at, p.MSN
	}
	r.fill(pipeline.Position{MSN: p.MSN})
	if len(r.open) == 0 {
		r.timescale = p.Timescale
	}
	r.fill(at)
	r.append(taken(p))
	r.lastPart = r.feed.opts.Now()
	r.publishFollowers()
	r.publish()
}

// mayBegin reports whether a window can begin with the first part of a segment. It begins with a gap beside others that have begun:
// the worker does without the rendition, and the multivariant playlist, which lists it, waits for it to begin.
func (r *Rendition) mayBegin(p pipeline.Part) bool { // feed.mu is held
	if !p.Gap {
		return p.Independent
	}
	return !r.onDemand && slices.ContainsFunc(r.view.renditions, func(o *Rendition) bool { return o.started })
}

// taken returns a part as it is kept.
func taken(p pipeline.Part) part {
	return part{
		duration: p.Duration, independent: p.Independent, gap: p.Gap,
		data: p.Data, size: int64(len(p.Data)), crc: crc32.ChecksumIEEE(p.Data),
	}
}

// fill lists all from next up to at as missing.
func (r *Rendition) fill(at pipeline.Position) {
	for r.next.Less(at) {
		if r.onDemand {
			r.append(r.placeholder())
			continue
		}
		r.append(part{duration: r.missing(r.next, r.timescale), gap: true})
	}
}

// missing returns how long the part at a place would be, in units of timescale.
func (r *Rendition) missing(at pipeline.Position, timescale int64) int64 {
	g := r.view.feed.Grid
	if r.kind == codecs.Audio {
		frames := g.AudioFrame(r.samples, at.MSN, at.Part+1) - g.AudioFrame(r.samples, at.MSN, at.Part)
		return codecs.MulDivRound(frames*r.samples, timescale, grid.SampleRate)
	}
	return codecs.MulDivRound(g.PartFrames*g.FrameRate.Den, timescale, g.FrameRate.Num)
}

func (r *Rendition) append(p part) {
	r.lead(r.next, p.gap)
	r.open = append(r.open, p)
	r.next.Part++
	if r.next.Part < r.parts {
		return
	}
	s := &segment{msn: r.next.MSN, timescale: r.timescale, init: r.initAt(r.next.MSN), start: r.feed.breaks.of(r.next.MSN)}
	s.await(r.open)
	if !s.pending.Load() {
		s.close(r.open)
		r.finish(s, r.open)
	}
	r.next, r.open = pipeline.Position{MSN: r.next.MSN + 1}, nil
	r.kept = append(r.kept, s)
	r.addPage(r.next.MSN - r.unsettled())
	r.trim()
	r.feed.expireEvents()
	r.edition++
}

// finish takes account of a segment that has all its parts, and stores it.
func (r *Rendition) finish(s *segment, parts []part) {
	if s.gap {
		return
	}
	if first := parts[0]; r.kind == codecs.Video && !first.gap {
		s.iframe, _ = cmaf.FirstPicture(first.data) // else it has none that can be shown by itself
	}
	r.rates.add(s.size, s.seconds())
	r.iframes.add(s.iframe, s.seconds())
	r.storeInit(s.init)
	r.feed.archive.put(r.feed, s.storeName(r.storePath()), s.media.Load().pieces(), &s.filed)
	if after, first := r.demand.begun(s.msn, r.feed.opts.Now()); first {
		r.feed.opts.ColdStart(r.feed.id, r.name, after)
	}
}

// initAt returns the version of the init section that a segment needs.
func (r *Rendition) initAt(msn int64) string {
	if msn < r.initFrom {
		return r.oldInit
	}
	return r.init
}

// trim moves the window on after a segment has been finished.
func (r *Rendition) trim() {
	live, end := r.view.live, r.next.MSN
	r.first = max(r.first, end-r.view.listed.Load())
	// What leaves memory and did not get into the store ends the playlist there: nothing listed may be missing.
	if s := r.segment(end - live - 1); s != nil && !s.gap && !s.lose() && !s.stored.Load() {
		r.first = max(r.first, end-live)
	}
	r.release()
	r.drop(r.fetchedNoMore(), removedForAge)
	r.forget()
}

// fetchedNoMore returns how many of the oldest segments have left the playlists for so long that nobody can ask for them. A removed
// segment can be fetched for as long as a live playlist is; RFC 8216bis §6.2.2 asks for one segment's time.
func (r *Rendition) fetchedNoMore() (n int) {
	for n < len(r.kept) && r.kept[n].msn < r.first-r.view.live {
		n++
	}
	return n
}

// drop gives up the oldest n segments.
func (r *Rendition) drop(n int, reason string) {
	j := job{feed: r.feed, reason: reason}
	r.take(n, &j)
	r.feed.archive.push(j)
}

// take gives up the oldest n segments, and adds to j what of them is to be removed.
func (r *Rendition) take(n int, j *job) {
	for _, s := range r.kept[:n] {
		s.media.Store(nil) // the array behind kept, and readers of old snapshots, hold on to s
		if !s.lose() && !s.gap {
			j.discard(s.storeName(r.storePath()), &s.filed)
		}
	}
	r.kept = r.kept[n:]
	r.dropPages()
	r.edition++
}

// forget drops init sections and breaks that nothing kept needs.
func (r *Rendition) forget() {
	r.feed.breaks.forget(r.feed.oldest())
	if len(r.inits) < 2 {
		return
	}
	used := map[string]bool{r.init: true, r.oldInit: r.next.MSN <= r.initFrom}
	for _, s := range r.kept {
		used[s.init] = true
	}
	for version := range r.inits {
		if !used[version] {
			r.inits = maps.Clone(r.inits)
			delete(r.inits, version)
			r.feed.archive.remove(r.feed, []string{initName(r.storePath(), version)})
		}
	}
}

// segment returns a segment that is kept, or nil.
func (r *Rendition) segment(msn int64) *segment { return find(r.kept, msn) }

func find(kept []*segment, msn int64) *segment {
	if len(kept) == 0 || msn < kept[0].msn || msn >= kept[0].msn+int64(len(kept)) {
		return nil
	}
	return kept[msn-kept[0].msn]
}

// reset empties the window: what comes next is too far from what was.
func (r *Rendition) reset() {
	r.drop(len(r.kept), removedForAge)
	r.started, r.open = false, nil
	for _, o := range r.followers() {
		if o.started && o.next.MSN <= r.next.MSN+1 {
			o.reset()
		}
	}
}

// publish shows readers what is there now and wakes those who wait.
func (r *Rendition) publish() {
	old := r.snap.Load()
	whole := old.whole
	if old.edition != r.edition {
		whole = &renderings{}
	}
	r.snap.Store(&Snapshot{
		rendition: r,
		edition:   r.edition,
		pages:     r.pages,
		partial:   &renderings{},
		whole:     whole,
		codecs:    r.codecs,
		inits:     r.inits,
		kept:      r.kept,
		first:     r.first,
		open:      r.open,
		openInit:  r.initAt(r.next.MSN),
		openStart: r.feed.breaks.of(r.next.MSN),
		timescale: r.timescale,
		next:      r.next,
		rates:     r.rates,
		iframes:   r.iframes,
		at:        r.lastPart,
		events:    r.feed.events,
		made:      r.feed.opts.Now(),
		changed:   make(chan struct{}),
	})
	close(old.changed)
}

// retire tells readers that the window has been replaced.
func (r *Rendition) retire() {
	old := r.snap.Load()
	r.snap.Store(&Snapshot{rendition: r, retired: true, changed: make(chan struct{}), partial: &renderings{}, whole: &renderings{}})
	close(old.changed)
	r.drop(len(r.kept), removedWithFeed)
}

// initSection is the init section of some segments.
type initSection struct {
	data   []byte
	codecs string // RFC 6381; empty when they are not known
	says   cmaf.InitInfo
	filed  *filed
}

// storeInit hands an init section to the store if that does not have it: it was full, or busy, when the worker put it.
// Without it segments in the store are of no use.
func (r *Rendition) storeInit(version string) {
	if init, ok := r.inits[version]; ok && !init.filed.stored.Load() {
		r.feed.archive.put(r.feed, initName(r.storePath(), version), [][]byte{init.data}, init.filed)
	}
}

// withInit adds an init section that is not in the store: readers hold the old map.
func (r *Rendition) withInit(version string, init initSection) {
	init.filed = new(filed)
	r.inits = maps.Clone(r.inits)
	if r.inits == nil {
		r.inits = map[string]initSection{}
	}
	r.inits[version] = init
}

// absent returns a segment that is not there, as it is listed.
func (r *Rendition) absent(msn, timescale int64, init string, start discontinuity) *segment {
	s := &segment{msn: msn, timescale: timescale, gap: true, init: init, start: start}
	for i := range r.parts {
		s.duration += r.missing(pipeline.Position{MSN: msn, Part: i}, timescale)
	}
	return s
}
