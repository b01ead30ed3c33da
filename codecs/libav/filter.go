package libav

/*
#include <stdlib.h>
#include "native.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

// filter is a chain of libavfilter's filters for pictures of one format. The zero value is closed.
type filter struct {
	graph     *C.AVFilterGraph
	src, sink *C.AVFilterContext
	from      filterInput
}

var errNothing = errors.New("the filters give no picture")

// filterInput is what a chain is made for.
type filterInput struct {
	scalerInput
	colorspace C.enum_AVColorSpace
	pool       *C.uint8_t // that pictures of a card come from; nil for those in memory
}

func inputOf(f *C.AVFrame) filterInput {
	in := filterInput{colorspace: f.colorspace}
	in.width, in.height, in.format, in.fullRange = f.width, f.height, f.format, C.int(f.color_range)
	if f.hw_frames_ctx != nil {
		in.pool = f.hw_frames_ctx.data
	}
	return in
}

// follow opens the chain for pictures like p, unless it is open for such.
func (f *filter) follow(p *C.AVFrame, chain string) error {
	if f.graph != nil && f.from == inputOf(p) {
		return nil
	}
	f.close()
	text := C.CString(chain)
	defer C.free(unsafe.Pointer(text))
	if err := failed(C.vc_filter_open(&f.graph, &f.src, &f.sink, p, text, held)); err != nil {
		f.graph = nil
		return fmt.Errorf("opening the filters %s: %w", chain, err)
	}
	count(kindFilter, 1)
	f.from = inputOf(p)
	return nil
}

// push gives the chain another reference of p; nil is its end. What comes out is pulled.
func (f *filter) push(p *C.AVFrame) error { return failed(C.vc_filter_push(f.src, p)) }

// pull returns the next picture, errNothing when there is none for now.
func (f *filter) pull() (*Picture, error) {
	p := &Picture{newFrame()}
	code := C.vc_filter_pull(f.sink, p.frame)
	if code >= 0 {
		return p, nil
	}
	p.Release()
	if drained(code) {
		return nil, errNothing
	}
	return nil, failed(code)
}

// close frees the chain. Closing a closed one does nothing.
func (f *filter) close() {
	if f.graph == nil {
		return
	}
	own := f.graph
	C.avfilter_graph_free(&own)
	*f = filter{}
	count(kindFilter, -1)
}
