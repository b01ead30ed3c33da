package libav

/*
#include <stdlib.h>
#include "native.h"
*/
import "C"

import (
	"bytes"
	"unsafe"

	"github.com/venuecast/venuecast/codecs"
)

// packetList is what calls on a thread receive from an encoder. It is in C's memory, as all that a call points to.
type packetList struct{ list *C.VCPackets }

func newPacketList() packetList {
	l := packetList{(*C.VCPackets)(zeroed(C.sizeof_VCPackets))}
	for i := range l.list.packet {
		l.list.packet[i] = newPacket()
	}
	return l
}

// take lends the packets out, each until emit returns, and empties the list, also if emit fails.
func (l packetList) take(emit func(codecs.Packet) error) (err error) {
	packets := l.list.packet[:l.list.count]
	l.list.count = 0
	for _, p := range packets {
		if err == nil {
			err = emit(lent(p))
		}
		C.av_packet_unref(p)
	}
	return err
}

// full reports whether the encoder may have more packets than there was room for.
func (l packetList) full() bool { return l.list.count == C.VC_LIST }

func (l *packetList) free() {
	if l.list == nil {
		return
	}
	for i := range l.list.packet {
		p := l.list.packet[i]
		freePacket(&p)
	}
	C.free(unsafe.Pointer(l.list))
	l.list = nil
}

// lent returns a packet as long as it stays as it is.
func lent(p *C.AVPacket) codecs.Packet {
	return codecs.Packet{
		PTS:  int64(p.pts),
		Key:  p.flags&C.AV_PKT_FLAG_KEY != 0,
		Data: unsafe.Slice((*byte)(p.data), int(p.size)),
	}
}

// given returns an emit that gets packets of its own.
func given(emit func(codecs.Packet) error) func(codecs.Packet) error {
	return func(p codecs.Packet) error {
		p.Data = bytes.Clone(p.Data)
		return emit(p)
	}
}

// frameList is what a call receives from a decoder, likewise.
type frameList struct{ list *C.VCFrames }

func newFrameList() frameList {
	l := frameList{(*C.VCFrames)(zeroed(C.sizeof_VCFrames))}
	for i := range l.list.frame {
		l.list.frame[i] = newFrame()
	}
	return l
}

func (l frameList) frames() []*C.AVFrame { return l.list.frame[:l.list.count] }

func (l *frameList) free() {
	if l.list == nil {
		return
	}
	for i := range l.list.frame {
		f := l.list.frame[i]
		freeFrame(&f)
	}
	C.free(unsafe.Pointer(l.list))
	l.list = nil
}

// zeroed returns memory of C's.
func zeroed(size C.size_t) unsafe.Pointer {
	p := C.calloc(1, size)
	if p == nil {
		panic("libav: out of memory")
	}
	return p
}
