package loadtest

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/aac"
	"github.com/venuecast/venuecast/transport/rtsp"
)

// Coded is a piece of coded media that cameras play in a loop.
type Coded struct {
	Tracks []rtsp.ServerTrack
	Units  []CodedUnit  // in the order of their decoding
	Length codecs.Ticks // of one round
}

// CodedUnit is one access unit. Its times count from the beginning of a round.
type CodedUnit struct {
	Track int
	DTS   codecs.Ticks
	codecs.AccessUnit
}

// rate returns the RTP clock of a track.
func (c *Coded) rate(track int) int64 {
	if f := c.Tracks[track].Format; f.Codec.Kind() == codecs.Audio {
		return int64(f.SampleRate)
	}
	return codecs.TicksPerSecond
}

// What a generated camera sends: 640×360 at 25 pictures per second, baseline, an IDR every 2 s that has as many bytes as
// eight other pictures, and AAC.
const (
	generatedRate   = 25
	generatedGOP    = 50
	generatedIDR    = 8
	generatedSound  = 128_000 // bit/s
	generatedSPS    = "6742c01ed900a02ff97011000003000100000300320f162e48"
	generatedPPS    = "68ce3c80"
	idrStart        = "6588" // NAL unit header, first macroblock 0, slice of type I
	pictureStart    = "419a" // the same of type P
	soundSampleRate = 48_000
)

// Generated returns media as a camera of this bitrate sends them. Nothing in them can be decoded: an ingest reads the headers only.
func Generated(bitrate int64) (*Coded, error) {
	config, err := aac.Config{Type: aac.LC, SampleRate: soundSampleRate, Channels: 2}.Marshal()
	if err != nil {
		return nil, fmt.Errorf("generating media: %w", err)
	}
	c := &Coded{
		Tracks: []rtsp.ServerTrack{
			{Format: codecs.Format{Codec: codecs.H264}, ParameterSets: [][]byte{unhex(generatedSPS), unhex(generatedPPS)}},
			{Format: codecs.Format{Codec: codecs.AAC, SampleRate: soundSampleRate, Channels: 2, Config: config}},
		},
		Length: generatedGOP * codecs.TicksPerSecond / generatedRate * 32, // frames of sound are whole, too
	}
	noise := noise(rand.New(rand.NewPCG(1, 2))) //nolint:gosec // not a secret
	c.pictures(bitrate, noise)
	c.sound(noise)
	slices.SortStableFunc(c.Units, func(a, b CodedUnit) int { return int(a.DTS - b.DTS) })
	return c, nil
}

func (c *Coded) pictures(bitrate int64, noise func(int64) []byte) {
	size := bitrate * generatedGOP / generatedRate / 8 / (generatedGOP - 1 + generatedIDR)
	step := codecs.Ticks(codecs.TicksPerSecond / generatedRate)
	for k := codecs.Ticks(0); k*step < c.Length; k++ {
		u := CodedUnit{DTS: k * step, AccessUnit: codecs.AccessUnit{PTS: k * step}}
		if u.RandomAccess = k%generatedGOP == 0; u.RandomAccess {
			u.Data = annexB(unhex(generatedSPS), unhex(generatedPPS), append(unhex(idrStart), noise(size*generatedIDR)...))
		} else {
			u.Data = annexB(append(unhex(pictureStart), noise(size)...))
		}
		c.Units = append(c.Units, u)
	}
}

func (c *Coded) sound(noise func(int64) []byte) {
	const size = generatedSound * aac.FrameSamples / soundSampleRate / 8
	for j := int64(0); ; j++ {
		at := codecs.Ticks(codecs.MulDiv(j*aac.FrameSamples, codecs.TicksPerSecond, soundSampleRate))
		if at >= c.Length {
			return
		}
		c.Units = append(c.Units, CodedUnit{
			Track: 1, DTS: at, AccessUnit: codecs.AccessUnit{PTS: at, RandomAccess: true, Data: noise(size)},
		})
	}
}

// noise returns bytes of which none is 0, so that none of them look like a start code.
func noise(random *rand.Rand) func(n int64) []byte {
	return func(n int64) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(1 + random.IntN(255))
		}
		return b
	}
}

func annexB(units ...[]byte) (data []byte) {
	for _, u := range units {
		data = append(append(data, 0, 0, 0, 1), u...)
	}
	return data
}

// unhex reads a constant of this file.
func unhex(text string) []byte {
	b, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return b
}
