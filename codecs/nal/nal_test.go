package nal_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/nal"
)

func TestUnitsTakesEveryFormOfStartCode(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     []string
	}{
		{"none", "abc", nil},
		{"empty", "", nil},
		{"start code alone", "\x00\x00\x01", nil},
		{"three bytes", "\x00\x00\x01a\x00\x00\x01b", []string{"a", "b"}},
		{"four bytes", "\x00\x00\x00\x01a\x00\x00\x00\x01b", []string{"a", "b"}},
		{"mixed", "\x00\x00\x00\x01a\x00\x00\x01bc\x00\x00\x00\x01d", []string{"a", "bc", "d"}},
		{"garbage in front", "zz\x00\x00\x01a", []string{"a"}},
		{"trailing zeros", "\x00\x00\x01a\x00\x00\x00\x00\x00\x01b\x00\x00", []string{"a", "b"}},
		{"empty unit", "\x00\x00\x01\x00\x00\x01a", []string{"a"}},
		{"zeros within", "\x00\x00\x01a\x00\x00\x03\x01b", []string{"a\x00\x00\x03\x01b"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for u := range nal.Units([]byte(c.in)) {
				got = append(got, string(u))
			}
			require.Equal(t, c.want, got)
		})
	}
}

func TestWalkingAllocatesNothing(t *testing.T) {
	stream := nal.AnnexB([][]byte{{1, 2, 3}, {4}, {5, 6}})
	n := 0
	require.Zero(t, testing.AllocsPerRun(100, func() {
		for u := range nal.Units(stream) {
			n += len(u)
		}
	}))
	require.Positive(t, n)
}

func FuzzUnitsSurviveReframing(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x01a\x00\x00\x01bc\x00\x00\x00\x01d"))
	f.Add([]byte("\x00\x00\x01\x00\x00\x03\x00\x00\x01\x00\x00\x00\x00\x01x"))
	f.Add([]byte("\x00\x00\x01"))
	f.Fuzz(func(t *testing.T, in []byte) {
		units := slices.Collect(nal.Units(in))
		again := nal.AnnexB(units)
		require.Equal(t, units, slices.Collect(nal.Units(again)))

		prefixed := nal.AppendLengthPrefixed(nil, in, func([]byte) bool { return false })
		for _, u := range units {
			require.Equal(t, uint32(len(u)), binary.BigEndian.Uint32(prefixed))
			require.True(t, bytes.HasPrefix(prefixed[4:], u))
			prefixed = prefixed[4+len(u):]
		}
		require.Empty(t, prefixed)
	})
}

func TestKeepSortsByIDAndLeavesOldListsAlone(t *testing.T) {
	id := func(s []byte) (uint32, bool) { return uint32(s[0]), s[0] < 10 }
	one, changed := nal.Keep(nil, []byte{5, 'a'}, id)
	require.True(t, changed)
	two, changed := nal.Keep(one, []byte{3, 'b'}, id)
	require.True(t, changed)
	three, changed := nal.Keep(two, []byte{5, 'c'}, id)
	require.True(t, changed)
	require.Equal(t, [][]byte{{5, 'a'}}, one)
	require.Equal(t, [][]byte{{3, 'b'}, {5, 'a'}}, two)
	require.Equal(t, [][]byte{{3, 'b'}, {5, 'c'}}, three)

	for name, set := range map[string][]byte{"same": {5, 'c'}, "broken": {11}, "too long": append([]byte{1}, make([]byte, 1<<16)...)} {
		got, changed := nal.Keep(three, set, id)
		require.False(t, changed, name)
		require.Equal(t, three, got, name)
	}
}

func TestNonsenseRatesCountAsNotSaid(t *testing.T) {
	require.Equal(t, codecs.Rational{Num: 30000, Den: 1001}, nal.Rate(60000, 2002))
	require.Equal(t, codecs.Rational{Num: 25, Den: 1}, nal.Rate(90000, 3600))
	for _, r := range [][2]int64{{0, 0}, {0, 1}, {1, 0}, {1 << 32, 1}, {1, 90000}} {
		require.Zero(t, nal.Rate(r[0], r[1]))
	}
}

func TestAspectIsThatOfTableE1(t *testing.T) {
	require.Equal(t, codecs.Rational{Num: 1, Den: 1}, nal.Aspect(1, 0, 0))
	require.Equal(t, codecs.Rational{Num: 16, Den: 11}, nal.Aspect(4, 0, 0))
	require.Equal(t, codecs.Rational{Num: 2, Den: 1}, nal.Aspect(16, 0, 0))
	require.Equal(t, codecs.Rational{Num: 64, Den: 45}, nal.Aspect(255, 128, 90))
	for _, idc := range []uint8{0, 17, 254, 255} {
		require.Zero(t, nal.Aspect(idc, 0, 0))
	}
}
