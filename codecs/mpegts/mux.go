package mpegts

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/asticode/go-astits"

	"github.com/venuecast/venuecast/codecs"
)

const (
	packetSize = 188
	firstPID   = 256
	videoID    = 0xe0 // stream_id (ISO/IEC 13818-1 Table 2-22)
	soundID    = 0xc0

	// tables is how often PAT and PMT stand in a segment: a multiple of 16, about every 120 ms of two seconds.
	tables = 16
	// lead is how long before its decoding time a picture arrives by the clock, in units of 1/90000 s.
	lead = codecs.TicksPerSecond / 10
	// clockEvery is the longest time between two clock references (ISO/IEC 13818-1 §2.7.2 asks for 100 ms).
	clockEvery = codecs.TicksPerSecond * 8 / 100
	// clockMask cuts times to 33 bits (§2.4.3.7).
	clockMask = 1<<33 - 1
)

var streamTypes = map[codecs.Codec]astits.StreamType{
	codecs.H264: astits.StreamTypeH264Video, codecs.H265: astits.StreamTypeH265Video, codecs.AAC: astits.StreamTypeADTS,
}

// muxer writes the packets of one segment. Continuity counters are not yet right.
type muxer struct {
	mux *astits.Muxer
	out bytes.Buffer
}

// item is one thing to write.
type item struct {
	at    int64 // when it is due
	write func() error
}

func mux(streams []stream) ([]byte, error) {
	m := &muxer{}
	// Tables are written when they are due here, not by the number of PES packets.
	m.mux = astits.NewMuxer(context.Background(), &m.out, astits.MuxerOptTablesRetransmitPeriod(math.MaxInt32))
	if len(streams) == 0 || len(streams[0].units) == 0 {
		return nil, errors.New("there is no media")
	}
	size := 4 * tables * packetSize
	for i, s := range streams {
		es := astits.PMTElementaryStream{ElementaryPID: firstPID + uint16(i), StreamType: streamTypes[s.codec]}
		if err := m.mux.AddElementaryStream(es); err != nil {
			return nil, fmt.Errorf("announcing %s: %w", s.codec, err)
		}
		for _, u := range s.units {
			size += len(u.data)*packetSize/(packetSize-4) + 2*packetSize
		}
	}
	m.out.Grow(size)
	m.mux.SetPCRPID(firstPID)
	items := m.items(streams)
	slices.SortStableFunc(items, func(a, b item) int { return cmp.Compare(a.at, b.at) })
	for _, x := range items {
		if err := x.write(); err != nil {
			return nil, err
		}
	}
	return m.out.Bytes(), nil
}

// items returns all that is to be written: of what is due at the same time, tables first.
func (m *muxer) items(streams []stream) []item {
	clock := streams[0].units
	first, last := clock[0].dts, clock[len(clock)-1].dts
	items := []item{{math.MinInt64, m.tables}}
	for i := range int64(tables - 1) {
		items = append(items, item{first + (last-first)*(i+1)/tables, m.tables})
	}
	for i, u := range clock {
		next := streams[0].end
		if i+1 < len(clock) {
			next = clock[i+1].dts
		}
		for at := u.dts + clockEvery; at < next; at += clockEvery {
			items = append(items, item{at, func() error { return m.clock(at) }})
		}
	}
	for i, s := range streams {
		for _, u := range s.units {
			items = append(items, item{u.dts, func() error { return m.unit(i, s.codec, u) }})
		}
	}
	return items
}

func (m *muxer) tables() error {
	_, err := m.mux.WriteTables()
	return err
}

func reference(at int64) *astits.ClockReference { return &astits.ClockReference{Base: at & clockMask} }

// clock writes a packet with nothing but a clock reference.
func (m *muxer) clock(at int64) error {
	const flagsAndClock = 1 + 6
	_, err := m.mux.WritePacket(&astits.Packet{
		Header: astits.PacketHeader{PID: firstPID, HasAdaptationField: true},
		AdaptationField: &astits.PacketAdaptationField{
			HasPCR: true, PCR: reference(at - lead), StuffingLength: packetSize - 4 - 1 - flagsAndClock,
		},
	})
	return err
}

// unit writes a PES packet.
func (m *muxer) unit(index int, codec codecs.Codec, u unit) error {
	header := &astits.PESOptionalHeader{
		MarkerBits: 2, DataAlignmentIndicator: true,
		PTSDTSIndicator: astits.PTSDTSIndicatorOnlyPTS, PTS: reference(u.pts), DTS: reference(u.dts),
	}
	if u.pts != u.dts {
		header.PTSDTSIndicator = astits.PTSDTSIndicatorBothPresent
	}
	d := &astits.MuxerData{PID: firstPID + uint16(index), PES: &astits.PESData{
		Header: &astits.PESHeader{StreamID: videoID, OptionalHeader: header}, Data: u.data,
	}}
	if codec == codecs.AAC {
		d.PES.Header.StreamID = soundID
	}
	if index == 0 {
		d.AdaptationField = &astits.PacketAdaptationField{HasPCR: true, PCR: reference(u.dts - lead), RandomAccessIndicator: u.randomAccess}
	}
	start := m.out.Len()
	if _, err := m.mux.WriteData(d); err != nil {
		return err
	}
	m.dropTables(start)
	return nil
}

// dropTables takes out the tables that the muxer writes by itself, at the start and before each random access unit:
// their number is fixed.
func (m *muxer) dropTables(start int) {
	written := m.out.Bytes()[start:]
	if packet(written).pid() == 0 {
		copy(written, written[2*packetSize:])
		m.out.Truncate(m.out.Len() - 2*packetSize)
	}
}
