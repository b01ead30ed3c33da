package live

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzThumbnailNamesReadBackAsTheyWereWritten(f *testing.F) {
	f.Add("1000-320x180-0123abcd.jpg")
	f.Add("-1-320x180-0123abcd.jpg")
	f.Add("1-0x180-0123abcd.jpg")
	f.Fuzz(func(t *testing.T, name string) {
		if p, ok := parseThumbnailName(name); ok {
			require.Equal(t, name, p.storeName(""))
			require.Positive(t, p.width)
			require.GreaterOrEqual(t, p.msn, int64(0))
		}
	})
}
