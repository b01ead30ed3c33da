package rules

import (
	"encoding/binary"
	"slices"
)

// The layout of MPEG-TS packets (ISO/IEC 13818-1 §2.4.3.2).
const (
	tsPacket  = 188
	tsSync    = 0x47
	tsNull    = 0x1fff // the PID of packets that carry nothing
	tsTurn    = 16     // after so many packets a continuity counter begins anew
	tsPayload = 0x10   // the flags of the fourth byte
	tsField   = 0x20
	tsBreak   = 0x80 // discontinuity_indicator, in the adaptation field
)

// counters are the last continuity counter of each PID, and whether it came twice.
type counters map[uint16]struct {
	last  byte
	twice bool
}

// isTransport reports whether a segment is MPEG-TS: it begins with a packet.
func isTransport(data []byte) bool {
	return len(data) > 0 && data[0] == tsSync && (len(data) <= tsPacket || data[tsPacket] == tsSync)
}

// transport checks a segment of MPEG-TS, and whether it goes on where the one before ended.
func (t *track) transport(g *page, q *Request, s *listing, data []byte) {
	if t.counters == nil || t.clock.last.msn != q.place.msn-1 || s.discontinuity {
		t.counters = counters{}
	}
	t.clock.last = q.place
	if len(data)%tsPacket != 0 {
		g.found("ts-unreadable", []string{s.uri}, "segment %d has %d bytes: no whole packets", s.msn, len(data))
		t.counters = counters{}
		return
	}
	var pids []uint16
	broken := 0
	for p := range slices.Chunk(data, tsPacket) {
		pid := binary.BigEndian.Uint16(p[1:]) & 0x1fff
		pids = append(pids, pid)
		if p[0] != tsSync {
			g.found("ts-unreadable", []string{s.uri}, "packet %d of segment %d does not begin with the sync byte", len(pids)-1, s.msn)
			t.counters = counters{}
			return
		}
		if !t.counters.count(pid, p) {
			broken++
		}
	}
	if broken > 0 {
		g.found("ts-counter", []string{s.uri}, "in segment %d counters do not go on %d times", s.msn, broken)
	}
	t.tables(g, s, data, pids)
}

// count takes a packet. It is not ok when the PID's counter does not go on (ISO/IEC 13818-1 §2.4.3.3).
func (c counters) count(pid uint16, p []byte) (ok bool) {
	before, seen := c[pid]
	have := p[3] % tsTurn
	isBreak := p[3]&tsField != 0 && p[4] > 0 && p[5]&tsBreak != 0
	now := before
	now.last, now.twice = have, false
	switch {
	case pid == tsNull:
		return true
	case !seen || isBreak:
		ok = true
	case p[3]&tsPayload == 0:
		ok, now.twice = have == before.last, before.twice
	case have == before.last && !before.twice:
		ok, now.twice = true, true // a packet may come twice
	default:
		ok = have == (before.last+1)%tsTurn
	}
	c[pid] = now
	return ok
}

// tables checks that PAT and PMT are there, and first.
func (t *track) tables(g *page, s *listing, data []byte, pids []uint16) {
	i := slices.Index(pids, 0)
	if i < 0 {
		g.found("ts-unreadable", []string{s.uri}, "segment %d has no PAT", s.msn)
		return
	}
	pmt := pmtOf(data[i*tsPacket:][:tsPacket])
	switch j := slices.Index(pids, pmt); {
	case j < 0:
		g.found("ts-unreadable", []string{s.uri}, "segment %d has no PMT", s.msn)
	case i != 0 || j != 1:
		g.found("ts-tables-late", []string{s.uri}, "packets %d and %d of segment %d are PAT and PMT", i, j, s.msn)
	}
}

// pmtOf returns the PID of the first programme in a PAT's packet (ISO/IEC 13818-1 §2.4.4.3): tsNull when it names none.
func pmtOf(p []byte) uint16 {
	at := 4
	if p[3]&tsField != 0 {
		at += 1 + int(p[4])
	}
	if at < len(p) {
		at += 1 + int(p[at]) // pointer_field
	}
	for at += 8; at+4+4 <= len(p); at += 4 { // up to CRC_32
		if number := binary.BigEndian.Uint16(p[at:]); number != 0 {
			return binary.BigEndian.Uint16(p[at+2:]) & 0x1fff
		}
	}
	return tsNull
}
