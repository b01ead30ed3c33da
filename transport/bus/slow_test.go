package bus

import (
	"bytes"
	"log/slog"
	"sync"
	"testing"

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

// A worker that fills a rendition, or opens encoders, takes nothing for a while. Meanwhile the server goes on telling the reader
// that it is there, and that takes no room from records.
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
	heard := func() uint64 { return c.nc.Stats().InMsgs }

	before := heard()
	const most = fetchMessages - 4 // of what the reader has asked for
	publish(t, w, 1, 1+most)
	until(t, "the records", func() bool { return heard() >= before+most })
	before = heard()
	until(t, "three signs of life", func() bool { return heard() >= before+3 })
	publish(t, w, 1+most, 1+2*fetchMessages)
	w.stored(t)
	expectPictures(t, r, 1, 1+2*fetchMessages)
	require.Empty(t, said.String())
}
