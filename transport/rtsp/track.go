package rtsp

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/pion/rtp"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/ingest"
)

// track is one media of a session that is read. It belongs to the goroutine that delivers its packets.
type track struct {
	index  int
	media  *description.Media
	format format.Format
	info   ingest.Track

	numbers sequence
	video   *assembler // one of video and audio is set
	audio   audioCodec
	emit    func(ingest.Unit)
	lost    func(packets uint64)
}

// chooseTracks returns the first supported video and the first supported audio, in this order.
// Back channels (to the camera) and metadata are left alone.
func chooseTracks(d *description.Session) ([]*track, error) {
	var video, audio *track
	for _, m := range d.Medias {
		if m.IsBackChannel {
			continue
		}
		for _, f := range m.Formats {
			t := newTrack(m, f)
			switch {
			case t == nil:
			case t.info.Format.Codec.Kind() == codecs.Video && video == nil:
				video = t
			case t.info.Format.Codec.Kind() == codecs.Audio && audio == nil:
				audio = t
			}
		}
	}
	if video == nil {
		return nil, fmt.Errorf("no supported video track (found: %s): set the camera to H.264 or H.265", found(d))
	}
	tracks := []*track{video}
	if audio != nil {
		audio.index = 1
		tracks = append(tracks, audio)
	}
	return tracks, nil
}

// newTrack returns nil when the format is not supported.
func newTrack(m *description.Media, f format.Format) *track {
	t := &track{media: m, format: f}
	if codec, name := newVideo(f); codec != nil {
		t.info = ingest.Track{Format: codecs.Format{Codec: name}, ClockRate: f.ClockRate(), Picture: codec.picture()}
		t.video = newAssembler(codec, func(u ingest.Unit) { t.emit(u) })
		return t
	}
	if t.audio, t.info = newAudio(f); t.audio != nil {
		return t
	}
	return nil
}

// newVideo returns what is needed for a format; nil when it is not supported.
func newVideo(f format.Format) (videoCodec, codecs.Codec) {
	switch f := f.(type) {
	case *format.H264:
		if c, err := newH264(f); err == nil {
			return c, codecs.H264
		}
	case *format.H265:
		if c, err := newH265(f); err == nil {
			return c, codecs.H265
		}
	}
	return nil, 0
}

// packet takes the next packet of the track. An error is about this packet only.
func (t *track) packet(p *rtp.Packet, arrival time.Time) error {
	missing := t.numbers.lostBefore(p.SequenceNumber)
	if missing > 0 {
		t.lost(missing)
	}
	var err error
	if t.video != nil {
		err = t.video.packet(p, arrival, missing > 0)
	} else {
		err = t.audioPacket(p, arrival)
	}
	if err != nil {
		t.lost(1)
	}
	return err
}

func (t *track) audioPacket(p *rtp.Packet, arrival time.Time) error {
	frames, err := t.audio.frames(p)
	if errors.Is(err, errMore) {
		return nil
	}
	if err != nil {
		return err
	}
	at := p.Timestamp
	for _, f := range frames {
		t.emit(ingest.Unit{RTP: at, Arrival: arrival, RandomAccess: true, Data: f})
		at += t.audio.duration(f)
	}
	return nil
}

// found names the tracks of a description for an error.
func found(d *description.Session) string {
	var names []string
	for _, m := range d.Medias {
		for _, f := range m.Formats {
			name := f.RTPMap()
			if name == "" {
				name = fmt.Sprintf("payload type %d", f.PayloadType())
			}
			names = append(names, fmt.Sprintf("%s %s", m.Type, name))
		}
	}
	if len(names) == 0 {
		return "nothing"
	}
	return oneLine(strings.Join(names, ", "))
}
