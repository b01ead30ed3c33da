package h264_test

import (
	"encoding/hex"
	"slices"
	"testing"

	"github.com/Eyevinn/mp4ff/avc"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/h264"
)

// Parameter sets as libx264 writes them.
const (
	sps1080 = "67640028acd940780227e5c05a810100a000007d20001d4c01e30632c0" // 1920×1080, 30000/1001, matrix BT.709
	sps576i = "6764001eacd940b424d8208000000300800000190f8a14cb"           // 720×576, 25, interlaced, 16:11
	sps360  = "6742c01ed900a02ff97011000003000100000300320f162e48"         // 640×360, 25, baseline
	pps1080 = "68ef8fcb"
)

func unhex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

func TestParseSPS(t *testing.T) {
	for _, c := range []struct {
		sps    string
		want   h264.Info
		codecs string
	}{
		{sps1080, h264.Info{
			Width: 1920, Height: 1080, FrameRate: codecs.Rational{Num: 30000, Den: 1001},
			SampleAspect: codecs.Rational{Num: 1, Den: 1}, Depth: 8, Profile: 100, Level: 40,
			Colour: codecs.Colour{Primaries: 2, Transfer: 2, Matrix: 1},
		}, "avc1.640028"},
		{sps576i, h264.Info{
			Width: 720, Height: 576, FrameRate: codecs.Rational{Num: 25, Den: 1},
			SampleAspect: codecs.Rational{Num: 16, Den: 11}, Depth: 8, Profile: 100, Level: 30, Interlaced: true,
		}, "avc1.64001E"},
		{sps360, h264.Info{
			Width: 640, Height: 360, FrameRate: codecs.Rational{Num: 25, Den: 1},
			SampleAspect: codecs.Rational{Num: 1, Den: 1}, Depth: 8, Profile: 66, Level: 30,
		}, "avc1.42C01E"},
	} {
		sps := unhex(t, c.sps)
		got, err := h264.ParseSPS(sps)
		require.NoError(t, err)
		require.Equal(t, c.want, got)

		name, err := h264.Codecs(sps)
		require.NoError(t, err)
		require.Equal(t, c.codecs, name)

		other, err := avc.ParseSPSNALUnit(sps, true)
		require.NoError(t, err)
		require.Equal(t, avc.CodecString("avc1", other), name)
		require.Equal(t, [2]uint{uint(got.Width), uint(got.Height)}, [2]uint{other.Width, other.Height})
	}
}

func TestBrokenSPSAreErrors(t *testing.T) {
	for _, b := range [][]byte{nil, {0x67}, {0x67, 0x64, 0, 0x28}, {0x68, 1, 2, 3, 4}} {
		_, err := h264.ParseSPS(b)
		require.Error(t, err)
	}
	_, err := h264.Codecs([]byte{0x68, 1, 2, 3})
	require.Error(t, err)
}

func TestRandomAccessAndSlices(t *testing.T) {
	for _, c := range []struct {
		name      string
		nalus     [][]byte
		ra, slice bool
	}{
		{"nothing", nil, false, false},
		{"IDR", [][]byte{{0x09, 0xf0}, {0x67, 1}, {0x65, 1}}, true, true},
		{"P picture", [][]byte{{0x41, 1}}, false, true},
		{"parameter sets alone", [][]byte{{0x67, 1}, {0x68, 1}}, false, false},
		{"SEI alone", [][]byte{{0x06, 1}}, false, false},
		{"empty unit", [][]byte{{}}, false, false},
	} {
		require.Equal(t, c.ra, h264.IsRandomAccess(slices.Values(c.nalus)), c.name)
		require.Equal(t, c.slice, h264.HasSlice(slices.Values(c.nalus)), c.name)
	}
}

func TestAppendAVCDropsWhatTheInitSectionHolds(t *testing.T) {
	unit := h264.AnnexB([][]byte{{0x09, 0xf0}, {0x67, 1}, {0x68, 1}, {0x06, 9}, {0x65, 2, 3}, {0x0c, 0xff}})
	require.Equal(t, []byte{'x', 0, 0, 0, 2, 0x06, 9, 0, 0, 0, 3, 0x65, 2, 3}, h264.AppendAVC([]byte("x"), unit))
}

func TestParameterSetsFollowTheStream(t *testing.T) {
	sps, pps, other := unhex(t, sps1080), unhex(t, pps1080), unhex(t, sps360)
	var p h264.ParameterSets
	require.False(t, p.Complete())
	require.True(t, p.Update(slices.Values([][]byte{sps, pps})))
	require.True(t, p.Complete())
	require.False(t, p.Update(slices.Values([][]byte{sps, pps, {0x65, 1}})), "the same again")

	before := p
	require.True(t, p.Update(slices.Values([][]byte{other})), "the same id, other contents")
	require.Equal(t, [][]byte{sps}, before.SPS, "a copy is a snapshot")
	require.Equal(t, [][]byte{other}, p.SPS)

	got := p.Prepend(h264.AnnexB([][]byte{{0x09, 0xf0}, other, {0x65, 1, 2}}))
	require.Equal(t, h264.AnnexB([][]byte{other, pps, {0x65, 1, 2}}), got)
	require.Equal(t, h264.AnnexB([][]byte{other, pps}), p.AnnexB())
}

func TestUpdateCopiesWhatItKeeps(t *testing.T) {
	sps := unhex(t, sps1080)
	var p h264.ParameterSets
	p.Update(slices.Values([][]byte{sps}))
	clear(sps)
	require.Equal(t, unhex(t, sps1080), p.SPS[0])
}

func FuzzParameterSets(f *testing.F) {
	for _, s := range []string{sps1080, sps576i, sps360} {
		f.Add(unhex(f, s))
	}
	f.Add([]byte{0x68, 0xef, 0x8f, 0xcb})
	f.Add([]byte{0x67}) // ends before its id
	f.Fuzz(func(t *testing.T, set []byte) {
		var p h264.ParameterSets
		p.Update(slices.Values([][]byte{set}))
		require.False(t, p.Update(slices.Values([][]byte{set})))
		if info, err := h264.ParseSPS(set); err == nil {
			require.NoError(t, info.Check())
			_, _ = h264.Codecs(set)
		}
	})
}
