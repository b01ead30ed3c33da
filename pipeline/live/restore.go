package live

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/venuecast/venuecast/codecs/cmaf"
)

// restore brings back what the store has of the feed. What does not belong to its constants is removed.
// The window is shown when the first new part has come.
func (f *Feed) restore(v *view) { // f.mu is held
	if f.opts.Store == nil {
		return
	}
	objects, err := f.opts.Store.List(f.id + "/")
	if err != nil {
		f.opts.StoreFailed(f.id, "read")
		f.opts.Logger.Error("store can not be listed; the window starts empty", slog.String("feed", f.id), slog.Any("error", err))
		return
	}
	var foreign []string
	found := map[*Rendition][]*segment{}
	for _, o := range f.restoreThumbnails(v, f.restoreCaptions(v, objects)) {
		if o.Name == f.id+"/"+sessionFile {
			continue
		}
		if f.isEvent(o.Name) {
			f.restoreEvent(o.Name)
			continue
		}
		r, name := v.owner(f.id, o.Name)
		if r == nil {
			foreign = append(foreign, o.Name)
			continue
		}
		s, ok := parseName(name)
		switch {
		case ok && o.Size > 0:
			s.size = o.Size
			found[r] = append(found[r], s)
		case !isInit(name):
			foreign = append(foreign, o.Name)
		}
	}
	f.archive.remove(f, foreign)
	for r, segments := range found {
		r.restore(segments)
	}
	for _, r := range v.renditions {
		r.publish()
	}
}

// owner returns the rendition that a stored object belongs to, nil when it is none of these constants'.
func (v *view) owner(feed, name string) (*Rendition, string) {
	rest, ok := strings.CutPrefix(name, feed+"/"+v.key+"/")
	if !ok {
		return nil, ""
	}
	rendition, file, _ := strings.Cut(rest, "/")
	return v.rendition(rendition), file
}

// restore rebuilds the window from stored segments; holes become gaps.
func (r *Rendition) restore(segments []*segment) {
	slices.SortFunc(segments, func(a, b *segment) int { return int(a.msn - b.msn) })
	for _, s := range segments {
		if !r.restoreInit(s.init) {
			continue
		}
		if r.started && s.msn-r.next.MSN >= r.view.longestGap() {
			r.drop(len(r.kept), removedForAge)
			r.started = false
		}
		r.restoreOne(s)
	}
	if r.started {
		r.trimRestored()
		r.restoreParts()
	}
}

func (r *Rendition) restoreOne(s *segment) {
	if !r.started {
		r.started, r.next.MSN, r.first = true, s.msn, s.msn
	}
	if s.msn < r.next.MSN {
		return // the same segment twice: the first counts
	}
	b := &r.feed.breaks
	if s.start.here {
		b.add(s.msn)
	}
	b.gone += max(0, s.start.sequence-b.of(s.msn).sequence)
	r.init = s.init
	for r.next.MSN < s.msn {
		r.kept = append(r.kept, r.absent(r.next.MSN, r.timescale, s.init, b.of(r.next.MSN)))
		r.next.MSN++
	}
	r.feed.archive.found(&s.filed)
	r.rates.add(s.size, s.seconds())
	r.iframes.add(s.iframe, s.seconds())
	r.timescale = s.timescale
	r.kept = append(r.kept, s)
	r.next.MSN = s.msn + 1
	r.addPage(r.next.MSN)
	r.edition++
}

// trimRestored moves the window's start to where it belongs.
func (r *Rendition) trimRestored() {
	r.first = max(r.first, r.next.MSN-r.view.listed.Load())
	r.drop(r.fetchedNoMore(), removedForAge)
}

// restoreInit reads an init section, once. Without it a segment is of no use.
func (r *Rendition) restoreInit(version string) bool {
	if _, ok := r.inits[version]; ok {
		return true
	}
	data, err := readAll(r.feed.opts.Store, initName(r.storePath(), version))
	if err != nil || digest(data) != version {
		r.feed.opts.StoreFailed(r.feed.id, "read")
		return false
	}
	info, _ := cmaf.ParseInit(data) // else its codecs stay unknown until a worker says them
	r.withInit(version, initSection{data: data, codecs: info.Codecs, says: info})
	r.inits[version].filed.stored.Store(true)
	return true
}

func readAll(store Store, name string) ([]byte, error) {
	file, err := store.Open(name)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", name, err)
	}
	defer func() { _ = file.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(file, MaxInitBytes))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return data, nil
}
