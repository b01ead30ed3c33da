package m3u8

import "github.com/venuecast/venuecast/codecs"

// Multivariant is a Multivariant Playlist (§4.4.6).
type Multivariant struct {
	Version             int         // EXT-X-VERSION. It defaults to the lowest that the tags need (§8).
	IndependentSegments bool        // EXT-X-INDEPENDENT-SEGMENTS
	Start               *Start      // EXT-X-START
	Renditions          []Rendition // EXT-X-MEDIA
	Variants            []Variant   // EXT-X-STREAM-INF
	IFrames             []Variant   // EXT-X-I-FRAME-STREAM-INF; frame rate and groups are not written
}

// MediaType is the kind of a rendition.
type MediaType string

// The media types.
const (
	TypeAudio          MediaType = "AUDIO"
	TypeVideo          MediaType = "VIDEO"
	TypeSubtitles      MediaType = "SUBTITLES"
	TypeClosedCaptions MediaType = "CLOSED-CAPTIONS"
)

// Rendition is one of the alternatives in a group (§4.4.6.1).
type Rendition struct {
	Type            MediaType // TYPE
	GroupID         string    // GROUP-ID
	Name            string    // NAME
	Language        string    // LANGUAGE: BCP 47
	AssocLanguage   string    // ASSOC-LANGUAGE
	Default         bool      // DEFAULT
	Autoselect      bool      // AUTOSELECT. DEFAULT implies it (§4.4.6.1), so it is written then, too.
	Forced          bool      // FORCED
	InstreamID      string    // INSTREAM-ID
	Characteristics string    // CHARACTERISTICS
	Channels        string    // CHANNELS
	URI             string    // URI; not written when empty
}

// VideoRange is the dynamic range of a variant (§4.4.6.2).
type VideoRange string

// The video ranges. Absence means SDR.
const (
	SDR VideoRange = "SDR"
	HLG VideoRange = "HLG"
	PQ  VideoRange = "PQ"
)

// RangeOf returns the video range of a transfer function (§4.4.6.2: 16 is PQ, 18 HLG); what is not said is SDR.
func RangeOf(c codecs.Colour) VideoRange {
	switch c.Transfer {
	case codecs.TransferPQ:
		return PQ
	case codecs.TransferHLG:
		return HLG
	}
	return SDR
}

// NoCaptions says, as ClosedCaptions of all variants, that there are none.
const NoCaptions = "NONE"

// Variant is one Variant Stream (§4.4.6.2).
type Variant struct {
	Bandwidth          int64           // BANDWIDTH, in bit/s
	AverageBandwidth   int64           // AVERAGE-BANDWIDTH, in bit/s
	Codecs             string          // CODECS: RFC 6381, all formats in any rendition
	SupplementalCodecs string          // SUPPLEMENTAL-CODECS
	Width, Height      int             // RESOLUTION; not written when zero
	FrameRate          codecs.Rational // FRAME-RATE; not written when zero
	VideoRange         VideoRange      // VIDEO-RANGE
	Audio              string          // AUDIO: a GroupID
	Subtitles          string          // SUBTITLES: a GroupID
	ClosedCaptions     string          // CLOSED-CAPTIONS: a GroupID or NoCaptions
	URI                string
}

// version returns the lowest EXT-X-VERSION that the tags need (§8), or should have: EXT-X-MEDIA and
// EXT-X-I-FRAME-STREAM-INF came with version 4.
func (m *Multivariant) version() int {
	lowest := 1
	if len(m.Renditions) > 0 || len(m.IFrames) > 0 {
		lowest = 4
	}
	for i := range m.Renditions {
		r := &m.Renditions[i]
		switch {
		case r.InstreamID != "" && r.Type != TypeClosedCaptions:
			return 13
		case len(r.InstreamID) >= 7 && r.InstreamID[:7] == "SERVICE":
			lowest = 7
		}
	}
	return lowest
}
