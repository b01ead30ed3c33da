package bench

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheSceneMovesAndIsTheSameEachTime(t *testing.T) {
	a, b := newScene(320, 180), newScene(320, 180)
	first := string(a.draw(0))
	require.Equal(t, first, string(b.draw(0)))
	require.NotEqual(t, first, string(a.draw(1)))
}
