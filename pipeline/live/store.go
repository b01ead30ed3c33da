package live

import (
	"io"
	"strconv"
	"strings"
)

// Store keeps named bytes over a restart: a directory, or a bucket. Names are relative paths of letters, digits,
// '-', '_', '.' and '/'. Its methods may be called by any goroutine.
//
// Finished segments and init sections are handed to it. All that is known of a segment stands in its name,
// so that writing one is one atomic step.
type Store interface {
	// List returns the complete objects whose names begin with prefix, in no certain order.
	List(prefix string) ([]Object, error)
	// Put writes pieces, one after another, under name: wholly or, on an error, not at all. Its error wraps ErrNoSpace when
	// there is no room for them.
	Put(name string, pieces ...[]byte) error
	// Open returns the bytes under name. Close must be called once. It fails with fs.ErrNotExist when there are none.
	Open(name string) (File, error)
	// Remove removes name. It is no error when it is not there.
	Remove(name string) error
}

// Volume is a Store that knows how much it can take. It may be asked once a second.
type Volume interface {
	Store
	// Space returns the bytes that can still be written, and those that there are in all. It fails when that is not known.
	Space() (free, size int64, err error)
}

// File is what a Store has opened. Only one goroutine may use it.
type File interface {
	io.ReadSeekCloser
	io.ReaderAt
}

// Object is something in a Store.
type Object struct {
	Name string
	Size int64 // in bytes
}

// storePath is the place of a rendition in the store: <feed>/<constants>/<rendition>/.
func (r *Rendition) storePath() string {
	return r.feed.id + "/" + r.view.key + "/" + r.name + "/"
}

func initName(path, version string) string { return path + "init-" + version + ".mp4" }

// isInit reports whether a name, without its path, is that of an init section.
func isInit(name string) bool { return strings.HasPrefix(name, "init-") }

// storeName returns the name of a segment in the store:
// <msn>-<duration>-<timescale>-<discontinuity sequence, c or d>-<init>-<crc>-<I-frame>.m4s
func (s *segment) storeName(path string) string {
	b := make([]byte, 0, len(path)+len(s.init)+80) // it is made for each request
	b = append(b, path...)
	for _, n := range [...]int64{s.msn, s.duration, s.timescale} {
		b = append(strconv.AppendInt(b, n, 10), '-')
	}
	b = append(strconv.AppendInt(b, s.start.sequence, 10), s.start.letter(), '-')
	b = append(append(b, s.init...), '-')
	b = append(appendCRC(b, s.crc), '-')
	return string(append(strconv.AppendInt(b, s.iframe, 10), ".m4s"...))
}

// appendCRC appends the eight digits of a CRC.
func appendCRC(b []byte, crc uint32) []byte {
	const digits = "0123456789abcdef"
	for shift := 28; shift >= 0; shift -= 4 {
		b = append(b, digits[crc>>shift&0xf])
	}
	return b
}

func (d discontinuity) letter() byte {
	if d.here {
		return 'd'
	}
	return 'c'
}

// parseName reads the name of a segment, without its path.
func parseName(name string) (*segment, bool) {
	fields := strings.Split(strings.TrimSuffix(name, ".m4s"), "-")
	if len(fields) != 7 || len(fields[3]) < 2 {
		return nil, false
	}
	sequence, letter := fields[3][:len(fields[3])-1], fields[3][len(fields[3])-1]
	var errs [6]error
	s := &segment{init: fields[4], start: discontinuity{here: letter == 'd'}}
	s.msn, errs[0] = strconv.ParseInt(fields[0], 10, 64)
	s.duration, errs[1] = strconv.ParseInt(fields[1], 10, 64)
	s.timescale, errs[2] = strconv.ParseInt(fields[2], 10, 64)
	s.start.sequence, errs[3] = strconv.ParseInt(sequence, 10, 64)
	crc, err := strconv.ParseUint(fields[5], 16, 32)
	s.crc, errs[4] = uint32(crc), err
	s.iframe, errs[5] = strconv.ParseInt(fields[6], 10, 64)
	for _, err := range errs {
		if err != nil {
			return nil, false
		}
	}
	sane := s.msn >= 0 && s.msn <= maxMSN && s.duration > 0 && s.timescale > 0 && s.timescale <= maxTimescale &&
		s.start.sequence >= 0 && s.iframe >= 0
	// What does not read back as it was written is not ours.
	return s, sane && s.storeName("") == name
}
