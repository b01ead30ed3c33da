package metrics

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/venuecast/venuecast/pipeline"
)

// maxSnapshot bounds a snapshot in bytes. One feed's is about 20 KB.
const maxSnapshot = 4 << 20

// WriteSnapshot writes all metrics of g as one snapshot: its length in four bytes, big endian, then
// io.prometheus.client.MetricFamily messages, each with its length before it.
func WriteSnapshot(w io.Writer, g prometheus.Gatherer) error {
	families, err := g.Gather()
	if err != nil {
		return fmt.Errorf("gathering metrics: %w", err)
	}
	var body bytes.Buffer
	body.Write(make([]byte, 4))
	for _, f := range families {
		if _, err := protodelim.MarshalTo(&body, f); err != nil {
			return fmt.Errorf("encoding metric %s: %w", f.GetName(), err)
		}
	}
	size := body.Len() - 4
	if size > maxSnapshot {
		return fmt.Errorf("a snapshot of %d bytes: want at most %d", size, maxSnapshot)
	}
	binary.BigEndian.PutUint32(body.Bytes(), uint32(size))
	_, err = w.Write(body.Bytes())
	return err
}

// readSnapshot reads what WriteSnapshot has written. It returns io.EOF when r has ended before a snapshot.
func readSnapshot(r io.Reader) ([]*dto.MetricFamily, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(head[:])
	if size > maxSnapshot {
		return nil, fmt.Errorf("a snapshot of %d bytes: want at most %d", size, maxSnapshot)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, fmt.Errorf("reading a snapshot: %w", noEOF(err))
	}
	return decodeSnapshot(body)
}

func decodeSnapshot(body []byte) ([]*dto.MetricFamily, error) {
	var families []*dto.MetricFamily
	options := protodelim.UnmarshalOptions{MaxSize: maxSnapshot}
	for in := bytes.NewReader(body); in.Len() > 0; {
		f := &dto.MetricFamily{}
		if err := options.UnmarshalFrom(in, f); err != nil {
			return nil, fmt.Errorf("decoding a snapshot: %w", noEOF(err))
		}
		families = append(families, f)
	}
	return families, nil
}

// noEOF keeps a cut snapshot apart from an ended stream.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Reporter returns a stage that writes a snapshot of g to w at once and then every interval, and ends with the context.
// It fails when w does: the parent has gone.
func Reporter(w io.Writer, g prometheus.Gatherer, interval time.Duration) pipeline.Stage {
	return pipeline.Func("metrics", func(ctx context.Context) error {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			if err := WriteSnapshot(w, g); err != nil {
				return fmt.Errorf("reporting metrics to the parent process: %w", err)
			}
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	})
}
