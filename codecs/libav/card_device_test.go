//go:build cgo

package libav

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
)

// openTestCard opens this machine's card, or the stand-in.
func openTestCard(t *testing.T) *Card {
	c, err := OpenCard(CardOptions{})
	if err != nil {
		t.Skipf("this machine has none: %v", err)
	}
	t.Cleanup(c.Close)
	return c
}

// scalingCard is a card that scales. Where this build of FFmpeg lacks the filter, a chain of filters takes its place: the pictures
// that go in and come out lie on the card.
func scalingCard(t *testing.T) *Card {
	c := openTestCard(t)
	if !c.scales {
		c.scales = true
		c.kind.chain = "hwdownload,format=nv12,scale=w=%d:h=%d:flags=bicubic,format=%s,hwupload"
	}
	return c
}

type shown struct {
	pictures []*Picture
	times    []codecs.Ticks
	kinds    []string // that decoded, in the order in which they were chosen
	refused  []string
}

func (s *shown) take(p codecs.Picture, pts codecs.Ticks) error {
	s.pictures, s.times = append(s.pictures, p.(*Picture)), append(s.times, pts)
	return nil
}

func (s *shown) chosen(kind, refused string) {
	s.kinds, s.refused = append(s.kinds, kind), append(s.refused, refused)
}

func (s *shown) release() {
	for _, p := range s.pictures {
		p.Release()
	}
	s.pictures = nil
}

func decodeOn(t *testing.T, card *Card, c codecs.Codec, n int64) (*shown, *Decoder, error) {
	s := &shown{}
	t.Cleanup(s.release)
	d, err := NewDecoder(DecoderOptions{Codec: c, Card: card, Chosen: s.chosen})
	require.NoError(t, err)
	t.Cleanup(d.Close)
	for _, au := range testStream(t, testOptions(c, software(c)), n) {
		if err := d.Decode(au, s.take); err != nil {
			return s, d, err
		}
	}
	return s, d, d.Flush(s.take)
}

func decodeSessions(c *Card) int64 { return Sessions()[Session{c.Kind(), "decode"}] }

func TestDeviceDecodesAndScales(t *testing.T) {
	for _, c := range bothCodecs {
		card := scalingCard(t)
		before := decodeSessions(card)
		s, d, err := decodeOn(t, card, c, 12)
		require.NoError(t, err)
		require.Len(t, s.pictures, 12, "%v", c)
		require.Equal(t, []string{card.Kind()}, s.kinds)
		require.Equal(t, before+1, decodeSessions(card))
		large := openCardScaler(t, card, 240, 136)
		small := openCardScaler(t, card, 120, 68)
		for i, p := range s.pictures {
			require.True(t, p.onCard())
			require.Equal(t, codecs.Ticks(i*3600), s.times[i])
			a, err := large.Scale(p)
			require.NoError(t, err)
			b, err := small.Scale(a) // from the one before, as in a cascade
			require.NoError(t, err)
			a.Release()
			require.True(t, b.(*Picture).onCard())
			checkGrey(t, b.(*Picture), i)
			b.Release()
		}
		d.Close()
		require.Equal(t, before, decodeSessions(card))
	}
}

func openCardScaler(t *testing.T, card *Card, width, height int) *Scaler {
	s, err := NewScaler(ScalerOptions{Width: width, Height: height, Card: card})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// checkGrey copies a picture of a card into memory, where it has to be the n-th of the stand-in, if that made it.
func checkGrey(t *testing.T, p *Picture, n int) {
	w, h := p.Size()
	memory := openTestScaler(t, w, h)
	y, u, _ := scaled(t, memory, p)
	if os.Getenv(standIn) != "" {
		require.InDelta(t, 16+n, mean(y), 0.01)
		require.InDelta(t, 128, mean(u), 0.01)
	}
}

func TestDeviceThatDoesNotScaleGivesPicturesInMemory(t *testing.T) {
	card := openTestCard(t)
	card.scales = false
	s, _, err := decodeOn(t, card, codecs.H264, 5)
	require.NoError(t, err)
	require.Equal(t, []string{card.Kind()}, s.kinds)
	for i, p := range s.pictures {
		require.False(t, p.onCard())
		require.Equal(t, []int{testWidth, testHeight}, sizeOf(p))
		checkGrey(t, p, i)
	}
}

func sizeOf(p *Picture) []int { w, h := p.Size(); return []int{w, h} }

// What a card without an encoder does: decoding and scaling there, encoding by the processor. The slate comes from memory.
func TestDevicePicturesAndTheSlateReachAnEncoderInMemory(t *testing.T) {
	card := scalingCard(t)
	s, _, err := decodeOn(t, card, codecs.H264, 5)
	require.NoError(t, err)
	o := testOptions(codecs.H264, "libx264")
	o.Width, o.Height, o.Card, o.Bitrate = 160, 90, card, 4_000_000
	e, scaler := openTestEncoder(t, o), openCardScaler(t, card, 160, 90)
	var packets []codecs.Packet
	keep := func(p codecs.Packet) error { packets = append(packets, p); return nil }
	for i, p := range append(s.pictures, flat(t, testWidth, testHeight, 200)) {
		small, err := scaler.Scale(p)
		require.NoError(t, err)
		require.Equal(t, i < 5, small.(*Picture).onCard())
		require.NoError(t, e.Encode(small, int64(i), codecs.TypeIDR, keep))
		small.Release()
		if i == 5 {
			p.Release()
		}
	}
	require.NoError(t, e.Flush(keep))
	d, n := openTestDecoder(t, codecs.H264), 0
	look := func(p codecs.Picture, _ codecs.Ticks) error {
		defer p.Release()
		y, _, _, err := p.(*Picture).YUV()
		require.NoError(t, err)
		switch {
		case n == 5:
			require.InDelta(t, 200, mean(y), 1)
		case os.Getenv(standIn) != "":
			require.InDelta(t, 16+n, mean(y), 1)
		}
		n++
		return nil
	}
	for _, au := range units(e, packets) {
		require.NoError(t, d.Decode(au, look))
	}
	require.NoError(t, d.Flush(look))
	require.Equal(t, 6, n)
}

// The encoder is chosen by opening, first with pictures of the card. A card without one (H100, A100) leaves it to the processor.
func TestDeviceWithoutAnEncoderLeavesItToTheProcessor(t *testing.T) {
	card := scalingCard(t)
	s, _, err := decodeOn(t, card, codecs.H264, 1)
	require.NoError(t, err)
	o := testOptions(codecs.H264, "")
	o.Card = card
	before := LedgerTotal()
	e, err := OpenEncoder(o)
	require.NoError(t, err)
	drop := func(codecs.Packet) error { return nil }
	require.NoError(t, e.Encode(s.pictures[0], 0, codecs.TypeIDR, drop))
	if os.Getenv(standIn) != "" {
		require.Equal(t, "libx264", e.Name())
		require.Contains(t, e.Refused(), "h264_nvenc on the card: Cannot load libnvidia-encode.so.1")
	}
	device := deviceOf(e.Name())
	require.Equal(t, device != "", Sessions()[Session{device, "encode"}] == 1)
	e.Close()
	require.Zero(t, Sessions()[Session{device, "encode"}])
	require.Equal(t, before, LedgerTotal())
}

func TestDevicePictureBecomesAThumbnail(t *testing.T) {
	s, _, err := decodeOn(t, scalingCard(t), codecs.H264, 2)
	require.NoError(t, err)
	e, err := NewJPEGEncoder(JPEGOptions{Width: 160, Height: 90})
	require.NoError(t, err)
	defer e.Close()
	for _, p := range s.pictures {
		file, err := e.JPEG(p)
		require.NoError(t, err)
		require.Equal(t, "\xff\xd8\xff", string(file[:3]))
	}
}

// Cards' filters do not change the range of samples: a full range picture is scaled in memory.
func TestDevicePictureOfFullRangeIsScaledInMemory(t *testing.T) {
	card := scalingCard(t)
	s, _, err := decodeOn(t, card, codecs.H264, 1)
	require.NoError(t, err)
	s.pictures[0].frame.color_range = 2 // AVCOL_RANGE_JPEG
	y, _, _ := scaled(t, openCardScaler(t, card, 160, 90), s.pictures[0])
	if os.Getenv(standIn) != "" {
		require.InDelta(t, 16+16*219.0/255, mean(y), 1)
	}
}

func TestDeviceThatRefusesACodecGoesOnInMemory(t *testing.T) {
	needStandIn(t)
	card := openTestCard(t)
	t.Setenv("FAKE_CARD_REFUSES", "1")
	for _, c := range bothCodecs {
		s, _, err := decodeOn(t, card, c, 5)
		require.NoError(t, err)
		require.Len(t, s.pictures, 5)
		require.Equal(t, []string{InMemory}, s.kinds)
		require.Equal(t, []string{"cuda: Hardware is lacking required capabilities"}, s.refused)
		require.Zero(t, decodeSessions(card))
		got, _, _, err := s.pictures[4].YUV()
		require.NoError(t, err)
		want, _, _ := patternPlanes(testWidth, testHeight, 4)
		require.Less(t, meanDifference(got, want), 12.0) // it is the picture, and not the stand-in's
	}
}

// AV1 is decoded on cards or by another decoder: one that refuses is a failure of the card.
func TestDeviceThatRefusesAV1IsACardThatFails(t *testing.T) {
	needStandIn(t)
	card := openTestCard(t)
	t.Setenv("FAKE_CARD_REFUSES", "1")
	d, err := NewDecoder(DecoderOptions{Codec: codecs.AV1, Card: card})
	require.NoError(t, err)
	defer d.Close()
	err = d.Decode(testStream(t, av1Options(), 1)[0], (&shown{}).take)
	require.ErrorIs(t, err, ErrCard)
	require.NotErrorIs(t, err, codecs.ErrBadUnit)
}

func TestDeviceThatFailsAtAPictureIsACardThatFails(t *testing.T) {
	needStandIn(t)
	for _, c := range bothCodecs {
		for _, at := range []string{"1", "2", "7"} {
			card := openTestCard(t)
			t.Setenv("FAKE_CARD_FAILS", at)
			s, d, err := decodeOn(t, card, c, 12)
			require.ErrorIs(t, err, ErrCard, "%v at %s", c, at)
			require.ErrorIs(t, err, ErrDevice)
			require.NotErrorIs(t, err, codecs.ErrBadUnit)
			s.release()
			d.Close()
			require.Zero(t, decodeSessions(card))
		}
	}
}

func TestDeviceOutOfMemoryIsACardThatFails(t *testing.T) {
	needStandIn(t)
	card := openTestCard(t)
	t.Setenv("FAKE_CARD_FULL", "1")
	_, _, err := decodeOn(t, card, codecs.H264, 3)
	require.ErrorIs(t, err, ErrCard)
}

// A unit that is damaged is one on a card, too: the card is not at fault.
func TestDeviceGoesOnAfterABrokenUnit(t *testing.T) {
	card := openTestCard(t)
	s := &shown{}
	defer s.release()
	d, err := NewDecoder(DecoderOptions{Codec: codecs.H264, Card: card})
	require.NoError(t, err)
	defer d.Close()
	for i, au := range testStream(t, testOptions(codecs.H264, "libx264"), 20) {
		if i == 5 {
			au.Data = []byte{0, 0, 0, 1, 0x65, 0xff, 0xff, 0xff, 0xff}
		}
		if err := d.Decode(au, s.take); err != nil {
			require.ErrorIs(t, err, codecs.ErrBadUnit)
		}
	}
	require.NoError(t, d.Flush(s.take))
	require.GreaterOrEqual(t, len(s.pictures), 18)
}

func TestDeviceThatOpensTooSlowlyIsNotWaitedFor(t *testing.T) {
	needStandIn(t)
	t.Setenv("FAKE_CARD_OPENING", "1")
	_, err := OpenCard(CardOptions{Kind: "cuda", Limit: 50 * time.Millisecond})
	require.ErrorContains(t, err, "cuda: it did not open within 50 ms")
}
