package transcode

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
)

// TestTheGridForcesItsOwnKeyframes plays a camera that sends one random access unit and then none for a minute.
func TestTheGridForcesItsOwnKeyframes(t *testing.T) {
	all := records(60*25, nothing)
	for i := range all[1:] {
		if b := all[i+1].Bundle; b.Format.Codec == codecs.H264 {
			b.Units[0].RandomAccess = false
		}
	}
	o := newOrigin(0)
	transcode(t, all, 1, o, nil)
	high := o.parts["high"]
	require.Greater(t, len(high), 20)
	for _, p := range high {
		require.Equal(t, p.Index == 0, p.Independent, "part %d.%d", p.MSN, p.Index)
	}
	for i, s := range samplesOf(t, high) {
		require.Equal(t, fmt.Sprint(1000*48+i), s[5:])
	}
}

func TestACameraThatChangesItsCodecIsDecodedOn(t *testing.T) {
	all := records(400, nothing)
	for i := range all {
		if b := all[i].Bundle; i > len(all)/3 && i < 2*len(all)/3 && b.Format.Codec == codecs.H264 {
			b.Format.Codec = codecs.H265
		}
	}
	o := newOrigin(0)
	transcode(t, all, 1, o, nil)
	got := samplesOf(t, o.parts["high"])
	require.Greater(t, len(got), 200)
	for i, s := range got {
		require.Equal(t, fmt.Sprint(1000*48+i), s[5:], "every picture is there, before and after the changes")
	}
}

func TestSoundThatChangesItsFormatIsDecodedOn(t *testing.T) {
	all := records(400, nothing)
	for i := range all {
		if b := all[i].Bundle; i > len(all)/2 && b.Format.Codec == codecs.AAC {
			b.Format.Codec = codecs.PCMA
		}
	}
	o := newOrigin(0)
	transcode(t, all, 1, o, nil)
	for i, s := range samplesOf(t, o.parts["sound"]) {
		sample := int64(1000*90+i) * 1024
		require.Equal(t, fmt.Sprintf("%d:%v", sample, float32((sample+1024)%(1<<20))), s)
	}
}
