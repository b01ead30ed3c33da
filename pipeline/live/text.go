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
	Plain, Gzip []byte
	Tag         string // a weak entity tag (RFC 9110 §8.8.3)
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
