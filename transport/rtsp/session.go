package rtsp

import (
	"context"
	"fmt"
	"net"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"
	"github.com/pion/rtp"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/ingest"
)

// session is one connection to a camera.
type session struct {
	source *Source
	sink   ingest.Sink
	client *gortsplib.Client

	err         error // why play returned
	dropped     []string
	fail        context.CancelCauseFunc
	lastPicture atomic.Int64 // Unix nanoseconds; 0 before PLAY
}

// udpBuffer holds some 100 ms of a 100 Mbit/s stream. The kernel may give less.
const udpBuffer = 2 << 20

func newSession(s *Source, sink ingest.Sink, protocol gortsplib.Protocol) *session {
	x := &session{source: s, sink: sink}
	x.client = &gortsplib.Client{
		Scheme:        s.url.Scheme,
		Host:          s.url.Host,
		Protocol:      &protocol,
		ReadTimeout:   s.options.Timeout,
		WriteTimeout:  s.options.Timeout,
		TLSConfig:     s.options.TLS,
		UserAgent:     "venuecast",
		ListenPacket:  listenUDP,
		OnResponse:    x.onResponse,
		OnPacketsLost: func(uint64) {}, // counted by track
		OnDecodeError: x.badPacket,
	}
	return x
}

func listenUDP(network, address string) (net.PacketConn, error) {
	conn, err := net.ListenPacket(network, address)
	if udp, ok := conn.(*net.UDPConn); ok {
		// Without a larger buffer a random access picture overflows it, which shows as loss.
		_ = udp.SetReadBuffer(udpBuffer)
	}
	return conn, err
}

// run connects and delivers until the session ends, and says why it did.
func (x *session) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	x.fail = cancel
	if err := x.client.Start(); err != nil {
		return err
	}
	// The error is in x.err, without the name of the stage.
	_ = pipeline.Run(ctx, pipeline.Func("play", x.play), pipeline.Func("watch", x.watch))
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return x.err
}

func (x *session) play(context.Context) error {
	x.err = x.converse()
	return x.err
}

// converse goes through DESCRIBE, SETUP and PLAY, and waits for the end of the session. It never returns nil.
func (x *session) converse() error {
	d, _, err := x.client.Describe(x.source.url)
	if isType[liberrors.ErrClientSDPInvalid](err) && len(x.dropped) > 0 {
		return fmt.Errorf("no usable track in its session description (left out: %s)", strings.Join(x.dropped, "; "))
	}
	if err != nil {
		return err
	}
	tracks, err := chooseTracks(d)
	if err != nil {
		return err
	}
	var infos []ingest.Track
	for _, t := range tracks {
		if _, err := x.client.Setup(d.BaseURL, t.media, 0, 0); err != nil {
			return err
		}
		x.connect(t)
		infos = append(infos, t.info)
	}
	x.sink.Begin(infos)
	x.lastPicture.Store(x.source.options.Now().UnixNano())
	if _, err := x.client.Play(nil); err != nil {
		return err
	}
	return x.client.Wait()
}

// connect leads the packets of a track to the sink.
func (x *session) connect(t *track) {
	t.lost = func(packets uint64) { x.sink.Lost(t.index, packets) }
	t.emit = func(u ingest.Unit) {
		if t.video != nil {
			x.lastPicture.Store(u.Arrival.UnixNano())
		}
		u.Track = t.index
		u.NTP = x.ntp(t, u.RTP)
		x.sink.Unit(u)
	}
	x.client.OnPacketRTP(t.media, t.format, func(p *rtp.Packet) {
		defer x.recovered()
		if err := t.packet(p, x.source.options.Now()); err != nil {
			x.badPacket(err)
		}
	})
}

// ntp returns the camera's clock at an RTP time, by its last sender report.
func (x *session) ntp(t *track, at uint32) time.Time {
	// The library reckons with the clock of the AAC core; with band replication that is not the clock of the track.
	if t.format.ClockRate() != t.info.ClockRate {
		return time.Time{}
	}
	ntp, ok := x.client.PacketNTP(t.media, &rtp.Packet{Header: rtp.Header{PayloadType: t.format.PayloadType(), Timestamp: at}})
	if !ok || ntp.Unix() < 0 { // a report without a wall clock has zero, which is the year 1900 (RFC 3550 §6.4.1)
		return time.Time{}
	}
	return ntp
}

// watch closes the client when the session is over, and ends a session without pictures.
func (x *session) watch(ctx context.Context) error {
	defer x.client.Close()
	limit := x.source.options.PictureTimeout
	ticker := time.NewTicker(limit/4 + 1)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			last := x.lastPicture.Load()
			if last != 0 && x.source.options.Now().Sub(time.Unix(0, last)) > limit {
				x.fail(fmt.Errorf("sent no picture for %v: check the camera's encoder", limit))
				return nil
			}
		}
	}
}

// recovered turns a panic in a depacketizer into the end of the session: it must not end the process.
func (x *session) recovered() {
	if r := recover(); r != nil {
		o := x.source.options
		o.Logger.Error("panic while reading a camera", "camera", o.Name, "panic", r, "stack", string(debug.Stack()))
		x.fail(fmt.Errorf("sent a packet that cannot be read: %v", r))
	}
}

// badPacket counts what could not be read. Cameras with broken RTCP send good video all the same.
func (x *session) badPacket(err error) {
	x.source.options.OnRepair(RepairPacket)
	x.source.options.Logger.Debug("unreadable packet", "camera", x.source.options.Name, "error", oneLine(err.Error()))
}

// onResponse mends a session description before the library reads it.
func (x *session) onResponse(r *base.Response) {
	if r.StatusCode != base.StatusOK || len(r.Body) == 0 || !isSDP(r) {
		return
	}
	r.Header["Content-Type"] = base.HeaderValue{"application/sdp"}
	r.Body, x.dropped = sanitizeSDP(r.Body)
	for _, line := range x.dropped {
		x.source.options.OnRepair(RepairSDP)
		x.source.options.Logger.Warn("left out of the session description", "camera", x.source.options.Name, "media", line)
	}
}

// isSDP also takes a body without a type that begins as a session description must (RFC 8866 §5.1).
func isSDP(r *base.Response) bool {
	kind := r.Header["Content-Type"]
	if len(kind) == 0 {
		return strings.HasPrefix(string(r.Body), "v=")
	}
	return strings.HasPrefix(strings.ToLower(kind[0]), "application/sdp")
}
