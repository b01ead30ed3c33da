package transcode

import (
	"context"
	"fmt"
	"sync"

	"github.com/venuecast/venuecast/pipeline"
)

// Resender is an origin's front that remembers the newest parts. An origin that was started anew has lost the parts of
// the segment in progress, which players may have: made again they would differ, so the same bytes are sent again.
type Resender struct {
	out  Origin
	most int // parts remembered per rendition

	mu    sync.Mutex // guards the fields below
	inits map[string]pipeline.Init
	parts map[string][]pipeline.Part // consecutive
}

// NewResender returns a front of out that remembers so many parts of each rendition.
func NewResender(out Origin, most int) *Resender {
	return &Resender{out: out, most: most, inits: map[string]pipeline.Init{}, parts: map[string][]pipeline.Part{}}
}

// PutInit puts an initialization section, and remembers it.
func (r *Resender) PutInit(ctx context.Context, i pipeline.Init) error {
	r.mu.Lock()
	r.inits[i.Rendition] = i
	r.mu.Unlock()
	return r.out.PutInit(ctx, i)
}

// PutPart puts a part. It is remembered even when that fails: the origin may have taken it, and shown it.
func (r *Resender) PutPart(ctx context.Context, p pipeline.Part) error {
	r.remember(p)
	return r.out.PutPart(ctx, p)
}

func (r *Resender) remember(p pipeline.Part) {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.parts[p.Rendition]
	if n := len(list); n > 0 && !follows(list[n-1], p) {
		list = nil
	}
	if len(list) == r.most {
		list = append(list[:0], list[1:]...)
	}
	r.parts[p.Rendition] = append(list, p)
}

// follows reports whether q comes right after p.
func follows(p, q pipeline.Part) bool {
	return q.MSN == p.MSN && q.Index == p.Index+1 || q.MSN == p.MSN+1 && q.Index == 0
}

// Resend puts what the origin lacks by its state and is remembered, and returns the state after that.
// No part may be put meanwhile.
func (r *Resender) Resend(ctx context.Context, state pipeline.State, parts int) (pipeline.State, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	after := pipeline.State{}
	for name, wanted := range state {
		after[name] = wanted
		for i, p := range r.parts[name] {
			if p.Position() != after[name] {
				continue
			}
			if after[name] == wanted {
				if err := r.out.PutInit(ctx, r.inits[name]); err != nil {
					return nil, err
				}
			}
			if err := r.out.PutPart(ctx, r.parts[name][i]); err != nil {
				return nil, fmt.Errorf("sending again what the origin has lost: %w", err)
			}
			after[name] = next(p.Position(), parts)
		}
	}
	return after, nil
}

// next returns the place after p in segments of so many parts.
func next(p pipeline.Position, parts int) pipeline.Position {
	if p.Part+1 == parts {
		return pipeline.Position{MSN: p.MSN + 1}
	}
	return pipeline.Position{MSN: p.MSN, Part: p.Part + 1}
}
