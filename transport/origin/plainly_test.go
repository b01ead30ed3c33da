package origin

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheSameHeaderFieldsAreReadOnce(t *testing.T) {
	var p plainly
	const request = "GET /live/hall/540p/1000.m4s?x=1 HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n"
	name, length, ok := p.read([]byte(request + request))
	require.True(t, ok)
	require.Equal(t, len(request), length)
	require.Equal(t, plainRequest{feed: "hall", rendition: "540p", file: parseFile("1000.m4s")}, name)
	sent := []byte(strings.Replace(request, "1000", "1001", 1))
	require.LessOrEqual(t, testing.AllocsPerRun(10, func() {
		_, _, ok = p.read(sent)
	}), 1.0, "a number")
	require.True(t, ok)
	_, _, ok = p.read(sent[:len(sent)-1])
	require.False(t, ok, "not all there")
}

// What is taken for a plain request net/http takes for the same, and for as long.
func FuzzPlainRequestsAreWhatNetHTTPReads(f *testing.F) {
	const line = "GET /live/hall/540p/1000.m4s HTTP/1.1\r\n"
	for _, request := range []string{
		line + "Host: x\r\n\r\n", line + "Host: x:80\r\nConnection: keep-alive\r\n\r\nGET /", line + "Host: x\r\nContent-Length: 0\r\n\r\n",
		line + "Host: x\r\nTransfer-Encoding: chunked\r\n\r\n", line + "Host: x\r\n y\r\n\r\n", line + "host:x\r\nHOST:y\r\n\r\n",
		"GET /live/hall/540p/1000.m4s?a#b HTTP/1.1\r\nHost: [::1]:80\r\nCookie: a=b\r\n\r\n", "GET /live//540p/1.m4s HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /live/hall/540p/index.m3u8?_HLS_msn=1000&_HLS_part=1 HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br, gzip;q=0.5\r\n\r\n",
		"GET /live/hall/540p/index.m3u8?a?b#c HTTP/1.1\r\nHost: x\r\n\r\n", "GET /live/hall/540p/1000.1.m4s HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /live/hall/540p/iframes.m3u8 HTTP/1.1\r\nHost: x\r\n\r\n", line + "Host: x\nX: y\r\n\r\n", line + "\r\n\r\n", line + "Host: x\r\nRange:\r\n\r\n",
	} {
		f.Add([]byte(request), []byte(line+"Host: x\r\n\r\n"))
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var p plainly
		for _, sent := range [][]byte{first, second, append(bytes.Clone(first), second...)} {
			name, length, ok := p.read(sent)
			if !ok {
				continue
			}
			from := bytes.NewReader(sent)
			buffered := bufio.NewReader(from)
			req, err := http.ReadRequest(buffered)
			require.NoError(t, err)
			require.Equal(t, len(sent)-length, from.Len()+buffered.Buffered())
			folder := "/live/" + name.feed + "/" + name.rendition + "/"
			require.True(t, strings.HasPrefix(req.URL.Path, folder))
			require.Equal(t, parseFile(req.URL.Path[len(folder):]), name.file)
			if name.file.kind == playlistFile {
				require.Equal(t, req.URL.RawQuery, name.query)
				require.Equal(t, codingOf(req.Header), p.coding)
			}
			require.True(t, ordinary(req))
			require.NotEmpty(t, req.Host)
		}
	})
}
