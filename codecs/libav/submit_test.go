//go:build cgo

package libav

import (
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
)

func drop(codecs.Packet) error { return nil }

// submit encodes as encode does, but collects only where it must, and before every at-th picture.
func submit(t *testing.T, e *Encoder, n, at int64) []codecs.Packet {
	t.Helper()
	var packets []codecs.Packet
	keep := given(func(p codecs.Packet) error { packets = append(packets, p); return nil })
	for k := range n {
		if k%at == 0 {
			require.NoError(t, e.Collect(keep))
			require.Empty(t, e.posted)
		}
		p := pattern(t, e.o.Width, e.o.Height, int(k))
		before := len(packets)
		pending, err := e.Submit(p, k, every(10)(k), keep)
		require.NoError(t, err)
		require.LessOrEqual(t, len(packets)-before, depth)
		require.LessOrEqual(t, pending, depth)
		p.Release()
	}
	require.NoError(t, e.Flush(keep))
	return packets
}

func TestPicturesThatAreNotWaitedForGiveTheSamePackets(t *testing.T) {
	for _, c := range bothCodecs {
		for _, lowLatency := range []bool{false, true} {
			o := testOptions(c, software(c))
			o.BFrames, o.Preset, o.LowLatency = -1, "superfast", lowLatency
			want := encode(t, openTestEncoder(t, o), 0, 40, 1, every(10))
			for _, at := range []int64{1, 2, 5, 100} {
				require.Equal(t, want, submit(t, openTestEncoder(t, o), 40, at), "%v, low latency %v", c, lowLatency)
			}
		}
	}
}

// What Submit promises is what a part's end is decided by.
func TestCollectPutsOutNoMoreThanSubmitSaid(t *testing.T) {
	for _, c := range bothCodecs {
		o := testOptions(c, software(c))
		o.BFrames, o.Preset = -1, "superfast"
		e := openTestEncoder(t, o)
		for k := range int64(60) {
			p := pattern(t, e.o.Width, e.o.Height, int(k))
			pending, err := e.Submit(p, k, every(10)(k), drop)
			require.NoError(t, err)
			p.Release()
			if k%3 != 0 {
				continue
			}
			came := 0
			require.NoError(t, e.Collect(func(codecs.Packet) error { came++; return nil }))
			require.LessOrEqual(t, came, pending)
		}
	}
}

func TestOnlyWhoWaitsIsWoken(t *testing.T) {
	e := openTestEncoder(t, testOptions(codecs.H264, "libx264"))
	p := pattern(t, testWidth, testHeight, 0)
	defer p.Release()
	woken := func() bool {
		var counter [8]byte
		var n int
		require.NoError(t, e.thread.event.Control(func(fd uintptr) { n, _ = syscall.Read(int(fd), counter[:]) }))
		return n > 0
	}
	require.NoError(t, e.Encode(p, 0, codecs.TypeIDR, drop))
	woken() // whether it waited depends on who was faster
	for k := int64(1); k < 20; k++ {
		_, err := e.Submit(p, k, codecs.TypeAuto, drop)
		require.NoError(t, err)
		for !e.thread.done() {
			runtime.Gosched()
		}
	}
	require.False(t, woken())
}

func TestAnEncoderIsClosedWhileItWorks(t *testing.T) {
	before := LedgerTotal()
	e, err := OpenEncoder(testOptions(codecs.H264, "libx264"))
	require.NoError(t, err)
	for k := range int64(depth) {
		p := pattern(t, testWidth, testHeight, int(k))
		_, err := e.Submit(p, k, codecs.TypeAuto, drop)
		require.NoError(t, err)
		p.Release()
	}
	e.Close()
	e.Close()
	require.Equal(t, before, LedgerTotal())
}

func TestAnErrorNamesThePictureThatFailedAndThoseAfterItAreLeft(t *testing.T) {
	before := LedgerTotal()
	e, err := OpenEncoder(testOptions(codecs.H264, "libx264"))
	require.NoError(t, err)
	p := pattern(t, testWidth, testHeight, 0)
	require.NoError(t, e.Encode(p, 0, codecs.TypeIDR, drop))
	require.NoError(t, e.Flush(drop)) // now it takes no more
	e.held = 0
	for k := int64(7); k < 7+int64(depth); k++ {
		_, err = e.Submit(p, k, codecs.TypeAuto, drop)
		if err != nil {
			break // the thread was faster
		}
	}
	if err == nil {
		err = e.Collect(drop)
	}
	require.ErrorContains(t, err, "encoding frame 7 with libx264")
	p.Release()
	e.Close()
	require.Equal(t, before, LedgerTotal())
}
