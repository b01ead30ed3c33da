package mpegts

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// packet is one packet of 188 bytes, or what begins with one.
type packet []byte

func (p packet) pid() uint16       { return binary.BigEndian.Uint16(p[1:]) & 0x1fff }
func (p packet) startsUnit() bool  { return p[1]&0x40 != 0 }
func (p packet) hasField() bool    { return p[3]&0x20 != 0 } // adaptation_field
func (p packet) hasPayload() bool  { return p[3]&0x10 != 0 }
func (p packet) setCounter(n byte) { p[3] = p[3]&0xf0 | n&0xf }

// field returns the adaptation field after its length.
func (p packet) field() []byte {
	if !p.hasField() {
		return nil
	}
	return p[5 : 5+int(p[4])]
}

func (p packet) payload() []byte {
	if p.hasField() {
		return p[5+int(p[4]) : packetSize]
	}
	return p[4:packetSize]
}

// spare returns into how many more packets the payload can be spread. The header of a PES packet stays in one piece,
// with at least a byte of media.
func (p packet) spare() int {
	n := len(p.payload()) - 1
	if p.startsUnit() {
		n -= 9 + int(p.payload()[8]) // PES_header_data_length (ISO/IEC 13818-1 §2.4.3.6)
	}
	return n
}

// turn is after how many packets a continuity counter begins anew.
const turn = 16

// align spreads each PID's packets with payload over a multiple of 16, and counts them.
func align(packets []byte) ([]byte, error) {
	counts := map[uint16]int{}
	for p := range slices.Chunk(packets, packetSize) {
		if packet(p).hasPayload() {
			counts[packet(p).pid()]++
		}
	}
	missing := map[uint16]int{}
	for pid, n := range counts {
		missing[pid] = (turn - n%turn) % turn
	}
	spread := make(map[int]int) // by packet: how many more it becomes
	more := 0
	for i := len(packets)/packetSize - 1; i >= 0; i-- {
		p := packet(packets[i*packetSize:][:packetSize])
		if n := min(missing[p.pid()], turn-1); n > 0 && p.hasPayload() && p.spare() > 0 {
			spread[i] = min(n, p.spare())
			missing[p.pid()] -= spread[i]
			more += spread[i]
		}
	}
	for pid, n := range missing {
		if n > 0 {
			return nil, fmt.Errorf("too little media on PID %d for %d packets", pid, turn)
		}
	}
	return count(spreadOut(packets, spread, more)), nil
}

func spreadOut(packets []byte, spread map[int]int, more int) []byte {
	out := make([]byte, 0, len(packets)+more*packetSize)
	i := 0
	for p := range slices.Chunk(packets, packetSize) {
		if n := spread[i]; n > 0 {
			out = packet(p).appendSpread(out, n)
		} else {
			out = append(out, p...)
		}
		i++
	}
	return out
}

// appendSpread appends the packet as 1+more packets, nearly all of the payload in the first.
func (p packet) appendSpread(dst []byte, more int) []byte {
	payload := p.payload()
	first := len(payload) - more
	dst = appendPacket(dst, p, p.field(), payload[:first])
	header := packet{p[0], p[1] &^ 0x40, p[2], p[3]}
	for _, b := range payload[first:] {
		dst = appendPacket(dst, header, nil, []byte{b})
	}
	return dst
}

// appendPacket appends a packet with that payload, the adaptation field filled up with stuffing (§2.4.3.5).
// There must be room for the field and its length.
func appendPacket(dst, header, field, payload []byte) []byte {
	room := packetSize - 4 - len(payload)
	dst = append(dst, header[0], header[1], header[2], header[3]&^0x20)
	if room > 0 {
		dst[len(dst)-1] |= 0x20
		dst = append(dst, byte(room-1))
		if room > 1 && len(field) == 0 {
			field = []byte{0} // the flags
		}
		dst = append(dst, field...)
		for range room - 1 - len(field) {
			dst = append(dst, 0xff)
		}
	}
	return append(dst, payload...)
}

// count numbers the packets of each PID from 0. What has no payload repeats the number before it (§2.4.3.3): in a
// segment's first packet that is 15, which the segment before has ended with.
func count(packets []byte) []byte {
	next := map[uint16]byte{}
	for chunk := range slices.Chunk(packets, packetSize) {
		p := packet(chunk)
		n := next[p.pid()]
		if !p.hasPayload() {
			n--
		} else {
			next[p.pid()]++
		}
		p.setCounter(n)
	}
	return packets
}
