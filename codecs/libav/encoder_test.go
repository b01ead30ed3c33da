//go:build cgo

package libav

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"

	"github.com/asticode/go-astiav"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
)

var bothCodecs = []codecs.Codec{codecs.H264, codecs.H265}

func TestIDRComesExactlyWhereItIsAskedFor(t *testing.T) {
	for _, c := range bothCodecs {
		t.Run(c.String(), func(t *testing.T) {
			o := testOptions(c, software(c))
			o.BFrames = 2
			e := openTestEncoder(t, o)
			asked := []int64{100, 101, 117, 130}
			packets := encode(t, e, 100, 40, 1, func(k int64) codecs.PictureType {
				if slices.Contains(asked, k) {
					return codecs.TypeIDR
				}
				return codecs.TypeAuto
			})
			var keys []int64
			for _, p := range packets {
				if p.Key {
					keys = append(keys, p.PTS)
				}
			}
			require.Equal(t, asked, keys)
		})
	}
}

// A scene cut is an abrupt change, where encoders like to put a key picture of their own.
func TestSceneCutMakesNoIDR(t *testing.T) {
	for _, c := range bothCodecs {
		e := openTestEncoder(t, testOptions(c, software(c)))
		keys := 0
		keep := func(p codecs.Packet) error {
			if p.Key {
				keys++
			}
			return nil
		}
		for k := range 20 {
			y, u, v := patternPlanes(testWidth, testHeight, k)
			if k >= 10 {
				for i := range y {
					y[i] = byte(16 + (i*i>>3)%200)
				}
			}
			p, err := NewPictureYUV(testWidth, testHeight, y, u, v)
			require.NoError(t, err)
			require.NoError(t, e.Encode(p, int64(k), codecs.TypeAuto, keep))
			p.Release()
		}
		require.NoError(t, e.Flush(keep))
		require.Equal(t, 1, keys, "%v", c)
	}
}

func TestPartsHoldExactlyThePicturesOfTheirRange(t *testing.T) {
	const part, segment = 8, 24
	for _, c := range bothCodecs {
		for _, step := range []int64{1, 2} {
			t.Run(fmt.Sprintf("%v step %d", c, step), func(t *testing.T) {
				o := testOptions(c, software(c))
				o.Preset, o.BFrames, o.Divisor = "superfast", 3, step
				e := openTestEncoder(t, o)
				first := int64(48)
				packets := encode(t, e, first, 4*segment/step, step, func(k int64) codecs.PictureType {
					switch {
					case k%segment == 0:
						return codecs.TypeIDR
					case k%part == part-step:
						return codecs.TypeP
					}
					return codecs.TypeAuto
				})
				require.Len(t, packets, int(4*segment/step))
				reordered := false
				for i, p := range packets {
					require.Equal(t, (first+int64(i)*step)/part, p.PTS/part, "packet %d holds frame %d", i, p.PTS)
					reordered = reordered || p.PTS != first+int64(i)*step
					require.Equal(t, p.PTS%segment == 0, p.Key)
				}
				require.True(t, reordered, "the test must see B-pictures")
			})
		}
	}
}

func TestEncoderLeavesThePictureAlone(t *testing.T) {
	e := openTestEncoder(t, testOptions(codecs.H264, "libx264"))
	p := pattern(t, testWidth, testHeight, 0)
	defer p.Release()
	p.frame.pict_type, p.frame.pts = 3, 77 // as a decoder leaves them
	require.NoError(t, e.Encode(p, 5, codecs.TypeIDR, func(codecs.Packet) error { return nil }))
	require.EqualValues(t, 3, p.frame.pict_type)
	require.EqualValues(t, 77, p.frame.pts)
}

func TestLowLatencyHoldsNothingBack(t *testing.T) {
	for _, c := range bothCodecs {
		for _, threads := range []int{1, 2} {
			o := testOptions(c, software(c))
			o.LowLatency, o.BFrames, o.Preset, o.Threads = true, -1, "superfast", threads
			e := openTestEncoder(t, o)
			encode(t, e, 0, 10, 1, every(100))
			require.Zero(t, e.Delay(), "%v with %d threads", c, threads)
		}
	}
}

func TestParameterSetsAreNotRepeatedInPackets(t *testing.T) {
	for _, c := range bothCodecs {
		e := openTestEncoder(t, testOptions(c, software(c)))
		require.Equal(t, []byte{0, 0, 0, 1}, e.ParameterSets()[:4])
		for _, p := range encode(t, e, 0, 5, 1, every(3)) {
			require.NotContains(t, string(p.Data), string(e.ParameterSets()[:16]))
		}
	}
}

func TestEncoderRefusesWhatItCannotEncode(t *testing.T) {
	e := openTestEncoder(t, testOptions(codecs.H264, "libx264"))
	none := func(codecs.Packet) error { return nil }
	small := pattern(t, 64, 64, 0)
	defer small.Release()
	require.ErrorContains(t, e.Encode(small, 0, codecs.TypeAuto, none), "picture of 64×64")
	p := pattern(t, testWidth, testHeight, 0)
	defer p.Release()
	require.NoError(t, e.Encode(p, 7, codecs.TypeAuto, none))
	require.ErrorContains(t, e.Encode(p, 7, codecs.TypeAuto, none), "not after frame 7")
}

func TestOptionsOutOfRangeAreRefused(t *testing.T) {
	for name, spoil := range map[string]func(*EncoderOptions){
		"codec":   func(o *EncoderOptions) { o.Codec = codecs.AAC },
		"size":    func(o *EncoderOptions) { o.Width = 321 },
		"rate":    func(o *EncoderOptions) { o.FrameRate = codecs.Rational{} },
		"divisor": func(o *EncoderOptions) { o.Divisor = -1 },
		"bitrate": func(o *EncoderOptions) { o.Bitrate = 0 },
		"threads": func(o *EncoderOptions) { o.Threads = 1000 },
		"quality": func(o *EncoderOptions) { o.Quality = 64 },
		"preset":  func(o *EncoderOptions) { o.Preset = "fastest" },
		"encoder": func(o *EncoderOptions) { o.Encoder = "libx265" },
	} {
		o := testOptions(codecs.H264, "")
		spoil(&o)
		_, err := OpenEncoder(o)
		require.Error(t, err, name)
	}
}

func TestFirstEncoderThatOpensIsChosen(t *testing.T) {
	for _, c := range bothCodecs {
		e := openTestEncoder(t, testOptions(c, ""))
		names := Encoders(c)
		at := slices.Index(names, e.Name())
		require.Len(t, e.Refused(), at)
		for i, line := range e.Refused() {
			require.Regexp(t, "^"+names[i]+": .+", line)
		}
	}
}

func TestEncoderThatDoesNotOpenSaysWhy(t *testing.T) {
	e, reason := open(candidate{name: "h264_none", options: x264Options}, testOptions(codecs.H264, "").withDefaults())
	require.Nil(t, e)
	require.Equal(t, "h264_none: not in this build of FFmpeg", reason)
}

// Hardware encoders cannot be opened here, but a misspelt option would show only on the machine that has one.
func TestEveryEncoderKnowsItsOptions(t *testing.T) {
	for _, c := range candidates {
		for _, low := range []bool{false, true} {
			codec := astiav.FindEncoderByName(c.name)
			require.NotNil(t, codec, c.name)
			ctx := astiav.AllocCodecContext(codec)
			for key, value := range c.options(EncoderOptions{Preset: c.presets.standard, Threads: 1, LowLatency: low, Lookahead: 10, Quality: 30}) {
				err := ctx.PrivateData().Options().Set(key, value, astiav.NewOptionSearchFlags())
				require.NoError(t, err, "%s: %s=%s", c.name, key, value)
			}
			ctx.Free()
		}
	}
}

const digestProcess = "VENUECAST_LIBAV_DIGEST"

func TestSamePicturesGiveTheSameBytesInEachProcess(t *testing.T) {
	if os.Getenv(digestProcess) != "" {
		fmt.Print(digest(t))
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), digestProcess+"=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), digest(t))
}

func digest(t *testing.T) string {
	sum := sha256.New()
	for _, c := range bothCodecs {
		o := testOptions(c, software(c))
		o.BFrames, o.Preset = -1, "superfast"
		e := openTestEncoder(t, o)
		sum.Write(e.ParameterSets())
		for _, p := range encode(t, e, 0, 12, 1, every(10)) {
			sum.Write(p.Data)
		}
	}
	return fmt.Sprintf("%x", sum.Sum(nil))
}

func TestOnePictureFeedsSeveralEncodersAtOnce(t *testing.T) {
	p := pattern(t, testWidth, testHeight, 0)
	coded := make([][]byte, 4)
	var wg sync.WaitGroup
	for i := range coded {
		e, own := openTestEncoder(t, testOptions(codecs.H264, "libx264")), p.Retain()
		wg.Go(func() {
			defer own.Release()
			keep := func(p codecs.Packet) error { coded[i] = append(coded[i], p.Data...); return nil }
			for k := range int64(5) {
				assert.NoError(t, e.Encode(own, k, codecs.TypeAuto, keep)) //nolint:testifylint // not the test's goroutine
			}
			assert.NoError(t, e.Flush(keep))
		})
	}
	p.Release()
	wg.Wait()
	for _, c := range coded {
		require.NotEmpty(t, c)
		require.Equal(t, coded[0], c)
	}
}
