package codecs_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
)

func TestFrameRatesAreReadAsPeopleWriteThem(t *testing.T) {
	for text, expected := range map[string]codecs.Rational{
		"25":         {Num: 25, Den: 1},
		"25.0":       {Num: 25, Den: 1},
		"12.5":       {Num: 25, Den: 2},
		"29.97":      {Num: 30000, Den: 1001},
		"23.976":     {Num: 24000, Den: 1001},
		"23.98":      {Num: 24000, Den: 1001},
		"59.94":      {Num: 60000, Den: 1001},
		"119.88":     {Num: 120000, Den: 1001},
		"30000/1001": {Num: 30000, Den: 1001},
		"50/2":       {Num: 25, Den: 1},
		"0.5":        {Num: 1, Den: 2},
	} {
		got, err := codecs.ParseRational(text)
		require.NoError(t, err, text)
		require.Equal(t, expected, got, text)
	}
}

func TestWhatIsNoFrameRateIsRefused(t *testing.T) {
	for _, text := range []string{
		"", "fast", "0", "-25", "25/0", "0/1", "-25/1", "25/-1", "1/2/3", "25 fps", "1001", "99999999999/1", "0.0001", "NaN", "Inf",
	} {
		_, err := codecs.ParseRational(text)
		require.Error(t, err, text)
	}
}

func TestUnknownRateIsNoNumber(t *testing.T) {
	var unknown codecs.Rational
	require.False(t, unknown.Valid())
	require.Zero(t, unknown.Float())
	require.Equal(t, unknown, codecs.NewRational(0, 0))
}

func FuzzRationalReadsWhatItWrites(f *testing.F) {
	for _, s := range []string{"25", "29.97", "30000/1001", "12.5", "NaN", "1e-9", "0x1p-2", "1_0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := codecs.ParseRational(text)
		if err != nil {
			return
		}
		require.True(t, r.Valid())
		again, err := codecs.ParseRational(codecs.NewRational(r.Num*3, r.Den*3).String())
		if r.Den == 1 && r.Num > 1000 {
			return // "1001/1" is taken at its word, "1001" is not
		}
		require.NoError(t, err)
		require.Equal(t, r, again)
	})
}
