package live

import (
	"fmt"
	"hash/crc32"
	"io"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/mpegts"
)

// Tag names the bytes of a segment: it changes when they do. It fails with ErrGone when the segment is a gap, or no longer there,
// and with ErrAhead when it is not finished.
func (m *Muxed) Tag(msn int64) (string, error) {
	if msn >= m.main.next.MSN || m.sound != nil && msn >= m.sound.next.MSN {
		return "", ErrAhead
	}
	main, sound := find(m.main.kept, msn), m.soundAt(msn)
	if main == nil || main.gap || m.sound != nil && sound == nil {
		return "", ErrGone
	}
	if sound == nil || sound.gap {
		return fmt.Sprintf("%d-%08x-ts", msn, main.crc), nil
	}
	return fmt.Sprintf("%d-%08x-%08x-ts", msn, main.crc, sound.crc), nil
}

func (m *Muxed) soundAt(msn int64) *segment {
	if m.sound == nil {
		return nil
	}
	return find(m.sound.kept, msn)
}

// Segment makes a segment of what is stored. It fails with ErrGone when that is not there.
func (m *Muxed) Segment(msn int64) ([]byte, error) {
	if _, err := m.Tag(msn); err != nil {
		return nil, err
	}
	main, err := m.main.track(find(m.main.kept, msn))
	if err != nil {
		return nil, err
	}
	out := mpegts.Segment{Video: main, Advance: m.main.rendition.view.advance()}
	if m.main.rendition.kind == codecs.Audio {
		out.Video, out.Sound = mpegts.Track{}, main
	}
	if m.sound != nil {
		if out.Sound, err = m.sound.track(m.soundAt(msn)); err != nil {
			return nil, err
		}
	}
	data, err := out.Marshal()
	if err != nil {
		return nil, fmt.Errorf("making segment %d of %s: %w", msn, m.main.rendition.name, err)
	}
	return data, nil
}

// advance returns by how much pictures are decoded earlier than in CMAF: encoders look ahead by one picture or two,
// and a picture may be shown for two frames of its rendition.
func (v *view) advance() codecs.Ticks {
	const ahead, step = 2, 2
	divisor := int64(1)
	for _, video := range v.feed.Ladder.Video {
		divisor = max(divisor, video.Divisor)
	}
	return codecs.Ticks(ahead*step*divisor) * v.feed.Grid.FrameDuration()
}

// maxSource bounds a segment that is read to be made into another, in bytes.
const maxSource = 256 << 20

// track reads a segment that is kept, and checks that it is what it was. That of a gap has no media.
func (s *Snapshot) track(seg *segment) (mpegts.Track, error) {
	t := mpegts.Track{Init: s.inits[seg.init].data}
	if seg.gap {
		return t, nil
	}
	media, err := s.Segment(seg.msn)
	if err != nil {
		return t, err
	}
	defer func() { _ = media.Close() }() // it was only read
	if seg.size > maxSource {
		return t, fmt.Errorf("segment %d of %s has %d bytes: want at most %d", seg.msn, s.rendition.name, seg.size, maxSource)
	}
	if t.Data, err = io.ReadAll(io.LimitReader(media, seg.size+1)); err != nil {
		return t, fmt.Errorf("reading segment %d of %s: %w", seg.msn, s.rendition.name, err)
	}
	if int64(len(t.Data)) != seg.size || crc32.ChecksumIEEE(t.Data) != seg.crc {
		return t, fmt.Errorf("segment %d of %s is not what was stored: %d bytes of %d", seg.msn, s.rendition.name, len(t.Data), seg.size)
	}
	return t, nil
}
