package libav

/*
#include <stdlib.h>
#include "native.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"
)

// Card is a device that decodes, and scales where this build of FFmpeg has the filter for it. Its pictures stay on it until
// somebody wants them in memory. A process needs one; decoders, scalers and encoders of any goroutine may share it.
type Card struct {
	kind    cardKind
	device  *C.AVBufferRef
	refused []string
	scales  bool
	closed  atomic.Bool
}

// cardKind is a sort of device.
type cardKind struct {
	name     string
	device   C.int // AVHWDeviceType
	surface  C.int // the pixel format of its pictures
	filter   string
	chain    string // of filters, for a width, a height and the name of a format
	encoders string // what the names of its encoders end with
}

// cardKinds are in order of preference. NVIDIA's drivers offer VAAPI, too, by way of NVDEC.
var cardKinds = []cardKind{
	{
		name: "cuda", device: C.AV_HWDEVICE_TYPE_CUDA, surface: C.AV_PIX_FMT_CUDA,
		filter: "scale_cuda", chain: "scale_cuda=w=%d:h=%d:interp_algo=bicubic:format=%s", encoders: "_nvenc",
	},
	vaapi,
}

var vaapi = cardKind{
	name: "vaapi", device: C.AV_HWDEVICE_TYPE_VAAPI, surface: C.AV_PIX_FMT_VAAPI,
	filter: "scale_vaapi", chain: "scale_vaapi=w=%d:h=%d:mode=hq:format=%s", encoders: "_vaapi",
}

// held is how many of a decoder's or scaler's pictures others may hold, where pools do not grow (VAAPI): what waits for an
// encoder, what it looks at, the picture that is repeated and a thumbnail's.
const held = 16

// CardOptions says which card to open.
type CardOptions struct {
	Kind string // "cuda" or "vaapi". It defaults to the first that opens, in this order.
	// Limit is how long opening one may take. It defaults to five seconds.
	Limit time.Duration
}

// ErrCard means that a card does not decode or scale any more; decoding and scaling in memory may. It is an ErrDevice.
var ErrCard = fmt.Errorf("%w: the card that decodes and scales", ErrDevice)

// OpenCard opens a machine's card. The error of a machine without one says of each kind why it did not open.
// Close must be called.
func OpenCard(o CardOptions) (*Card, error) { return openCard(o, cardKinds, openDevice) }

// deviceRef is a reference to an open device; nil: none.
type deviceRef = *C.AVBufferRef

// opener opens a device of a kind, or says why it refuses.
type opener func(k cardKind, limit time.Duration) (device deviceRef, reason string)

func openCard(o CardOptions, kinds []cardKind, open opener) (*Card, error) {
	if o.Limit == 0 {
		o.Limit = 5 * time.Second
	}
	var refused []string
	for _, k := range kinds {
		if o.Kind != "" && o.Kind != k.name {
			continue
		}
		device, reason := open(k, o.Limit)
		if device == nil {
			refused = append(refused, k.name+": "+reason)
			continue
		}
		count(kindDevice, 1)
		return &Card{kind: k, device: device, refused: refused, scales: hasFilter(k.filter)}, nil
	}
	if refused == nil {
		return nil, fmt.Errorf("card %q is not known", o.Kind)
	}
	return nil, errors.New("no card opens: " + strings.Join(refused, "; "))
}

func openDevice(k cardKind, limit time.Duration) (*C.AVBufferRef, string) {
	var device *C.AVBufferRef
	var line [256]C.char
	code := C.vc_card_open(&device, k.device, C.int(limit.Milliseconds()), &line[0], C.int(len(line)))
	if code >= 0 {
		return device, ""
	}
	if reason := mask(C.GoString(&line[0])); reason != "" {
		return nil, reason
	}
	return nil, failed(code).Error()
}

func hasFilter(name string) bool {
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	return C.avfilter_get_by_name(text) != nil
}

// Kind returns "cuda" or "vaapi".
func (c *Card) Kind() string { return c.kind.name }

// Refused returns one line for each kind that was tried before and did not open: its name and why.
func (c *Card) Refused() []string { return c.refused }

// Scales reports whether pictures are scaled on the card. Else they are copied into memory when they are decoded.
func (c *Card) Scales() bool { return c.scales }

// Close gives the card up; what still uses it holds references of its own. A second Close does nothing.
func (c *Card) Close() {
	if c.closed.Swap(true) {
		return
	}
	C.av_buffer_unref(&c.device)
	count(kindDevice, -1)
}

// lost says that a card has failed at something.
func (k cardKind) lost(doing string, err error) error {
	return fmt.Errorf("%w: %s with %s: %w", ErrCard, doing, k.name, err)
}

// onCard reports whether a picture lies on a card, and not in memory.
func (p *Picture) onCard() bool { return p.frame.hw_frames_ctx != nil }
