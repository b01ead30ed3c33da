package libav

/*
#include "native.h"
*/
import "C"

import (
	"fmt"

	"github.com/asticode/go-astiav"
)

// InMemory is what DecoderOptions.Chosen is told of a decoder that works on the processor.
const InMemory = "software"

// cardDecoder is what a decoder has besides when it may use a card.
type cardDecoder struct {
	card    *Card
	chosen  func(kind, refused string)
	kind    string // that decodes: the card's or InMemory; empty before the first picture
	reason  string // libav's first error line up to then
	fetcher fetcher
}

// attach has a codec use the card.
func (c *cardDecoder) attach(ctx *astiav.CodecContext) error {
	return failed(C.vc_card_decodes(codecContext(ctx), c.card.device, held))
}

// send decodes a unit. libav opens the card's decoder with the first, and if that refuses, goes on in memory and logs why.
func (c *cardDecoder) send(call C.VCCall) C.int {
	if c.kind != "" {
		return onThread(call)
	}
	var code C.int
	reason, _ := reasonOf(func() error {
		code = C.vc_decode(call.codec, call.packet, call.frames)
		return failed(code)
	})
	if c.reason == "" {
		c.reason = reason
	}
	return code
}

// take notes where a picture comes from and returns it, in memory where it cannot go on from the card. It owns p.
func (c *cardDecoder) take(p *Picture, fields *deinterlacer) (*Picture, error) {
	kind := InMemory
	if p.onCard() {
		kind = c.card.kind.name
	}
	if kind != c.kind {
		c.choose(kind)
	}
	if !p.onCard() || c.card.scales && fields.filter.graph == nil && C.vc_is_interlaced(p.frame) == 0 {
		return p, nil
	}
	defer p.Release()
	return c.fetcher.fetch(p)
}

func (c *cardDecoder) choose(kind string) {
	switch {
	case kind == InMemory && c.kind != "":
		countSession(c.card.kind.name, sessionDecode, -1)
	case kind != InMemory:
		countSession(kind, sessionDecode, 1)
		c.reason = ""
	}
	c.kind = kind
	if c.chosen == nil {
		return
	}
	refused := ""
	if kind == InMemory {
		refused = c.card.kind.name + ": " + c.reason
	}
	c.chosen(kind, refused)
}

// failure tells an error of the card from one of the unit. In memory there are only the latter.
func (c *cardDecoder) failure(code C.int) error {
	if c.kind != InMemory && isDeviceError(code) {
		err := failed(code)
		if c.reason != "" {
			err = fmt.Errorf("%w: %s", err, c.reason)
		}
		return c.card.kind.lost("decoding", err)
	}
	return asBadUnit(code)
}

// isDeviceError reports whether a code says that a device or its driver failed: CUDA's errors are EXTERNAL, VAAPI's EIO, lack
// of pictures is ENOMEM, and ENOSYS is a decoder that works on cards only (AV1).
func isDeviceError(code C.int) bool {
	switch code {
	case C.AVERROR_EXTERNAL, C.VC_EIO, C.VC_ENODEV, C.VC_ENOMEM, C.VC_ENOSYS:
		return true
	}
	return false
}

func (c *cardDecoder) close() {
	if c.kind != "" && c.kind != InMemory {
		countSession(c.kind, sessionDecode, -1)
	}
	c.kind = ""
	c.fetcher.close()
}
