package h264_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs/h264"
)

func setsOf(t testing.TB, hex ...string) (p h264.ParameterSets) {
	t.Helper()
	for _, s := range hex {
		p.Update(h264.NALUs(append([]byte{0, 0, 0, 1}, unhex(t, s)...)))
	}
	return p
}

func TestOnlyWhatPlayersDecodeIsPlayable(t *testing.T) {
	for _, c := range []struct{ name, sps, problem string }{
		{"Baseline", sps360, ""},
		{"interlaced", sps576i, "interlaced"},
		{"reordered", sps1080, "B-pictures"},
		{"High 4:2:2", "677a0028" + sps1080[8:], "profile is 122"},
		{"broken", "67640028acd9", "parsing"},
	} {
		p := setsOf(t, c.sps, pps1080)
		err := p.CheckPlayable()
		if c.problem == "" {
			require.NoError(t, err, c.name)
			continue
		}
		require.ErrorContains(t, err, c.problem, c.name)
	}
	var none h264.ParameterSets
	require.Error(t, none.CheckPlayable())
}

func TestAUnitFitsItsParameterSets(t *testing.T) {
	p := setsOf(t, sps360, pps1080) // the PPS has id 0
	other := unhex(t, sps360)
	other[3]++ // another level
	for _, c := range []struct {
		name string
		unit [][]byte
		want error
	}{
		{"IDR with its sets", [][]byte{unhex(t, sps360), unhex(t, pps1080), {0x65, 0b1_011_1_000}}, nil},
		{"P slices", [][]byte{{0x41, 0b1_1_1_00000}, {0x41, 0b010_1_1_000}}, nil},
		{"P slices of all the picture", [][]byte{{0x41, 0b1_00110_1_0}}, nil},
		{"SEI and delimiter", [][]byte{{0x09, 0xf0}, {0x06, 1}}, nil},
		{"B slice", [][]byte{{0x41, 0b1_010_1_000}}, h264.ErrReordered},
		{"B slices of all the picture", [][]byte{{0x01, 0b1_00111_1_0}}, h264.ErrReordered},
		{"another SPS", [][]byte{other, unhex(t, pps1080), {0x65, 0b1_011_1_000}}, h264.ErrForeignSets},
		{"another PPS", [][]byte{{0x68, 0xee}, {0x65, 0b1_011_1_000}}, h264.ErrForeignSets},
		{"a slice of another PPS", [][]byte{{0x41, 0b1_1_010_000}}, h264.ErrForeignSets},
	} {
		require.ErrorIs(t, p.CheckUnit(h264.AnnexB(c.unit)), c.want, c.name)
	}
	require.Error(t, p.CheckUnit(h264.AnnexB([][]byte{{0x41}})), "a slice that is cut off")
}

func TestUnusedIDIsOfNeitherKind(t *testing.T) {
	p := setsOf(t, sps360, pps1080)
	id, ok := p.UnusedID()
	require.True(t, ok)
	require.Equal(t, 1, id)
}

func TestCommonProfileCoversAllSets(t *testing.T) {
	name, err := h264.Codecs(unhex(t, sps360), unhex(t, sps1080))
	require.NoError(t, err)
	require.Equal(t, "avc1.640028", name, "the higher profile and level, the constraints that both keep")
	_, err = h264.Codecs()
	require.Error(t, err)
}

func FuzzCheckUnit(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 0x41, 0xff, 1})
	f.Add([]byte{0, 0, 0, 1, 0x65})
	f.Add([]byte{0, 0, 0, 1, 0x41, 0, 0, 3, 0, 0, 3, 1})
	p := setsOf(f, sps360, pps1080)
	f.Fuzz(func(_ *testing.T, unit []byte) {
		_ = p.CheckUnit(unit)
		var own h264.ParameterSets
		own.Update(h264.NALUs(unit))
		_ = own.CheckPlayable()
		_, _ = own.UnusedID()
	})
}
