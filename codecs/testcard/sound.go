package testcard

import (
	"math"
	"time"
)

// SampleRate of the test camera's sound, in Hz.
const SampleRate = 48000

const (
	toneHz       = 1000
	tonePeriod   = SampleRate / toneHz
	toneLevel    = 0.25 // -12 dBFS
	flashSamples = int64(SampleRate * FlashTime / time.Second)
)

var tone = func() (wave [tonePeriod]float32) {
	for i := range wave {
		wave[i] = float32(toneLevel * math.Sin(2*math.Pi*float64(i)/tonePeriod))
	}
	return wave
}()

// Beep returns one sample, counted at SampleRate since the Unix epoch, of the test camera's sound:
// a tone of 1 kHz while the picture of the same time flashes, else silence.
func Beep(sample int64) float32 {
	inSecond := sample % SampleRate
	if inSecond < 0 || inSecond >= flashSamples {
		return 0
	}
	return tone[inSecond%tonePeriod]
}

// SampleAt returns the number of the sample at t, rounded down.
func SampleAt(t time.Time) int64 {
	return t.Unix()*SampleRate + int64(t.Nanosecond())*SampleRate/int64(time.Second)
}

// FillBeep writes the samples from first on into pcm.
func FillBeep(pcm []float32, first int64) {
	for i := range pcm {
		pcm[i] = Beep(first + int64(i))
	}
}
