// Package av1 reads AV1 bitstreams: open bitstream units (OBUs), low-overhead format (AV1 bitstream specification §5.2).
package av1

import (
	"errors"
	"fmt"

	"github.com/Eyevinn/mp4ff/av1"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/nal"
)

// Info is what a sequence header says about the pictures.
type Info = nal.Info

var errNoHeader = errors.New("no sequence header")

// Config is what an av1C box holds.
type Config struct {
	Info   Info
	Codecs string           // RFC 6381 parameter, as "av01.0.08M.08"
	Record av1.CodecConfRec // AV1CodecConfigurationRecord
}

// ParseConfig reads the sequence header among OBUs.
func ParseConfig(obus []byte) (Config, error) {
	units, err := av1.SplitOBUs(obus)
	if err != nil {
		return Config{}, fmt.Errorf("reading AV1 units: %w", err)
	}
	for _, u := range units {
		if u.Header.Type != av1.OBUSequenceHeader {
			continue
		}
		h, err := av1.ParseSequenceHeader(u.Payload)
		if err != nil {
			return Config{}, fmt.Errorf("reading an AV1 sequence header: %w", err)
		}
		return describe(h, u.Encode())
	}
	return Config{}, errNoHeader
}

func describe(h *av1.SequenceHeader, unit []byte) (Config, error) {
	c := Config{
		Info: Info{
			Width: int(h.Width()), Height: int(h.Height()), Profile: int(h.SeqProfile), Level: int(h.SeqLevelIdx0), Depth: int(h.BitDepth),
			Colour: codecs.Colour{
				Primaries: h.ColorPrimaries, Transfer: h.TransferCharacteristics, Matrix: h.MatrixCoefficients, FullRange: h.ColorRange,
			},
		},
		Codecs: av1.CodecString("av01", h),
		Record: av1.CodecConfRecFromSequenceHeader(h, unit),
	}
	if err := c.Info.Check(); err != nil {
		return Config{}, fmt.Errorf("reading an AV1 sequence header: %w", err)
	}
	return c, nil
}

// AppendSample appends a temporal unit as a sample of an MP4 file: without temporal delimiters, which say no more than
// that it begins (AV1 Codec ISO Media File Format Binding §2.4). What cannot be read is appended as it is.
func AppendSample(dst, unit []byte) []byte {
	for len(unit) > 0 {
		h, err := av1.ParseOBUHeader(unit)
		size := len(unit)
		if err == nil && h.HasSizeField {
			if n, length, err := av1.ReadLEB128(unit[h.HeaderSize:]); err == nil && n < uint64(len(unit)) {
				size = min(size, h.HeaderSize+length+int(n))
			}
		}
		if err != nil || h.Type != av1.OBUTemporalDelimiter {
			dst = append(dst, unit[:size]...)
		}
		unit = unit[size:]
	}
	return dst
}
