package codecs

// Colour is the meaning of sample values, as code points of ITU-T H.273. Primaries 0 means that it is not said.
type Colour struct {
	Primaries uint8 `json:"primaries,omitempty"`
	Transfer  uint8 `json:"transfer,omitempty"`
	Matrix    uint8 `json:"matrix,omitempty"`
	FullRange bool  `json:"full_range,omitempty"`
}

// BT709 is the colour of HD pictures (Rec. ITU-R BT.709).
var BT709 = Colour{Primaries: 1, Transfer: 1, Matrix: 1}

// Code points of ITU-T H.273 Tables 2 to 4.
const (
	unspecified = 2
	TransferPQ  = 16 // SMPTE ST 2084
	TransferHLG = 18 // ARIB STD-B67
)

// Known reports whether all of the meaning is said.
func (c Colour) Known() bool {
	return c.Primaries > 0 && c.Primaries != unspecified && c.Transfer != unspecified && c.Matrix != unspecified
}

// HDR reports whether the transfer function is one of Rec. ITU-R BT.2100.
func (c Colour) HDR() bool { return c.Transfer == TransferPQ || c.Transfer == TransferHLG }
