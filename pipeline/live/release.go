package live

import "io"

// heldBehindParts is how many finished segments stay in memory behind those that list their parts: those who play without
// parts are there, three target durations from the end, and must not depend on the disk.
const heldBehindParts = 2

// release gives up the memory of segments that the store has and that nobody at the live edge plays. What is asked for of
// them comes from the store, until the live window has moved on: then nobody can have read of their parts any more.
func (r *Rendition) release() { // feed.mu is held
	end := r.next.MSN
	outside := end - r.view.live - 2
	held := end - int64(r.closedWithParts()) - heldBehindParts
	for msn := outside; msn < held; msn++ {
		s := r.segment(msn)
		switch {
		case s == nil || !s.stored.Load(): // those stay until they are stored, or out of reach
		case msn == outside:
			s.media.Store(nil)
		default:
			s.release()
		}
	}
	if s := r.segment(end - 2*r.view.live - 2); s != nil && r.feed.opts.Store != nil {
		s.media.Store(nil)
	}
}

// release keeps of a stored segment's media only where its parts lie. Readers may hold on to the bytes.
func (s *segment) release() {
	m := s.media.Load()
	if m == nil || !m.held {
		return
	}
	places := &media{parts: make([]part, len(m.parts))}
	for i, p := range m.parts {
		p.data = nil
		places.parts[i] = p
	}
	s.media.Store(places)
}

// openPart opens a part of a segment whose bytes are in the store only.
func (s *Snapshot) openPart(seg *segment, parts []part, index int) (io.ReadSeekCloser, error) {
	file, err := s.stored(seg)
	if err != nil {
		return nil, err
	}
	var from int64
	for _, p := range parts[:index] {
		from += p.size
	}
	return section{io.NewSectionReader(file, from, parts[index].size), file}, nil
}

// section is a stretch of a file, and owns the file.
type section struct {
	*io.SectionReader
	io.Closer
}
