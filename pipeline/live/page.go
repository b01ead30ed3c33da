package live

import (
	"bytes"
	"maps"
	"sync"
)

// pageSegments is how many segments make a page.
const pageSegments = 128

// page is the text of a stretch of finished segments in a playlist of the DVR. Media Sequence Numbers cut a rendition into
// pages, so that long playlists are put together from a few pieces, each rendered and deflated once.
type page struct {
	segments    []*segment
	initInForce string // before the first of them

	once, deflateOnce sync.Once
	plain, squeezed   []byte
}

// addPage makes the page that ends with the segment before end, if all of it and one segment before are kept:
// a playlist that begins with a page's first segment has a tag more, EXT-X-MAP, and does not use it.
func (r *Rendition) addPage(end int64) {
	first := end - pageSegments
	if end%pageSegments != 0 || first <= r.kept[0].msn {
		return
	}
	i := first - r.kept[0].msn
	r.pages = maps.Clone(r.pages) // readers hold the old map
	if r.pages == nil {
		r.pages = map[int64]*page{}
	}
	r.pages[first] = &page{segments: r.kept[i : i+pageSegments], initInForce: r.kept[i-1].init}
}

// dropPages forgets pages of which something is gone.
func (r *Rendition) dropPages() {
	for first := range r.pages {
		if len(r.kept) == 0 || first <= r.kept[0].msn {
			r.pages = maps.Clone(r.pages)
			delete(r.pages, first)
		}
	}
}

// appendPages appends finished segments as they stand in playlists elsewhere than under /live, by pages where there are any.
func (s *Snapshot) appendPages(b *builder, segments []*segment, initInForce string) {
	for len(segments) > 0 {
		n := 1
		p := s.pages[segments[0].msn]
		if p != nil && len(segments) >= pageSegments && initInForce == p.initInForce {
			n = pageSegments
			b.page(p.rendered(s))
		} else {
			tag := s.finished(segments[0], initInForce, s.rendition.elsewhere)
			b.plain = tag.Append(b.plain)
		}
		initInForce, segments = segments[n-1].init, segments[n:]
	}
}

func (p *page) rendered(s *Snapshot) *page {
	p.once.Do(func() {
		initInForce := p.initInForce
		for _, seg := range p.segments {
			tag := s.finished(seg, initInForce, s.rendition.elsewhere)
			p.plain, initInForce = tag.Append(p.plain), seg.init
		}
	})
	return p
}

// deflated returns the page as a stretch of deflate that ends on a byte. The page must have been rendered.
func (p *page) deflated() []byte {
	p.deflateOnce.Do(func() {
		var zip bytes.Buffer
		deflate(&zip, p.plain, &best, false)
		p.squeezed = bytes.Clone(zip.Bytes())
	})
	return p.squeezed
}
