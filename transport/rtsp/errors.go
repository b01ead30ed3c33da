package rtsp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"

	"github.com/venuecast/venuecast/pipeline/ingest"
)

// SessionError says why a session with a camera ended, in one line with what to do, without a password.
type SessionError struct {
	Camera string // name of the camera, as configured
	Reason string
	err    error
}

func (e *SessionError) Error() string { return fmt.Sprintf("camera %s: %s", e.Camera, e.Reason) }

// Unwrap returns what the network or the library said. Its text may hold a password.
func (e *SessionError) Unwrap() error { return e.err }

// Is reports whether the camera refused user or password.
func (e *SessionError) Is(target error) bool {
	var status liberrors.ErrClientBadStatusCode
	return target == ingest.ErrCredentials && errors.As(e.err, &status) && status.Code == base.StatusUnauthorized
}

var advice = map[base.StatusCode]string{
	base.StatusUnauthorized:         "401 Unauthorized: check user and password",
	base.StatusForbidden:            "403 Forbidden: the camera does not let this user or address watch",
	base.StatusNotFound:             "404 Not Found: check the path of the URL",
	base.StatusNotEnoughBandwidth:   "453 Not Enough Bandwidth: the camera serves as many viewers as it can",
	base.StatusServiceUnavailable:   "503 Service Unavailable: the camera is busy or starting",
	base.StatusUnsupportedTransport: "461 Unsupported Transport: set the transport to udp, or to auto",
}

// reason turns what ended a session into a line for a person. timeout is how long was waited.
func reason(err error, timeout time.Duration) string {
	var status liberrors.ErrClientBadStatusCode
	var tooLong net.Error
	var dns *net.DNSError
	var address *net.AddrError
	var sdp liberrors.ErrClientSDPInvalid
	switch {
	case errors.As(err, &status):
		if line, ok := advice[status.Code]; ok {
			return line
		}
		return fmt.Sprintf("answered %d %s", status.Code, oneLine(status.Message))
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused: check address and port, and that RTSP is switched on"
	case errors.As(err, &dns):
		return "host name not found: check the URL and the DNS"
	case errors.As(err, &address): // its text quotes what may be half a password
		return "host or port of the URL is not valid: write special characters as %XX"
	case isSilence(err):
		return fmt.Sprintf("sent nothing for %v: check camera and network", timeout)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &tooLong) && tooLong.Timeout(),
		isType[liberrors.ErrClientRequestTimedOut](err):
		return fmt.Sprintf("no answer within %v: check address, cabling and firewall", timeout)
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "closed the connection"
	case errors.As(err, &sdp):
		return "its session description cannot be read: " + oneLine(sdp.Err.Error())
	}
	return oneLine(err.Error())
}

func isSilence(err error) bool {
	return isType[liberrors.ErrClientTCPTimeout](err) || isType[liberrors.ErrClientUDPTimeout](err)
}

// refusesTCP reports whether the camera wants to send over UDP only.
func refusesTCP(err error) bool {
	var status liberrors.ErrClientBadStatusCode
	return errors.As(err, &status) && status.Code == base.StatusUnsupportedTransport ||
		isType[liberrors.ErrClientServerRequestedUDP](err)
}

func isType[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}

// oneLine makes text from outside fit for a log: one line, at most 200 bytes, printable.
func oneLine(text string) string {
	text = strings.ToValidUTF8(text, "?")
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
	if len(text) > 200 {
		text = strings.ToValidUTF8(text[:200], "") + "…"
	}
	return text
}

// hide takes secrets out of text. What is shorter than three bytes hides nothing but would garble the text.
func hide(text string, secrets []string) string {
	for _, s := range secrets {
		if len(s) > 2 {
			text = strings.ReplaceAll(text, s, redacted)
		}
	}
	return text
}
