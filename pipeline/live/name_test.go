package live

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzStoreNamesReadBackAsTheyWereWritten(f *testing.F) {
	f.Add("1000-172800-90000-0c-53f697eb697474a0-0badcafe-23456.m4s")
	f.Add("1000-92160-48000-3d-53f697eb697474a0-00000000-0.m4s")
	f.Add("init-53f697eb697474a0.mp4")
	f.Add("-1-0-0-c-.m4s")
	f.Fuzz(func(t *testing.T, name string) {
		s, ok := parseName(name)
		if !ok {
			return
		}
		require.Equal(t, name, s.storeName(""))
		require.Positive(t, s.duration)
		require.Positive(t, s.timescale)
		require.LessOrEqual(t, s.msn, int64(maxMSN))
	})
}
