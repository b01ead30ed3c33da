package mpegts

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
)

// Access unit delimiters for any kind of slices (ITU-T H.264 §7.3.2.4, H.265 §7.3.2.5). They must come first:
// ISO/IEC 13818-1 §2.14.1, §2.17.1.
var delimiters = map[codecs.Codec][]byte{
	codecs.H264: {0, 0, 0, 1, 9, 0xf0},
	codecs.H265: {0, 0, 0, 1, 35 << 1, 1, 0x50},
}

// videoUnits returns pictures in Annex B: a delimiter, the parameter sets if decoding can begin here, and the rest.
func videoUnits(samples []placed, init cmaf.InitInfo, advance int64) ([]unit, error) {
	units := make([]unit, 0, len(samples))
	for i, x := range samples {
		u := unit{pts: x.show, dts: x.decode - advance, randomAccess: x.RandomAccess(init.Codec)}
		if u.pts < u.dts {
			return nil, fmt.Errorf("picture %d is shown %d ticks before it is decoded: want at most %d", i, x.decode-x.show, advance)
		}
		u.data = append(u.data, delimiters[init.Codec]...)
		if u.randomAccess {
			u.data = append(u.data, init.ParameterSets...)
		}
		for n, err := range lengthPrefixed(x.Data) {
			if err != nil {
				return nil, fmt.Errorf("picture %d: %w", i, err)
			}
			u.data = append(append(u.data, 0, 0, 0, 1), n...)
		}
		units = append(units, u)
	}
	return units, nil
}

// lengthPrefixed walks NAL units that stand after their lengths in four bytes (ISO/IEC 14496-15 §4.3.2).
// After an error it ends.
func lengthPrefixed(data []byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for len(data) > 0 {
			if len(data) < 4 || uint64(binary.BigEndian.Uint32(data)) > uint64(len(data)-4) {
				yield(nil, errors.New("a NAL unit ends too early"))
				return
			}
			end := 4 + int(binary.BigEndian.Uint32(data))
			if end > 4 && !yield(data[4:end], nil) {
				return
			}
			data = data[end:]
		}
	}
}

const (
	// bundle is how long the sound of one PES packet is at most, in units of 1/90000 s: five frames at 48 kHz.
	bundle = codecs.TicksPerSecond / 9
	// adtsHeader is the length of an ADTS header, and maxFrame bounds what stands after it: the length of both has
	// 13 bits (ISO/IEC 14496-3 §1.A.3.2.2).
	adtsHeader = 7
	maxFrame   = 1<<13 - 1 - adtsHeader
	// maxBundle bounds the bytes of one PES packet of sound, whose length has 16 bits.
	maxBundle = 60_000
)

// soundUnits returns AAC frames after ADTS headers, some in each unit.
func soundUnits(samples []placed, config []byte) ([]unit, error) {
	var asc mpeg4audio.AudioSpecificConfig
	if err := asc.Unmarshal(config); err != nil {
		return nil, fmt.Errorf("reading the AudioSpecificConfig: %w", err)
	}
	if asc.Type != mpeg4audio.ObjectTypeAACLC || asc.ExtensionType != 0 {
		return nil, errors.New("want AAC-LC")
	}
	var units []unit
	for len(samples) > 0 {
		n := 1
		for n < len(samples) && samples[n].decode+samples[n].duration <= samples[0].decode+bundle {
			n++
		}
		data, err := adts(samples[:n], asc)
		if err != nil {
			return nil, err
		}
		units = append(units, unit{pts: samples[0].show, dts: samples[0].show, randomAccess: true, data: data})
		samples = samples[n:]
	}
	return units, nil
}

func adts(samples []placed, asc mpeg4audio.AudioSpecificConfig) ([]byte, error) {
	var frames mpeg4audio.ADTSPackets
	size := 0
	for _, x := range samples {
		if size += len(x.Data) + adtsHeader; len(x.Data) > maxFrame || size > maxBundle {
			return nil, fmt.Errorf("a frame of %d bytes, %d in one PES packet: want at most %d and %d", len(x.Data), size, maxFrame, maxBundle)
		}
		frames = append(frames, &mpeg4audio.ADTSPacket{
			Type: asc.Type, SampleRate: asc.SampleRate, ChannelConfig: asc.ChannelConfig, AU: x.Data,
		})
	}
	data, err := frames.Marshal()
	if err != nil {
		return nil, fmt.Errorf("writing ADTS headers: %w", err)
	}
	return data, nil
}
