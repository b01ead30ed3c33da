package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/venuecast/venuecast/pipeline"
)

// Assignment says who works on a feed, and where a successor resumes. Its fields change by compare-and-swap only.
type Assignment struct {
	Owner string `json:"o"` // the worker; empty: nobody yet
	Epoch uint64 `json:"e"` // grows with every takeover; the origin takes parts of the highest only
	Seq   uint64 `json:"s"` // the record to resume at: a random access picture
	MSN   int64  `json:"m"` // the next segment; the origin has every rendition of those before it

	Revision uint64 `json:"-"` // what a change must be based on; 0: nobody has had the feed yet
}

// Assignment returns who works on a feed, the zero value if nobody has yet.
func (r *Registry) Assignment(ctx context.Context, feed string) (Assignment, error) {
	v, err := r.get(ctx, r.assign.Bucket(), feed)
	if err != nil {
		return Assignment{}, err
	}
	return v.assignment(feed)
}

// assignment reads a value of the assignments' bucket. Its Owner is empty when the key is absent or deleted.
func (v value) assignment(feed string) (Assignment, error) {
	if v.data == nil {
		return Assignment{Revision: v.revision}, nil
	}
	a, err := readAssignment(feed, v.data)
	a.Revision = v.revision
	return a, err
}

func readAssignment(feed string, data []byte) (Assignment, error) {
	var a Assignment
	if err := json.Unmarshal(data, &a); err != nil {
		return Assignment{}, fmt.Errorf("reading the assignment of feed %s: %w", feed, err)
	}
	return a, nil
}

// TakeOver makes me the owner of a feed, with a new epoch, and returns the assignment with the place to resume at.
// expected is the revision that me has decided on; pipeline.ErrFenced means that another was faster.
func (r *Registry) TakeOver(ctx context.Context, feed, me string, expected uint64) (Assignment, error) {
	if !pipeline.ValidID(me) {
		return Assignment{}, fmt.Errorf("worker name %q is not valid", me)
	}
	a, err := r.Assignment(ctx, feed)
	if err != nil {
		return Assignment{}, err
	}
	if a.Revision != expected {
		return Assignment{}, fmt.Errorf("taking over feed %s: %w", feed, pipeline.ErrFenced)
	}
	// Milliseconds keep the epoch growing even when the bucket is lost.
	a.Owner, a.Epoch = me, max(a.Epoch+1, uint64(max(r.now().UnixMilli(), 0)))
	return r.put(ctx, feed, a)
}

// Release makes nobody the owner of a feed that is me's by the claim with that epoch. pipeline.ErrFenced means that another
// has taken over.
func (r *Registry) Release(ctx context.Context, feed, me string, epoch uint64) error {
	for {
		a, err := r.Assignment(ctx, feed)
		if err != nil {
			return err
		}
		if a.Owner != me || a.Epoch != epoch {
			return fmt.Errorf("releasing feed %s: %w", feed, pipeline.ErrFenced)
		}
		a.Owner = ""
		if _, err = r.put(ctx, feed, a); !errors.Is(err, pipeline.ErrFenced) {
			return err
		}
	}
}

// Checkpoint moves the place to resume at to a.Seq and a.MSN, and returns the assignment with its new revision.
// pipeline.ErrFenced means that another has taken over.
func (r *Registry) Checkpoint(ctx context.Context, feed string, a Assignment) (Assignment, error) {
	next, err := r.put(ctx, feed, a)
	if !errors.Is(err, pipeline.ErrFenced) {
		return next, err
	}
	// The answer to an earlier write of ours may have been lost: then the key is still ours.
	now, err := r.Assignment(ctx, feed)
	if err != nil {
		return Assignment{}, err
	}
	if now.Owner != a.Owner || now.Epoch != a.Epoch {
		return Assignment{}, fmt.Errorf("checkpoint of feed %s: %w", feed, pipeline.ErrFenced)
	}
	a.Revision = now.Revision
	return r.put(ctx, feed, a)
}

func (r *Registry) put(ctx context.Context, feed string, a Assignment) (Assignment, error) {
	var err error
	a.Revision, err = swap(ctx, r.assign, feed, a, a.Revision)
	if err != nil {
		return Assignment{}, err
	}
	return a, nil
}
