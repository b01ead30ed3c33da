//go:build cgo

package libav

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/asticode/go-astiav"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
)

// muxed is one track of a test file.
type muxed struct {
	format   codecs.Format
	sets     []byte // video: parameter sets
	timeBase codecs.Rational
	packets  []codecs.Packet
}

// writeMP4 writes the tracks, one packet of each in turn.
func writeMP4(t *testing.T, tracks ...muxed) string {
	path := filepath.Join(t.TempDir(), "test.mp4")
	fc, err := astiav.AllocOutputFormatContext(nil, "mp4", path)
	require.NoError(t, err)
	defer fc.Free()
	for _, m := range tracks {
		addStream(t, fc, m)
	}
	pb, err := astiav.OpenIOContext(path, astiav.NewIOContextFlags(astiav.IOContextFlagWrite), nil, nil)
	require.NoError(t, err)
	defer pb.Close()
	fc.SetPb(pb)
	require.NoError(t, fc.WriteHeader(nil))
	for i := range tracks[0].packets {
		for n, m := range tracks {
			if i < len(m.packets) {
				writePacket(t, fc, n, m, i)
			}
		}
	}
	require.NoError(t, fc.WriteTrailer())
	return path
}

func addStream(t *testing.T, fc *astiav.FormatContext, m muxed) {
	s := fc.NewStream(nil)
	par := s.CodecParameters()
	for id, c := range demuxCodecs {
		if c == m.format.Codec {
			par.SetCodecID(id)
		}
	}
	if m.format.Codec.Kind() == codecs.Video {
		par.SetMediaType(astiav.MediaTypeVideo)
		par.SetWidth(testWidth)
		par.SetHeight(testHeight)
		require.NoError(t, par.SetExtraData(m.sets))
	} else {
		par.SetMediaType(astiav.MediaTypeAudio)
		par.SetSampleRate(m.format.SampleRate)
		par.SetChannelLayout(astiav.ChannelLayoutStereo)
		par.SetFrameSize(AudioSamples)
		require.NoError(t, par.SetExtraData(m.format.Config))
	}
	s.SetTimeBase(astiav.NewRational(int(m.timeBase.Num), int(m.timeBase.Den)))
}

func writePacket(t *testing.T, fc *astiav.FormatContext, track int, m muxed, i int) {
	p := astiav.AllocPacket()
	defer p.Free()
	data := m.packets[i].Data
	require.NoError(t, p.FromData(append(data[:len(data):len(data)], make([]byte, 64)...)))
	p.SetSize(len(data))
	p.SetStreamIndex(track)
	p.SetPts(m.packets[i].PTS)
	p.SetDts(m.packets[i].PTS)
	if m.packets[i].PTS != m.packets[0].PTS+int64(i) && m.format.Codec.Kind() == codecs.Video {
		p.SetDts(m.packets[0].PTS + int64(i) - 2)
	}
	if m.packets[i].Key {
		p.SetFlags(astiav.NewPacketFlags(astiav.PacketFlagKey))
	}
	tb := astiav.NewRational(int(m.timeBase.Num), int(m.timeBase.Den))
	p.RescaleTs(tb, fc.Streams()[track].TimeBase())
	require.NoError(t, fc.WriteInterleavedFrame(p))
}

func TestDemuxerGivesBackWhatTheFileHolds(t *testing.T) {
	for _, c := range bothCodecs {
		t.Run(c.String(), func(t *testing.T) {
			e := openTestEncoder(t, testOptions(c, software(c)))
			video := muxed{codecs.Format{Codec: c}, e.ParameterSets(), codecs.Rational{Num: 1, Den: 25}, encode(t, e, 0, 30, 1, every(10))}
			a, err := NewAudioEncoder(AudioEncoderOptions{})
			require.NoError(t, err)
			defer a.Close()
			audio := muxed{codecs.Format{Codec: codecs.AAC, SampleRate: SampleRate, Channels: 2, Config: a.Config()}, nil, codecs.Rational{Num: 1, Den: SampleRate}, nil}
			for n := range int64(30) {
				require.NoError(t, a.Encode(block(n*AudioSamples), n*AudioSamples, func(p codecs.Packet) error {
					if p.PTS >= 0 {
						audio.packets = append(audio.packets, p)
					}
					return nil
				}))
			}
			requireFile(t, writeMP4(t, video, audio), video, audio)
		})
	}
}

func requireFile(t *testing.T, path string, want ...muxed) {
	d, err := OpenFile(path)
	require.NoError(t, err)
	defer d.Close()
	tracks := d.Tracks()
	require.Len(t, tracks, len(want))
	require.Equal(t, codecs.Rational{Num: 25, Den: 1}, tracks[0].FrameRate)
	require.Equal(t, [2]int{testWidth, testHeight}, [2]int{tracks[0].Width, tracks[0].Height})
	require.True(t, want[1].format.Equal(tracks[1].Format), "%+v", tracks[1].Format)
	decoder := openTestDecoder(t, want[0].format.Codec)
	pictures := 0
	seen := make([]int, len(want))
	for {
		n, au, dts, err := d.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		p := want[n].packets[seen[n]]
		seen[n]++
		at := codecs.MulDivRound(p.PTS, codecs.TicksPerSecond*want[n].timeBase.Num, want[n].timeBase.Den)
		require.InDelta(t, at, int64(au.PTS), 1)
		require.Equal(t, p.Key, au.RandomAccess)
		require.LessOrEqual(t, dts, au.PTS)
		if n == 1 {
			require.Equal(t, p.Data, au.Data)
			continue
		}
		require.Equal(t, []byte{0, 0, 0, 1}, au.Data[:4])
		require.NoError(t, decoder.Decode(au, func(p codecs.Picture, _ codecs.Ticks) error { p.Release(); pictures++; return nil }))
	}
	require.Equal(t, len(want[0].packets), pictures)
	require.Equal(t, len(want[1].packets), seen[1])
}

func TestDemuxerRefusesWhatIsNoMedia(t *testing.T) {
	_, err := OpenFile(filepath.Join(t.TempDir(), "none.mp4"))
	require.ErrorContains(t, err, "none.mp4")
	path := filepath.Join(t.TempDir(), "text.mp4")
	require.NoError(t, os.WriteFile(path, []byte("no media"), 0o600))
	_, err = OpenFile(path)
	require.Error(t, err)
}
