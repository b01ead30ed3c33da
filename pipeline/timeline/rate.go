package timeline

import (
	"math"
	"slices"

	"github.com/venuecast/venuecast/codecs"
)

// standardRates are the frame rates that cameras have. A whole rate stands before its NTSC sibling.
var standardRates = []codecs.Rational{
	{Num: 5, Den: 1},
	{Num: 6, Den: 1},
	{Num: 8, Den: 1},
	{Num: 10, Den: 1},
	{Num: 12, Den: 1},
	{Num: 25, Den: 2},
	{Num: 15, Den: 1},
	{Num: 20, Den: 1},
	{Num: 24, Den: 1},
	{Num: 24000, Den: 1001},
	{Num: 25, Den: 1},
	{Num: 30, Den: 1},
	{Num: 30000, Den: 1001},
	{Num: 48, Den: 1},
	{Num: 50, Den: 1},
	{Num: 60, Den: 1},
	{Num: 60000, Den: 1001},
}

const (
	minTimes     = 20   // fewer presentation times tell no rate
	maxRateError = 0.01 // a rate further off than this is not a standard one
	maxJitter    = 0.25 // of a frame, root mean square
	minSteady    = 0.7  // of the steps between pictures are one frame
)

// EstimateRate returns the standard frame rate nearest to that of the given presentation times: 20 at least, in any
// order, some perhaps missing or doubled. It returns false if none is near, or the rate varies.
//
// The NTSC rates differ from whole ones by a thousandth. Where jitter hides that, the whole rate is returned;
// 100 times tell them apart if they are right to the millisecond.
func EstimateRate(pts []codecs.Ticks) (codecs.Rational, bool) {
	if len(pts) < minTimes {
		return codecs.Rational{}, false
	}
	frame, uncertainty, ok := fitFrames(slices.Clone(pts))
	if !ok {
		return codecs.Rational{}, false
	}
	best, least := codecs.Rational{}, math.Inf(1)
	for _, r := range standardRates {
		off := math.Abs(frame - codecs.TicksPerSecond/r.Float())
		if off+3*uncertainty < least {
			best, least = r, off
		}
	}
	return best, least*best.Float()/codecs.TicksPerSecond <= maxRateError
}

// fitFrames numbers the pictures by the median step between them and fits a line through their times.
// It returns the line's slope, in ticks per frame, and the slope's standard error.
func fitFrames(pts []codecs.Ticks) (frame, uncertainty float64, ok bool) {
	slices.Sort(pts)
	pts = slices.Compact(pts)
	if len(pts) < minTimes {
		return 0, 0, false
	}
	steps := make([]codecs.Ticks, len(pts)-1)
	for i := range steps {
		steps[i] = pts[i+1] - pts[i]
	}
	slices.Sort(steps)
	median := float64(steps[len(steps)/2])

	numbers, times := make([]float64, len(pts)), make([]float64, len(pts))
	steady := 0
	for i := 1; i < len(pts); i++ {
		step := math.Round(float64(pts[i]-pts[i-1]) / median)
		if step == 1 {
			steady++
		}
		numbers[i], times[i] = numbers[i-1]+step, float64(pts[i]-pts[0])
	}
	slope, residue, spread := regress(numbers, times)
	steadyEnough := float64(steady) >= minSteady*float64(len(pts)-1)
	return slope, residue / math.Sqrt(spread), steadyEnough && residue <= maxJitter*slope
}

// regress returns the slope of the least squares line of y over x, the root mean square distance from it, and the
// sum of squares of x about its mean.
func regress(x, y []float64) (slope, residue, spread float64) {
	n := float64(len(x))
	var meanX, meanY, xy, yy float64
	for i := range x {
		meanX, meanY = meanX+x[i]/n, meanY+y[i]/n
	}
	for i := range x {
		dx, dy := x[i]-meanX, y[i]-meanY
		spread, xy, yy = spread+dx*dx, xy+dx*dy, yy+dy*dy
	}
	slope = xy / spread
	return slope, math.Sqrt(max(yy-slope*xy, 0) / n), spread
}
