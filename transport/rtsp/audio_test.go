package rtsp

import (
	"encoding/binary"
	"testing"

	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
)

func asc(t testing.TB, config []byte) *mpeg4audio.AudioSpecificConfig {
	var c mpeg4audio.AudioSpecificConfig
	require.NoError(t, c.Unmarshal(config))
	return &c
}

// hbr is one packet of RFC 3640 with these frames.
func hbr(frames ...[]byte) []byte {
	payload := binary.BigEndian.AppendUint16(nil, uint16(16*len(frames)))
	for _, f := range frames {
		payload = binary.BigEndian.AppendUint16(payload, uint16(len(f)<<3))
	}
	for _, f := range frames {
		payload = append(payload, f...)
	}
	return payload
}

func TestFramesOfOnePacketHaveTheirOwnTimes(t *testing.T) {
	lc := asc(t, unhex("1190"))     // 48 kHz, stereo
	he := asc(t, unhex("2b098800")) // 24 kHz core, 48 kHz out
	for name, c := range map[string]struct {
		config *mpeg4audio.AudioSpecificConfig
		step   uint32
	}{"AAC-LC": {lc, 1024}, "HE-AAC": {he, 2048}} {
		t.Run(name, func(t *testing.T) {
			r := receive(&format.MPEG4Audio{PayloadTyp: 97, Config: c.config, SizeLength: 13, IndexLength: 3, IndexDeltaLength: 3})
			w := &wire{at: 1<<32 - 1024}
			start := w.at
			r.take(w.packet(hbr(filled(10), filled(20), filled(30)), true))
			require.Len(t, r.units, 3)
			for i, u := range r.units {
				require.Equal(t, start+uint32(i)*c.step, u.RTP)
				require.Equal(t, filled(10*(i+1)), u.Data)
				require.True(t, u.RandomAccess)
			}
			require.Equal(t, 48000, r.track.info.ClockRate)
			require.Equal(t, 48000, r.track.info.Format.SampleRate)
		})
	}
}

func TestMPEGAudioCountsAt90kHz(t *testing.T) {
	frame := append(unhex("fffd8400"), make([]byte, 384-4)...) // layer II, 128 kbit/s, 48 kHz: 1152 samples
	r, w := receive(&format.MPEG1Audio{}), &wire{at: 5}
	r.take(w.packet(append(make([]byte, 4), append(frame, frame...)...), true))
	require.Len(t, r.units, 2)
	require.Equal(t, []uint32{5, 5 + 1152*90000/48000}, []uint32{r.units[0].RTP, r.units[1].RTP})
}

func TestLATMIsUnpacked(t *testing.T) {
	var config mpeg4audio.StreamMuxConfig
	require.NoError(t, config.Unmarshal(unhex("400026203fc0")))
	element := mpeg4audio.AudioMuxElement{StreamMuxConfig: &config, Payloads: [][][][]byte{{{filled(300)}}}}
	packed, err := element.Marshal()
	require.NoError(t, err)

	r, w := receive(&format.MPEG4AudioLATM{PayloadTyp: 97, StreamMuxConfig: &config}), &wire{}
	r.take(w.packet(packed[:100], false), w.packet(packed[100:], true))
	require.Len(t, r.units, 1)
	require.Equal(t, filled(300), r.units[0].Data)
	require.Equal(t, codecs.AAC, r.track.info.Format.Codec)
	require.NotEmpty(t, r.track.info.Format.Config)
}

func TestSamplesAreNeverCutInHalf(t *testing.T) {
	for name, c := range map[string]struct {
		format format.Format
		in     int
		out    int
	}{
		"G.711, odd size":       {&format.G711{SampleRate: 8000, ChannelCount: 1}, 333, 333},
		"G.711 stereo, odd":     {&format.G711{SampleRate: 8000, ChannelCount: 2}, 333, 332},
		"L16 stereo, one short": {&format.LPCM{BitDepth: 16, SampleRate: 48000, ChannelCount: 2}, 959, 956},
		"G.722":                 {&format.G722{}, 161, 161},
		"Opus":                  {&format.Opus{ChannelCount: 2}, 77, 77},
	} {
		t.Run(name, func(t *testing.T) {
			r, w := receive(c.format), &wire{}
			r.take(w.packet(make([]byte, c.in), true))
			require.Len(t, r.units, 1)
			require.Len(t, r.units[0].Data, c.out)
		})
	}
}

func TestUnsupportedFormatsAreNoTracks(t *testing.T) {
	for _, f := range []format.Format{
		&format.LPCM{BitDepth: 24, SampleRate: 48000, ChannelCount: 2},
		&format.MPEG4AudioLATM{CPresent: true}, &format.MJPEG{}, &format.Generic{}, &format.Vorbis{},
		&format.H264{PacketizationMode: 2},
	} {
		require.Nil(t, newTrack(nil, f), "%T", f)
	}
}

func FuzzAudioPackets(f *testing.F) {
	f.Add(hbr(filled(10), filled(20)), true)
	f.Add(append(make([]byte, 4), unhex("fffd8400")...), false)
	f.Add([]byte{}, true)
	lc := asc(f, unhex("1190"))
	var mux mpeg4audio.StreamMuxConfig
	require.NoError(f, mux.Unmarshal(unhex("400026203fc0")))
	f.Fuzz(func(t *testing.T, payload []byte, marker bool) {
		for _, f := range []format.Format{
			&format.MPEG4Audio{Config: lc, SizeLength: 13, IndexLength: 3, IndexDeltaLength: 3},
			&format.MPEG4AudioLATM{StreamMuxConfig: &mux}, &format.MPEG1Audio{},
			&format.AC3{SampleRate: 48000, ChannelCount: 2}, &format.LPCM{BitDepth: 16, SampleRate: 48000, ChannelCount: 2},
		} {
			r, w := receive(f), &wire{}
			r.take(w.packet(payload, marker), w.packet(payload, true))
			for _, u := range r.units {
				require.LessOrEqual(t, len(u.Data), 2*len(payload))
			}
		}
	})
}
