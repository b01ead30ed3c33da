package bus

import "context"

const ingestBucket = "ingest"

// Ingests returns a registry of the same feeds whose assignments say who takes them in, not who transcodes them.
func (r *Registry) Ingests(ctx context.Context) (*Registry, error) {
	ingests := *r
	var err error
	ingests.assign, err = r.conn.bucket(ctx, ingestBucket, assignHistory)
	return &ingests, err
}
