// Package aac reads and writes the AudioSpecificConfig of AAC (ISO/IEC 14496-3 §1.6.2.1).
package aac

import (
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
)

// FrameSamples is the number of samples in one AAC-LC frame, per channel (ISO/IEC 14496-3 §4.5.2.1.1).
const FrameSamples = 1024

// ObjectType is an audio object type (ISO/IEC 14496-3 Table 1.17).
type ObjectType int

// The object types that come in; LC goes out.
const (
	LC   ObjectType = 2  // AAC-LC
	HE   ObjectType = 5  // AAC-LC with spectral band replication
	HEv2 ObjectType = 29 // AAC-LC with spectral band replication and parametric stereo
)

// Config describes an AAC stream. HE-AAC is signalled explicitly and hierarchically: the object type comes first.
type Config struct {
	Type       ObjectType
	SampleRate int // of the AAC-LC core, in Hz
	OutputRate int // after band replication, in Hz. It defaults to SampleRate for LC and to twice that for the others.
	Channels   int // coded channels, 1 to 6 or 8; 0: a program config element in the stream says
}

// Parse reads an AudioSpecificConfig.
func Parse(config []byte) (Config, error) {
	var asc mpeg4audio.AudioSpecificConfig
	if err := asc.Unmarshal(config); err != nil {
		return Config{}, fmt.Errorf("parsing an AudioSpecificConfig: %w", err)
	}
	c := Config{Type: LC, SampleRate: asc.SampleRate, OutputRate: asc.SampleRate, Channels: channels(asc.ChannelConfig)}
	if asc.ExtensionType != 0 {
		c.Type, c.OutputRate = ObjectType(asc.ExtensionType), asc.ExtensionSampleRate
	}
	if err := c.check(); err != nil {
		return Config{}, fmt.Errorf("parsing an AudioSpecificConfig: %w", err)
	}
	if asc.FrameLengthFlag || asc.DependsOnCoreCoder {
		return Config{}, fmt.Errorf("parsing an AudioSpecificConfig: want %d samples a frame and no core coder", FrameSamples)
	}
	return c, nil
}

// Marshal returns the AudioSpecificConfig.
func (c Config) Marshal() ([]byte, error) {
	c.OutputRate = c.outputRate()
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("writing an AudioSpecificConfig: %w", err)
	}
	asc := mpeg4audio.AudioSpecificConfig{
		Type:          mpeg4audio.ObjectTypeAACLC,
		SampleRate:    c.SampleRate,
		ChannelConfig: channelConfig(c.Channels),
	}
	if c.Type != LC {
		asc.ExtensionType, asc.ExtensionSampleRate = mpeg4audio.ObjectType(c.Type), c.OutputRate
	}
	return asc.Marshal()
}

// Codecs returns the codecs parameter (RFC 6381 §3.3): "mp4a.40.2" for AAC-LC.
func (c Config) Codecs() string { return fmt.Sprintf("mp4a.40.%d", c.Type) }

func (c Config) outputRate() int {
	switch {
	case c.OutputRate > 0:
		return c.OutputRate
	case c.Type == LC:
		return c.SampleRate
	}
	return 2 * c.SampleRate
}

func (c Config) check() error {
	switch {
	case c.Type != LC && c.Type != HE && c.Type != HEv2:
		return fmt.Errorf("audio object type %d: want 2, 5 or 29", c.Type)
	case c.SampleRate < 1000 || c.SampleRate > 96000 || c.OutputRate < 1000 || c.OutputRate > 96000:
		return fmt.Errorf("sample rate %d Hz, %d Hz put out: want 1000 to 96000", c.SampleRate, c.OutputRate)
	case c.Type == LC && c.OutputRate != c.SampleRate:
		return fmt.Errorf("sample rate %d Hz, %d Hz put out: AAC-LC has one rate", c.SampleRate, c.OutputRate)
	case c.Channels < 0 || c.Channels > 8 || c.Channels == 7:
		return fmt.Errorf("%d channels: want 1 to 6 or 8", c.Channels)
	}
	return nil
}

// sevenPointOne is the channelConfiguration of eight channels (ISO/IEC 14496-3 Table 1.19).
const sevenPointOne = 7

func channels(config uint8) int {
	if config == sevenPointOne {
		return 8
	}
	return int(config)
}

func channelConfig(channels int) uint8 {
	if channels == 8 {
		return sevenPointOne
	}
	return uint8(channels)
}
