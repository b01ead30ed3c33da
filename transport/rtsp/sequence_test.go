package rtsp

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLossIsToldFromLatePacketsAndNewNumbers(t *testing.T) {
	for name, c := range map[string]struct {
		numbers []uint16
		lost    []uint64
	}{
		"none":                {[]uint16{1, 2, 3}, []uint64{0, 0, 0}},
		"wrap":                {[]uint16{65534, 65535, 0, 1}, []uint64{0, 0, 0, 0}},
		"three lost":          {[]uint16{10, 14, 15}, []uint64{0, 3, 0}},
		"lost over the wrap":  {[]uint16{65534, 1}, []uint64{0, 2}},
		"repeated":            {[]uint16{5, 5, 6}, []uint64{0, 0, 0}},
		"late":                {[]uint16{5, 7, 6, 8}, []uint64{0, 1, 0, 0}},
		"new numbers":         {[]uint16{40000, 100, 101}, []uint64{0, 1, 0}},
		"new numbers, higher": {[]uint16{100, 40000, 40001}, []uint64{0, 1, 0}},
		"always zero":         {[]uint16{0, 0, 0}, []uint64{0, 0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			var s sequence
			for i, n := range c.numbers {
				require.Equal(t, c.lost[i], s.lostBefore(n), "packet %d", i)
			}
		})
	}
}
