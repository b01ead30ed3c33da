package cmaf_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"
	"github.com/stretchr/testify/require"

	vc "github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
	"github.com/venuecast/venuecast/codecs/h264"
	"github.com/venuecast/venuecast/codecs/h265"
)

// Parameter sets as libx264 and libx265 write them.
const (
	sps264 = "6742c01ed900a02ff97011000003000100000300320f162e48" // 640×360
	pps264 = "68cb83cb20"
	sps576 = "6764001eacd940b424d8208000000300800000190f8a14cb" // 720×576, 16:11
	pps576 = "68fba3cb22c0"
	vps265 = "40010c01ffff02200000030090000003000003005d959409"
	sps265 = "42010102200000030090000003000003005da00280802d136595952930bc05a84890482000000300200000030321" // 1280×720, HLG
	pps265 = "4401c073c189"
)

func unhex(t testing.TB, in ...string) [][]byte {
	var out [][]byte
	for _, s := range in {
		b, err := hex.DecodeString(s)
		require.NoError(t, err)
		out = append(out, b)
	}
	return out
}

func avcTrack(t testing.TB) cmaf.VideoTrack {
	return cmaf.VideoTrack{
		Codec: vc.H264, Timescale: 90000, Width: 640, Height: 360, Bitrate: 800_000,
		ParameterSets: h264.AnnexB(unhex(t, sps264, pps264)),
	}
}

func hevcTrack(t testing.TB) cmaf.VideoTrack {
	return cmaf.VideoTrack{
		Codec: vc.H265, Timescale: 30000, Bitrate: 2_000_000, ParameterSets: h265.AnnexB(unhex(t, vps265, sps265, pps265)),
	}
}

var aacTrack = cmaf.AudioTrack{Timescale: 48000, Config: []byte{0x11, 0x90}, Bitrate: 128_000}

func TestVideoInitIsReadAlikeByAnotherLibrary(t *testing.T) {
	data, name, err := cmaf.VideoInit(avcTrack(t))
	require.NoError(t, err)
	require.Equal(t, "avc1.42C01E", name)
	sets := unhex(t, sps264, pps264)
	requireTrack(t, data, 90000, &codecs.H264{SPS: sets[0], PPS: sets[1]})

	info, err := cmaf.ParseInit(data)
	require.NoError(t, err)
	require.Equal(t, cmaf.InitInfo{
		TrackID: 1, Timescale: 90000, Codec: vc.H264, Codecs: name, Width: 640, Height: 360,
		ParameterSets: h264.AnnexB(sets), Bitrate: 800_000,
	}, info)
}

func TestHEVCInitIsReadAlikeByAnotherLibrary(t *testing.T) {
	data, name, err := cmaf.VideoInit(hevcTrack(t))
	require.NoError(t, err)
	require.Equal(t, "hvc1.2.4.L93.90", name)
	sets := unhex(t, vps265, sps265, pps265)
	requireTrack(t, data, 30000, &codecs.H265{VPS: sets[0], SPS: sets[1], PPS: sets[2]})

	info, err := cmaf.ParseInit(data)
	require.NoError(t, err)
	require.Equal(t, cmaf.InitInfo{
		TrackID: 1, Timescale: 30000, Codec: vc.H265, Codecs: name, Width: 1280, Height: 720,
		ParameterSets: h265.AnnexB(sets), Bitrate: 2_000_000, Colour: vc.Colour{Primaries: 9, Transfer: vc.TransferHLG, Matrix: 9},
	}, info)
	// The colour of HLG stands in the sample entry: BT.2020, ARIB STD-B67 (ITU-T H.273).
	require.Contains(t, string(data), "colrnclx\x00\x09\x00\x12\x00\x09\x00")
}

func TestAudioInitIsReadAlikeByAnotherLibrary(t *testing.T) {
	data, name, err := cmaf.AudioInit(aacTrack)
	require.NoError(t, err)
	require.Equal(t, "mp4a.40.2", name)

	var init fmp4.Init
	require.NoError(t, init.Unmarshal(bytes.NewReader(data)))
	got := init.Tracks[0].Codec.(*codecs.MPEG4Audio).Config
	require.Equal(t, [2]int{48000, 2}, [2]int{got.SampleRate, int(got.ChannelConfig)})

	info, err := cmaf.ParseInit(data)
	require.NoError(t, err)
	require.Equal(t, cmaf.InitInfo{
		TrackID: 1, Timescale: 48000, Codec: vc.AAC, Codecs: name, SampleRate: 48000, Channels: 2,
		Config: aacTrack.Config, Bitrate: 128_000,
	}, info)
}

func requireTrack(t *testing.T, data []byte, timescale uint32, want codecs.Codec) {
	t.Helper()
	var init fmp4.Init
	require.NoError(t, init.Unmarshal(bytes.NewReader(data)))
	require.Equal(t, []*fmp4.InitTrack{{ID: cmaf.TrackID, TimeScale: timescale, Codec: want}}, init.Tracks)
}

func TestInitIsOfCMAF(t *testing.T) {
	data, _, err := cmaf.VideoInit(avcTrack(t))
	require.NoError(t, err)
	require.Equal(t, "ftypiso6\x00\x00\x00\x00iso6cmfccmf2", string(data[4:28]))
	for _, box := range []string{"mvex", "trex", "avc1", "btrt"} {
		require.Contains(t, string(data), box)
	}
	for _, box := range []string{"elst", "mehd", "mp4ff"} {
		require.NotContains(t, string(data), box)
	}
}

func TestSquarePixelSizeFollowsFromTheAspect(t *testing.T) {
	track := avcTrack(t)
	track.Width, track.Height = 0, 0
	track.ParameterSets = h264.AnnexB(unhex(t, sps576, pps576))
	data, _, err := cmaf.VideoInit(track)
	require.NoError(t, err)
	require.Contains(t, string(data), "pasp\x00\x00\x00\x10\x00\x00\x00\x0b")
	require.Contains(t, string(data), "\x04\x17\x00\x00\x02\x40\x00\x00", "tkhd has 1047×576")
	info, err := cmaf.ParseInit(data)
	require.NoError(t, err)
	require.Equal(t, [2]int{720, 576}, [2]int{info.Width, info.Height})
}

func TestSameInputGivesSameBytes(t *testing.T) {
	one, _, err := cmaf.VideoInit(hevcTrack(t))
	require.NoError(t, err)
	two, _, err := cmaf.VideoInit(hevcTrack(t))
	require.NoError(t, err)
	require.Equal(t, one, two)
	require.Equal(t, pictures.Marshal(), pictures.Marshal())
}

func TestTracksThatCannotBeDescribedAreErrors(t *testing.T) {
	for name, change := range map[string]func(*cmaf.VideoTrack){
		"no timescale":      func(v *cmaf.VideoTrack) { v.Timescale = 0 },
		"no sets":           func(v *cmaf.VideoTrack) { v.ParameterSets = nil },
		"SPS alone":         func(v *cmaf.VideoTrack) { v.ParameterSets = h264.AnnexB(unhex(t, sps264)) },
		"sets of the other": func(v *cmaf.VideoTrack) { v.Codec = vc.H265 },
		"audio codec":       func(v *cmaf.VideoTrack) { v.Codec = vc.AAC },
		"negative width":    func(v *cmaf.VideoTrack) { v.Width = -1 },
	} {
		track := avcTrack(t)
		change(&track)
		_, _, err := cmaf.VideoInit(track)
		require.Error(t, err, name)
	}
	_, _, err := cmaf.AudioInit(cmaf.AudioTrack{Timescale: 48000})
	require.Error(t, err)
	_, _, err = cmaf.AudioInit(cmaf.AudioTrack{Config: aacTrack.Config})
	require.Error(t, err)
}

// pictures is a part with a B-picture, long after the epoch.
var pictures = cmaf.Fragment{
	Sequence: 77, BaseTime: 1 << 40,
	Samples: []cmaf.Sample{
		{Duration: 3600, Key: true, Data: []byte("\x00\x00\x00\x03\x65ab")},
		{Duration: 3600, CompositionOffset: 3600, Data: []byte("\x00\x00\x00\x02\x41c")},
		{Duration: 3600, CompositionOffset: -3600, Data: []byte("\x00\x00\x00\x04\x01def")},
	},
}

func TestFragmentIsReadAlikeByAnotherLibrary(t *testing.T) {
	var parts fmp4.Parts
	require.NoError(t, parts.Unmarshal(pictures.Marshal()))
	require.Len(t, parts, 1)
	require.Equal(t, uint32(77), parts[0].SequenceNumber)
	require.Len(t, parts[0].Tracks, 1)
	track := parts[0].Tracks[0]
	require.Equal(t, cmaf.TrackID, track.ID)
	require.Equal(t, uint64(1<<40), track.BaseTime)
	require.Len(t, track.Samples, len(pictures.Samples))
	for i, s := range pictures.Samples {
		require.Equal(t, &fmp4.Sample{
			Duration: s.Duration, PTSOffset: s.CompositionOffset, IsNonSyncSample: !s.Key, Payload: s.Data,
		}, track.Samples[i])
	}
}

func TestFragmentsReadBack(t *testing.T) {
	frame := func(n int) cmaf.Sample {
		return cmaf.Sample{Duration: 1024, Key: true, Data: bytes.Repeat([]byte{1}, n)}
	}
	for name, f := range map[string]cmaf.Fragment{
		"pictures":        pictures,
		"one picture":     {Sequence: 1, BaseTime: 5, Samples: pictures.Samples[:1]},
		"not independent": {Sequence: 2, BaseTime: 5, Samples: pictures.Samples[1:]},
		"audio":           {Sequence: 3, BaseTime: 1 << 33, Samples: []cmaf.Sample{frame(9), frame(7), frame(8)}},
		"equal sizes":     {Sequence: 4, Samples: []cmaf.Sample{frame(9), frame(9)}},
		"unequal durations": {Sequence: 5, Samples: []cmaf.Sample{
			{Duration: 1, Data: []byte("a")}, {Duration: 2, Key: true, Data: []byte("b")}, {Duration: 3, Data: []byte("c")},
		}},
	} {
		data := f.Append([]byte("before"))
		require.Equal(t, "before", string(data[:6]), name)
		got, err := cmaf.ParseFragments(data[6:])
		require.NoError(t, err, name)
		require.Equal(t, []cmaf.FragmentInfo{{TrackID: cmaf.TrackID, Fragment: f}}, got, name)
		require.Equal(t, f.Samples[0].Key, got[0].FirstIsSync(), name)
	}
	require.Equal(t, uint64(3*3600), pictures.Duration())
}

func TestPartsOneAfterAnotherAreTheSegment(t *testing.T) {
	segment := pictures.Append(pictures.Append(nil))
	got, err := cmaf.ParseFragments(segment)
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.Equal(t, got[0], got[1])
}

func TestDecodeTimeIsAlwaysOf64Bits(t *testing.T) {
	for _, base := range []uint64{0, 1, 1 << 32} {
		data := cmaf.Fragment{BaseTime: base, Samples: pictures.Samples}.Marshal()
		i := bytes.Index(data, []byte("tfdt"))
		require.Equal(t, byte(1), data[i+4])
	}
}

func TestAppendAllocatesNoMoreThanItNeeds(t *testing.T) {
	buf := make([]byte, 0, 4096)
	data := pictures.Append(buf)
	require.Same(t, &buf[:1][0], &data[0])
}

func TestBrokenFilesAreErrors(t *testing.T) {
	whole := pictures.Marshal()
	for _, cut := range []int{1, 7, 30, 60, 100, len(whole) - 1} {
		_, err := cmaf.ParseFragments(whole[:cut])
		require.Error(t, err, cut)
	}
	_, err := cmaf.ParseFragments(whole[bytes.Index(whole, []byte("mdat"))-4:])
	require.Error(t, err, "mdat without moof")
	init, _, err := cmaf.VideoInit(avcTrack(t))
	require.NoError(t, err)
	for _, cut := range []int{0, 8, 32, 100, len(init) - 1} {
		_, err := cmaf.ParseInit(init[:cut])
		require.Error(t, err, cut)
	}
	_, err = cmaf.ParseInit(make([]byte, 2<<20))
	require.Error(t, err)
}

func FuzzParseInit(f *testing.F) {
	for _, track := range []cmaf.VideoTrack{avcTrack(f), hevcTrack(f)} {
		data, _, err := cmaf.VideoInit(track)
		require.NoError(f, err)
		f.Add(data)
	}
	for _, track := range []cmaf.AudioTrack{aacTrack, opusTrack} {
		data, _, err := cmaf.AudioInit(track)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		info, err := cmaf.ParseInit(data)
		if err == nil {
			require.NotEmpty(t, info.Codecs)
			require.NotZero(t, info.Timescale)
		}
	})
}

func FuzzParseFragments(f *testing.F) {
	f.Add(pictures.Marshal())
	f.Add(cmaf.Fragment{Samples: []cmaf.Sample{{Duration: 1024, Key: true, Data: []byte("a")}}}.Marshal())
	f.Fuzz(func(t *testing.T, data []byte) {
		fragments, err := cmaf.ParseFragments(data)
		if err != nil {
			return
		}
		for _, fragment := range fragments {
			if fragment.TrackID != cmaf.TrackID || len(fragment.Samples) == 0 {
				continue
			}
			again, err := cmaf.ParseFragments(fragment.Marshal())
			require.NoError(t, err)
			require.Equal(t, fragment, again[0])
		}
	})
}

func TestTheFirstPictureEndsWithItsSample(t *testing.T) {
	f := cmaf.Fragment{BaseTime: 1 << 40, Samples: []cmaf.Sample{
		{Duration: 3600, Key: true, Data: []byte("an I-frame")}, {Duration: 3600, Data: []byte("a P-picture")},
	}}
	data := append(f.Marshal(), f.Marshal()...)
	end, err := cmaf.FirstPicture(data)
	require.NoError(t, err)
	require.True(t, bytes.HasSuffix(data[:end], []byte("an I-frame")))

	f.Samples[0].Key = false
	_, err = cmaf.FirstPicture(f.Marshal())
	require.Error(t, err)
	_, err = cmaf.FirstPicture([]byte("not a fragment"))
	require.Error(t, err)
	_, err = cmaf.FirstPicture(nil)
	require.Error(t, err)
}
