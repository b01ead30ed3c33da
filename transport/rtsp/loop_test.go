package rtsp

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/ingest"
)

// wall is the camera's clock when its RTP time is 0: an hour behind, so that it cannot be mistaken for this host's.
var wall = time.Now().Add(-time.Hour).Truncate(time.Millisecond)

func aacFormat() codecs.Format {
	return codecs.Format{Codec: codecs.AAC, SampleRate: 48000, Channels: 2, Config: unhex("1190")}
}

func camera(t *testing.T, o ServerOptions) *Server {
	if o.Tracks == nil {
		o.Tracks = []ServerTrack{{Format: codecs.Format{Codec: codecs.H264}, ParameterSets: [][]byte{sps360, pps}}, {Format: aacFormat()}}
	}
	s, err := NewServer(o)
	require.NoError(t, err)
	start(t, s.Run)
	start(t, func(ctx context.Context) error { return film(ctx, s, o.Tracks) })
	return s
}

// film sends 25 pictures a second, faster than real time, a random access picture each fifth, and audio frames beside them.
func film(ctx context.Context, s *Server, tracks []ServerTrack) error {
	key, rest := annexB(sps360, pps, idr), annexB(slice)
	if tracks[0].Format.Codec == codecs.H265 {
		key, rest = annexB(vps265, sps265, pps265, idr265), annexB(tra265)
	}
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for n := uint32(0); ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		data, at := rest, wall.Add(time.Duration(n)*40*time.Millisecond)
		if n%5 == 0 {
			data = key
		}
		err := s.Write(0, codecs.AccessUnit{Data: data}, n*3600, at)
		if err == nil && len(tracks) > 1 {
			clock := uint32(tracks[1].Format.SampleRate)
			err = s.Write(1, codecs.AccessUnit{Data: filled(300)}, n*clock/25, at)
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
}

func source(t *testing.T, o SourceOptions) *Source {
	if o.Name == "" {
		o.Name = "court-1"
	}
	s, err := NewSource(o)
	require.NoError(t, err)
	return s
}

func TestWhatTheCameraSendsArrives(t *testing.T) {
	for _, transport := range []string{TCP, UDP, Auto} {
		t.Run(transport, func(t *testing.T) {
			cam, sink := camera(t, ServerOptions{}), newRecorder()
			session := start(t, func(ctx context.Context) error {
				return source(t, SourceOptions{URL: cam.URL(), Transport: transport}).Run(ctx, sink)
			})
			sink.wait(t, "units with NTP", func() bool { return count(sink.of(0), hasNTP) > 10 && count(sink.of(1), hasNTP) > 10 })
			session.cancel()
			require.ErrorIs(t, session.end(t), context.Canceled)

			require.Equal(t, [][]ingest.Track{{
				{Format: codecs.Format{Codec: codecs.H264}, ClockRate: 90000, Picture: ingest.Picture{Width: 640, Height: 360, FrameRate: codecs.Rational{Num: 25, Den: 1}, Depth: 8}},
				{Format: aacFormat(), ClockRate: 48000},
			}}, sink.begun)
			require.Zero(t, sink.lostOf(0)+sink.lostOf(1))
			for i, u := range sink.of(0) {
				requirePicture(t, u)
				if i > 0 {
					require.Equal(t, sink.of(0)[i-1].RTP+3600, u.RTP)
				}
			}
			for _, u := range sink.of(1) {
				require.Equal(t, filled(300), u.Data)
				requireNTP(t, u, 48000)
			}
		})
	}
}

func count(units []ingest.Unit, is func(ingest.Unit) bool) (n int) {
	for _, u := range units {
		if is(u) {
			n++
		}
	}
	return n
}

func hasNTP(u ingest.Unit) bool { return !u.NTP.IsZero() }

func requirePicture(t *testing.T, u ingest.Unit) {
	require.Equal(t, u.RTP/3600%5 == 0, u.RandomAccess)
	require.WithinDuration(t, time.Now(), u.Arrival, patience)
	requireNTP(t, u, 90000)
	if u.RandomAccess {
		require.Equal(t, annexB(sps360, pps, idr), u.Data)
		require.Equal(t, 360, u.Picture.Height)
		return
	}
	require.Equal(t, annexB(slice), u.Data)
	require.Zero(t, u.Picture)
}

func requireNTP(t *testing.T, u ingest.Unit, clock int64) {
	if hasNTP(u) {
		want := wall.Add(time.Duration(codecs.MulDiv(int64(u.RTP), int64(time.Second), clock)))
		require.WithinDuration(t, want, u.NTP, time.Millisecond)
	}
}

func TestOtherCodecsArrive(t *testing.T) {
	for _, audio := range []codecs.Format{
		{Codec: codecs.PCMA, SampleRate: 8000, Channels: 1},
		{Codec: codecs.PCMU, SampleRate: 16000, Channels: 2},
		{Codec: codecs.G722, SampleRate: 16000, Channels: 1},
		{Codec: codecs.Opus, SampleRate: 48000, Channels: 2},
		{Codec: codecs.L16, SampleRate: 44100, Channels: 1},
	} {
		t.Run(audio.Codec.String(), func(t *testing.T) {
			cam := camera(t, ServerOptions{Tracks: []ServerTrack{{Format: codecs.Format{Codec: codecs.H265}}, {Format: audio}}})
			sink := newRecorder()
			start(t, func(ctx context.Context) error { return source(t, SourceOptions{URL: cam.URL()}).Run(ctx, sink) })
			sink.wait(t, "video and audio", func() bool {
				return count(sink.of(0), func(u ingest.Unit) bool { return u.RandomAccess }) > 1 && len(sink.of(1)) > 1
			})
			require.Equal(t, codecs.H265, sink.begun[0][0].Format.Codec)
			require.Zero(t, sink.begun[0][0].Picture, "the description has no parameter sets")
			require.Equal(t, audio, sink.begun[0][1].Format)
			require.Equal(t, filled(300), sink.of(1)[0].Data)
		})
	}
}

func TestAuthentication(t *testing.T) {
	cam := camera(t, ServerOptions{User: "venue", Password: "s3c:r@t/1#"})
	host := cam.Addr().String()
	t.Run("right", func(t *testing.T) {
		sink := newRecorder()
		start(t, func(ctx context.Context) error { return source(t, SourceOptions{URL: cam.URL()}).Run(ctx, sink) })
		sink.wait(t, "a picture", func() bool { return len(sink.of(0)) > 0 })
	})
	for name, login := range map[string]string{"wrong password": "venue:wr0ng@", "wrong user": "guest:wr0ng@", "none": ""} {
		t.Run(name, func(t *testing.T) {
			err := source(t, SourceOptions{URL: "rtsp://" + login + host + "/camera"}).Run(t.Context(), newRecorder())
			require.EqualError(t, err, "camera court-1: 401 Unauthorized: check user and password")
			require.ErrorIs(t, err, ingest.ErrCredentials)
		})
	}
}

func TestErrorsOfConnectingAreClear(t *testing.T) {
	cam := camera(t, ServerOptions{})
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	for url, want := range map[string]string{
		"rtsp://" + cam.Addr().String() + "/other":        "camera court-1: 404 Not Found: check the path of the URL",
		"rtsp://u:s3cret@" + closed.Addr().String() + "/": "camera court-1: connection refused: check address and port, and that RTSP is switched on",
	} {
		err := source(t, SourceOptions{URL: url}).Run(t.Context(), newRecorder())
		require.EqualError(t, err, want)
		var e *SessionError
		require.ErrorAs(t, err, &e)
	}
}

func TestDroppedConnectionEndsTheSessionAndTheNextBegins(t *testing.T) {
	for _, transport := range []string{TCP, UDP} {
		t.Run(transport, func(t *testing.T) {
			cam, sink := camera(t, ServerOptions{}), newRecorder()
			src := source(t, SourceOptions{URL: cam.URL(), Transport: transport})
			for round := 1; round <= 3; round++ {
				session := start(t, func(ctx context.Context) error { return src.Run(ctx, sink) })
				before := len(sink.of(0))
				sink.wait(t, "pictures", func() bool { return len(sink.of(0)) > before+5 })
				cam.Disconnect()
				require.EqualError(t, session.end(t), "camera court-1: closed the connection")
				require.Len(t, sink.begun, round)
			}
		})
	}
}

func TestNoCallsAfterRunHasReturned(t *testing.T) {
	cam, sink := camera(t, ServerOptions{}), newRecorder()
	session := start(t, func(ctx context.Context) error { return source(t, SourceOptions{URL: cam.URL()}).Run(ctx, sink) })
	sink.wait(t, "a picture", func() bool { return len(sink.of(0)) > 0 })
	session.cancel()
	_ = session.end(t)
	units := len(sink.of(0)) + len(sink.of(1))
	other := newRecorder() // time passes while another reader gets pictures
	start(t, func(ctx context.Context) error { return source(t, SourceOptions{URL: cam.URL()}).Run(ctx, other) })
	other.wait(t, "pictures", func() bool { return len(other.of(0)) > 5 })
	require.Equal(t, units, len(sink.of(0))+len(sink.of(1)))
}

func TestManyReaders(t *testing.T) {
	cam := camera(t, ServerOptions{})
	for range 4 {
		sink := newRecorder()
		start(t, func(ctx context.Context) error { return source(t, SourceOptions{URL: cam.URL()}).Run(ctx, sink) })
		sink.wait(t, "a picture", func() bool { return len(sink.of(0)) > 0 })
	}
	require.Equal(t, 4, cam.Readers())
}

func TestPanicEndsTheSessionNotTheProcess(t *testing.T) {
	cam, sink := camera(t, ServerOptions{}), newRecorder()
	sink.onUnit = func(ingest.Unit) { panic("depacketizer") }
	err := source(t, SourceOptions{URL: cam.URL()}).Run(t.Context(), sink)
	require.EqualError(t, err, "camera court-1: sent a packet that cannot be read: depacketizer")
}

func TestSessionWithoutPicturesEnds(t *testing.T) {
	s, err := NewServer(ServerOptions{Tracks: []ServerTrack{{Format: codecs.Format{Codec: codecs.H264}}}})
	require.NoError(t, err)
	start(t, s.Run)
	err = source(t, SourceOptions{URL: s.URL(), PictureTimeout: 50 * time.Millisecond}).Run(t.Context(), newRecorder())
	require.EqualError(t, err, "camera court-1: sent no picture for 50ms: check the camera's encoder")
}

func TestCancelWhileConnecting(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts, never answers
	require.NoError(t, err)
	defer silent.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the feed was removed")
	session := start(t, func(context.Context) error {
		return source(t, SourceOptions{URL: "rtsp://" + silent.Addr().String() + "/"}).Run(ctx, newRecorder())
	})
	conn, err := silent.Accept()
	require.NoError(t, err)
	defer conn.Close()
	cancel(why)
	require.ErrorIs(t, session.end(t), why)
}

func TestSilentCameraTimesOut(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	err = source(t, SourceOptions{URL: "rtsp://" + silent.Addr().String() + "/", Timeout: 50 * time.Millisecond}).Run(t.Context(), newRecorder())
	require.EqualError(t, err, "camera court-1: no answer within 50ms: check address, cabling and firewall")
}

func TestServerRefusesBadOptions(t *testing.T) {
	for name, o := range map[string]ServerOptions{
		"no tracks":     {},
		"unknown codec": {Tracks: []ServerTrack{{Format: codecs.Format{Codec: 99}}}},
		"AAC config":    {Tracks: []ServerTrack{{Format: codecs.Format{Codec: codecs.AAC}}}},
		"address":       {Listen: "nowhere:-1", Tracks: []ServerTrack{{Format: codecs.Format{Codec: codecs.H264}}}},
	} {
		_, err := NewServer(o)
		require.Error(t, err, name)
	}
}

func TestWriteWithoutReadersIsDropped(t *testing.T) {
	s, err := NewServer(ServerOptions{Tracks: []ServerTrack{{Format: codecs.Format{Codec: codecs.H264}}}})
	require.NoError(t, err)
	require.NoError(t, s.Write(0, codecs.AccessUnit{Data: annexB(idr)}, 0, wall))
	session := start(t, s.Run)
	session.cancel()
	require.NoError(t, session.end(t))
	require.NoError(t, s.Write(0, codecs.AccessUnit{Data: annexB(idr)}, 0, wall))
}
