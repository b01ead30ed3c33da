package testcard

import (
	"encoding/binary"
	"errors"
	"time"
)

// The bar carries 96 bits, most significant first, white is 1: frame number (32), capture time in Unix
// milliseconds (48), CRC-16 of both (16).
const (
	blocksPerRow = 48
	barBytes     = 2 * blocksPerRow / 8
)

// ErrNoBar means that a picture has no bar, or one too damaged to be sure of.
var ErrNoBar = errors.New("no readable test card")

func encodeBar(frame uint32, captured time.Time) [barBytes]byte {
	var bar [barBytes]byte
	ms := uint64(captured.UnixMilli())
	binary.BigEndian.PutUint32(bar[0:], frame)
	binary.BigEndian.PutUint16(bar[4:], uint16(ms>>32))
	binary.BigEndian.PutUint32(bar[6:], uint32(ms))
	binary.BigEndian.PutUint16(bar[10:], crc16(bar[:10]))
	return bar
}

func decodeBar(bar [barBytes]byte) (frame uint32, captured time.Time, err error) {
	if crc16(bar[:10]) != binary.BigEndian.Uint16(bar[10:]) {
		return 0, time.Time{}, ErrNoBar
	}
	ms := int64(binary.BigEndian.Uint16(bar[4:]))<<32 | int64(binary.BigEndian.Uint32(bar[6:]))
	return binary.BigEndian.Uint32(bar[0:]), time.UnixMilli(ms).UTC(), nil
}

func drawBar(img *YUV, bar [barBytes]byte) {
	for i := range 2 * blocksPerRow {
		luma := byte(black)
		if bar[i/8]>>(7-i%8)&1 == 1 {
			luma = white
		}
		fillPlane(img.Y, img.StrideY, img.block(i/blocksPerRow, i%blocksPerRow), luma)
	}
}

// Read returns the frame number and the capture time, to the millisecond, that the bar of img carries.
// It reads any size from 320 × 180 up, also after scaling and lossy coding. A wrong number is as good as
// excluded: every block must be clearly black or white, and the checksum must fit. Else it returns ErrNoBar.
func Read(img YUV) (frame uint32, captured time.Time, err error) {
	if img.Width < columns || img.Height < rows {
		return 0, time.Time{}, ErrNoBar
	}
	var luma [2 * blocksPerRow]int
	low, high := 255, 0
	for i := range luma {
		luma[i] = img.mean(img.block(i/blocksPerRow, i%blocksPerRow).core())
		low, high = min(low, luma[i]), max(high, luma[i])
	}
	const leastContrast = (white - black) / 3
	if high-low < leastContrast {
		return 0, time.Time{}, ErrNoBar
	}
	var bar [barBytes]byte
	for i, v := range luma {
		distance := 2*v - low - high // -(high-low) is black, high-low is white
		if 4*max(distance, -distance) < high-low {
			return 0, time.Time{}, ErrNoBar
		}
		if distance > 0 {
			bar[i/8] |= 1 << (7 - i%8)
		}
	}
	return decodeBar(bar)
}

// crc16 is CRC-16/CCITT-FALSE: polynomial 0x1021, start 0xFFFF, so that all black does not fit.
func crc16(data []byte) uint16 {
	crc := uint16(0xffff)
	for _, b := range data {
		crc ^= uint16(b) << 8
		for range 8 {
			carry := crc & 0x8000
			crc <<= 1
			if carry != 0 {
				crc ^= 0x1021
			}
		}
	}
	return crc
}
