package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/venuecast/venuecast/pipeline"
)

const (
	configBucket  = "config"
	assignBucket  = "assign"
	configHistory = 10
	assignHistory = 5
	maxValue      = 1 << 20
	// relistInterval: a watch can go silent for long without an error when a node of the cluster dies.
	relistInterval = 5 * time.Second
	// operationHeader makes a message of a bucket a delete marker.
	operationHeader = "KV-Operation"
)

// Registry keeps what is known about feeds: their constants in one bucket, who works on them in another.
// Its methods may be called by several goroutines. Every request has a time limit.
type Registry struct {
	conn   *Conn
	config jetstream.KeyValue
	assign jetstream.KeyValue
	now    func() time.Time
}

// OpenRegistry opens the registry, making its buckets if they do not exist. now defaults to time.Now.
// While a cluster elects its leaders it keeps trying until ctx ends.
func (c *Conn) OpenRegistry(ctx context.Context, now func() time.Time) (*Registry, error) {
	if now == nil {
		now = time.Now
	}
	r := &Registry{conn: c, now: now}
	var err error
	if r.config, err = c.bucket(ctx, configBucket, configHistory); err != nil {
		return nil, err
	}
	if r.assign, err = c.bucket(ctx, assignBucket, assignHistory); err != nil {
		return nil, err
	}
	return r, nil
}

func (c *Conn) bucket(ctx context.Context, name string, history uint8) (jetstream.KeyValue, error) {
	var kv jetstream.KeyValue
	err := c.persist(ctx, "bucket "+name, func(ctx context.Context) (err error) {
		kv, err = c.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
			Bucket: name, History: history, MaxValueSize: maxValue, Storage: jetstream.FileStorage, Replicas: c.replicas,
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("opening bucket %s: %w", name, err)
	}
	return kv, nil
}

// value is what a key holds. Revision 0: there never was such a key.
type value struct {
	data     []byte // nil if the key is absent or deleted
	former   []byte // of a deleted key: what its delete marker kept
	revision uint64
}

// get reads a key from the bucket's leader.
func (r *Registry) get(ctx context.Context, bucket, key string) (value, error) {
	if !pipeline.ValidID(key) {
		return value{}, fmt.Errorf("feed id %q is not valid", key)
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	m, err := r.conn.lastMessage(ctx, "KV_"+bucket, "$KV."+bucket+"."+key)
	switch {
	case errors.Is(err, ErrNotFound):
		return value{}, nil
	case err != nil:
		return value{}, fmt.Errorf("reading key %s of bucket %s: %w", key, bucket, err)
	}
	return valueOf(m.header(), m.Data, m.Seq), nil
}

// valueOf returns what the newest message of a key says.
func valueOf(h nats.Header, data []byte, seq uint64) value {
	if h.Get(operationHeader) != "" { // a delete marker
		return value{former: data, revision: seq}
	}
	return value{data: data, revision: seq}
}

// swap writes a key if its revision is still the expected one, and returns the new one.
// pipeline.ErrFenced means that it is not.
func swap(ctx context.Context, kv jetstream.KeyValue, key string, v any, expected uint64) (uint64, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return 0, fmt.Errorf("writing key %s of bucket %s: %w", key, kv.Bucket(), err)
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	revision, err := kv.Update(ctx, key, body, expected)
	if isWrongLastSequence(err) {
		err = pipeline.ErrFenced
	}
	if err != nil {
		return 0, fmt.Errorf("writing key %s of bucket %s: %w", key, kv.Bucket(), err)
	}
	return revision, nil
}
