package codecs

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Rational is a positive fraction, used for frame rates in pictures per second. The zero value means unknown.
type Rational struct {
	Num int64 `json:"num"`
	Den int64 `json:"den"`
}

// NewRational returns num/den in lowest terms.
func NewRational(num, den int64) Rational {
	g := gcd(num, den)
	if g == 0 {
		return Rational{}
	}
	return Rational{num / g, den / g}
}

// ParseRational reads "25", "29.97", "30000/1001" or "12.5".
// The NTSC decimals (23.976, 29.97, 59.94, 119.88) mean their exact fractions over 1001.
func ParseRational(s string) (Rational, error) {
	num, den, isFraction := strings.Cut(s, "/")
	if isFraction {
		n, errN := strconv.ParseInt(num, 10, 32)
		d, errD := strconv.ParseInt(den, 10, 32)
		if errN != nil || errD != nil || n <= 0 || d <= 0 {
			return Rational{}, fmt.Errorf("frame rate %q: want a positive fraction such as 30000/1001", s)
		}
		return NewRational(n, d), nil
	}
	switch s {
	case "23.976", "23.98":
		return Rational{24000, 1001}, nil
	case "29.97":
		return Rational{30000, 1001}, nil
	case "59.94":
		return Rational{60000, 1001}, nil
	case "119.88":
		return Rational{120000, 1001}, nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || f < 0.001 || f > 1000 {
		return Rational{}, fmt.Errorf("frame rate %q: want a number such as 25, 29.97 or 30000/1001", s)
	}
	return NewRational(int64(f*1000+0.5), 1000), nil
}

// Valid reports whether r is a positive fraction.
func (r Rational) Valid() bool { return r.Num > 0 && r.Den > 0 }

// Float returns r as a floating point number, 0 when unknown.
func (r Rational) Float() float64 {
	if !r.Valid() {
		return 0
	}
	return float64(r.Num) / float64(r.Den)
}

// String returns "25" or "30000/1001".
func (r Rational) String() string {
	if r.Den == 1 {
		return strconv.FormatInt(r.Num, 10)
	}
	return fmt.Sprintf("%d/%d", r.Num, r.Den)
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
