package codecs

// Picture is one decoded picture, in memory that Go does not own.
// Its pixels are immutable; a holder that lets another goroutine use it hands over a Retain of its own.
type Picture interface {
	// Size returns width and height in pixels.
	Size() (width, height int)
	// Retain returns another reference to the same pixels. Its Release must be called once.
	Retain() Picture
	// Release gives up this reference. It must be called once.
	Release()
}

// PictureType is what the encoder is told to make of a picture.
type PictureType uint8

// The picture types an encoder can be told.
const (
	TypeAuto PictureType = iota // the encoder decides
	TypeIDR                     // a random access picture: the first of a segment, or of a resumed part
	TypeP                       // no B-picture: the last of a part, so that a part's pictures are exactly those of its time
)

// Packet is one coded picture or audio frame as an encoder puts it out, in decoding order.
// Data belongs to the receiver, unless who puts it out says that it is lent.
type Packet struct {
	PTS  int64 // in the unit the encoder was fed in: frame number, or sample number
	Key  bool  // decodable without earlier packets
	Data []byte
}

// PCM is audio at 48 kHz: planar samples, one slice per channel, equal lengths.
type PCM [][]float32

// Len returns the number of samples per channel.
func (p PCM) Len() int {
	if len(p) == 0 {
		return 0
	}
	return len(p[0])
}
