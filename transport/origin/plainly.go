package origin

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
)

// plainly reads the plainest of requests for live playlists, parts and segments:
//
//	GET /live/<feed>/<rendition>/index.m3u8 HTTP/1.1
//	GET /live/<feed>/<rendition>/<msn>.<part>.m4s HTTP/1.1
//	GET /live/<feed>/<rendition>/<msn>.m4s HTTP/1.1
//
// perhaps with a query, which means nothing but for playlists, and with header fields that ask for nothing special. What these are
// net/http's own parser says, once: a client sends the same ones each time, so those that were read before need not be read again.
type plainly struct {
	fields []byte       // with the empty line at the end
	coding string       // that the client reads, see codingOf
	last   plainRequest // its names mostly are those of the next
}

// plainRequest is what such a request asks for.
type plainRequest struct {
	feed, rendition string
	file            file
	query           string // of a playlist
}

// read reads the request that sent begins with, and returns its length. ok is false if it is not all there, or not of the plainest.
func (p *plainly) read(sent []byte) (asked plainRequest, length int, ok bool) {
	line, fields, ok := bytes.Cut(sent, []byte("\r\n"))
	if !ok {
		return asked, 0, false
	}
	if asked, ok = p.requestLine(line); !ok || !p.known(fields) && !p.learn(fields) {
		return asked, 0, false
	}
	p.last = asked
	return asked, len(line) + 2 + len(p.fields), true
}

func (p *plainly) known(fields []byte) bool {
	return len(p.fields) > 0 && bytes.HasPrefix(fields, p.fields)
}

// learn has net/http look at header fields, and knows them from then on if they ask for nothing special.
func (p *plainly) learn(fields []byte) bool {
	p.fields = nil
	end := bytes.Index(fields, []byte("\r\n\r\n"))
	if end < 0 || !printable(fields[:end]) {
		return false
	}
	fields = fields[:end+4]
	whole := append([]byte("GET / HTTP/1.1\r\n"), fields...)
	req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(whole)))
	if err != nil || !plainHost(req.Host) || !plainNames(req.Header) || !ordinary(req) {
		return false
	}
	p.fields, p.coding = bytes.Clone(fields), codingOf(req.Header)
	return true
}

// printable reports whether there is nothing but visible ASCII and spaces, in lines that end as they should.
func printable(b []byte) bool {
	for i, c := range b {
		switch {
		case c == '\r' && (i+1 == len(b) || b[i+1] != '\n'), c == '\n' && (i == 0 || b[i-1] != '\r'):
			return false
		case c != '\r' && c != '\n' && (c < ' ' || c > '~'):
			return false
		}
	}
	return true
}

// plainHost reports whether a host is a name or an address, perhaps with a port.
func plainHost(host string) bool { return alphanumeric(host, "-._:[]") }

// plainNames reports whether header fields have the names that header fields have. http.ReadRequest lets spaces pass.
func plainNames(h http.Header) bool {
	for name := range h {
		if !alphanumeric(name, "-_") {
			return false
		}
	}
	return true
}

// alphanumeric reports whether a word has letters, digits and some others only.
func alphanumeric(word, others string) bool {
	for _, c := range []byte(word) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return word != ""
}

var (
	methodAndRoot = []byte("GET /live/")
	version       = []byte(" HTTP/1.1")
)

// requestLine reads the first line of a request.
func (p *plainly) requestLine(line []byte) (asked plainRequest, ok bool) {
	target, ok := bytes.CutPrefix(line, methodAndRoot)
	if !ok {
		return asked, false
	}
	if target, ok = bytes.CutSuffix(target, version); !ok || !visible(target) {
		return asked, false
	}
	path, query, _ := bytes.Cut(target, []byte("?"))
	feed, path, _ := bytes.Cut(path, []byte("/"))
	rendition, last, _ := bytes.Cut(path, []byte("/"))
	if bytes.IndexByte(feed, '%') >= 0 || bytes.IndexByte(rendition, '%') >= 0 {
		return asked, false
	}
	f := parseFile(string(last))
	asked = plainRequest{file: file{kind: f.kind, place: f.place}}
	asked.feed, asked.rendition = again(p.last.feed, feed), again(p.last.rendition, rendition)
	switch f.kind {
	case playlistFile:
		if bytes.IndexByte(query, '#') >= 0 {
			return asked, false
		}
		asked.query = string(query)
		return asked, true
	case segmentFile, partFile:
		return asked, true
	}
	return asked, false
}

// again returns a word, the same as before if it is.
func again(before string, word []byte) string {
	if before == string(word) {
		return before
	}
	return string(word)
}

// visible reports whether there is nothing but visible ASCII.
func visible(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}
