package live

import "sync"

// Mode is how much of the low-latency protocol a media playlist speaks.
type Mode uint8

// The modes.
const (
	Full       Mode = iota // with low-latency tags
	Delta                  // likewise, older segments skipped: _HLS_skip=YES (RFC 8216bis §6.2.5.1)
	DeltaDates             // likewise, older date ranges skipped, too: _HLS_skip=v2
	Plain                  // without low-latency tags
	modes
)

// Form is a form of a media playlist.
type Form struct {
	Mode    Mode
	DVR     bool // as far back as there is media, rather than the live window
	IFrames bool // of one picture per segment, for trick play
}

// forms is how many there are.
const forms = 4 * int(modes)

func (f Form) index() int {
	i := int(f.Mode)
	if f.DVR {
		i += int(modes)
	}
	if f.IFrames {
		i += 2 * int(modes)
	}
	return i
}

// listsParts reports whether the form changes with every part, not only with every segment.
func (f Form) listsParts() bool { return f.Mode != Plain && !f.IFrames }

// Text is a rendered playlist. Its bytes are shared: they must not be written.
type Text struct {
	Plain []byte
	Tag   string // changes when Plain does; of characters that an entity tag may have (RFC 9110 §8.8.3)

	coded *coded
}

// coded is a text compressed, each way once, when it is first asked for.
type coded struct {
	pages []placed
	crc   uint32

	gzipOnce, zstdOnce sync.Once
	gzip, zstd         []byte
}

// Gzip returns the text as gzip (RFC 1952).
func (t Text) Gzip() []byte {
	c := t.coded
	c.gzipOnce.Do(func() { c.gzip = gzipped(t.Plain, c.pages, c.crc) })
	return c.gzip
}

// Zstd returns the text as zstd (RFC 8878): one frame, with a window that RFC 9659 allows.
func (t Text) Zstd() []byte {
	c := t.coded
	c.zstdOnce.Do(func() { c.zstd = zstdOf(t.Plain) })
	return c.zstd
}

// renderings are all forms of a playlist, each rendered at most once, when it is first asked for.
type renderings [forms]rendering

type rendering struct {
	once sync.Once
	text Text
}

func (r *rendering) get(render func() Text) Text {
	r.once.Do(func() { r.text = render() })
	return r.text
}
