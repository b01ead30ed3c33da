package h265_test

import (
	"encoding/hex"
	"slices"
	"testing"

	"github.com/Eyevinn/mp4ff/hevc"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/h265"
)

// Parameter sets as libx265 writes them.
const (
	vps1080 = "40010c01ffff01600000030090000003000003007b959409"
	sps1080 = "42010101600000030090000003000003007ba003c0801107cb965654a4c2f01680800000030080000019 04"
	pps1080 = "4401c073c189"
	spsHLG  = "42010102200000030090000003000003005da00280802d136595952930bc05a848904820000003002000000303 21"
)

func unhex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(stripSpace(s))
	require.NoError(t, err)
	return b
}

func stripSpace(s string) string {
	return string(slices.DeleteFunc([]byte(s), func(c byte) bool { return c == ' ' }))
}

func TestParseSPS(t *testing.T) {
	square := codecs.Rational{Num: 1, Den: 1}
	for _, c := range []struct {
		sps    string
		want   h265.Info
		codecs string
	}{
		{sps1080, h265.Info{
			Width: 1920, Height: 1080, FrameRate: codecs.Rational{Num: 50, Den: 1}, SampleAspect: square, Depth: 8, Profile: 1, Level: 123,
		}, "hvc1.1.6.L123.90"},
		{spsHLG, h265.Info{
			Width: 1280, Height: 720, FrameRate: codecs.Rational{Num: 25, Den: 1}, SampleAspect: square, Depth: 10, Profile: 2, Level: 93,
			Colour: codecs.Colour{Primaries: 9, Transfer: 18, Matrix: 9},
		}, "hvc1.2.4.L93.90"},
	} {
		sps := unhex(t, c.sps)
		got, err := h265.ParseSPS(sps)
		require.NoError(t, err)
		require.Equal(t, c.want, got)

		name, err := h265.Codecs(sps)
		require.NoError(t, err)
		require.Equal(t, c.codecs, name)

		other, err := hevc.ParseSPSNALUnit(sps)
		require.NoError(t, err)
		require.Equal(t, hevc.CodecString("hvc1", other), name)
	}
}

func TestBrokenSPSAreErrors(t *testing.T) {
	for _, b := range [][]byte{nil, {0x42}, {0x42, 1, 1, 1}, {0x44, 1, 2, 3, 4}} {
		_, err := h265.ParseSPS(b)
		require.Error(t, err)
		_, err = h265.Codecs(b)
		require.Error(t, err)
	}
}

func TestRandomAccessAndSlices(t *testing.T) {
	unit := func(kind byte) []byte { return []byte{kind << 1, 1, 0xff} }
	for _, c := range []struct {
		name      string
		kinds     []byte
		ra, slice bool
	}{
		{"nothing", nil, false, false},
		{"IDR_W_RADL", []byte{35, 32, 33, 34, 19}, true, true},
		{"IDR_N_LP", []byte{20}, true, true},
		{"CRA", []byte{21}, true, true},
		{"BLA_W_LP", []byte{16}, true, true},
		{"TRAIL_R", []byte{1}, false, true},
		{"RASL_R", []byte{9}, false, true},
		{"reserved slice types", []byte{10, 22, 23, 31}, false, false},
		{"parameter sets alone", []byte{32, 33, 34}, false, false},
		{"SEI alone", []byte{39}, false, false},
	} {
		var nalus [][]byte
		for _, k := range c.kinds {
			nalus = append(nalus, unit(k))
		}
		require.Equal(t, c.ra, h265.IsRandomAccess(slices.Values(nalus)), c.name)
		require.Equal(t, c.slice, h265.HasSlice(slices.Values(nalus)), c.name)
	}
	require.False(t, h265.HasSlice(slices.Values([][]byte{{2}, {}})), "a header has two bytes")
}

func TestAppendHVCDropsWhatTheInitSectionHolds(t *testing.T) {
	unit := h265.AnnexB([][]byte{{70, 1, 0x50}, {64, 1}, {66, 1}, {68, 1}, {78, 1, 9}, {38, 1, 2}, {76, 1, 0xff}})
	require.Equal(t, []byte{0, 0, 0, 3, 78, 1, 9, 0, 0, 0, 3, 38, 1, 2}, h265.AppendHVC(nil, unit))
}

func TestParameterSetsFollowTheStream(t *testing.T) {
	vps, sps, pps, other := unhex(t, vps1080), unhex(t, sps1080), unhex(t, pps1080), unhex(t, spsHLG)
	var p h265.ParameterSets
	require.True(t, p.Update(slices.Values([][]byte{vps, sps})))
	require.False(t, p.Complete())
	require.True(t, p.Update(slices.Values([][]byte{pps})))
	require.True(t, p.Complete())
	require.False(t, p.Update(slices.Values([][]byte{vps, sps, pps})), "the same again")
	require.True(t, p.Update(slices.Values([][]byte{other})), "the same id, other contents")

	got := p.Prepend(h265.AnnexB([][]byte{{70, 1, 0x50}, other, {38, 1, 2}}))
	require.Equal(t, h265.AnnexB([][]byte{vps, other, pps, {38, 1, 2}}), got)
	require.Equal(t, h265.AnnexB([][]byte{vps, other, pps}), p.AnnexB())
}

func TestSPSIDFollowsSubLayers(t *testing.T) {
	// Two sub-layers, of which the first has a profile and a level; then id 3 (00100) and rbsp bits.
	sps := []byte{0x42, 0x01, 0x02, 1, 0x60, 1, 1, 1, 0x90, 1, 1, 1, 1, 1, 123, 0xc0, 0x01}
	sps = append(sps, slices.Repeat([]byte{0xaa}, 12)...)
	zero, three := append(slices.Clone(sps), 0x80), append(slices.Clone(sps), 0x20)
	var p h265.ParameterSets
	require.True(t, p.Update(slices.Values([][]byte{zero, three})))
	require.Len(t, p.SPS, 2, "different ids stand beside each other")
}

func FuzzParameterSets(f *testing.F) {
	for _, s := range []string{vps1080, sps1080, pps1080, spsHLG} {
		f.Add(unhex(f, s))
	}
	f.Add([]byte("B07000000\x00\x00\x03000000")) // ends before its id
	f.Fuzz(func(t *testing.T, set []byte) {
		var p h265.ParameterSets
		p.Update(slices.Values([][]byte{set}))
		require.False(t, p.Update(slices.Values([][]byte{set})))
		if info, err := h265.ParseSPS(set); err == nil {
			require.NoError(t, info.Check())
			_, _ = h265.Codecs(set)
		}
	})
}
