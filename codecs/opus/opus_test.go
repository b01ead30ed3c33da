package opus_test

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs/opus"
)

// header is what libopus writes for stereo of 48 kHz.
const header = "4f70757348656164" + "01" + "02" + "3801" + "80bb0000" + "0000" + "00"

func TestAHeaderIsReadAndWrittenAlike(t *testing.T) {
	data, err := hex.DecodeString(header)
	require.NoError(t, err)
	c, err := opus.Parse(data)
	require.NoError(t, err)
	require.Equal(t, opus.Config{Channels: 2, PreSkip: 312, InputRate: 48000}, c)
	require.Equal(t, data, c.Marshal())
	c.Gain = -256
	back, err := opus.Parse(c.Marshal())
	require.NoError(t, err)
	require.Equal(t, c, back)
}

func FuzzParse(f *testing.F) {
	data, err := hex.DecodeString(header)
	require.NoError(f, err)
	f.Add(data)
	f.Add(append(data, 1, 1, 0))
	f.Add(data[:18])
	f.Add(opus.Config{Channels: 8}.Marshal())
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := opus.Parse(data)
		if err != nil {
			return
		}
		require.NoError(t, c.Check())
		back, err := opus.Parse(c.Marshal())
		require.NoError(t, err)
		require.Equal(t, c, back)
	})
}

func TestWhatIsNoStereoHeaderIsAnError(t *testing.T) {
	good, err := hex.DecodeString(header)
	require.NoError(t, err)
	for name, change := range map[string]func([]byte) []byte{
		"short":          func(b []byte) []byte { return b[:18] },
		"long":           func(b []byte) []byte { return append(b, 0) },
		"other magic":    func(b []byte) []byte { b[0] = 'o'; return b },
		"later version":  func(b []byte) []byte { b[8] = 16; return b },
		"no channels":    func(b []byte) []byte { b[9] = 0; return b },
		"eight channels": func(b []byte) []byte { b[9] = 8; return b },
		"other mapping":  func(b []byte) []byte { b[18] = 1; return b },
	} {
		_, err := opus.Parse(change(append([]byte(nil), good...)))
		require.Error(t, err, name)
	}
}
