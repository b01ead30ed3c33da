//go:build cgo

package libav

import (
	"errors"
	"fmt"

	"github.com/asticode/go-astiav"
)

// surfaces is the number of pictures a VAAPI encoder may hold: references, those in work, and one to upload into.
const surfaces = 20

// hardware is a device and the pool of its surfaces.
type hardware struct {
	device *astiav.HardwareDeviceContext
	frames *astiav.HardwareFramesContext
}

// openVAAPI opens the machine's first VAAPI device.
func openVAAPI(width, height int, format astiav.PixelFormat) (*hardware, error) {
	device, err := astiav.CreateHardwareDeviceContext(astiav.HardwareDeviceTypeVAAPI, "", nil, 0)
	if err != nil {
		return nil, fmt.Errorf("opening the VAAPI device: %w", err)
	}
	count(kindDevice, 1)
	h := &hardware{device: device, frames: astiav.AllocHardwareFramesContext(device)}
	if h.frames == nil {
		h.Close()
		return nil, errors.New("allocating VAAPI surfaces")
	}
	h.frames.SetHardwarePixelFormat(astiav.PixelFormatVaapi)
	h.frames.SetSoftwarePixelFormat(format)
	h.frames.SetWidth(width)
	h.frames.SetHeight(height)
	h.frames.SetInitialPoolSize(surfaces)
	if err := h.frames.Initialize(); err != nil {
		h.Close()
		return nil, fmt.Errorf("allocating VAAPI surfaces: %w", err)
	}
	return h, nil
}

// attach makes an encoder take surfaces of this device.
func (h *hardware) attach(ctx *astiav.CodecContext) {
	ctx.SetPixelFormat(astiav.PixelFormatVaapi)
	ctx.SetHardwareFramesContext(h.frames)
}

// Close gives up the device; an encoder that uses it holds references of its own. A second Close does nothing.
func (h *hardware) Close() {
	if h.device == nil {
		return
	}
	if h.frames != nil {
		h.frames.Free()
	}
	h.device.Free()
	h.device = nil
	count(kindDevice, -1)
}
