package codecs_test

import (
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
)

func TestTicksTellTimeWithinATick(t *testing.T) {
	for _, at := range []time.Time{
		time.Unix(0, 0),
		time.Date(2026, 11, 22, 12, 0, 0, 999_999_999, time.UTC),
		time.Date(2026, 11, 22, 12, 0, 0, 11_111, time.FixedZone("", 3600)),
		time.Date(1969, 12, 31, 23, 59, 59, 500_000_000, time.UTC),
		time.Date(2400, 1, 1, 0, 0, 0, 1, time.UTC),
	} {
		ticks := codecs.TicksAt(at)
		behind := at.Sub(ticks.Time())
		require.GreaterOrEqual(t, behind, time.Duration(0), "%v", at)
		require.LessOrEqual(t, behind, time.Second/codecs.TicksPerSecond+1, "%v", at)
		require.Equal(t, time.UTC, ticks.Time().Location())
	}
}

func TestSpansAreRoundedDown(t *testing.T) {
	for _, c := range []struct {
		span  time.Duration
		ticks codecs.Ticks
	}{
		{0, 0},
		{time.Second, 90000},
		{40 * time.Millisecond, 3600},
		{11_111, 0},
		{11_112, 1},
		{-1, -1},
		{-time.Second, -90000},
		{math.MaxInt64, 830_103_483_316_929},
	} {
		require.Equal(t, c.ticks, codecs.TicksIn(c.span), "%v", c.span)
	}
	require.Equal(t, 11_111*time.Nanosecond, codecs.Ticks(1).Duration())
	require.Equal(t, -11_112*time.Nanosecond, codecs.Ticks(-1).Duration())
}

func TestDivisionRoundsAsNamedForEitherSign(t *testing.T) {
	for _, c := range []struct{ a, b, floor, ceil int64 }{
		{7, 2, 3, 4}, {-7, 2, -4, -3}, {6, 2, 3, 3}, {-6, 2, -3, -3}, {0, 5, 0, 0}, {1, 5, 0, 1}, {-1, 5, -1, 0},
	} {
		require.Equal(t, c.floor, codecs.FloorDiv(c.a, c.b), "%+v", c)
		require.Equal(t, c.ceil, codecs.CeilDiv(c.a, c.b), "%+v", c)
	}
	for _, c := range []struct{ a, b, c, rounded int64 }{
		{5, 1, 2, 3}, {-5, 1, 2, -2}, {4, 1, 3, 1}, {5, 1, 3, 2}, {-4, 1, 3, -1}, {-5, 1, 3, -2},
	} {
		require.Equal(t, c.rounded, codecs.MulDivRound(c.a, c.b, c.c), "%+v", c)
	}
}

func FuzzMulDivIsExact(f *testing.F) {
	f.Add(int64(1<<62), int64(3), int64(4))
	f.Add(int64(-1<<62), int64(90000), int64(1_000_000_000))
	f.Add(int64(-1), int64(1), int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, a, b, c int64) {
		if b < 0 || c <= 0 {
			return
		}
		product := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
		floor, rest := new(big.Int).DivMod(product, big.NewInt(c), new(big.Int)) // Euclidean: ⌊⌋ for c > 0
		if abs := new(big.Int).Abs(floor); abs.BitLen() > 61 {
			return
		}
		require.Equal(t, floor.Int64(), codecs.MulDiv(a, b, c))
		ceil := floor.Int64()
		if rest.Sign() > 0 {
			ceil++
		}
		require.Equal(t, ceil, codecs.MulDivCeil(a, b, c))
		if b <= math.MaxInt64/2 {
			rounded := floor.Int64()
			if new(big.Int).Lsh(rest, 1).Cmp(big.NewInt(c)) >= 0 {
				rounded++
			}
			require.Equal(t, rounded, codecs.MulDivRound(a, b, c))
		}
	})
}
