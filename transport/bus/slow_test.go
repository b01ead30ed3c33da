package bus

import (
	"bytes"
	"log/slog"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
)

// notes keeps what is logged.
type notes struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (n *notes) Write(b []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(b)
}

func (n *notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.String()
}

// A worker that fills a rendition, or opens encoders, takes nothing for a while. What is said meanwhile has a bound, and the
// rest comes from the stream.
func TestAReaderThatIsNotAskedForAWhileMissesNothing(t *testing.T) {
	server := startEmbedded(t, EmbeddedOptions{})
	w := startWriter(t, connect(t, Options{Embedded: server}), WriterOptions{})
	publish(t, w, 0, 1)
	w.stored(t)
	said := &notes{}
	c, err := Connect(limited(t), Options{Embedded: server, Name: "reader", Logger: slog.New(slog.NewTextHandler(said, nil))})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	r := startReader(t, c, window+1)
	expectPictures(t, r, 0, 1)
	before := c.nc.Stats().InMsgs

	const most = 2 * liveBuffer
	publish(t, w, 1, 1+most)
	w.stored(t)
	until(t, "the records", func() bool { return c.nc.Stats().InMsgs >= before+most })
	until(t, "all that there is room for", func() bool { return len(r.live.messages) == liveBuffer })
	expectPictures(t, r, 1, 1+most)
	require.Zero(t, r.Lag())
	require.Empty(t, said.String())
}

func TestWhatWaitsToBeLookedAtIsBoundedInBytes(t *testing.T) {
	o, large := newOverheard(), &nats.Msg{Data: make([]byte, liveBytes/2)}
	for range 5 {
		o.put(large)
	}
	require.Len(t, o.messages, 2)
	o.taken(<-o.messages)
	o.put(large)
	o.put(large)
	require.Len(t, o.messages, 2)
	require.Equal(t, int64(liveBytes), o.bytes.Load())
}

func TestWhatIsHeldBehindAHoleIsBounded(t *testing.T) {
	h, large, small := held{}, &nats.Msg{Data: make([]byte, liveBytes/2)}, &nats.Msg{}
	for seq := range uint64(5) {
		h.keep(seq, large)
		h.keep(seq, large)
	}
	require.Len(t, h.messages, 2)
	require.NotNil(t, h.take(1))
	require.Nil(t, h.take(1))
	for seq := range uint64(2 * maxHeld) {
		h.keep(seq, small)
	}
	require.Len(t, h.messages, maxHeld)
	require.Equal(t, liveBytes/2, h.bytes)
}
