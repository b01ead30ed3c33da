package bus

import (
	"cmp"
	"hash/fnv"
	"slices"
)

// Rank returns the workers in the order in which they should take a feed: by rendezvous hash, so that every process
// finds the same order, feeds are spread evenly, and one worker's coming or going moves only its own feeds.
func Rank(feed string, workers []string) []string {
	ranked := slices.Clone(workers)
	slices.SortFunc(ranked, func(a, b string) int {
		// The name decides between equal weights.
		return cmp.Or(cmp.Compare(weight(feed, b), weight(feed, a)), cmp.Compare(a, b))
	})
	return slices.Compact(ranked)
}

func weight(feed, worker string) uint64 {
	h := fnv.New64a()
	// Writing to a hash never fails. The zero byte keeps "a"+"bc" and "ab"+"c" apart.
	_, _ = h.Write([]byte(feed + "\x00" + worker))
	// FNV leaves the high bits of short, similar names alike; this is the finalizer of MurmurHash3.
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
