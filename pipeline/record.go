package pipeline

import "github.com/venuecast/venuecast/codecs"

// Record is one message of a feed on the bus. Exactly one of Bundle, Absence and Claim is set.
type Record struct {
	Epoch uint64 // of the ingest session that wrote it: a later writer has a higher one
	Seq   uint64 // place in the feed's stream; assigned by the bus, from 1, without holes

	Bundle  *codecs.Bundle
	Absence *Absence
	Claim   bool // a writer has begun: records of lower epochs do not follow
}

// Absence says that the source is away: frames From up to, not including, To have no picture and no sound.
// So repeats and slate are a function of bus bytes, too.
type Absence struct {
	From, To int64 // frame numbers on the feed's grid
}
