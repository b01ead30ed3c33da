package rtsp

import (
	"errors"
	"slices"
	"time"

	"github.com/pion/rtp"

	"github.com/venuecast/venuecast/codecs/nal"
	"github.com/venuecast/venuecast/pipeline/ingest"
)

// The bounds of an access unit. 8 MiB is 40 ms at 1.6 Gbit/s; H.264 level 6.2 allows 600 slices, cameras send up to 50.
const (
	maxUnitSize = 8 << 20
	maxNALUs    = 600
)

var errTooLarge = errors.New("access unit too large")

// videoCodec is what differs between H.264 and H.265.
type videoCodec interface {
	// nalus returns the NAL units that p completes; errMore when it completes none.
	nalus(p *rtp.Packet) ([][]byte, error)
	// reset forgets the fragments so far.
	reset()
	// update learns parameter sets.
	update(nalus [][]byte)
	// ready reports whether there are parameter sets of each kind.
	ready() bool
	// prepend returns annexb with all parameter sets in front.
	prepend(annexb []byte) []byte
	picture() ingest.Picture
	hasSlice(nalus [][]byte) bool
	isRandomAccess(nalus [][]byte) bool
	// begins reports whether an access unit can begin with this NAL unit.
	begins(nalu []byte) bool
}

// errMore means that a packet was taken and there is nothing to hand on yet.
var errMore = errors.New("more packets needed")

// assembler makes access units of the packets of a video track. A unit ends at its marker, or, for cameras that
// set none, when the RTP time changes (RFC 6184 §5.1). Units without a coded picture, such as an SPS alone, leave
// their parameter sets behind and are not handed on. Units with data missing are not handed on either.
type assembler struct {
	codec videoCodec
	emit  func(ingest.Unit)

	open     bool // a unit has begun
	rtp      uint32
	arrival  time.Time
	units    [][]byte
	size     int
	torn     bool // data is missing from the unit
	headless bool // packets before the unit are missing, so perhaps its beginning
}

// newAssembler returns an assembler whose first unit is handed on only if it has its beginning.
func newAssembler(codec videoCodec, emit func(ingest.Unit)) *assembler {
	return &assembler{codec: codec, emit: emit, headless: true}
}

// packet takes the next packet. lost says that packets are missing before it.
func (a *assembler) packet(p *rtp.Packet, arrival time.Time, lost bool) error {
	if lost {
		a.codec.reset()
		a.torn = a.open
	}
	if a.open && p.Timestamp != a.rtp {
		a.close()
	}
	if !a.open {
		a.open, a.rtp, a.arrival = true, p.Timestamp, arrival
		a.headless = a.headless || lost
	}
	err := a.add(p)
	if p.Marker {
		a.close()
	}
	return err
}

func (a *assembler) add(p *rtp.Packet) error {
	nalus, err := a.codec.nalus(p)
	if errors.Is(err, errMore) {
		return nil
	}
	for _, n := range nalus {
		a.size += len(n)
	}
	if a.size > maxUnitSize || len(a.units)+len(nalus) > maxNALUs {
		err = errTooLarge
	}
	if err != nil {
		a.torn, a.units, a.size = true, nil, 0
		return err
	}
	a.units = append(a.units, nalus...)
	return nil
}

// close ends the unit and hands it on when it is a whole picture.
func (a *assembler) close() {
	units, whole := a.units, !a.torn && !a.beheaded()
	a.open, a.units, a.size, a.torn, a.headless = false, nil, 0, false, false
	a.codec.update(units)
	if !whole || !a.codec.hasSlice(units) {
		return
	}
	u := ingest.Unit{RTP: a.rtp, Arrival: a.arrival, Data: nal.AnnexB(units)}
	if a.codec.isRandomAccess(units) && a.codec.ready() {
		u.RandomAccess, u.Picture = true, a.codec.picture()
		u.Data = a.codec.prepend(u.Data)
	}
	a.emit(u)
}

func (a *assembler) beheaded() bool {
	return a.headless && (len(a.units) == 0 || !a.codec.begins(a.units[0]))
}

// complete returns p as if it ended its access unit: so the depacketizer hands on its NAL units at once,
// and the assembler knows the RTP time of each.
func complete(p *rtp.Packet) *rtp.Packet {
	q := *p
	q.Marker = true
	return &q
}

// lastOfType returns the last NAL unit of which is reports true.
func lastOfType(nalus [][]byte, is func(nalu []byte) bool) []byte {
	for _, n := range slices.Backward(nalus) {
		if is(n) {
			return n
		}
	}
	return nil
}

// pictureOf returns what a sequence parameter set says of the pictures.
func pictureOf(i nal.Info) ingest.Picture {
	return ingest.Picture{Width: i.Width, Height: i.Height, FrameRate: i.FrameRate, Depth: i.Depth, Colour: i.Colour}
}
