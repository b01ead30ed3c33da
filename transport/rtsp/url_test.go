package rtsp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"
	"github.com/stretchr/testify/require"
)

func TestRedactURLHidesEverySecret(t *testing.T) {
	for raw, want := range map[string]string{
		"rtsp://cam:554/a":                      "rtsp://cam:554/a",
		"rtsp://user:s3cret@cam/a":              "rtsp://user:xxxxx@cam/a",
		"rtsp://user@cam/a":                     "rtsp://user@cam/a",
		"rtsp://cam/a?user=u&password=s3cret":   "rtsp://cam/a?user=xxxxx&password=xxxxx",
		"rtsp://u:s%40cret@cam/a?channel=1&sub": "rtsp://u:xxxxx@cam/a?channel=xxxxx&sub",
		"rtsp://user:s3 cret@[::1":              "rtsp://user:xxxxx@[::1",
		"rtsp://user:s3#cr/e?t@cam/a":           "rtsp://user:xxxxx@cam/a",
		"rtsp://user:s3@cr/et@cam/a?b=c#d":      "rtsp://user:xxxxx@cam/a?b=xxxxx",
		"user:s3cret@cam/a":                     "(not a URL)",
	} {
		require.Equal(t, want, RedactURL(raw))
	}
}

func FuzzRedactURLHidesThePassword(f *testing.F) {
	f.Add("s3cret", "q")
	f.Add("a@b:c/d", "")
	f.Add("%zz", "x=y")
	f.Add(":#", "")
	f.Fuzz(func(t *testing.T, password, query string) {
		secret := "SECRET" + password
		got := RedactURL("rtsp://user:" + secret + "@cam/path?" + query)
		if !strings.ContainsAny(query, "@") && !strings.Contains(query, "SECRET") {
			require.NotContains(t, got, "SECRET")
		}
	})
}

func TestNewSourceRefusesBadOptionsWithoutTellingThePassword(t *testing.T) {
	for name, o := range map[string]SourceOptions{
		"no URL":           {},
		"other scheme":     {URL: "http://user:s3cret@cam/"},
		"no host":          {URL: "rtsp:///a"},
		"broken":           {URL: "rtsp://user:s3cret@[::1"},
		"other transport":  {URL: "rtsp://user:s3cret@cam/", Transport: "carrier pigeon"},
		"unescaped":        {URL: "rtsp://user:s3cret%zz@cam/"},
		"unescaped #":      {URL: "rtsp://user:s3cret#@cam/"},
		"control bytes":    {URL: "rtsp://user:s3cret\x00@cam/"},
		"port not numeric": {URL: "rtsp://user:s3cret@cam:port/"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewSource(o)
			require.Error(t, err)
			require.NotContains(t, err.Error(), "s3cret")
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestReasonsSayWhatToDo(t *testing.T) {
	for want, err := range map[string]error{
		"401 Unauthorized: check user and password":                                liberrors.ErrClientBadStatusCode{Code: 401},
		"404 Not Found: check the path of the URL":                                 fmt.Errorf("describing: %w", liberrors.ErrClientBadStatusCode{Code: 404}),
		"answered 455 Method Not Valid":                                            liberrors.ErrClientBadStatusCode{Code: 455, Message: "Method\nNot Valid"},
		"connection refused: check address and port, and that RTSP is switched on": &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED},
		"host name not found: check the URL and the DNS":                           &net.DNSError{Name: "cam", IsNotFound: true},
		"no answer within 3s: check address, cabling and firewall":                 context.DeadlineExceeded,
		"sent nothing for 3s: check camera and network":                            liberrors.ErrClientTCPTimeout{},
		"host or port of the URL is not valid: write special characters as %XX":    &net.AddrError{Err: "too many colons", Addr: "user:s3cret:"},
		"closed the connection":                                                    fmt.Errorf("reading: %w", io.EOF),
		"its session description cannot be read: no media":                         liberrors.ErrClientSDPInvalid{Err: errors.New("no media")},
		"invalid session header: two lines":                                        liberrors.ErrClientSessionHeaderInvalid{Err: errors.New("two\nlines")},
		"461 Unsupported Transport: set the transport to udp, or to auto":          liberrors.ErrClientBadStatusCode{Code: 461},
		"453 Not Enough Bandwidth: the camera serves as many viewers as it can":    liberrors.ErrClientBadStatusCode{Code: 453},
		"403 Forbidden: the camera does not let this user or address watch":        liberrors.ErrClientBadStatusCode{Code: 403},
		"503 Service Unavailable: the camera is busy or starting":                  liberrors.ErrClientBadStatusCode{Code: 503},
	} {
		require.Equal(t, want, reason(err, 3*time.Second))
	}
}
