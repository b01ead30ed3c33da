package live

import (
	"log/slog"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
)

// Options says how much of each feed is kept. The zero value is good.
type Options struct {
	// Segments is the least number of segments a live playlist lists. It defaults to 6.
	Segments int
	// Window is the least length of a live playlist. It defaults to 30 s, and is never less than 3 target durations.
	Window time.Duration
	// Store keeps finished segments for the feed's DVR and over a restart.
	// Without one, the DVR is as long as the live window whatever the feed's ladder says. With one, only the newest segments stay
	// in memory once they are stored.
	Store Store
	// PreferStore has segments that are stored come from the store even while they are in memory: a file goes to a socket
	// without being copied through this process. What can not be opened comes from memory.
	PreferStore bool
	// StoreBytes bounds the segments and thumbnails of all feeds in the store; the oldest go first, whichever feed's they are,
	// but not those that live playlists list. It defaults to 16 TiB.
	StoreBytes int64
	// StoreFree is how many bytes of the store's file system are left free, if the Store is a Volume: then the oldest go as
	// well. It defaults to a twentieth of the file system, and 5 GB at most.
	StoreFree int64
	// StoreRemoved is called when segments were removed. Reasons: age, bytes, space, and feed: their feed is gone, or has other
	// constants.
	StoreRemoved func(feed, reason string, segments int)
	// StoreQueue bounds the bytes that wait for the store; a segment that finds it full is not stored.
	// It defaults to 256 MiB.
	StoreQueue int64
	// Keep is how long what a feed has recorded stays when nothing more comes. It defaults to 24 h, and is never less than
	// the DVR of the feed's ladder.
	Keep time.Duration
	// StoreFailed is called for each segment that could not be stored or removed. Reasons: full, write, remove, read.
	StoreFailed func(feed, reason string)
	// MaxFeeds bounds the number of feeds. It defaults to 1000, as many as a configuration may have.
	MaxFeeds int
	// OnDemand says that demand is reported to the workers: renditions of a ladder that are encoded on demand are listed
	// whether they are made or not. Without it they are like all others, and workers are to make them always.
	OnDemand bool
	// Demanded, if not nil, is called when a rendition on demand begins to be asked for, or more of it than before.
	// It must not block.
	Demanded func(feed, rendition string, cold bool)
	// ColdStart, if not nil, is called when the first segment of a rendition that nobody had asked for is there, with
	// the time since the first request. It must not block, nor call back.
	ColdStart func(feed, rendition string, after time.Duration)
	// Logger tells of store failures, at most once a minute. It defaults to slog.Default().
	Logger *slog.Logger
	// Now is the clock. It defaults to time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	defaultTo(&o.Segments, 6)
	defaultTo(&o.Window, 30*time.Second)
	defaultTo(&o.StoreBytes, 16<<40)
	defaultTo(&o.StoreQueue, 256<<20)
	defaultTo(&o.Keep, 24*time.Hour)
	defaultTo(&o.MaxFeeds, 1000)
	if o.StoreFailed == nil {
		o.StoreFailed = func(string, string) {}
	}
	if o.StoreRemoved == nil {
		o.StoreRemoved = func(string, string, int) {}
	}
	if o.Demanded == nil {
		o.Demanded = func(string, string, bool) {}
	}
	if o.ColdStart == nil {
		o.ColdStart = func(string, string, time.Duration) {}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

func defaultTo[T int | int64 | time.Duration](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}

// maxListed bounds the segments of one playlist: about a day of them. What is older can be reached piece by piece.
const maxListed = 45_000

// window is the number of segments in a live playlist, and in one that reaches back into the store.
func (o Options) window(feed pipeline.Feed) (live, listed int64) {
	step := feed.Grid.Step()
	target := time.Duration(feed.TargetDuration()) * time.Second
	// A playlist shorter than three target durations can trigger playback stalls (RFC 8216bis §6.2.2).
	live = max(int64(o.Segments), segmentsIn(max(o.Window, 3*target), step))
	if o.Store == nil {
		return live, live
	}
	return live, max(live, segmentsIn(feed.Ladder.DVR, step))
}

func segmentsIn(span, step time.Duration) int64 { return codecs.CeilDiv(int64(span), int64(step)) }
