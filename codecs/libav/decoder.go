package libav

/*
#include "native.h"
*/
import "C"

import (
	"errors"
	"fmt"

	"github.com/asticode/go-astiav"

	"github.com/venuecast/venuecast/codecs"
)

// DecoderOptions says what to decode and how.
type DecoderOptions struct {
	Codec codecs.Codec // H264, H265 or AV1
	// Threads is the number of decoding threads, at most 64. It defaults to 1.
	// Each further one works on a picture of its own and delays the output by one picture.
	Threads int
	// Card, if not nil, decodes what it can. A unit on which it fails gives an ErrCard: then a decoder without it may go on,
	// with a random access unit. Pictures lie on the card if it scales, else in memory.
	Card *Card
	// Chosen is called with the first picture and whenever another decodes: "cuda", "vaapi" or InMemory, and in the last case
	// why the card refuses. It is called by Decode and Flush, and only if there is a Card. It may be nil.
	Chosen func(kind, refused string)
}

// Decoder turns access units into pictures.
//
// A stream without B-pictures comes out without delay where it says so: the number of pictures held back for
// reordering is that of the VUI's max_num_reorder_frames (H.264 §E.2.1) or sps_max_num_reorder_pics (H.265 §7.4.3.2.1);
// where an H.264 stream has no VUI, none are held back until the first picture comes out of order.
// Pictures before the first random access picture are not put out. Interlaced pictures come out deinterlaced, at their rate.
type Decoder struct {
	codec  *astiav.CodecContext
	packet *C.AVPacket
	out    frameList // received into; each frame is then moved to a Picture
	fields deinterlacer
	card   *cardDecoder // nil: everything is decoded in memory
}

// NewDecoder opens a decoder. Close must be called.
func NewDecoder(o DecoderOptions) (*Decoder, error) {
	if !o.Codec.Valid() || o.Codec.Kind() != codecs.Video {
		return nil, fmt.Errorf("no video decoder for %v", o.Codec)
	}
	if o.Threads < 0 || o.Threads > 64 {
		return nil, fmt.Errorf("decoding with %d threads: out of range", o.Threads)
	}
	names := map[codecs.Codec]string{codecs.H264: "h264", codecs.H265: "hevc", codecs.AV1: "libdav1d"}
	var card *cardDecoder
	if o.Card != nil {
		card = &cardDecoder{card: o.Card, chosen: o.Chosen}
		names[codecs.AV1] = "av1" // it works on cards only
	}
	name := names[o.Codec]
	ctx, err := openCodec(astiav.FindDecoderByName(name), name, nil, func(c *astiav.CodecContext) error {
		c.SetThreadCount(max(o.Threads, 1))
		c.SetTimeBase(astiav.NewRational(1, codecs.TicksPerSecond))
		codecContext(c).pkt_timebase = C.AVRational{1, codecs.TicksPerSecond}
		codecContext(c).max_pixels = maxSide * maxSide / 4
		if card != nil {
			return card.attach(c)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("opening the %v decoder: %w", o.Codec, err)
	}
	return &Decoder{codec: ctx, packet: newPacket(), out: newFrameList(), card: card}, nil
}

// Decode decodes one access unit and hands out the pictures that are ready, in order of presentation, each with the PTS
// of its access unit. emit owns the pictures it gets. Parameter sets and sizes may change from picture to picture.
//
// An error that is codecs.ErrBadUnit concerns this unit only. After any other the decoder must be flushed or closed; after
// ErrCard, closed.
func (d *Decoder) Decode(au codecs.AccessUnit, emit func(p codecs.Picture, pts codecs.Ticks) error) error {
	if len(au.Data) == 0 {
		return fmt.Errorf("%w: it is empty", codecs.ErrBadUnit)
	}
	code := C.vc_fill_packet(d.packet, bytePointer(au.Data), C.int(len(au.Data)), C.int64_t(au.PTS))
	if code < 0 {
		return asBadUnit(code)
	}
	code = d.send(C.VCCall{work: C.VC_DECODE, codec: codecContext(d.codec), packet: d.packet, frames: d.out.list})
	err := d.receive(emit)
	if code < 0 && (err == nil || errors.Is(err, codecs.ErrBadUnit)) {
		return d.failure(code)
	}
	return err
}

// Flush hands out the pictures that are held back and forgets all references.
// The decoder then goes on at the next random access unit.
func (d *Decoder) Flush(emit func(p codecs.Picture, pts codecs.Ticks) error) error {
	C.avcodec_send_packet(codecContext(d.codec), nil) // fails only where there is nothing to drain
	C.vc_receive_frames(codecContext(d.codec), d.out.list)
	err := d.receive(emit)
	if err == nil || errors.Is(err, codecs.ErrBadUnit) {
		err = errors.Join(err, d.fields.drain(emit))
	}
	C.avcodec_flush_buffers(codecContext(d.codec))
	return err
}

// receive hands out the pictures that were received, and receives more until the decoder wants input. A damaged picture does not
// keep later ones back.
func (d *Decoder) receive(emit func(p codecs.Picture, pts codecs.Ticks) error) error {
	var bad error
	for {
		for _, f := range d.out.frames() {
			if err := d.take(f, emit); err != nil {
				return err
			}
		}
		code := d.out.list.code
		if drained(code) {
			return bad
		}
		if code < 0 {
			if bad = d.failure(code); !errors.Is(bad, codecs.ErrBadUnit) {
				return bad
			}
		}
		C.vc_receive_frames(codecContext(d.codec), d.out.list)
	}
}

// take hands out one picture and leaves f empty.
func (d *Decoder) take(f *C.AVFrame, emit func(p codecs.Picture, pts codecs.Ticks) error) error {
	p := &Picture{newFrame()}
	C.av_frame_move_ref(p.frame, f)
	if d.card != nil {
		var err error
		if p, err = d.card.take(p, &d.fields); err != nil {
			return err
		}
	}
	pts := p.frame.pts
	if pts == noPTS {
		pts = p.frame.best_effort_timestamp
	}
	return d.fields.take(p, codecs.Ticks(pts), emit)
}

// send has libav decode the unit that is in the packet, and receive what comes of it.
func (d *Decoder) send(call C.VCCall) C.int {
	if d.card != nil {
		return d.card.send(call)
	}
	return onThread(call)
}

func (d *Decoder) failure(code C.int) error {
	if d.card != nil {
		return d.card.failure(code)
	}
	return asBadUnit(code)
}

// Close frees the decoder. Pictures it gave out stay valid. A second Close does nothing.
func (d *Decoder) Close() {
	freePacket(&d.packet)
	d.out.free()
	freeCodec(&d.codec)
	d.fields.filter.close()
	if d.card != nil {
		d.card.close()
	}
}
