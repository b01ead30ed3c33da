package libav

/*
#include "native.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/asticode/go-astiav"
)

// uploads is the number of pictures that a VAAPI encoder's pool has: references, those in work, and one to upload into.
const uploads = 20

// hardware is the pool of an encoder's pictures on a card.
type hardware struct {
	card  *Card
	owned bool // the card is the encoder's alone
	pool  *C.AVBufferRef

	format C.int // of its pictures, as they would be in memory
}

// openVAAPI opens the machine's first VAAPI device for one encoder.
func openVAAPI(width, height int, format astiav.PixelFormat) (*hardware, error) {
	device, reason := openDevice(vaapi, 5*time.Second)
	if device == nil {
		return nil, errors.New("opening the VAAPI device: " + reason)
	}
	count(kindDevice, 1)
	h := &hardware{card: &Card{kind: vaapi, device: device}, owned: true}
	return h.open(width, height, format)
}

// openHardware makes a pool on a card that others use, too.
func openHardware(card *Card, width, height int, format astiav.PixelFormat) (*hardware, error) {
	return (&hardware{card: card}).open(width, height, format)
}

func (h *hardware) open(width, height int, format astiav.PixelFormat) (*hardware, error) {
	k := h.card.kind
	h.format = C.int(format)
	code := C.vc_card_pool(&h.pool, h.card.device, k.surface, h.format, C.int(width), C.int(height), uploads)
	if err := failed(code); err != nil {
		h.Close()
		return nil, fmt.Errorf("allocating pictures of %s: %w", k.name, err)
	}
	count(kindPool, 1)
	return h, nil
}

// attach makes an encoder take pictures of this card.
func (h *hardware) attach(ctx *astiav.CodecContext) error {
	return failed(C.vc_card_encodes(codecContext(ctx), h.pool))
}

// takes reports whether an encoder of this pool takes a picture as it lies on its card.
func (h *hardware) takes(p *Picture) bool {
	return h != nil && C.vc_card_holds(h.card.device, p.frame) != 0 && C.vc_card_format(p.frame) == h.format &&
		p.frame.color_range != C.AVCOL_RANGE_JPEG
}

// Close gives up the pool; an encoder that uses it holds references of its own. A second Close does nothing.
func (h *hardware) Close() {
	if h.pool != nil {
		C.av_buffer_unref(&h.pool)
		count(kindPool, -1)
	}
	if h.owned {
		h.card.Close()
	}
}

// of reports whether an encoder of this name runs on a card of this kind.
func (k cardKind) of(encoder string) bool { return strings.HasSuffix(encoder, k.encoders) }
