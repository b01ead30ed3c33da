package rtsp

import (
	"strings"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"
)

// handler answers the requests of readers. The library finds its methods by interface.
type handler struct{ s *Server }

var (
	_ gortsplib.ServerHandlerOnConnOpen     = (*handler)(nil)
	_ gortsplib.ServerHandlerOnConnClose    = (*handler)(nil)
	_ gortsplib.ServerHandlerOnSessionOpen  = (*handler)(nil)
	_ gortsplib.ServerHandlerOnSessionClose = (*handler)(nil)
	_ gortsplib.ServerHandlerOnDescribe     = (*handler)(nil)
	_ gortsplib.ServerHandlerOnSetup        = (*handler)(nil)
	_ gortsplib.ServerHandlerOnPlay         = (*handler)(nil)

	_ gortsplib.ServerHandlerOnStreamWriteError = (*handler)(nil)
)

// OnConnOpen is called for a new connection.
func (h *handler) OnConnOpen(c *gortsplib.ServerHandlerOnConnOpenCtx) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	h.s.conns[c.Conn] = struct{}{}
}

// OnConnClose is called when a connection has ended.
func (h *handler) OnConnClose(c *gortsplib.ServerHandlerOnConnCloseCtx) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	delete(h.s.conns, c.Conn)
}

// OnSessionOpen is called for a new session, which with UDP may outlive its connection.
func (h *handler) OnSessionOpen(c *gortsplib.ServerHandlerOnSessionOpenCtx) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	h.s.sessions[c.Session] = struct{}{}
}

// OnSessionClose is called when a session has ended.
func (h *handler) OnSessionClose(c *gortsplib.ServerHandlerOnSessionCloseCtx) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	delete(h.s.sessions, c.Session)
}

// OnDescribe answers DESCRIBE.
func (h *handler) OnDescribe(c *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return h.admit(c.Conn, c.Request, c.Path)
}

// OnSetup answers SETUP.
func (h *handler) OnSetup(c *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return h.admit(c.Conn, c.Request, c.Path)
}

// OnPlay answers PLAY.
func (h *handler) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// OnStreamWriteError is called when a reader is too slow and loses packets.
func (h *handler) OnStreamWriteError(c *gortsplib.ServerHandlerOnStreamWriteErrorCtx) {
	h.s.options.Logger.Warn("reader of the test camera loses packets", "error", c.Error)
}

func (h *handler) admit(c *gortsplib.ServerConn, r *base.Request, path string) (*base.Response, *gortsplib.ServerStream, error) {
	o := h.s.options
	if o.User != "" && !c.VerifyCredentials(r, o.User, o.Password) {
		return &base.Response{StatusCode: base.StatusUnauthorized}, nil, liberrors.ErrServerAuth{}
	}
	h.s.mu.Lock()
	stream := h.s.stream
	h.s.mu.Unlock()
	if stream == nil || strings.Trim(path, "/") != o.Path {
		return &base.Response{StatusCode: base.StatusNotFound}, nil, nil
	}
	return &base.Response{StatusCode: base.StatusOK}, stream, nil
}
