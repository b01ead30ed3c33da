package codecs

import (
	"math/bits"
	"time"
)

// TicksPerSecond is the resolution of Ticks: the 90 kHz clock of RTP video (RFC 6184 §8.2.1).
const TicksPerSecond = 90000

// Ticks is a point in time, or a span of it, in units of 1/90000 s.
// As a point it counts from the Unix epoch, UTC. It is assigned by pipeline/timeline only.
type Ticks int64

// TicksAt returns the point in time t, rounded down to a tick.
func TicksAt(t time.Time) Ticks {
	return Ticks(t.Unix())*TicksPerSecond + Ticks(int64(t.Nanosecond())*TicksPerSecond/int64(time.Second))
}

// TicksIn returns the span d, rounded down to a tick.
func TicksIn(d time.Duration) Ticks {
	return Ticks(MulDiv(int64(d), TicksPerSecond, int64(time.Second)))
}

// Time returns the point in time t in UTC, rounded down to a nanosecond.
func (t Ticks) Time() time.Time {
	s := FloorDiv(int64(t), TicksPerSecond)
	return time.Unix(s, (int64(t)-s*TicksPerSecond)*int64(time.Second)/TicksPerSecond).UTC()
}

// Duration returns the span t, rounded down to a nanosecond.
func (t Ticks) Duration() time.Duration {
	return time.Duration(MulDiv(int64(t), int64(time.Second), TicksPerSecond))
}

// FloorDiv returns ⌊a/b⌋ for b > 0, also for negative a.
func FloorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// CeilDiv returns ⌈a/b⌉ for b > 0, also for negative a.
func CeilDiv(a, b int64) int64 { return -FloorDiv(-a, b) }

// MulDiv returns ⌊a·b/c⌋ for b ≥ 0 and c > 0 without overflow in between.
// The result must fit into 63 bits.
func MulDiv(a, b, c int64) int64 {
	if a < 0 {
		return -mulDivCeil(uint64(-a), uint64(b), uint64(c))
	}
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	q, _ := bits.Div64(hi, lo, uint64(c))
	return int64(q)
}

// MulDivCeil returns ⌈a·b/c⌉ for b ≥ 0 and c > 0 without overflow in between.
func MulDivCeil(a, b, c int64) int64 {
	if a < 0 {
		return -MulDiv(-a, b, c)
	}
	return mulDivCeil(uint64(a), uint64(b), uint64(c))
}

func mulDivCeil(a, b, c uint64) int64 {
	hi, lo := bits.Mul64(a, b)
	q, r := bits.Div64(hi, lo, c)
	if r > 0 {
		q++
	}
	return int64(q)
}

// MulDivRound returns a·b/c rounded to the nearest integer (halves up) for b ≥ 0 and c > 0.
func MulDivRound(a, b, c int64) int64 {
	return FloorDiv(MulDiv(a, 2*b, c)+1, 2)
}
