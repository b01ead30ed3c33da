package rtsp

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
)

// scripted is a camera that answers as a test wants, for what no sane server does.
type scripted struct {
	listener net.Listener
	answer   func(method string, header textproto.MIMEHeader) string // status line and headers without CSeq, blank line, body

	mu         sync.Mutex
	transports []string // that SETUP asked for
}

func script(t *testing.T, answer func(method string, header textproto.MIMEHeader) string) *scripted {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &scripted{listener: listener, answer: answer}
	run := start(t, func(context.Context) error {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return nil //nolint:nilerr // the test has ended it
			}
			s.serve(conn)
		}
	})
	t.Cleanup(func() { listener.Close(); _ = run.end(t) })
	return s
}

// serve answers one connection until the script, or the client, closes it.
func (s *scripted) serve(conn net.Conn) {
	defer conn.Close()
	in := textproto.NewReader(bufio.NewReader(conn))
	for {
		line, err := in.ReadLine()
		if err != nil {
			return
		}
		header, err := in.ReadMIMEHeader()
		if err != nil {
			return
		}
		method, _, _ := strings.Cut(line, " ")
		if method == "SETUP" {
			s.mu.Lock()
			s.transports = append(s.transports, header.Get("Transport"))
			s.mu.Unlock()
		}
		reply := s.answer(method, header)
		if reply == "" {
			return
		}
		status, rest, _ := strings.Cut(reply, "\r\n")
		fmt.Fprintf(conn, "RTSP/1.0 %s\r\nCSeq: %s\r\n%s", status, header.Get("CSeq"), rest)
	}
}

func (s *scripted) run(t *testing.T, o SourceOptions, sink *recorder) error {
	o.URL = "rtsp://venue:s3cret@" + s.listener.Addr().String() + "/"
	return source(t, o).Run(t.Context(), sink)
}

// described answers DESCRIBE with sdp, takes every SETUP, and hangs up after PLAY.
func described(sdp string) func(string, textproto.MIMEHeader) string {
	return func(method string, header textproto.MIMEHeader) string {
		switch method {
		case "DESCRIBE":
			return fmt.Sprintf("200 OK\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", len(sdp), sdp)
		case "SETUP":
			return "200 OK\r\nTransport: " + header.Get("Transport") + "\r\nSession: 1\r\n\r\n"
		case "OPTIONS":
			return "200 OK\r\nPublic: DESCRIBE, SETUP, PLAY\r\n\r\n"
		}
		return ""
	}
}

func TestEveryQuirkyDescriptionBegins(t *testing.T) {
	for _, q := range quirks {
		t.Run(q.name, func(t *testing.T) {
			sink := newRecorder()
			err := script(t, described(q.sdp)).run(t, SourceOptions{}, sink)
			require.Error(t, err)
			require.NotContains(t, err.Error(), "\n")
			if !strings.Contains(string(SanitizeSDP([]byte(q.sdp))), "m=video") {
				require.Empty(t, sink.begun)
				return
			}
			require.EqualError(t, err, "camera court-1: closed the connection")
			require.Len(t, sink.begun, 1)
			require.Equal(t, codecs.Video, sink.begun[0][0].Format.Codec.Kind())
		})
	}
}

func TestNoUsableVideoIsSaidWithWhatThereIs(t *testing.T) {
	for want, sdp := range map[string]string{
		"no supported video track (found: video JPEG/90000, audio PCMA/8000): set the camera to H.264 or H.265": sdpHead + "m=video 0 RTP/AVP 26\r\n" + goodAudio,
		"no supported video track (found: audio PCMA/8000): set the camera to H.264 or H.265":                   sdpHead + goodAudio,
		"no usable track in its session description (left out: m=video 0 RTP/AVP x:":                            sdpHead + "m=video 0 RTP/AVP x\r\n",
	} {
		err := script(t, described(sdp)).run(t, SourceOptions{}, newRecorder())
		require.ErrorContains(t, err, "camera court-1: "+want)
	}
}

func TestBackChannelsAndMetadataAreNotSetUp(t *testing.T) {
	sdp := sdpHead + "m=audio 0 RTP/AVP 0\r\na=control:talk\r\na=sendonly\r\n" +
		"m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\na=control:meta\r\n" +
		goodVideo + "a=recvonly\r\n" + goodAudio + "a=recvonly\r\n" +
		strings.Replace(goodVideo, "trackID=0", "trackID=2", 1)
	sink := newRecorder()
	camera := script(t, described(sdp))
	require.Error(t, camera.run(t, SourceOptions{}, sink))
	require.Len(t, camera.transports, 2)
	require.Equal(t, codecs.H264, sink.begun[0][0].Format.Codec)
	require.Equal(t, codecs.PCMA, sink.begun[0][1].Format.Codec)
}

func TestAutoGoesToUDPWhenTheCameraRefusesTCP(t *testing.T) {
	plain := described(sdpHead + goodVideo)
	refuse := func(method string, header textproto.MIMEHeader) string {
		switch {
		case method == "SETUP" && strings.Contains(header.Get("Transport"), "TCP"):
			return "461 Unsupported Transport\r\n\r\n"
		case method == "SETUP":
			return "453 Not Enough Bandwidth\r\n\r\n"
		}
		return plain(method, header)
	}
	auto := script(t, refuse)
	require.ErrorContains(t, auto.run(t, SourceOptions{Transport: Auto}, newRecorder()), "453 Not Enough Bandwidth")
	require.Len(t, auto.transports, 2)
	require.NotContains(t, auto.transports[1], "TCP")

	only := script(t, refuse)
	require.EqualError(t, only.run(t, SourceOptions{Transport: TCP}, newRecorder()),
		"camera court-1: 461 Unsupported Transport: set the transport to udp, or to auto")
	require.Len(t, only.transports, 1)
}

func TestWhatACameraEchoesHidesThePassword(t *testing.T) {
	camera := script(t, func(string, textproto.MIMEHeader) string {
		return "455 no such rtsp://venue:s3cret@here\r\n\r\n"
	})
	err := camera.run(t, SourceOptions{}, newRecorder())
	require.EqualError(t, err, "camera court-1: answered 455 no such rtsp://venue:xxxxx@here")
}

func TestDescriptionWithoutContentTypeIsTaken(t *testing.T) {
	sdp := sdpHead + goodVideo
	plain := described(sdp)
	sink := newRecorder()
	err := script(t, func(method string, header textproto.MIMEHeader) string {
		return strings.Replace(plain(method, header), "Content-Type: application/sdp\r\n", "", 1)
	}).run(t, SourceOptions{}, sink)
	require.EqualError(t, err, "camera court-1: closed the connection")
	require.Len(t, sink.begun, 1)
}

func TestRepairsAreCounted(t *testing.T) {
	counted := map[string]int{}
	o := SourceOptions{OnRepair: func(reason string) { counted[reason]++ }}
	require.Error(t, script(t, described(quirks[1].sdp)).run(t, o, newRecorder()))
	require.Equal(t, map[string]int{RepairSDP: 1}, counted)
}
