package live

import "slices"

// breaks is where a feed's media changes in a way that decoders must be told of. It is common to all renditions,
// because matching content must have matching Discontinuity Sequence Numbers (RFC 8216bis §6.2.4).
type breaks struct {
	gone int64   // how many lie before all that is kept
	at   []int64 // Media Sequence Numbers, ascending
}

func (b *breaks) add(msn int64) {
	if i, found := slices.BinarySearch(b.at, msn); !found {
		b.at = slices.Insert(b.at, i, msn)
	}
}

// of returns the place of a segment.
func (b *breaks) of(msn int64) discontinuity {
	i, here := slices.BinarySearch(b.at, msn)
	if here {
		i++
	}
	return discontinuity{sequence: b.gone + int64(i), here: here}
}

// forget drops the breaks before msn: nothing older is kept.
func (b *breaks) forget(msn int64) {
	i, _ := slices.BinarySearch(b.at, msn)
	b.at = slices.Delete(b.at, 0, i)
	b.gone += int64(i)
}

// restart counts one break after all others: what follows has nothing to do with what was.
func (b *breaks) restart() {
	b.gone += int64(len(b.at)) + 1
	b.at = nil
}
