package live

import (
	"fmt"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
	"github.com/venuecast/venuecast/pipeline"
)

// Bounds of what a worker may put: an init section is some hundred bytes.
const (
	MaxInitBytes = 1 << 20
	MaxPartBytes = 64 << 20
	maxMSN       = 1 << 40
	maxTimescale = 1_000_000_000
)

// PutInit sets the init section of a rendition. Its bytes become the feed's. The same bytes again change nothing, whoever sends them.
// Other bytes begin a discontinuity at the next segment that no rendition has begun;
// parts of this rendition from before it are left out, as they no longer fit what was announced.
//
// A session of another epoch gets pipeline.ErrFenced (lower) or ErrNoSession (higher).
func (f *Feed) PutInit(epoch uint64, init pipeline.Init) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, err := f.writable(epoch, init.Rendition)
	if err != nil {
		return fmt.Errorf("putting the init section of feed %s: %w", f.id, err)
	}
	if len(init.Data) == 0 || len(init.Data) > MaxInitBytes || !validCodecs(init.Codecs) {
		return fmt.Errorf("putting the init section of feed %s: %w: no codecs, or size out of range", f.id, ErrInvalid)
	}
	version := digest(init.Data)
	if version == r.init {
		r.inits[version].filed.stored.Store(false) // what was restored may have been removed since, see Feeds.takeOut
		r.storeInit(version)
		r.codecs = init.Codecs
		r.publish()
		return nil
	}
	if r.init != "" && r.started {
		if r.next.MSN >= r.initFrom {
			r.oldInit = r.init // else it was never in force
		}
		r.initFrom = f.nextUnbegun()
		f.breaks.add(r.initFrom)
	}
	r.init, r.codecs = version, init.Codecs
	says, _ := cmaf.ParseInit(init.Data) // what cannot be read is not announced
	r.withInit(version, initSection{data: init.Data, codecs: init.Codecs, says: says})
	r.storeInit(version)
	r.publish()
	return nil
}

// nextUnbegun returns the first segment of which no rendition has a part: where a discontinuity can still be announced.
func (f *Feed) nextUnbegun() int64 { // f.mu is held
	var msn int64
	for _, r := range f.Renditions() {
		if r.started {
			msn = max(msn, codecs.CeilDiv(r.next.MSN*int64(r.parts)+int64(r.next.Part), int64(r.parts)))
		}
	}
	return msn
}

// PutPart adds a part. Its bytes become the feed's. Parts of one rendition come in order; what is skipped, and a part that is a
// gap, is listed as missing.
// A part that is there already, or older than what is there, is taken without effect: so a worker may send again.
//
// A session of another epoch gets pipeline.ErrFenced (lower) or ErrNoSession (higher, or no init section yet).
func (f *Feed) PutPart(epoch uint64, p pipeline.Part) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, err := f.writable(epoch, p.Rendition)
	if err != nil {
		return fmt.Errorf("putting a part of feed %s: %w", f.id, err)
	}
	if r.init == "" || r.codecs == "" {
		return fmt.Errorf("putting a part of %s/%s: no init section: %w", f.id, r.name, ErrNoSession)
	}
	if err := r.check(p); err != nil {
		return fmt.Errorf("putting part %d.%d of %s/%s: %w: %w", p.MSN, p.Index, f.id, r.name, ErrInvalid, err)
	}
	r.add(p)
	f.hear(r.view, p.Captions)
	return nil
}

// check reports why a part can not be in the rendition's playlist.
func (r *Rendition) check(p pipeline.Part) error {
	switch {
	case p.MSN < 0 || p.MSN > maxMSN || p.Index < 0 || p.Index >= r.parts:
		return fmt.Errorf("place is not on the grid of %d parts per segment", r.parts)
	case p.Timescale < 1 || p.Timescale > maxTimescale || p.Duration < 1 || p.Duration > maxTimescale:
		return fmt.Errorf("duration %d/%d out of range", p.Duration, p.Timescale)
	case span(p.Duration, p.Timescale) > r.view.feed.PartTarget():
		// RFC 8216bis §4.4.4.9: no exception. Players refuse the whole playlist.
		return fmt.Errorf("duration %v above the part target %v", span(p.Duration, p.Timescale), r.view.feed.PartTarget())
	case p.Gap != (len(p.Data) == 0) || len(p.Data) > MaxPartBytes:
		return fmt.Errorf("%d bytes", len(p.Data))
	case r.onDemand && (p.Timescale != r.timescale || p.Duration != r.missing(p.Position(), r.timescale)):
		return fmt.Errorf("duration %d/%d, while %d/%d was listed", p.Duration, p.Timescale, r.missing(p.Position(), r.timescale), r.timescale)
	case len(r.open) > 0 && p.MSN == r.next.MSN && p.Timescale != r.timescale:
		return fmt.Errorf("timescale changes from %d to %d within a segment", r.timescale, p.Timescale)
	}
	return nil
}

// validCodecs reports whether s can stand in a CODECS attribute (RFC 6381 names, RFC 8216bis §4.2 quoted-string).
func validCodecs(s string) bool {
	if len(s) == 0 || len(s) > 100 {
		return false
	}
	for _, c := range []byte(s) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' && c != ',' {
			return false
		}
	}
	return true
}
