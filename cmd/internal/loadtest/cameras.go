package loadtest

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/transport/rtsp"
)

// Cameras plays one piece of media from several RTSP servers, each at another place of it, so that keyframes do not come all at
// once. Any number of readers of a server are as many cameras: a picture is packed once for all of them.
type Cameras struct {
	media   *Coded
	servers []*rtsp.Server
}

// NewCameras listens at each of these addresses. Run must be called, also to close the listeners.
func NewCameras(media *Coded, listen []string) (*Cameras, error) {
	c := &Cameras{media: media}
	for _, address := range listen {
		s, err := rtsp.NewServer(rtsp.ServerOptions{Listen: address, Tracks: media.Tracks})
		if err != nil {
			return nil, fmt.Errorf("cameras: %w", err)
		}
		c.servers = append(c.servers, s)
	}
	return c, nil
}

// Name implements pipeline.Stage.
func (c *Cameras) Name() string { return "cameras" }

// Run plays until the context ends.
func (c *Cameras) Run(ctx context.Context) error {
	var stages []pipeline.Stage
	for i, s := range c.servers {
		ahead := c.media.Length * codecs.Ticks(i) / codecs.Ticks(len(c.servers))
		stages = append(stages, pipeline.Func("server", s.Run), pipeline.Func("player", func(ctx context.Context) error {
			return c.play(ctx, s, codecs.TicksAt(time.Now())-ahead)
		}))
	}
	return pipeline.Run(ctx, stages...)
}

// play plays in real time, in a loop that begins at start. What lies in the past is left out.
func (c *Cameras) play(ctx context.Context, s *rtsp.Server, start codecs.Ticks) error {
	now := codecs.TicksAt(time.Now())
	for ; ; start += c.media.Length {
		for i := range c.media.Units {
			u := &c.media.Units[i]
			if start+u.DTS < now {
				continue
			}
			if !pause(ctx, time.Until((start + u.DTS).Time())) {
				return nil
			}
			pts := start + u.PTS
			rtp := uint32(codecs.MulDivRound(int64(pts), c.media.rate(u.Track), codecs.TicksPerSecond))
			if err := s.Write(u.Track, u.AccessUnit, rtp, pts.Time()); err != nil && ctx.Err() == nil {
				return fmt.Errorf("playing: %w", err)
			}
		}
	}
}

// CameraURL returns that of camera i of those that play at these addresses.
func CameraURL(listen []string, i int) string { return "rtsp://" + listen[i%len(listen)] + "/camera" }

// Addresses returns n unused ones of the loopback interface. Somebody else may take them before they are used.
func Addresses(ctx context.Context, n int) (unused []string, err error) {
	var taken []net.Listener // until all are known, so that they differ
	defer func() {
		for _, l := range taken {
			_ = l.Close() // nobody has connected
		}
	}()
	for range n {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("looking for a port: %w", err)
		}
		taken, unused = append(taken, l), append(unused, l.Addr().String())
	}
	return unused, nil
}
