package ingest

import (
	"context"
	"time"

	"github.com/venuecast/venuecast/codecs"
)

// Source is a camera.
type Source interface {
	// Run makes one session: it connects, delivers to s and returns when the session has ended.
	// It never returns nil; after the end of ctx it returns the cause of that. It does not reconnect.
	// An error is one line that says what to do, and holds no password.
	Run(ctx context.Context, s Sink) error
}

// Sink takes what a session delivers. Its methods must not block: the caller also keeps the session alive.
// Begin comes first, once. Calls for one track come in order; different tracks may call at the same time.
// After Run has returned there are no more calls.
type Sink interface {
	// Begin names the tracks of the session; a track's number is its index. At most one is video, at most one audio.
	Begin(tracks []Track)
	// Unit takes one picture or audio frame. The sink may keep it.
	Unit(u Unit)
	// Lost says that data of a track is missing before the next unit: pictures may be damaged until the next
	// random access unit. Packets is a hint, at least 1: a camera that starts its numbers anew looks like a loss.
	Lost(track int, packets uint64)
}

// Track is what is known of a track when a session begins.
type Track struct {
	Format    codecs.Format // SampleRate and Channels are 0 where only the frames say (MPEG audio)
	ClockRate int           // of Unit.RTP, in Hz
	Picture   Picture       // zero for audio, and where the session description has no parameter sets
}

// Picture is what parameter sets say of the pictures that follow them.
type Picture struct {
	Width, Height int             // in pixels, after cropping
	FrameRate     codecs.Rational // zero if unknown
	Depth         int             // bits per luma sample; 0 if unknown
	Colour        codecs.Colour   // zero if not said
}

// Unit is one access unit as it came in. Nothing is repaired: its times may jump, repeat and go back.
type Unit struct {
	Track        int
	RTP          uint32    // time of the sampling, wraps (RFC 3550 §5.1)
	Arrival      time.Time // of its first packet, by the clock of this host
	NTP          time.Time // of RTP by the camera's clock and its sender reports; zero before the first report
	RandomAccess bool      // decodable without earlier units; true for all audio
	Picture      Picture   // of a random access picture; else zero
	Data         []byte    // video: Annex B, parameter sets before each random access picture; audio: one frame
}
