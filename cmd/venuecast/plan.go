package main

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/venuecast/venuecast/pipeline/transcode"
)

// order is what a child is told after its job, one JSON document per line.
type order struct {
	// Plan is how much of each rendition the worker lets it encode.
	Plan transcode.Plan `json:"plan"`
}

// orderTime is how long a child may take to make room for an order; its input holds hundreds.
const orderTime = time.Second

// orders is the plans of all feeds, and the inputs of the children that obey them.
type orders struct {
	mu     sync.Mutex // guards the fields below, and the writing
	plans  map[string]transcode.Plan
	inputs map[string]io.Writer
}

// SetPlan tells a feed's child how much of each rendition to encode, and every child that takes its place.
func (o *orders) SetPlan(feed string, p transcode.Plan) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.plans == nil {
		o.plans = map[string]transcode.Plan{}
	}
	if o.plans[feed] = p; len(p) == 0 {
		delete(o.plans, feed)
	}
	if in, ok := o.inputs[feed]; ok {
		return tell(in, order{Plan: p})
	}
	return nil
}

// begin makes in the input of a feed's child, and tells it the plan if there is one.
func (o *orders) begin(feed string, in io.Writer) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.inputs == nil {
		o.inputs = map[string]io.Writer{}
	}
	o.inputs[feed] = in
	if p, ok := o.plans[feed]; ok {
		return tell(in, order{Plan: p})
	}
	return nil
}

func (o *orders) end(feed string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.inputs, feed)
}

func tell(in io.Writer, v order) error {
	if pipe, ok := in.(interface{ SetWriteDeadline(t time.Time) error }); ok {
		_ = pipe.SetWriteDeadline(time.Now().Add(orderTime)) // a pipe that knows none holds more than is ever told
	}
	if err := json.NewEncoder(in).Encode(v); err != nil {
		return fmt.Errorf("telling the child: %w", err)
	}
	return nil
}
