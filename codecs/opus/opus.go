// Package opus reads and writes the identification header of Opus (RFC 7845 §5.1).
package opus

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The frames that go out: 20 ms each, numbered at 48 kHz, the rate of all timing in Opus (RFC 6716 §2.1.4).
const (
	FrameSamples = 960
	// PreRollFrames is after how many frames a decoder that begins in the middle is right: 80 ms (RFC 7845 §4.6).
	PreRollFrames = 4
)

// Name is the codecs parameter (RFC 6381). The sample entry is called Opus, but most players know only this spelling.
const Name = "opus"

// Config describes an Opus stream of one or two channels.
type Config struct {
	Channels  int    // 1 or 2
	PreSkip   uint16 // samples at 48 kHz that a decoder drops at the start
	InputRate uint32 // in Hz, of what was encoded; for information
	Gain      int16  // of the decoder's output, in 1/256 dB
}

const (
	magic      = "OpusHead"
	version    = 1
	headerSize = 19 // with mapping family 0
)

// Parse reads an identification header of mapping family 0.
func Parse(header []byte) (Config, error) {
	if len(header) != headerSize || string(header[:8]) != magic {
		return Config{}, errors.New("parsing an Opus header: not one of mapping family 0")
	}
	if header[8]>>4 != 0 || header[18] != 0 {
		return Config{}, fmt.Errorf("parsing an Opus header: version %d, mapping family %d: want 1 and 0", header[8], header[18])
	}
	c := Config{
		Channels: int(header[9]), PreSkip: binary.LittleEndian.Uint16(header[10:]), InputRate: binary.LittleEndian.Uint32(header[12:]),
		Gain: int16(binary.LittleEndian.Uint16(header[16:])), //nolint:gosec // it is signed
	}
	return c, c.Check()
}

// Check reports what is out of range.
func (c Config) Check() error {
	if c.Channels < 1 || c.Channels > 2 {
		return fmt.Errorf("opus of %d channels: want 1 or 2", c.Channels)
	}
	return nil
}

// Marshal returns the identification header.
func (c Config) Marshal() []byte {
	b := append(make([]byte, 0, headerSize), magic...)
	b = append(b, version, byte(c.Channels))
	b = binary.LittleEndian.AppendUint16(b, c.PreSkip)
	b = binary.LittleEndian.AppendUint32(b, c.InputRate)
	b = binary.LittleEndian.AppendUint16(b, uint16(c.Gain)) //nolint:gosec // two's complement
	return append(b, 0)
}
