package live

import (
	"bytes"
	"compress/gzip"
	"sync"
)

// Form is a form of a media playlist.
type Form uint8

// The forms.
const (
	Full  Form = iota // with low-latency tags
	Delta             // likewise, older segments skipped (RFC 8216bis §6.2.5.1)
	Plain             // without low-latency tags
	forms
)

// Text is a rendered playlist. Its bytes are shared: they must not be written.
type Text struct {
	Plain, Gzip []byte
}

// rendering renders at most once, when it is first asked for.
type rendering struct {
	once sync.Once
	text Text
}

func (r *rendering) get(render func() []byte) Text {
	r.once.Do(func() { r.text = compressed(render()) })
	return r.text
}

func compressed(plain []byte) Text {
	var buf bytes.Buffer
	// A bytes.Buffer takes every write, so these can not fail.
	zip, _ := gzip.NewWriterLevel(&buf, gzip.BestSpeed)
	_, _ = zip.Write(plain)
	_ = zip.Close()
	return Text{Plain: plain, Gzip: buf.Bytes()}
}
