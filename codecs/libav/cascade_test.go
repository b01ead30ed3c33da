package libav

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
)

// oneByOne does what Cascade does with Scale.
func oneByOne(t *testing.T, p codecs.Picture, steps []Step) (made []codecs.Picture) {
	t.Helper()
	for _, s := range steps {
		src := p
		if s.From >= 0 {
			src = made[s.From]
		}
		out, err := s.Scaler.Scale(src)
		require.NoError(t, err)
		made = append(made, out)
	}
	return made
}

func requireSamePictures(t *testing.T, want, got []codecs.Picture) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		y, u, v, err := want[i].(*Picture).YUV()
		require.NoError(t, err)
		gotY, gotU, gotV, err := got[i].(*Picture).YUV()
		require.NoError(t, err)
		require.Equal(t, [][]byte{y, u, v}, [][]byte{gotY, gotU, gotV}, "step %d", i)
		want[i].Release()
		got[i].Release()
	}
}

func TestACascadeMakesThePicturesThatScaleMakes(t *testing.T) {
	large, half := openTestScaler(t, 320, 240), openTestScaler(t, 160, 120)
	third, small := openTestScaler(t, 108, 80), openTestScaler(t, 80, 60)
	twin := openTestScaler(t, 160, 120)
	for name, steps := range map[string][]Step{
		"none":                                  nil,
		"the source is the largest":             {{large, -1}, {half, 0}, {third, 0}, {small, 1}},
		"each from the one before":              {{half, -1}, {third, 0}, {small, 1}},
		"two of a size":                         {{half, -1}, {twin, 0}, {small, 1}},
		"nothing to do":                         {{large, -1}},
		"the same after one that has to be run": {{half, -1}, {small, 0}, {twin, 0}, {third, -1}},
	} {
		t.Run(name, func(t *testing.T) {
			for k := range 3 {
				p := pattern(t, 320, 240, k)
				got, err := Cascade(p, steps)
				require.NoError(t, err)
				requireSamePictures(t, oneByOne(t, p, steps), got)
				p.Release()
			}
		})
	}
}

func TestACascadeRefusesWhatCannotBe(t *testing.T) {
	s := openTestScaler(t, 160, 120)
	p := pattern(t, 320, 240, 0)
	_, err := Cascade(p, []Step{{s, 0}})
	require.ErrorContains(t, err, "step 0")
	_, err = Cascade(p, []Step{{s, -1}, {openTestScaler(t, 80, 60), 2}})
	require.ErrorContains(t, err, "step 2")
	p.Release()
	_, err = Cascade(p, []Step{{s, -1}})
	require.ErrorIs(t, err, errNotOurs)
}
