//go:build cgo

package libav

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
)

func openTestDecoder(t testing.TB, c codecs.Codec) *Decoder {
	d, err := NewDecoder(DecoderOptions{Codec: c})
	require.NoError(t, err)
	t.Cleanup(d.Close)
	return d
}

// collect returns an emit function that notes times and sizes.
func collect(times *[]codecs.Ticks, widths *[]int) func(codecs.Picture, codecs.Ticks) error {
	return func(p codecs.Picture, pts codecs.Ticks) error {
		w, _ := p.Size()
		p.Release()
		*times, *widths = append(*times, pts), append(*widths, w)
		return nil
	}
}

func TestDecoderPutsPicturesOutInOrderWithTheirTimes(t *testing.T) {
	for _, c := range bothCodecs {
		t.Run(c.String(), func(t *testing.T) {
			o := testOptions(c, software(c))
			o.Preset, o.BFrames = "superfast", 3
			d := openTestDecoder(t, c)
			var times []codecs.Ticks
			var widths []int
			for _, au := range testStream(t, o, 20) {
				require.NoError(t, d.Decode(au, collect(&times, &widths)))
			}
			require.NoError(t, d.Flush(collect(&times, &widths)))
			require.Len(t, times, 20)
			for i, pts := range times {
				require.Equal(t, codecs.Ticks(i*3600), pts)
				require.Equal(t, testWidth, widths[i])
			}
		})
	}
}

func TestStreamWithoutBPicturesIsDecodedWithoutDelay(t *testing.T) {
	for _, c := range bothCodecs {
		d := openTestDecoder(t, c)
		for _, au := range testStream(t, testOptions(c, software(c)), 12) {
			var times []codecs.Ticks
			var widths []int
			require.NoError(t, d.Decode(au, collect(&times, &widths)))
			require.Equal(t, []codecs.Ticks{au.PTS}, times, "%v", c)
		}
	}
}

func TestDecodedPicturesLookLikeTheSource(t *testing.T) {
	for _, c := range bothCodecs {
		d := openTestDecoder(t, c)
		o := testOptions(c, software(c))
		o.Bitrate = 4_000_000
		n := 0
		look := func(p codecs.Picture, pts codecs.Ticks) error {
			defer p.Release()
			got, _, _, err := p.(*Picture).YUV()
			require.NoError(t, err)
			want, _, _ := patternPlanes(testWidth, testHeight, int(pts/3600))
			require.Less(t, meanDifference(got, want), 4.0, "%v picture %d", c, n)
			n++
			return nil
		}
		for _, au := range testStream(t, o, 5) {
			require.NoError(t, d.Decode(au, look))
		}
		require.NoError(t, d.Flush(look))
		require.Equal(t, 5, n)
	}
}

func meanDifference(a, b []byte) float64 {
	sum := 0
	for i := range a {
		sum += max(int(a[i])-int(b[i]), int(b[i])-int(a[i]))
	}
	return float64(sum) / float64(len(a))
}

func TestSizeMayChangeInMidStream(t *testing.T) {
	for _, c := range bothCodecs {
		small := testOptions(c, software(c))
		large := small
		large.Width, large.Height = 640, 360
		d := openTestDecoder(t, c)
		var times []codecs.Ticks
		var widths []int
		for _, o := range []EncoderOptions{small, large, small} {
			for _, au := range testStream(t, o, 3) {
				au.PTS += codecs.Ticks(len(times)) * 3600
				require.NoError(t, d.Decode(au, collect(&times, &widths)))
			}
		}
		require.NoError(t, d.Flush(collect(&times, &widths)))
		require.Equal(t, []int{320, 320, 320, 640, 640, 640, 320, 320, 320}, widths)
	}
}

func TestDecoderGoesOnAfterABrokenUnit(t *testing.T) {
	for _, c := range bothCodecs {
		d := openTestDecoder(t, c)
		var times []codecs.Ticks
		var widths []int
		bad := 0
		for i, au := range testStream(t, testOptions(c, software(c)), 20) {
			switch i {
			case 3:
				au.Data = nil
			case 5:
				au.Data = []byte{0, 0, 0, 1, 0x65, 0xff, 0xff, 0xff, 0xff}
			}
			if err := d.Decode(au, collect(&times, &widths)); err != nil {
				require.ErrorIs(t, err, codecs.ErrBadUnit)
				bad++
			}
		}
		require.NoError(t, d.Flush(collect(&times, &widths)))
		require.GreaterOrEqual(t, bad, 1)
		require.GreaterOrEqual(t, len(times), 17)
		require.Equal(t, codecs.Ticks(19*3600), times[len(times)-1])
	}
}

func TestDecoderGoesOnAfterFlush(t *testing.T) {
	for _, c := range bothCodecs {
		d := openTestDecoder(t, c)
		stream := testStream(t, testOptions(c, software(c)), 5)
		for range 2 {
			var times []codecs.Ticks
			var widths []int
			for _, au := range stream {
				require.NoError(t, d.Decode(au, collect(&times, &widths)))
			}
			require.NoError(t, d.Flush(collect(&times, &widths)))
			require.Len(t, times, 5)
		}
	}
}

func TestErrorOfTheReceiverIsHandedOn(t *testing.T) {
	d := openTestDecoder(t, codecs.H264)
	stop := errors.New("stop")
	err := d.Decode(testStream(t, testOptions(codecs.H264, "libx264"), 1)[0], func(p codecs.Picture, _ codecs.Ticks) error {
		p.Release()
		return stop
	})
	require.ErrorIs(t, err, stop)
}

func FuzzDecoder(f *testing.F) {
	for _, c := range bothCodecs {
		for _, au := range testStream(f, testOptions(c, software(c)), 2) {
			f.Add(c == codecs.H265, au.Data)
		}
	}
	f.Fuzz(func(t *testing.T, h265 bool, data []byte) {
		c := codecs.H264
		if h265 {
			c = codecs.H265
		}
		d, err := NewDecoder(DecoderOptions{Codec: c})
		require.NoError(t, err)
		defer d.Close()
		release := func(p codecs.Picture, _ codecs.Ticks) error { p.Release(); return nil }
		if err := d.Decode(codecs.AccessUnit{Data: data}, release); err != nil {
			require.ErrorIs(t, err, codecs.ErrBadUnit)
		}
		require.NoError(t, d.Flush(release))
	})
}

func TestNothingComesOutBeforeTheFirstRandomAccessUnit(t *testing.T) {
	for _, c := range bothCodecs {
		d := openTestDecoder(t, c)
		var times []codecs.Ticks
		var widths []int
		for _, au := range testStream(t, testOptions(c, software(c)), 13)[4:] {
			_ = d.Decode(au, collect(&times, &widths)) // without a reference, some units are errors
		}
		require.NoError(t, d.Flush(collect(&times, &widths)))
		require.Equal(t, []codecs.Ticks{36000, 39600, 43200}, times, "%v", c)
	}
}

func TestMoreThreadsDelayByOnePictureEach(t *testing.T) {
	d, err := NewDecoder(DecoderOptions{Codec: codecs.H264, Threads: 3})
	require.NoError(t, err)
	defer d.Close()
	var times []codecs.Ticks
	var widths []int
	for _, au := range testStream(t, testOptions(codecs.H264, "libx264"), 12) {
		require.NoError(t, d.Decode(au, collect(&times, &widths)))
	}
	require.Len(t, times, 10)
	require.NoError(t, d.Flush(collect(&times, &widths)))
	require.Len(t, times, 12)
}
