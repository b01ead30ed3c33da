package rtsp

import (
	"slices"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/ingest"
)

// wire makes packets as a camera does that may be a bad one.
type wire struct {
	number uint16
	at     uint32
}

func (w *wire) packet(payload []byte, marker bool) *rtp.Packet {
	p := &rtp.Packet{Payload: payload}
	p.SequenceNumber, p.Timestamp, p.Marker = w.number, w.at, marker
	w.number++
	return p
}

// fragments returns an H.264 NAL unit in three FU-A packets (RFC 6184 §5.8).
func (w *wire) fragments(nalu []byte) []*rtp.Packet {
	third := len(nalu) / 3
	indicator, kind := nalu[0]&0x60|28, nalu[0]&0x1f
	fu := func(flags byte, part []byte) []byte { return append([]byte{indicator, flags | kind}, part...) }
	return []*rtp.Packet{
		w.packet(fu(0x80, nalu[1:third]), false),
		w.packet(fu(0, nalu[third:2*third]), false),
		w.packet(fu(0x40, nalu[2*third:]), true),
	}
}

type reception struct {
	track *track
	units []ingest.Unit
	lost  uint64
	errs  []error
	clock time.Time
}

func receive(f format.Format) *reception {
	r := &reception{track: newTrack(nil, f), clock: time.Unix(1000, 0)}
	r.track.emit = func(u ingest.Unit) { r.units = append(r.units, u) }
	r.track.lost = func(n uint64) { r.lost += n }
	return r
}

func (r *reception) take(packets ...*rtp.Packet) {
	for _, p := range packets {
		if err := r.track.packet(p, r.clock); err != nil {
			r.errs = append(r.errs, err)
		}
		r.clock = r.clock.Add(time.Millisecond)
	}
}

func h264Format(withSets bool) *format.H264 {
	f := &format.H264{PayloadTyp: 96, PacketizationMode: 1}
	if withSets {
		f.SPS, f.PPS = sps360, pps
	}
	return f
}

func TestVideoQuirks(t *testing.T) {
	type unit struct {
		at           uint32
		randomAccess bool
		data         []byte
	}
	all := annexB
	key := all(sps360, pps, idr)
	for name, c := range map[string]struct {
		noSets bool // none in the session description
		send   func(w *wire) []*rtp.Packet
		want   []unit
	}{
		"sets in the description only": {false, func(w *wire) []*rtp.Packet {
			p := w.fragments(idr)
			w.at = 3600
			return append(p, w.packet(slice, true))
		}, []unit{{0, true, key}, {3600, false, all(slice)}}},
		"sets in the stream only": {true, func(w *wire) []*rtp.Packet {
			return append([]*rtp.Packet{w.packet(sps360, false), w.packet(pps, false)}, w.fragments(idr)...)
		}, []unit{{0, true, key}}},
		"no sets at all: nothing can be decoded yet": {true, func(w *wire) []*rtp.Packet {
			return w.fragments(idr)
		}, []unit{{0, false, all(idr)}}},
		"SPS alone with marker, picture with the next time (Reolink)": {true, func(w *wire) []*rtp.Packet {
			p := []*rtp.Packet{w.packet(sps360, true), w.packet(pps, true)}
			w.at = 3600
			return append(p, w.fragments(idr)...)
		}, []unit{{3600, true, key}}},
		"SEI alone with marker, same time (Tapo)": {false, func(w *wire) []*rtp.Packet {
			return append(w.fragments(idr), w.packet(sei, true), w.packet(slice, true))
		}, []unit{{0, true, key}, {0, false, all(slice)}}},
		"no markers (FLIR)": {false, func(w *wire) []*rtp.Packet {
			p := []*rtp.Packet{w.packet(idr, false)}
			w.at = 3600
			p = append(p, w.packet(slice, false), w.packet(second, false))
			w.at = 7200
			return append(p, w.packet(slice, false))
		}, []unit{{0, true, key}, {3600, false, all(slice, second)}}},
		"the stream's sets replace those of the description": {false, func(w *wire) []*rtp.Packet {
			return append([]*rtp.Packet{w.packet(append(pps[:3:3], 0xcf), false)}, w.fragments(idr)...)
		}, []unit{{0, true, all(sps360, append(pps[:3:3], 0xcf), idr)}}},
		"joined in the middle of a picture": {false, func(w *wire) []*rtp.Packet {
			p := slices.Concat(w.fragments(idr)[1:], []*rtp.Packet{w.packet(second, true)})
			p[1].Marker = false
			w.at = 3600
			return append(p, w.packet(slice, true))
		}, []unit{{3600, false, all(slice)}}},
		"delimiters and filler are taken out of random access units": {false, func(w *wire) []*rtp.Packet {
			return append([]*rtp.Packet{w.packet([]byte{9, 0xf0}, false), w.packet(sei, false)}, w.fragments(idr)...)
		}, []unit{{0, true, all(sps360, pps, sei, idr)}}},
	} {
		t.Run(name, func(t *testing.T) {
			r := receive(h264Format(!c.noSets))
			r.take(c.send(&wire{number: 65530})...)
			var got []unit
			for _, u := range r.units {
				got = append(got, unit{u.RTP, u.RandomAccess, u.Data})
				require.Equal(t, u.RandomAccess, u.Picture.Width == 640)
			}
			require.Equal(t, c.want, got)
			require.Empty(t, r.errs)
			require.Zero(t, r.lost)
		})
	}
}

func TestArrivalIsThatOfTheFirstPacket(t *testing.T) {
	r, w := receive(h264Format(true)), &wire{}
	began := r.clock
	r.take(w.fragments(idr)...)
	require.Equal(t, began, r.units[0].Arrival)
	w.at = 3600
	began = r.clock
	r.take(w.packet(slice, true))
	require.Equal(t, began, r.units[1].Arrival)
}

func TestDamagedPicturesAreNeverHandedOn(t *testing.T) {
	for name, missing := range map[string]int{"first fragment": 0, "middle": 1, "last, with the marker": 2} {
		t.Run(name, func(t *testing.T) {
			r, w := receive(h264Format(true)), &wire{}
			r.take(w.packet(slice, true))
			w.at = 3600
			damaged := w.fragments(idr)
			r.take(append(damaged[:missing:missing], damaged[missing+1:]...)...)
			w.at = 7200
			r.take(w.packet(slice, true))
			w.at = 10800
			r.take(w.fragments(idr)...)
			require.Equal(t, uint64(1), r.lost)
			require.Len(t, r.units, 3)
			require.Equal(t, uint32(7200), r.units[1].RTP)
			require.False(t, r.units[1].RandomAccess)
			require.True(t, r.units[2].RandomAccess, "a whole random access picture ends the damage")
		})
	}
}

func TestAnUnreadablePacketCountsAsLoss(t *testing.T) {
	r, w := receive(h264Format(true)), &wire{}
	r.take(w.packet([]byte{24, 0xff, 0xff, 1}, false), w.packet(slice, true))
	require.Equal(t, uint64(1), r.lost)
	require.Len(t, r.errs, 1)
	require.Empty(t, r.units)
	w.at = 3600
	r.take(w.packet(slice, true))
	require.Len(t, r.units, 1)
}

func TestAccessUnitsAreBounded(t *testing.T) {
	r, w := receive(h264Format(true)), &wire{}
	big := append([]byte{0x41, 0x9a}, make([]byte, maxUnitSize/4)...)
	for range 6 {
		r.take(w.packet(big, false))
	}
	require.NotEmpty(t, r.errs)
	require.ErrorIs(t, r.errs[0], errTooLarge)
	require.LessOrEqual(t, r.track.video.size, maxUnitSize)
	for range 2 * maxNALUs {
		r.take(w.packet(slice[:2], false))
	}
	require.LessOrEqual(t, len(r.track.video.units), maxNALUs)
}

func TestH265(t *testing.T) {
	r := receive(&format.H265{PayloadTyp: 96})
	w := &wire{}
	r.take(w.packet(vps265, false), w.packet(sps265, false), w.packet(pps265, false), w.packet(idr265, true))
	w.at = 1800
	r.take(w.packet(tra265, true))
	require.Len(t, r.units, 2)
	require.True(t, r.units[0].RandomAccess)
	require.Equal(t, ingest.Picture{Width: 1920, Height: 1080, FrameRate: codecs.Rational{Num: 50, Den: 1}, Depth: 8}, r.units[0].Picture)
	require.Equal(t, annexB(vps265, sps265, pps265, idr265), r.units[0].Data)
	require.False(t, r.units[1].RandomAccess)
}

func FuzzVideoPackets(f *testing.F) {
	f.Add([]byte{0x65, 0x88, 1}, []byte{0x7c, 0x85, 1}, uint16(1), true)
	f.Add([]byte{24, 0, 2, 9, 0xf0}, []byte{0x7c, 0x45, 1}, uint16(2), false)
	f.Add([]byte{}, []byte{0x62, 1, 0x93}, uint16(100), true)
	f.Fuzz(func(t *testing.T, one, two []byte, step uint16, marker bool) {
		for _, f := range []format.Format{h264Format(true), &format.H265{PayloadTyp: 96}} {
			r, w := receive(f), &wire{}
			for i := range 4 {
				r.take(w.packet(one, marker), w.packet(two, !marker))
				w.number += step
				w.at += uint32(i) * 3600
			}
			for _, u := range r.units {
				require.NotEmpty(t, u.Data)
				require.LessOrEqual(t, len(u.Data), 2*maxUnitSize)
			}
		}
	})
}
