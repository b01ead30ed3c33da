// Package configs reads the configuration file: YAML in, checked structs with every default filled in out.
//
// Every mistake is reported with its place in the file and with what would be right, all of them at once.
// Passwords and tokens are never printed: see Secret and URL.
package configs

import "github.com/venuecast/venuecast/pipeline/ladder"

// Config is a whole configuration. Load fills in the defaults named here.
type Config struct {
	File    string            // where it was read from
	Venue   string            // names the site in logs and metrics. It defaults to "venue"
	Data    string            // folder of the embedded NATS and of the origin's DVR. It defaults to ./data
	NATS    NATS              //
	Origin  Origin            //
	Metrics Metrics           //
	Log     Log               //
	Worker  Worker            //
	Feeds   []Feed            // in the order of the file
	Ladders map[string]Ladder // by name; "hd" is always there
}

// NATS says where the bus is.
type NATS struct {
	URL      URL // one or more, comma-separated. It defaults to none: the server is embedded
	Replicas int // of each feed's stream: 1, 3 or 5. It defaults to 1
}

// Origin is the HTTP server that players and workers talk to.
type Origin struct {
	Listen    string // host:port. It defaults to 127.0.0.1:8080
	PushToken Secret // what a worker shows to put media. It defaults to none: serve makes one at start
	URL       URL    // where workers put media. It defaults to none: the origin of the same process
	TLS       TLS    // of Listen. It defaults to none: plain HTTP
	Disk      Disk   // what the origin keeps below Config.Data
}

// Disk bounds what the origin keeps. All are in bytes.
type Disk struct {
	DVR   int64 // of all feeds together; then the oldest go. It defaults to 0: what the file system holds but for Free
	Clips int64 // of all clips; then none is made any more. It defaults to 64 GB
	Free  int64 // that stay free on the file system; else the oldest of the DVR go. It defaults to 0: a twentieth of it, at most 5 GB
}

// TLS says how a server proves who it is.
type TLS struct {
	Cert, Key  string // PEM files; replaced ones are taken without a restart
	SelfSigned bool   // instead of files: a certificate is made at start, for trials
}

// IsZero reports whether there is to be no TLS.
func (t TLS) IsZero() bool { return t == TLS{} }

// Metrics is the HTTP server of /metrics, /healthz and /debug/pprof.
type Metrics struct {
	Listen string // host:port. It defaults to 127.0.0.1:9090
}

// Log says what is logged, on standard error.
type Log struct {
	Level  string // debug, info, warn or error. It defaults to info
	Format string // text or json. It defaults to text
}

// Worker is the transcoding role of this machine.
type Worker struct {
	Name     string // unique in the venue. It defaults to the machine's host name
	Capacity int64  // pixels of x264 veryfast per second that it can encode. It defaults to 0: it is measured at start
	Hardware string // what decodes, scales and encodes besides the processor: auto: a card that opens; never: nothing. It defaults to auto
}

// Feed is one camera and the ladder it becomes.
type Feed struct {
	ID        string // names its stream, its paths and its metrics
	Source    URL    // rtsp:// or rtsps://
	Transport string // of the media: tcp, udp, or auto (UDP, and TCP when nothing comes). It defaults to tcp
	Ladder    string // a key of Config.Ladders. It defaults to hd
	Priority  int    // -100 to 100: when a worker is overloaded, feeds of lower priority give way first. It defaults to 0
	Standby   string // what an ingest does while another takes the feed in: cold: nothing; warm: it is connected, too. It defaults to cold
}

// Ladder is a named set of renditions.
type Ladder struct {
	Name       string
	Renditions ladder.Ladder // as configured: widths are resolved when the source is known
}

// Pipeline returns the ladder in the pipeline's words.
func (l Ladder) Pipeline() ladder.Ladder { return l.Renditions }
