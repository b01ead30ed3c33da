package mpegts

import (
	"errors"
	"fmt"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
)

// Track is one CMAF segment of one track.
type Track struct {
	Init []byte // its init section
	Data []byte // its fragments
}

const (
	// maxUnits bounds the access units of one track in a segment. Half a minute at 240 pictures a second has 7200.
	maxUnits = 10_000
	// maxTime bounds times, in seconds since the zero of the timeline: what is beyond would overflow.
	maxTime = 1 << 36
	// maxSpan bounds the length of a segment, in units of 1/90000 s.
	maxSpan = 60 * codecs.TicksPerSecond
)

// Segment is what a segment is made of: H.264 or H.265 on PID 256 and AAC on PID 257, or AAC alone on PID 256.
type Segment struct {
	// Video and Sound are its tracks. The zero Track stands for one that the programme does not have; sound without Data
	// is announced all the same, so that a segment without it has the programme of the others.
	Video, Sound Track
	// Advance is how much earlier than in CMAF pictures are decoded, the same in all segments of a programme: there a
	// picture may be shown before its decoding time (composition offsets are signed, ISO/IEC 14496-12 §8.8.8), here not.
	Advance codecs.Ticks
}

// Marshal returns the segment. It fails when the media can not be read, are not of one of these formats, or are more
// than a segment may have.
func (s Segment) Marshal() ([]byte, error) {
	var streams []stream
	for _, t := range []Track{s.Video, s.Sound} {
		if t.Init == nil {
			continue
		}
		stream, err := t.read(int64(s.Advance))
		if err != nil {
			return nil, err
		}
		streams = append(streams, stream)
	}
	out, err := mux(streams)
	if err != nil {
		return nil, fmt.Errorf("writing MPEG-TS: %w", err)
	}
	if out, err = align(out); err != nil {
		return nil, fmt.Errorf("writing MPEG-TS: %w", err)
	}
	return out, nil
}

// stream is one elementary stream of a segment, as it is written.
type stream struct {
	codec codecs.Codec
	units []unit
	end   int64 // when the last unit has been decoded, in units of 1/90000 s
}

// unit is what one PES packet carries. Times are in units of 1/90000 s.
type unit struct {
	pts, dts     int64
	randomAccess bool
	data         []byte // Annex B, or ADTS frames
}

// read returns the track as an elementary stream.
func (t Track) read(advance int64) (stream, error) {
	init, err := cmaf.ParseInit(t.Init)
	if err != nil {
		return stream{}, err
	}
	if _, ok := streamTypes[init.Codec]; !ok {
		return stream{}, fmt.Errorf("a track of %s: want h264, h265 or aac", init.Codec)
	}
	fragments, err := cmaf.ParseFragments(t.Data)
	if err != nil {
		return stream{}, fmt.Errorf("reading the %s track: %w", init.Codec, err)
	}
	samples, err := place(fragments, int64(init.Timescale))
	if err != nil {
		return stream{}, fmt.Errorf("reading the %s track: %w", init.Codec, err)
	}
	s := stream{codec: init.Codec}
	if init.Codec == codecs.AAC {
		s.units, err = soundUnits(samples, init.Config)
	} else {
		s.units, err = videoUnits(samples, init, advance)
	}
	if err != nil {
		return stream{}, fmt.Errorf("reframing the %s track: %w", init.Codec, err)
	}
	if n := len(samples); n > 0 {
		s.end = s.units[0].dts + samples[n-1].decode + samples[n-1].duration - samples[0].decode
	}
	return s, nil
}

// placed is a sample with its times, in units of 1/90000 s.
type placed struct {
	*cmaf.Sample
	decode, show, duration int64
}

func place(fragments []cmaf.FragmentInfo, timescale int64) ([]placed, error) {
	var all []placed
	ticks := func(t int64) int64 { return codecs.MulDivRound(t, codecs.TicksPerSecond, timescale) }
	for _, f := range fragments {
		if f.BaseTime/uint64(timescale) > maxTime {
			return nil, errors.New("decoding time out of range")
		}
		at := int64(f.BaseTime)
		for i := range f.Samples {
			x := &f.Samples[i]
			if len(x.Data) == 0 || len(all) == maxUnits {
				return nil, fmt.Errorf("sample %d: want up to %d, none of them empty", len(all), maxUnits)
			}
			next := at + int64(x.Duration)
			p := placed{x, ticks(at), ticks(at + int64(x.CompositionOffset)), ticks(next) - ticks(at)}
			if n := len(all); n > 0 && p.decode < all[n-1].decode {
				return nil, errors.New("the timeline goes back")
			}
			all, at = append(all, p), next
			if ticks(next)-all[0].decode > maxSpan {
				return nil, errors.New("it is longer than a minute")
			}
		}
	}
	return all, nil
}
