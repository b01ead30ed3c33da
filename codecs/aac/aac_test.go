package aac_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs/aac"
)

func TestConfigsAreThoseOfTheStandard(t *testing.T) {
	for _, c := range []struct {
		name   string
		config aac.Config
		bytes  []byte
		codecs string
	}{
		{"LC stereo 48 kHz", aac.Config{Type: aac.LC, SampleRate: 48000, OutputRate: 48000, Channels: 2}, []byte{0x11, 0x90}, "mp4a.40.2"},
		{"LC mono 8 kHz", aac.Config{Type: aac.LC, SampleRate: 8000, OutputRate: 8000, Channels: 1}, []byte{0x15, 0x88}, "mp4a.40.2"},
		{"LC 7.1", aac.Config{Type: aac.LC, SampleRate: 48000, OutputRate: 48000, Channels: 8}, []byte{0x11, 0xb8}, "mp4a.40.2"},
		{"HE stereo 24/48 kHz", aac.Config{Type: aac.HE, SampleRate: 24000, OutputRate: 48000, Channels: 2}, []byte{0x2b, 0x11, 0x88, 0x00}, "mp4a.40.5"},
		{"HE v2 24/48 kHz", aac.Config{Type: aac.HEv2, SampleRate: 24000, OutputRate: 48000, Channels: 1}, []byte{0xeb, 0x09, 0x88, 0x00}, "mp4a.40.29"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.config.Marshal()
			require.NoError(t, err)
			require.Equal(t, c.bytes, got)
			back, err := aac.Parse(got)
			require.NoError(t, err)
			require.Equal(t, c.config, back)
			require.Equal(t, c.codecs, back.Codecs())
		})
	}
}

func TestOutputRateDefaults(t *testing.T) {
	for kind, want := range map[aac.ObjectType]int{aac.LC: 24000, aac.HE: 48000} {
		b, err := aac.Config{Type: kind, SampleRate: 24000, Channels: 2}.Marshal()
		require.NoError(t, err)
		c, err := aac.Parse(b)
		require.NoError(t, err)
		require.Equal(t, want, c.OutputRate)
	}
}

func TestBadConfigsAreErrors(t *testing.T) {
	for _, c := range []aac.Config{
		{},
		{Type: 1, SampleRate: 48000, Channels: 2},
		{Type: aac.LC, SampleRate: 48000, Channels: 7},
		{Type: aac.LC, SampleRate: 48000, OutputRate: 96000, Channels: 2},
		{Type: aac.LC, SampleRate: 192000, Channels: 2},
	} {
		_, err := c.Marshal()
		require.Error(t, err)
	}
	for _, b := range [][]byte{nil, {0x11}, {0xff, 0xff}, {0x11, 0x94}} { // the last has 960 samples a frame
		_, err := aac.Parse(b)
		require.Error(t, err)
	}
}

func FuzzConfigRoundTrip(f *testing.F) {
	f.Add([]byte{0x11, 0x90})
	f.Add([]byte{0x2b, 0x11, 0x88, 0x00})
	f.Add([]byte{0x17, 0x80, 0x5d, 0xc0, 0x10})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := aac.Parse(b)
		if err != nil {
			return
		}
		again, err := c.Marshal()
		require.NoError(t, err)
		back, err := aac.Parse(again)
		require.NoError(t, err)
		require.Equal(t, c, back)
	})
}
