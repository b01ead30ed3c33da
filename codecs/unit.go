package codecs

import "bytes"

// Kind is the sort of media a track carries.
type Kind uint8

// The kinds of track.
const (
	Video Kind = iota + 1
	Audio
)

func (k Kind) String() string {
	switch k {
	case Video:
		return "video"
	case Audio:
		return "audio"
	}
	return "unknown"
}

// Codec names a coding format. The numbers travel on the bus and never change.
type Codec uint8

// The codecs that come in; H264, H265 and AAC also go out, AV1 only does.
const (
	H264 Codec = 1
	H265 Codec = 2
	AV1  Codec = 3

	AAC   Codec = 16
	PCMA  Codec = 17 // G.711 A-law
	PCMU  Codec = 18 // G.711 µ-law
	G722  Codec = 19
	Opus  Codec = 20
	MPEG2 Codec = 21 // MPEG-1/2 audio layer II or III
	AC3   Codec = 22
	L16   Codec = 23 // big-endian 16 bit PCM
)

var codecNames = map[Codec]string{
	H264: "h264", H265: "h265", AV1: "av1",
	AAC: "aac", PCMA: "pcma", PCMU: "pcmu", G722: "g722", Opus: "opus", MPEG2: "mp2", AC3: "ac3", L16: "l16",
}

func (c Codec) String() string {
	if n, ok := codecNames[c]; ok {
		return n
	}
	return "unknown"
}

// Valid reports whether c is a codec of this list.
func (c Codec) Valid() bool { return codecNames[c] != "" }

// Kind returns the kind of track that c codes.
func (c Codec) Kind() Kind {
	if c < AAC {
		return Video
	}
	return Audio
}

// Format is what a decoder must know before the first access unit.
type Format struct {
	Codec      Codec
	SampleRate int    // audio only, in Hz, as the decoder puts out
	Channels   int    // audio only
	Config     []byte // AAC: AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1). Video carries its parameter sets in band.
}

// Equal reports whether a decoder made for f can go on with g.
func (f Format) Equal(g Format) bool {
	return f.Codec == g.Codec && f.SampleRate == g.SampleRate && f.Channels == g.Channels && bytes.Equal(f.Config, g.Config)
}

// AccessUnit is one coded picture (Annex B, four-byte start codes, parameter sets before each random access picture)
// or one coded audio frame. It is immutable once made: whoever holds it may read Data, nobody writes it.
type AccessUnit struct {
	PTS          Ticks
	RandomAccess bool // decodable without earlier units: IDR or CRA with its parameter sets; true for all audio
	Data         []byte
}

// Bundle is what travels as one message: one picture, or some 100 ms of audio frames.
type Bundle struct {
	Format Format
	Units  []AccessUnit // at least one, all of Format
}
