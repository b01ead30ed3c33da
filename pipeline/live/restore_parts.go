package live

import (
	"hash/crc32"
	"io"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
)

// restoredParts is how many of the newest stored segments get their parts back: as many as a playlist lists parts of, and one.
const restoredParts = 4

// restoreParts finds the parts of the newest segments in their bytes: players were told of them before the restart, and parts
// stay for three target durations (RFC 8216bis §6.2.2).
func (r *Rendition) restoreParts() {
	for _, s := range r.kept[max(0, len(r.kept)-restoredParts):] {
		if s.gap {
			continue
		}
		whole, err := r.readSegment(s)
		if err != nil {
			r.feed.opts.StoreFailed(r.feed.id, "read")
			continue
		}
		if parts := cut(whole, r.kind); len(parts) == r.parts {
			s.media.Store(&media{parts: parts, held: true, whole: whole})
		}
	}
}

func (r *Rendition) readSegment(s *segment) ([]byte, error) {
	file, err := r.feed.opts.Store.Open(s.storeName(r.storePath()))
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	whole := make([]byte, s.size)
	_, err = io.ReadFull(file, whole)
	return whole, err
}

// cut returns the parts that a segment was made of: each is one fragment. None when it can not be read.
func cut(whole []byte, kind codecs.Kind) []part {
	fragments, err := cmaf.ParseFragments(whole)
	if err != nil {
		return nil
	}
	pieces, err := cmaf.Split(whole)
	if err != nil || len(pieces) != len(fragments) {
		return nil
	}
	parts := make([]part, len(pieces))
	for i, f := range fragments {
		parts[i] = part{
			duration: int64(f.Duration()), independent: kind == codecs.Audio || f.FirstIsSync(),
			data: pieces[i], size: int64(len(pieces[i])), crc: crc32.ChecksumIEEE(pieces[i]),
		}
	}
	return parts
}
